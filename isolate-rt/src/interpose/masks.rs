//! Signal masks: a domain may not change its thread's, and nobody can block the signals that end calls.

use super::real::real;
use super::{refused, unsupported};
use crate::heap;
use crate::mpk::signals::handlers;
use libc::{c_int, epoll_event, fd_set, nfds_t, pollfd, sigset_t, size_t, timespec};
use std::{mem, ptr};

/// # Safety
///
/// What sigprocmask(2) asks of its caller.
#[unsafe(no_mangle)]
pub(super) unsafe extern "C" fn sigprocmask(how: c_int, set: *const sigset_t, old: *mut sigset_t) -> c_int {
    // SAFETY: passed on to libc, but for what must not be blocked.
    unsafe { masked(how, set, |set| real::sigprocmask()(how, set, old)) }
}

/// # Safety
///
/// What pthread_sigmask(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_sigmask(how: c_int, set: *const sigset_t, old: *mut sigset_t) -> c_int {
    // SAFETY: passed on to libc, but for what must not be blocked.
    unsafe { masked(how, set, |set| real::pthread_sigmask()(how, set, old)) }
}

/// # Safety
///
/// What sigsuspend(2) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigsuspend(set: *const sigset_t) -> c_int {
    // SAFETY: passed on to libc, but for what must not be blocked.
    unsafe { with_allowed(set, |set| real::sigsuspend()(set)) }
}

/// # Safety
///
/// What ppoll(2) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn ppoll(fds: *mut pollfd, count: nfds_t, timeout: *const timespec, set: *const sigset_t) -> c_int {
    // SAFETY: passed on to libc, but for what must not be blocked.
    unsafe { with_allowed(set, |set| real::ppoll()(fds, count, timeout, set)) }
}

/// What `ppoll` is with `_FORTIFY_SOURCE`.
///
/// # Safety
///
/// What ppoll(2) asks of its caller; `fds` has this many bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn __ppoll_chk(
    fds: *mut pollfd,
    count: nfds_t,
    timeout: *const timespec,
    set: *const sigset_t,
    bytes: size_t,
) -> c_int {
    // SAFETY: passed on to libc, but for what must not be blocked.
    unsafe { with_allowed(set, |set| real::__ppoll_chk()(fds, count, timeout, set, bytes)) }
}

/// # Safety
///
/// What pselect(2) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn pselect(
    count: c_int,
    read: *mut fd_set,
    write: *mut fd_set,
    except: *mut fd_set,
    timeout: *const timespec,
    set: *const sigset_t,
) -> c_int {
    // SAFETY: passed on to libc, but for what must not be blocked.
    unsafe { with_allowed(set, |set| real::pselect()(count, read, write, except, timeout, set)) }
}

/// # Safety
///
/// What epoll_pwait(2) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn epoll_pwait(
    epoll: c_int,
    events: *mut epoll_event,
    count: c_int,
    timeout: c_int,
    set: *const sigset_t,
) -> c_int {
    // SAFETY: passed on to libc, but for what must not be blocked.
    unsafe { with_allowed(set, |set| real::epoll_pwait()(epoll, events, count, timeout, set)) }
}

/// # Safety
///
/// What epoll_pwait2(2) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn epoll_pwait2(
    epoll: c_int,
    events: *mut epoll_event,
    count: c_int,
    timeout: *const timespec,
    set: *const sigset_t,
) -> c_int {
    let Some(real) = real::epoll_pwait2() else { return unsupported() };
    // SAFETY: passed on to libc, but for what must not be blocked.
    unsafe { with_allowed(set, |set| real(epoll, events, count, timeout, set)) }
}

macro_rules! system_v {
    ($($name:ident: $how:expr;)*) => { $(
        /// # Safety
        ///
        /// What sigset(3) asks of its caller.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(number: c_int) -> c_int {
            if heap::is_inside() {
                return refused();
            }
            // SAFETY: a set of our own.
            unsafe {
                let mut set = mem::zeroed();
                if libc::sigaddset(&mut set, number) != 0 { -1 } else { sigprocmask($how, &set, ptr::null_mut()) }
            }
        }
    )* };
}
system_v! {
    sighold: libc::SIG_BLOCK;
    sigrelse: libc::SIG_UNBLOCK;
}

macro_rules! bsd {
    ($($name:ident: $how:expr;)*) => { $(
        /// # Safety
        ///
        /// What sigblock(3) asks of its caller.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(mask: c_int) -> c_int {
            // SAFETY: sets of our own; an empty one is all zeros.
            let mut old = unsafe { mem::zeroed() };
            // SAFETY: as above.
            unsafe {
                sigprocmask($how, &first_signals(mask), &mut old);
            }
            mask_of(&old)
        }
    )* };
}
bsd! {
    sigblock: libc::SIG_BLOCK;
    sigsetmask: libc::SIG_SETMASK;
}

/// BSD's: `mask` is one.
///
/// # Safety
///
/// What sigpause(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigpause(mask: c_int) -> c_int {
    // SAFETY: a set of our own.
    unsafe { sigsuspend(&first_signals(mask)) }
}

/// That of X/Open, which is what C programs call as `sigpause`.
///
/// # Safety
///
/// What sigpause(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn __xpg_sigpause(number: c_int) -> c_int {
    // SAFETY: a set of our own.
    unsafe {
        let mut set = mem::zeroed();
        sigprocmask(libc::SIG_BLOCK, ptr::null(), &mut set);
        if libc::sigdelset(&mut set, number) != 0 { -1 } else { sigsuspend(&set) }
    }
}

/// # Safety
///
/// What sigpause(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn __sigpause(number_or_mask: c_int, is_number: c_int) -> c_int {
    // SAFETY: by this function's contract.
    unsafe { if is_number != 0 { __xpg_sigpause(number_or_mask) } else { sigpause(number_or_mask) } }
}

/// The signals of a mask as 4.2BSD had it.
pub(super) fn first_signals(mask: c_int) -> sigset_t {
    // SAFETY: a set starts with the 64 bits that the kernel knows.
    unsafe {
        let mut set: sigset_t = mem::zeroed();
        (&raw mut set).cast::<u64>().write(mask.cast_unsigned().into());
        set
    }
}

/// The other way round.
pub(super) fn mask_of(set: &sigset_t) -> c_int {
    // SAFETY: as in `first_signals`.
    unsafe { ptr::from_ref(set).cast::<c_int>().read() }
}

/// Inside, the mask stays what it is: it is the calling thread's, and would outlive the call. Outside, these functions block
/// everything but the signals that end calls: a fault while its signal is blocked is death. (`siglongjmp` and `setcontext` put
/// back a mask that they were given, whatever it holds.)
///
/// # Safety
///
/// `set` is NULL or a signal set.
unsafe fn masked(how: c_int, set: *const sigset_t, call: impl FnOnce(*const sigset_t) -> c_int) -> c_int {
    if heap::is_inside() {
        return call(ptr::null());
    }
    if how == libc::SIG_UNBLOCK {
        return call(set);
    }
    // SAFETY: by this function's contract.
    unsafe { with_allowed(set, call) }
}

/// # Safety
///
/// `set` is NULL or a signal set.
unsafe fn with_allowed(set: *const sigset_t, call: impl FnOnce(*const sigset_t) -> c_int) -> c_int {
    // SAFETY: by this function's contract.
    match unsafe { set.as_ref() } {
        None => call(ptr::null()),
        Some(&(mut set)) => {
            handlers::allow(&mut set);
            call(&set)
        }
    }
}
