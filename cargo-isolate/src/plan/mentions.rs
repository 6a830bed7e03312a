//! The expressions of an entry of the policy, and what they speak of.

use crate::{
    contract::expr::{Condition, Expr, Mentioned},
    policy::{Spanned, model},
};
use std::ops::Range;

/// Every expression of an entry about its own parameters, and whether it is a condition.
pub(super) fn texts(entry: &model::FnContract, when: Option<&Spanned<String>>) -> Vec<(Spanned<String>, bool)> {
    let words = entry.arg.values().chain(&entry.ret).map(Spanned::get_ref);
    let of_words = words.flat_map(|words| {
        let elem = words.elem.iter().flat_map(|elem| [&elem.get_ref().len, &elem.get_ref().cap]);
        [&words.len, &words.cap, &words.written].into_iter().chain(elem).flatten()
    });
    let told = entry.bind.values().flat_map(|lengths| lengths.values()).chain(&entry.message);
    let error = entry.error.iter().filter_map(|error| match error.get_ref() {
        model::ErrorWord::When(text) => Some((Spanned::new(error.span(), text.clone()), true)),
        model::ErrorWord::Never => None,
    });
    let lengths = of_words.chain(told).map(|text| (text.clone(), false));
    lengths.chain(error).chain(when.map(|when| (when.clone(), true))).collect()
}

/// What a text speaks of, with the places of that, as far as no escapes stand before them. A text that does not parse speaks of
/// nothing: that it does not is told where it is read.
pub(super) fn mentions(text: &Spanned<String>, is_condition: bool) -> Vec<(Mentioned, Range<usize>)> {
    let parsed = match is_condition {
        true => Condition::parse(text.get_ref()).map(|(_, mentions)| mentions),
        false => Expr::parse(text.get_ref()).map(|(_, mentions)| mentions),
    };
    let start = text.span().start + 1;
    let placed = parsed.unwrap_or_default().into_iter();
    placed.map(|mention| (mention.what, start + mention.span.start..start + mention.span.end)).collect()
}
