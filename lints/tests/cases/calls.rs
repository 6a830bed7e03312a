use libz_sys as ffi;
use std::{ffi::{CStr, c_int as int}, io::{self, *}};
extern crate lz4_sys as lz4;
mod inner {
    pub use super::ffi::crc32;
}
fn run(data: &[u8]) -> u64 {
    let crc = ffi::crc32;
    let local = data.len();
    consume(local);
    unsafe { crate::inner::crc32(0, data.as_ptr(), local as _) };
    Vec::<u8>::with_capacity(1);
    <u8 as Default>::default();
    crc(0, data.as_ptr(), 1)
}
