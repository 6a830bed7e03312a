//! The blocks around a call, and what is executed next.

use crate::wrap::sites::source::range;
use std::ops::Range;
use syn::{
    Block, Expr, Stmt,
    visit::{self, Visit},
};

/// The blocks around a position, outermost first, each with the index of the statement that contains it.
pub(super) struct Around<'s> {
    at: usize,
    pub(super) blocks: Vec<(&'s Block, usize)>,
    /// What `return` leaves at that position.
    pub(super) scope: Range<usize>,
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
            self.scope = all;
        }
        visit::visit_expr(self, expr);
    }
}

impl<'s> Around<'s> {
    pub(super) fn new(body: &'s Block, at: usize) -> Around<'s> {
        let mut around = Around { at, blocks: Vec::new(), scope: range(body) };
        around.visit_block(body);
        around
    }

    /// The statement that is executed after the one in the block at this depth. If that was the last of its block, it
    /// is the one after the block.
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
