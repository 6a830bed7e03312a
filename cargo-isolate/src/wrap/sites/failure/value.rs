//! Evaluates the conditions in code on the value that the function returned, for values that mean failure and others.

use super::{
    Reader,
    condition::{self, and, or},
};
use crate::{contract::expr::Comparison, wrap::sites::argument::without_parens};
use std::collections::BTreeSet;
use syn::{
    BinOp, Expr, Lit, Pat, UnOp,
    visit::{self, Visit},
};

impl Reader<'_> {
    /// Whether `holds` is true for every value that means failure.
    pub(super) fn all_failures(&self, asked: &[&Expr], holds: impl Fn(i128) -> bool) -> bool {
        self.samples_of(asked).into_iter().filter(|value| self.fails(*value)).all(holds)
    }

    pub(super) fn samples_of(&self, asked: &[&Expr]) -> BTreeSet<i128> {
        self.samples(asked, |expr, out| {
            let mut numbers = Numbers { reader: self, out };
            numbers.visit_expr(expr);
        })
    }

    /// Every number that a comparison mentions, with its neighbours. No comparison changes its result between two of
    /// them.
    pub(super) fn samples<T>(&self, of: &[&T], numbers: impl Fn(&T, &mut Vec<i128>)) -> BTreeSet<i128> {
        let mut all = vec![i128::from(i64::MIN), i128::from(i64::MAX), 0];
        condition::numbers(self.failing, &mut all);
        of.iter().for_each(|of| numbers(of, &mut all));
        all.into_iter().flat_map(|number| [number - 1, number, number + 1]).collect()
    }

    /// Whether the function may have failed when it returned this value.
    pub(super) fn fails(&self, value: i128) -> bool {
        condition::truth(self.failing, value) != Some(false)
    }

    /// Whether the function has certainly failed when it returned this value.
    pub(super) fn surely_fails(&self, value: i128) -> bool {
        condition::truth(self.failing, value) == Some(true)
    }

    /// Whether a condition holds when the function returned this value; `None` if it depends on anything else.
    pub(super) fn truth(&self, cond: &Expr, value: i128) -> Option<bool> {
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

    pub(super) fn number(&self, expr: &Expr, value: i128) -> Option<i128> {
        if (self.is_value)(expr) { Some(value) } else { self.constant(expr) }
    }

    pub(super) fn constant(&self, expr: &Expr) -> Option<i128> {
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

    /// Whether a pattern matches a value; `None` if the pattern is not understood.
    pub(super) fn matches(&self, pat: &Pat, value: i128) -> Option<bool> {
        match pat {
            Pat::Wild(_) => Some(true),
            Pat::Paren(paren) => self.matches(&paren.pat, value),
            Pat::Or(any) => {
                any.cases.iter().map(|case| self.matches(case, value)).reduce(|one, other| or((one, other)))?
            }
            Pat::Ident(pat) if pat.subpat.is_none() => {
                // An identifier is a constant or a new binding, which matches any value.
                match (self.constants)(&pat.ident.to_string()) {
                    Some(constant) => Some(i128::from(constant) == value),
                    None => pat.ident.to_string().starts_with(char::is_lowercase).then_some(true),
                }
            }
            pat => self.constant(&as_expr(pat)?).map(|constant| constant == value),
        }
    }

    pub(super) fn numbers_of(&self, pat: &Pat, out: &mut Vec<i128>) {
        match pat {
            Pat::Or(any) => any.cases.iter().for_each(|case| self.numbers_of(case, out)),
            Pat::Paren(paren) => self.numbers_of(&paren.pat, out),
            Pat::Ident(pat) => out.extend((self.constants)(&pat.ident.to_string()).map(i128::from)),
            pat => out.extend(as_expr(pat).and_then(|expr| self.constant(&expr))),
        }
    }
}

/// Collects the numbers in an expression.
pub(super) struct Numbers<'r, 'o> {
    pub(super) reader: &'r Reader<'r>,
    pub(super) out: &'o mut Vec<i128>,
}

impl<'ast> Visit<'ast> for Numbers<'_, '_> {
    fn visit_expr(&mut self, expr: &'ast Expr) {
        self.out.extend(self.reader.constant(expr));
        visit::visit_expr(self, expr);
    }
}

/// A pattern as the expression with the same text, if there is one.
fn as_expr(pat: &Pat) -> Option<Expr> {
    match pat {
        Pat::Lit(lit) => Some(Expr::Lit(lit.clone())),
        Pat::Path(path) => Some(Expr::Path(path.clone())),
        pat => syn::parse2(quote::quote!(#pat)).ok(),
    }
}
