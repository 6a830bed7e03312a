//! Signal settings: the program's handlers are entered through the runtime, and a domain may not change any of it.
//!
//! A handler of the program's may be started while its thread is inside a domain: with the domain's thread-local storage,
//! perhaps on its stack, and with most keys closed. So what the kernel is given is the runtime's entry, which puts all that
//! right and then calls the program's. Programs see their own handler when they ask.

use super::real::real;
use crate::heap;
use crate::mpk::handlers;
use libc::{c_int, sighandler_t, sigset_t, stack_t};
use std::mem::MaybeUninit;
use std::ptr;

/// # Safety
///
/// What sigaction(2) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigaction(signal: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> c_int {
    if heap::is_inside() && !new.is_null() {
        return refused();
    }
    // SAFETY: by sigaction(2), both are NULL or of that type.
    unsafe { handlers::change(signal, new.as_ref(), old.as_mut(), real::sigaction()) }
}

/// As glibc has it: BSD semantics, by way of `sigaction`.
///
/// # Safety
///
/// What signal(2) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn signal(signal: c_int, handler: sighandler_t) -> sighandler_t {
    let mut old = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: a complete setting; `old` is written when the call succeeds.
    unsafe {
        let mut new: libc::sigaction = std::mem::zeroed();
        new.sa_sigaction = handler;
        new.sa_flags = libc::SA_RESTART;
        libc::sigaddset(&mut new.sa_mask, signal);
        if sigaction(signal, &new, old.as_mut_ptr()) != 0 {
            return libc::SIG_ERR;
        }
        old.assume_init_ref().sa_sigaction
    }
}

/// # Safety
///
/// What sigprocmask(2) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigprocmask(how: c_int, set: *const sigset_t, old: *mut sigset_t) -> c_int {
    // SAFETY: passed on to libc, but for what a domain must not block.
    unsafe { masked(how, set, |set| real::sigprocmask()(how, set, old)) }
}

/// # Safety
///
/// What pthread_sigmask(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_sigmask(how: c_int, set: *const sigset_t, old: *mut sigset_t) -> c_int {
    // SAFETY: passed on to libc, but for what a domain must not block.
    unsafe { masked(how, set, |set| real::pthread_sigmask()(how, set, old)) }
}

/// # Safety
///
/// What sigaltstack(2) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigaltstack(new: *const stack_t, old: *mut stack_t) -> c_int {
    if heap::is_inside() && !new.is_null() {
        return refused();
    }
    // SAFETY: passed on to libc.
    unsafe { real::sigaltstack()(new, old) }
}

/// A domain may block what it likes, but not the signals that end its own call.
///
/// # Safety
///
/// `set` is NULL or a signal set.
unsafe fn masked(how: c_int, set: *const sigset_t, call: impl FnOnce(*const sigset_t) -> c_int) -> c_int {
    if !heap::is_inside() || set.is_null() || how == libc::SIG_UNBLOCK {
        return call(set);
    }
    // SAFETY: by this function's contract.
    let mut allowed = unsafe { ptr::read(set) };
    for signal in handlers::unblockable() {
        // SAFETY: a signal set of ours.
        unsafe { libc::sigdelset(&mut allowed, signal) };
    }
    call(&allowed)
}

#[cold]
fn refused() -> c_int {
    // SAFETY: `errno` of this domain.
    unsafe { *libc::__errno_location() = libc::EPERM };
    -1
}
