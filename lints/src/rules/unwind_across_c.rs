//! Panics that reach the boundary with C.
//!
//! ## What it does
//!
//! Reports a function that is defined with the ABI `"C"`, `"system"` or another one that does not unwind, if it
//! visibly may panic (`panic!` and the like, `assert!`, `unwrap`, `expect`) and nothing in it stops a panic, such
//! as `catch_unwind` or a function whose name mentions panics. Also reports foreign functions that are declared
//! with such an ABI and take a callback that may unwind (`extern "C-unwind" fn`).
//!
//! ## Why it matters
//!
//! A panic cannot leave such a function. Since Rust 1.81 it aborts the process: no destructor runs, no caller is
//! notified, and a server that catches panics per request dies all the same. Before 1.81, and where C code below
//! unwinds through a declaration that says it does not, the behaviour is undefined.
//!
//! ## Example
//!
//! ```rust
//! #[no_mangle]
//! pub extern "C" fn acme_parse(text: *const u8, len: usize) -> i32 {
//!     // SAFETY: the caller of this function promises it.
//!     let text = unsafe { std::slice::from_raw_parts(text, len) };
//!     std::str::from_utf8(text).unwrap().parse().unwrap()
//! }
//! ```
//!
//! ## What to do instead
//!
//! Return errors the way C does. If called code may panic, stop the panic with `catch_unwind` around the body, and
//! return a value that says so. If unwinding through C is intended, use `"C-unwind"` on both sides.
//!
//! ```rust
//! #[no_mangle]
//! pub extern "C" fn acme_parse(text: *const u8, len: usize) -> i32 {
//!     std::panic::catch_unwind(|| {
//!         // SAFETY: the caller of this function promises it.
//!         let text = unsafe { std::slice::from_raw_parts(text, len) };
//!         std::str::from_utf8(text).unwrap().parse().unwrap()
//!     })
//!     .unwrap_or(-1)
//! }
//! ```
//!
//! ## Known limits
//!
//! Panics inside called functions, in arithmetic and in indexing are not counted. Whether an `unwrap` can fail is
//! not known, unless an `is_none` or similar precedes it. Tests are ignored. The rule also applies to programs
//! built with `panic = "abort"`, for which it does not matter.

use super::{Report, Subject};
use crate::facts::{ForeignKind, PanicKind};

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for definition in &subject.facts.definitions {
        let Some(abi) = definition.abi.as_deref().filter(|abi| stops_unwinding(abi)) else { continue };
        let certain = |kind| matches!(kind, PanicKind::Macro | PanicKind::Unwrap);
        let Some(first) = definition.panics.iter().find(|panic| certain(panic.kind)) else { continue };
        if definition.guarded || subject.is_test(&definition.scope) {
            continue;
        }
        let message = format!("a panic in `{}` cannot leave it: its ABI is `{abi}`", definition.name);
        let note = format!("`{}` in line {} may panic", first.what, first.span.line);
        report.add(definition.span, &definition.scope, message, vec![note]);
    }
    for item in subject.facts.foreign.iter().filter(|item| stops_unwinding(&item.abi)) {
        let ForeignKind::Function { params, .. } = &item.item else { continue };
        if let Some(param) = params.iter().find(|param| param.ty.contains("-unwind\" fn")) {
            let message = format!("`{}` takes a callback that may unwind, and is declared not to", item.name);
            let note = format!("the callback is `{}`, the function's ABI `{}`", param.ty, item.abi);
            report.add(item.span, &item.scope, message, vec![note]);
        }
    }
}

/// Whether a panic cannot unwind out of a function with this ABI.
fn stops_unwinding(abi: &str) -> bool {
    !abi.ends_with("-unwind") && !matches!(abi, "Rust" | "rust-call" | "rust-cold" | "rust-intrinsic")
}
