//! Unsafe impls without an argument for them.
//!
//! ## What it does
//!
//! Reports `unsafe impl` without a `SAFETY:` comment above it, attributes in between or not, and those whose
//! comment says nothing.
//!
//! ## Why it matters
//!
//! An unsafe trait is a promise that all code everywhere may lean on: `Send` that data races do not happen. It
//! holds for every value, for as long as the type exists, through each change of its fields.
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
//! One comment for several impls counts for the first of them. Impls among the tokens of a macro's definition are
//! not looked at.

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
