//! Signal settings: the program's handlers are entered through the runtime, and a domain may not change any of it.
//!
//! A handler of the program's may be started while its thread is inside a domain: with the domain's thread-local storage, and
//! with most keys closed. So what the kernel is given is the runtime's entry, on the alternate stack, which puts all that right and
//! then calls the program's. Programs see their own setting when they ask.
//!
//! libc has a dozen functions that do so, and each of its own calls a `sigaction` that nobody can stand in front of: so all are
//! here, by way of ours.

use super::masks::{first_signals, mask_of, sigprocmask};
use super::real::real;
use super::{failed, refused};
use crate::heap;
use crate::mpk::{self, signals::handlers};
use libc::{SIG_ERR, c_int, c_void, pthread_t, sighandler_t, stack_t};
use std::mem::{self, MaybeUninit};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

/// # Safety
///
/// What sigaction(2) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigaction(number: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> c_int {
    if heap::is_inside() && !new.is_null() {
        return refused();
    }
    // SAFETY: by sigaction(2), both are NULL or of that type.
    unsafe {
        let Some(was) = handlers::change(number, new.as_ref()) else { return -1 };
        if let Some(old) = old.as_mut() {
            *old = was;
        }
    }
    0
}

/// # Safety
///
/// What sigaction(2) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn __sigaction(number: c_int, new: *const libc::sigaction, old: *mut libc::sigaction) -> c_int {
    // SAFETY: the same function under another name.
    unsafe { sigaction(number, new, old) }
}

macro_rules! signals {
    ($($name:ident: $flags:expr, $blocks_itself:expr;)*) => { $(
        /// # Safety
        ///
        /// What signal(2) asks of its caller.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(number: c_int, handler: sighandler_t) -> sighandler_t {
            // SAFETY: by this function's contract.
            unsafe { install(number, handler, $flags(number), $blocks_itself) }
        }
    )* };
}
// What C programs call as `signal` is one of two: with the semantics of BSD, or with `-std=c99` and its like of System V.
signals! {
    signal: of_bsd, true;
    bsd_signal: of_bsd, true;
    ssignal: of_bsd, true;
    __sysv_signal: of_system_v, false;
    sysv_signal: of_system_v, false;
}

fn of_bsd(number: c_int) -> c_int {
    if INTERRUPTING.load(Ordering::Relaxed) & bit(number) != 0 { 0 } else { libc::SA_RESTART }
}

fn of_system_v(_: c_int) -> c_int {
    libc::SA_RESETHAND | libc::SA_NODEFER
}

/// # Safety
///
/// `handler` is one.
unsafe fn install(number: c_int, handler: sighandler_t, flags: c_int, blocks_itself: bool) -> sighandler_t {
    if handler == SIG_ERR {
        failed(libc::EINVAL);
        return SIG_ERR;
    }
    let mut old = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: a complete setting; `old` is written when the call succeeds.
    unsafe {
        let mut new: libc::sigaction = mem::zeroed();
        new.sa_sigaction = handler;
        new.sa_flags = flags;
        if blocks_itself {
            libc::sigaddset(&mut new.sa_mask, number);
        }
        if sigaction(number, &new, old.as_mut_ptr()) != 0 {
            return SIG_ERR;
        }
        old.assume_init_ref().sa_sigaction
    }
}

/// Signals that interrupt system calls where `signal` installs a handler, by the bits of their numbers less one.
static INTERRUPTING: AtomicU64 = AtomicU64::new(0);

fn bit(number: c_int) -> u64 {
    1u64.checked_shl(number.wrapping_sub(1).cast_unsigned()).unwrap_or(0)
}

/// # Safety
///
/// What siginterrupt(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn siginterrupt(number: c_int, interrupts: c_int) -> c_int {
    if heap::is_inside() {
        return refused();
    }
    let mut setting = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: written when the call succeeds, and then given back with another flag.
    unsafe {
        if sigaction(number, ptr::null(), setting.as_mut_ptr()) != 0 {
            return -1;
        }
        let setting = setting.assume_init_mut();
        if interrupts != 0 {
            INTERRUPTING.fetch_or(bit(number), Ordering::Relaxed);
            setting.sa_flags &= !libc::SA_RESTART;
        } else {
            INTERRUPTING.fetch_and(!bit(number), Ordering::Relaxed);
            setting.sa_flags |= libc::SA_RESTART;
        }
        sigaction(number, setting, ptr::null_mut())
    }
}

