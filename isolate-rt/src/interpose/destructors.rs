//! Destructors of C++ for the end of the program or of a thread. libc would keep them in lists of the program's, and call them there.
//! Inside, they are promised and never run: what they would take down goes with the instance.

use super::real::real;
use crate::heap;
use libc::{c_int, c_void};

macro_rules! promises {
    ($($name:ident)*) => { $(
        /// # Safety
        ///
        /// What the Itanium C++ ABI asks of the caller of `__cxa_atexit` (3.3.6.3), and glibc of that of `__cxa_thread_atexit_impl`.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(
            destructor: unsafe extern "C" fn(*mut c_void),
            object: *mut c_void,
            library: *mut c_void,
        ) -> c_int {
            if heap::is_inside() {
                return 0;
            }
            // SAFETY: passed on to libc.
            unsafe { real::$name()(destructor, object, library) }
        }
    )* };
}
promises!(__cxa_atexit __cxa_thread_atexit_impl);
