//! Expressions of a contract: lengths (`sourceLen`, `*destLen`, `nmemb * size`, `max(ret, 0)`, `ZSTD_getFrameSize(src, n)`),
//! and conditions over them (`ret < 0 && ret != -5`).

mod condition;
mod parse;
mod range;

pub(crate) use condition::{Comparison, Condition};
pub(crate) use range::{Range, range, verdict};

use parse::Parser;
use serde::{Serialize, Serializer};
use std::fmt;

/// A checked expression over the parameters of one foreign function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expr {
    /// A literal; below 0 only in conditions.
    Int(i64),
    /// The value of an integer parameter.
    Name(String),
    /// What a parameter points to, as it is when the expression is evaluated.
    Deref(String),
    /// What the function returned.
    Ret,
    /// What another function of the library returns, asked after the call.
    Call(Call),
    /// A length that another function has told of the object behind a handle.
    Bound {
        object: String,
        name: String,
    },
    /// What the function around a callback was given (`fn.size`), as the length of what the callback gets alone.
    Outer(String),
    /// As many elements as lie before the place where a parameter points, as the length of a buffer alone: no text says it.
    End(String),
    /// What stands in the same place of the array that a parameter points to (`lengths[]`), as the length of one buffer of several alone.
    Each(String),
    Binary(Op, Box<Expr>, Box<Expr>),
}

/// A call of another function of the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) function: String,
    /// Leaves: parameters, what they point to, `ret`, numbers.
    pub(crate) args: Vec<Expr>,
}

/// Operators, and the two functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Sub,
    Mul,
    /// As in C: what is left over is dropped.
    Div,
    Min,
    Max,
}

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExprError {
    pub(crate) message: String,
    /// Bytes of the text.
    pub(crate) span: std::ops::Range<usize>,
}

/// What an expression speaks of, as it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mention {
    pub(crate) what: Mentioned,
    /// Bytes of the text.
    pub(crate) span: std::ops::Range<usize>,
}

/// Something that has to be there for an expression to mean anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mentioned {
    /// `name`
    Value(String),
    /// `*name`
    Pointee(String),
    /// `fn.name`
    Outer(String),
    /// `ret`
    Ret,
    /// `ret == NULL`
    Null,
    /// `name(…)`
    Call(Call),
    /// `$object.name`
    Bound { object: String, name: String },
}

impl Expr {
    /// Reads an expression and lists what it speaks of in order, so that the caller can check each at its place.
    pub(crate) fn parse(text: &str) -> Result<(Expr, Vec<Mention>), ExprError> {
        Parser::new(text).whole(Parser::sum, "`+`, `-`, `*`, `/` or the end")
    }

    /// It divides.
    pub(crate) fn rounds(&self) -> bool {
        match self {
            Expr::Binary(op, left, right) => *op == Op::Div || left.rounds() || right.rounds(),
            _ => false,
        }
    }

    /// How often it divides by something else than a number of its own, which may be 0.
    pub(crate) fn quotients(&self) -> usize {
        match self {
            Expr::Binary(op, left, right) => {
                let here = *op == Op::Div && !matches!(**right, Expr::Int(_));
                usize::from(here) + left.quotients() + right.quotients()
            }
            _ => 0,
        }
    }

