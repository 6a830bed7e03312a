//! Memory of an instance: where in the address space it lies, and what is there. Thread-local storage, the library's globals, rooms
//! for large blocks of a hardened heap, and what its `mmap` gives.
//!
//! The program keeps the books of it in its own memory, and never believes what stands in the domain's. Relies on
//! [`loaded`](super::loaded), for globals and thread-locals, and on [`threads`](super::threads).

pub(super) mod image;
pub(super) mod layout;
pub(crate) mod mappings;
pub(super) mod rooms;
pub(super) mod tls;
