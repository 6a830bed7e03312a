//! An estimate from tokens alone of how deep the parser may recurse.
//!
//! The parser is recursive, and a stack overflow ends the process. So an upper bound must be known before it starts.

use crate::syntax::{Source, SyntaxKind, T};

/// Recursion depth that the stack of any thread can take.
pub(super) const SMALL: usize = 400;

/// Recursion depth beyond which text is not parsed at all.
pub(super) const LARGE: usize = 50_000;

/// Stack per level of recursion, in bytes; about 1 KiB was measured for parentheses.
pub(super) const STACK: usize = 8 << 10;

/// An upper bound on the recursion depth: every level takes at least one token of its own since the last separator, in
/// the current group or an enclosing one. Long chains that the parser handles in a loop count as deep, too, which
/// merely costs a thread.
pub(super) fn bound(source: &Source<'_>, tokens: impl Iterator<Item = usize>) -> usize {
    let mut outer: Vec<usize> = Vec::new();
    let (mut since_separator, mut below, mut most) = (0, 0, 0);
    let mut closed = false;
    for raw in tokens {
        let kind = source.raw_kind(raw);
        if kind.is_trivia() {
            continue;
        }
        // A body ends its statement unless the statement continues after it.
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
