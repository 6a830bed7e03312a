//! Syntax highlighting for the source excerpts of reports.

use crate::syntax::{Edition, Source, SyntaxKind, T};
use SyntaxKind::*;
use std::ops::Range;

/// The classes of tokens that highlighting distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A keyword, and `true` and `false`.
    Keyword,
    /// The keyword `unsafe`.
    Unsafe,
    /// A comment, documentation included.
    Comment,
    /// A string, byte string, byte or character.
    Text,
    /// A number.
    Number,
    /// A lifetime or label.
    Lifetime,
    /// The name of a function or macro, where it is called or defined.
    Function,
    /// A name that begins with a capital.
    Type,
}

/// The highlighted tokens, in source order.
pub fn highlight(text: &str, edition: Edition) -> Vec<(Range<usize>, Class)> {
    let source = Source::new(text, edition);
    let classes = (0..source.len()).filter_map(|raw| Some((source.raw_range(raw), class(&source, raw)?)));
    classes.collect()
}

fn class(source: &Source<'_>, raw: usize) -> Option<Class> {
    Some(match source.raw_kind(raw) {
        T![unsafe] => Class::Unsafe,
        COMMENT => Class::Comment,
        STRING | BYTE_STRING | C_STRING | CHAR | BYTE => Class::Text,
        INT_NUMBER | FLOAT_NUMBER => Class::Number,
        LIFETIME_IDENT => Class::Lifetime,
        IDENT => return name(source, raw),
        kind if kind.is_punct() || kind.is_trivia() || kind == ERROR => return None,
        _ => Class::Keyword,
    })
}

fn name(source: &Source<'_>, raw: usize) -> Option<Class> {
    let kind_at = |raw: usize| (raw < source.len()).then(|| source.raw_kind(raw));
    if matches!(kind_at(raw + 1), Some(T!['('] | T![!])) {
        return Some(Class::Function);
    }
    source.raw_text(raw).starts_with(char::is_uppercase).then_some(Class::Type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        let text = "/* a */ unsafe fn read<'a>(x: &'a Foo) { println!(\"é{}\", 1u8 as char, true) }";
        let shown: Vec<String> = highlight(text, Edition::E2024)
            .into_iter()
            .map(|(range, class)| format!("{class:?} {}", &text[range]))
            .collect();
        let expected = "Comment /* a */, Unsafe unsafe, Keyword fn, Lifetime 'a, Lifetime 'a, Type Foo, Function println, \
                        Text \"é{}\", Number 1u8, Keyword as, Keyword true";
        assert_eq!(shown.join(", "), expected);
    }
}
