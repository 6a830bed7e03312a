//! Bytes and numbers: how many there are, and which way they go.

use super::{Pointer, stub::asked};
use crate::contract::{
    Contract, Dir,
    check::Param,
    expr::Expr,
    infer::{
        Inference, Tier, found,
        lengths::{is_general, plain, sounds_like_length},
        library::sounds_like_result,
        refused,
        units::{Doubt, words},
    },
    shape::Shape,
};

impl Pointer<'_> {
    /// `*const` numbers: an input buffer if its length is beyond doubt.
    pub(super) fn input(&self) -> Inference {
        let name = self.name();
        if let Some(inference) = self.by_others() {
            return inference;
        }
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

    /// As many as lie between the first and the last, which no parameter says alone.
    pub(super) fn strided(&self, stride: &Param) -> Inference {
        let dir = if self.mutable { "inout" } else { "in" };
        refused(
            format!("elements that lie `{}` apart: how many are there from the first to the last?", stride.name),
            Some(&format!(
                "{{ kind = \"buf\", dir = \"{dir}\", len = \"LENGTH\" }}  # LENGTH: an expression or a number"
            )),
        )
    }

    /// An input is lent for the call. Where the function also gets an object, or makes one, it may keep the pointer in there,
    /// and no signature says so.
    pub(super) fn unless_kept(&self, contract: Contract, evidence: String) -> Inference {
        let is_object = |param: &Param| match param.shape.pointee() {
            Some((true, Shape::Pointer { .. })) | None => false,
            Some((mutable, to)) => mutable && !to.is_byte() && !to.is_number(),
        };
        let returned = self.signature.ret.as_ref().and_then(Shape::pointee);
        // `refPrefix(context, prefix)`; `push_ref` is about something that is called so.
        let refers =
            words(&self.signature.name).windows(2).any(|pair| pair[0] == "ref" && pair[1] == plain(self.name()));
        if refers {
            return refused(format!("by its name `{}` keeps the pointer, beyond the call", self.signature.name), None);
        }
        let keeper = match self.signature.params.iter().find(|param| is_object(param)) {
            Some(object) => format!("`{}`", object.name),
            None if returned.is_some_and(|(_, to)| matches!(to, Shape::Opaque(_) | Shape::Struct { .. })) => {
                "what it returns".to_owned()
            }
            None => return found(contract, Tier::Convention, evidence),
        };
        found(contract, Tier::Likely, format!("{evidence}; assumes that {keeper} does not keep it"))
    }

    /// `*mut` bytes: an output buffer only if the length bears its name. Staged as `inout`, since nothing says how much of it
    /// is written, and the rest must keep its value.
    pub(super) fn output(&self) -> Inference {
        if let Some(length) = self.own_length().or_else(|| self.general_length())
            && let Some(doubt) = self.doubt(length)
        {
            return self.doubted("kind = \"buf\", dir = \"inout\", len", length, &doubt);
        }
        if let Some(length) = self.own_length() {
            let evidence =
                format!("`*mut` bytes with a length named after it, `{}`; {}", length.name, self.unwritten());
            return found(buf(Dir::Inout, &length.name), Tier::Likely, evidence);
        }
        if let Some(length) = self.general_length() {
            let evidence = format!(
                "`*mut` bytes, the only ones, followed by the only length, `{}`; {}",
                length.name,
                self.unwritten()
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
        let is_room = self.next_length().is_some_and(|length| says_room(&length.name));
        let words = match self.has_input() || is_named_result(name) || is_room {
            true => "kind = \"buf\", dir = \"out\", cap",
            false => "kind = \"buf\", dir = \"inout\", len",
        };
        refused(
            format!("`{}{}` without a length that is surely that of `{name}`", self.star(), self.to),
            Some(&self.start(words, self.next_length())),
        )
    }

    /// What callers see of a buffer of which nothing says how much was written.
    fn unwritten(&self) -> &'static str {
        match self.signature.ret.as_ref().is_some_and(Shape::is_int) {
            true => "what is not written keeps its value (if it returns how much was, `written = \"ret\"` says so)",
            false => "what is not written keeps its value",
        }
    }

    /// `(buf, len)`, both by names that say nothing else, and no other buffer or length.
    pub(super) fn general_length(&self) -> Option<&Param> {
        const BUFFERS: [&str; 9] = ["buf", "buffer", "out", "output", "dst", "dest", "data", "bytes", "to"];
        let next = self.signature.params.get(self.index + 1)?;
        let only = self.lengths().all(|length| length.name == next.name || !sounds_like_length(&length.name));
        let is_it = BUFFERS.contains(&self.name()) && next.shape.is_int() && is_general(&next.name);
        (is_it && only && !self.has_rival() && !self.is_claimed(&next.name)).then_some(next)
    }

    /// It belongs to the buffer, and may count something else.
    pub(super) fn doubted(&self, words: &str, length: &Param, doubt: &Doubt) -> Inference {
        let reason = format!("`{}{}`: {}", self.star(), self.to, doubt.reason(&length.name));
        refused(reason, Some(&asked(words, &length.name, doubt)))
    }

    /// Bytes or numbers go in.
    pub(super) fn has_input(&self) -> bool {
        let mut params = self.signature.params.iter().filter_map(|param| param.shape.pointee());
        params.any(|(mutable, to)| !mutable && (to.is_byte() || to.is_number()))
    }

    /// Bytes come out: into a buffer, through a cursor, or as what is returned.
    pub(super) fn has_output(&self) -> bool {
        let params = self.signature.params.iter().filter_map(|param| param.shape.pointee());
        let by_param = params.into_iter().any(|(mutable, to)| match to {
            Shape::Pointer { to, .. } => mutable && to.is_byte(),
            to => mutable && to.is_byte(),
        });
        let returned = self.signature.ret.as_ref().and_then(Shape::pointee);
        by_param || returned.is_some_and(|(_, to)| to.is_byte())
    }

    /// A length right behind another `*const` buffer, for which the rules will take it: `(src, len, dst)`.
    pub(super) fn follows_another(&self, length: &Param) -> bool {
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
    pub(super) fn has_rival(&self) -> bool {
        let others = self.signature.params.iter().enumerate().filter(|(index, _)| *index != self.index);
        others.into_iter().any(|(_, param)| param.shape.pointee().is_some_and(|(_, to)| to.is_byte() || to.is_number()))
    }
}

/// `cap`, `out_capacity`, `max_len`: how much there is room for, of nothing that is there.
fn says_room(length: &str) -> bool {
    words(length)
        .iter()
        .any(|word| ["cap", "capacity", "room", "max", "maxlen", "avail", "available"].contains(&&**word))
}

/// `out`, `result`, `dest`, `actual_nbytes_ret`.
pub(super) fn is_named_result(name: &str) -> bool {
    sounds_like_result(name)
        || ["result", "res", "ret", "output", "dst", "dest"].contains(&name)
        || ["_ret", "_result"].iter().any(|end| name.ends_with(end))
}

fn buf(dir: Dir, length: &str) -> Contract {
    Contract::Buf { dir, len: Expr::Name(length.to_owned()), written: None, nullable: false }
}
