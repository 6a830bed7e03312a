//! Unsafe blocks with more than one unsafe operation.
//!
//! ## What it does
//!
//! Reports an unsafe block with more than one operation that needs it: reads through raw pointers, `transmute`,
//! `from_raw_parts` and its variants, `asm!`, uses of mutable and foreign statics, and calls of unsafe functions of
//! the same file, of foreign functions, and of functions whose names say that they check nothing (`get_unchecked`).
//! Other calls are not counted, since syntax does not show whether they are unsafe.
//!
//! ## Why it matters
//!
//! One argument rarely covers two operations. The comment above a block of several usually justifies the first one,
//! and the others were added later. If such a block is wrong, it is hard to tell which precondition was violated.
//!
//! ## Example
//!
//! ```rust
//! fn first(pointer: *const u8, len: usize) -> u8 {
//!     // SAFETY: the caller says that there are `len` bytes.
//!     unsafe { *core::slice::from_raw_parts(pointer, len).get_unchecked(0) }
//! }
//! ```
//!
//! ## What to do instead
//!
//! Give each operation its own block and justification, and move safe code out.
//!
//! ```rust
//! fn first(pointer: *const u8, len: usize) -> u8 {
//!     // SAFETY: the caller says that there are `len` bytes.
//!     let bytes = unsafe { core::slice::from_raw_parts(pointer, len) };
//!     bytes[0]
//! }
//! ```
//!
//! ## Known limits
//!
//! A call of a method or of another crate's function is known to be unsafe only if its name says so, so some blocks
//! with several operations are missed. Two uses of one variable count as two.

use super::{Report, Subject};
use crate::facts::{Operation, OperationKind, UnsafeFact, UnsafeKind};
use std::collections::HashSet;

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    let facts = subject.facts;
    let foreign: HashSet<u32> = subject.calls.iter().map(|call| call.call.span.start).collect();
    let named = facts.unsafes.iter().filter(|fact| fact.kind == UnsafeKind::Function);
    let unsafe_functions: HashSet<&str> = named.filter_map(|fact| fact.name.as_deref()).collect();
    let needs = |operation: &Operation| match operation.kind {
        OperationKind::Call => {
            let what = operation.what.as_deref().unwrap_or_default();
            let name = what.rsplit([':', '.']).next().unwrap_or_default();
            let method = what.starts_with('.');
            foreign.contains(&operation.span.start) || !method && unsafe_functions.contains(name) || is_unchecked(name)
        }
        _ => true,
    };
    let all = subject.project.resolver().operations(subject.place);
    for (block, all) in facts.unsafes.iter().zip(&all).filter(|(fact, _)| fact.kind == UnsafeKind::Block) {
        let operations: Vec<&Operation> = all.iter().filter(|operation| needs(operation)).collect();
        if operations.len() > 1 {
            let message = format!("unsafe block with {} operations that need it", operations.len());
            report.add(block.span, &block.scope, message, vec![describe(&operations, block)]);
        }
    }
}

/// Functions that leave a check to their caller and say so in their name, in the standard library and elsewhere.
fn is_unchecked(name: &str) -> bool {
    name.contains("unchecked")
        || matches!(
            name,
            "assume_init" | "set_len" | "read_volatile" | "write_volatile" | "read_unaligned" | "write_unaligned" | "copy_nonoverlapping"
        )
}

fn describe(operations: &[&Operation], block: &UnsafeFact) -> String {
    let one = |operation: &&Operation| {
        let what = operation.what.as_deref().unwrap_or("a raw pointer").trim_start_matches('.');
        let verb = if operation.kind == OperationKind::Deref { "dereference of" } else { "" };
        let place = match operation.span.line == block.span.line {
            true => String::new(),
            false => format!(" (line {})", operation.span.line),
        };
        match verb {
            "" => format!("`{what}`{place}"),
            verb => format!("{verb} {what}{place}"),
        }
    };
    format!("it does: {}", operations.iter().map(one).collect::<Vec<_>>().join(", "))
}
