//! Assembly outside functions.
//!
//! ## What it does
//!
//! Reports `global_asm!`.
//!
//! ## Why it matters
//!
//! It adds machine code to the program without the word `unsafe` anywhere, and no tool that reads Rust sees
//! what it does. It can define symbols that replace a library's, and hold instructions that undo isolation,
//! such as `wrpkru`.
//!
//! ## Example
//!
//! ```rust
//! core::arch::global_asm!(".globl start", "start: jmp main");
//! ```
//!
//! ## What to do instead
//!
//! Put the instructions into a function with `asm!` or `naked_asm!`: their inputs, outputs and callers are then
//! visible, and an `unsafe` block has to argue for them.
//!
//! ```rust
//! fn pause() {
//!     // SAFETY: `pause` changes nothing.
//!     unsafe { core::arch::asm!("pause", options(nomem, nostack, preserves_flags)) }
//! }
//! ```
//!
//! ## Known limits
//!
//! Assembly in object files that a build script compiles is not seen.

use super::{Report, Subject};
use crate::facts::UnsafeKind;

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for fact in subject.facts.unsafes.iter().filter(|fact| fact.kind == UnsafeKind::GlobalAsm) {
        report.add(fact.span, &fact.scope, "machine code outside any function", Vec::new());
    }
}
