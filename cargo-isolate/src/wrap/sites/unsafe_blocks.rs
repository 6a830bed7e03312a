//! `unsafe` that nothing needs any more once a call in it goes through its wrapper.

use super::{
    argument,
    finder::Unsafe,
    source::{Edit, Source, bytes, place, range},
};
use crate::graph::{Package, SourceFile};
use isolate_lints::facts::{OperationKind, UnsafeKind};
use std::collections::BTreeSet;
use syn::{
    Expr, ExprCall, Stmt,
    spanned::Spanned,
    visit::{self, Visit},
};

/// Nothing in the block that begins at `at` is unsafe but calls that are `rewritten`.
pub(super) fn is_unneeded(
    package: &Package,
    file: &SourceFile,
    at: (u32, u32),
    block: Unsafe<'_>,
    rewritten: &BTreeSet<(u32, u32)>,
) -> bool {
    let mut values = Values { package, rewritten, any: false };
    values.visit_block(&block.block.block);
    if values.any {
        return false;
    }
    let mut blocks = file.facts.unsafes.iter().filter(|fact| fact.kind == UnsafeKind::Block);
    let is_safe = |kind: OperationKind, at: (u32, u32)| kind == OperationKind::Call || rewritten.contains(&at);
    blocks.find(|fact| (fact.span.line, fact.span.column) == at).is_some_and(|fact| {
        fact.operations.iter().all(|operation| is_safe(operation.kind, (operation.span.line, operation.span.column)))
    })
}

/// Calls of what may be a pointer to an unsafe function: a local, a field, a constant. Nothing says which it is.
struct Values<'v> {
    package: &'v Package,
    rewritten: &'v BTreeSet<(u32, u32)>,
    any: bool,
}

impl<'ast> Visit<'ast> for Values<'_> {
    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        let is_function = match argument::without_parens(&call.func) {
            Expr::Path(path) => {
                let name = path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
                let is_constant = name.len() > 1 && !name.contains(|c: char| c.is_lowercase());
                let is_constructor = !is_constant && name.starts_with(char::is_uppercase);
                let mut functions = self.package.files.iter().flat_map(|file| &file.facts.functions);
                let is_qualified = path.path.segments.len() > 1 && !is_constant;
                is_qualified || is_constructor || functions.any(|function| function.name == name)
            }
            _ => false,
        };
        self.any |= !is_function && !self.rewritten.contains(&place(call.func.span()));
        visit::visit_expr_call(self, call);
    }
}

/// The place of the call that is all there is in a block.
pub(super) fn sole_call(block: Unsafe<'_>) -> Option<(u32, u32)> {
    match &block.block.block.stmts[..] {
        [Stmt::Expr(Expr::Call(call), None)] => Some(place(call.func.span())),
        _ => None,
    }
}

/// Takes the keyword away, and the braces where they hold one expression and no comment. `statements`: the call in it that
/// becomes several, for which its braces on lines of their own are kept; it is given back then. Lines that can move to the
/// left with it go to `outdents`.
pub(super) fn unwrap(
    source: &Source,
    block: Unsafe<'_>,
    statements: Option<(u32, u32)>,
    edits: &mut Vec<Edit>,
    outdents: &mut Vec<Edit>,
) -> Option<(u32, u32)> {
    let braces = &block.block.block.brace_token.span;
    let (keyword, open, close) = (bytes(block.block.unsafe_token.span), bytes(braces.open()), bytes(braces.close()));
    let without_keyword = |edits: &mut Vec<Edit>| {
        let gap = source.space(keyword.end..open.start).map_or(keyword.end, |gap| gap.end);
        edits.push(Edit::delete(keyword.start..gap));
    };
    let [Stmt::Expr(inner, None)] = &block.block.block.stmts[..] else {
        without_keyword(edits);
        return None;
    };
    let expr = range(inner);
    let is_bare = source.space(open.end..expr.start).is_some()
        && source.space(expr.end..close.start).is_some()
        && source.space(keyword.end..open.start).is_some()
        && block.block.attrs.is_empty();
    let lines = source.text[open.end..expr.start].contains('\n');
    if block.closes || !is_bare || (lines && statements.is_some()) {
        without_keyword(edits);
        return statements.filter(|_| lines && is_bare);
    }
    let is_one = matches!(inner, Expr::Call(_) | Expr::MethodCall(_)) || is_delimited(source, keyword.start, close.end);
    let (before, after) = if is_one { ("", "") } else { ("(", ")") };
    edits.push(Edit::new(keyword.start..expr.start, before));
    edits.push(Edit::new(expr.end..close.end, after));
    if lines {
        let width = source.indent(expr.start).len().saturating_sub(source.indent(keyword.start).len());
        outdents.extend(source.outdented(expr, width));
    }
    None
}

/// Between `=`, `(`, `,` and the like, any expression can stand as it is.
fn is_delimited(source: &Source, start: usize, end: usize) -> bool {
    let (before, after) = (source.code(0..start), source.code(end..source.text.len()));
    let before = before.trim_end();
    let is_open =
        before.ends_with(['(', '[', ',', '{', ';', '=']) || before.ends_with("return") || before.ends_with("=>");
    is_open && after.trim_start().starts_with([')', ']', ',', '}', ';'])
}
