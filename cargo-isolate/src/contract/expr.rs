//! Length expressions of a contract: `sourceLen`, `*destLen`, `nmemb * size`, `max(ret, 0)`.

use serde::{Serialize, Serializer};
use std::{fmt, ops::Range};

/// A checked expression over the parameters of one foreign function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expr {
    /// A literal.
    Int(u32),
    /// The value of an integer parameter.
    Name(String),
    /// What a parameter points to, as it is when the expression is evaluated.
    Deref(String),
    /// What the function returned.
    Ret,
    Binary(Op, Box<Expr>, Box<Expr>),
}

/// Operators, and the two functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Add,
    Sub,
    Mul,
    Min,
    Max,
}

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExprError {
    pub(crate) message: String,
    /// Bytes of the text.
    pub(crate) span: Range<usize>,
}

/// A name in an expression, as it stands in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameUse {
    pub(crate) name: String,
    /// Written `*name`.
    pub(crate) deref: bool,
    /// Bytes of the text.
    pub(crate) span: Range<usize>,
}

impl Expr {
    /// Reads an expression and lists its names in order, so that the caller can check each at its place.
    pub(crate) fn parse(text: &str) -> Result<(Expr, Vec<NameUse>), ExprError> {
        let mut parser = Parser { text, at: 0, depth: 0, names: Vec::new() };
        let expr = parser.sum()?;
        parser.skip_space();
        if parser.at < text.len() {
            return Err(parser.unexpected("`+`, `-`, `*` or the end"));
        }
        Ok((expr, parser.names))
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
            Expr::Name(name) => f.write_str(name),
            Expr::Deref(name) => write!(f, "*{name}"),
            Expr::Ret => f.write_str("ret"),
            Expr::Binary(Op::Min, a, b) => write!(f, "min({a}, {b})"),
            Expr::Binary(Op::Max, a, b) => write!(f, "max({a}, {b})"),
            Expr::Binary(op, a, b) => {
                operand(f, a, op.strength())?;
                f.write_str(match op {
                    Op::Add => " + ",
                    Op::Sub => " - ",
                    _ => " * ",
                })?;
                // `a - (b - c)` keeps its parentheses: operators of one strength group from the left.
                operand(f, b, op.strength() + 1)
            }
        }
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
            Op::Mul => 2,
            Op::Min | Op::Max => 4,
        }
    }
}

impl Serialize for Expr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Parentheses may nest this deep; a policy is written by hand.
const DEEPEST: usize = 32;

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    names: Vec<NameUse>,
}

impl<'t> Parser<'t> {
    fn sum(&mut self) -> Result<Expr, ExprError> {
        let mut left = self.product()?;
        loop {
            let op = match self.peek() {
                Some('+') => Op::Add,
                Some('-') => Op::Sub,
                _ => return Ok(left),
            };
            self.at += 1;
            left = Expr::Binary(op, Box::new(left), Box::new(self.product()?));
        }
    }

    fn product(&mut self) -> Result<Expr, ExprError> {
        let mut left = self.leaf()?;
        while self.peek() == Some('*') {
            self.at += 1;
            left = Expr::Binary(Op::Mul, Box::new(left), Box::new(self.leaf()?));
        }
        Ok(left)
    }

    fn leaf(&mut self) -> Result<Expr, ExprError> {
        match self.peek() {
            Some('(') => self.nested(|parser| {
                parser.expect('(')?;
                let inner = parser.sum()?;
                parser.expect(')')?;
                Ok(inner)
            }),
            Some('*') => {
                let start = self.at;
                self.at += 1;
                let Some(name) = self.word() else { return Err(self.unexpected("a parameter's name after `*`")) };
                self.names.push(NameUse { name: name.to_owned(), deref: true, span: start..self.at });
                Ok(Expr::Deref(name.to_owned()))
            }
            Some(digit) if digit.is_ascii_digit() => self.integer(),
            _ => self.name(),
        }
    }

