//! What the text of a function says about its locals: enough to know what `x.as_ptr()` points into.

use super::{
    argument::{has_word, words},
    finder::Function,
    holds::{Holds, of_type, of_value},
    source::{Source, range},
};
use syn::{
    Expr, FnArg, Lit, Local, Pat, PatIdent, Stmt, Type,
    visit::{self, Visit},
};

/// What `name` holds at a call at byte `at`.
pub(super) fn holds(function: &Function<'_>, name: &str, at: usize) -> Holds {
    followed(function, name, at, MOST_FOLLOWED)
}

/// How many `let`s are followed from one local to the next. Each branch of an `if` is followed, so the limit also
/// bounds the exponential growth.
const MOST_FOLLOWED: u8 = 8;

fn followed(function: &Function<'_>, name: &str, at: usize, left: u8) -> Holds {
    match bound(function, name, at) {
        Some((_, Binding::Parameter(ty))) => of_type(ty),
        Some((_, Binding::Local(local))) if left > 0 => of_local(function, local, left - 1),
        _ => Holds::Unknown,
    }
}

/// Whether `name` is declared as a reference, for a call at byte `at`.
pub(super) fn is_reference(function: &Function<'_>, name: &str, at: usize) -> bool {
    match bound(function, name, at) {
        Some((_, Binding::Parameter(ty))) => matches!(ty, Type::Reference(_)),
        Some((_, Binding::Local(Local { pat: Pat::Type(pat), .. }))) => matches!(*pat.ty, Type::Reference(_)),
        _ => false,
    }
}

/// Whether `name` is a parameter of the function, for a call at byte `at`.
pub(super) fn is_parameter(function: &Function<'_>, name: &str, at: usize) -> bool {
    bound(function, name, at).is_some_and(|(bound, _)| bound < range(function.body).start)
}

/// Whether the type of `name` is inferred from its uses: `let len = n as _;`.
pub(super) fn is_of_any_type(function: &Function<'_>, name: &str, at: usize) -> bool {
    fn is_any(value: &Expr) -> bool {
        match value {
            Expr::Paren(paren) => is_any(&paren.expr),
            Expr::Cast(cast) => matches!(*cast.ty, Type::Infer(_)),
            Expr::Try(tried) => is_any(&tried.expr),
            Expr::MethodCall(call) => match &*call.method.to_string() {
                "into" | "try_into" => true,
                "unwrap" | "expect" | "map_err" | "unwrap_or" => is_any(&call.receiver),
                _ => false,
            },
            _ => false,
        }
    }
    match bound(function, name, at) {
        Some((_, Binding::Local(Local { pat: Pat::Ident(_), init: Some(init), .. }))) => is_any(&init.expr),
        _ => false,
    }
}

/// The binding of a name that is visible at byte `at`, with its position.
fn bound<'f>(function: &Function<'f>, name: &'f str, at: usize) -> Option<(usize, Binding<'f>)> {
    let mut bindings = Bindings { name, at, last: None };
    for input in &function.signature.inputs {
        if let FnArg::Typed(input) = input
            && is_named(&input.pat, name)
        {
            bindings.last = Some((range(&input.pat).start, Binding::Parameter(&input.ty)));
        }
    }
    bindings.visit_block(function.body);
    bindings.last
}

/// Whether all bits of `name` are zero at a call at byte `at`: a `let` in an enclosing block binds it to such a value,
/// and nothing names it in between, not even in an earlier iteration of a loop.
pub(super) fn is_zero(source: &Source, function: &Function<'_>, name: &str, at: usize) -> bool {
    zero_let(source, function, name, at).is_some()
}

/// The `let` that [`is_zero`] is about.
pub(super) fn zero_let<'f>(source: &Source, function: &Function<'f>, name: &str, at: usize) -> Option<&'f Local> {
    let (local, is_repeated) = last_let(function, name, at)?;
    let between = source.code(range(local).end..at);
    let is_zero = local.init.as_ref().is_some_and(|init| init.diverge.is_none() && is_zero_value(&init.expr));
    (is_zero && !is_repeated && !has_word(&between, name)).then_some(local)
}

