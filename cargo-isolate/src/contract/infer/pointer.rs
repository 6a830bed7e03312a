//! The rules about pointers, first match wins.

use super::{
    Inference, Known, Library, Nature, Refusal, Tier, found,
    lengths::{is_general, is_of_another, is_path, is_position, plain, sounds_like_length},
    library::{Life, is_counted, sounds_like_end, sounds_like_getter, sounds_like_result},
    recognised, refused,
    units::{Doubt, words},
};
use crate::contract::{
    Contract, Dir, Hold,
    check::{Param, Signature},
    expr::Expr,
    shape::{Shape, TypePath},
};

/// A pointer among the parameters of a function.
#[derive(Clone, Copy)]
pub(super) struct Pointer<'s> {
    pub(super) signature: &'s Signature,
    pub(super) index: usize,
    pub(super) known: &'s Known<'s>,
    pub(super) mutable: bool,
    pub(super) to: &'s Shape,
}

impl Pointer<'_> {
    pub(super) fn infer(&self) -> Inference {
        match (self.to, self.mutable) {
            (Shape::Opaque(path), _) => found(
                Contract::Handle { dir: Dir::In, nullable: false, hold: Hold::Keep },
                Tier::Proven,
                format!("`{}` is opaque: a handle", path.name),
            ),
            (to, _)
                if to.is_byte()
                    && let Some((nature, other)) = self.is_of_run() =>
            {
                self.part_of_run(nature, other)
            }
            (Shape::Char, false) if !self.has_length_nearby() => self.unless_kept(
                Contract::Cstr { dir: Dir::In, nullable: false, free: None },
                "`*const c_char` in a function without a length for it: a string that ends with NUL".to_owned(),
            ),
            (Shape::Char, false) if is_path(self.name()) && self.own_length().is_none() => self.unless_kept(
                Contract::Cstr { dir: Dir::In, nullable: false, free: None },
                "`*const c_char` that names a file: a string that ends with NUL".to_owned(),
            ),
            (Shape::Void, true) if let Some(maker) = self.known.library.maker_of(&self.me().ty) => found(
                Contract::Handle { dir: Dir::In, nullable: false, hold: Hold::Keep },
                Tier::Likely,
                format!("`{}` is a name for `void *`, and `{maker}` makes such objects: a handle", self.me().ty),
            ),
            (Shape::Void | Shape::Pointer { .. }, _)
                if let Some(evidence) = named(self.known.library, &self.me().ty) =>
            {
                found(Contract::Handle { dir: Dir::In, nullable: false, hold: Hold::Keep }, Tier::Likely, evidence)
            }
            (Shape::Void, _) if let Some(whose) = self.is_token() => {
                recognised(Nature::Token, format!("what {whose} called with, and nobody else looks at"))
            }
            (Shape::Void, true) if self.is_freed() => recognised(
                Nature::Freed,
                "memory that the library gave away, freed here: where it comes from, say `own = \"give\"` and `free`",
            ),
            (to, false) if to.is_byte() || to.is_number() => self.input(),
            (to, true) if to.is_byte() => self.output(),
            (to, true) if to.is_number() => self.scalar(),
            (Shape::Pointer { to, .. }, true) if let Some(end) = self.is_ended(to) => Inference::Refused(Refusal {
                reason: format!("by its name `{end}` ends the object that `{}` leads to", self.name()),
                candidate: Some("{ kind = \"handle\", own = \"take\" }".to_owned()),
                is: None,
            }),
            (Shape::Pointer { to, .. }, true)
                if matches!(**to, Shape::Opaque(_) | Shape::Struct { .. })
                    && let Some(length) = self.own_length() =>
            {
                recognised(
                    Nature::Handles,
                    format!("as many objects as `{}` says: no contract can say that of handles yet", length.name),
                )
            }
            (Shape::Pointer { to, .. }, true) if matches!(**to, Shape::Opaque(_)) => found(
                Contract::Handle { dir: Dir::Out, nullable: false, hold: Hold::Keep },
                Tier::Likely,
                format!("pointer to a pointer to the opaque `{to}`: a handle comes out{}", self.hint(to)),
            ),
            (Shape::Pointer { to, mutable, .. }, true) if let Some(evidence) = self.comes_out(to, *mutable) => {
                let contract = Contract::Handle { dir: Dir::Out, nullable: false, hold: Hold::Keep };
                found(contract, Tier::Likely, evidence + &self.hint(to))
            }
            (Shape::Pointer { to, mutable: false, .. }, true) if to.is_byte() && self.is_cursor() => recognised(
                Nature::Cursor,
                format!("a pointer to a pointer that moves along an input: no contract says that of `{}`", self.name()),
            ),
            (Shape::Struct { path, hindrance: None }, mutable) => self.plain_struct(&path.name, mutable),
            (Shape::Struct { path, hindrance: Some(why) }, _) => self.deep_struct(path, why),
            (Shape::Unknown { ty, why }, _) => {
                refused(format!("`{ty}` is not known: {why}"), Some("{ kind = \"handle\" }"))
            }
            (to, _) => refused(format!("nothing in the signature says what `{}{to}` points to", self.star()), None),
        }
    }

    /// The start of a run of values, for the policy to confirm, or a place in it.
    fn part_of_run(&self, nature: Nature, other: &str) -> Inference {
        if nature != Nature::Run {
            let reason = format!(
                "an end, or a place in what lies between the others, like `{other}`: where it is an end, say so of the start"
            );
            return recognised(nature, reason);
        }
        let dir = if self.mutable { "inout" } else { "in" };
        Inference::Refused(Refusal {
            reason: format!("values up to where `{other}` points, by its name"),
            candidate: Some(format!("{{ kind = \"buf\", dir = \"{dir}\", end = \"{other}\" }}")),
            is: Some(nature),
        })
    }

    /// `*const` numbers: an input buffer if its length is beyond doubt.
    fn input(&self) -> Inference {
        let name = self.name();
        let next = self.next_length();
        if let Some(length) = self.own_length().or(next.filter(|_| !self.shares_length()))
            && let Some(doubt) = self.doubt(length)
        {
            return self.doubted("kind = \"buf\", dir = \"in\", len", length, &doubt);
        }
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
        let is_object = |param: &Param| match param.shape.pointee() {
            Some((true, Shape::Pointer { .. })) | None => false,
            Some((mutable, to)) => mutable && !to.is_byte() && !to.is_number(),
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
        if let Some(length) = self.own_length().or_else(|| self.general_length())
            && let Some(doubt) = self.doubt(length)
        {
            return self.doubted("kind = \"buf\", dir = \"inout\", len", length, &doubt);
        }
        if let Some(length) = self.own_length() {
            let evidence = format!(
                "`*mut` bytes with a length named after it, `{}`; what is not written keeps its value",
                length.name
            );
            return found(buf(Dir::Inout, &length.name), Tier::Likely, evidence);
        }
        if let Some(length) = self.general_length() {
            let evidence = format!(
                "`*mut` bytes, the only ones, followed by the only length, `{}`; what is not written keeps its value",
                length.name
            );
            return found(buf(Dir::Inout, &length.name), Tier::Likely, evidence);
        }
        let name = self.name();
        if let Some(cell) = self.length_cell() {
            let cell = &cell.name;
            return refused(
                format!("`{name}` with a length behind a pointer, `{cell}`: is `*{cell}` its capacity on entry?"),
                Some(&format!("{{ kind = \"buf\", dir = \"out\", cap = \"*{cell}\", written = \"*{cell}\" }}")),
            );
        }
        // Without an input beside it, it may be one itself.
        let words = match self.has_input() || is_named_result(name) {
            true => "kind = \"buf\", dir = \"out\", cap",
            false => "kind = \"buf\", dir = \"inout\", len",
        };
        refused(
            format!("`{}{}` without a length that is surely that of `{name}`", self.star(), self.to),
            Some(&self.start(words, self.next_length())),
        )
    }

    /// `(buf, len)`, both by names that say nothing else, and no other buffer or length.
    fn general_length(&self) -> Option<&Param> {
        const BUFFERS: [&str; 9] = ["buf", "buffer", "out", "output", "dst", "dest", "data", "bytes", "to"];
        let next = self.signature.params.get(self.index + 1)?;
        let only = self.lengths().all(|length| length.name == next.name || !sounds_like_length(&length.name));
        let is_it = BUFFERS.contains(&self.name()) && next.shape.is_int() && is_general(&next.name);
        (is_it && only && !self.has_rival() && !self.is_claimed(&next.name)).then_some(next)
    }

    /// It belongs to the buffer, and may count something else.
    fn doubted(&self, words: &str, length: &Param, doubt: &Doubt) -> Inference {
        let reason = format!("`{}{}`: {}", self.star(), self.to, doubt.reason(&length.name));
        refused(reason, Some(&asked(words, &length.name, doubt)))
    }

    /// `*mut` number: one value, unless something smells of an array. It keeps what the caller has put there, except where names
    /// say that nothing is: a result that is copied in as well costs nothing, and an input that is not is another call.
    fn scalar(&self) -> Inference {
        const WORDS: &str = "kind = \"buf\", dir = \"inout\", len";
        let (name, me) = (self.name(), self.me());
        let length = self.own_length().or_else(|| self.next_length()).or_else(|| self.run_length());
        // `(in, in_pos, in_size)`: what moves along another argument is no array.
        if is_position(name) || length.is_none() && self.is_length_cell(me) && (self.has_output() || self.has_rival()) {
            let evidence = format!("`{name}` is a place or a length: one value, read and written");
            return found(Contract::Obj { dir: Dir::Inout, nullable: false }, Tier::Likely, evidence);
        }
        if let Some(length) = length {
            let candidate = match self.doubt(length) {
                Some(doubt) => asked(WORDS, &length.name, &doubt),
                None => format!("{{ {WORDS} = \"{}\" }}", length.name),
            };
            let length = &length.name;
            return refused(
                format!("`*mut {}` beside the integer `{length}`: one value, or as many as `{length}` says?", self.to),
                Some(&candidate),
            );
        }
        let lengths: Vec<_> = self.lengths().filter(|length| sounds_like_length(&length.name)).collect();
        if is_named_several(name) && !me.shape.is_reference() && !lengths.is_empty() {
            let candidate = match &lengths[..] {
                [length] if self.doubt(length).is_none() => format!("{{ {WORDS} = \"{}\" }}", length.name),
                lengths => format!("{{ {WORDS} = \"LENGTH\" }}  # LENGTH: {} or a number", listed(lengths)),
            };
            return refused(format!("`*mut {}` called `{name}`: one value, or several?", self.to), Some(&candidate));
        }
        let (dir, why) = match () {
            () if is_named_result(name) => (Dir::Out, format!("called `{name}`: one value comes out")),
            () if sounds_like_getter(&self.signature.name) && !sounds_like_length(name) => {
                (Dir::Out, "without a length, of a function that gets something: one value comes out".to_owned())
            }
            () => (Dir::Inout, "without a length: one value, copied in and back".to_owned()),
        };
        found(Contract::Obj { dir, nullable: false }, Tier::Likely, format!("`*mut {}` {why}", self.to))
    }

    /// Bytes or numbers go in.
    fn has_input(&self) -> bool {
        let mut params = self.signature.params.iter().filter_map(|param| param.shape.pointee());
        params.any(|(mutable, to)| !mutable && (to.is_byte() || to.is_number()))
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
        let mine = |length: &&Param| !self.follows_another(length) && !is_of_another(&length.name, self.name());
        let free: Vec<_> = self.free_lengths().filter(mine).collect();
        let named = self.open_lengths().find(|length| self.shares_name(length));
        // What comes out has the room of which something else says that it is the most.
        let is_most = |name: &str| plain(name).starts_with("max") && sounds_like_length(name);
        let most = self.open_lengths().find(|length| self.mutable && is_most(&length.name));
        let next = most.or(next);
        let constant = self.known.library.size(&self.signature.name, self.name());
        if let Some(length) = next.or(named).or(free.first().copied())
            && let Some(doubt) = self.doubt(length)
        {
            return asked(words, &length.name, &doubt);
        }
        let length = match (next.or(named), &free[..]) {
            (Some(length), _) => Some(length.name.clone()),
            (None, _) if let Some((name, bytes)) = constant.filter(|_| self.to.is_byte()) => {
                return format!("{{ {words} = \"{bytes}\" }}  # {name}");
            }
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
        let left = match &self.open_lengths().collect::<Vec<_>>()[..] {
            [] => String::new(),
            left => format!("{} or ", listed(left)),
        };
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
            !self.belongs_to_another(length) && !self.is_claimed(&length.name) && !self.follows_another(length)
        })
    }

    /// `dst_cap` and `dst`, `out_nbytes_avail` and `out`, and not `windowBits` and `window`.
    fn shares_name(&self, length: &Param) -> bool {
        let (length, name) = (plain(&length.name), plain(self.name()));
        let rest = length.strip_prefix(&*name).or_else(|| length.strip_suffix(&*name));
        let measures =
            |rest: &str| sounds_like_length(rest) || ["cap", "avail", "max"].iter().any(|word| rest.contains(word));
        name.len() > 1 && rest.is_some_and(measures)
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

    pub(super) fn name(&self) -> &str {
        &self.signature.params[self.index].name
    }

    fn star(&self) -> &'static str {
        if self.mutable { "*mut " } else { "*const " }
    }

    pub(super) fn me(&self) -> &Param {
        &self.signature.params[self.index]
    }

    /// A struct whose bytes are not enough: whose is it?
    fn deep_struct(&self, path: &TypePath, why: &str) -> Inference {
        let name = &path.name;
        let why = why.replacen("its field", "the field", 1);
        if let Some(evidence) = made(self.known.library, path) {
            let contract = Contract::Handle { dir: Dir::In, nullable: false, hold: Hold::Keep };
            return found(contract, Tier::Likely, evidence);
        }
        match self.known.library.life(path) {
            Some(Life::Kept { by }) => recognised(
                Nature::Object,
                format!(
                    "`{name}` is a struct that `{}` work on from call to call ({why}): `[struct.{name}]` says which functions fill and end it",
                    by.join("`, `")
                ),
            ),
            _ => refused(format!("`{name}` is a struct that cannot be copied as it is: {why}"), None),
        }
    }

    /// `destroy_info(&mut info)`: nothing comes out of what ends an object.
    fn is_ended(&self, object: &Shape) -> Option<&str> {
        let name = &*self.signature.name;
        let is_object = matches!(object, Shape::Opaque(_) | Shape::Struct { hindrance: Some(_), .. });
        (is_object && self.signature.params.len() == 1 && sounds_like_end(name)).then_some(name)
    }

    /// An object of the library comes out through a pointer to a pointer.
    fn comes_out(&self, to: &Shape, mutable: bool) -> Option<String> {
        match to {
            _ if is_counted(self.signature, self.index) => None,
            Shape::Struct { path, hindrance: Some(_) } => made(self.known.library, path).or_else(|| {
                let is_result = !mutable || self.is_result();
                is_result.then(|| format!("a pointer to a `{}` of the library comes out: a handle", path.name))
            }),
            Shape::Void if mutable => {
                let name = self.me().ty.trim().strip_prefix("*mut ")?;
                let maker = self.known.library.maker_of(name)?;
                Some(format!("`{name}` is a name for `void *`, and `{maker}` makes such objects: a handle comes out"))
            }
            _ => None,
        }
    }

    /// Whose the object is that comes out.
    fn hint(&self, object: &Shape) -> String {
        self.known.library.hint(&self.signature.name, object)
    }

    /// By its place or its name, nothing but a result.
    fn is_result(&self) -> bool {
        self.index == 0 || sounds_like_result(self.name())
    }
}

