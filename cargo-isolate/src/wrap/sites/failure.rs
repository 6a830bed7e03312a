//! What code does where the function has failed: there, a wrapper has stored nothing, neither in buffers nor behind pointers.

mod around;
mod check;
mod condition;
mod leaving;
mod value;

use super::{
    argument::{self, has_word, without_parens},
    finder::Function,
    locals::repeats,
    source::{Source, range},
};
use crate::contract::expr::Condition;
use around::Around;
pub(super) use leaving::leaves;
use leaving::never_comes_back;
use std::{collections::BTreeSet, ops::Range};
use syn::{Expr, ExprCall, Pat, Stmt, Token, punctuated::Punctuated};

/// The value of an integer constant, where one is known by that name.
pub(super) type Constants<'c> = &'c dyn Fn(&str) -> Option<i64>;

/// How the code behind a call tells success from failure.
pub(super) struct Told {
    /// It does.
    any: bool,
    /// What `?` and `return` leave: the function, or the closure or the `async` block around the call.
    left: Range<usize>,
    /// From here on, as far as `left` goes, the function has not failed: where it had, that was left.
    from: Option<usize>,
    /// Nor has it in here.
    within: Vec<Range<usize>>,
    /// In here it has, and nowhere else is the way there.
    pub(super) failed: Vec<Range<usize>>,
}

/// Reads what follows a call that fails where `failing` says. `source`: where the functions are that may be asked.
pub(super) fn told(
    source: &Source,
    function: &Function<'_>,
    call: &ExprCall,
    failing: &Condition,
    constants: Constants<'_>,
) -> Told {
    let around = Around::new(function.body, range(call).start);
    let mut told = Told { any: false, left: around.left.clone(), from: None, within: Vec::new(), failed: Vec::new() };
    let reader = |is_value| Reader { source: Some(source), failing, constants, is_value };
    // The innermost statement that is more than the call alone.
    let Some(depth) = around.blocks.iter().rposition(|(block, index)| {
        !matches!(&block.stmts[..], [Stmt::Expr(expr, None)] if is_call(expr, call)) && *index < block.stmts.len()
    }) else {
        return told;
    };
    let (block, index) = around.blocks[depth];
    let (name, value) = match &block.stmts[index] {
        Stmt::Local(local) => {
            let Some(init) = local.init.as_ref().filter(|init| init.diverge.is_none()) else { return told };
            let pat = match &local.pat {
                Pat::Type(typed) => &*typed.pat,
                pat => pat,
            };
            match pat {
                Pat::Ident(name) => (Some(&name.ident), &*init.expr),
                _ => (None, &*init.expr),
            }
        }
        Stmt::Expr(Expr::Assign(assign), _) => match &*assign.left {
            Expr::Path(path) => (path.path.get_ident(), &*assign.right),
            _ => (None, &*assign.right),
        },
        Stmt::Expr(expr, _) => (None, expr),
        Stmt::Item(_) | Stmt::Macro(_) => return told,
    };
    let mut others = Vec::new();
    match name {
        Some(name) if becomes_call(value, call, &mut others) => {
            let is_value = |expr: &Expr| matches!(expr, Expr::Path(path) if path.path.is_ident(name));
            if let Some(next) = around.next(depth) {
                reader(&is_value).statement(next, &mut told);
            }
            // The ways that were not taken to a value that is looked at before they can be.
            if told.from.is_some() {
                told.within.append(&mut others);
            }
        }
        _ => reader(&|expr| is_call(expr, call)).expr(value, &mut told),
    }
    told
}

impl Told {
    /// Whether `name` may be looked at although the function has failed. `outlives`: others see it, too, when the function
    /// around the call is over.
    pub(super) fn looked_at(
        &self,
        source: &Source,
        function: &Function<'_>,
        call: &ExprCall,
        (name, outlives): (&str, bool),
    ) -> bool {
        if outlives && !self.any {
            return true;
        }
        let (body, call) = (range(function.body), range(call));
        let again = function.body.stmts.iter().any(|statement| repeats(statement, call.start));
        let is_let = |at: usize| ["let ", "let mut "].iter().any(|word| source.text[..at].ends_with(word));
        words(source, body, name).into_iter().any(|at| {
            let is_behind = at >= call.end || again && !call.contains(&at) && !is_let(at);
            let is_told = match self.from {
                // In the next turn of a loop, too, it had not failed.
                Some(from) => self.left.contains(&at) && (at >= from || at < call.end),
                None => false,
            };
            is_behind && !is_told && !self.within.iter().any(|within| within.contains(&at))
        })
    }
}

/// Where a word stands in code.
fn words(source: &Source, stretch: Range<usize>, word: &str) -> Vec<usize> {
    let places = argument::words(&source.text[stretch.clone()], word).map(|at| stretch.start + at);
    places.filter(|at| has_word(&source.code(*at..at + word.len()), word)).collect()
}