/// The `let` of a name whose only use is a call at byte `at`. It is in an enclosing block, and no loop contains the
/// call without containing the `let`.
pub(super) fn used_once<'f>(source: &Source, function: &Function<'f>, name: &str, at: usize) -> Option<&'f Local> {
    let body = source.code(range(function.body));
    let is_once = words(&body, name).count() == 2 && !is_parameter(function, name, at);
    last_let(function, name, at).filter(|(_, is_repeated)| is_once && !is_repeated).map(|(local, _)| local)
}

/// The `let` of a name before a call at byte `at`, in an enclosing block. No loop contains the call without containing
/// the `let`.
pub(super) fn once_let<'f>(function: &Function<'f>, name: &str, at: usize) -> Option<&'f Local> {
    last_let(function, name, at).filter(|(_, is_repeated)| !is_repeated).map(|(local, _)| local)
}

/// The last `let` of a name before a call at byte `at`, in an enclosing block, and whether the call can run more than
/// once per execution of that `let`.
fn last_let<'f>(function: &Function<'f>, name: &str, at: usize) -> Option<(&'f Local, bool)> {
    let mut search = LastLet { name, at, found: None };
    search.visit_block(function.body);
    search.found
}

struct LastLet<'n, 's> {
    name: &'n str,
    at: usize,
    found: Option<(&'s Local, bool)>,
}

impl<'s> Visit<'s> for LastLet<'_, 's> {
    fn visit_block(&mut self, block: &'s syn::Block) {
        if !range(block).contains(&self.at) {
            return;
        }
        for (index, statement) in block.stmts.iter().enumerate() {
            if let Stmt::Local(local) = statement
                && is_named(&local.pat, self.name)
                && range(local).end <= self.at
            {
                let is_repeated = block.stmts[index..].iter().any(|statement| repeats(statement, self.at));
                self.found = Some((local, is_repeated));
            }
        }
        visit::visit_block(self, block);
    }
}

/// Whether a byte is in a part of a statement that may run more than once or later: a loop, a closure or an `async`
/// block.
pub(super) fn repeats(statement: &Stmt, at: usize) -> bool {
    struct Repeats {
        at: usize,
        any: bool,
    }
    impl<'ast> Visit<'ast> for Repeats {
        fn visit_expr(&mut self, expr: &'ast Expr) {
            let is_one =
                matches!(expr, Expr::Loop(_) | Expr::While(_) | Expr::ForLoop(_) | Expr::Closure(_) | Expr::Async(_));
            self.any |= is_one && range(expr).contains(&self.at);
            visit::visit_expr(self, expr);
        }
    }
    let mut search = Repeats { at, any: false };
    search.visit_stmt(statement);
    search.any
}

/// Whether an expression is a value of zero bits, judged by its text.
fn is_zero_value(value: &Expr) -> bool {
    match value {
        Expr::Paren(paren) => is_zero_value(&paren.expr),
        Expr::Unsafe(block) => {
            matches!(&block.block.stmts[..], [Stmt::Expr(value, None)] if is_zero_value(value))
        }
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(int) => int.base10_digits() == "0",
            Lit::Float(float) => float.base10_parse::<f64>().is_ok_and(|value| value == 0.0),
            Lit::Bool(value) => !value.value,
            _ => false,
        },
        Expr::Repeat(repeat) => is_zero_value(&repeat.expr),
        Expr::Array(array) => array.elems.iter().all(is_zero_value),
        Expr::Struct(literal) => {
            literal.rest.is_none() && literal.fields.iter().all(|field| is_zero_value(&field.expr))
        }
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => path.path.segments.last().is_some_and(|last| {
                call.args.is_empty() && ["zeroed", "null", "null_mut"].iter().any(|name| last.ident == name)
            }),
            _ => false,
        },
        _ => false,
    }
}

