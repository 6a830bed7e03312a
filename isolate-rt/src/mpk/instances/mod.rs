//! Instances of domains, and calls of threads into them: what an instance has, how it is made and how it ends, who sits where in
//! it, a call from its first argument to its last result, and what becomes of all that in the child of a fork.
//!
//! Brings the other groups together: memory from [`areas`](super::areas), the way in from [`crossing`](super::crossing), time limits
//! from [`signals`](super::signals), and what a call ended by from [`endings`](super::endings).

pub(super) mod entry;
mod fork;
pub(super) mod instance;
mod last_fault;
pub(super) mod seat;
pub(super) mod seats;
mod siblings;
pub(super) mod started;
pub(super) mod view;