/// `out`, `result`, `dest`, `actual_nbytes_ret`.
fn is_named_result(name: &str) -> bool {
    sounds_like_result(name)
        || ["result", "res", "ret", "output", "dst", "dest"].contains(&name)
        || ["_ret", "_result"].iter().any(|end| name.ends_with(end))
}

/// `hashes`, `destination`, and not `flags` or `num_rows`.
fn is_named_several(name: &str) -> bool {
    const DATA: [&str; 10] =
        ["dst", "dest", "destination", "output", "buf", "buffer", "array", "table", "data", "samples"];
    const ONE: [&str; 13] = [
        "status", "pos", "axis", "bias", "radius", "basis", "focus", "class", "flags", "bits", "bytes", "progress",
        "options",
    ];
    let words = words(name);
    let Some(last) = words.last() else { return false };
    let is_plural = last.len() > 3 && last.ends_with('s') && !last.ends_with("ss") && !ONE.contains(&&**last);
    let is_count = words.iter().any(|word| ["n", "nb", "num", "number", "count", "total"].contains(&&**word));
    DATA.contains(&name) || is_plural && !is_count
}

/// "`len`, `count`," before "or".
fn listed(lengths: &[&Param]) -> String {
    lengths.iter().map(|length| format!("`{}`,", length.name)).collect::<Vec<_>>().join(" ")
}

