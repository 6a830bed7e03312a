//! Unsafe impls without a safety comment.
//!
//! ## What it does
//!
//! Reports `unsafe impl` without a `SAFETY:` comment above it (attributes may come between), or with one that says
//! nothing.
//!
//! ## Why it matters
//!
//! Implementing an unsafe trait is a promise that all other code may rely on: for `Send`, that there are no data
//! races. It must hold for every value, for as long as the type exists, through every change of its fields.
//!
//! ## Example
//!
//! ```rust
//! struct Buffer(*mut u8);
//!
//! unsafe impl Send for Buffer {}
//! ```
//!
//! ## What to do instead
//!
//! ```rust
//! struct Buffer(*mut u8);
//!
//! // SAFETY: nothing else has the pointer, and the allocator serves all threads.
//! unsafe impl Send for Buffer {}
//! ```
//!
//! ## Known limits
//!
//! A comment for several impls counts for the first of them only. Impls in the body of a macro definition are not
//! examined.

use super::missing_safety_comment::says_nothing;
use super::{Report, Subject};
use crate::facts::UnsafeKind;

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for fact in subject.facts.unsafes.iter().filter(|fact| fact.kind == UnsafeKind::Impl) {
        let comment = match fact.safety.as_deref() {
            None => "without a `SAFETY:` comment",
            Some(argument) if says_nothing(argument) => "with a `SAFETY:` comment that says nothing",
            Some(_) => continue,
        };
        let name = fact.name.as_deref().unwrap_or("_");
        report.add(fact.span, &fact.scope, format!("`unsafe impl {name}` {comment}"), Vec::new());
    }
}