/// # Safety
///
/// What sigset(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigset(number: c_int, handler: sighandler_t) -> sighandler_t {
    /// What `sigset` takes for a handler to block the signal instead (glibc `bits/signum-generic.h`).
    const SIG_HOLD: sighandler_t = 2;
    if heap::is_inside() {
        refused();
        return SIG_ERR;
    }
    // SAFETY: sets and settings of our own, written when the calls succeed.
    unsafe {
        let mut old = MaybeUninit::<libc::sigaction>::uninit();
        let holds = handler == SIG_HOLD;
        let before = if !holds {
            install(number, handler, 0, false)
        } else if sigaction(number, ptr::null(), old.as_mut_ptr()) == 0 {
            old.assume_init_ref().sa_sigaction
        } else {
            SIG_ERR
        };
        if before == SIG_ERR {
            return SIG_ERR;
        }
        let (mut itself, mut mask) = (mem::zeroed(), mem::zeroed());
        libc::sigaddset(&mut itself, number);
        sigprocmask(if holds { libc::SIG_BLOCK } else { libc::SIG_UNBLOCK }, &itself, &mut mask);
        if libc::sigismember(&mask, number) == 1 { SIG_HOLD } else { before }
    }
}

/// # Safety
///
/// What sigset(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigignore(number: c_int) -> c_int {
    // SAFETY: no handler.
    if unsafe { install(number, libc::SIG_IGN, 0, false) } == SIG_ERR { -1 } else { 0 }
}

/// A setting as 4.2BSD had it (glibc's `struct sigvec`).
#[repr(C)]
struct Vector {
    handler: sighandler_t,
    mask: c_int,
    flags: c_int,
}

/// Bits of [`Vector::flags`], and what they are today.
const ON_STACK: (c_int, c_int) = (1, libc::SA_ONSTACK);
const RESET: (c_int, c_int) = (4, libc::SA_RESETHAND);
/// The other way round: there it says that system calls do not go on.
const INTERRUPT: (c_int, c_int) = (2, libc::SA_RESTART);

/// For libraries that are older than glibc 2.21, where the program is linked to them: nobody else finds it.
///
/// # Safety
///
/// What sigvec(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigvec(number: c_int, new: *const Vector, old: *mut Vector) -> c_int {
    // SAFETY: by sigvec(3), both are NULL or of that type.
    unsafe {
        let new = new.as_ref().map(|new| {
            let mut setting: libc::sigaction = mem::zeroed();
            setting.sa_sigaction = new.handler;
            setting.sa_mask = first_signals(new.mask);
            let flags = [ON_STACK, RESET].into_iter().filter(|(bit, _)| new.flags & bit != 0);
            setting.sa_flags = flags.fold(0, |flags, (_, flag)| flags | flag);
            if new.flags & INTERRUPT.0 == 0 {
                setting.sa_flags |= INTERRUPT.1;
            }
            setting
        });
        let mut was = MaybeUninit::<libc::sigaction>::uninit();
        if sigaction(number, new.as_ref().map_or(ptr::null(), ptr::from_ref), was.as_mut_ptr()) != 0 {
            return -1;
        }
        if let Some(old) = old.as_mut() {
            let was = was.assume_init_ref();
            let flags = [ON_STACK, RESET].into_iter().filter(|(_, flag)| was.sa_flags & flag != 0);
            let interrupts = if was.sa_flags & INTERRUPT.1 == 0 { INTERRUPT.0 } else { 0 };
            *old = Vector {
                handler: was.sa_sigaction,
                mask: mask_of(&was.sa_mask),
                flags: flags.fold(interrupts, |flags, (bit, _)| flags | bit),
            };
        }
    }
    0
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
    let wanted = unsafe { new.as_ref() };
    let is_end = wanted.is_some_and(|new| new.ss_flags & libc::SS_DISABLE != 0);
    let own = if is_end { mpk::own_signal_stack() } else { None };
    let wanted = own.as_ref().or(wanted);
    // SAFETY: passed on to libc.
    let done = unsafe { real::sigaltstack()(wanted.map_or(ptr::null(), ptr::from_ref), old) };
    if let Some(wanted) = wanted.filter(|_| done == 0) {
        mpk::remember_signal_stack(wanted);
    }
    done
}

/// A signal stack as 4.2BSD had it, without a size (glibc's `struct sigstack`).
#[repr(C)]
struct Stack {
    start: *mut c_void,
    is_in_use: c_int,
}

/// As glibc has it, which makes a size up: so far that most of the program counts as the signal stack.
///
/// # Safety
///
/// What sigstack(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigstack(new: *const Stack, old: *mut Stack) -> c_int {
    // SAFETY: by sigstack(3), both are NULL or of that type; `was` is written when the call succeeds.
    unsafe {
        let new = new.as_ref().map(|new| stack_t {
            ss_sp: new.start,
            ss_flags: c_int::from(new.is_in_use != 0) * libc::SS_ONSTACK,
            ss_size: new.start.addr(),
        });
        let mut was = MaybeUninit::<stack_t>::uninit();
        if sigaltstack(new.as_ref().map_or(ptr::null(), ptr::from_ref), was.as_mut_ptr()) != 0 {
            return -1;
        }
        if let Some(old) = old.as_mut() {
            let was = was.assume_init_ref();
            *old = Stack { start: was.ss_sp, is_in_use: was.ss_flags & libc::SS_ONSTACK };
        }
    }
    0
}
