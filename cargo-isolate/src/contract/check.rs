//! Words of the policy → [`Contract`], each wrong word an error at its place.

use super::{
    Contract, Dir,
    expr::{Expr, NameUse},
    shape::Shape,
    types,
};
use crate::policy::{PolicyError, Spanned, model};
use std::ops::Range;

/// One foreign function, as far as contracts care.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) params: Vec<Param>,
    /// `None` for unit.
    pub(crate) ret: Option<Shape>,
}

/// A parameter.
#[derive(Clone, Debug)]
pub(crate) struct Param {
    /// As declared; `arg3` for the third where it has none.
    pub(crate) name: String,
    pub(crate) shape: Shape,
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
    signature: &Signature,
    errors: &mut Vec<PolicyError>,
) -> Option<Stated> {
    let before = errors.len();
    let mut checker = Checker { words: words.get_ref(), at: words.span(), subject, signature, errors };
    let ty = checker.ty();
    let contract = checker.contract();
    (errors.len() == before).then_some(Stated { contract, ty })
}

struct Checker<'c> {
    words: &'c model::Contract,
    at: Range<usize>,
    subject: Subject,
    signature: &'c Signature,
    errors: &'c mut Vec<PolicyError>,
}

pub(crate) const KINDS: [&str; 5] = ["value", "obj", "buf", "cstr", "handle"];
pub(crate) const DIRS: [&str; 3] = ["in", "out", "inout"];
pub(crate) const NULLS: [&str; 2] = ["never", "ok"];
/// Words of the reference that no wrapper is generated for yet.
const LATER: [&str; 7] = ["array", "strarr", "domain", "host", "cb", "user", "va"];

