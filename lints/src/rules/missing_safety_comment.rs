//! Unsafe blocks without an argument for them.
//!
//! ## What it does
//!
//! Reports unsafe blocks without a `SAFETY:` comment, and those whose comment says nothing.
//!
//! The comment may stand before the block, before the statement, match arm, field or constant that holds it,
//! above or below attributes, inside the block before the first statement, or at the end of its line. `Safety:`
//! and `# Safety` are as good as `SAFETY:`; `safety-words` under `[audit]` of the policy names others.
//!
//! ## Why it matters
//!
//! `unsafe` says that the compiler cannot check something and that the author did. Without the argument nobody
//! can check it again: not the reviewer, and not whoever changes the code around it that the argument leant on.
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
//! Say what makes it sound, and who guarantees it.
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
//! Whether a comment is right is for a reader to judge. Blocks among the tokens of a macro's definition are not
//! looked at.

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
