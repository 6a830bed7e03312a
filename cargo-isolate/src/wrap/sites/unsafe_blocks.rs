//! Removes `unsafe` that is unnecessary once a call goes through its wrapper.

use super::{
    argument,
    finder::Unsafe,
    macros,
    source::{Edit, Source, bytes, place, range},
};
use crate::graph::{Package, SourceFile};
use isolate_lints::facts::{OperationKind, TypeKind, UnsafeKind};
use std::collections::BTreeSet;
use syn::{
    Expr, ExprCall, ExprField, ExprMethodCall, FieldPat, Macro, Member, Stmt,
    spanned::Spanned,
    visit::{self, Visit},
};

/// Whether nothing in the block at `at` can be unsafe other than calls that are `rewritten`. Guessing wrong is
/// harmless: a superfluous `unsafe` is a compiler warning, and a missing one does not compile.
pub(super) fn is_unneeded(
    package: &Package,
    file: &SourceFile,
    source: &Source,
    at: (u32, u32),
    block: Unsafe<'_>,
    rewritten: &BTreeSet<(u32, u32)>,
) -> bool {
    let mut rest = Rest { package, source, rewritten, in_rewritten_call: false, may_be_unsafe: false };
    rest.visit_block(&block.block.block);
    if rest.may_be_unsafe {
        return false;
    }
    let mut blocks = file.facts.unsafes.iter().filter(|fact| fact.kind == UnsafeKind::Block);
    // Calls were checked by name above.
    let is_safe = |kind: OperationKind, at: (u32, u32)| kind == OperationKind::Call || rewritten.contains(&at);
    blocks.find(|fact| (fact.span.line, fact.span.column) == at).is_some_and(|fact| {
        fact.operations.iter().all(|operation| is_safe(operation.kind, (operation.span.line, operation.span.column)))
    })
}

/// Checks what remains in a block. A call is safe if all known functions of its name are safe.
struct Rest<'v> {
    package: &'v Package,
    source: &'v Source,
    rewritten: &'v BTreeSet<(u32, u32)>,
    /// Inside a rewritten call, where a slice replaces an argument such as `data.as_ptr().add(2)`.
    in_rewritten_call: bool,
    may_be_unsafe: bool,
}

/// Functions of the standard library that often occur beside a foreign call, and that are safe on every type that has
/// them.
const SAFE: &str = "abs align_of and_then as_bytes as_c_str as_mut_ptr as_mut_slice as_ptr as_slice as_str capacity cast cast_const cast_mut \
     clear clone default drop err expect expect_err extend_from_slice from from_mut from_ref into into_iter \
     is_empty is_err is_none is_null is_ok is_some iter iter_mut len map map_err max min new null null_mut ok ok_or \
     ok_or_else push resize reserve size_of size_of_val then then_some to_owned to_string to_vec truncate try_from \
     try_into uninit unwrap unwrap_or unwrap_or_default with_capacity";

impl Rest<'_> {
    fn is_safe(&self, name: &str) -> bool {
        let functions = self.package.files.iter().flat_map(|file| &file.facts.functions);
        let mut own = functions.filter(|function| function.name == name).peekable();
        let is_known = SAFE.split(' ').any(|safe| safe == name)
            || ["checked_", "saturating_", "wrapping_"].iter().any(|start| name.starts_with(start));
        (own.peek().is_some() || is_known) && own.all(|function| !function.is_unsafe)
    }

    /// Whether a field of this name belongs to a union. Reading it would be unsafe, and syntax does not show the type.
    fn is_of_union(&self, field: &str) -> bool {
        let types = self.package.files.iter().flat_map(|file| &file.facts.types);
        types.into_iter().any(|ty| match &ty.kind {
            TypeKind::Union(fields) => fields.iter().any(|one| one.name.as_deref() == Some(field)),
            _ => false,
        })
    }
}

