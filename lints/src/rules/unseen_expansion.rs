//! Code that the scan knows of but cannot see.
//!
//! ## What it does
//!
//! Reports code that the scan knows of but cannot see: `include!` of a file that does not exist before the build,
//! usually one that a build script writes; and uses of a macro that calls something from its arguments that could
//! not be resolved.
//!
//! ## Why it matters
//!
//! The included code is part of the crate and may contain anything; bindings are usually included this way.
//! Counting it as safe would be a guess.
//!
//! ## Example
//!
//! ```rust
//! include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
//! ```
//!
//! ## What to do instead
//!
//! Generate bindings once, commit the file and declare it as a module. That also spares everyone who builds the
//! crate the generator and its dependencies.
//!
//! ```rust
//! mod bindings;
//! ```
//!
//! ## Known limits
//!
//! Attribute and derive macros of other crates may generate unsafe code as well. They are not reported, since
//! nearly every file uses some.

use super::{Report, Subject};

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for call in &subject.facts.unexpanded {
        report.add(call.span, &call.scope, format!("code behind `{}!` was not seen", call.name), Vec::new());
    }
    for used in subject.project.hidden_in(subject.place) {
        let message = format!("what `{}!` calls of its arguments was not seen", used.fact.path);
        report.add(used.fact.span, &used.fact.scope, message, Vec::new());
    }
}
