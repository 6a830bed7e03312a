//! Places that do not parse.
//!
//! ## What it does
//!
//! Reports places that do not parse.
//!
//! ## Why it matters
//!
//! What stands there was not understood, so unsafe code may hide in it. The facts of the rest of the file come
//! from what the parser could recover; the crate counts as incompletely scanned, and `check` says so in its
//! exit status.
//!
//! ## Example
//!
//! ```rust
//! fn start( {
//!     unsafe { launch() }
//! }
//! ```
//!
//! ## What to do instead
//!
//! Fix the file, or remove it if nothing includes it. Where the compiler accepts the file, the parser is behind
//! the language: please report it.
//!
//! ```rust
//! fn start() {
//!     launch()
//! }
//! ```
//!
//! ## Known limits
//!
//! Files outside of a member's `src` that no target reaches are not read. Those below `src` are, and one that does not
//! parse makes the scan incomplete (status 4): delete it, or move it out of `src`.

use super::{Report, Subject};
use std::sync::Arc;

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for error in &subject.facts.errors {
        report.add(error.span, &Arc::default(), error.message.clone(), Vec::new());
    }
}