/// Finds the last binding of a name whose scope reaches a position.
struct Bindings<'f> {
    name: &'f str,
    at: usize,
    /// The position of the binding, and its kind.
    last: Option<(usize, Binding<'f>)>,
}

/// How a name is bound.
#[derive(Clone, Copy)]
enum Binding<'f> {
    Parameter(&'f Type),
    Local(&'f Local),
    /// In a pattern of a `match` arm, a loop or a closure, which is not followed.
    Other,
}

impl<'f> Bindings<'f> {
    fn bind(&mut self, at: usize, binding: Binding<'f>) {
        if at < self.at && self.last.is_none_or(|(before, _)| before <= at) {
            self.last = Some((at, binding));
        }
    }
}

impl<'ast> Visit<'ast> for Bindings<'ast> {
    fn visit_block(&mut self, block: &'ast syn::Block) {
        // A binding's scope ends with its block.
        if range(block).contains(&self.at) {
            visit::visit_block(self, block);
        }
    }

    fn visit_local(&mut self, local: &'ast Local) {
        // The name is in scope only after its own initialiser.
        if is_named(&local.pat, self.name) {
            if range(local).end <= self.at {
                self.bind(range(&local.pat).start, Binding::Local(local));
            }
        } else {
            visit::visit_pat(self, &local.pat);
        }
        if let Some(init) = &local.init {
            visit::visit_local_init(self, init);
        }
    }

    fn visit_pat_ident(&mut self, pat: &'ast PatIdent) {
        if pat.ident == self.name {
            self.bind(range(pat).start, Binding::Other);
        }
        visit::visit_pat_ident(self, pat);
    }
}

fn is_named(pat: &Pat, name: &str) -> bool {
    match pat {
        Pat::Ident(pat) => pat.ident == name && pat.by_ref.is_none() && pat.subpat.is_none(),
        Pat::Type(pat) => is_named(&pat.pat, name),
        _ => false,
    }
}

fn of_local(function: &Function<'_>, local: &Local, left: u8) -> Holds {
    let stated = match &local.pat {
        Pat::Type(pat) => of_type(&pat.ty),
        _ => Holds::Unknown,
    };
    let value = local.init.as_ref().map_or(Holds::Unknown, |init| of_init(function, &init.expr, left));
    match (stated, value) {
        // `let mut out: Vec<u8> = vec![0; n];` is filled to its capacity.
        (Holds::Vec { of }, Holds::Owner { of: value, length }) => Holds::Owner { of: of.or(value), length },
        (Holds::Unknown, value) => value,
        (stated, _) => stated,
    }
}

/// What an initialiser holds, which may be an `if`, a block or another local.
fn of_init(function: &Function<'_>, value: &Expr, left: u8) -> Holds {
    match value {
        Expr::If(chosen) => match (last(&chosen.then_branch), &chosen.else_branch) {
            (Some(then), Some((_, other))) => {
                let (then, other) = (of_init(function, then, left), of_init(function, other, left));
                match (then, other) {
                    (Holds::Slice { of: one }, Holds::Slice { of: two }) => Holds::Slice { of: one.or(two) },
                    (then, other) if then == other => then,
                    _ => Holds::Unknown,
                }
            }
            _ => Holds::Unknown,
        },
        Expr::Block(block) => last(&block.block).map_or(Holds::Unknown, |value| of_init(function, value, left)),
        // A slice is copied or reborrowed. A value of any other kind moves, and takes on the new name.
        Expr::Path(path) => match path.path.get_ident() {
            Some(name) => followed(function, &name.to_string(), range(value).start, left),
            None => Holds::Unknown,
        },
        value => of_value(value),
    }
}

fn last(block: &syn::Block) -> Option<&Expr> {
    match block.stmts.last() {
        Some(Stmt::Expr(value, None)) => Some(value),
        _ => None,
    }
}
