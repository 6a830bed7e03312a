//! What the code after a call does when the function has failed. A wrapper stores nothing then, neither in buffers nor
//! behind pointers.

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

/// Looks up the value of an integer constant by name.
pub(super) type Constants<'c> = &'c dyn Fn(&str) -> Option<i64>;

/// The code after a call, divided by whether the function has failed there.
pub(super) struct Regions {
    /// The code checks for failure at all.
    is_checked: bool,
    /// What `?` and `return` leave: the function, closure or `async` block around the call.
    scope: Range<usize>,
    /// From this byte to the end of `scope`, the function has not failed: a failure would have left.
    ok_from: Option<usize>,
    /// Ranges that run only if the function has not failed.
    ok_within: Vec<Range<usize>>,
    /// Ranges that run only if the function has failed.
    pub(super) failed: Vec<Range<usize>>,
}

/// Analyses the code after a call that fails when `failing` holds. `source`: where helper functions that check the
/// result are looked up.
pub(super) fn regions(
    source: &Source,
    function: &Function<'_>,
    call: &ExprCall,
    failing: &Condition,
    constants: Constants<'_>,
) -> Regions {
    let around = Around::new(function.body, range(call).start);
    let mut regions = Regions {
        is_checked: false,
        scope: around.scope.clone(),
        ok_from: None,
        ok_within: Vec::new(),
        failed: Vec::new(),
    };
    let reader = |is_value| Reader { source: Some(source), failing, constants, is_value };
    // The innermost enclosing statement that is more than the call alone.
    let Some(depth) = around.blocks.iter().rposition(|(block, index)| {
        !matches!(&block.stmts[..], [Stmt::Expr(expr, None)] if is_call(expr, call)) && *index < block.stmts.len()
    }) else {
        return regions;
    };
    let (block, index) = around.blocks[depth];
    let (name, value) = match &block.stmts[index] {
        Stmt::Local(local) => {
            let Some(init) = local.init.as_ref().filter(|init| init.diverge.is_none()) else { return regions };
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
        Stmt::Item(_) | Stmt::Macro(_) => return regions,
    };
    let mut others = Vec::new();
    match name {
        Some(name) if becomes_call(value, call, &mut others) => {
            let is_value = |expr: &Expr| matches!(expr, Expr::Path(path) if path.path.is_ident(name));
            if let Some(next) = around.next(depth) {
                reader(&is_value).statement(next, &mut regions);
            }
            // The other branches run instead of the call. A failed call leaves at the check that follows, so it never
            // gets to them, not even in a later iteration of a loop.
            if regions.ok_from.is_some() {
                regions.ok_within.append(&mut others);
            }
        }
        _ => reader(&|expr| is_call(expr, call)).expr(value, &mut regions),
    }
    regions
}

impl Regions {
    /// Whether `name` may be read although the function has failed. `outlives`: the value is visible to others after
    /// the enclosing function has returned.
    pub(super) fn may_be_read_after_failure(
        &self,
        source: &Source,
        function: &Function<'_>,
        call: &ExprCall,
        (name, outlives): (&str, bool),
    ) -> bool {
        if outlives && !self.is_checked {
            return true;
        }
        let (body, call) = (range(function.body), range(call));
        let again = function.body.stmts.iter().any(|statement| repeats(statement, call.start));
        let is_let = |at: usize| ["let ", "let mut "].iter().any(|word| source.text[..at].ends_with(word));
        words(source, body, name).into_iter().any(|at| {
            let is_behind = at >= call.end || again && !call.contains(&at) && !is_let(at);
            let is_told = match self.ok_from {
                // The next iteration of a loop is reached only after success, too.
                Some(from) => self.scope.contains(&at) && (at >= from || at < call.end),
                None => false,
            };
            is_behind && !is_told && !self.ok_within.iter().any(|range| range.contains(&at))
        })
    }
}

/// The offsets of a word in code, comments excluded.
fn words(source: &Source, stretch: Range<usize>, word: &str) -> Vec<usize> {
    let places = argument::words(&source.text[stretch.clone()], word).map(|at| stretch.start + at);
    places.filter(|at| has_word(&source.code(*at..at + word.len()), word)).collect()
}

/// Whether an expression evaluates to the result of the call whenever the call is executed. The branches that do not
/// execute it are added to `others`.
fn becomes_call(expr: &Expr, call: &ExprCall, others: &mut Vec<Range<usize>>) -> bool {
    if is_call(expr, call) {
        return true;
    }
    let branches: Vec<&Expr> = match without_parens(expr) {
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
    let Some(taken) = branches.iter().position(|branch| becomes_call(branch, call, others)) else { return false };
    others.extend(branches.iter().enumerate().filter(|(at, _)| *at != taken).map(|(_, branch)| range(branch)));
    true
}

/// Whether an expression is nothing but the call.
pub(super) fn is_call(expr: &Expr, call: &ExprCall) -> bool {
    match without_parens(expr) {
        Expr::Call(other) => std::ptr::eq(other, call),
        Expr::Unsafe(block) => matches!(&block.block.stmts[..], [Stmt::Expr(inner, None)] if is_call(inner, call)),
        Expr::Block(block) => matches!(&block.block.stmts[..], [Stmt::Expr(inner, None)] if is_call(inner, call)),
        _ => false,
    }
}

/// Interprets conditions on the value that the function returned.
struct Reader<'r> {
    /// Where helper functions are looked up; `None` while one is being read.
    source: Option<&'r Source>,
    failing: &'r Condition,
    constants: Constants<'r>,
    is_value: &'r dyn Fn(&Expr) -> bool,
}

impl Reader<'_> {
    fn statement(&self, statement: &Stmt, regions: &mut Regions) {
        match statement {
            Stmt::Expr(expr, _) => self.expr(expr, regions),
            Stmt::Local(local) => {
                if let Some(init) = local.init.as_ref().filter(|init| init.diverge.is_none()) {
                    self.expr(&init.expr, regions);
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
                    regions.is_checked = true;
                    regions.ok_from = Some(range(statement).end);
                }
            }
            Stmt::Item(_) => {}
        }
    }

    fn expr(&self, expr: &Expr, regions: &mut Regions) {
        match expr {
            Expr::Try(tried) if self.source.is_some_and(|source| check::is_err_if(source, &tried.expr, self)) => {
                regions.is_checked = true;
                regions.ok_from = Some(range(tried).end);
                regions.failed.push(range(tried));
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
                regions.failed.extend(is_failed.then(|| range(&choice.then_branch)));
                if let Some((_, other)) = choice.else_branch.as_ref().filter(|_| is_else_failed) {
                    regions.failed.push(range(other));
                }
                if self.all_failures(&cond, |value| self.truth(cond[0], value) == Some(true)) {
                    regions.is_checked = true;
                    regions.ok_within.extend(choice.else_branch.iter().map(|(_, other)| range(other)));
                    if leaves(&choice.then_branch) {
                        regions.ok_from = Some(range(&choice.then_branch).end);
                    }
                } else if self.all_failures(&cond, |value| self.truth(cond[0], value) == Some(false)) {
                    regions.is_checked = true;
                    regions.ok_within.push(range(&choice.then_branch));
                    if choice.else_branch.as_ref().is_some_and(|(_, other)| never_comes_back(other)) {
                        regions.ok_from = Some(range(choice).end);
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
                        regions.is_checked = true;
                        regions.ok_within.push(range(&arm.body));
                    }
                    if taken.iter().all(|value| self.surely_fails(*value)) {
                        regions.failed.push(range(&arm.body));
                    }
                    left.retain(|value| self.matches(&arm.pat, *value) != Some(true));
                }
                if all_leave && regions.is_checked {
                    regions.ok_from = Some(range(choice).end);
                }
            }
            _ => {}
        }
    }
}
