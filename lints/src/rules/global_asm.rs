//! Assembly outside functions.
//!
//! ## What it does
//!
//! Reports `global_asm!`.
//!
//! ## Why it matters
//!
//! It adds machine code to the program without the word `unsafe`, and tools that read Rust cannot see what the code
//! does. It can define symbols that replace a library's, and it can contain instructions that undo isolation, such
//! as `wrpkru`.
//!
//! ## Example
//!
//! ```rust
//! core::arch::global_asm!(".globl start", "start: jmp main");
//! ```
//!
//! ## What to do instead
//!
//! Put the instructions into a function with `asm!` or `naked_asm!`. Their inputs, outputs and callers are then
//! visible, and the `unsafe` block has to be justified.
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
//! Assembly in object files compiled by a build script is not found.

use super::{Report, Subject};
use crate::facts::UnsafeKind;

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for fact in subject.facts.unsafes.iter().filter(|fact| fact.kind == UnsafeKind::GlobalAsm) {
        report.add(fact.span, &fact.scope, "machine code outside any function", Vec::new());
    }
}