/// An entry that does not pass as it is, with what its length may be in the comment.
fn asked(words: &str, length: &str, doubt: &Doubt) -> String {
    match doubt.answer(length) {
        Some(length) => format!("{{ {words} = \"{length}\" }}"),
        None => format!("{{ {words} = \"LENGTH\" }}  # LENGTH: {}", doubt.readings(length)),
    }
}

fn buf(dir: Dir, length: &str) -> Contract {
    Contract::Buf { dir, len: Expr::Name(length.to_owned()), written: None, nullable: false }
}

/// `type Document = c_void`, which some function returns a pointer to: what points to one is a handle.
pub(super) fn named(library: &Library, ty: &str) -> Option<String> {
    let (name, maker) = library.maker_behind(ty)?;
    Some(format!(
        "`{name}` is a name for something of which nothing is seen, and `{maker}` returns such objects: a handle"
    ))
}

/// The library makes such structs and ends them: what points to one is a handle.
pub(super) fn made(library: &Library, path: &TypePath) -> Option<String> {
    match library.life(path) {
        Some(Life::Made { by, end: Some(end) }) => {
            Some(format!("`{by}` makes a `{}`, and `{end}` ends it: a handle", path.name))
        }
        Some(Life::Made { by, end: None }) => Some(format!("`{by}` hands out a `{}`: a handle", path.name)),
        _ => None,
    }
}