impl<'ast> Visit<'ast> for Rest<'_> {
    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        let is_safe = match argument::without_parens(&call.func) {
            Expr::Path(path) => {
                let name = path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
                // A constant or a local may be a pointer to an unsafe function.
                let is_constant = name.len() > 1 && !name.contains(|c: char| c.is_lowercase());
                let is_constructor = !is_constant && name.starts_with(char::is_uppercase);
                is_constructor || self.is_safe(&name)
            }
            _ => false,
        };
        let around = self.in_rewritten_call;
        self.in_rewritten_call = self.rewritten.contains(&place(call.func.span()));
        self.may_be_unsafe |= !is_safe && !self.in_rewritten_call;
        visit::visit_expr_call(self, call);
        self.in_rewritten_call = around;
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let name = call.method.to_string();
        let changed = self.rewritten.contains(&place(call.method.span()));
        let is_safe = changed || self.is_safe(&name) || self.in_rewritten_call && (name == "add" || name == "offset");
        self.may_be_unsafe |= !is_safe;
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_field(&mut self, field: &'ast ExprField) {
        if let Member::Named(name) = &field.member {
            self.may_be_unsafe |= self.is_of_union(&name.to_string());
        }
        visit::visit_expr_field(self, field);
    }

    fn visit_field_pat(&mut self, field: &'ast FieldPat) {
        if let Member::Named(name) = &field.member {
            self.may_be_unsafe |= self.is_of_union(&name.to_string());
        }
        visit::visit_field_pat(self, field);
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        match self.source.macros.get(&macros::key(mac)) {
            Some(arguments) => arguments.iter().for_each(|argument| self.visit_expr(argument)),
            None => self.may_be_unsafe = true,
        }
    }
}

/// The position of the call that is the only expression of a block.
pub(super) fn sole_call(block: Unsafe<'_>) -> Option<(u32, u32)> {
    match &block.block.block.stmts[..] {
        [Stmt::Expr(Expr::Call(call), None)] => Some(place(call.func.span())),
        _ => None,
    }
}

/// Removes the keyword, and the braces as well if they contain one expression and no comment. `statements`: the call in
/// the block that becomes several statements. If its braces are on lines of their own, they are kept for these
/// statements, and the call is returned. Lines that can then move to the left are added to `outdents`.
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
        if !spliced(source, block, edits, outdents) {
            without_keyword(edits);
        }
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

/// Replaces a block that is a statement by its own statements, if none of them binds a name.
fn spliced(source: &Source, block: Unsafe<'_>, edits: &mut Vec<Edit>, outdents: &mut Vec<Edit>) -> bool {
    let is_plain = |statement: &Stmt| matches!(statement, Stmt::Expr(..) | Stmt::Macro(_));
    let ends = |statement: &Stmt| match statement {
        Stmt::Expr(_, semi) => semi.is_some(),
        Stmt::Macro(statement) => statement.semi_token.is_some(),
        Stmt::Local(_) | Stmt::Item(_) => false,
    };
    let stmts = &block.block.block.stmts;
    let (Some(statement), Some(first), Some(last)) = (block.statement, stmts.first(), stmts.last()) else {
        return false;
    };
    let (whole, braces) = (range(statement), &block.block.block.brace_token.span);
    let (open, close) = (bytes(braces.open()), bytes(braces.close()));
    let head = bytes(block.block.unsafe_token.span).end..open.start;
    if !stmts.iter().all(is_plain) || !ends(last) || !block.block.attrs.is_empty() || source.space(head).is_none() {
        return false;
    }
    let line = source.line_start(whole.start);
    let text = &source.text;
    let behind = text[whole.end..].find('\n').map_or(text.len(), |at| whole.end + at + 1);
    let inside = open.end + text[open.end..].find('\n').map_or(0, |at| at + 1);
    if inside <= range(first).start && inside > open.end {
        // The block's statements are on lines of their own.
        let closing = source.line_start(close.start);
        let is_alone = [line..whole.start, open.end..inside, closing..close.start, whole.end..behind];
        if closing < range(last).end || is_alone.into_iter().any(|space| source.space(space).is_none()) {
            return false;
        }
        let width = source.indent(range(first).start).len().saturating_sub(source.indent(whole.start).len());
        outdents.extend(source.outdented(open.end..closing, width));
        edits.push(Edit::delete(line..inside));
        edits.push(Edit::delete(closing..behind));
        return true;
    }
    let (before, after) = (whole.start..range(first).start, range(last).end..whole.end);
    let is_bare = source.space(open.end..before.end).is_some() && source.space(after.start..close.start).is_some();
    if is_bare {
        edits.push(Edit::delete(before));
        edits.push(Edit::delete(after));
    }
    is_bare
}

/// Whether an expression stands between delimiters such as `=`, `(` and `,`, where any expression can stand without
/// parentheses.
fn is_delimited(source: &Source, start: usize, end: usize) -> bool {
    let (before, after) = (source.code(0..start), source.code(end..source.text.len()));
    let before = before.trim_end();
    let is_open =
        before.ends_with(['(', '[', ',', '{', ';', '=']) || before.ends_with("return") || before.ends_with("=>");
    is_open && after.trim_start().starts_with([')', ']', ',', '}', ';'])
}
