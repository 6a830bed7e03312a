//! What code does where the function has failed: there, a wrapper has stored nothing, neither in buffers nor behind pointers.

mod check;
mod condition;
mod leaving;

use super::{
    argument::{self, has_word, without_parens},
    finder::Function,
    locals::repeats,
    source::{Source, range},
};
use crate::contract::expr::{Comparison, Condition};
use condition::{and, or};
pub(super) use leaving::leaves;
use leaving::never_comes_back;
use std::{collections::BTreeSet, ops::Range};
use syn::{
    BinOp, Block, Expr, ExprCall, Lit, Pat, Stmt, Token, UnOp,
    punctuated::Punctuated,
    visit::{self, Visit},
};

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
    let at = range(call).start;
    let mut around = Around { at, blocks: Vec::new(), left: range(function.body) };
    around.visit_block(function.body);
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

/// The blocks around a place, from the outside in, each with the index of the statement that holds it.
struct Around<'s> {
    at: usize,
    blocks: Vec<(&'s Block, usize)>,
    /// What `return` leaves there.
    left: Range<usize>,
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
    /// What is executed after the statement in the block at this depth: behind the block, where it is the last in there.
    fn next(&self, depth: usize) -> Option<&'s Stmt> {
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

    /// Something holds for every value that means failure.
    fn all_failures(&self, asked: &[&Expr], holds: impl Fn(i128) -> bool) -> bool {
        self.samples_of(asked).into_iter().filter(|value| self.fails(*value)).all(holds)
    }

    fn samples_of(&self, asked: &[&Expr]) -> BTreeSet<i128> {
        self.samples(asked, |expr, out| {
            let mut numbers = Numbers { reader: self, out };
            numbers.visit_expr(expr);
        })
    }

    /// Every number that comparisons speak of, with its neighbours: between two of them no answer changes.
    fn samples<T>(&self, of: &[&T], numbers: impl Fn(&T, &mut Vec<i128>)) -> BTreeSet<i128> {
        let mut all = vec![i128::from(i64::MIN), i128::from(i64::MAX), 0];
        condition::numbers(self.failing, &mut all);
        of.iter().for_each(|of| numbers(of, &mut all));
        all.into_iter().flat_map(|number| [number - 1, number, number + 1]).collect()
    }

    /// Whether the function may have failed when it returned this.
    fn fails(&self, value: i128) -> bool {
        condition::truth(self.failing, value) != Some(false)
    }

    /// Whether it has when it returned this, whatever else is.
    fn surely_fails(&self, value: i128) -> bool {
        condition::truth(self.failing, value) == Some(true)
    }

    /// Whether a condition holds when the function returned this, as far as it speaks of that.
    fn truth(&self, cond: &Expr, value: i128) -> Option<bool> {
        match cond {
            Expr::Paren(paren) => self.truth(&paren.expr, value),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => {
                self.truth(&unary.expr, value).map(|holds| !holds)
            }
            Expr::Binary(binary) => {
                let truths = || (self.truth(&binary.left, value), self.truth(&binary.right, value));
                let numbers = || Some((self.number(&binary.left, value)?, self.number(&binary.right, value)?));
                let compared = |comparison: Comparison| numbers().map(|(left, right)| comparison.holds(left, right));
                match binary.op {
                    BinOp::And(_) => and(truths()),
                    BinOp::Or(_) => or(truths()),
                    BinOp::Eq(_) => compared(Comparison::Equal),
                    BinOp::Ne(_) => compared(Comparison::NotEqual),
                    BinOp::Lt(_) => compared(Comparison::Below),
                    BinOp::Le(_) => compared(Comparison::AtMost),
                    BinOp::Gt(_) => compared(Comparison::Above),
                    BinOp::Ge(_) => compared(Comparison::AtLeast),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn number(&self, expr: &Expr, value: i128) -> Option<i128> {
        if (self.is_value)(expr) { Some(value) } else { self.constant(expr) }
    }

    fn constant(&self, expr: &Expr) -> Option<i128> {
        match without_parens(expr) {
            Expr::Lit(lit) => match &lit.lit {
                Lit::Int(int) => int.base10_parse().ok(),
                _ => None,
            },
            Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => self.constant(&unary.expr).map(|number| -number),
            Expr::Path(path) => (self.constants)(&path.path.segments.last()?.ident.to_string()).map(i128::from),
            _ => None,
        }
    }

    /// Whether a pattern takes a value; `None` where it is not understood.
    fn matches(&self, pat: &Pat, value: i128) -> Option<bool> {
        match pat {
            Pat::Wild(_) => Some(true),
            Pat::Paren(paren) => self.matches(&paren.pat, value),
            Pat::Or(any) => {
                any.cases.iter().map(|case| self.matches(case, value)).reduce(|one, other| or((one, other)))?
            }
            Pat::Ident(pat) if pat.subpat.is_none() => {
                // A name is a constant's, or a new one for any value.
                match (self.constants)(&pat.ident.to_string()) {
                    Some(constant) => Some(i128::from(constant) == value),
                    None => pat.ident.to_string().starts_with(char::is_lowercase).then_some(true),
                }
            }
            pat => self.constant(&as_expr(pat)?).map(|constant| constant == value),
        }
    }

    fn numbers_of(&self, pat: &Pat, out: &mut Vec<i128>) {
        match pat {
            Pat::Or(any) => any.cases.iter().for_each(|case| self.numbers_of(case, out)),
            Pat::Paren(paren) => self.numbers_of(&paren.pat, out),
            Pat::Ident(pat) => out.extend((self.constants)(&pat.ident.to_string()).map(i128::from)),
            pat => out.extend(as_expr(pat).and_then(|expr| self.constant(&expr))),
        }
    }
}

/// The numbers that an expression speaks of.
struct Numbers<'r, 'o> {
    reader: &'r Reader<'r>,
    out: &'o mut Vec<i128>,
}

impl<'ast> Visit<'ast> for Numbers<'_, '_> {
    fn visit_expr(&mut self, expr: &'ast Expr) {
        self.out.extend(self.reader.constant(expr));
        visit::visit_expr(self, expr);
    }
}

/// A pattern that is an expression, too.
fn as_expr(pat: &Pat) -> Option<Expr> {
    match pat {
        Pat::Lit(lit) => Some(Expr::Lit(lit.clone())),
        Pat::Path(path) => Some(Expr::Path(path.clone())),
        pat => syn::parse2(quote::quote!(#pat)).ok(),
    }
}
