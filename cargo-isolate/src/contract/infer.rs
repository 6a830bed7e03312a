//! Contracts that a bare signature proves, each with its evidence; everything else is refused with a stub to paste.
//!
//! The rules and how often each was right are those measured in the design notes: a rule that put a wrong length on a
//! buffer even rarely is not here, because our own trusted copy would then be the overflow.

use super::{
    Contract, Dir, Hold,
    check::{Param, Signature},
    expr::Expr,
    shape::Shape,
};
use serde::Serialize;

/// How much an inferred contract can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Tier {
    /// Right in practically every case that was measured.
    Proven,
    /// Generated, and listed for a human to look at: assumes that the function keeps no pointer.
    Likely,
}

/// What a rule says about one parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Inference {
    Found { contract: Contract, tier: Tier, evidence: String },
    Refused(Refusal),
}

/// Why there is no contract, and what one might look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: String,
    /// Right side of the policy entry to start from; `None` where no contract can help yet.
    pub(crate) candidate: Option<String>,
}

/// What is known of each parameter before the rules run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// Contracts from the policy, by position.
    pub(crate) stated: Vec<Option<Contract>>,
}

impl Known {
    /// The integer parameter is the length of some buffer already.
    fn is_claimed(&self, name: &str) -> bool {
        self.stated.iter().flatten().any(|contract| match contract {
            Contract::Buf { len, .. } => len.leaves().iter().any(|leaf| match leaf {
                Expr::Name(used) | Expr::Deref(used) => used == name,
                _ => false,
            }),
            _ => false,
        })
    }
}

/// Infers the contract of the parameter at `index`.
pub(crate) fn param(signature: &Signature, index: usize, known: &Known) -> Inference {
    let subject = &signature.params[index];
    match &subject.shape {
        Shape::Pointer { mutable, to } => Pointer { signature, index, known, mutable: *mutable, to }.infer(),
        shape => value(shape, false),
    }
}

/// Infers the contract of the return value.
pub(crate) fn ret(shape: &Shape) -> Inference {
    let Some((mutable, to)) = shape.pointee() else { return value(shape, true) };
    match to {
        Shape::Char if !mutable => found(
            Contract::Cstr { dir: Dir::In, nullable: true, free: None },
            Tier::Proven,
            "a returned `*const c_char` is a string that the library keeps; it is copied",
        ),
        Shape::Opaque(_) => found(
            Contract::Handle { dir: Dir::In, nullable: true, hold: Hold::Keep },
            Tier::Likely,
            "a returned pointer to an opaque type is a handle",
        ),
        Shape::Char => refused(
            "a returned `*mut c_char`: nothing says who frees it; as a `cstr` it is copied and never freed",
            Some("{ kind = \"cstr\", null = \"ok\" }"),
        ),
        _ => refused(format!("a returned `{shape}`: nothing says how much it points to or who owns it"), None),
    }
}

/// Something passed or returned in registers.
fn value(shape: &Shape, returned: bool) -> Inference {
    let passed = |evidence| found(Contract::Value, Tier::Proven, evidence);
    match shape {
        Shape::Int(Some(_)) | Shape::Float(_) => passed("a number"),
        Shape::Char => passed("a character"),
        Shape::Int(None) => refused(
            format!("`{shape}`: an integer whose type differs between configurations, so no name is right in all"),
            Some("{ kind = \"value\", ty = \"c_ulong\" }"),
        ),
        Shape::Void if returned => passed("nothing"),
        Shape::Bool | Shape::Enum { .. } if returned => {
            let why = shape.hindrance().unwrap_or_default();
            refused(format!("it returns {why}: declare the return type as an integer and check it"), None)
        }
        Shape::Enum { path, copy: false } => {
            refused(format!("the enum `{}` is passed by value, but it is not `Copy`", path.name), None)
        }
        Shape::Bool | Shape::Enum { .. } => passed("passed by value"),
        Shape::Struct { path, hindrance } => match hindrance {
            None => passed("a struct of plain numbers, by value"),
            Some(why) => refused(format!("the struct `{}` is passed by value, but {why}", path.name), None),
        },
        Shape::Function => refused("a callback: wrappers for functions that call back are not generated yet", None),
        Shape::Unknown { ty, why } if ty.starts_with('&') => refused(format!("`{ty}`: {why}"), None),
        Shape::Unknown { ty, why } => {
            refused(format!("its type `{ty}` is not known: {why}"), Some("{ kind = \"value\", ty = \"…\" }"))
        }
        Shape::Array { .. } | Shape::Opaque(_) | Shape::Void | Shape::Pointer { .. } => {
            refused(format!("`{shape}` cannot be passed by value in C"), None)
        }
    }
}

