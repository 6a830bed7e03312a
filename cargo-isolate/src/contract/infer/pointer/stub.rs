//! What to write of a buffer whose length nothing proves.

use super::Pointer;
use crate::contract::{
    check::Param,
    infer::{
        lengths::{is_of_another, plain, sounds_like_length},
        units::Doubt,
    },
};

impl Pointer<'_> {
    /// A buffer to start from in a stub, with a length that its name or its place speak for. Where none is, the entry does not
    /// pass as it is, and its comment says which parameters are left to choose from.
    pub(super) fn start(&self, words: &str, next: Option<&Param>) -> String {
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
        asked_of(&format!("{{ {words} = \"LENGTH\" }}"), &self.open_lengths().collect::<Vec<_>>())
    }

    /// The number that a buffer's name ends with, where it can be one of bytes: `msg32`, `out66`, and not `in2` or `utf16`.
    pub(super) fn digits(&self) -> Option<String> {
        let name = self.name();
        let word = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = &name[word.len()..];
        let is_size = digits.parse().is_ok_and(|bytes: u32| (12..=4096).contains(&bytes));
        (is_size && self.to.is_byte() && word.len() > 1 && !word.ends_with("utf")).then(|| digits.to_owned())
    }

    /// Integers that no other pointer has a better claim to.
    pub(super) fn open_lengths(&self) -> impl Iterator<Item = &Param> {
        self.lengths().filter(|length| {
            !self.belongs_to_another(length) && !self.is_claimed(&length.name) && !self.follows_another(length)
        })
    }

    /// `dst_cap` and `dst`, `out_nbytes_avail` and `out`, and not `windowBits` and `window`.
    pub(super) fn shares_name(&self, length: &Param) -> bool {
        let (length, name) = (plain(&length.name), plain(self.name()));
        let rest = length.strip_prefix(&*name).or_else(|| length.strip_suffix(&*name));
        let measures =
            |rest: &str| sounds_like_length(rest) || ["cap", "avail", "max"].iter().any(|word| rest.contains(word));
        name.len() > 1 && rest.is_some_and(measures)
    }
}

/// An entry that does not pass as it is, with what its length may be in the comment.
pub(super) fn asked(words: &str, length: &str, doubt: &Doubt) -> String {
    match doubt.answer(length) {
        Some(length) => format!("{{ {words} = \"{length}\" }}"),
        None => format!("{{ {words} = \"LENGTH\" }}  # LENGTH: {}", doubt.readings(length)),
    }
}

/// An entry that does not pass as it is, with the parameters that its length may be.
pub(super) fn asked_of(entry: &str, open: &[&Param]) -> String {
    let left = if open.is_empty() { String::new() } else { format!("{} or ", listed(open)) };
    format!("{entry}  # LENGTH: {left}a number")
}

/// "`len`, `count`," before "or".
pub(super) fn listed(lengths: &[&Param]) -> String {
    lengths.iter().map(|length| format!("`{}`,", length.name)).collect::<Vec<_>>().join(" ")
}
