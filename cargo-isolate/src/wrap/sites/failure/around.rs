//! Where a call stands: in which blocks, and what is executed next.

use crate::wrap::sites::source::range;
use std::ops::Range;
use syn::{
    Block, Expr, Stmt,
    visit::{self, Visit},
};

/// The blocks around a place, from the outside in, each with the index of the statement that holds it.
pub(super) struct Around<'s> {
    at: usize,
    pub(super) blocks: Vec<(&'s Block, usize)>,
    /// What `return` leaves there.
    pub(super) left: Range<usize>,
}

impl<'s> Visit<'s> for Around<'s> {
    fn visit_block(&mut self, block: &'s Block) {
        if let Some(index) = block.stmts.iter().position(|statement| range(statement).contains(&self.at)) {
            self.blocks.push((block, index));
            visit::visit_stmt(self, &block.stmts[index]);
        }
    }

    fn visit_expr(&mut self, expr: &'s Expr) {
        let all = range(expr);
        if matches!(expr, Expr::Closure(_) | Expr::Async(_)) && all.contains(&self.at) {
            self.left = all;
        }
        visit::visit_expr(self, expr);
    }
}

impl<'s> Around<'s> {
    pub(super) fn new(body: &'s Block, at: usize) -> Around<'s> {
        let mut around = Around { at, blocks: Vec::new(), left: range(body) };
        around.visit_block(body);
        around
    }

    /// What is executed after the statement in the block at this depth: behind the block, where it is the last in there.
    pub(super) fn next(&self, depth: usize) -> Option<&'s Stmt> {
        let (block, index) = self.blocks[depth];
        if let Some(next) = block.stmts.get(index + 1) {
            return Some(next);
        }
        let outer = depth.checked_sub(1)?;
        let (parent, index) = self.blocks[outer];
        let is_this = |other: &Block| std::ptr::eq(other, block);
        match &parent.stmts[index] {
            Stmt::Expr(Expr::Block(inner), _) if is_this(&inner.block) => self.next(outer),
            Stmt::Expr(Expr::Unsafe(inner), _) if is_this(&inner.block) => self.next(outer),
            _ => None,
        }
    }
}
