//! The way from where an object is made to where it ends or is stored: an `Owned` that the program left on another way would
//! end there, where the pointer ended nothing.

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

/// A place that holds an object, and the expression that takes it from there.
pub(super) struct Way<'w> {
    pub(super) source: &'w Source,
    /// Its text: `self.parser`.
    pub(super) place: &'w str,
    pub(super) is_end: &'w dyn Fn(&Expr) -> bool,
    /// In here there is no object.
    pub(super) none: &'w [Range<usize>],
}

impl Way<'_> {
    /// Whoever runs these statements comes to its end, but where the place holds NULL.
    pub(super) fn is_surely_gone(&self, statements: &[Stmt]) -> bool {
        for statement in statements {
            let ends = match statement {
                Stmt::Local(local) => {
                    let init = local.init.as_ref().filter(|init| init.diverge.is_none() && local.attrs.is_empty());
                    init.is_some_and(|init| self.ends(&init.expr))
                }
                Stmt::Expr(expr, _) => self.ends(expr),
                Stmt::Item(_) | Stmt::Macro(_) => false,
            };
            if ends {
                return true;
            }
            let is_check = matches!(statement, Stmt::Expr(Expr::If(choice), _) if self.is_for(choice, false));
            let mut leaving = Leaving { source: self.source, none: self.none, any: false };
            leaving.visit_stmt(statement);
            if leaving.any && !is_check {
                return false;
            }
        }
        false
    }

    /// The end is in an expression, where nothing decides whether it is come to.
    fn ends(&self, expr: &Expr) -> bool {
        match without_parens(expr) {
            expr if (self.is_end)(expr) => !may_leave(self.source, expr),
            Expr::Unsafe(block) if block.attrs.is_empty() => self.is_surely_gone(&block.block.stmts),
            Expr::Block(block) if block.attrs.is_empty() && block.label.is_none() => {
                self.is_surely_gone(&block.block.stmts)
            }
            Expr::If(choice) if self.is_for(choice, true) => self.is_surely_gone(&choice.then_branch.stmts),
            Expr::Return(returned) => returned.expr.as_ref().is_some_and(|expr| self.ends(expr)),
            Expr::Try(tried) => self.ends(&tried.expr),
            expr if may_leave(self.source, expr) => false,
            Expr::Call(call) => call.args.iter().any(|argument| self.ends(argument)),
            Expr::MethodCall(call) => self.ends(&call.receiver) || call.args.iter().any(|argument| self.ends(argument)),
            Expr::Struct(literal) => {
                literal.fields.iter().any(|field| field.attrs.is_empty() && self.ends(&field.expr))
            }
            Expr::Tuple(tuple) => tuple.elems.iter().any(|element| self.ends(element)),
            _ => false,
        }
    }

    /// `if place.is_null() { … }`, or with a `!`.
    fn is_for(&self, choice: &ExprIf, there: bool) -> bool {
        let asked = match without_parens(&choice.cond) {
            Expr::Unary(not) if there && matches!(not.op, UnOp::Not(_)) => without_parens(&not.expr),
            asked if !there => asked,
            _ => return false,
        };
        let is_asked =
            matches!(asked, Expr::MethodCall(call) if call.method == "is_null" && self.is_place(&call.receiver));
        is_asked && choice.attrs.is_empty() && choice.else_branch.is_none()
    }

    fn is_place(&self, expr: &Expr) -> bool {
        self.source.of(without_parens(expr)).split_whitespace().eq(self.place.split_whitespace())
    }
}

/// Something else than the next statement may come next, but for a panic.
pub(in crate::wrap::sites) fn may_leave(source: &Source, expr: &Expr) -> bool {
    let mut leaving = Leaving { source, none: &[], any: false };
    leaving.visit_expr(expr);
    leaving.any
}

/// The call that a statement ends with, whatever came before.
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

struct Leaving<'s> {
    source: &'s Source,
    none: &'s [Range<usize>],
    any: bool,
}

impl<'ast> Visit<'ast> for Leaving<'_> {
    fn visit_expr(&mut self, expr: &'ast Expr) {
        if self.none.contains(&range(expr)) {
            // What is asked there is asked before.
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
        if !self.none.contains(&range(block)) {
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
