//! Arrays of pointers: how many there are, and what each leads to.

use super::{Checker, Contract, DIRS, Dir, ELEMENT_KINDS, Spanned, When, list};
use crate::{
    contract::{Element, expr::Expr, shape::Shape},
    policy::{PolicyError, model},
};

impl Checker<'_> {
    pub(super) fn array(&mut self, shape: &Shape) -> Option<Contract> {
        let goes_in = |dir: &Spanned<String>| dir.get_ref() == "in" || !DIRS.contains(&dir.get_ref().as_str());
        if self.is_returned() || self.words.dir.as_ref().is_some_and(|dir| !goes_in(dir)) {
            return self.comes_out();
        }
        self.only("array", &["len", "end", "elem", "null"]);
        let Some((_, pointer)) = shape.pointee().filter(|(_, pointer)| pointer.pointee().is_some()) else {
            return self.wrong_kind("does not point to pointers");
        };
        if shape.is_reference() || pointer.is_reference() {
            return self.wrong_kind("is declared with a reference, and `array` is for pointers to pointers");
        }
        let (ended, nullable) = (self.ended()?, self.nullable());
        let len = match &self.words.len {
            Some(len) => Some(self.expr(len, When::Before)?),
            None if ended => None,
            None => {
                self.error(self.at.clone(), format!("nothing says how many pointers `{}` has", self.subject_name()))
                    .help("add `len = \"…\"`: a parameter, a number, or an expression of those; or `end = \"NULL\"`, where that stands behind the last")
                    .push(self.errors);
                return None;
            }
        };
        let elem = self.elem(pointer)?;
        match &elem {
            Element::Cstr { nullable: true }
            | Element::Handle { nullable: true }
            | Element::Buf { nullable: true, .. }
                if ended =>
            {
                self.wrong_null_of_elem("NULL ends this array, so it can stand nowhere else in it")
            }
            Element::Buf { dir: Dir::Out | Dir::Inout, .. } if nullable => {
                let at = self.at_null();
                self.error(at, "an array of buffers that are written is never NULL in a wrapper")
                    .help("remove it; a form for the calls with NULL can say `kind = \"null\"`")
                    .push(self.errors);
                None
            }
            _ => Some(Contract::Array { len, ended, elem, nullable }),
        }
    }

    /// Pointers that the library hands out.
    fn comes_out(&mut self) -> Option<Contract> {
        let dir = self.words.dir.as_ref().or(self.words.kind.as_ref());
        let at = dir.map_or(self.at.clone(), Spanned::span);
        let message =
            format!("`{}` comes out, and an `array` goes in: no wrapper copies pointers out", self.subject_name());
        self.error(at, message)
            .help("take the function out with `except`; most libraries have another that gives one element at a time (`sqlite3_step` for `sqlite3_get_table`)")
            .push(self.errors);
        None
    }

    /// Whether NULL stands behind the last pointer.
    fn ended(&mut self) -> Option<bool> {
        let Some(end) = &self.words.end else { return Some(false) };
        if end.get_ref() == "NULL" {
            return Some(true);
        }
        self.error(end.span(), format!("an array of pointers does not end with `{}`", end.get_ref()))
            .help("say `end = \"NULL\"`, or `len = \"…\"`: how many there are")
            .push(self.errors);
        None
    }

    /// What each pointer leads to.
    fn elem(&mut self, pointer: &Shape) -> Option<Element> {
        let Some(words) = &self.words.elem else {
            let message = format!("nothing says what the pointers of `{}` lead to", self.subject_name());
            self.error(self.at.clone(), message)
                .help(format!("add `elem = {{ kind = \"…\" }}`, one of {}", list(&ELEMENT_KINDS)))
                .push(self.errors);
            return None;
        };
        let contract = words.get_ref().contract();
        let (words, at, errors) = (&contract, words.span(), &mut *self.errors);
        Checker { words, at, subject: self.subject, signature: self.signature, scope: self.scope, errors }.one(pointer)
    }

    /// One pointer of the array, of which the words are.
    fn one(&mut self, pointer: &Shape) -> Option<Element> {
        let (mutable, to) = pointer.pointee()?;
        let Some(kind) = &self.words.kind else {
            self.error(self.at.clone(), "no `kind` says what each pointer leads to")
                .help(format!("add `kind = \"…\"`, one of {}", list(&ELEMENT_KINDS)))
                .push(self.errors);
            return None;
        };
        match &**kind.get_ref() {
            "cstr" if to.is_byte() => {
                self.only("cstr", &["null"]);
                Some(Element::Cstr { nullable: self.nullable() })
            }
            "cstr" => self.wrong_elem("to characters", pointer),
            // There is no word for which one it is: `ty` is that of a parameter.
            "buf" | "obj" if *to == Shape::Int(None) => self.wrong_elem("to numbers of a type that is known", pointer),
            "obj" if to.is_flat() || to.hindrance().is_none() => {
                self.only("obj", &[]);
                Some(Element::Obj)
            }
            "obj" => self.wrong_elem("to plain values", pointer),
            "buf" if to.is_element() => self.one_buffer(mutable, to),
            "buf" => self.wrong_elem("to numbers or bytes", pointer),
            "handle" => {
                self.only("handle", &["null"]);
                Some(Element::Handle { nullable: self.nullable() })
            }
            word => {
                let error = PolicyError::new(kind.span(), format!("an array leads to no `{word}`"));
                let error = error.help(format!("one of {}", list(&ELEMENT_KINDS)));
                self.errors.push(error.did_you_mean(word, ELEMENT_KINDS));
                None
            }
        }
    }

    fn one_buffer(&mut self, mutable: bool, to: &Shape) -> Option<Element> {
        self.only("buf", &["dir", "len", "cap", "null"]);
        let dir = self.dir(if mutable { Dir::Inout } else { Dir::In });
        if dir != Dir::In && !mutable {
            let name = self.subject_name();
            self.dir_error(&format!("`{name}` leads to `*const {to}`, so its buffers can only be `in`"));
            return None;
        }
        let nullable = self.nullable();
        if nullable && dir != Dir::In {
            self.error(self.at_null(), "buffers that are written are always there").push(self.errors);
            return None;
        }
        let model::Contract { len: None, cap: None, .. } = self.words else {
            let said = self.bound_said(dir)?;
            let len = match said.get_ref().strip_suffix("[]") {
                Some(lengths) => self.each(lengths.trim(), said.span())?,
                None => self.expr(said, When::Before)?,
            };
            return Some(Element::Buf { dir, len, nullable });
        };
        let word = if dir == Dir::Out { "cap" } else { "len" };
        self.error(self.at.clone(), format!("nothing says how long each buffer of `{}` is", self.subject_name()))
            .help(format!("add `{word} = \"…\"`: a parameter, a number, `$object.name`, or an expression of those"))
            .push(self.errors);
        None
    }

    /// `lengths[]`: another array says how long each is.
    fn each(&mut self, lengths: &str, at: std::ops::Range<usize>) -> Option<Expr> {
        let holds = |shape: &Shape| {
            shape.pointee().is_some_and(|(_, to)| matches!(to, Shape::Int(Some(_)))) && !shape.is_reference()
        };
        if !lengths.chars().all(|c| c.is_alphanumeric() || c == '_') || lengths.is_empty() {
            let message = "`NAME[]` stands alone: a parameter that points to the length of each buffer";
            self.errors.push(PolicyError::new(at, message));
            return None;
        }
        let known: Vec<_> =
            self.signature.params.iter().filter(|param| holds(&param.shape)).map(|param| &*param.name).collect();
        if known.contains(&lengths) {
            return Some(Expr::Each(lengths.to_owned()));
        }
        let message = format!("`{}` has no parameter `{lengths}` that points to integers", self.signature.name);
        let help = if known.is_empty() { "none does".to_owned() } else { format!("one of {}", list(&known)) };
        self.errors.push(PolicyError::new(at, message).help(help).did_you_mean(lengths, known));
        None
    }

    fn wrong_elem(&mut self, wanted: &str, pointer: &Shape) -> Option<Element> {
        let at = self.words.kind.as_ref().map_or(self.at.clone(), Spanned::span);
        let message = format!("the pointers of `{}` do not lead {wanted}", self.subject_name());
        self.errors.push(PolicyError::new(at, message).label(format!("each is declared `{pointer}`")));
        None
    }

    fn wrong_null_of_elem(&mut self, message: &str) -> Option<Contract> {
        let null = self.words.elem.as_ref().and_then(|elem| elem.get_ref().null.as_ref());
        let at = null.map_or(self.at.clone(), Spanned::span);
        self.error(at, message).help("remove it, or say `len` in place of `end`").push(self.errors);
        None
    }
}