impl Checker<'_> {
    fn contract(&mut self) -> Option<Contract> {
        let Some(kind) = &self.words.kind else {
            let others = ["dir", "len", "cap", "written", "null"];
            if others.iter().any(|word| self.word(word).is_some()) {
                self.error(self.at.clone(), "no `kind` says what this is")
                    .help(format!("add `kind = \"…\"`, one of {}", list(&KINDS)))
                    .push(self.errors);
            }
            return None;
        };
        let shape = self.shape().clone();
        match &**kind.get_ref() {
            "value" => {
                self.only("value", &[]);
                self.value(&shape)
            }
            "cstr" => self.cstr(&shape),
            "handle" => self.handle(&shape),
            "obj" => self.obj(&shape),
            "buf" => self.buf(&shape),
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
                None
            }
        }
    }

    fn value(&mut self, shape: &Shape) -> Option<Contract> {
        let returned = matches!(self.subject, Subject::Ret);
        match shape {
            Shape::Pointer { .. } => self.wrong_kind("is a pointer, and `value` is for what is not"),
            Shape::Function => self.wrong_kind("is a callback, for which no wrappers are generated yet"),
            Shape::Unknown { .. } | Shape::Int(None) if self.words.ty.is_some() => Some(Contract::Value),
            Shape::Unknown { .. } | Shape::Int(None) => {
                self.wrong_kind("is of a type that is not known: add `ty`, the number type that it is")
            }
            Shape::Bool | Shape::Enum { copy: true, .. } if !returned => Some(Contract::Value),
            Shape::Void if returned => Some(Contract::Value),
            shape => match shape.hindrance() {
                // Nothing that comes out of a domain is believed to be a valid `bool` or enum.
                Some(why) => self.wrong_kind(&format!("cannot cross by value: {}", reason(&why))),
                None => Some(Contract::Value),
            },
        }
    }

    fn cstr(&mut self, shape: &Shape) -> Option<Contract> {
        self.only("cstr", &["dir", "null"]);
        let dir = self.dir(Dir::In);
        let nullable = self.nullable();
        if dir == Dir::Out || (dir == Dir::Inout && matches!(self.subject, Subject::Ret)) {
            self.dir_error("a string is read (`in`), or read and changed (`inout`); a returned one has no direction");
            return None;
        }
        match shape.pointee() {
            Some((mutable, to)) if to.is_byte() => {
                self.writable(dir, mutable)?;
                Some(Contract::Cstr { dir, nullable })
            }
            _ => self.wrong_kind("does not point to characters"),
        }
    }

    fn handle(&mut self, shape: &Shape) -> Option<Contract> {
        self.only("handle", &["dir", "null"]);
        let dir = self.dir(Dir::In);
        let nullable = self.nullable();
        let Some((mutable, to)) = shape.pointee() else { return self.wrong_kind("is not a pointer") };
        match dir {
            Dir::Inout => {
                self.dir_error("a handle goes `in` or comes `out`");
                None
            }
            Dir::Out if matches!(self.subject, Subject::Ret) => {
                self.dir_error("a return value has no direction");
                None
            }
            Dir::Out if !mutable || to.pointee().is_none() => {
                self.wrong_kind("is not a `*mut` to a pointer, so no handle can come out of it")
            }
            Dir::Out if nullable => self.no_effect_of_null(),
            _ => Some(Contract::Handle { dir, nullable }),
        }
    }

    fn obj(&mut self, shape: &Shape) -> Option<Contract> {
        self.only("obj", &["dir", "null"]);
        self.not_returned("obj")?;
        let Some((mutable, to)) = shape.pointee() else { return self.wrong_kind("is not a pointer") };
        let dir = self.dir(if mutable { Dir::Inout } else { Dir::In });
        let nullable = self.nullable();
        self.writable(dir, mutable)?;
        if let Some(why) = to.hindrance() {
            let message = format!("`{to}` cannot be copied to and from a domain: {}", reason(&why));
            self.error(self.at.clone(), message).push(self.errors);
            return None;
        }
        if nullable && dir == Dir::Out {
            return self.no_effect_of_null();
        }
        Some(Contract::Obj { dir, nullable })
    }

    fn buf(&mut self, shape: &Shape) -> Option<Contract> {
        self.only("buf", &["dir", "len", "cap", "written", "null"]);
        self.not_returned("buf")?;
        let Some((mutable, to)) = shape.pointee() else { return self.wrong_kind("is not a pointer") };
        let dir = self.dir(if mutable { Dir::Inout } else { Dir::In });
        let nullable = self.nullable();
        self.writable(dir, mutable)?;
        if !matches!(to, Shape::Void)
            && let Some(why) = to.hindrance()
        {
            let message = format!("elements of type `{to}` cannot be copied to and from a domain: {}", reason(&why));
            self.error(self.at.clone(), message).push(self.errors);
            return None;
        }
        let bound = match (dir, &self.words.len, &self.words.cap) {
            (Dir::Out, Some(len), _) => {
                self.error(len.span(), "an `out` buffer has no length before the call")
                    .help("say `cap = \"…\"`: how many elements it has room for")
                    .push(self.errors);
                return None;
            }
            (Dir::In, _, Some(cap)) => {
                self.error(cap.span(), "an `in` buffer has no capacity")
                    .help("say `len = \"…\"`: how many elements the function reads")
                    .push(self.errors);
                return None;
            }
            (Dir::Inout, Some(_), Some(cap)) => {
                self.error(cap.span(), "`len` and `cap` say the same of an `inout` buffer")
                    .help("remove one")
                    .push(self.errors);
                return None;
            }
            (_, Some(bound), _) | (_, _, Some(bound)) => bound,
            (_, None, None) => {
                let word = if dir == Dir::Out { "cap" } else { "len" };
                self.error(self.at.clone(), format!("nothing says how long `{}` is", self.subject_name()))
                    .help(format!(
                        "add `{word} = \"…\"`: a parameter, `*parameter`, a number, or an expression of those"
                    ))
                    .push(self.errors);
                return None;
            }
        };
        let len = self.expr(bound, false);
        let written = match &self.words.written {
            Some(written) if dir == Dir::In => {
                self.error(written.span(), "nothing is written to an `in` buffer").push(self.errors);
                return None;
            }
            Some(written) => Some(self.expr(written, true)?),
            // What is `out` is wholly written; of what is `inout` the rest keeps its value anyway.
            None => None,
        };
        Some(Contract::Buf { dir, len: len?, written, nullable })
    }

    /// Reads an expression and checks its names against the signature.
    fn expr(&mut self, text: &Spanned<String>, after_call: bool) -> Option<Expr> {
        // The place inside the string, as far as no escapes stand before it.
        let place = |span: &Range<usize>| {
            let quoted = text.span().len() == text.get_ref().len() + 2;
            let start = text.span().start + 1;
            if quoted { start + span.start..start + span.end } else { text.span() }
        };
        let (expr, names) = match Expr::parse(text.get_ref()) {
            Ok(parsed) => parsed,
            Err(error) => {
                self.errors.push(PolicyError::new(place(&error.span), error.message));
                return None;
            }
        };
        let before = self.errors.len();
        for name in &names {
            if let Err(error) = self.name(name, place(&name.span), after_call) {
                self.errors.push(error);
            }
        }
        let leaves = expr.leaves();
        if leaves.contains(&&Expr::Ret) {
            if !after_call {
                let message = "`ret` is not known before the call";
                self.errors.push(PolicyError::new(text.span(), message).help("`written` may use it"));
            } else if !self.signature.ret.as_ref().is_some_and(Shape::is_int) {
                let message = format!("`ret` is no integer: what `{}` returns", self.signature.name);
                self.errors.push(PolicyError::new(text.span(), message));
            }
        }
        (self.errors.len() == before).then_some(expr)
    }

    fn name(&self, used: &NameUse, at: Range<usize>, after_call: bool) -> Result<(), PolicyError> {
        let name = &used.name;
        let Some(param) = self.signature.param(name) else {
            let message = format!("`{}` has no parameter `{name}`", self.signature.name);
            let usable = self.usable(after_call);
            let usable: Vec<_> = usable.iter().map(|name| &**name).collect();
            let numbers =
                if usable.is_empty() { "numbers".to_owned() } else { format!("{} and numbers", list(&usable)) };
            return Err(PolicyError::new(at, message)
                .help(format!("made of {numbers}, with `+`, `-`, `*`, `min(…)` and `max(…)`"))
                .did_you_mean(name, usable));
        };
        match (used.deref, param.shape.pointee()) {
            (false, None) if param.shape.is_int() => Ok(()),
            (true, Some((_, to))) if to.is_int() => Ok(()),
            (false, Some((_, to))) if to.is_int() => {
                Err(PolicyError::new(at, format!("`{name}` is a pointer"))
                    .help(format!("what it points to is `*{name}`")))
            }
            (true, None) if param.shape.is_int() => {
                Err(PolicyError::new(at, format!("`{name}` is no pointer")).help(format!("write `{name}`")))
            }
            _ => Err(PolicyError::new(
                at,
                format!("`{name}` is neither an integer nor a pointer to one: `{}`", param.shape),
            )),
        }
    }

    /// What an expression about this function can be made of, besides numbers.
    fn usable(&self, after_call: bool) -> Vec<String> {
        let params = self.signature.params.iter().filter_map(|param| match param.shape.pointee() {
            None if param.shape.is_int() => Some(param.name.clone()),
            Some((_, to)) if to.is_int() && !to.is_byte() => Some(format!("*{}", param.name)),
            _ => None,
        });
        let ret = after_call && self.signature.ret.as_ref().is_some_and(Shape::is_int);
        params.chain(ret.then(|| "ret".to_owned())).collect()
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
            "ok" => true,
            "size_query" => {
                let message = "no wrappers are generated for `null = \"size_query\"` yet";
                self.errors.push(PolicyError::new(null.span(), message).help(format!("one of {}", list(&NULLS))));
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
        if let Err(error) = syn::parse_str::<syn::Type>(ty.get_ref()) {
            self.errors.push(PolicyError::new(ty.span(), format!("`{}` is not a Rust type: {error}", ty.get_ref())));
            return None;
        }
        // What we could not resolve is taken for what the policy says; the compiler will compare. Only numbers: a `bool` or a
        // reference that a domain returned would be believed unchecked.
        if matches!(self.shape(), Shape::Unknown { .. } | Shape::Int(None)) && !types::is_number(ty.get_ref()) {
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

    fn not_returned(&mut self, kind: &str) -> Option<()> {
        if matches!(self.subject, Subject::Param(_)) {
            return Some(());
        }
        let at = self.words.kind.as_ref().map_or(self.at.clone(), Spanned::span);
        self.error(at, format!("no wrappers are generated for a returned `{kind}` yet"))
            .help("a return value is a `value`, a `cstr` or a `handle`")
            .push(self.errors);
        None
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
        for word in ["dir", "len", "cap", "written", "null"] {
            if let Some(at) = self.word(word)
                && !allowed.contains(&word)
            {
                let error = PolicyError::new(at, format!("`{word}` means nothing for kind `{kind}`"));
                self.errors.push(error.help("remove it, or choose another kind"));
            }
        }
    }

    fn word(&self, word: &str) -> Option<Range<usize>> {
        let words = self.words;
        let value = match word {
            "dir" => &words.dir,
            "len" => &words.len,
            "cap" => &words.cap,
            "written" => &words.written,
            _ => &words.null,
        };
        value.as_ref().map(Spanned::span)
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
