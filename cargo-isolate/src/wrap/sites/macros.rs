//! Calls among the arguments of std's macros: these are expressions, each evaluated once where the macro stands, so that a call
//! in there can be rewritten as anywhere else.

use super::source::place;
use std::collections::BTreeMap;
use syn::{
    Expr, File, Macro, Token,
    parse::ParseStream,
    punctuated::Punctuated,
    spanned::Spanned,
    visit::{self, Visit},
};

/// The arguments of such macros, by the places of their names.
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

/// Macros that do with their tokens what they say there, to values: those above, of `log` and of errors, and included files.
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

/// Reads the arguments of all such macros in a file, those in the arguments of others included.
pub(super) fn arguments(file: &File) -> Arguments {
    let mut reader = Reader::default();
    reader.visit_file(file);
    reader.arguments
}

/// Where a macro's arguments are kept.
pub(super) fn key(mac: &Macro) -> (u32, u32) {
    place(mac.path.span())
}

/// `one, two`
fn listed(input: ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    Ok(Punctuated::<Expr, Token![,]>::parse_terminated(input)?.into_iter().collect())
}

/// `value; how often`, as `vec!` has it.
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