    fn integer(&mut self) -> Result<Expr, ExprError> {
        let start = self.at;
        let len = self.text[start..].find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(self.text.len() - start);
        self.at += len;
        let digits = &self.text[start..self.at];
        digits.parse().map(Expr::Int).map_err(|_| ExprError {
            message: format!("`{digits}` is not an integer below {}", 1_u64 << 32),
            span: start..self.at,
        })
    }

    fn name(&mut self) -> Result<Expr, ExprError> {
        self.skip_space();
        let start = self.at;
        let Some(name) = self.word() else {
            return Err(self.unexpected("a parameter's name, `*name`, `ret`, an integer, `min(…)` or `max(…)`"));
        };
        let op = match (name, self.peek()) {
            ("min", Some('(')) => Op::Min,
            ("max", Some('(')) => Op::Max,
            (_, Some('(')) => {
                return Err(ExprError {
                    message: format!("no function is called `{name}`: there are `min` and `max`"),
                    span: start..start + name.len(),
                });
            }
            ("ret", _) => return Ok(Expr::Ret),
            _ => {
                self.names.push(NameUse { name: name.to_owned(), deref: false, span: start..start + name.len() });
                return Ok(Expr::Name(name.to_owned()));
            }
        };
        self.nested(|parser| {
            parser.expect('(')?;
            let left = parser.sum()?;
            parser.expect(',')?;
            let right = parser.sum()?;
            parser.expect(')')?;
            Ok(Expr::Binary(op, Box::new(left), Box::new(right)))
        })
    }

    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Result<Expr, ExprError>) -> Result<Expr, ExprError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(ExprError {
                message: format!("parentheses nest deeper than {DEEPEST}"),
                span: self.at..self.at + 1,
            });
        }
        let expr = inner(self);
        self.depth -= 1;
        expr
    }

    fn word(&mut self) -> Option<&'t str> {
        self.skip_space();
        let rest = &self.text[self.at..];
        let len = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
        if len == 0 || rest.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        self.at += len;
        Some(&rest[..len])
    }

    fn peek(&mut self) -> Option<char> {
        self.skip_space();
        self.text[self.at..].chars().next()
    }

    fn expect(&mut self, wanted: char) -> Result<(), ExprError> {
        if self.peek() != Some(wanted) {
            return Err(self.unexpected(&format!("`{wanted}`")));
        }
        self.at += wanted.len_utf8();
        Ok(())
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn unexpected(&mut self, wanted: &str) -> ExprError {
        match self.peek() {
            Some(found) => ExprError {
                message: format!("expected {wanted}, found `{found}`"),
                span: self.at..self.at + found.len_utf8(),
            },
            None => ExprError {
                message: format!("expected {wanted}, found the end"),
                span: self.at.saturating_sub(1)..self.at,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Expr;

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
    }

    #[test]
    fn points_at_what_is_wrong() {
        check("", "0: expected a parameter's name, `*name`, `ret`, an integer, `min(…)` or `max(…)`, found the end []");
        check(
            "a +",
            "2: expected a parameter's name, `*name`, `ret`, an integer, `min(…)` or `max(…)`, found the end [+]",
        );
        check("a b", "2: expected `+`, `-`, `*` or the end, found `b` [b]");
        check("sizeof(a)", "0: no function is called `sizeof`: there are `min` and `max` [sizeof]");
        check("max(a)", "5: expected `,`, found `)` [)]");
        check("*3", "1: expected a parameter's name after `*`, found `3` [3]");
        check("0x20", "0: `0x20` is not an integer below 4294967296 [0x20]");
        check("é/2", "2: expected `+`, `-`, `*` or the end, found `/` [/]");
        check(&"(".repeat(40), "32: parentheses nest deeper than 32 [(]");
    }

    #[test]
    fn lists_names_with_their_places() {
        let (_, names) = Expr::parse("max(*len, n) + ret").expect("parses");
        let shown: Vec<_> = names.iter().map(|name| (&*name.name, name.deref, name.span.clone())).collect();
        assert_eq!(shown, [("len", true, 4..8), ("n", false, 10..11)]);
    }
}
