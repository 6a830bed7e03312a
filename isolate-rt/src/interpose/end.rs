//! What ends or outlives the process: inside, it ends the call.

use super::real::real;
use crate::heap;
use crate::mpk::{self, Reason};
use libc::{c_char, c_int, c_uint, c_void, pthread_attr_t, pthread_t};

/// # Safety
///
/// What abort(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn abort() -> ! {
    if heap::is_inside() {
        mpk::leave(Reason::Abort, 0);
    }
    // SAFETY: passed on to libc.
    unsafe { real::abort()() }
}

/// # Safety
///
/// What the Linux Standard Base asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn __assert_fail(
    what: *const c_char,
    file: *const c_char,
    line: c_uint,
    function: *const c_char,
) -> ! {
    if heap::is_inside() {
        mpk::leave(Reason::Abort, 0);
    }
    // SAFETY: passed on to libc.
    unsafe { real::__assert_fail()(what, file, line, function) }
}

/// # Safety
///
/// What the Linux Standard Base asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn __stack_chk_fail() -> ! {
    if heap::is_inside() {
        mpk::leave(Reason::StackSmashed, 0);
    }
    // SAFETY: passed on to libc.
    unsafe { real::__stack_chk_fail()() }
}

macro_rules! exits {
    ($($name:ident)*) => { $(
        /// # Safety
        ///
        /// What exit(3) asks of its caller.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(status: c_int) -> ! {
            if heap::is_inside() {
                mpk::leave(Reason::Exit, status as usize);
            }
            // SAFETY: passed on to libc.
            unsafe { real::$name()(status) }
        }
    )* };
}
exits!(exit _exit _Exit quick_exit);

/// # Safety
///
/// What pthread_create(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut pthread_t,
    attributes: *const pthread_attr_t,
    start: extern "C" fn(*mut c_void) -> *mut c_void,
    argument: *mut c_void,
) -> c_int {
    if heap::is_inside() {
        mpk::leave(Reason::ThreadStarted, 0);
    }
    // SAFETY: passed on to libc.
    unsafe { real::pthread_create()(thread, attributes, start, argument) }
}

/// # Safety
///
/// What pthread_exit(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_exit(value: *mut c_void) -> ! {
    if heap::is_inside() {
        mpk::leave(Reason::ThreadExited, 0);
    }
    // SAFETY: passed on to libc.
    unsafe { real::pthread_exit()(value) }
}
