//! Where a context is created: a block from malloc, the domain's as the call is made in there.

use std::ffi::c_void;

unsafe extern "C" {
    pub(crate) fn malloc(size: usize) -> *mut c_void;
    pub(crate) fn free(block: *mut c_void);
}
