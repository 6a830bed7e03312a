//! The program and its libraries, as the loader knows them: where their segments lie, what their functions are called, which of
//! those must be bound before anything runs inside, and how their unwinding tables lead from frame to frame.
//!
//! All of it is read from memory that no domain can write, or from the files. Relies on [`threads`](super::threads): a thread that
//! asks the loader keeps others from forking meanwhile.

pub(super) mod bind;
pub(super) mod loader;
pub(super) mod objects;
pub(super) mod symbols;
pub(super) mod unwind;
