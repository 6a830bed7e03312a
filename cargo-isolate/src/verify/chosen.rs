//! Which numbers a wrapper is called with, and what its stub returns, so that the conditions of the contract are met: a form
//! is called with arguments that it is for, a slice has a length that the other arguments say, and a function that works
//! returns nothing that the contract takes for an error.

use crate::{
    contract::{
        Contract, Told,
        expr::{Condition, Expr, Op},
        shape::Shape,
    },
    plan::{Decision, FunctionPlan, ParamPlan, Role},
};
use std::collections::{BTreeMap, BTreeSet};

/// A number that is passed on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Amount {
    Number(i64),
    /// As many as slices have elements.
    Length,
}

/// The arguments with a number that the contract asks for, by name.
#[derive(Default)]
pub(super) struct Chosen(BTreeMap<String, Amount>);

/// No contract is about more arguments at once, and none compares with so many numbers that trying all takes time.
const MOST: usize = 3;

impl Chosen {
    /// For a call that the contract allows; `None` where none was found for which the form's `when` holds.
    pub(super) fn of(function: &FunctionPlan) -> Option<Chosen> {
        let mut chosen = Chosen::default();
        if let Some(when) = function.form.as_ref().and_then(|form| form.when.as_ref()) {
            chosen.0 = arguments_for(function, when)?;
        }
        chosen.factors(function);
        Some(chosen)
    }

    pub(super) fn amount(&self, name: &str) -> Option<Amount> {
        self.0.get(name).copied()
    }

    /// How many elements such a length is, in Rust; `None` where that is up to what nobody chose.
    pub(super) fn elements(&self, length: &Expr) -> Option<String> {
        match length {
            Expr::Int(number) => Some(format!("{number}_usize")),
            Expr::Name(name) => Some(self.amount(name)?.in_rust("usize")),
            // The driver binds each length of an object to that of the slices.
            Expr::Bound { .. } => Some(Amount::Length.in_rust("usize")),
            Expr::Binary(op, left, right) => {
                let (left, right) = (self.elements(left)?, self.elements(right)?);
                Some(match op {
                    Op::Add => format!("({left} + {right})"),
                    Op::Sub => format!("{left}.saturating_sub({right})"),
                    Op::Mul => format!("({left} * {right})"),
                    Op::Div => format!("({left} / {right})"),
                    Op::Min => format!("{left}.min({right})"),
                    Op::Max => format!("{left}.max({right})"),
                })
            }
            Expr::Deref(_) | Expr::Ret | Expr::Call(_) | Expr::Outer(_) | Expr::End(_) | Expr::Each(_) => None,
        }
    }

    /// Of the numbers that a slice's length is made of, the first is what lengths are at the moment, and the others are 1.
    fn factors(&mut self, function: &FunctionPlan) {
        let is_free = |name: &String| function.params.iter().any(|param| param.name == *name && is_number(param, 16));
        let elsewhere = told_elsewhere(function);
        for length in function.params.iter().filter_map(|param| param.decision.contract()?.len()) {
            let leaves = length.leaves();
            let names: Vec<_> = leaves.iter().filter_map(|leaf| leaf.name()).collect();
            let known = leaves.iter().all(|leaf| match leaf {
                Expr::Name(name) => is_free(name) && !elsewhere.contains(name),
                Expr::Int(_) | Expr::Bound { .. } => true,
                _ => false,
            });
            if !known || names.is_empty() {
                continue;
            }
            let mut more = self.0.clone();
            for (at, name) in names.into_iter().enumerate() {
                more.entry(name.clone()).or_insert(if at == 0 { Amount::Length } else { Amount::Number(1) });
            }
            let grows = |elements: i128| value(length, &|leaf| known_as(&more, leaf, elements)) >= Some(elements);
            if [1, 64, 4097].into_iter().all(grows) {
                self.0 = more;
            }
        }
    }
}

