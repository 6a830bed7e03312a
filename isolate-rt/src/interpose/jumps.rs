//! `longjmp`: inside, it leads to frames of its own call only.
//!
//! A frame of a call around this one would run in this one's place, and return in it; one of the program's may read for long before
//! it writes, and fails.

use super::real::real;
use crate::heap;
use crate::mpk;
use libc::{c_int, c_void};
use std::arch::asm;

macro_rules! jumps {
    ($($name:ident)*) => { $(
        /// # Safety
        ///
        /// What longjmp(3) asks of its caller.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(buffer: *mut c_void, value: c_int) -> ! {
            if heap::is_inside() {
                // SAFETY: filled by setjmp(3), says our caller.
                mpk::before_jump(unsafe { stack_pointer_in(buffer) });
            }
            // SAFETY: passed on to libc.
            unsafe { real::$name()(buffer, value) }
        }
    )* };
}
jumps!(longjmp _longjmp siglongjmp __longjmp_chk);

/// Where `buffer` leads, as glibc keeps it there (`setjmp.S` for x86-64): the seventh of its words, turned by 17 bits after it was
/// mixed with a number that stands at the thread pointer, as `PTR_MANGLE` of its `pointer_guard.h` does.
///
/// # Safety
///
/// Filled by setjmp(3).
unsafe fn stack_pointer_in(buffer: *mut c_void) -> usize {
    const STACK_POINTER: usize = 6;
    // SAFETY: by this function's contract.
    let mut word = unsafe { buffer.cast::<usize>().add(STACK_POINTER).read() };
    // SAFETY: reads the thread's block, which glibc has made, or the runtime in its likeness.
    unsafe { asm!("ror {word}, 17", "xor {word}, fs:[0x30]", word = inout(reg) word, options(readonly, nostack)) };
    word
}
