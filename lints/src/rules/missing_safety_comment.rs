//! Unsafe blocks without a safety comment.
//!
//! ## What it does
//!
//! Reports unsafe blocks without a `SAFETY:` comment, or with one that says nothing.
//!
//! The comment may precede the block, or the statement, match arm, field or constant that contains it, above or
//! below attributes. It may also be inside the block before the first statement, or at the end of its line.
//! `Safety:` and `# Safety` are accepted like `SAFETY:`; `safety-words` under `[audit]` in the policy adds others.
//!
//! ## Why it matters
//!
//! `unsafe` says that the author checked something that the compiler cannot check. Without the argument nobody else
//! can check it: neither a reviewer, nor whoever later changes the surrounding code that the argument depends on.
//!
//! ## Example
//!
//! ```rust
//! fn first(bytes: &[u8]) -> u8 {
//!     unsafe { *bytes.as_ptr() }
//! }
//! ```
//!
//! ## What to do instead
//!
//! Say what makes the block sound, and who guarantees it.
//!
//! ```rust
//! fn first(bytes: &[u8]) -> u8 {
//!     assert!(!bytes.is_empty());
//!     // SAFETY: there is a first byte, as was just checked.
//!     unsafe { *bytes.as_ptr() }
//! }
//! ```
//!
//! ## Known limits
//!
//! Whether a comment is correct is for a reader to judge. Blocks in the body of a macro definition are not
//! examined.

use super::{Report, Subject};
use crate::facts::UnsafeKind;

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for fact in subject.facts.unsafes.iter().filter(|fact| fact.kind == UnsafeKind::Block) {
        match fact.safety.as_deref() {
            None => report.add(fact.span, &fact.scope, "unsafe block without a `SAFETY:` comment", Vec::new()),
            Some(argument) if says_nothing(argument) => {
                report.add(fact.span, &fact.scope, "the `SAFETY:` comment of this unsafe block says nothing", Vec::new());
            }
            Some(_) => {}
        }
    }
}

/// Whether a safety comment consists of the word `SAFETY` alone, or of a promise to write one.
pub(super) fn says_nothing(argument: &str) -> bool {
    let words = argument.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut words = words.map(str::to_ascii_lowercase).filter(|word| word != "safety");
    words.all(|word| matches!(&*word, "todo" | "fixme" | "xxx" | "tbd" | "unsafe" | "ok"))
}
