//! The syntactic forms of arguments: which slice a pointer points into, and which expression a length is.

use super::{
    holds::Holds,
    source::{Source, range},
};
use syn::{BinOp, Expr, ExprRange, Lit, Type, UnOp};

/// How a pointer is obtained.
#[derive(Clone, Debug)]
pub(super) enum Pointer<'s> {
    Null,
    /// `x.as_ptr()`, `x.as_mut_ptr()`, `&x[start]`: the elements of `x` from `start` on.
    Into {
        of: &'s Expr,
        /// The number of elements to skip.
        start: Option<&'s Expr>,
        /// The pointer was cast, so its type says nothing about the elements.
        cast: bool,
    },
    /// `&x`, `&mut x` or `&raw mut x`.
    To {
        place: &'s Expr,
    },
    /// A plain name, which may be that of a reference.
    Named {
        name: &'s Expr,
    },
    /// Anything else.
    Other,
}

/// Reads a pointer argument.
pub(super) fn pointer(argument: &Expr) -> Pointer<'_> {
    let (inner, cast) = without_casts(argument);
    match inner {
        Expr::MethodCall(call) if call.args.is_empty() && (call.method == "as_ptr" || call.method == "as_mut_ptr") => {
            match is_pure(&call.receiver) {
                true => Pointer::Into { of: without_parens(&call.receiver), start: None, cast },
                false => Pointer::Other,
            }
        }
        Expr::MethodCall(call) if (call.method == "add" || call.method == "offset") && call.args.len() == 1 => {
            let start = &call.args[0];
            match pointer(&call.receiver) {
                // After a cast, `add` counts elements of another type than the slice's. The argument of `offset` is an
                // `isize`, so only a literal can become an index.
                Pointer::Into { of, start: None, cast: false }
                    if is_pure(start) && (call.method == "add" || literal(start).is_some()) =>
                {
                    Pointer::Into { of, start: Some(start), cast }
                }
                _ => Pointer::Other,
            }
        }
        Expr::Call(call) if call.args.is_empty() => match &*call.func {
            Expr::Path(path)
                if path.path.segments.last().is_some_and(|last| last.ident == "null" || last.ident == "null_mut") =>
            {
                Pointer::Null
            }
            _ => Pointer::Other,
        },
        Expr::Lit(lit) if cast && is_zero(&lit.lit) => Pointer::Null,
        Expr::Reference(reference) => to(&reference.expr, cast),
        Expr::RawAddr(raw) => to(&raw.expr, cast),
        Expr::Path(path) if path.path.get_ident().is_some() && !cast => Pointer::Named { name: inner },
        _ => Pointer::Other,
    }
}

/// `x` of `x as *const T` and `ptr::from_ref(x)`: the pointer points to what `x` refers to.
pub(super) fn reference(argument: &Expr) -> Option<&Expr> {
    let inner = match without_parens(argument) {
        Expr::Cast(cast) if matches!(*cast.ty, Type::Ptr(_)) => &cast.expr,
        Expr::Call(call) if call.args.len() == 1 => match &*call.func {
            Expr::Path(path) if ends_with(path, "from_ref") || ends_with(path, "from_mut") => &call.args[0],
            _ => return None,
        },
        _ => return None,
    };
    Some(without_parens(inner)).filter(|inner| matches!(inner, Expr::Path(path) if path.path.get_ident().is_some()))
}

/// `x` of `x.as_ptr()`, even if evaluating `x` has side effects.
pub(super) fn pointed_into(argument: &Expr) -> Option<&Expr> {
    match without_casts(argument).0 {
        Expr::MethodCall(call) if call.args.is_empty() && call.method == "as_ptr" => Some(&call.receiver),
        _ => None,
    }
}

/// `x` and `n` of `x[n..]`.
pub(super) fn rest(of: &Expr) -> Option<(&Expr, &Expr)> {
    let Expr::Index(index) = without_parens(of) else { return None };
    match &*index.index {
        Expr::Range(ExprRange { start: Some(start), end: None, .. }) => Some((&index.expr, start)),
        _ => None,
    }
}

