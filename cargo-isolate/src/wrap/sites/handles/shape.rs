//! Syntactic forms of expressions and types around pointers.

use super::At;
use crate::wrap::sites::{
    argument::{self, Pointer, without_parens},
    source::place,
};
use std::collections::BTreeSet;
use syn::{
    Block, Expr, ExprCall, ItemImpl, Stmt, Type,
    spanned::Spanned,
    visit::{self, Visit},
};

pub(super) fn is_null(expr: &Expr) -> bool {
    matches!(argument::pointer(expr), Pointer::Null)
}

/// Strips parentheses and `unsafe` blocks that contain a single expression.
pub(super) fn sole(expr: &Expr) -> &Expr {
    match without_parens(expr) {
        Expr::Unsafe(block) => match &block.block.stmts[..] {
            [Stmt::Expr(inner, None)] => sole(inner),
            _ => expr,
        },
        expr => expr,
    }
}

/// Whether an `impl` is `impl Drop for …`.
pub(super) fn is_drop_impl(item: &ItemImpl) -> bool {
    let of = item.trait_.as_ref().and_then(|(of, _)| of.segments.last());
    of.is_some_and(|last| last.ident == "Drop")
}

/// The name of a type without its references, if it is a single identifier. `Self` resolves to `of`, the self type of
/// the `impl`.
pub(super) fn name_of(ty: &Type, of: Option<&str>) -> Option<String> {
    match ty {
        Type::Reference(reference) => name_of(&reference.elem, of),
        Type::Path(path) => {
            let (1, Some(last)) = (path.path.segments.len(), path.path.segments.last()) else { return None };
            let last = last.ident.to_string();
            if last == "Self" { of.map(str::to_owned) } else { Some(last) }
        }
        _ => None,
    }
}

/// The `NonNull::new(…)` and the call in it, with or without a method after it that handles NULL, such as `expect`.
pub(super) fn in_non_null(value: &Expr) -> Option<(&ExprCall, &ExprCall)> {
    match sole(value) {
        Expr::Try(tried) => in_non_null(&tried.expr),
        Expr::MethodCall(call)
            if ["expect", "unwrap", "ok_or", "ok_or_else"].iter().any(|name| call.method == name) =>
        {
            in_non_null(&call.receiver)
        }
        Expr::Call(new) => {
            let Expr::Path(path) = &*new.func else { return None };
            let names: Vec<_> = path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            let is_new = matches!(&names[..], [.., ty, new] if ty == "NonNull" && new == "new");
            match sole(new.args.first().filter(|_| is_new && new.args.len() == 1)?) {
                Expr::Call(call) => Some((new, call)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Collects calls whose value is discarded: statements of their own, also at the end of blocks whose value is
/// discarded. `is_unit`: the value of the whole block is.
pub(super) fn ignored(block: &Block, is_unit: bool, all: &mut BTreeSet<At>) {
    struct Blocks<'a> {
        all: &'a mut BTreeSet<At>,
    }
    impl Blocks<'_> {
        fn statement(&mut self, expr: &Expr) {
            match without_parens(expr) {
                Expr::Call(call) => drop(self.all.insert(place(call.func.span()))),
                Expr::Unsafe(block) => self.tail(&block.block),
                Expr::Block(block) => self.tail(&block.block),
                Expr::If(choice) => {
                    self.tail(&choice.then_branch);
                    choice.else_branch.iter().for_each(|(_, other)| self.statement(other));
                }
                _ => {}
            }
        }

        fn tail(&mut self, block: &Block) {
            if let Some(Stmt::Expr(expr, None)) = block.stmts.last() {
                self.statement(expr);
            }
        }
    }
    impl<'ast> Visit<'ast> for Blocks<'_> {
        fn visit_block(&mut self, block: &'ast Block) {
            let last = block.stmts.len().saturating_sub(1);
            for (index, statement) in block.stmts.iter().enumerate() {
                if let Stmt::Expr(expr, end) = statement
                    && (end.is_some() || index < last)
                {
                    self.statement(expr);
                }
            }
            visit::visit_block(self, block);
        }
    }
    let mut blocks = Blocks { all };
    blocks.visit_block(block);
    if is_unit {
        blocks.tail(block);
    }
}
