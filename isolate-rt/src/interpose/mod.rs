//! Functions of libc that mean something else inside a domain.
//!
//! Defined here, they win over libc's for the whole executable, libc's own callers of `malloc` included. Outside a domain
//! each passes its arguments on. Inside, the allocator serves the instance's heap, what would end or outlive the process
//! ends the call instead, and what would disarm the runtime is refused.
//!
//! A dylib or cdylib must not define them: its host's libc would win and half of the calls would miss. Build those without
//! the feature `interpose`.

mod alloc;
mod end;
mod output;
mod real;
mod signals;
mod threads;

pub(crate) use threads::warm_up as warm_up_exit;

use std::ffi::c_void;

/// Keeps the definitions in the link even when the program's own code calls none of them.
#[used]
static DEFINED: [unsafe extern "C" fn(*mut c_void); 1] = [alloc::free];