pub(super) fn is_self(expr: &Expr) -> bool {
    matches!(expr, Expr::Path(path) if path.path.is_ident("self"))
}

pub(super) fn is_field(expr: &Expr) -> bool {
    matches!(without_parens(expr), Expr::Field(_))
}

/// Whether the argument is this number. NULL and `None` count as 0.
pub(super) fn is_fixed(argument: &Expr, value: i64) -> bool {
    match unconverted(argument) {
        Expr::Path(path) if value == 0 => path.path.segments.last().is_some_and(|last| last.ident == "None"),
        Expr::Lit(lit) => is_number(&lit.lit, value),
        Expr::Unary(syn::ExprUnary { op: UnOp::Neg(_), expr, .. }) => match &**expr {
            Expr::Lit(lit) => value.checked_neg().is_some_and(|value| is_number(&lit.lit, value)),
            _ => false,
        },
        _ => value == 0 && matches!(pointer(argument), Pointer::Null),
    }
}

/// Whether the argument is `size_of::<name>()`, with or without an integer conversion.
pub(super) fn is_size_of(argument: &Expr, name: &str) -> bool {
    let Expr::Call(call) = unconverted(argument) else { return false };
    let Expr::Path(path) = &*call.func else { return false };
    let Some(last) = path.path.segments.last().filter(|last| last.ident == "size_of") else { return false };
    match &last.arguments {
        syn::PathArguments::AngleBracketed(of) => match of.args.first() {
            Some(syn::GenericArgument::Type(syn::Type::Path(of))) => {
                of.path.segments.last().is_some_and(|last| last.ident == name)
            }
            _ => false,
        },
        _ => false,
    }
}

fn is_number(lit: &Lit, value: i64) -> bool {
    matches!(lit, Lit::Int(lit) if lit.base10_parse::<i64>().is_ok_and(|number| number == value))
}

/// `&x[3]` points into `x`, and `&x` points to it.
fn to(place: &Expr, cast: bool) -> Pointer<'_> {
    match without_parens(place) {
        Expr::Index(index) if is_pure(&index.expr) && is_pure(&index.index) => match &*index.index {
            // A reference to a slice is a wide pointer.
            Expr::Range(_) => Pointer::Other,
            start => {
                Pointer::Into { of: &index.expr, start: Some(start).filter(|start| !is_literal_zero(start)), cast }
            }
        },
        place if is_pure(place) => Pointer::To { place },
        _ => Pointer::Other,
    }
}

/// Strips pointer casts. The flag says whether one of them changed the pointee type.
pub(super) fn without_casts(expr: &Expr) -> (&Expr, bool) {
    match expr {
        Expr::Paren(paren) => without_casts(&paren.expr),
        Expr::Group(group) => without_casts(&group.expr),
        Expr::Cast(cast) => (without_casts(&cast.expr).0, true),
        Expr::MethodCall(call) if call.args.is_empty() => match &*call.method.to_string() {
            "cast" => (without_casts(&call.receiver).0, true),
            "cast_mut" | "cast_const" => without_casts(&call.receiver),
            _ => (expr, false),
        },
        _ => (expr, false),
    }
}

/// A length without its conversion to the type of the parameter: `x.len() as c_int`, `c_uint::try_from(x.len())?`,
/// `n.try_into().unwrap()`. Only the outermost conversion is removed: an inner one may truncate.
pub(super) fn length(argument: &Expr) -> Option<&Expr> {
    let inner = unconverted(argument);
    is_pure(inner).then_some(inner)
}

/// Whether a length that is too large returns an error from the function by `?`.
pub(super) fn length_is_tried(argument: &Expr) -> bool {
    matches!(without_parens(argument), Expr::Try(tried) if converted(&tried.expr).is_some())
}

