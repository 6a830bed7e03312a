//! What a length counts, by its name: one that may count anything else than the values of its buffer proves nothing.

use super::{lengths::plain, pointer::Pointer};
use crate::contract::{check::Param, shape::Shape};

/// Why a number that belongs to a buffer may not be the number of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// `nbits`, `num_rows`, `stride`: what it counts.
    Unit(String),
    /// `num_chunks` of bytes: things of as many bytes as they like.
    Things,
    /// `size` of values that are wider than a byte.
    Bytes,
    /// Records of as many bytes as another parameter says: `count` and `stride`, `vertex_count` and `vertex_size`.
    Records { size: String, of_bytes: bool },
}

const UNITS: [&str; 15] = [
    "bits", "rows", "cols", "columns", "lines", "pixels", "samples", "frames", "channels", "words", "pages", "blocks",
    "sectors", "planes", "tiles",
];
const EXTENTS: [&str; 4] = ["width", "height", "stride", "pitch"];
const COUNTS: [&str; 6] = ["n", "nb", "num", "number", "count", "cnt"];
const BYTES: [&str; 7] = ["size", "sz", "siz", "bytes", "nbytes", "nbyte", "cb"];

impl Pointer<'_> {
    /// What speaks against as many values as `length` says.
    pub(super) fn doubt(&self, length: &Param) -> Option<Doubt> {
        if let Some(size) = self.record_size(length) {
            return Some(Doubt::Records { size: size.name.clone(), of_bytes: self.to.is_byte() });
        }
        // `snd_pcm_uframes_t size`.
        let of_type = words(&length.ty).into_iter().find_map(|word| {
            UNITS
                .iter()
                .find(|unit| word == **unit || word.strip_prefix(['u', 's']) == Some(unit))
                .map(ToString::to_string)
        });
        let of_things = || (self.to.is_byte() && counts_things(&length.name)).then_some(Doubt::Things);
        of_type.map(Doubt::Unit).or_else(|| doubt(&self.signature.name, &length.name, self.to)).or_else(of_things)
    }

    /// The bytes from one record to the next, where `length` counts such.
    fn record_size(&self, length: &Param) -> Option<&Param> {
        let params = &self.signature.params;
        let counts = words(&length.name).iter().any(|word| COUNTS.contains(&&**word));
        if self.to.is_byte() && !counts {
            return None;
        }
        let is_stride = |param: &&Param| {
            param.shape.is_int() && words(&param.name).iter().any(|word| ["stride", "pitch"].contains(&&**word))
        };
        let is_size = |param: &&Param| {
            let is_size = words(&param.name).last().is_some_and(|last| last == "size");
            self.to.is_byte() && param.shape.is_int() && is_size && !self.belongs_to_another(param)
        };
        let at = params.iter().position(|param| param.name == length.name)?;
        let behind = params.get(at + 1).filter(|behind| is_stride(behind) || is_size(behind));
        let bears_my_name = |param: &&Param| plain(&param.name).starts_with(&plain(self.name()));
        behind.or_else(|| params.iter().filter(is_stride).find(bears_my_name))
    }
}

/// Of a buffer of `to`, among the parameters of `function`.
pub(super) fn doubt(function: &str, length: &str, to: &Shape) -> Option<Doubt> {
    let of_length = words(length);
    // `put_rows(data, n)`: as many of what the function is about.
    let about = if COUNTS.contains(&&*plain(length)) { words(function) } else { Vec::new() };
    if let Some(unit) = of_length.iter().find_map(|word| unit(word, &of_length)).or_else(|| {
        let plural = about.iter().find(|word| UNITS.contains(&&***word));
        plural.cloned()
    }) {
        return Some(Doubt::Unit(unit));
    }
    let name = plain(length);
    let says_bytes =
        BYTES.iter().any(|word| name.ends_with(word)) || of_length.iter().any(|word| BYTES.contains(&&**word));
    (!to.is_byte() && says_bytes).then_some(Doubt::Bytes)
}

impl Doubt {
    /// After the buffer's name.
    pub(super) fn reason(&self, length: &str) -> String {
        match self {
            Doubt::Unit(unit) => format!("`{length}` may count {unit}, and says nothing of how many values those are"),
            Doubt::Things => format!("`{length}` may count things of several bytes each"),
            Doubt::Bytes => format!("is `{length}` the number of its values, or of their bytes?"),
            Doubt::Records { size, .. } => format!("`{length}` counts records of `{size}`, not its values"),
        }
    }

