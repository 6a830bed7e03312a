//! Unsafe code without an argument for it.
//!
//! ## What it does
//!
//! Reports unsafe blocks and `unsafe impl`s without a `SAFETY:` comment, and unsafe functions and traits whose
//! documentation has no `# Safety` section.
//!
//! The comment of a block may stand before the block, before the statement, match arm or field that holds it,
//! above or below attributes, inside the block before the first statement, or at the end of its line. `Safety:`
//! and `# Safety` are as good as `SAFETY:`. A function that implements one of a trait's needs no section of its
//! own: the trait has it.
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
//! What a comment says is for a reader to judge. `unsafe` among the tokens of a macro is not looked at.

use super::{Report, Subject};
use crate::facts::{FileFacts, UnsafeFact, UnsafeKind};

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for fact in subject.facts.unsafes.iter().filter(|fact| fact.safety.is_none()) {
        let name = fact.name.as_deref().unwrap_or("_");
        let message = match fact.kind {
            UnsafeKind::Block => "unsafe block without a `SAFETY:` comment".to_owned(),
            UnsafeKind::Impl => format!("`unsafe impl {name}` without a `SAFETY:` comment"),
            UnsafeKind::Trait => format!("unsafe trait `{name}` without a `# Safety` section"),
            UnsafeKind::Function if !fact.of_trait => format!("unsafe function `{name}` without a `# Safety` section"),
            UnsafeKind::Declaration if !is_foreign(fact, subject.facts) => {
                format!("unsafe function `{name}` of a trait without a `# Safety` section")
            }
            _ => continue,
        };
        report.add(fact.span, &fact.scope, message, Vec::new());
    }
}

/// `unsafe fn` in an extern block: C's documentation says what it needs.
fn is_foreign(fact: &UnsafeFact, facts: &FileFacts) -> bool {
    let after = facts.foreign.partition_point(|item| item.span.start <= fact.span.start);
    after > 0 && fact.span.start < facts.foreign[after - 1].span.end
}
