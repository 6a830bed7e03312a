//! Words of the policy → [`Contract`], each wrong word an error at its place.

mod array;
mod callback;
mod expressions;
mod held;
mod inner;
mod kept;
mod kinds;
#[cfg(test)]
mod tests;

pub(crate) use callback::MOST_ARGUMENTS;

use super::{
    Contract, Dir, Failing,
    expr::{Condition, Expr},
    number::Number,
    object::Objects,
    shape::Shape,
};
use crate::{
    policy::{PolicyError, Spanned, model},
    rust,
};
use expressions::{Expressions, When};
use std::{collections::BTreeMap, ops::Range};

/// One foreign function, as far as contracts care.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) params: Vec<Param>,
    /// `None` for unit.
    pub(crate) ret: Option<Shape>,
    /// What it returns, as declared; empty for unit.
    pub(crate) ret_ty: String,
    /// Where the library has a declaration of its own, with as many parameters.
    pub(crate) called: Option<Called>,
    /// Lengths that it tells of objects: which parameter, by which name.
    pub(crate) binds: Vec<(usize, String)>,
}

/// What the library's own declaration calls its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    pub(crate) names: Vec<String>,
    /// They have the same types there.
    pub(crate) same_types: bool,
}

/// A parameter.
#[derive(Clone, Debug)]
pub(crate) struct Param {
    /// As declared; `arg3` for the third where it has none.
    pub(crate) name: String,
    /// As declared.
    pub(crate) ty: String,
    pub(crate) shape: Shape,
}

/// A function and those that run in the same domain, by name: what ends and frees things, and tells lengths and messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'s> {
    pub(crate) signature: &'s Signature,
    pub(crate) domain: &'s BTreeMap<String, Signature>,
    pub(crate) objects: &'s Objects,
    /// The function that takes a callback, where the signature is that.
    pub(crate) outer: Option<&'s Signature>,
}

/// What the words are about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Subject {
    /// Parameter by position.
    Param(usize),
    Ret,
}

/// What an entry of the policy says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stated {
    /// `None` where the entry only names a type.
    pub(crate) contract: Option<Contract>,
    /// Rust type to show instead of one that cannot be named.
    pub(crate) ty: Option<String>,
}

impl Signature {
    pub(crate) fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|param| param.name == name)
    }
}

/// Checks one entry. Errors are appended; `None` if there were any.
pub(crate) fn check(
    words: &Spanned<model::Contract>,
    subject: Subject,
    scope: Scope<'_>,
    errors: &mut Vec<PolicyError>,
) -> Option<Stated> {
    let before = errors.len();
    let mut checker =
        Checker { words: words.get_ref(), at: words.span(), subject, signature: scope.signature, scope, errors };
    let ty = checker.ty();
    let contract = checker.contract();
    (errors.len() == before).then_some(Stated { contract, ty })
}

/// Checks how a function tells that it failed.
pub(crate) fn failing(entry: &model::FnContract, scope: Scope<'_>, errors: &mut Vec<PolicyError>) -> Option<Failing> {
    let condition = entry.error.as_ref().and_then(|error| match error.get_ref() {
        model::ErrorWord::When(condition) => Some(Spanned::new(error.span(), condition.clone())),
        model::ErrorWord::Never => None,
    });
    let Some(error) = &condition else {
        if let Some(message) = &entry.message {
            let error = PolicyError::new(message.span(), "nothing says when there is a message");
            errors.push(error.help("add `error = \"…\"`: when the function has failed, `ret != 0` for one"));
        }
        return None;
    };
    let mut expressions = Expressions { scope, errors };
    let condition = expressions.condition(error);
    let message = entry.message.as_ref().map(|message| expressions.message(message));
    match (condition, message) {
        (Some(error), None) => Some(Failing { error, message: None, ships: false }),
        (Some(error), Some(Some(message))) => Some(Failing { error, message: Some(message), ships: false }),
        _ => None,
    }
}

/// Checks what must hold of the arguments before the call.
pub(crate) fn condition_before(
    text: &Spanned<String>,
    scope: Scope<'_>,
    errors: &mut Vec<PolicyError>,
) -> Option<Condition> {
    Expressions { scope, errors }.condition_before(text)
}

/// Checks a length that is known after the call.
pub(crate) fn length_after(text: &Spanned<String>, scope: Scope<'_>, errors: &mut Vec<PolicyError>) -> Option<Expr> {
    Expressions { scope, errors }.expr(text, When::After)
}

struct Checker<'c> {
    words: &'c model::Contract,
    at: Range<usize>,
    subject: Subject,
    signature: &'c Signature,
    scope: Scope<'c>,
    errors: &'c mut Vec<PolicyError>,
}

