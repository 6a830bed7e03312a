//! Slice lengths received from C without a check.
//!
//! ## What it does
//!
//! Reports `from_raw_parts` and its variants if the length was returned or written by a foreign function, directly
//! or through variables and arithmetic, and the function does not check it first: neither compares it with anything
//! other than a literal number, nor limits it (`min`, `clamp`).
//!
//! ## Why it matters
//!
//! If C computes the length wrongly, or an attacker makes it do so, the result is a Rust slice that reaches past
//! its memory, and safe code will read and write there. This is the only place where the length can be compared
//! with what was allocated.
//!
//! ## Example
//!
//! ```rust
//! extern "C" {
//!     fn decode(into: *mut u8, room: usize) -> usize;
//! }
//!
//! fn decoded(buffer: &mut [u8]) -> &[u8] {
//!     // SAFETY: the buffer is as long as said.
//!     let written = unsafe { decode(buffer.as_mut_ptr(), buffer.len()) };
//!     // SAFETY: so much was written.
//!     unsafe { std::slice::from_raw_parts(buffer.as_ptr(), written) }
//! }
//! ```
//!
//! ## What to do instead
//!
//! Index the slice that you have, or check the length first.
//!
//! ```rust
//! extern "C" {
//!     fn decode(into: *mut u8, room: usize) -> usize;
//! }
//!
//! fn decoded(buffer: &mut [u8]) -> Option<&[u8]> {
//!     // SAFETY: the buffer is as long as said.
//!     let written = unsafe { decode(buffer.as_mut_ptr(), buffer.len()) };
//!     buffer.get(..written)
//! }
//! ```
//!
//! ## Known limits
//!
//! Functions of thousands of lines are not analysed. If both pointer and length come from C, as from
//! `sqlite3_column_blob` and `sqlite3_column_bytes`, there is nothing to compare with: add an exception for the
//! trusted function. Lengths in fields of structs that C filled are followed; lengths that another function passes
//! on are not.

use super::unchecked_cstr::foreign_origin;
use super::{Report, Subject};
use crate::facts::TrustKind;

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for trust in subject.facts.trusts.iter().filter(|trust| trust.kind == TrustKind::Length && !trust.checked) {
        if let Some((callee, line)) = foreign_origin(subject, trust) {
            let message = format!("the length `{}` is what the foreign function `{callee}` said", trust.what);
            report.add(trust.span, &trust.scope, message, vec![format!("`{callee}` is called in line {line}")]);
        }
    }
}
