//! What a crate's root re-exports.

#[repr(C)]
pub struct Blob {
    _private: [u8; 0],
}

unsafe extern "C" {
    pub fn blob_len(blob: *const Blob) -> usize;
}
