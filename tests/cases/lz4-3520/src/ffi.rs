//! A function of lz4 that `lz4-sys` 1.9.2 bundles and does not declare.

use lz4_sys as _;
use std::ffi::{c_char, c_int};

unsafe extern "C" {
    pub(crate) fn LZ4_decompress_safe_partial(
        src: *const c_char,
        dst: *mut c_char,
        srcSize: c_int,
        targetOutputSize: c_int,
        dstCapacity: c_int,
    ) -> c_int;
}
