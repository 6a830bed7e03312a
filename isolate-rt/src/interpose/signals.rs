//! Signal settings: the program's handlers are entered through the runtime, and a domain may not change any of it.
//!
//! A handler of the program's may be started while its thread is inside a domain: with the domain's thread-local storage, and
//! with most keys closed. So what the kernel is given is the runtime's entry, on the alternate stack, which puts all that right and
//! then calls the program's. Programs see their own setting when they ask.

use super::real::real;
use crate::heap;
use crate::mpk::{self, handlers};
use libc::{c_int, epoll_event, fd_set, nfds_t, pollfd, pthread_t, sighandler_t, sigset_t, stack_t, timespec};
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

macro_rules! settings {
    ($($name:ident: ($($argument:ident: $ty:ty),*) -> $ret:ty, $refused:expr;)*) => { $(
        /// # Safety
        ///
        /// What sigset(3) asks of its caller.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($($argument: $ty),*) -> $ret {
            if heap::is_inside() {
                refused();
                return $refused;
            }
            // SAFETY: passed on to libc.
            unsafe { real::$name()($($argument),*) }
        }
    )* };
}
// The System V ways to change a setting or the mask.
settings! {
    sighold: (number: c_int) -> c_int, -1;
    sigrelse: (number: c_int) -> c_int, -1;
    sigignore: (number: c_int) -> c_int, -1;
    sigset: (number: c_int, handler: sighandler_t) -> sighandler_t, libc::SIG_ERR;
}

/// # Safety
///
/// What signal(2) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn bsd_signal(number: c_int, handler: sighandler_t) -> sighandler_t {
    // SAFETY: the same function under another name.
    unsafe { signal(number, handler) }
}

/// # Safety
///
/// What signal(2) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn ssignal(number: c_int, handler: sighandler_t) -> sighandler_t {
    // SAFETY: the same function under another name.
    unsafe { signal(number, handler) }
}

/// A domain reaches no thread but its own: glibc would block every signal, then write to the other's control block.
///
/// # Safety
///
/// What pthread_kill(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_kill(thread: pthread_t, number: c_int) -> c_int {
    // SAFETY: passed on to libc.
    unsafe {
        let thread = match heap::is_inside() {
            false => thread,
            true if thread != libc::pthread_self() => return libc::EPERM,
            // As libc knows it.
            true => real::pthread_self()(),
        };
        real::pthread_kill()(thread, number)
    }
}

/// A thread that enters domains has a signal stack until it ends: where the program takes its own away, the runtime's takes its
/// place. (std does so before it drops thread-locals, which may make calls: without one, a stack overflow in there would end the
/// process.)
///
/// # Safety
///
/// What sigaltstack(2) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigaltstack(new: *const stack_t, old: *mut stack_t) -> c_int {
    if heap::is_inside() && !new.is_null() {
        return refused();
    }
    // SAFETY: by sigaltstack(2), NULL or a setting.
    let is_end = unsafe { new.as_ref() }.is_some_and(|new| new.ss_flags & libc::SS_DISABLE != 0);
    let own = if is_end { mpk::own_signal_stack() } else { None };
    // SAFETY: passed on to libc.
    unsafe { real::sigaltstack()(own.as_ref().map_or(new, ptr::from_ref), old) }
}

/// Inside, the mask stays what it is: it is the calling thread's, and would outlive the call. Outside, everything can be
/// blocked but the signals that end calls: a fault while its signal is blocked is death.
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

#[cold]
fn refused() -> c_int {
    // SAFETY: `errno` of this domain.
    unsafe { *libc::__errno_location() = libc::EPERM };
    -1
}