impl Amount {
    /// As a value of this type, for the driver and for stubs alike.
    pub(super) fn in_rust(self, ty: &str) -> String {
        match self {
            Amount::Number(number) => format!("{number}_{ty}"),
            Amount::Length if ty == "usize" => "crate::acts::length()".to_owned(),
            Amount::Length => format!("crate::acts::length() as {ty}"),
        }
    }
}

/// What a function returns that has not failed: 0 unless that is an error. `None` where no such number was found.
pub(super) fn success(error: &Condition, ret: &Shape) -> Option<i64> {
    let fits = |number: &i64| shape_has(ret, *number);
    let mut numbers = vec![0, 1];
    numbers.extend(constants(error));
    numbers.into_iter().filter(fits).find(|number| is_success(error, i128::from(*number)))
}

/// The condition does not hold where the function returned this.
pub(super) fn is_success(error: &Condition, ret: i128) -> bool {
    let known = |leaf: &Expr| match leaf {
        Expr::Ret => Some(ret),
        // Stubs of functions that are asked for an error code answer 0: no error.
        Expr::Call(_) => Some(0),
        _ => None,
    };
    holds(error, &known) == Some(false)
}

/// Arguments for which `when` holds.
fn arguments_for(function: &FunctionPlan, when: &Condition) -> Option<BTreeMap<String, Amount>> {
    let names: BTreeSet<&String> = leaves(when).into_iter().filter_map(Expr::name).collect();
    let shapes = names.iter().map(|name| {
        let param = function.params.iter().find(|param| param.name == **name)?;
        is_number(param, 8).then_some(&param.shape)
    });
    let shapes: Vec<_> = shapes.collect::<Option<_>>()?;
    let numbers = constants(when);
    let mut tried = vec![Vec::new()];
    for shape in shapes.iter().take(MOST) {
        let further = |before: &Vec<i64>| {
            let fit = numbers.iter().filter(|number| shape_has(shape, **number));
            fit.map(|number| [&before[..], &[*number]].concat()).collect::<Vec<_>>()
        };
        tried = tried.iter().flat_map(further).collect();
    }
    let named = |values: &Vec<i64>| {
        let amounts = values.iter().map(|value| Amount::Number(*value));
        names.iter().map(|name| (*name).clone()).zip(amounts).collect::<BTreeMap<_, _>>()
    };
    tried.iter().map(named).find(|chosen| holds(when, &|leaf| known_as(chosen, leaf, 0)) == Some(true))
}

/// The numbers that a condition speaks of, with their neighbours.
fn constants(condition: &Condition) -> Vec<i64> {
    let numbers = leaves(condition).into_iter().filter_map(|leaf| match leaf {
        Expr::Int(number) => Some(*number),
        _ => None,
    });
    numbers.flat_map(|number| [number, number.saturating_add(1), number.saturating_sub(1)]).collect()
}

fn leaves(condition: &Condition) -> Vec<&Expr> {
    match condition {
        Condition::Compare(_, left, right) => [left.leaves(), right.leaves()].concat(),
        Condition::Null => Vec::new(),
        Condition::All(left, right) | Condition::Any(left, right) => [leaves(left), leaves(right)].concat(),
    }
}

/// Whether the condition holds, as far as what is known decides it.
fn holds(condition: &Condition, known: &dyn Fn(&Expr) -> Option<i128>) -> Option<bool> {
    match condition {
        Condition::Compare(comparison, left, right) => {
            Some(comparison.holds(value(left, known)?, value(right, known)?))
        }
        // Stubs return pointers that are not NULL where that is an error.
        Condition::Null => Some(false),
        Condition::All(left, right) => match (holds(left, known), holds(right, known)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (left, right) => Some(left? && right?),
        },
        Condition::Any(left, right) => match (holds(left, known), holds(right, known)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (left, right) => Some(left? || right?),
        },
    }
}

