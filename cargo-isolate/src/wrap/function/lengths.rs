//! Lengths: who tells them, how they are checked before the call and counted after it.

use super::{
    ParamPlan, Phase, Writer, contract,
    words::{joined, snake},
};
use crate::{
    contract::{
        Contract, Dir,
        expr::{Expr, Op},
    },
    plan::Role,
};

/// What a number of the library is taken for.
#[derive(Clone, Copy)]
pub(super) enum Claim {
    /// How much there is: nothing, where it is negative, and never more than there is room for.
    Count,
    /// What slices will be held against: where it is no length, it must not become one that any slice has.
    Length,
}

impl<'w> Writer<'w, '_> {
    /// How long slices are that share one length: as the first that must be there, or else the longest that is.
    pub(super) fn shared_length(&mut self, slices: &[String]) -> String {
        let mut told = self.length_of(slices);
        let teller = slices.iter().position(|slice| !self.is_optional(slice));
        if teller.is_none() && slices.len() > 1 {
            let longest = self.fresh("longest");
            self.step(format!("let {longest} = {told};"));
            told = longest;
        }
        for (index, slice) in slices.iter().enumerate() {
            if Some(index) == teller || slices.len() == 1 {
                continue;
            }
            self.holds_lengths = true;
            let local = self.local(slice);
            self.step(match self.is_optional(slice) {
                // Where there is none, C gets NULL: the others are as long as ever.
                true => format!("if let Some({local}) = &{local} {{ call.covers({told} as i128, {local}.len())?; }}"),
                false => format!("call.covers({told} as i128, {local}.len())?;"),
            });
        }
        told
    }

    /// The length that slices share.
    fn length_of(&self, slices: &[String]) -> String {
        match slices.iter().find(|slice| !self.is_optional(slice)) {
            Some(slice) => self.slice_len(slice),
            None => longest(slices.iter().map(|slice| self.slice_len(slice))),
        }
    }

    /// A slice that the wrapper's caller need not pass.
    pub(super) fn is_optional(&self, slice: &str) -> bool {
        let contract = self.param(slice).map(contract);
        matches!(contract, Some(Contract::Buf { nullable: true, .. } | Contract::Array { nullable: true, .. }))
    }

    /// The slice must be as long as the function is told, unless it is the slice that tells. Gives the checked length.
    pub(super) fn check_length(&mut self, local: &str, len: &Expr, name: &str) -> Option<String> {
        let hidden = self.function.params.iter().any(|param| match (&param.role, len) {
            (Role::LengthOf(slices), Expr::Name(length)) => param.name == *length && slices.iter().any(|s| s == name),
            (Role::CellOf(slices), Expr::Deref(length)) => param.name == *length && slices.iter().any(|s| s == name),
            _ => false,
        });
        if hidden || matches!(len, Expr::Int(_) | Expr::End(_)) {
            return None;
        }
        self.holds_lengths = true;
        let have = self.slice_len(name);
        if let Expr::Bound { object, name } = len {
            let need = self.bound(object, name);
            self.step(format!("call.covers({need} as i128, {have})?;"));
            return Some(need);
        }
        let need = self.before(len);
        let need_var = match self.taken.contains(&need) {
            true => need, // a quotient, and nothing else
            false => {
                let need_var = self.fresh(&joined(local, "need"));
                self.step(format!("let {need_var} = {need};"));
                need_var
            }
        };
        self.step(format!("call.covers({need_var}, {have})?;"));
        Some(need_var)
    }

    /// An expression after the call, as a `usize`.
    pub(super) fn count(&mut self, expr: &Expr, claim: Claim, phase: Phase) -> String {
        let number = match expr {
            Expr::Int(value) => return value.to_string(),
            Expr::Ret => "ret".to_owned(),
            Expr::Deref(name) if let Some(told) = self.told(name) => told,
            Expr::Call(call) => self.ask(call, phase),
            expr => self.after_call(expr, phase),
        };
        match claim {
            Claim::Count => format!("call.count({number})"),
            Claim::Length => format!("call.told({number})?"),
        }
    }

    /// An expression before the call.
    pub(super) fn before(&mut self, expr: &Expr) -> String {
        self.look_up(expr);
        let (wide, quotients) = self.wide(expr, false, Vec::new());
        quotients.into_iter().for_each(|statement| self.step(statement));
        wide
    }

    /// The local with a length that was told of an object before.
    fn bound(&mut self, object: &str, name: &str) -> String {
        let key = (object.to_owned(), name.to_owned());
        if let Some(local) = self.bound.get(&key) {
            return local.clone();
        }
        let owner = self.local(object);
        let local = self.fresh(&joined(&owner, name));
        self.step(format!("let {local} = call.bound({owner}, \"{name}\")?;"));
        self.bound.insert(key, local.clone());
        local
    }

    fn look_up(&mut self, expr: &Expr) {
        for leaf in expr.leaves() {
            if let Expr::Bound { object, name } = leaf {
                self.bound(object, name);
            }
        }
    }

    /// An expression after the call: the functions in it are asked first.
    pub(super) fn after_call(&mut self, expr: &Expr, phase: Phase) -> String {
        self.look_up(expr);
        let leaves = expr.leaves().into_iter();
        let answers: Vec<_> = leaves
            .filter_map(|leaf| match leaf {
                Expr::Call(call) => Some(self.ask(call, phase)),
                _ => None,
            })
            .collect();
        let (wide, quotients) = self.wide(expr, true, answers);
        self.statements(phase).extend(quotients);
        wide
    }

    /// As [`wide_with`], with statements for the divisions in it, each of which may fail. `answers` are those of the functions in
    /// it, in order.
    fn wide(&mut self, expr: &Expr, after: bool, answers: Vec<String>) -> (String, Vec<String>) {
        let mut answers = answers.into_iter();
        let names: Vec<_> = (0..expr.quotients()).map(|_| self.fresh("quotient")).collect();
        let mut statements = Vec::new();
        let quotient = &mut |left: String, right: String| {
            let name = &names[statements.len()];
            statements.push(format!("let {name} = call.quotient({left}, {right})?;"));
            name.clone()
        };
        let leaf = &mut |leaf: &Expr| match leaf {
            Expr::Int(value) => format!("{value}_i128"),
            Expr::Call(_) => format!("{} as i128", answers.next().expect("as many answers as questions")),
            Expr::Deref(name) if after && let Some(told) = self.told(name) => format!("{told} as i128"),
            Expr::Bound { object, name } => format!("{} as i128", self.bound[&(object.clone(), name.clone())]),
            Expr::Name(name) if let Some(value) = self.fixed_number(name) => format!("{value}_i128"),
            Expr::Name(name) | Expr::Deref(name) => match (self.length_told(name), leaf) {
                (Some(length), _) => format!("{length} as i128"),
                (None, Expr::Name(_)) => format!("{} as i128", self.local(name)),
                (None, _) => format!("*{} as i128", self.local(name)),
            },
            Expr::Ret | Expr::Outer(_) | Expr::End(_) | Expr::Each(_) | Expr::Binary(..) => "ret as i128".to_owned(),
        };
        let wide = wide_with(expr, leaf, quotient);
        (wide, statements)
    }

    /// What a parameter always is.
    pub(super) fn fixed_number(&self, name: &str) -> Option<i64> {
        match self.param(name).map(contract) {
            Some(Contract::Fixed { value }) => Some(*value),
            _ => None,
        }
    }

    /// What a pointer led to after the call, where that was read; 0 where there was none.
    pub(super) fn told(&self, name: &str) -> Option<String> {
        if let Some((told, nullable)) = self.told.get(name) {
            return Some(if *nullable { format!("{told}.unwrap_or(0)") } else { told.clone() });
        }
        let param = self.param(name)?;
        let comes_out = matches!(contract(param), Contract::Obj { dir: Dir::Out, .. });
        match param.role {
            Role::CellOf(_) if !param.shape.is_mutable() => Some(format!("call.read({})", self.local(name))),
            Role::CellOf(_) => Some(self.local(name)),
            _ => comes_out.then(|| self.local(name)),
        }
    }

    /// The length of slices that a hidden parameter is.
    pub(super) fn length_told(&self, name: &str) -> Option<String> {
        match &self.param(name)?.role {
            Role::LengthOf(slices) | Role::CellOf(slices) => Some(self.length_of(slices)),
            Role::LengthsOf(_) | Role::EndOf(_) | Role::Caller => None,
        }
    }

    pub(super) fn param(&self, name: &str) -> Option<&'w ParamPlan> {
        self.function.params.iter().find(|param| param.name == name)
    }

    pub(super) fn slice_len(&self, name: &str) -> String {
        let local = self.local(name);
        match self.param(name).map(contract) {
            Some(Contract::Buf { nullable: true, dir: Dir::In, .. } | Contract::Array { nullable: true, .. }) => {
                format!("{local}.map_or(0, |slice| slice.len())")
            }
            Some(Contract::Buf { nullable: true, .. }) => format!("{local}.as_deref().map_or(0, |slice| slice.len())"),
            _ => format!("{local}.len()"),
        }
    }

    pub(super) fn local(&self, name: &str) -> String {
        let index = self.function.params.iter().position(|param| param.name == name);
        index.map_or_else(|| snake(name), |index| self.locals[index].clone())
    }
}