    /// What the length is, where that is no question any more.
    pub(super) fn answer(&self, length: &str) -> Option<String> {
        match self {
            Doubt::Records { size, of_bytes: true } => Some(format!("{length} * {size}")),
            _ => None,
        }
    }

    /// For the comment of a stub.
    pub(super) fn readings(&self, length: &str) -> String {
        match self {
            Doubt::Unit(unit) if unit == "bits" => format!("how many values hold as many bits as `{length}` says"),
            Doubt::Unit(unit) => format!("`{length}`, or that times the values for one of the {unit}"),
            Doubt::Things => format!("`{length}`, or that times the bytes of each"),
            Doubt::Bytes => format!("`{length}` if it counts values; if bytes, a number or another parameter"),
            Doubt::Records { size, .. } => format!("`{length} * {size}`, divided by the bytes of a value"),
        }
    }
}

/// `num_chunks`, `entry_count`, `n_records`. `nData` and `num_bytes` count bytes.
fn counts_things(length: &str) -> bool {
    const BYTES: [&str; 24] = [
        "byte", "bytes", "char", "chars", "octets", "in", "out", "input", "output", "src", "source", "dst", "dest",
        "buf", "buffer", "data", "str", "string", "text", "max", "total", "read", "written", "of",
    ];
    let words = words(length);
    let (counts, things): (Vec<_>, Vec<_>) = words.iter().partition(|word| COUNTS.contains(&&***word));
    let [thing] = &things[..] else { return false };
    let says_count = counts.iter().any(|count| **count != "n");
    let is_plural = thing.len() > 3 && thing.ends_with('s');
    !BYTES.contains(&&***thing) && !counts.is_empty() && (says_count || is_plural)
}

/// `rows` of `rows` and `nrows`, `blocks` of `block_count`; `block_size` is a size.
fn unit(word: &str, all: &[String]) -> Option<String> {
    let counted = COUNTS.iter().filter_map(|count| word.strip_prefix(count)).chain([word]);
    let is_counted = all.iter().any(|one| COUNTS.contains(&&**one));
    counted.into_iter().find_map(|word| match word {
        _ if EXTENTS.contains(&word) => Some(format!("the {word} in other units")),
        "bit" | "bitlen" | "bitlength" => Some("bits".to_owned()),
        _ => UNITS
            .iter()
            .find(|unit| word == **unit || is_counted && Some(word) == unit.strip_suffix('s'))
            .map(ToString::to_string),
    })
}

/// `num_rows`, `numRows` and `NumRows` in lowercase words.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if c == '_' || c.is_ascii_uppercase() && was_lower {
            words.push(String::new());
        }
        if c != '_'
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_lowercase());
        }
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(function: &str, length: &str, ty: &str, expected: Option<&str>) {
        let doubt = doubt(function, length, &Shape::Int(Some(ty.to_owned())));
        let said = doubt.map(|doubt| match doubt {
            Doubt::Unit(unit) => unit,
            Doubt::Things => "things".to_owned(),
            Doubt::Bytes => "bytes".to_owned(),
            Doubt::Records { size, .. } => size,
        });
        assert_eq!(said.as_deref(), expected, "{length} of {function}");
    }

    #[test]
    fn what_lengths_count() {
        check("put", "len", "u32", None);
        check("put", "n", "u8", None);
        check("put", "size", "u8", None);
        check("put", "block_size", "u8", None);
        check("put", "bitmap_len", "u8", None);
        check("put", "size", "u32", Some("bytes"));
        check("put", "dataSize", "u16", Some("bytes"));
        check("put", "nbytes", "c_int", Some("bytes"));
        check("put", "nbits", "u8", Some("bits"));
        check("put", "bitlen", "u8", Some("bits"));
        check("put", "key_bits", "u8", Some("bits"));
        check("put", "numRows", "u8", Some("rows"));
        check("put", "block_count", "u8", Some("blocks"));
        check("put", "n_samples", "f32", Some("samples"));
        check("put_rows", "n", "u8", Some("rows"));
        check("put_rows", "len", "u8", None);
    }
}
