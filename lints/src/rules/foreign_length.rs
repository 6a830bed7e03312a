//! Slice lengths taken from C unchecked.
//!
//! ## What it does
//!
//! Reports `from_raw_parts` and its kin where the length was returned or written by a foreign function, directly
//! or through variables and arithmetic, and the function neither compares it with anything but a literal number
//! nor limits it (`min`, `clamp`) before.
//!
//! ## Why it matters
//!
//! A length that C got wrong, or that an attacker made it get wrong, becomes a Rust slice that reads and writes
//! past its memory, from then on in safe code. The one place where it can be held against what was allocated is
//! here.
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
//! Index the slice that you have, or compare before.
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
//! Functions of thousands of lines are not looked through.
//! Where pointer and length both come from C, as from `sqlite3_column_blob` and `sqlite3_column_bytes`, there is
//! nothing to compare with, and an exception names the function that is trusted. Lengths in fields of structs
//! that C filled are followed, those that another function passes on are not.

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