/// The largest of some lengths.
pub(super) fn longest(mut lengths: impl Iterator<Item = String>) -> String {
    let first = lengths.next().unwrap_or_else(|| "0".to_owned());
    lengths.fold(first, |longest, length| format!("{longest}.max({length})"))
}

/// An expression as an `i128`, in which sums of 64-bit values cannot overflow and products saturate, of its leaves as text.
/// `quotient` divides by what may be 0.
pub(in crate::wrap) fn wide_with(
    expr: &Expr,
    leaf: &mut dyn FnMut(&Expr) -> String,
    quotient: &mut dyn FnMut(String, String) -> String,
) -> String {
    let Expr::Binary(op, left, right) = expr else { return leaf(expr) };
    let (receiver, argument) = (wide_with(left, leaf, quotient), wide_with(right, leaf, quotient));
    let method = match op {
        Op::Add => "saturating_add",
        Op::Sub => "saturating_sub",
        Op::Mul => "saturating_mul",
        Op::Div if matches!(**right, Expr::Int(_)) => "saturating_div",
        Op::Div => return quotient(receiver, argument),
        Op::Min => "min",
        Op::Max => "max",
    };
    match &**left {
        Expr::Binary(..) | Expr::Int(_) => format!("{receiver}.{method}({argument})"),
        _ => format!("({receiver}).{method}({argument})"),
    }
}