fn unconverted(expr: &Expr) -> &Expr {
    match without_parens(expr) {
        Expr::Cast(cast) => without_parens(&cast.expr),
        Expr::Try(tried) => converted(&tried.expr).unwrap_or(expr),
        Expr::MethodCall(call) => match &*call.method.to_string() {
            "unwrap" | "expect" => converted(&call.receiver).unwrap_or(expr),
            "into" if call.args.is_empty() => without_parens(&call.receiver),
            _ => expr,
        },
        Expr::Call(call) => match (&*call.func, call.args.first()) {
            (Expr::Path(path), Some(from)) if ends_with(path, "from") && call.args.len() == 1 => without_parens(from),
            _ => expr,
        },
        inner => inner,
    }
}

/// The operand of `T::try_from(x)` or `x.try_into()`, with or without a `map_err` after it.
fn converted(expr: &Expr) -> Option<&Expr> {
    match expr {
        Expr::Call(call) => match (&*call.func, call.args.first()) {
            (Expr::Path(path), Some(from)) if ends_with(path, "try_from") && call.args.len() == 1 => {
                Some(without_parens(from))
            }
            _ => None,
        },
        Expr::MethodCall(call) => match &*call.method.to_string() {
            "try_into" => Some(without_parens(&call.receiver)),
            "map_err" | "ok" | "ok_or" | "ok_or_else" => converted(&call.receiver),
            _ => None,
        },
        _ => None,
    }
}

fn ends_with(path: &syn::ExprPath, name: &str) -> bool {
    path.path.segments.len() > 1 && path.path.segments.last().is_some_and(|last| last.ident == name)
}

/// Whether evaluating the expression once, twice or a little later gives the same value: paths, fields, literals,
/// arithmetic, `len()`.
pub(super) fn is_pure(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(paren) => is_pure(&paren.expr),
        Expr::Group(group) => is_pure(&group.expr),
        Expr::Path(_) | Expr::Lit(_) => true,
        Expr::Field(field) => is_pure(&field.base),
        Expr::Cast(cast) => is_pure(&cast.expr),
        Expr::Reference(reference) => is_pure(&reference.expr),
        Expr::Unary(unary) => is_pure(&unary.expr),
        Expr::Index(index) => is_pure(&index.expr) && is_pure(&index.index),
        Expr::Range(range) => [&range.start, &range.end].into_iter().flatten().all(|end| is_pure(end)),
        Expr::Binary(binary) => {
            let is_arithmetic = matches!(
                binary.op,
                BinOp::Add(_)
                    | BinOp::Sub(_)
                    | BinOp::Mul(_)
                    | BinOp::Div(_)
                    | BinOp::Rem(_)
                    | BinOp::Shl(_)
                    | BinOp::Shr(_)
            );
            is_arithmetic && is_pure(&binary.left) && is_pure(&binary.right)
        }
        Expr::MethodCall(call) => {
            let name = call.method.to_string();
            let is_view = matches!(&*name, "len" | "capacity" | "as_bytes" | "as_slice" | "as_mut_slice" | "as_c_str");
            is_view && call.args.is_empty() && is_pure(&call.receiver)
        }
        _ => false,
    }
}

/// A function that says what a value holds.
pub(super) type HoldsOf<'h> = &'h dyn Fn(&Expr) -> Holds;

/// Whether `expr` is `of.len()`.
pub(super) fn is_length_of(source: &Source, expr: &Expr, of: &Expr, holds: HoldsOf<'_>) -> bool {
    // A view such as `as_bytes()` is as long as its receiver, unless that has a type of the program's own, whose `len`
    // may count anything.
    let whole = match without_parens(of) {
        Expr::MethodCall(view) => {
            let whole = without_parens(&view.receiver);
            let is_as_long = match &*view.method.to_string() {
                "as_bytes" => holds(whole).element() == Some("u8"),
                "as_slice" | "as_mut_slice" => holds(whole).is_slice(),
                _ => false,
            };
            if is_as_long { whole } else { of }
        }
        of => of,
    };
    let is = |receiver: &Expr| same(source, receiver, of) || same(source, receiver, whole);
    matches!(without_parens(expr), Expr::MethodCall(call)
        if call.method == "len" && call.args.is_empty() && is(without_parens(&call.receiver)))
}

