//! Which integer is the length of a pointer: by its name, or by its place.

use super::pointer::Pointer;
use crate::contract::{Contract, check::Param, expr::Expr, shape::Shape};

impl Pointer<'_> {
    /// An integer parameter whose name says that it is the length of this one.
    pub(super) fn own_length(&self) -> Option<&Param> {
        self.lengths().find(|length| is_named_after(&length.name, self.name()))
    }

    /// A length behind a pointer: one that bears its name, or no other's.
    pub(super) fn length_cell(&self) -> Option<&Param> {
        let cells = || self.signature.params.iter().filter(|param| self.is_length_cell(param));
        let own = cells().find(|cell| is_named_after(&cell.name, self.name()));
        own.or_else(|| cells().find(|cell| !self.belongs_to_another(cell)))
    }

    /// The next parameter, if it is an integer with a length's name that is not the first of several (`size, nmemb`).
    pub(super) fn next_length(&self) -> Option<&Param> {
        let is_length = |index: usize| {
            let param = self.signature.params.get(index)?;
            (param.shape.is_int() && sounds_like_length(&param.name)).then_some(param)
        };
        let next = is_length(self.index + 1)?;
        if is_length(self.index + 2).is_some() || self.belongs_to_another(next) || self.is_claimed(&next.name) {
            return None;
        }
        Some(next)
    }

    /// `(a, b, len)`: whose length is it?
    pub(super) fn shares_length(&self) -> bool {
        let Some(before) = self.index.checked_sub(1) else { return false };
        let before = &self.signature.params[before];
        let is_data = before.shape.pointee().is_some_and(|(_, to)| to.is_byte() || to.is_number());
        is_data
            && !self.lengths().any(|length| is_named_after(&length.name, &before.name))
            && self.known.stated.get(self.index - 1).is_none_or(Option::is_none)
    }

    /// The integer parameter is the length of some buffer already.
    pub(super) fn is_claimed(&self, name: &str) -> bool {
        self.known.stated.iter().flatten().any(|contract| match contract {
            Contract::Buf { len, .. } => len.leaves().iter().any(|leaf| match leaf {
                Expr::Name(used) | Expr::Deref(used) => used == name,
                _ => false,
            }),
            _ => false,
        })
    }

    /// Named after some other pointer, or after what it points to: `stream_size` beside a `z_stream *` is its `sizeof`.
    pub(super) fn belongs_to_another(&self, length: &Param) -> bool {
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
                && (is_named_after(&length.name, &param.name) || measures(param))
        })
    }

    /// Some integer could be a length of this one: then a `*const c_char` may be bytes.
    pub(super) fn has_length_nearby(&self) -> bool {
        self.own_length().is_some() || self.free_lengths().any(|length| !self.is_placed_with_another(length))
    }

    /// Away from this one, right behind another pointer or before a list: `(text, tree, parent_count, parents)`.
    pub(super) fn is_placed_with_another(&self, length: &Param) -> bool {
        let params = &self.signature.params;
        let Some(at) = params.iter().position(|param| param.name == length.name) else { return false };
        let is_data = |to: &Shape| to.is_byte() || to.is_number() || matches!(to, Shape::Pointer { .. });
        let follows = at.checked_sub(1).and_then(|before| params[before].shape.pointee());
        let precedes = params.get(at + 1).and_then(|next| next.shape.pointee());
        at.abs_diff(self.index) > 1
            && (follows.is_some_and(|(_, to)| is_data(to))
                || precedes.is_some_and(|(_, to)| matches!(to, Shape::Pointer { .. })))
    }

    pub(super) fn free_lengths(&self) -> impl Iterator<Item = &Param> {
        self.lengths().filter(|length| {
            sounds_like_length(&length.name) && !self.belongs_to_another(length) && !self.is_claimed(&length.name)
        })
    }

    pub(super) fn lengths(&self) -> impl Iterator<Item = &Param> {
        self.signature.params.iter().filter(|param| param.shape.is_int())
    }

    pub(super) fn is_length_cell(&self, param: &Param) -> bool {
        param.shape.pointee().is_some_and(|(mutable, to)| mutable && to.is_int()) && sounds_like_length(&param.name)
    }
}

const LENGTHS: [&str; 14] =
    ["len", "length", "size", "sz", "count", "cnt", "num", "nbytes", "bytes", "nbyte", "cb", "n", "siz", "capacity"];

/// `destLen` → `destlen`.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

/// `len`, `n`, `source_len`, `maxDestSize`.
pub(super) fn sounds_like_length(name: &str) -> bool {
    let name = plain(name);
    let name = name.strip_suffix("ptr").unwrap_or(&name);
    name == "n"
        || LENGTHS.iter().filter(|word| word.len() > 1).any(|word| name.ends_with(word) || name.starts_with(word))
}

/// A length of whatever stands before it.
pub(super) fn is_general(name: &str) -> bool {
    ["len", "length", "size", "num", "count", "n"].contains(&name)
}

/// `in_pos`, `available_out`: what stream functions read and move on.
pub(super) fn is_position(name: &str) -> bool {
    let name = plain(name);
    name.starts_with("avail") || ["pos", "position", "offset"].iter().any(|word| name.ends_with(word))
}

/// `data_len` and `data`, `key_size` and `p_key`, `input_size` and `input_buffer`, `parent_count` and `parents`.
pub(super) fn is_named_after(length: &str, pointer: &str) -> bool {
    const BUFFERS: [&str; 9] = ["buffer", "buf", "data", "ptr", "base", "bytes", "raw", "out", "in"];
    let hungarian = |name: &str| name.starts_with(|c: char| c == '_' || c.is_ascii_uppercase());
    let (length, pointer) =
        (plain(length), pointer.strip_prefix('p').filter(|name| hungarian(name)).unwrap_or(pointer));
    let shorter = pointer.rsplit_once('_').filter(|(stem, word)| !stem.is_empty() && BUFFERS.contains(word));
    let shorter = shorter.map(|(stem, _)| plain(stem)).filter(|stem| !stem.is_empty());
    let whole = plain(pointer);
    let single = whole.strip_suffix('s').filter(|single| single.len() > 1).map(str::to_owned);
    let mut stems = shorter.into_iter().chain(single).chain([whole]);
    stems.any(|stem| is_length_of(&length, &stem))
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
