//! Unsafe functions and traits that do not say what they ask for.
//!
//! ## What it does
//!
//! Reports unsafe functions and traits whose documentation has no `# Safety` section, or an empty one; a `SAFETY:`
//! comment above is as good. A function that implements one of a trait's needs no section of its own: the
//! trait has it. Functions in extern blocks are C's to document.
//!
//! ## Why it matters
//!
//! An unsafe function asks its caller for a promise. A caller who does not know which cannot keep it, nor argue at
//! the call that it is kept.
//!
//! ## Example
//!
//! ```rust
//! /// The element at a place.
//! pub unsafe fn at(values: &[u8], place: usize) -> u8 {
//!     // SAFETY: the caller promises that there is one.
//!     unsafe { *values.get_unchecked(place) }
//! }
//! ```
//!
//! ## What to do instead
//!
//! ```rust
//! /// The element at a place.
//! ///
//! /// # Safety
//! ///
//! /// `place` is less than the length of `values`.
//! pub unsafe fn at(values: &[u8], place: usize) -> u8 {
//!     // SAFETY: the caller promises that there is one.
//!     unsafe { *values.get_unchecked(place) }
//! }
//! ```
//!
//! ## Known limits
//!
//! Documentation from files (`#[doc = include_str!(…)]`) is not read. What macros of other crates write is not seen.

use super::missing_safety_comment::says_nothing;
use super::{Report, Subject};
use crate::facts::{FileFacts, UnsafeFact, UnsafeKind};

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for fact in &subject.facts.unsafes {
        let Some(what) = owes_section(fact, subject.facts) else { continue };
        let section = match fact.safety.as_deref() {
            None => "without a `# Safety` section",
            Some(section) if says_nothing(section) => "with an empty `# Safety` section",
            Some(_) => continue,
        };
        let name = fact.name.as_deref().unwrap_or("_");
        report.add(fact.span, &fact.scope, format!("{what} `{name}` {section}"), Vec::new());
    }
}

/// What to call a construct in a message, if its documentation should have a `# Safety` section.
pub fn owes_section(fact: &UnsafeFact, facts: &FileFacts) -> Option<&'static str> {
    match fact.kind {
        UnsafeKind::Trait => Some("unsafe trait"),
        UnsafeKind::Function if !fact.of_trait => Some("unsafe function"),
        UnsafeKind::Declaration if is_foreign(fact, facts) => None,
        // The declaration may become anything in the macro's expansion.
        UnsafeKind::Declaration if fact.scope.in_macro.is_some() => Some("unsafe function"),
        UnsafeKind::Declaration => Some("unsafe function of a trait"),
        _ => None,
    }
}

/// Whether it is an `unsafe fn` in an extern block, whose requirements are documented in C.
fn is_foreign(fact: &UnsafeFact, facts: &FileFacts) -> bool {
    let after = facts.foreign.partition_point(|item| item.span.start <= fact.span.start);
    after > 0 && fact.span.start < facts.foreign[after - 1].span.end
}