    /// What is named, if it is nothing but a name.
    pub(crate) fn name(&self) -> Option<&String> {
        match self {
            Expr::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The same with the arguments of the functions among them.
    pub(crate) fn leaves_and_arguments(&self) -> Vec<&Expr> {
        fn arguments(leaf: &Expr) -> &[Expr] {
            match leaf {
                Expr::Call(call) => &call.args,
                _ => &[],
            }
        }
        self.leaves().into_iter().flat_map(|leaf| std::iter::once(leaf).chain(arguments(leaf))).collect()
    }

    /// Every leaf, left to right.
    pub(crate) fn leaves(&self) -> Vec<&Expr> {
        match self {
            Expr::Binary(_, left, right) => [left.leaves(), right.leaves()].concat(),
            leaf => vec![leaf],
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Int(value) => write!(f, "{value}"),
            Expr::Name(name) | Expr::End(name) => f.write_str(name),
            Expr::Deref(name) => write!(f, "*{name}"),
            Expr::Each(name) => write!(f, "{name}[]"),
            Expr::Outer(name) => write!(f, "fn.{name}"),
            Expr::Ret => f.write_str("ret"),
            Expr::Call(call) => write!(f, "{call}"),
            Expr::Bound { object, name } => write!(f, "${object}.{name}"),
            Expr::Binary(Op::Min, a, b) => write!(f, "min({a}, {b})"),
            Expr::Binary(Op::Max, a, b) => write!(f, "max({a}, {b})"),
            Expr::Binary(op, a, b) => {
                operand(f, a, op.strength())?;
                f.write_str(match op {
                    Op::Add => " + ",
                    Op::Sub => " - ",
                    Op::Div => " / ",
                    _ => " * ",
                })?;
                // `a - (b - c)` keeps its parentheses: operators of one strength group from the left.
                operand(f, b, op.strength() + 1)
            }
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<_> = self.args.iter().map(Expr::to_string).collect();
        write!(f, "{}({})", self.function, args.join(", "))
    }
}

fn operand(f: &mut fmt::Formatter<'_>, expr: &Expr, strength: u8) -> fmt::Result {
    match expr {
        Expr::Binary(op, ..) if op.strength() < strength => write!(f, "({expr})"),
        _ => write!(f, "{expr}"),
    }
}

impl Op {
    fn strength(self) -> u8 {
        match self {
            Op::Add | Op::Sub => 1,
            Op::Mul | Op::Div => 2,
            Op::Min | Op::Max => 4,
        }
    }
}

impl Serialize for Expr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::{Call, Condition, Expr, Mentioned};

    /// The expression as we print it, or the error with what it points at.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let shown = match Expr::parse(text) {
            Ok((expr, _)) => expr.to_string(),
            Err(error) => format!("{}: {} [{}]", error.span.start, error.message, &text[error.span.clone()]),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn prints_what_it_read() {
        check("sourceLen", "sourceLen");
        check(" * destLen ", "*destLen");
        check("nmemb*size", "nmemb * size");
        check("a**b", "a * *b");
        check("max( ret ,0 )", "max(ret, 0)");
        check("(a+b)*2-c", "(a + b) * 2 - c");
        check("a-(b-c)", "a - (b - c)");
        check("min(a+1, *b)", "min(a + 1, *b)");
        check("minimum", "minimum");
        check("bytes( stmt,i , *n,3)*2", "bytes(stmt, i, *n, 3) * 2");
        check("a - -5", "a - -5");
        check("(w*bpp+7)/8", "(w * bpp + 7) / 8");
        check("a/2/b*c/(d*e)", "a / 2 / b * c / (d * e)");
        check("fn . size*n", "fn.size * n");
    }

    #[test]
    fn points_at_what_is_wrong() {
        check("", "0: expected a parameter's name, `*name`, `ret`, an integer, `min(…)` or `max(…)`, found the end []");
        check(
            "a +",
            "2: expected a parameter's name, `*name`, `ret`, an integer, `min(…)` or `max(…)`, found the end [+]",
        );
        check("a b", "2: expected `+`, `-`, `*`, `/` or the end, found `b` [b]");
        check("size(a + 1)", "7: expected `,` or `)`, found `+` [+]");
        check("a < 3", "2: expected `+`, `-`, `*`, `/` or the end, found `<` [<]");
        check("max(a)", "5: expected `,`, found `)` [)]");
        check("fn.3", "3: expected a parameter's name after `fn.`, found `3` [3]");
        check("*3", "1: expected a parameter's name after `*`, found `3` [3]");
        check("0x20", "0: `0x20` is not an integer below 4294967296 [0x20]");
        check("é%2", "2: expected `+`, `-`, `*`, `/` or the end, found `%` [%]");
        check("a / 0", "4: nothing can be divided by 0 [0]");
        check(&"(".repeat(40), "32: parentheses nest deeper than 32 [(]");
    }

    /// The condition as we print it, or the error with what it points at.
    #[track_caller]
    fn check_condition(text: &str, expected: &str) {
        let shown = match Condition::parse(text) {
            Ok((condition, _)) => condition.to_string(),
            Err(error) => format!("{}: {} [{}]", error.span.start, error.message, &text[error.span.clone()]),
        };
        assert_eq!(shown, expected);
    }

    #[test]
    fn conditions() {
        check_condition("ret!=0", "ret != 0");
        check_condition("ret < 0 && ret != -5 || f(ret) >= n + 1", "ret < 0 && ret != -5 || f(ret) >= n + 1");
        check_condition("f(ret)", "f(ret) != 0");
        check_condition("ret==NULL || f(n) < 0", "ret == NULL || f(n) < 0");
        check_condition("NULL == ret && NULL==ret", "ret == NULL && ret == NULL");
        check_condition("NULL == n", "0: NULL is what a pointer is when a function has failed: `ret == NULL` [NULL]");
        check_condition("NULL", "0: NULL is what a pointer is when a function has failed: `ret == NULL` [NULL]");
        check_condition("ret != NULL", "7: NULL is what a pointer is when a function has failed: `ret == NULL` [NULL]");
        check_condition("n == NULL", "5: NULL is what a pointer is when a function has failed: `ret == NULL` [NULL]");
        check_condition("ret = 0", "4: expected `==`, `!=`, `<`, `<=`, `>` or `>=`, found `=` [=]");
        check_condition("ret", "2: expected `==`, `!=`, `<`, `<=`, `>` or `>=`, found the end [t]");
        check_condition("ret == 0 & 1", "9: expected `&&`, `||` or the end, found `&` [&]");
    }

    /// Where it surely holds for every number below 0, what is left over is a count.
    #[test]
    fn numbers_below_0() {
        for (text, expected) in [
            ("ret < 0", true),
            ("ret <= 0", true),
            ("0 > ret", true),
            ("ret <= -1", true),
            ("ret != 3", true),
            ("ret < -5 || ret >= -5", true),
            ("ret == 0", false),
            ("ret == -1", false),
            ("ret < -1", false),
            ("ret < 0 && ret != -5", false),
            ("ret < 0 && n > 3", false),
            ("f(ret)", false),
        ] {
            let (condition, _) = Condition::parse(text).expect("a condition");
            assert_eq!(condition.takes_negatives(), expected, "{text}");
        }
    }

    #[test]
    fn lists_what_it_speaks_of() {
        let (_, mentions) = Expr::parse("max(*len, n) + ret + f(x)").expect("parses");
        let shown: Vec<_> = mentions.iter().map(|mention| (mention.span.clone(), &mention.what)).collect();
        let call = Call { function: "f".to_owned(), args: vec![Expr::Name("x".to_owned())] };
        assert_eq!(
            shown,
            [
                (4..8, &Mentioned::Pointee("len".to_owned())),
                (10..11, &Mentioned::Value("n".to_owned())),
                (15..18, &Mentioned::Ret),
                (21..25, &Mentioned::Call(call)),
            ]
        );
    }
}
