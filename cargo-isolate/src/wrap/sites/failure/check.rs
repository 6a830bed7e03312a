//! Helper functions of the program that turn a status code into a `Result`: `check(code)?`. They are interpreted
//! symbolically, once for each number that matters.

use super::{Reader, value::Numbers, without_parens};
use crate::wrap::sites::{
    argument::words,
    handles::may_leave,
    source::{Source, range},
};
use syn::{
    Arm, Block, Expr, ExprCall, FnArg, Ident, Item, ItemFn, Pat, Stmt,
    visit::{self, Visit},
};

/// Whether an expression is a call `check(value)` of a function in this file that returns `Err` if and only if the
/// value means that the C function failed.
pub(super) fn is_err_if(source: &Source, expr: &Expr, of: &Reader<'_>) -> bool {
    let Expr::Call(call) = without_parens(expr) else { return false };
    let Expr::Path(path) = &*call.func else { return false };
    let Some(name) = path.path.get_ident() else { return false };
    let Some(function) = named(source, name, range(call).start) else { return false };
    let Some(param) = param_of(call, function.sig.inputs.iter(), of) else { return false };
    let is_value = |expr: &Expr| matches!(without_parens(expr), Expr::Path(path) if path.path.is_ident(param));
    let mut numbers = Vec::new();
    let reader = Reader { source: None, failing: of.failing, constants: of.constants, is_value: &is_value };
    InBody { numbers: Numbers { reader: &reader, out: &mut numbers } }.visit_block(&function.block);
    let samples = reader.samples(&[&numbers], |numbers, out| out.extend(numbers.iter()));
    let run = Run { source, reader: &reader, param };
    samples.into_iter().all(|value| match run.block(&function.block, value) {
        End::Err => reader.surely_fails(value),
        End::Ok => !reader.fails(value),
        End::Next | End::Unclear => false,
    })
}

/// The function that a name refers to at a position, if the file declares one function of that name at the top level
/// and uses the name for nothing else.
fn named<'s>(source: &'s Source, name: &Ident, at: usize) -> Option<&'s ItemFn> {
    let mut functions = source.file.items.iter().filter_map(|item| match item {
        Item::Fn(function) if function.sig.ident == *name => Some(function),
        _ => None,
    });
    let (function, None) = (functions.next()?, functions.next()) else { return None };
    let is_in_module = |item: &Item| matches!(item, Item::Mod(_)) && range(item).contains(&at);
    let code = source.code(0..source.text.len());
    let name = name.to_string();
    let mut places = words(&code, &name);
    // The name is called or defined, but neither imported nor bound.
    let is_only_called = places.all(|at| code[at + name.len()..].trim_start().starts_with(['(', '<']));
    let defined = words(&code, &name).filter(|at| code[..*at].trim_end().ends_with("fn")).count();
    (is_only_called && defined == 1 && !source.file.items.iter().any(is_in_module)).then_some(function)
}

/// The parameter that receives the value, if it receives it once and is immutable.
fn param_of<'f>(call: &ExprCall, inputs: impl Iterator<Item = &'f FnArg>, of: &Reader<'_>) -> Option<&'f Ident> {
    let mut given = call.args.iter().zip(inputs).filter(|(argument, _)| (of.is_value)(argument));
    match (given.next()?.1, given.next()) {
        (FnArg::Typed(input), None) => match &*input.pat {
            Pat::Ident(pat) if pat.mutability.is_none() && pat.subpat.is_none() => Some(&pat.ident),
            _ => None,
        },
        _ => None,
    }
}

/// Collects the numbers in a body, including those in patterns.
struct InBody<'r, 'o> {
    numbers: Numbers<'r, 'o>,
}

impl<'ast> Visit<'ast> for InBody<'_, '_> {
    fn visit_expr(&mut self, expr: &'ast Expr) {
        self.numbers.out.extend(self.numbers.reader.constant(expr));
        visit::visit_expr(self, expr);
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        self.numbers.reader.numbers_of(&arm.pat, self.numbers.out);
        visit::visit_arm(self, arm);
    }
}

/// How a piece of code ends.
enum End {
    Ok,
    Err,
    /// Execution continues after it.
    Next,
    Unclear,
}

struct Run<'r> {
    source: &'r Source,
    reader: &'r Reader<'r>,
    param: &'r Ident,
}

impl Run<'_> {
    fn block(&self, block: &Block, value: i128) -> End {
        for statement in &block.stmts {
            let end = match statement {
                Stmt::Expr(expr, semi) => self.expr(expr, value, semi.is_none()),
                Stmt::Local(local) => {
                    let mut binds = Binds { name: self.param, any: false };
                    binds.visit_pat(&local.pat);
                    let is_plain = local
                        .init
                        .as_ref()
                        .is_none_or(|init| init.diverge.is_none() && !may_leave(self.source, &init.expr));
                    if binds.any || !is_plain { End::Unclear } else { End::Next }
                }
                Stmt::Item(_) | Stmt::Macro(_) => End::Unclear,
            };
            if !matches!(end, End::Next) {
                return end;
            }
        }
        End::Next
    }

    /// Interprets an expression for one value of the parameter. `is_value`: its value is what the function returns.
    fn expr(&self, expr: &Expr, value: i128, is_value: bool) -> End {
        match without_parens(expr) {
            Expr::Return(returned) => returned.expr.as_ref().map_or(End::Unclear, |expr| self.expr(expr, value, true)),
            Expr::If(choice) => match (self.reader.truth(&choice.cond, value), &choice.else_branch) {
                (Some(true), _) => self.block(&choice.then_branch, value),
                (Some(false), Some((_, other))) => self.expr(other, value, is_value),
                (Some(false), None) => End::Next,
                (None, _) => End::Unclear,
            },
            Expr::Match(choice) if (self.reader.is_value)(&choice.expr) => {
                for arm in &choice.arms {
                    match self.reader.matches(&arm.pat, value) {
                        Some(true) => return self.expr(&arm.body, value, is_value),
                        Some(false) => {}
                        None => return End::Unclear,
                    }
                }
                End::Unclear
            }
            Expr::Block(block) if block.label.is_none() => self.block(&block.block, value),
            Expr::Unsafe(block) => self.block(&block.block, value),
            Expr::Call(call) if is_value => match &*call.func {
                Expr::Path(path) if path.path.is_ident("Ok") => End::Ok,
                Expr::Path(path) if path.path.is_ident("Err") => End::Err,
                _ => End::Unclear,
            },
            other if is_value || may_leave(self.source, other) => End::Unclear,
            _ => End::Next,
        }
    }
}

struct Binds<'n> {
    name: &'n Ident,
    any: bool,
}

impl<'ast> Visit<'ast> for Binds<'_> {
    fn visit_pat_ident(&mut self, pat: &'ast syn::PatIdent) {
        self.any |= pat.ident == *self.name;
        visit::visit_pat_ident(self, pat);
    }
}
