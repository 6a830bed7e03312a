//! In-process isolation of foreign code with memory protection keys (MPK/PKU): a fault becomes an `Err`.
//!
//! A [`Domain`] is a compartment of this process: a protection key, stacks, a heap, thread-local storage, and the writable
//! globals of its library. While code runs in it, the CPU lets it write no other memory. A write outside, an overflow, a smashed
//! stack, endless recursion or an `abort()` ends that one call: the caller gets a [`Fault`], the instance is thrown away, and
//! the next call starts with a clean one.
//!
//! Wrappers are written by `cargo isolate wrap`; by hand, a call looks like this:
//!
//! ```no_run
//! use isolate_rt::{Domain, Fault};
//! # unsafe extern "C" { fn checksum(data: *const u8, len: usize) -> u32; }
//! static HASHES: Domain = Domain::new("hashes").heap_limit(1 << 20);
//!
//! fn isolated_checksum(data: &[u8]) -> Result<u32, Fault> {
//!     let mut call = HASHES.call("checksum")?;
//!     let pointer = call.input(data)?;
//!     // SAFETY: `checksum` reads `data.len()` bytes from `pointer`, which `data` keeps alive; any `u32` is valid.
//!     unsafe { call.run(|| checksum(pointer, data.len())) }
//! }
//! ```
//!
//! # What holds, and what does not
//!
//! Level `integrity`: the domain can read all of the program and write none of it. So an over-read is neither prevented nor
//! noticed, and system calls are not filtered. The threat is a bug, or an attacker who corrupts the library's data; an attacker
//! who chooses *instructions* in the domain can execute `wrpkru`, and is not held. Nothing that comes out of a domain (length,
//! pointer, string) is used before it was checked. `docs/threat-model.md` of the repository says all of it.
//!
//! A [`Fault`] prints in one line with `{}`, and with its kind and a backtrace of the library's stack with `{:#}`; `cargo isolate
//! explain KIND` says what a [`FaultKind`] means and what to do.
//!
//! # Where it works
//!
//! x86-64 Linux ≥ 6.12 with glibc, on a CPU with PKU and FSGSBASE, in executables (the runtime serves `malloc` for the whole
//! program, which only an executable can define), linked by rust-lld, the default since Rust 1.90. Elsewhere it compiles, and calls give [`FaultKind::Unsupported`] with the
//! reason; nothing ever runs unprotected unless [`Backend::None`] was asked for. [`probe`] says what this machine has.

mod call;
mod callback;
mod direct;
mod domain;
mod error;
mod fault;
mod globals;
#[cfg_attr(
    all(platform, not(mpk)),
    expect(dead_code, unused_imports, unused_macros, reason = "the back end needs more of it than `probe`")
)]
mod machine;
mod memory;

// `cfg(mpk)`: see `build.rs`.
#[cfg(mpk)]
mod heap;
#[cfg(mpk)]
mod interpose;
#[cfg(mpk)]
mod mpk;

#[cfg(not(mpk))]
#[path = "mpk_absent.rs"]
mod mpk;

pub use call::{Call, End, EndOfChild, Handle, Inside, Object, Owned, Plain, Retained, Staged, assert_plain};
pub use callback::{Callbacks, Checked, Keepable, Kept, Signature};
pub use domain::{Backend, Domain, HeapKind};
pub use error::{Error, Failed, Null};
pub use fault::{Access, AsFault, Backtrace, Fault, FaultKind, Frame, Hint, Memory, Part, Symbol, Unsupported, retry};
pub use globals::Globals;
pub use machine::{Machine, Requirement, probe};
pub use memory::{DomainBox, DomainVec, Lent};
