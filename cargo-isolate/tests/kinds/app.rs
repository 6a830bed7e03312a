//! Declares one function itself.

pub mod ffi {
    unsafe extern "C" {
        pub fn own_checksum(data: *const u8, len: usize) -> u32;
    }
}

pub fn run(data: &[u8]) -> u32 {
    // SAFETY: the pointer covers the length.
    let own =
        unsafe { ffi::own_checksum(data.as_ptr(), data.len()) };
    // SAFETY: as above.
    own ^ unsafe { kinds_sys::crc(0, data.as_ptr(), data.len()) }
}
