//! Exported symbols that the C library has as well.
//!
//! ## What it does
//!
//! Reports functions and statics that `#[no_mangle]` or `#[export_name]` exports under a name that the C library or
//! its mathematical part defines.
//!
//! ## Why it matters
//!
//! The linker takes the program's own definition before the library's, for everybody: C code, other crates and
//! the C library's own callers of `read` or `malloc` get the Rust function, whether it does what theirs does or
//! not. Nothing warns.
//!
//! ## Example
//!
//! ```rust
//! #[no_mangle]
//! pub extern "C" fn read(sensor: i32) -> i64 {
//!     i64::from(sensor)
//! }
//! ```
//!
//! ## What to do instead
//!
//! Give the symbol a prefix that is yours. Interposing on purpose is an exception with its reason.
//!
//! ```rust
//! #[export_name = "acme_read"]
//! pub extern "C" fn read(sensor: i32) -> i64 {
//!     i64::from(sensor)
//! }
//! ```
//!
//! ## Known limits
//!
//! The names are those of glibc 2.36 on x86-64 (`libc.so.6`, `libm.so.6`); other C libraries have some more and many
//! fewer. Exports that macros of other crates write are not seen.

use super::{Report, Subject};
use std::collections::HashSet;
use std::sync::LazyLock;

/// Made by the test in `tests/libc_symbols.rs`.
const SYMBOLS: &str = include_str!("../../data/libc-symbols.txt");

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for definition in &subject.facts.definitions {
        if let Some(symbol) = definition.symbol.as_deref().filter(|symbol| is_of_libc(symbol)) {
            let message = format!("exported symbol `{symbol}` takes the place of the C library's");
            report.add(definition.span, &definition.scope, message, Vec::new());
        }
    }
}

/// Whether the C library, or its part for mathematics, has something of this name.
pub fn is_of_libc(symbol: &str) -> bool {
    static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| SYMBOLS.lines().filter(|line| !line.starts_with('#')).collect());
    KNOWN.contains(symbol)
}
