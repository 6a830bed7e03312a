//! A `Vec` with spare capacity whose length is set only after the function has filled it. In safe code it is filled
//! with zeros at first, and truncated where its length was set.

use super::{Call, buffer::element};
use crate::{
    contract::{
        Contract, Dir,
        number::{Class, Number},
    },
    wrap::sites::{
        argument::{self, Pointer},
        handles::At,
        holds::{Holds, argument_of},
        locals,
        source::{Edit, place, range},
    },
};
use std::ops::Range;
use syn::{
    Block, Expr, ExprMethodCall, Local, Stmt, Type,
    visit::{self, Visit},
};

/// The rewrite of such a `Vec`.
pub(super) struct SpareCapacity<'c> {
    local: &'c Local,
    capacity: &'c Expr,
    set_len: &'c ExprMethodCall,
    zero: String,
    /// Calls of `capacity()` before the call, which become `len()`.
    capacity_calls: Vec<Range<usize>>,
}

impl<'c> Call<'c> {
    /// Recognises the argument at `index` as `out.as_mut_ptr()` of a `let mut out = Vec::with_capacity(n)` whose
    /// contents nothing reads before `out.set_len(…)`.
    pub(super) fn spare_capacity(&self, index: usize) -> Option<SpareCapacity<'c>> {
        let param = &self.params()[index];
        let Contract::Buf { dir: Dir::Out, .. } = param.decision.contract()? else { return None };
        let Pointer::Into { of, start: None, .. } = argument::pointer(self.argument(index)?) else { return None };
        let (Expr::Path(path), Some(function)) = (of, self.found.function) else { return None };
        let name = path.path.get_ident().filter(|_| matches!(self.holds(of), Holds::Vec { .. }))?.to_string();
        let call = range(self.found.call);
        let local = locals::once_let(&function, &name, call.start)?;
        let (capacity, of) = with_capacity(&local.init.as_ref().filter(|init| init.diverge.is_none())?.expr)?;
        let number = Number::named(&element(param)?)?;
        let zero = if number.class == Class::Float { "0.0" } else { "0" };
        let zero = match of.map(|of| self.source.of(of)) {
            // Only names of Rust's own numeric types are suffixes of literals.
            Some(of) if Number::named(of).is_none_or(|number| number.is_of_ffi() || number.name != of) => return None,
            of => format!("{zero}{}", of.unwrap_or_default()),
        };
        let mut search = SetLen { name: &name, reach: None, found: Vec::new() };
        search.visit_block(function.body);
        let [(set_len, reach)] = &search.found[..] else { return None };
        let set_at = range(*set_len);
        let again = function.body.stmts.iter().any(|statement| locals::repeats(statement, set_at.start));
        if again || set_at.start < call.end || call.start < range(local).end {
            return None;
        }
        let mut capacity_calls = Vec::new();
        let body = range(function.body);
        for at in argument::words(&self.source.text[body.clone()], &name).map(|at| body.start + at) {
            let is_behind = at >= set_at.end && reach.contains(&at);
            // The call passes the length, not the capacity.
            let is_length = self.source.text[at + name.len()..].starts_with(".len()");
            if call.contains(&at) && is_length {
                return None;
            }
            if range(local).contains(&at) || call.contains(&at) || set_at.contains(&at) || is_behind {
                continue;
            }
            let end = at + name.len();
            if !self.source.text[end..].starts_with(".capacity()") || at > call.start {
                return None;
            }
            capacity_calls.push(end + 1..end + ".capacity".len());
        }
        // The argument of `set_len` must not depend on the `Vec`.
        let is_plain = set_len.args.first().is_some_and(|len| !argument::mentions(self.source, len, &set_len.receiver));
        is_plain.then_some(SpareCapacity { local, capacity, set_len, zero, capacity_calls })
    }
}

impl SpareCapacity<'_> {
    /// Whether a length in the call is the whole capacity.
    pub(super) fn is_length(&self, call: &Call<'_>, length: &Expr) -> bool {
        let is_capacity = matches!(argument::without_parens(length), Expr::MethodCall(inner)
            if inner.method == "capacity" && argument::same(call.source, &inner.receiver, &self.set_len.receiver));
        // The capacity's expression still has the same value if none of its names is used in between.
        let between = call.source.code(range(self.local).end..range(call.found.call).start);
        let words = call.source.code(range(self.capacity));
        let words = words.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        let is_same = !words.into_iter().any(|word| argument::has_word(&between, word));
        let capacity = argument::length(self.capacity).filter(|_| is_same);
        is_capacity || capacity.is_some_and(|capacity| argument::same(call.source, length, capacity))
    }

    /// The position of `set_len`, whose replacement is safe.
    pub(super) fn set_len(&self) -> At {
        place(self.set_len.method.span())
    }

    /// Writes `vec![0; n]`, and `truncate` for `set_len`.
    pub(super) fn edits(&self) -> Vec<Edit> {
        let init = self.local.init.as_ref().map(|init| range(&init.expr)).unwrap_or_default();
        let capacity = range(self.capacity);
        let mut edits = vec![
            Edit::new(init.start..capacity.start, format!("vec![{}; ", self.zero)),
            Edit::new(capacity.end..init.end, "]"),
            Edit::new(range(&self.set_len.method), "truncate"),
        ];
        edits.extend(self.capacity_calls.iter().map(|call| Edit::new(call.clone(), "len")));
        edits
    }
}

/// `n` and `T` of `Vec::<T>::with_capacity(n)`.
fn with_capacity(value: &Expr) -> Option<(&Expr, Option<&Type>)> {
    let Expr::Call(call) = argument::without_parens(value) else { return None };
    let Expr::Path(path) = &*call.func else { return None };
    let mut segments = path.path.segments.iter().rev();
    let (Some(last), Some(vec)) = (segments.next(), segments.next()) else { return None };
    let of = argument_of(&vec.arguments);
    let is_it = vec.ident == "Vec" && last.ident == "with_capacity" && call.args.len() == 1;
    is_it.then(|| (&call.args[0], of.filter(|of| !matches!(of, Type::Infer(_)))))
}

/// Finds statements `name.set_len(…)`, each with the range of code after it that can be reached only through it.
struct SetLen<'n, 's> {
    name: &'n str,
    /// The range of the enclosing block, if the next block is an unconditional statement of it.
    reach: Option<Range<usize>>,
    found: Vec<(&'s ExprMethodCall, Range<usize>)>,
}

impl<'s> Visit<'s> for SetLen<'_, 's> {
    fn visit_block(&mut self, block: &'s Block) {
        let reach = self.reach.take().unwrap_or_else(|| range(block));
        for statement in &block.stmts {
            let value = match statement {
                Stmt::Local(local) => local.init.as_ref().filter(|init| init.diverge.is_none()).map(|init| &*init.expr),
                Stmt::Expr(expr, _) => Some(expr),
                Stmt::Item(_) | Stmt::Macro(_) => None,
            };
            match value {
                Some(Expr::MethodCall(call))
                    if call.method == "set_len"
                        && matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident(self.name)) =>
                {
                    self.found.push((call, reach.clone()));
                }
                Some(Expr::Unsafe(inner)) if inner.attrs.is_empty() => {
                    self.reach = Some(reach.clone());
                    self.visit_block(&inner.block);
                }
                Some(Expr::Block(inner)) if inner.attrs.is_empty() && inner.label.is_none() => {
                    self.reach = Some(reach.clone());
                    self.visit_block(&inner.block);
                }
                _ => visit::visit_stmt(self, statement),
            }
        }
    }
}
