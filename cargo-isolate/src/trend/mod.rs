//! Comparison of two audits: new and removed findings, and growth by package. Also short summaries of one audit.

mod badge;
mod change;
mod print;
mod snapshot;

pub(crate) use badge::{BadgeFormat, badge};
pub(crate) use change::Change;
pub(crate) use print::Format;
pub(crate) use snapshot::{Snapshot, SnapshotError};
