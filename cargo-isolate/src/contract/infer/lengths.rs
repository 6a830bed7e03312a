//! Which integer is the length of a pointer: by its name, or by its place.

use super::{pointer::Pointer, units::words};
use crate::contract::{Contract, check::Param, expr::Expr, shape::Shape};

impl Pointer<'_> {
    /// An integer parameter whose name says that it is the length of this one.
    pub(super) fn own_length(&self) -> Option<&Param> {
        self.lengths().find(|length| is_named_after(&length.name, self.name()))
    }

    /// A length behind a pointer: one that bears its name, or no other's.
    pub(super) fn length_cell(&self) -> Option<&Param> {
        let cells = || self.signature.params.iter().filter(|param| is_length_cell(param));
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
        let is_anothers = self.belongs_to_another(next) || is_of_another(&next.name, self.name());
        if is_length(self.index + 2).is_some() || is_anothers || self.is_claimed(&next.name) {
            return None;
        }
        Some(next)
    }

    /// The number right before: `(numcmpts, cmptparms)`, `(number, bitmaps)`; or before several arrays of one type, `(n, x, y, z)`.
    pub(super) fn count_before(&self) -> Option<&Param> {
        let params = &self.signature.params[..self.index];
        let like_me = params.iter().rev().take_while(|param| param.shape == self.me().shape).count();
        let (before, others) = params[..params.len() - like_me].split_last()?;
        let words = words(&before.name);
        let counts = words
            .iter()
            .any(|word| ["n", "nb", "num", "number", "count"].contains(&&**word) || word.starts_with("num"));
        let is_anothers = others
            .last()
            .is_some_and(|other| other.shape.pointee().is_some_and(|(_, to)| to.is_byte() || to.is_number()));
        (before.shape.is_int() && counts && !is_anothers && !self.belongs_to_another(before)).then_some(before)
    }

    /// `(starts, lengths, capacity)`: the number behind several arrays of one type.
    pub(super) fn run_length(&self) -> Option<&Param> {
        if self.me().shape.is_reference() {
            return None;
        }
        let behind = &self.signature.params[self.index + 1..];
        let like_me = |param: &&Param| param.shape == self.me().shape;
        let length = behind.get(behind.iter().take_while(like_me).count()).filter(|length| length.shape.is_int())?;
        (sounds_like_length(&length.name) && !self.belongs_to_another(length)).then_some(length)
    }

    /// `(x, incx)`, `(a, lda)`, `(samples, stride)`: how far apart its elements lie.
    pub(super) fn stride(&self) -> Option<&Param> {
        let next = self.signature.params.get(self.index + 1).filter(|next| next.shape.is_int())?;
        let (me, other) = (plain(self.name()), plain(&next.name));
        let is_its = ["inc", "ld"].iter().any(|word| other.strip_prefix(word) == Some(&*me));
        (self.own_length().is_none() && (is_its || other.ends_with("stride"))).then_some(next)
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
        let stated = self.known.stated.iter().flatten();
        stated.flat_map(Contract::lengths).flat_map(Expr::leaves).any(|leaf| match leaf {
            Expr::Name(used) | Expr::Deref(used) => used == name,
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
}

/// `size: *mut usize`, and not `size: *mut i16`: no length is narrower than an `int`.
pub(super) fn is_length_cell(param: &Param) -> bool {
    let is_wide = |to: &Shape| to.is_int() && to.number().is_none_or(|number| number.bits >= 32);
    param.shape.pointee().is_some_and(|(mutable, to)| mutable && is_wide(to)) && sounds_like_length(&param.name)
}

const LENGTHS: [&str; 14] =
    ["len", "length", "size", "sz", "count", "cnt", "num", "nbytes", "bytes", "nbyte", "cb", "n", "siz", "capacity"];

/// `destLen` → `destlen`.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}

/// `len`, `n`, `source_len`, `maxDestSize`.
pub(crate) fn sounds_like_length(name: &str) -> bool {
    let name = plain(name);
    let name = name.strip_suffix("ptr").unwrap_or(&name);
    name == "n"
        || name == "cap"
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
    let mut stems = shorter.into_iter().chain(singulars(&whole)).chain([whole.clone()]);
    stems.any(|stem| is_length_of(&length, &stem))
}

/// `parents` → `parent`, `indices` → `index`, `entries` → `entry`, `matches` → `match`: what it may be one of.
fn singulars(plural: &str) -> impl Iterator<Item = String> {
    const ENDS: [(&str, &str); 5] = [("s", ""), ("ices", "ex"), ("ices", "ix"), ("ies", "y"), ("es", "")];
    let single = |(end, of_one): &(&str, &str)| Some(plural.strip_suffix(end)?.to_owned() + of_one);
    ENDS.iter().filter_map(single).filter(|single| single.len() > 1).collect::<Vec<_>>().into_iter()
}

/// `target_index_count` behind `vertex_lock`, `p_buffer_size` behind `fname`: it says what it counts, and that is something else.
pub(super) fn is_of_another(length: &str, pointer: &str) -> bool {
    const ANY: [&str; 24] = [
        "p", "in", "out", "input", "output", "src", "source", "dst", "dest", "buf", "buffer", "data", "str", "string",
        "text", "msg", "message", "elem", "element", "item", "value", "max", "total", "byte",
    ];
    let measures = |word: &str| LENGTHS.contains(&word);
    let counted = words(length).into_iter().map(|word| {
        let bare = LENGTHS.iter().filter(|length| length.len() > 1).find_map(|length| word.strip_suffix(length));
        bare.map(str::to_owned).unwrap_or(word)
    });
    let counted: Vec<_> =
        counted.filter(|word| !word.is_empty() && !measures(word) && !ANY.contains(&&**word)).collect();
    let of_pointer = words(pointer);
    let alike = |one: &String, other: &String| {
        let common = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
        common >= one.len().min(other.len()).min(3)
    };
    let says_nothing = of_pointer.iter().all(|word| ANY.contains(&&**word));
    !says_nothing
        && !counted.is_empty()
        && !counted.iter().any(|word| of_pointer.iter().any(|other| alike(word, other)))
}

/// `buf`, `blob`, `file_data`: whatever there is in it, and no text that ends with NUL.
pub(super) fn is_bytes(name: &str) -> bool {
    const BYTES: [&str; 6] = ["buf", "buffer", "blob", "bytes", "data", "fourcc"];
    words(name).last().is_some_and(|last| BYTES.contains(&&**last))
}

/// `path`, `filename`, `database_file`: text that ends with NUL, whatever stands beside it.
pub(super) fn is_path(name: &str) -> bool {
    const PATHS: [&str; 8] = ["path", "pathname", "filename", "fname", "file", "dir", "dirname", "directory"];
    words(name).last().is_some_and(|last| PATHS.contains(&&**last))
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
