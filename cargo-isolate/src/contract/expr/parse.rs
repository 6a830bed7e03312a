//! Text → expressions and conditions.

use super::{Call, Comparison, Condition, Expr, ExprError, Mention, Mentioned, Op};
use std::ops::Range;

/// Parentheses may nest this deep; a policy is written by hand.
const DEEPEST: usize = 32;

pub(super) struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    mentions: Vec<Mention>,
}

impl<'t> Parser<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, at: 0, depth: 0, mentions: Vec::new() }
    }

    /// All of the text, as `read` reads it; `wanted` says what may follow.
    pub(super) fn whole<T>(
        mut self,
        read: impl FnOnce(&mut Self) -> Result<T, ExprError>,
        wanted: &str,
    ) -> Result<(T, Vec<Mention>), ExprError> {
        let whole = read(&mut self)?;
        self.skip_space();
        if self.at < self.text.len() {
            return Err(self.unexpected(wanted));
        }
        Ok((whole, self.mentions))
    }

    /// `a || b`
    pub(super) fn any(&mut self) -> Result<Condition, ExprError> {
        let mut left = self.all()?;
        while self.takes("||") {
            left = Condition::Any(Box::new(left), Box::new(self.all()?));
        }
        Ok(left)
    }

    /// `a && b`
    fn all(&mut self) -> Result<Condition, ExprError> {
        let mut left = self.comparison()?;
        while self.takes("&&") {
            left = Condition::All(Box::new(left), Box::new(self.comparison()?));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Condition, ExprError> {
        if self.null().is_some() {
            return self.null_first();
        }
        let left = self.sum()?;
        let Some(comparison) = Comparison::ALL.into_iter().find(|comparison| self.takes(comparison.sign())) else {
            return match left {
                // C's truth.
                Expr::Call(_) => Ok(Condition::Compare(Comparison::NotEqual, left, Expr::Int(0))),
                _ => Err(self.unexpected("`==`, `!=`, `<`, `<=`, `>` or `>=`")),
            };
        };
        let outside = self.mentions.len();
        match self.null() {
            None => Ok(Condition::Compare(comparison, left, self.sum()?)),
            Some(span) if (comparison, &left) == (Comparison::Equal, &Expr::Ret) => {
                self.mentions.truncate(outside - 1);
                self.mention(Mentioned::Null, span);
                Ok(Condition::Null)
            }
            Some(span) => Err(misplaced_null(span)),
        }
    }

    /// `NULL == ret`, of which NULL was read.
    fn null_first(&mut self) -> Result<Condition, ExprError> {
        let span = self.at - "NULL".len()..self.at;
        let outside = self.mentions.len();
        if !self.takes("==") || self.sum().ok() != Some(Expr::Ret) {
            return Err(misplaced_null(span));
        }
        self.mentions.truncate(outside);
        self.mention(Mentioned::Null, span);
        Ok(Condition::Null)
    }

    /// `NULL`
    fn null(&mut self) -> Option<Range<usize>> {
        self.skip_space();
        let start = self.at;
        if self.word() == Some("NULL") {
            return Some(start..self.at);
        }
        self.at = start;
        None
    }

    pub(super) fn sum(&mut self) -> Result<Expr, ExprError> {
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
        loop {
            let op = match self.peek() {
                Some('*') => Op::Mul,
                Some('/') => Op::Div,
                _ => return Ok(left),
            };
            self.at += 1;
            self.skip_space();
            let start = self.at;
            let right = self.leaf()?;
            if op == Op::Div && right == Expr::Int(0) {
                return Err(ExprError { message: "nothing can be divided by 0".to_owned(), span: start..self.at });
            }
            left = Expr::Binary(op, Box::new(left), Box::new(right));
        }
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
                self.mention(Mentioned::Pointee(name.to_owned()), start..self.at);
                Ok(Expr::Deref(name.to_owned()))
            }
            Some('$') => {
                let start = self.at;
                self.at += 1;
                let object = self.word().map(str::to_owned);
                let Some(object) = object.filter(|_| self.takes(".")) else {
                    return Err(self.unexpected("a handle and a name after `$`, as in `$object.name`"));
                };
                let Some(name) = self.word().map(str::to_owned) else { return Err(self.unexpected("a name")) };
                self.mention(Mentioned::Bound { object: object.clone(), name: name.clone() }, start..self.at);
                Ok(Expr::Bound { object, name })
            }
            Some('-') => {
                self.at += 1;
                match self.peek() {
                    Some(digit) if digit.is_ascii_digit() => self.integer().map(|value| Expr::Int(-value)),
                    _ => Err(self.unexpected("a number after `-`")),
                }
            }
            Some(digit) if digit.is_ascii_digit() => self.integer().map(Expr::Int),
            _ => self.name(),
        }
    }

    fn integer(&mut self) -> Result<i64, ExprError> {
        let start = self.at;
        let len = self.text[start..].find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(self.text.len() - start);
        self.at += len;
        let digits = &self.text[start..self.at];
        digits.parse::<u32>().map(i64::from).map_err(|_| ExprError {
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
        let end = self.at;
        let op = match (name, self.peek()) {
            ("min", Some('(')) => Op::Min,
            ("max", Some('(')) => Op::Max,
            (_, Some('(')) => {
                let call = Call { function: name.to_owned(), args: self.arguments()? };
                self.mention(Mentioned::Call(call.clone()), start..self.at);
                return Ok(Expr::Call(call));
            }
            ("ret", _) => {
                self.mention(Mentioned::Ret, start..end);
                return Ok(Expr::Ret);
            }
            ("fn", Some('.')) => {
                self.at += 1;
                let Some(name) = self.word() else { return Err(self.unexpected("a parameter's name after `fn.`")) };
                self.mention(Mentioned::Outer(name.to_owned()), start..self.at);
                return Ok(Expr::Outer(name.to_owned()));
            }
            _ => {
                self.mention(Mentioned::Value(name.to_owned()), start..end);
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

    /// What a function of the library is called with: what is checked against its parameters, not as a number of its own.
    fn arguments(&mut self) -> Result<Vec<Expr>, ExprError> {
        let outside = self.mentions.len();
        self.expect('(')?;
        let mut args = Vec::new();
        if self.peek() != Some(')') {
            loop {
                args.push(self.nested(Self::leaf)?);
                match self.peek() {
                    Some(',') => self.at += 1,
                    Some(')') => break,
                    _ => return Err(self.unexpected("`,` or `)`")),
                }
            }
        }
        self.expect(')')?;
        self.mentions.truncate(outside);
        Ok(args)
    }

    fn mention(&mut self, what: Mentioned, span: Range<usize>) {
        self.mentions.push(Mention { what, span });
    }

    fn takes(&mut self, sign: &str) -> bool {
        self.skip_space();
        let taken = self.text[self.at..].starts_with(sign);
        self.at += if taken { sign.len() } else { 0 };
        taken
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

fn misplaced_null(span: Range<usize>) -> ExprError {
    let message = "NULL is what a pointer is when a function has failed: `ret == NULL`".to_owned();
    ExprError { message, span }
}
