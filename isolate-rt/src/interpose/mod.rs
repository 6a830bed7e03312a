//! Functions of libc that mean something else inside a domain.
//!
//! Defined here, they win over libc's for the whole executable, libc's own callers of `malloc` included. Outside a domain
//! each passes its arguments on. Inside, the allocator serves the instance's heap, what would end or outlive the process
//! ends the call instead, what would disarm the runtime is refused, and what libc keeps for the whole program a domain has for itself.
//!
//! A dylib or cdylib must not define them: its host's libc would win and half of the calls would miss. Build those without
//! the feature `interpose`.

mod alloc;
mod destructors;
mod end;
mod jumps;
mod keys;
mod mapping;
mod masks;
mod messages;
mod output;
mod random;
mod real;
mod signals;
mod threads;
mod time;
mod tokens;

/// What a domain has of the state that libc keeps for the whole program, in its heap: new after a fault, as that is.
pub(crate) struct State {
    keys: keys::Keys,
    random: random::Random,
}

impl State {
    pub(crate) const fn new() -> Self {
        Self { keys: keys::Keys::none(), random: random::Random::new() }
    }
}

pub(crate) use threads::warm_up as warm_up_exit;

use libc::c_int;
use std::ffi::c_void;

/// libc's own `sigaction`.
pub(crate) fn sigaction_of_libc() -> unsafe extern "C" fn(c_int, *const libc::sigaction, *mut libc::sigaction) -> c_int
{
    real::real::sigaction()
}

/// Keeps the definitions in the link even when the program's own code calls none of them.
#[used]
static DEFINED: [unsafe extern "C" fn(*mut c_void); 1] = [alloc::free];

/// What a function that reports by `errno` gives where a domain may not do what it does.
#[cold]
fn refused() -> c_int {
    failed(libc::EPERM)
}

/// The same where libc has no such function.
#[cold]
fn unsupported() -> c_int {
    failed(libc::ENOSYS)
}

fn failed(errno: c_int) -> c_int {
    // SAFETY: `errno` of this thread, or of this domain.
    unsafe { *libc::__errno_location() = errno };
    -1
}
