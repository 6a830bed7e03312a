//! Two audits side by side: what came, what went, who grew.

mod change;
mod print;
mod snapshot;

pub(crate) use change::Change;
pub(crate) use print::Format;
pub(crate) use snapshot::{Snapshot, SnapshotError};
