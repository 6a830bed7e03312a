//! Source code that does not parse.
//!
//! ## What it does
//!
//! Reports places where the source code does not parse.
//!
//! ## Why it matters
//!
//! Unsafe code may be hidden where the parser did not understand the source. The facts about the rest of the file
//! come from what the parser could recover. The crate counts as incompletely scanned, and the exit status of
//! `check` says so.
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
//! Fix the file, or delete it if nothing includes it. If the compiler accepts the file, the parser lags behind the
//! language: please report it.
//!
//! ```rust
//! fn start() {
//!     launch()
//! }
//! ```
//!
//! ## Known limits
//!
//! Files outside a member's `src` that no target reaches are not read. Files in `src` are, and one that does not
//! parse makes the scan incomplete (status 4): delete it, or move it out of `src`.

use super::{Report, Subject};
use std::sync::Arc;

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for error in &subject.facts.errors {
        report.add(error.span, &Arc::default(), error.message.clone(), Vec::new());
    }
}
