//! Attributes that reach the linker behind the compiler's back.
//!
//! ## What it does
//!
//! Reports attributes that reach the linker or the code generator behind the compiler's back: `no_mangle`,
//! `export_name`, `link_section`, and everything in `#[unsafe(…)]`, whether written bare or in `cfg_attr`.
//!
//! ## Why it matters
//!
//! An exported name can replace a function of the C library for the whole program (`#[no_mangle] fn malloc`), a
//! section can make data executable, a naked function has no body that the compiler understands. Before the
//! 2024 edition none of them needs the word `unsafe`.
//!
//! ## Example
//!
//! ```rust
//! #[unsafe(no_mangle)]
//! pub extern "C" fn read(fd: i32) -> isize {
//!     -1
//! }
//! ```
//!
//! ## What to do instead
//!
//! Pass functions to C as pointers where its interface has a place for them. Where a name must be exported,
//! give it a prefix of your own that no library uses, and allow the rule for the module with the reason.
//!
//! ```rust
//! pub extern "C" fn read(fd: i32) -> isize {
//!     -1
//! }
//! ```
//!
//! ## Known limits
//!
//! Attributes that other crates' attribute macros add are not seen.

use super::{Report, Subject};
use crate::facts::UnsafeKind;

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for fact in subject.facts.unsafes.iter().filter(|fact| fact.kind == UnsafeKind::Attribute) {
        let name = fact.name.as_deref().unwrap_or("_");
        report.add(fact.span, &fact.scope, format!("unsafe attribute `{name}`"), Vec::new());
    }
}
