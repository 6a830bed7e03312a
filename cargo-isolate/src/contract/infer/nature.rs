//! Pointers of which it is clear what they are, and for which contracts have no words or need some of the policy.

use super::{
    lengths::{is_length_cell, plain, sounds_like_length},
    pointer::Pointer,
};
use crate::contract::{check::Param, shape::Shape};

/// What a pointer is of a run of values between two of them.
pub(super) enum Part<'p> {
    Start { end: &'p str },
    End { start: &'p str },
    Within { start: &'p str },
}

impl Pointer<'_> {
    /// A length by value follows, or a counter of what is left stands before.
    pub(super) fn is_cursor(&self) -> bool {
        let params = &self.signature.params;
        let before = self.index.checked_sub(1).map(|before| &params[before]);
        let counts = |param: &Param| is_length_cell(param) && plain(&param.name).starts_with("avail");
        params.get(self.index + 1).is_some_and(|next| next.shape.is_int() && sounds_like_length(&next.name))
            || before.is_some_and(counts)
    }

    /// `(str, end)`, `(name, name_end)`, and `start` behind them.
    pub(super) fn part_of_run(&self) -> Option<Part<'_>> {
        const PLACES: [&str; 4] = ["start", "range", "at", "s"];
        let params = &self.signature.params;
        let me = self.me();
        let same = |param: &&Param| param.shape == me.shape;
        let ends = |start: &str, end: &str| end == "end" || end.strip_suffix("_end") == Some(start);
        let start_of =
            |index: usize| params[..index].iter().find(|start| same(start) && ends(&start.name, &params[index].name));
        if let Some(start) = start_of(self.index) {
            return Some(Part::End { start: &start.name });
        }
        let is_start =
            |(index, end): &(usize, &Param)| same(end) && start_of(*index).is_some_and(|start| start.name == me.name);
        if let Some((_, end)) = params.iter().enumerate().find(is_start) {
            return Some(Part::Start { end: &end.name });
        }
        let ends = (0..self.index).filter(|index| same(&&params[*index]));
        let start = ends.filter_map(start_of).next().filter(|_| PLACES.contains(&&*me.name))?;
        Some(Part::Within { start: &start.name })
    }

    /// `free(memory)`, with the object that it belongs to before it, or what frees the library's text.
    pub(super) fn is_freed(&self) -> bool {
        if self.known.library.frees_text() == Some(&*self.signature.name) {
            return true;
        }
        if *self.to == Shape::Char {
            return false;
        }
        let params = &self.signature.params;
        let function = self.signature.name.to_lowercase();
        let others = params.iter().enumerate().filter(|(index, _)| *index != self.index);
        (function.ends_with("free") || function.ends_with("_free_default"))
            && self.index + 1 == params.len()
            && others.into_iter().all(|(_, param)| matches!(param.shape.pointee(), Some((_, Shape::Opaque(_)))))
    }

    /// `void *` that goes to callbacks: by its place beside one, or by its name.
    pub(super) fn is_token(&self) -> Option<String> {
        const WORDS: [&str; 12] = [
            "payload",
            "userdata",
            "userptr",
            "closure",
            "cookie",
            "opaque",
            "baton",
            "clientdata",
            "cbdata",
            "appdata",
            "abstract",
            "callbackarg",
        ];
        let params = &self.signature.params;
        let name = plain(self.name());
        let is_named =
            WORDS.iter().any(|word| name.ends_with(word)) || self.name().starts_with("user_") || name == "user";
        let beside = [self.index.checked_sub(1), Some(self.index + 1)];
        let mut beside = beside.into_iter().flatten().filter_map(|index| params.get(index));
        let callback = match beside.find(|param| matches!(param.shape, Shape::Function(_))) {
            Some(callback) => Some(callback),
            None if is_named => params.iter().find(|param| matches!(param.shape, Shape::Function(_))),
            None => None,
        };
        if self.own_length().is_some() || self.next_length().is_some() {
            return None;
        }
        match callback {
            Some(callback) => Some(format!("the callback `{}` is", callback.name)),
            None if self.signature.name.ends_with("set_ex_data") || self.signature.name.ends_with("set_data") => {
                Some("whoever asks for it is".to_owned())
            }
            None => is_named.then(|| "callbacks are".to_owned()),
        }
    }
}
