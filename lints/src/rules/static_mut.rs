//! Mutable statics.
//!
//! ## What it does
//!
//! Reports `static mut`.
//!
//! ## Why it matters
//!
//! Any two uses of it may be a data race, and any reference to it may exist twice, which is undefined behaviour
//! even in a single thread. Both depend on every other use in the program, so no comment at one of them can
//! argue for it.
//!
//! ## Example
//!
//! ```rust
//! static mut COUNTER: u32 = 0;
//! ```
//!
//! ## What to do instead
//!
//! Use an atomic, a `Mutex`, a `OnceLock`, or `thread_local!`.
//!
//! ```rust
//! static COUNTER: AtomicU32 = AtomicU32::new(0);
//! ```
//!
//! ## Known limits
//!
//! Those that macros of other crates write are not seen.

use super::{Report, Subject};
use crate::facts::{ForeignKind, UnsafeKind};

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for fact in subject.facts.unsafes.iter().filter(|fact| fact.kind == UnsafeKind::StaticMut) {
        let name = fact.name.as_deref().unwrap_or("_");
        report.add(fact.span, &fact.scope, format!("mutable static `{name}`"), Vec::new());
    }
    for item in &subject.facts.foreign {
        if let ForeignKind::Static { mutable: true, .. } = item.item {
            let note = "declared in an extern block: other languages write it too".to_owned();
            report.add(item.span, &item.scope, format!("mutable foreign static `{}`", item.name), vec![note]);
        }
    }
}
