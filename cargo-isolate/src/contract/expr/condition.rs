//! Conditions over what a function left behind: `ret != 0`, `ret < 0 && ret != -5`.

use super::{Expr, ExprError, Mention, parse::Parser};
use serde::{Serialize, Serializer};
use std::fmt;

/// When something holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Compare(Comparison, Expr, Expr),
    /// It returned NULL.
    Null,
    All(Box<Condition>, Box<Condition>),
    Any(Box<Condition>, Box<Condition>),
}

/// How two numbers are held against each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    AtMost,
    AtLeast,
    Below,
    Above,
}

impl Condition {
    /// Reads a condition and lists what it speaks of.
    pub(crate) fn parse(text: &str) -> Result<(Condition, Vec<Mention>), ExprError> {
        Parser::new(text).whole(Parser::any, "`&&`, `||` or the end")
    }

    /// A function that returned NULL has failed.
    pub(crate) fn takes_null(&self) -> bool {
        match self {
            Condition::Null => true,
            Condition::Any(left, right) => left.takes_null() || right.takes_null(),
            Condition::All(..) | Condition::Compare(..) => false,
        }
    }

    /// As [`Expr::quotients`].
    pub(crate) fn quotients(&self) -> usize {
        match self {
            Condition::Compare(_, left, right) => left.quotients() + right.quotients(),
            Condition::Null => 0,
            Condition::All(left, right) | Condition::Any(left, right) => left.quotients() + right.quotients(),
        }
    }

    /// It speaks of a negative number.
    pub(crate) fn has_negative(&self) -> bool {
        match self {
            Condition::Compare(_, left, right) => {
                [left, right].into_iter().any(|side| matches!(side, Expr::Int(value) if *value < 0))
            }
            Condition::Null => false,
            Condition::All(left, right) | Condition::Any(left, right) => left.has_negative() || right.has_negative(),
        }
    }

    /// The one value that the function can have returned where this does not hold, if there is one: it tells nobody anything.
    pub(crate) fn leaves_one_value(&self) -> Option<i64> {
        match self {
            Condition::Compare(Comparison::NotEqual, Expr::Ret, Expr::Int(value)) => Some(*value),
            _ => None,
        }
    }

    /// It surely holds where the function returned a number below 0.
    pub(crate) fn takes_negatives(&self) -> bool {
        let mut numbers = vec![i128::from(i64::MIN), -1];
        self.literals_of_ret(&mut numbers);
        // Between two of them it is the same for all.
        let beside = numbers.iter().flat_map(|number| [number - 1, *number, number + 1]).filter(|number| *number < 0);
        beside.collect::<Vec<_>>().into_iter().all(|ret| self.surely_holds(ret))
    }

    fn literals_of_ret(&self, literals: &mut Vec<i128>) {
        match self {
            Condition::Compare(_, Expr::Ret, Expr::Int(literal))
            | Condition::Compare(_, Expr::Int(literal), Expr::Ret) => {
                literals.push(i128::from(*literal));
            }
            Condition::Compare(..) | Condition::Null => {}
            Condition::All(left, right) | Condition::Any(left, right) => {
                left.literals_of_ret(literals);
                right.literals_of_ret(literals);
            }
        }
    }

    /// Whatever else it speaks of.
    fn surely_holds(&self, ret: i128) -> bool {
        match self {
            Condition::Compare(comparison, Expr::Ret, Expr::Int(literal)) => {
                comparison.holds(ret, i128::from(*literal))
            }
            Condition::Compare(comparison, Expr::Int(literal), Expr::Ret) => {
                comparison.holds(i128::from(*literal), ret)
            }
            Condition::Compare(..) | Condition::Null => false,
            Condition::All(left, right) => left.surely_holds(ret) && right.surely_holds(ret),
            Condition::Any(left, right) => left.surely_holds(ret) || right.surely_holds(ret),
        }
    }
}

impl Comparison {
    /// The longer signs first.
    pub(super) const ALL: [Comparison; 6] = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::AtMost,
        Comparison::AtLeast,
        Comparison::Below,
        Comparison::Above,
    ];

    /// With its sides changed over.
    pub(crate) fn turned(self) -> Comparison {
        match self {
            Comparison::AtMost => Comparison::AtLeast,
            Comparison::AtLeast => Comparison::AtMost,
            Comparison::Below => Comparison::Above,
            Comparison::Above => Comparison::Below,
            same => same,
        }
    }

    /// Whether it holds between two numbers.
    pub(crate) fn holds(self, left: i128, right: i128) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
            Comparison::AtMost => left <= right,
            Comparison::AtLeast => left >= right,
            Comparison::Below => left < right,
            Comparison::Above => left > right,
        }
    }

    /// In C and in Rust.
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::AtMost => "<=",
            Comparison::AtLeast => ">=",
            Comparison::Below => "<",
            Comparison::Above => ">",
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Compare(comparison, left, right) => write!(f, "{left} {} {right}", comparison.sign()),
            Condition::Null => f.write_str("ret == NULL"),
            Condition::All(left, right) => write!(f, "{left} && {right}"),
            Condition::Any(left, right) => write!(f, "{left} || {right}"),
        }
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