#[derive(Clone, Copy)]
struct Pointer<'s> {
    signature: &'s Signature,
    index: usize,
    known: &'s Known,
    mutable: bool,
    to: &'s Shape,
}

impl Pointer<'_> {
    /// First match wins.
    fn infer(&self) -> Inference {
        match (self.to, self.mutable) {
            (Shape::Opaque(path), _) => found(
                Contract::Handle { dir: Dir::In, nullable: false, hold: Hold::Keep },
                Tier::Proven,
                format!("`{}` is opaque: a handle", path.name),
            ),
            (Shape::Char, false) if !self.has_length_nearby() => self.unless_kept(
                Contract::Cstr { dir: Dir::In, nullable: false, free: None },
                "`*const c_char` in a function without a length for it: a string that ends with NUL".to_owned(),
            ),
            (to, false) if to.is_byte() || to.is_number() => self.input(),
            (to, true) if to.is_byte() => self.output(),
            (to, true) if to.is_number() => self.scalar(),
            (Shape::Pointer { to, .. }, true) if matches!(**to, Shape::Opaque(_)) => found(
                Contract::Handle { dir: Dir::Out, nullable: false, hold: Hold::Keep },
                Tier::Likely,
                format!("pointer to a pointer to the opaque `{to}`: a handle comes out"),
            ),
            (Shape::Struct { path, hindrance: None }, mutable) => self.plain_struct(&path.name, mutable),
            (Shape::Struct { path, hindrance: Some(why) }, _) => {
                let name = &path.name;
                refused(format!("`{name}` is a struct that cannot be copied as it is: {}", self.because(why)), None)
            }
            (Shape::Unknown { ty, why }, _) => {
                refused(format!("`{ty}` is not known: {why}"), Some("{ kind = \"handle\" }"))
            }
            (to, _) => refused(format!("nothing in the signature says what `{}{to}` points to", self.star()), None),
        }
    }

    /// `*const` numbers: an input buffer if its length is beyond doubt.
    fn input(&self) -> Inference {
        let name = self.name();
        let next = self.next_length();
        if let Some(length) = self.own_length() {
            let evidence = format!("`*const` with a length named after it, `{}`", length.name);
            return self.unless_kept(buf(Dir::In, &length.name), evidence);
        }
        if let Some(length) = next
            && !self.shares_length()
        {
            let evidence = format!("`*const` followed by a length, `{}`", length.name);
            return self.unless_kept(buf(Dir::In, &length.name), evidence);
        }
        refused(
            format!("`{}{}` without a length that is surely that of `{name}`", self.star(), self.to),
            Some(&self.start("kind = \"buf\", dir = \"in\", len", next)),
        )
    }

    /// An input is lent for the call. Where the function also gets an object, or makes one, it may keep the pointer in there,
    /// and no signature says so.
    fn unless_kept(&self, contract: Contract, evidence: String) -> Inference {
        let is_object = |param: &Param| match &param.shape {
            Shape::Unknown { ty, .. } => ty.starts_with("& mut") || ty.starts_with("&mut"),
            shape => match shape.pointee() {
                Some((true, Shape::Pointer { .. })) | None => false,
                Some((mutable, to)) => mutable && !to.is_byte() && !to.is_number(),
            },
        };
        let returned = self.signature.ret.as_ref().and_then(Shape::pointee);
        let keeper = match self.signature.params.iter().find(|param| is_object(param)) {
            Some(object) => format!("`{}`", object.name),
            None if returned.is_some_and(|(_, to)| matches!(to, Shape::Opaque(_) | Shape::Struct { .. })) => {
                "what it returns".to_owned()
            }
            None => return found(contract, Tier::Proven, evidence),
        };
        found(contract, Tier::Likely, format!("{evidence}; assumes that {keeper} does not keep it"))
    }

    /// `*mut` bytes: an output buffer only if the length bears its name. Staged as `inout`, since nothing says how much of it
    /// is written, and the rest must keep its value.
    fn output(&self) -> Inference {
        if let Some(length) = self.own_length() {
            let evidence = format!(
                "`*mut` bytes with a length named after it, `{}`; what is not written keeps its value",
                length.name
            );
            return found(buf(Dir::Inout, &length.name), Tier::Likely, evidence);
        }
        let name = self.name();
        let cell = self.signature.params.iter().find(|param| self.is_length_cell(param));
        if let Some(cell) = cell {
            let cell = &cell.name;
            return refused(
                format!("`{name}` with a length behind a pointer, `{cell}`: is `*{cell}` its capacity on entry?"),
                Some(&format!("{{ kind = \"buf\", dir = \"out\", cap = \"*{cell}\", written = \"*{cell}\" }}")),
            );
        }
        refused(
            format!("`{}{}` without a length that is surely that of `{name}`", self.star(), self.to),
            Some(&self.start("kind = \"buf\", dir = \"out\", cap", self.next_length())),
        )
    }

    /// `*mut` number: one value comes out, unless something smells of an array or of a length cell.
    fn scalar(&self) -> Inference {
        let name = self.name();
        if let Some(length) = self.own_length().or_else(|| self.next_length()) {
            let length = &length.name;
            return refused(
                format!("`*mut {}` beside the integer `{length}`: one value, or as many as `{length}` says?", self.to),
                Some(&format!("{{ kind = \"buf\", dir = \"out\", cap = \"{length}\" }}")),
            );
        }
        if is_position(name) {
            return refused(
                format!("`{name}` looks like a place in a buffer: does the function read it, or only write it?"),
                Some("{ kind = \"obj\", dir = \"inout\" }"),
            );
        }
        let me = &self.signature.params[self.index];
        if self.is_length_cell(me) && self.has_output() {
            return refused(
                format!("`{name}` looks like the length of a buffer: does the function read it, or only write it?"),
                Some("{ kind = \"obj\", dir = \"inout\" }"),
            );
        }
        let evidence = format!("`*mut {}` without a length: one value comes out", self.to);
        found(Contract::Obj { dir: Dir::Out, nullable: false }, Tier::Likely, evidence)
    }

    /// Bytes come out: into a buffer, through a cursor, or as what is returned.
    fn has_output(&self) -> bool {
        let params = self.signature.params.iter().filter_map(|param| param.shape.pointee());
        let by_param = params.into_iter().any(|(mutable, to)| match to {
            Shape::Pointer { to, .. } => mutable && to.is_byte(),
            to => mutable && to.is_byte(),
        });
        let returned = self.signature.ret.as_ref().and_then(Shape::pointee);
        by_param || returned.is_some_and(|(_, to)| to.is_byte())
    }

    fn plain_struct(&self, name: &str, mutable: bool) -> Inference {
        if let Some(length) = self.own_length() {
            let length = &length.name;
            let candidate = format!("{{ kind = \"buf\", len = \"{length}\" }}");
            return refused(format!("one `{name}`, or as many as `{length}` says?"), Some(&candidate));
        }
        if mutable {
            let evidence = format!("`*mut {name}`, a struct of plain numbers: copied in and back");
            found(Contract::Obj { dir: Dir::Inout, nullable: false }, Tier::Likely, evidence)
        } else {
            let evidence = format!("`*const {name}`, a struct of plain numbers");
            found(Contract::Obj { dir: Dir::In, nullable: false }, Tier::Proven, evidence)
        }
    }

    /// A buffer to start from in a stub, with a length that its name or its place speak for. Where none is, the entry does not
    /// pass as it is, and its comment says which parameters are left to choose from.
    fn start(&self, words: &str, next: Option<&Param>) -> String {
        let free: Vec<_> = self.free_lengths().filter(|length| !self.follows_another(length)).collect();
        let named = self.open_lengths().find(|length| self.shares_name(length));
        let length = match (next.or(named), &free[..]) {
            (Some(length), _) => Some(length.name.clone()),
            // Two in a row are most likely a size and a count.
            (None, [size, count, ..]) if !self.has_rival() => Some(format!("{} * {}", size.name, count.name)),
            (None, [length, ..]) => Some(length.name.clone()),
            (None, []) => None,
        };
        // `msg32`, and nothing else that could say it.
        let length = length.or_else(|| self.digits().filter(|_| self.open_lengths().next().is_none()));
        if let Some(length) = length {
            return format!("{{ {words} = \"{length}\" }}");
        }
        let left: Vec<_> = self.open_lengths().map(|length| format!("`{}`", length.name)).collect();
        let left = if left.is_empty() { String::new() } else { format!("{}, or ", left.join(", ")) };
        format!("{{ {words} = \"LENGTH\" }}  # LENGTH: {left}a number")
    }

    /// The number that a buffer's name ends with, where it can be one of bytes: `msg32`, `out66`, and not `in2` or `utf16`.
    fn digits(&self) -> Option<String> {
        let name = self.name();
        let word = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = &name[word.len()..];
        let is_size = digits.parse().is_ok_and(|bytes: u32| (12..=4096).contains(&bytes));
        (is_size && self.to.is_byte() && word.len() > 1 && !word.ends_with("utf")).then(|| digits.to_owned())
    }

    /// Integers that no other pointer has a better claim to.
    fn open_lengths(&self) -> impl Iterator<Item = &Param> {
        self.lengths().filter(|length| {
            !self.belongs_to_another(length) && !self.known.is_claimed(&length.name) && !self.follows_another(length)
        })
    }

    /// `dst_cap` and `dst`, `out_nbytes_avail` and `out`.
    fn shares_name(&self, length: &Param) -> bool {
        let (length, name) = (plain(&length.name), plain(self.name()));
        name.len() > 1 && (length.starts_with(&name) || length.ends_with(&name))
    }

    /// A length right behind another `*const` buffer, for which the rules will take it: `(src, len, dst)`.
    fn follows_another(&self, length: &Param) -> bool {
        let params = &self.signature.params;
        let Some(at) = params.iter().position(|param| param.name == length.name) else { return false };
        let before = at.checked_sub(1).filter(|before| *before != self.index);
        before.is_some_and(|before| {
            let other = Pointer { index: before, ..*self };
            let is_input = |(mutable, to): (bool, &Shape)| !mutable && (to.is_byte() || to.is_number());
            params[before].shape.pointee().is_some_and(is_input)
                && other.next_length().is_some()
                && !other.shares_length()
        })
    }

    /// Another pointer may claim a length as well.
    fn has_rival(&self) -> bool {
        let others = self.signature.params.iter().enumerate().filter(|(index, _)| *index != self.index);
        others.into_iter().any(|(_, param)| param.shape.pointee().is_some_and(|(_, to)| to.is_byte() || to.is_number()))
    }

    fn name(&self) -> &str {
        &self.signature.params[self.index].name
    }

    fn star(&self) -> &'static str {
        if self.mutable { "*mut " } else { "*const " }
    }

    fn because(&self, why: &str) -> String {
        why.replacen("its field", "the field", 1)
    }

    /// An integer parameter whose name says that it is the length of this one.
    fn own_length(&self) -> Option<&Param> {
        let name = plain(self.name());
        let stem = name.strip_prefix('p').filter(|_| self.name().starts_with("p_")).unwrap_or(&name);
        self.lengths().find(|length| is_length_of(&plain(&length.name), stem))
    }

    /// The next parameter, if it is an integer with a length's name that is not the first of several (`size, nmemb`).
    fn next_length(&self) -> Option<&Param> {
        let is_length = |index: usize| {
            let param = self.signature.params.get(index)?;
            (param.shape.is_int() && sounds_like_length(&param.name)).then_some(param)
        };
        let next = is_length(self.index + 1)?;
        if is_length(self.index + 2).is_some() || self.belongs_to_another(next) || self.known.is_claimed(&next.name) {
            return None;
        }
        Some(next)
    }

    /// `(a, b, len)`: whose length is it?
    fn shares_length(&self) -> bool {
        let Some(before) = self.index.checked_sub(1) else { return false };
        let before = &self.signature.params[before];
        let is_data = before.shape.pointee().is_some_and(|(_, to)| to.is_byte() || to.is_number());
        is_data
            && !self.lengths().any(|length| is_length_of(&plain(&length.name), &plain(&before.name)))
            && self.known.stated.get(self.index - 1).is_none_or(Option::is_none)
    }

    /// Named after some other pointer, or after what it points to: `stream_size` beside a `z_stream *` is its `sizeof`.
    fn belongs_to_another(&self, length: &Param) -> bool {
        let name = plain(&length.name);
        let stem = ["size", "length", "len"].into_iter().find_map(|word| name.strip_suffix(word)).unwrap_or_default();
        let measures = |param: &Param| match param.shape.pointee() {
            Some((_, Shape::Struct { path, .. } | Shape::Opaque(path))) => {
                stem.len() > 2 && plain(&path.name).contains(stem)
            }
            _ => false,
        };
        self.signature.params.iter().enumerate().any(|(index, param)| {
            index != self.index
                && param.shape.pointee().is_some()
                && (is_length_of(&name, &plain(&param.name)) || measures(param))
        })
    }

    /// Some integer could be a length of this one: then a `*const c_char` may be bytes.
    fn has_length_nearby(&self) -> bool {
        self.own_length().is_some() || self.free_lengths().next().is_some()
    }

    fn free_lengths(&self) -> impl Iterator<Item = &Param> {
        self.lengths().filter(|length| {
            sounds_like_length(&length.name) && !self.belongs_to_another(length) && !self.known.is_claimed(&length.name)
        })
    }

    fn lengths(&self) -> impl Iterator<Item = &Param> {
        self.signature.params.iter().filter(|param| param.shape.is_int())
    }

    fn is_length_cell(&self, param: &Param) -> bool {
        param.shape.pointee().is_some_and(|(mutable, to)| mutable && to.is_int()) && sounds_like_length(&param.name)
    }
}

