//! Callbacks passed to C that may panic.
//!
//! ## What it does
//!
//! Reports a Rust function that is an argument of a foreign call, directly or in `Some`, if all of this holds: its
//! ABI does not unwind; it visibly may panic (`panic!`, `assert!`, `unwrap`, `expect`) or calls a closure or a
//! function of a generic parameter; and nothing in it stops a panic, such as `catch_unwind` or a function whose
//! name mentions panics.
//!
//! ## Why it matters
//!
//! C calls the function whenever it likes, possibly while holding locks of its own. A panic in a closure that a
//! user of the crate wrote, far from any `unsafe`, aborts the process there (before Rust 1.81 it unwinds through C,
//! which is undefined behaviour). Only the function that C calls can turn the panic into an error.
//!
//! ## Example
//!
//! ```rust
//! extern "C" {
//!     fn set_handler(call: extern "C" fn(*mut c_void), data: *mut c_void);
//! }
//!
//! extern "C" fn trampoline<F: FnMut()>(data: *mut c_void) {
//!     // SAFETY: `data` is the closure given to `set_handler`.
//!     let handler = unsafe { &mut *data.cast::<F>() };
//!     handler()
//! }
//!
//! fn install<F: FnMut()>(handler: &'static mut F) {
//!     // SAFETY: the closure lives as long as the program.
//!     unsafe { set_handler(trampoline::<F>, std::ptr::from_mut(handler).cast()) }
//! }
//! ```
//!
//! ## What to do instead
//!
//! ```rust
//! extern "C" {
//!     fn set_handler(call: extern "C" fn(*mut c_void), data: *mut c_void);
//! }
//!
//! extern "C" fn trampoline<F: FnMut()>(data: *mut c_void) {
//!     // SAFETY: `data` is the closure given to `set_handler`.
//!     let handler = unsafe { &mut *data.cast::<F>() };
//!     if catch_unwind(AssertUnwindSafe(handler)).is_err() {
//!         PANICKED.store(true, Ordering::Relaxed);
//!     }
//! }
//!
//! fn install<F: FnMut()>(handler: &'static mut F) {
//!     // SAFETY: the closure lives as long as the program.
//!     unsafe { set_handler(trampoline::<F>, std::ptr::from_mut(handler).cast()) }
//! }
//! ```
//!
//! ## Known limits
//!
//! Callbacks in struct fields, or stored in a variable first, are not followed. Panics inside called functions are
//! not counted. Associated functions are found only in the same file.

use super::{Report, Subject};
use crate::facts::PanicKind;

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for argument in &subject.facts.arguments {
        let first = subject.calls.partition_point(|call| call.call.span.start < argument.call);
        let mut here = subject.calls[first..].iter().take_while(|call| call.call.span.start == argument.call);
        let Some(call) = here.find(|call| !call.mention) else { continue };
        let Some(callback) = subject.project.definition(subject.place, &argument.scope, argument.span.start, &argument.path) else { continue };
        let unwinds = callback.abi.as_deref().is_none_or(|abi| abi.ends_with("-unwind"));
        let Some(panic) = callback.panics.iter().find(|panic| panic.kind != PanicKind::Index) else { continue };
        if callback.guarded || unwinds {
            continue;
        }
        let message = format!("`{}` is handed to `{}` and may panic", argument.path, call.item.name);
        let note = match panic.kind {
            PanicKind::Value => format!("it calls `{}`, which somebody else wrote, in line {}", panic.what, panic.span.line),
            _ => format!("`{}` in its line {} may panic", panic.what, panic.span.line),
        };
        report.add(argument.span, &argument.scope, message, vec![note]);
    }
}
