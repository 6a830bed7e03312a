//! Foreign functions that no `-sys` crate declares: our own C file, and two of libbz2's that `bzip2-sys` leaves out.

use std::ffi::{c_char, c_int, c_longlong, c_uchar, c_uint, c_ulong};

// Links libbz2; its own declarations are not needed here.
use bzip2_sys as _;

/// `struct tlv_entry` of `csrc/tlv.h`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct TlvEntry {
    pub name: [c_char; 64],
    pub mode: c_uint,
    pub modified: c_longlong,
    pub comment: c_uint,
}

unsafe extern "C" {
    pub fn tlv_parse(data: *const c_uchar, len: usize, entry: *mut TlvEntry) -> c_int;
    pub fn tlv_records() -> c_ulong;

    pub fn BZ2_bzBuffToBuffCompress(
        dest: *mut c_char,
        destLen: *mut c_uint,
        source: *mut c_char,
        sourceLen: c_uint,
        blockSize100k: c_int,
        verbosity: c_int,
        workFactor: c_int,
    ) -> c_int;
    pub fn BZ2_bzBuffToBuffDecompress(
        dest: *mut c_char,
        destLen: *mut c_uint,
        source: *mut c_char,
        sourceLen: c_uint,
        small: c_int,
        verbosity: c_int,
    ) -> c_int;
}
