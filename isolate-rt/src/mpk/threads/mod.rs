//! What threads of the process have to do with each other, domains aside: the runtime's own threads, what waits while one forks,
//! what is given back when one ends, and moments in which no signal comes.
//!
//! Relies on the kernel and libc alone: every other group relies on this one.

pub(super) mod ending;
pub(super) mod list;
pub(super) mod making;
pub(super) mod once;
pub(super) mod spawn;
pub(super) mod undisturbed;
pub(super) mod waiting;
pub(super) mod work;
