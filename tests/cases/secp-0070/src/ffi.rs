//! Where a context is created, and what is signed into, by their sizes.

use secp256k1_sys::{Context, NonceFn};
use std::ffi::{c_int, c_uchar, c_uint};

/// Memory.
pub(crate) enum Block {}

unsafe extern "C" {
    /// From the domain's heap when it is called in there.
    pub(crate) fn malloc(size: usize) -> *mut Block;
    pub(crate) fn free(block: *mut Block);

    #[link_name = "rustsecp256k1_v0_5_0_context_preallocated_create"]
    pub(crate) fn secp256k1_context_preallocated_create(prealloc: *mut Block, flags: c_uint) -> *mut Context;

    #[link_name = "rustsecp256k1_v0_5_0_ecdsa_sign"]
    pub(crate) fn secp256k1_ecdsa_sign(
        cx: *const Context,
        sig: *mut [c_uchar; 64],
        msg32: *const c_uchar,
        sk: *const c_uchar,
        noncefn: NonceFn,
        noncedata: *const Block,
    ) -> c_int;

    #[link_name = "rustsecp256k1_v0_5_0_ecdsa_signature_serialize_compact"]
    pub(crate) fn secp256k1_ecdsa_signature_serialize_compact(
        cx: *const Context,
        output64: *mut c_uchar,
        sig: *const [c_uchar; 64],
    ) -> c_int;
}
