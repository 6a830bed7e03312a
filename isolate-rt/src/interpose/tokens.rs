//! strtok(3), which keeps its place in libc: inside, among the domain's thread-locals.

use super::real::real;
use crate::heap;
use libc::c_char;
use std::cell::Cell;
use std::ptr;

thread_local! {
    static PLACE: Cell<*mut c_char> = const { Cell::new(ptr::null_mut()) };
}

/// # Safety
///
/// What strtok(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn strtok(text: *mut c_char, between: *const c_char) -> *mut c_char {
    // SAFETY: by this function's contract, or passed on to libc.
    unsafe {
        if heap::is_inside() {
            libc::strtok_r(text, between, PLACE.with(Cell::as_ptr))
        } else {
            real::strtok()(text, between)
        }
    }
}
