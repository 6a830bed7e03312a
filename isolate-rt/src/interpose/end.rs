//! What ends or outlives the process: inside, it ends the call.

use super::real::real;
use super::unsupported;
use crate::heap;
use crate::mpk::{self, Reason};
use libc::{c_char, c_int, c_uint, c_void, size_t, ssize_t};
use std::arch::naked_asm;

/// # Safety
///
/// What abort(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn abort() -> ! {
    if heap::is_inside() {
        if mpk::is_panicking() {
            mpk::end_panic();
        }
        mpk::leave(Reason::Abort, 0);
    }
    // SAFETY: passed on to libc.
    unsafe { real::abort()() }
}

/// What a panic writes inside is its message.
///
/// # Safety
///
/// What write(2) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn write(file: c_int, bytes: *const c_void, count: size_t) -> ssize_t {
    if file == libc::STDERR_FILENO && heap::is_inside() && mpk::is_panicking() {
        if !bytes.is_null() {
            // SAFETY: so many bytes, says our caller.
            mpk::say_panic(unsafe { std::slice::from_raw_parts(bytes.cast(), count) });
        }
        return count as ssize_t;
    }
    // SAFETY: passed on to libc.
    unsafe { real::write()(file, bytes, count) }
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
        let mut message = mpk::Message::new();
        // SAFETY: strings, says our caller; where they are not, the domain faults.
        unsafe {
            message.text(file);
            message.byte(b':');
            message.number(line);
            message.byte(b':');
            message.byte(b' ');
            message.text(function);
            message.byte(b':');
            message.byte(b' ');
            message.text(what);
        }
        message.leave(Reason::AssertionFailed);
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
/// What fork(2) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn fork() -> libc::pid_t {
    if heap::is_inside() {
        mpk::leave(Reason::ProcessStarted, 0);
    }
    // SAFETY: passed on to libc.
    unsafe { real::fork()() }
}

/// # Safety
///
/// What _Fork(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn _Fork() -> libc::pid_t {
    if heap::is_inside() {
        mpk::leave(Reason::ProcessStarted, 0);
    }
    // SAFETY: passed on to libc.
    match real::_Fork() {
        // SAFETY: passed on to libc.
        Some(function) => unsafe { function() },
        None => unsupported(),
    }
}

/// Leaves nothing on the stack, which the child goes on to use.
///
/// # Safety
///
/// What vfork(2) asks of its caller.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn vfork() -> libc::pid_t {
    naked_asm!("sub rsp, 8", "call {real}", "add rsp, 8", "jmp rax", real = sym outside_vfork)
}

/// Takes its arguments on as they are: how many there are depends on their values.
///
/// # Safety
///
/// What clone(2) asks of its caller.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn clone() {
    naked_asm!(
        "push rdi", "push rsi", "push rdx", "push rcx", "push r8", "push r9", "sub rsp, 8",
        "call {real}",
        "add rsp, 8", "pop r9", "pop r8", "pop rcx", "pop rdx", "pop rsi", "pop rdi",
        "jmp rax",
        real = sym outside_clone,
    )
}

/// libc's function, unless a domain asks.
extern "C" fn outside_vfork() -> unsafe extern "C" fn() -> libc::pid_t {
    if heap::is_inside() {
        mpk::leave(Reason::ProcessStarted, 0);
    }
    real::vfork()
}

/// As [`outside_vfork`].
extern "C" fn outside_clone() -> unsafe extern "C" fn() {
    if heap::is_inside() {
        mpk::leave(Reason::ProcessStarted, 0);
    }
    real::clone()
}
