//! Numbers and plain structs: one of them, or several.

use super::{
    Pointer,
    buffer::is_named_result,
    stub::{asked, asked_of, listed},
};
use crate::contract::{
    Contract, Dir,
    infer::{
        Inference, Tier, found,
        lengths::{is_length_cell, is_position, sounds_like_length},
        library::sounds_like_getter,
        refused,
        units::words,
    },
};

impl Pointer<'_> {
    /// `*mut` number: one value, unless something smells of an array. It keeps what the caller has put there, except where names
    /// say that nothing is: a result that is copied in as well costs nothing, and an input that is not is another call.
    pub(super) fn scalar(&self) -> Inference {
        const WORDS: &str = "kind = \"buf\", dir = \"inout\", len";
        if let Some(inference) = self.by_others() {
            return inference;
        }
        let (name, me) = (self.name(), self.me());
        let length = self.own_length().or_else(|| self.next_length()).or_else(|| self.run_length());
        let length = length.or_else(|| {
            // `(num_items, items, out_len)`: what tells a length itself is none of several.
            self.count_before().filter(|_| !is_length_cell(me) && !is_named_result(name) && !me.shape.is_reference())
        });
        // `(in, in_pos, in_size)`: what moves along another argument is no array.
        if is_position(name) || length.is_none() && is_length_cell(me) && (self.has_output() || self.has_rival()) {
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
        if sounds_like_length(name) && !is_length_cell(me) {
            let reason = format!("`*mut {}` called `{name}`, too narrow for a length: one value, or several?", self.to);
            return refused(reason, Some(&format!("{{ {WORDS} = \"LENGTH\" }}  # LENGTH: a number")));
        }
        let lengths: Vec<_> = self.lengths().filter(|length| sounds_like_length(&length.name)).collect();
        if fills_array(&self.signature.name) {
            let function = &self.signature.name;
            let reason = format!("`*mut {}` of `{function}`, which by its name is about an array", self.to);
            return refused(reason, Some(&format!("{{ {WORDS} = \"LENGTH\" }}")));
        }
        if is_named_several(name) && !me.shape.is_reference() && !lengths.is_empty() {
            let candidate = match &lengths[..] {
                [length] if self.doubt(length).is_none() => format!("{{ {WORDS} = \"{}\" }}", length.name),
                lengths => format!("{{ {WORDS} = \"LENGTH\" }}  # LENGTH: {} or a number", listed(lengths)),
            };
            return refused(format!("`*mut {}` called `{name}`: one value, or several?", self.to), Some(&candidate));
        }
        if is_collective(name, "") && !me.shape.is_reference() {
            let candidate = asked_of(&format!("{{ {WORDS} = \"LENGTH\" }}"), &lengths);
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

    pub(super) fn plain_struct(&self, name: &str, mutable: bool) -> Inference {
        // What is only read is read where the program has it, as much of it as the function likes.
        let next = || self.next_length().filter(|_| !mutable || is_named_several(self.name()));
        if let Some(length) = self.own_length().or_else(next).or_else(|| self.count_before()) {
            let length = &length.name;
            let dir = if mutable { "dir = \"inout\", " } else { "" };
            let candidate = format!("{{ kind = \"buf\", {dir}len = \"{length}\" }}");
            return refused(format!("one `{name}`, or as many as `{length}` says?"), Some(&candidate));
        }
        if is_collective(self.name(), name) && !self.me().shape.is_reference() {
            let dir = if mutable { "dir = \"inout\", " } else { "" };
            let candidate = asked_of(&format!("{{ kind = \"buf\", {dir}len = \"LENGTH\" }}"), &[]);
            return refused(format!("`{name}` called `{}`: one of them, or several?", self.name()), Some(&candidate));
        }
        if mutable {
            let evidence = format!("`*mut {name}`, a struct of plain numbers: copied in and back");
            found(Contract::Obj { dir: Dir::Inout, nullable: false }, Tier::Likely, evidence)
        } else {
            let evidence = format!("`*const {name}`, a struct of plain numbers");
            found(Contract::Obj { dir: Dir::In, nullable: false }, Tier::Convention, evidence)
        }
    }
}

/// `roaring_bitmap_to_uint32_array`.
fn fills_array(function: &str) -> bool {
    words(function).last().is_some_and(|last| last == "array")
}

/// `palette`, `weightvector`, `ranges`, and not the `matrix` that is an `FT_Matrix`.
pub(super) fn is_collective(name: &str, ty: &str) -> bool {
    const WORDS: [&str; 7] = ["palette", "vector", "table", "matrix", "list", "array", "histogram"];
    let last = |name: &str| words(name).pop().unwrap_or_default();
    let says = |last: &str| WORDS.iter().any(|word| last.ends_with(word)) || is_plural(last);
    says(&last(name)) && !says(&last(ty)) && !is_count(name)
}

fn is_plural(word: &str) -> bool {
    const ONE: [&str; 20] = [
        "status",
        "pos",
        "axis",
        "bias",
        "radius",
        "basis",
        "focus",
        "class",
        "flags",
        "bits",
        "bytes",
        "progress",
        "options",
        "opts",
        "attrs",
        "params",
        "stats",
        "settings",
        "seconds",
        "milliseconds",
    ];
    word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") && !ONE.contains(&word)
}

/// `num_rows`, `anum_points`.
fn is_count(name: &str) -> bool {
    let counts = |word: &String| word.ends_with("num") || ["n", "nb", "number", "count", "total"].contains(&&**word);
    words(name).iter().any(counts)
}

/// `hashes`, `destination`, and not `flags` or `num_rows`.
pub(super) fn is_named_several(name: &str) -> bool {
    const DATA: [&str; 11] =
        ["pcm", "dst", "dest", "destination", "output", "buf", "buffer", "array", "table", "data", "samples"];
    let last = words(name).pop().unwrap_or_default();
    DATA.contains(&name) || is_plural(&last) && !is_count(name)
}
