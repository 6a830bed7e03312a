//! What an expression and a condition can come to, by the values that the types of their leaves have.

use super::{Comparison, Condition, Expr, Op};
use std::collections::{BTreeMap, BTreeSet};

/// The least and the largest value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) least: i128,
    pub(crate) most: i128,
}

/// How many choices of values for the leaves of a condition are tried out.
const CHOICES: usize = 4096;

impl Range {
    /// Of what nothing is known.
    pub(crate) const ANY: Range = Range { least: i128::MIN, most: i128::MAX };

    pub(crate) fn one(value: i128) -> Range {
        Range { least: value, most: value }
    }

    /// The integers of so many bits.
    pub(crate) fn of_bits(bits: u32, signed: bool) -> Range {
        match (bits, signed) {
            (128.., true) => Range::ANY,
            (128.., false) => Range { least: 0, most: i128::MAX },
            (_, true) => Range { least: -(1 << (bits - 1)), most: (1 << (bits - 1)) - 1 },
            (_, false) => Range { least: 0, most: (1 << bits) - 1 },
        }
    }

    fn of_pairs(self, other: Range, of: impl Fn(i128, i128) -> i128) -> Range {
        let all =
            [(self.least, other.least), (self.least, other.most), (self.most, other.least), (self.most, other.most)];
        let all = all.map(|(one, other)| of(one, other));
        let (least, most) = all.iter().fold((all[0], all[0]), |(least, most), one| (least.min(*one), most.max(*one)));
        Range { least, most }
    }
}

/// The values of an expression, computed as wrappers do, of those of its leaves.
pub(crate) fn range(expr: &Expr, leaf: &dyn Fn(&Expr) -> Range) -> Range {
    let Expr::Binary(op, left, right) = expr else {
        return match expr {
            Expr::Int(value) => Range::one(i128::from(*value)),
            expr => leaf(expr),
        };
    };
    let (left, right) = (range(left, leaf), range(right, leaf));
    match op {
        Op::Add => left.of_pairs(right, i128::saturating_add),
        Op::Sub => left.of_pairs(right, i128::saturating_sub),
        Op::Mul => left.of_pairs(right, i128::saturating_mul),
        Op::Min => left.of_pairs(right, i128::min),
        Op::Max => left.of_pairs(right, i128::max),
        Op::Div if right.least > 0 => left.of_pairs(right, i128::saturating_div),
        Op::Div => Range::ANY,
    }
}

/// What a condition always comes to; `None` where that depends, or may.
pub(crate) fn verdict(condition: &Condition, leaf: &dyn Fn(&Expr) -> Range) -> Option<bool> {
    if let Some(always) = decided(condition, leaf, &BTreeMap::new()) {
        return Some(always);
    }
    // Between two numbers that a leaf is compared with, it is the same for all of its values.
    let mut values: BTreeMap<String, Vec<i128>> = BTreeMap::new();
    let mut computed = BTreeSet::new();
    numbers(condition, leaf, &mut values, &mut computed);
    values.retain(|leaf, _| !computed.contains(leaf));
    let choices = values.values().map(Vec::len).try_fold(1_usize, usize::checked_mul)?;
    if choices > CHOICES {
        return None;
    }
    let choice = |mut number: usize| {
        let mut pick = |of: &Vec<i128>| {
            let value = of[number % of.len()];
            number /= of.len();
            value
        };
        values.iter().map(|(leaf, of)| (leaf.clone(), pick(of))).collect()
    };
    let mut all = (0..choices).map(|number| decided(condition, leaf, &choice(number)));
    let first = all.next()??;
    all.all(|other| other == Some(first)).then_some(first)
}

/// The literals that leaves of a condition are held against, and those beside them; and the leaves that are held against, or part of,
/// something else.
fn numbers(
    condition: &Condition,
    leaf: &dyn Fn(&Expr) -> Range,
    values: &mut BTreeMap<String, Vec<i128>>,
    computed: &mut BTreeSet<String>,
) {
    match condition {
        Condition::All(left, right) | Condition::Any(left, right) => {
            numbers(left, leaf, values, computed);
            numbers(right, leaf, values, computed);
        }
        Condition::Null => drop(values.insert("NULL".to_owned(), vec![0, 1])),
        Condition::Compare(_, number, Expr::Int(literal)) | Condition::Compare(_, Expr::Int(literal), number)
            if !matches!(number, Expr::Binary(..) | Expr::Int(_)) =>
        {
            let range = leaf(number);
            let literal = as_c_has_it(*literal, range);
            let all = values.entry(number.to_string()).or_insert_with(|| vec![range.least, range.most]);
            let beside = [literal.saturating_sub(1), literal, literal.saturating_add(1)];
            all.extend(beside.into_iter().filter(|value| (range.least..=range.most).contains(value)));
        }
        Condition::Compare(_, left, right) => {
            computed.extend([left, right].into_iter().flat_map(Expr::leaves).map(Expr::to_string));
        }
    }
}