const LENGTHS: [&str; 14] =
    ["len", "length", "size", "sz", "count", "cnt", "num", "nbytes", "bytes", "nbyte", "cb", "n", "siz", "capacity"];

/// `destLen` → `destlen`.
fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

/// `len`, `n`, `source_len`, `maxDestSize`.
fn sounds_like_length(name: &str) -> bool {
    let name = plain(name);
    name == "n"
        || LENGTHS.iter().filter(|word| word.len() > 1).any(|word| name.ends_with(word) || name.starts_with(word))
}

/// `in_pos`, `available_out`: what stream functions read and move on.
fn is_position(name: &str) -> bool {
    let name = plain(name);
    name.starts_with("avail") || ["pos", "position", "offset"].iter().any(|word| name.ends_with(word))
}

/// Both in plain form: `sourcelen` is the length of `source`, `nsource` as well.
fn is_length_of(length: &str, stem: &str) -> bool {
    let Some(at) = length.find(stem) else { return false };
    let (before, after) = (&length[..at], &length[at + stem.len()..]);
    let is_word = |text: &str| LENGTHS.contains(&text);
    match (before, after) {
        ("", after) => is_word(after),
        ("max", after) => is_word(after),
        (before, "") => is_word(before),
        _ => false,
    }
}

fn buf(dir: Dir, length: &str) -> Contract {
    Contract::Buf { dir, len: Expr::Name(length.to_owned()), written: None, nullable: false }
}

fn found(contract: Contract, tier: Tier, evidence: impl Into<String>) -> Inference {
    Inference::Found { contract, tier, evidence: evidence.into() }
}

fn refused(reason: impl Into<String>, candidate: Option<&str>) -> Inference {
    Inference::Refused(Refusal { reason: reason.into(), candidate: candidate.map(str::to_owned) })
}