pub(crate) const KINDS: [&str; 9] = ["value", "obj", "buf", "array", "cstr", "handle", "null", "fixed", "cb"];
/// Those of what the pointers of an array lead to.
pub(crate) const ELEMENT_KINDS: [&str; 4] = ["cstr", "obj", "buf", "handle"];
/// Those of a callback's parameters.
pub(crate) const CALLBACK_KINDS: [&str; 6] = ["value", "user", "cstr", "strarr", "buf", "handle"];
pub(crate) const DIRS: [&str; 3] = ["in", "out", "inout"];
pub(crate) const NULLS: [&str; 3] = ["never", "ok", "size_query"];
pub(crate) const OWNS: [&str; 2] = ["give", "take"];
/// How long a callback may be called.
pub(crate) const SCOPES: [&str; 3] = ["call", "free:OBJECT", "slot:OBJECT.NAME"];
/// How long a library may look at what it was given, beyond the call.
pub(crate) const UNTIL: [&str; 2] = ["free:OBJECT", "slot:OBJECT.NAME"];
/// Words of the reference that no wrapper is generated for yet.
const LATER: [&str; 3] = ["domain", "host", "va"];
/// Words that some kinds know, and others do not.
const WORDS: [&str; 16] = [
    "dir", "len", "cap", "end", "elem", "written", "null", "own", "free", "parent", "inner_of", "value", "scope",
    "until", "user", "params",
];

