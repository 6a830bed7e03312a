//! How deep the parser may have to recurse, told from tokens alone.
//!
//! The parser is recursive, and a stack that overflows ends the process: for text of any depth the answer must be known
//! before it starts.

use crate::syntax::{Source, SyntaxKind, T};

/// Depth that the stack of any thread bears.
pub(super) const SMALL: usize = 400;

/// Depth beyond which text is not parsed at all.
pub(super) const LARGE: usize = 50_000;

/// Stack for one level of recursion, in bytes; measured at about 1 KiB for parentheses.
pub(super) const STACK: usize = 8 << 10;

/// An upper bound: what no level of recursion goes without is a token of its own since the last separator, in this group or
/// one around it. Long chains that the parser walks in a loop count as deep too, and cost a thread.
pub(super) fn bound(source: &Source<'_>, tokens: impl Iterator<Item = usize>) -> usize {
    let mut outer: Vec<usize> = Vec::new();
    let (mut since_separator, mut below, mut most) = (0, 0, 0);
    let mut closed = false;
    for raw in tokens {
        let kind = source.raw_kind(raw);
        if kind.is_trivia() {
            continue;
        }
        // A body ends a statement unless the statement goes on behind it.
        if std::mem::take(&mut closed) && !matches!(kind, T![else] | T![.] | T![?]) {
            since_separator = 0;
        }
        match kind {
            T![;] | T![,] => since_separator = 0,
            T!['('] | T!['['] | T!['{'] => {
                since_separator += 1;
                below += since_separator;
                outer.push(std::mem::take(&mut since_separator));
            }
            T![')'] | T![']'] | T!['}'] => {
                since_separator = outer.pop().unwrap_or(0);
                below = below.saturating_sub(since_separator);
                closed = kind == T!['}'];
            }
            SyntaxKind::ERROR => {}
            _ => since_separator += 1,
        }
        most = most.max(below + since_separator);
    }
    most
}