fn value(expr: &Expr, known: &dyn Fn(&Expr) -> Option<i128>) -> Option<i128> {
    match expr {
        Expr::Int(number) => Some(i128::from(*number)),
        Expr::Binary(op, left, right) => {
            let (left, right) = (value(left, known)?, value(right, known)?);
            match op {
                Op::Add => left.checked_add(right),
                Op::Sub => left.checked_sub(right),
                Op::Mul => left.checked_mul(right),
                Op::Div => left.checked_div(right),
                Op::Min => Some(left.min(right)),
                Op::Max => Some(left.max(right)),
            }
        }
        leaf => known(leaf),
    }
}

/// A leaf where slices have so many elements.
fn known_as(chosen: &BTreeMap<String, Amount>, leaf: &Expr, elements: i128) -> Option<i128> {
    match leaf {
        Expr::Name(name) => match chosen.get(name)? {
            Amount::Number(number) => Some(i128::from(*number)),
            Amount::Length => Some(elements),
        },
        Expr::Bound { .. } => Some(elements),
        _ => None,
    }
}

/// What also tells how much the library gives away, or its callbacks: there must be as much as these say.
fn told_elsewhere(function: &FunctionPlan) -> BTreeSet<String> {
    let params = function.params.iter().map(|param| &param.decision);
    let contracts = params.chain(function.ret.iter().map(|ret| &ret.decision)).filter_map(Decision::contract);
    let lengths = contracts.flat_map(|contract| match contract {
        Contract::Callback { params, .. } => params.iter().flat_map(Told::lengths).collect(),
        Contract::Buf { .. } => Vec::new(),
        other => other.lengths().chain(other.counted_by()).collect(),
    });
    let lengths = lengths.chain(function.binds.iter().map(|bind| &bind.length));
    let leaves = lengths.flat_map(Expr::leaves_and_arguments);
    let names = leaves.filter_map(|leaf| match leaf {
        Expr::Name(name) | Expr::Outer(name) => Some(name.clone()),
        _ => None,
    });
    names.collect()
}

/// A number that the caller of the wrapper gives, of an integer type with at least so many bits.
fn is_number(param: &ParamPlan, bits: u32) -> bool {
    let has_room = param.shape.number().is_some_and(|number| number.bits >= bits);
    let is_plain = param.role == Role::Caller && param.decision.contract() == Some(&Contract::Value);
    is_plain && has_room && param.shape.is_int() && param.shown_as.is_none()
}

/// The type has this number.
fn shape_has(shape: &Shape, number: i64) -> bool {
    let Some(bits) = shape.number().filter(|_| shape.is_int()).map(|number| number.bits) else {
        return false;
    };
    match (shape.is_signed(), number) {
        (Some(false), ..0) => false,
        (Some(false), _) => bits >= 64 || number >> bits == 0,
        _ => bits >= 64 || (number >> (bits - 1)) == 0 || (number >> (bits - 1)) == -1,
    }
}

#[cfg(test)]
mod tests {
    use super::success;
    use crate::contract::{expr::Condition, shape::Shape};

    /// What a function with this error returns where it works.
    #[track_caller]
    fn check(error: &str, ty: &str, expected: Option<i64>) {
        let (condition, _) = Condition::parse(error).expect("a condition");
        assert_eq!(success(&condition, &Shape::Int(Some(ty.to_owned()))), expected, "{error}");
    }

    #[test]
    fn what_is_no_error() {
        check("ret != 0", "c_int", Some(0));
        check("ret < 0", "c_int", Some(0));
        check("ret == 0", "c_int", Some(1));
        check("ret != 100 && ret != 101", "c_int", Some(100));
        check("ret < 7", "u8", Some(7));
        check("ret <= 255", "u8", None);
        check("ret <= 127", "i8", None);
        check("ret >= -1", "c_int", Some(-2));
        check("ret >= 0", "usize", None);
        check("isError(ret)", "usize", Some(0));
        check("ret != n", "c_int", None);
        check("ret == 0 && *why != 0", "c_int", Some(1));
    }
}