impl Checker<'_> {
    fn contract(&mut self) -> Option<Contract> {
        let Some(kind) = &self.words.kind else {
            if WORDS.iter().any(|word| self.word(word).is_some()) {
                self.error(self.at.clone(), "no `kind` says what this is")
                    .help(format!("add `kind = \"…\"`, one of {}", list(&KINDS)))
                    .push(self.errors);
            }
            return None;
        };
        let shape = self.shape().clone();
        let from_library = if self.is_returned() { Some(&shape) } else { shape.pointee().map(|(_, to)| to) };
        if from_library.is_some_and(Shape::is_reference) {
            return self.wrong_kind("is a Rust reference that the library makes, and nothing says that it leads anywhere: declare it as a raw pointer");
        }
        match &**kind.get_ref() {
            "value" => {
                self.only("value", &[]);
                self.value(&shape)
            }
            "null" => {
                self.only("null", &[]);
                self.null(&shape)
            }
            "fixed" => {
                self.only("fixed", &["value"]);
                self.fixed(&shape)
            }
            "cstr" => self.cstr(&shape),
            "handle" => self.handle(&shape),
            "obj" => self.obj(&shape),
            "buf" => self.buf(&shape),
            "array" => self.array(&shape),
            "strarr" => {
                self.error(kind.span(), "`strarr` is for parameters of callbacks, under `params`")
                    .help(
                        "strings that the program passes: `kind = \"array\", len = \"…\", elem = { kind = \"cstr\" }`",
                    )
                    .push(self.errors);
                None
            }
            "cb" => self.callback(&shape),
            word if CALLBACK_KINDS.contains(&word) => {
                self.error(kind.span(), format!("`{word}` is for parameters of callbacks, under `params`"))
                    .help(format!("the other kinds: {}", list(&KINDS)))
                    .push(self.errors);
                None
            }
            word if LATER.contains(&word) => {
                self.error(kind.span(), format!("no wrappers are generated for kind `{word}` yet"))
                    .help(format!("the kinds there are: {}", list(&KINDS)))
                    .push(self.errors);
                None
            }
            word => {
                let mut error = self.error(kind.span(), format!("there is no kind `{word}`")).0;
                error = error.help(format!("one of {}", list(&KINDS)));
                self.errors.push(error.did_you_mean(word, KINDS));
                self.words_of_any_kind();
                None
            }
        }
    }

    /// Reads what can be read without knowing the kind, so that mistakes beside its own are told together with it.
    fn words_of_any_kind(&mut self) {
        self.dir(Dir::In);
        self.nullable();
        let model::Contract { len, cap, written, .. } = self.words;
        for expression in [len, cap, written].into_iter().flatten() {
            self.expr(expression, When::After);
        }
    }

    /// Reads an expression and checks what it speaks of.
    fn expr(&mut self, text: &Spanned<String>, when: When) -> Option<Expr> {
        Expressions { scope: self.scope, errors: self.errors }.expr(text, when)
    }

    fn dir(&mut self, default: Dir) -> Dir {
        let Some(dir) = &self.words.dir else { return default };
        match &**dir.get_ref() {
            "in" => Dir::In,
            "out" => Dir::Out,
            "inout" => Dir::Inout,
            word => {
                let error = PolicyError::new(dir.span(), format!("there is no direction `{word}`"));
                self.errors.push(error.help(format!("one of {}", list(&DIRS))).did_you_mean(word, DIRS));
                default
            }
        }
    }

    fn nullable(&mut self) -> bool {
        let Some(null) = &self.words.null else { return false };
        match &**null.get_ref() {
            "never" => false,
            "ok" if self.shape().is_reference() => {
                let message = "declared as a reference, which is never NULL";
                self.errors
                    .push(PolicyError::new(null.span(), message).help("remove `null = \"ok\"`, or declare a pointer"));
                false
            }
            "ok" => true,
            // The plan makes a function of its own of it, for buffers whose room is said.
            "size_query" => {
                let message = "only the room of an `out` buffer can be asked for by passing NULL";
                self.errors.push(PolicyError::new(null.span(), message).help("that of a `buf` with `dir = \"out\"`"));
                false
            }
            word => {
                let error = PolicyError::new(null.span(), format!("`null` is not `{word}`"));
                self.errors.push(error.help(format!("one of {}", list(&NULLS))).did_you_mean(word, NULLS));
                false
            }
        }
    }

    fn ty(&mut self) -> Option<String> {
        let ty = self.words.ty.as_ref()?;
        if let Err(error) = rust::ty(ty.get_ref()) {
            self.errors.push(PolicyError::new(ty.span(), format!("`{}` is not a Rust type: {error}", ty.get_ref())));
            return None;
        }
        // What we could not resolve is taken for what the policy says; the compiler will compare. Only numbers: a `bool` or a
        // reference that a domain returned would be believed unchecked.
        if matches!(self.shape(), Shape::Unknown { .. } | Shape::Int(None)) && Number::named(ty.get_ref()).is_none() {
            let message = format!("`{}` is not a number type", ty.get_ref());
            let error = PolicyError::new(ty.span(), message).label(format!("for what is declared `{}`", self.shape()));
            self.errors.push(error.help("a primitive or a name of `std::ffi`: `c_ulong`, `u32`, `f64`"));
            return None;
        }
        Some(ty.get_ref().clone())
    }

    /// `out` needs a `*mut`.
    fn writable(&mut self, dir: Dir, mutable: bool) -> Option<()> {
        if dir == Dir::In || mutable {
            return Some(());
        }
        self.dir_error(&format!("`{}` is declared `*const`, so it can only be `in`", self.subject_name()));
        None
    }

    /// There is no parameter through which it could come out or go in.
    fn is_returned(&self) -> bool {
        matches!(self.subject, Subject::Ret)
    }

    fn no_effect_of_null(&mut self) -> Option<Contract> {
        let at = self.words.null.as_ref().map_or(self.at.clone(), Spanned::span);
        self.error(at, "this has no effect: the wrapper always passes room for what comes out")
            .help("remove it")
            .push(self.errors);
        None
    }

    fn dir_error(&mut self, message: &str) {
        let at = self.words.dir.as_ref().map_or(self.at.clone(), Spanned::span);
        self.errors.push(PolicyError::new(at, message));
    }

    fn wrong_kind(&mut self, message: &str) -> Option<Contract> {
        let at = self.words.kind.as_ref().map_or(self.at.clone(), Spanned::span);
        let message = format!("`{}` {message}", self.subject_name());
        self.errors.push(PolicyError::new(at, message).label(format!("it is declared `{}`", self.shape())));
        None
    }

    /// A word that means nothing for this kind is a misunderstanding: say so instead of dropping it.
    fn only(&mut self, kind: &str, allowed: &[&str]) {
        self.only_of(&format!("kind `{kind}`"), "remove it, or choose another kind", allowed);
    }

    fn only_of(&mut self, what: &str, help: &str, allowed: &[&str]) {
        for word in WORDS {
            if let Some(at) = self.word(word)
                && !allowed.contains(&word)
            {
                let error = PolicyError::new(at, format!("`{word}` means nothing for {what}"));
                self.errors.push(error.help(help));
            }
        }
    }

    /// Where `null` is said.
    fn at_null(&self) -> Range<usize> {
        self.word("null").unwrap_or_else(|| self.at.clone())
    }

    fn word(&self, word: &str) -> Option<Range<usize>> {
        let words = self.words;
        let text = match word {
            "value" => return words.value.as_ref().map(Spanned::span),
            "params" => return words.params.as_ref().map(Spanned::span),
            "elem" => return words.elem.as_ref().map(Spanned::span),
            "scope" => &words.scope,
            "until" => &words.until,
            "user" => &words.user,
            "dir" => &words.dir,
            "len" => &words.len,
            "cap" => &words.cap,
            "end" => &words.end,
            "written" => &words.written,
            "own" => &words.own,
            "free" => &words.free,
            "parent" => &words.parent,
            "inner_of" => &words.inner_of,
            _ => &words.null,
        };
        text.as_ref().map(Spanned::span)
    }

    fn shape(&self) -> &Shape {
        match self.subject {
            Subject::Param(index) => &self.signature.params[index].shape,
            Subject::Ret => self.signature.ret.as_ref().unwrap_or(&Shape::Void),
        }
    }

    fn subject_name(&self) -> &str {
        match self.subject {
            Subject::Param(index) => &self.signature.params[index].name,
            Subject::Ret => "ret",
        }
    }

    fn error(&self, at: Range<usize>, message: impl Into<String>) -> Pending {
        Pending(PolicyError::new(at, message))
    }
}

/// An error on its way: lets `self` be borrowed while it is made.
struct Pending(PolicyError);

impl Pending {
    fn help(self, help: impl Into<String>) -> Self {
        Self(self.0.help(help))
    }

    fn push(self, errors: &mut Vec<PolicyError>) {
        errors.push(self.0);
    }
}

fn reason(why: &str) -> String {
    if why.starts_with("it") || why.starts_with('`') { why.to_owned() } else { format!("it is {why}") }
}

/// `a`, `b` or `c`, each in backticks.
pub(crate) fn list(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    quoted.join(", ")
}
