//! Two audits side by side: what came, what went, who grew; and one of them in short.

mod badge;
mod change;
mod print;
mod snapshot;

pub(crate) use badge::{BadgeFormat, badge};
pub(crate) use change::Change;
pub(crate) use print::Format;
pub(crate) use snapshot::{Snapshot, SnapshotError};
