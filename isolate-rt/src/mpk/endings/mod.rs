//! How a call ends that did not return, and what is told of it: panics, exceptions and messages of the domain, the verdict from what
//! the signal handler saw, and the evidence that is kept of it: registers, stack, and whose memory an address is.
//!
//! Everything that comes from the domain is read with its bounds checked, after the rewind. Relies on
//! [`loaded`](super::loaded) for names and on the records of all other groups.

mod called;
pub(super) mod evidence;
pub(super) mod exception;
mod memory;
pub(super) mod message;
pub(super) mod panics;
pub(super) mod verdict;
pub(super) mod warm;