/// A literal below 0 beside a value that never is: what the same bits are in its type.
fn as_c_has_it(literal: i64, beside: Range) -> i128 {
    let literal = i128::from(literal);
    if literal < 0 && beside.least == 0 && beside.most < i128::MAX { beside.most + 1 + literal } else { literal }
}

/// As [`verdict`], where some leaves have these values.
fn decided(condition: &Condition, leaf: &dyn Fn(&Expr) -> Range, values: &BTreeMap<String, i128>) -> Option<bool> {
    let of = |condition: &Condition| decided(condition, leaf, values);
    match condition {
        Condition::Null => values.get("NULL").map(|null| *null == 1),
        Condition::All(left, right) => match (of(left), of(right)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        },
        Condition::Any(left, right) => match (of(left), of(right)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        },
        Condition::Compare(comparison, left, right) => {
            let known =
                |expr: &Expr| values.get(&expr.to_string()).map_or_else(|| leaf(expr), |value| Range::one(*value));
            let side = |expr: &Expr, beside: &Expr| match (expr, beside) {
                (Expr::Int(_), Expr::Int(_) | Expr::Binary(..)) => range(expr, &known),
                (Expr::Int(literal), beside) => Range::one(as_c_has_it(*literal, leaf(beside))),
                _ => range(expr, &known),
            };
            compared(*comparison, side(left, right), side(right, left))
        }
    }
}

fn compared(comparison: Comparison, left: Range, right: Range) -> Option<bool> {
    let is_below = left.most < right.least;
    let is_at_most = left.most <= right.least;
    let is_above = left.least > right.most;
    let is_at_least = left.least >= right.most;
    let are_one = left.least == left.most && left == right;
    let (always, never) = match comparison {
        Comparison::Equal => (are_one, is_below || is_above),
        Comparison::NotEqual => (is_below || is_above, are_one),
        Comparison::Below => (is_below, is_at_least),
        Comparison::AtMost => (is_at_most, is_above),
        Comparison::Above => (is_above, is_at_most),
        Comparison::AtLeast => (is_at_least, is_below),
    };
    match (always, never) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Range, range, verdict};
    use crate::contract::expr::{Condition, Expr};

    /// `ret` and `i` are an `int`, `n` is a `size_t`, `b` a `uint8_t`, and of `x` nothing is known.
    fn leaf(expr: &Expr) -> Range {
        match &*expr.to_string() {
            "ret" | "i" => Range::of_bits(32, true),
            "n" | "*n" => Range::of_bits(64, false),
            "b" => Range::of_bits(8, false),
            _ => Range::ANY,
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Option<bool>) {
        let (condition, _) = Condition::parse(text).expect("a condition");
        assert_eq!(verdict(&condition, &leaf), expected, "{text}");
    }

    #[test]
    fn conditions() {
        for never in [
            "ret < 0 && ret > 5",
            "ret == 3 && ret == 4",
            "ret < -2147483648",
            "0 == 1",
            "b > 255",
            "b + 1 < 1",
            "n < 0",
            "ret == 1 && n == 2 && ret != 1",
            "b * 2 > 510 || b == 300",
            "ret == NULL && ret < 0 && ret > 0",
            "max(n, 4) < 4",
        ] {
            check(never, Some(false));
        }
        for always in ["ret < 0 || ret >= 0", "ret != 3 || ret != 4", "n >= 0", "b <= 255", "1 < 2", "b / 2 <= 127"] {
            check(always, Some(true));
        }
        for depends in [
            "ret < 0",
            "ret != 0",
            "n == -1",
            "n >= -3",
            "ret < 0 && ret != -5",
            "x == 1 && x == 1",
            "f(ret) == 0 || n > i",
            "n - 1 < 0",
            "b / n < 0",
            "b > 3 && b * 2 == 20",
            "n != 3 || n != i",
            "ret == NULL || ret == 3",
        ] {
            check(depends, None);
        }
    }

    #[track_caller]
    fn check_range(text: &str, least: i128, most: i128) {
        let (expr, _) = Expr::parse(text).expect("an expression");
        assert_eq!(range(&expr, &leaf), Range { least, most }, "{text}");
    }

    #[test]
    fn expressions() {
        check_range("0 - 4", -4, -4);
        check_range("b - 256", -256, -1);
        check_range("min(b, 7) * 2 + 1", 1, 15);
        check_range("b * b", 0, 65025);
        check_range("b / 2", 0, 127);
        check_range("i - i", -(1 << 32) + 1, (1 << 32) - 1);
    }
}