/// An expression is the call's value wherever the call is executed; `others` are the ways to its value past the call.
fn becomes_call(expr: &Expr, call: &ExprCall, others: &mut Vec<Range<usize>>) -> bool {
    if is_call(expr, call) {
        return true;
    }
    let ways: Vec<&Expr> = match without_parens(expr) {
        Expr::Match(choice) => choice.arms.iter().map(|arm| &*arm.body).collect(),
        Expr::If(choice) => {
            let [Stmt::Expr(then, None)] = &choice.then_branch.stmts[..] else { return false };
            choice.else_branch.iter().map(|(_, other)| &**other).chain([then]).collect()
        }
        Expr::Block(block) => match &block.block.stmts[..] {
            [Stmt::Expr(inner, None)] => vec![inner],
            _ => return false,
        },
        _ => return false,
    };
    let Some(taken) = ways.iter().position(|way| becomes_call(way, call, others)) else { return false };
    others.extend(ways.iter().enumerate().filter(|(at, _)| *at != taken).map(|(_, way)| range(way)));
    true
}

/// An expression is nothing but the call.
pub(super) fn is_call(expr: &Expr, call: &ExprCall) -> bool {
    match without_parens(expr) {
        Expr::Call(other) => std::ptr::eq(other, call),
        Expr::Unsafe(block) => matches!(&block.block.stmts[..], [Stmt::Expr(inner, None)] if is_call(inner, call)),
        Expr::Block(block) => matches!(&block.block.stmts[..], [Stmt::Expr(inner, None)] if is_call(inner, call)),
        _ => false,
    }
}

/// Reads what is asked of what the function returned.
struct Reader<'r> {
    /// The functions in here are read, too.
    source: Option<&'r Source>,
    failing: &'r Condition,
    constants: Constants<'r>,
    is_value: &'r dyn Fn(&Expr) -> bool,
}

impl Reader<'_> {
    fn statement(&self, statement: &Stmt, told: &mut Told) {
        match statement {
            Stmt::Expr(expr, _) => self.expr(expr, told),
            Stmt::Local(local) => {
                if let Some(init) = local.init.as_ref().filter(|init| init.diverge.is_none()) {
                    self.expr(&init.expr, told);
                }
            }
            Stmt::Macro(statement) => {
                let parsed = statement.mac.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
                let (Some(name), Ok(args)) = (statement.mac.path.segments.last(), parsed) else { return };
                let args: Vec<&Expr> = args.iter().collect();
                let holds = |value| match (&*name.ident.to_string(), &args[..]) {
                    ("assert", [cond, ..]) => self.truth(cond, value),
                    ("assert_eq", [left, right, ..]) => Some(self.number(left, value)? == self.number(right, value)?),
                    ("assert_ne", [left, right, ..]) => Some(self.number(left, value)? != self.number(right, value)?),
                    _ => None,
                };
                if self.all_failures(&args, |value| holds(value) == Some(false)) {
                    told.any = true;
                    told.from = Some(range(statement).end);
                }
            }
            Stmt::Item(_) => {}
        }
    }

    fn expr(&self, expr: &Expr, told: &mut Told) {
        match expr {
            Expr::Try(tried) if self.source.is_some_and(|source| check::is_err_if(source, &tried.expr, self)) => {
                told.any = true;
                told.from = Some(range(tried).end);
                told.failed.push(range(tried));
            }
            Expr::If(choice) => {
                let cond = [&*choice.cond];
                let (mut is_failed, mut is_else_failed) = (true, choice.else_branch.is_some());
                for value in self.samples_of(&cond) {
                    match self.truth(cond[0], value) {
                        Some(true) => is_failed &= self.surely_fails(value),
                        Some(false) => is_else_failed &= self.surely_fails(value),
                        None => (is_failed, is_else_failed) = (false, false),
                    }
                }
                told.failed.extend(is_failed.then(|| range(&choice.then_branch)));
                if let Some((_, other)) = choice.else_branch.as_ref().filter(|_| is_else_failed) {
                    told.failed.push(range(other));
                }
                if self.all_failures(&cond, |value| self.truth(cond[0], value) == Some(true)) {
                    told.any = true;
                    told.within.extend(choice.else_branch.iter().map(|(_, other)| range(other)));
                    if leaves(&choice.then_branch) {
                        told.from = Some(range(&choice.then_branch).end);
                    }
                } else if self.all_failures(&cond, |value| self.truth(cond[0], value) == Some(false)) {
                    told.any = true;
                    told.within.push(range(&choice.then_branch));
                    if choice.else_branch.as_ref().is_some_and(|(_, other)| never_comes_back(other)) {
                        told.from = Some(range(choice).end);
                    }
                }
            }
            Expr::Match(choice) if (self.is_value)(&choice.expr) => {
                let pats: Vec<_> = choice.arms.iter().map(|arm| &arm.pat).collect();
                let samples = self.samples(&pats, |pat, out| self.numbers_of(pat, out));
                let mut left: BTreeSet<i128> = samples;
                let mut all_leave = true;
                for arm in &choice.arms {
                    let taken: BTreeSet<_> =
                        left.iter().copied().filter(|value| self.matches(&arm.pat, *value) != Some(false)).collect();
                    if taken.iter().any(|value| self.fails(*value)) {
                        all_leave &= never_comes_back(&arm.body);
                    } else {
                        told.any = true;
                        told.within.push(range(&arm.body));
                    }
                    if taken.iter().all(|value| self.surely_fails(*value)) {
                        told.failed.push(range(&arm.body));
                    }
                    left.retain(|value| self.matches(&arm.pat, *value) != Some(true));
                }
                if all_leave && told.any {
                    told.from = Some(range(choice).end);
                }
            }
            _ => {}
        }
    }
}