/// Whether `expr` is `of.len() - start`.
pub(super) fn is_rest_of(source: &Source, expr: &Expr, of: &Expr, start: &Expr, holds: HoldsOf<'_>) -> bool {
    matches!(without_parens(expr), Expr::Binary(binary)
        if matches!(binary.op, BinOp::Sub(_))
            && is_length_of(source, &binary.left, of, holds)
            && same(source, without_parens(&binary.right), without_parens(start)))
}

/// Whether two expressions have the same text, apart from whitespace.
pub(super) fn same(source: &Source, a: &Expr, b: &Expr) -> bool {
    let plain = |expr: &Expr| source.of(expr).split_whitespace().collect::<String>();
    plain(a) == plain(b)
}

pub(super) fn without_parens(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(paren) => without_parens(&paren.expr),
        Expr::Group(group) => without_parens(&group.expr),
        expr => expr,
    }
}

/// The value of an integer literal.
pub(super) fn literal(expr: &Expr) -> Option<u64> {
    match without_parens(expr) {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(int) => int.base10_parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

/// Whether an expression is negated, such as the sentinel `-1`, and therefore no length of a slice.
pub(super) fn may_be_sentinel(expr: &Expr) -> bool {
    matches!(without_parens(expr), Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)))
}

fn is_zero(lit: &Lit) -> bool {
    matches!(lit, Lit::Int(int) if int.base10_digits() == "0")
}

pub(super) fn is_literal_zero(expr: &Expr) -> bool {
    literal(expr) == Some(0)
}

/// The text of an expression as a slice index. A cast to `usize` is added unless the expression is known to have that
/// type.
pub(super) fn as_usize(source: &Source, expr: &Expr, is_usize: bool) -> String {
    let inner = without_parens(expr);
    let text = source.of(inner);
    match inner {
        Expr::Lit(lit) => match &lit.lit {
            Lit::Int(int) => int.base10_digits().to_owned(),
            _ => text.to_owned(),
        },
        Expr::MethodCall(call) if call.method == "len" => text.to_owned(),
        _ if is_usize => text.to_owned(),
        Expr::Binary(_) | Expr::Unary(_) | Expr::Range(_) | Expr::Reference(_) => format!("({text}) as usize"),
        _ => format!("{text} as usize"),
    }
}

/// The variable at the root of a place expression: `x` of `x.y[0].z`.
pub(super) fn root(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Paren(paren) => root(&paren.expr),
        Expr::Group(group) => root(&group.expr),
        Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
        Expr::Field(field) => root(&field.base),
        Expr::Index(index) => root(&index.expr),
        Expr::MethodCall(call) => root(&call.receiver),
        Expr::Unary(unary) => root(&unary.expr),
        Expr::Reference(reference) => root(&reference.expr),
        _ => None,
    }
}

/// Whether an expression names a place or its root, or calls a method on `self` that may use the place.
pub(super) fn mentions(source: &Source, expr: &Expr, place: &Expr) -> bool {
    let Some(root) = root(place) else { return true };
    let text: String = source.code(range(expr)).split_whitespace().collect();
    let place: String = source.code(range(place)).split_whitespace().collect();
    match root == "self" {
        // Disjoint fields of `self` can be borrowed at the same time.
        true => has_word(&text, &place) || text.contains("self.") && text.contains('('),
        false => has_word(&text, &root),
    }
}

/// Whether a text contains a word as a whole word.
pub(super) fn has_word(text: &str, word: &str) -> bool {
    words(text, word).next().is_some()
}

/// The offsets at which a text contains a word as a whole word.
pub(super) fn words<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let places = text.match_indices(word).map(|(at, _)| at);
    places.filter(move |at| !text[..*at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}
