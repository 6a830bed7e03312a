//! Whether every path from the creation of an object reaches the point that destroys or stores it. On any other path an
//! `Owned` would be dropped and destroy the object, where the raw pointer did nothing.

use crate::wrap::sites::{
    argument::without_parens,
    macros,
    source::{Source, range},
};
use std::ops::Range;
use syn::{
    Block, Expr, ExprIf, Macro, Stmt, UnOp,
    visit::{self, Visit},
};

/// The analysis for one place that holds an object.
pub(super) struct MustEnd<'a> {
    pub(super) source: &'a Source,
    /// The text of the place: `self.parser`.
    pub(super) place: &'a str,
    pub(super) is_end: &'a dyn Fn(&Expr) -> bool,
    /// Code in which the place holds no object.
    pub(super) absent: &'a [Range<usize>],
}

impl MustEnd<'_> {
    /// Whether every path through these statements reaches the end of the object, apart from those on which the place
    /// holds NULL.
    pub(super) fn is_on_every_path(&self, statements: &[Stmt]) -> bool {
        for statement in statements {
            let ends = match statement {
                Stmt::Local(local) => {
                    let init = local.init.as_ref().filter(|init| init.diverge.is_none() && local.attrs.is_empty());
                    init.is_some_and(|init| self.reaches_end(&init.expr))
                }
                Stmt::Expr(expr, _) => self.reaches_end(expr),
                Stmt::Item(_) | Stmt::Macro(_) => false,
            };
            if ends {
                return true;
            }
            let is_check = matches!(statement, Stmt::Expr(Expr::If(choice), _) if self.is_null_check(choice, false));
            let mut exits = Exits { source: self.source, absent: self.absent, any: false };
            exits.visit_stmt(statement);
            if exits.any && !is_check {
                return false;
            }
        }
        false
    }

    /// Whether evaluating an expression always reaches the end of the object.
    fn reaches_end(&self, expr: &Expr) -> bool {
        match without_parens(expr) {
            expr if (self.is_end)(expr) => !may_leave(self.source, expr),
            Expr::Unsafe(block) if block.attrs.is_empty() => self.is_on_every_path(&block.block.stmts),
            Expr::Block(block) if block.attrs.is_empty() && block.label.is_none() => {
                self.is_on_every_path(&block.block.stmts)
            }
            Expr::If(choice) if self.is_null_check(choice, true) => self.is_on_every_path(&choice.then_branch.stmts),
            Expr::Return(returned) => returned.expr.as_ref().is_some_and(|expr| self.reaches_end(expr)),
            Expr::Try(tried) => self.reaches_end(&tried.expr),
            expr if may_leave(self.source, expr) => false,
            Expr::Call(call) => call.args.iter().any(|argument| self.reaches_end(argument)),
            Expr::MethodCall(call) => {
                self.reaches_end(&call.receiver) || call.args.iter().any(|argument| self.reaches_end(argument))
            }
            Expr::Struct(literal) => {
                literal.fields.iter().any(|field| field.attrs.is_empty() && self.reaches_end(&field.expr))
            }
            Expr::Tuple(tuple) => tuple.elems.iter().any(|element| self.reaches_end(element)),
            _ => false,
        }
    }

    /// Whether an `if` is `if place.is_null() { … }`, or with a `!` if the object is `there`.
    fn is_null_check(&self, choice: &ExprIf, there: bool) -> bool {
        let condition = match without_parens(&choice.cond) {
            Expr::Unary(not) if there && matches!(not.op, UnOp::Not(_)) => without_parens(&not.expr),
            condition if !there => condition,
            _ => return false,
        };
        let checks_place =
            matches!(condition, Expr::MethodCall(call) if call.method == "is_null" && self.is_place(&call.receiver));
        checks_place && choice.attrs.is_empty() && choice.else_branch.is_none()
    }

    fn is_place(&self, expr: &Expr) -> bool {
        self.source.of(without_parens(expr)).split_whitespace().eq(self.place.split_whitespace())
    }
}

/// Whether an expression may transfer control elsewhere, other than by a panic.
pub(in crate::wrap::sites) fn may_leave(source: &Source, expr: &Expr) -> bool {
    let mut exits = Exits { source, absent: &[], any: false };
    exits.visit_expr(expr);
    exits.any
}

/// The call that a statement evaluates last.
pub(super) fn last_call(statement: &Stmt) -> Option<&syn::ExprCall> {
    fn of_block(block: &Block) -> Option<&syn::ExprCall> {
        block.stmts.last().and_then(last_call)
    }
    fn of(expr: &Expr) -> Option<&syn::ExprCall> {
        match without_parens(expr) {
            Expr::Call(call) => Some(call),
            Expr::Unsafe(block) => of_block(&block.block),
            Expr::Block(block) => of_block(&block.block),
            _ => None,
        }
    }
    match statement {
        Stmt::Local(local) => of(&local.init.as_ref()?.expr),
        Stmt::Expr(expr, _) => of(expr),
        Stmt::Item(_) | Stmt::Macro(_) => None,
    }
}

struct Exits<'s> {
    source: &'s Source,
    absent: &'s [Range<usize>],
    any: bool,
}

impl<'ast> Visit<'ast> for Exits<'_> {
    fn visit_expr(&mut self, expr: &'ast Expr) {
        if self.absent.contains(&range(expr)) {
            // The operand of `?` is evaluated before the failure is known.
            if let Expr::Try(tried) = expr {
                self.visit_expr(&tried.expr);
            }
            return;
        }
        self.any |= matches!(
            expr,
            Expr::Return(_) | Expr::Try(_) | Expr::Break(_) | Expr::Continue(_) | Expr::Await(_) | Expr::Yield(_)
        );
        visit::visit_expr(self, expr);
    }

    fn visit_block(&mut self, block: &'ast Block) {
        if !self.absent.contains(&range(block)) {
            visit::visit_block(self, block);
        }
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        let arguments = self.source.macros.get(&macros::key(mac));
        self.any |= match arguments {
            Some(arguments) => arguments.iter().any(|argument| may_leave(self.source, argument)),
            None => true,
        };
    }
}
