//! Attributes that affect the linker behind the compiler's back.
//!
//! ## What it does
//!
//! Reports attributes that affect the linker or the code generator behind the compiler's back: `no_mangle`,
//! `export_name`, `link_section`, and everything in `#[unsafe(…)]`, whether written directly or in `cfg_attr`.
//!
//! ## Why it matters
//!
//! An exported name can replace a function of the C library for the whole program (`#[no_mangle] fn malloc`), a
//! section can make data executable, and a naked function has no body that the compiler understands. Before the
//! 2024 edition none of these attributes needs the word `unsafe`.
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
//! Pass functions to C as pointers if its interface supports that. If a name must be exported, give it a prefix of
//! your own that no library uses, and allow the rule for the module with a reason.
//!
//! ```rust
//! pub extern "C" fn read(fd: i32) -> isize {
//!     -1
//! }
//! ```
//!
//! ## Known limits
//!
//! Attributes added by attribute macros of other crates are not found.

use super::{Report, Subject};
use crate::facts::UnsafeKind;

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for fact in subject.facts.unsafes.iter().filter(|fact| fact.kind == UnsafeKind::Attribute) {
        let name = fact.name.as_deref().unwrap_or("_");
        report.add(fact.span, &fact.scope, format!("unsafe attribute `{name}`"), Vec::new());
    }
}
