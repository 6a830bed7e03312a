//! Calls among the arguments of macros of the standard library. Such an argument is an expression that is evaluated at
//! most once, where the macro stands, so a call in it can be rewritten like any other.

use super::source::place;
use std::collections::BTreeMap;
use syn::{
    Expr, File, Macro, Token,
    parse::ParseStream,
    punctuated::Punctuated,
    spanned::Spanned,
    visit::{self, Visit},
};

/// The parsed arguments of such macros, by the position of the macro's name.
pub(super) type Arguments = BTreeMap<(u32, u32), Vec<Expr>>;

const EVALUATED: [&str; 19] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "eprint",
    "eprintln",
    "format",
    "format_args",
    "panic",
    "print",
    "println",
    "todo",
    "unreachable",
    "vec",
    "write",
    "writeln",
];

/// Macros known to expand to nothing but uses of their arguments: the ones above, `log` and error macros, and a few of
/// the standard library.
pub(super) fn is_of_values(name: &str) -> bool {
    const OTHERS: [&str; 13] = [
        "addr_of",
        "addr_of_mut",
        "trace",
        "debug",
        "info",
        "warn",
        "error",
        "bail",
        "ensure",
        "anyhow",
        "matches",
        "include",
        "concat",
    ];
    EVALUATED.contains(&name) || OTHERS.contains(&name)
}

/// Parses the arguments of all such macros in a file, including nested ones.
pub(super) fn arguments(file: &File) -> Arguments {
    let mut reader = Reader::default();
    reader.visit_file(file);
    reader.arguments
}

/// The key of a macro in [`Arguments`].
pub(super) fn key(mac: &Macro) -> (u32, u32) {
    place(mac.path.span())
}

/// `one, two`
fn listed(input: ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    Ok(Punctuated::<Expr, Token![,]>::parse_terminated(input)?.into_iter().collect())
}

/// `value; count`, as in `vec!`.
fn repeated(input: ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    let value = input.parse()?;
    input.parse::<Token![;]>()?;
    Ok(vec![value, input.parse()?])
}

#[derive(Default)]
struct Reader {
    arguments: Arguments,
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_macro(&mut self, mac: &'ast Macro) {
        let name = mac.path.segments.last().map(|last| last.ident.to_string());
        if name.is_some_and(|name| EVALUATED.contains(&&*name))
            && let Ok(arguments) = mac.parse_body_with(listed).or_else(|_| mac.parse_body_with(repeated))
        {
            arguments.iter().for_each(|argument| visit::visit_expr(self, argument));
            self.arguments.insert(key(mac), arguments);
        }
    }
}
