//! Signals: the handler that takes a fault to the gate's way out, the entry of the program's own handlers, and the two clocks whose
//! signal ends a call that takes too long.
//!
//! Runs between any two instructions of anything else, and so takes no locks and allocates nothing. Knows the records of
//! [`crossing`](super::crossing) and [`instances`](super::instances), which it finds without thread-local storage.

pub(super) mod deadline;
pub(crate) mod handlers;
pub(super) mod signal;
pub(super) mod watchdog;
