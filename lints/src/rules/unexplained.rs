//! `unsafe` keywords that the scan could not place.
//!
//! ## What it does
//!
//! Reports a file with `unsafe` keywords that the scan could not assign to a construct. This is cargo-isolate's
//! self-check: the lexer counts the keywords of each file, and each of them must belong to exactly one of the
//! constructs found.
//!
//! ## Why it matters
//!
//! A tool that silently misses unsafe code is worse than none. The part of the file that the scan did not
//! understand may also contain foreign declarations and calls.
//!
//! ## Example
//!
//! There is none on purpose: a file that triggers this rule has found a bug in cargo-isolate.
//!
//! ## What to do instead
//!
//! Please report it with the file, or with the lines around its `unsafe` keywords. Until it is fixed, review the
//! file by hand.
//!
//! ## Known limits
//!
//! None known: this rule checks the other rules.

use super::{Report, Subject};
use crate::facts::Span;
use std::sync::Arc;

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    let unexplained = subject.facts.unexplained();
    if unexplained != 0 {
        let whole = Span { start: 0, end: 0, line: 1, column: 1 };
        let total = subject.facts.unsafe_tokens;
        let message = match unexplained {
            1.. => format!("{unexplained} of {total} `unsafe` keywords belong to nothing that was found"),
            _ => format!("{} more unsafe constructs were found than there are `unsafe` keywords", -unexplained),
        };
        report.add(whole, &Arc::default(), message, vec!["this is a bug of cargo-isolate".to_owned()]);
    }
}
