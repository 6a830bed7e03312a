//! The way into a domain and the ways out of it: the gate, the record by which it finds its way back, the rights that it leaves
//! with, what the domain may ask the program on the way (closures, memory, dates), and how it ends its call itself.
//!
//! Here no word of the domain is believed: what the way out needs was saved in the program's memory. Knows
//! [`instances`](super::instances) (a call runs in one), and is known by [`signals`](super::signals).

pub(super) mod asks;
pub(crate) mod calendar;
pub(super) mod callback;
pub(super) mod gate;
pub(super) mod leave;
pub(super) mod rights;
pub(super) mod thread;
