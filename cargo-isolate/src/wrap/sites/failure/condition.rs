//! Failure conditions of contracts, evaluated for one returned value at a time.

use crate::contract::expr::{Condition, Expr as Number};

/// Collects the numbers that a condition compares with.
pub(super) fn numbers(condition: &Condition, out: &mut Vec<i128>) {
    match condition {
        Condition::Compare(_, left, right) => {
            out.extend([left, right].into_iter().filter_map(|side| number(side, 0)));
        }
        Condition::Null => {}
        Condition::All(left, right) | Condition::Any(left, right) => {
            numbers(left, out);
            numbers(right, out);
        }
    }
}

/// Whether a condition holds when the function returned `ret`; `None` if it also depends on something else.
pub(super) fn truth(of: &Condition, ret: i128) -> Option<bool> {
    match of {
        Condition::Null => None,
        Condition::All(left, right) => and((truth(left, ret), truth(right, ret))),
        Condition::Any(left, right) => or((truth(left, ret), truth(right, ret))),
        Condition::Compare(comparison, left, right) => {
            let (left, right) = (number(left, ret)?, number(right, ret)?);
            Some(comparison.holds(left, right))
        }
    }
}

fn number(of: &Number, ret: i128) -> Option<i128> {
    match of {
        Number::Ret => Some(ret),
        Number::Int(value) => Some(i128::from(*value)),
        _ => None,
    }
}

/// Three-valued conjunction: `None` is unknown.
pub(super) fn and((left, right): (Option<bool>, Option<bool>)) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// Three-valued disjunction: `None` is unknown.
pub(super) fn or((left, right): (Option<bool>, Option<bool>)) -> Option<bool> {
    match (left, right) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}
