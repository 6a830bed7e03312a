//! What libc writes once and only reads from then on: done by the program, before the first domain, since inside the first
//! time would be a fault.

use super::exception;
use libc::{c_int, c_void};
use std::sync::Once;

/// The first times of this process.
pub(in crate::mpk) fn up() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        sort();
        unwind();
        exception::warm_up();
    });
}

/// The unwinder of libgcc keeps a table of registers, and is bound function by function as they are first called: exceptions
/// of C++ that are thrown and caught inside need both.
fn unwind() {
    // Where panics abort there is nothing to unwind with.
    #[cfg(panic = "unwind")]
    let _ = std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(())));
}

/// `qsort` of more than a kilobyte asks how much memory the machine has, and keeps the answer (glibc before 2.37).
fn sort() {
    /// # Safety
    ///
    /// Both point to a number.
    unsafe extern "C" fn compare(a: *const c_void, b: *const c_void) -> c_int {
        // SAFETY: by this function's contract; `qsort` passes elements of the array below.
        unsafe { a.cast::<c_int>().read().cmp(&b.cast::<c_int>().read()) as c_int }
    }
    let mut numbers: [c_int; 512] = std::array::from_fn(|at| at as c_int);
    // SAFETY: an array of that many numbers, and what compares two.
    unsafe { libc::qsort(numbers.as_mut_ptr().cast(), numbers.len(), size_of::<c_int>(), Some(compare)) };
}
