//! Calls into `secp256k1-sys` 0.5.2 that run in the domain `secp`.
//!
//! Written by `cargo isolate wrap` from `policy.toml`: change the policy and run it again instead of editing here.

use isolate_rt::{Domain, End, Fault, Globals, Handle, Owned};
use std::ffi::{c_int, c_uchar, c_uint};
use crate::ffi as ffi;
use secp256k1_sys as ffi2;

// Defined by the linker fragment `isolate.ld`: an executable that was linked without it does not link at all.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
unsafe extern "C" {
    static __isolate_secp_data_start: u8;
    static __isolate_secp_data_end: u8;
    static __isolate_secp_bss_start: u8;
    static __isolate_secp_bss_end: u8;
}

/// The writable globals of the library, which the domain owns.
// SAFETY: the library's alone: the policy names it, and the linker fragment gathers nothing else between the symbols.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
const GLOBALS: &[Globals] = unsafe {
    &[
        Globals::linked(
            &raw const __isolate_secp_data_start,
            &raw const __isolate_secp_data_end,
        ),
        Globals::linked(
            &raw const __isolate_secp_bss_start,
            &raw const __isolate_secp_bss_end,
        ),
    ]
};

/// No call gets as far as needing them where domains are not supported.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
const GLOBALS: &[Globals] = &[];

/// The domain `secp`.
///
/// Level `integrity`: it can read the program's memory and write none of it.
/// Heap: the runtime's default. Stack: the runtime's default.
pub static DOMAIN: Domain = Domain::new("secp").globals(GLOBALS);

/// `malloc` of `case-secp-0070`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn malloc(size: usize) -> Result<Owned<ffi::Block>, Fault> {
    // Outlives the call: what ends the object is a call of its own.
    let owned;
    let owned_end: End<ffi::Block> = |call, object| {
        // SAFETY: it is what `malloc` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::free(object);
            })
        }
    };
    let mut call = DOMAIN.call("malloc")?;
    // SAFETY: `malloc` gets no pointer, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::malloc(size)) }?;
    // SAFETY: as above, and the library gives it away, for `free` to end.
    owned = unsafe { call.own(&DOMAIN, ret, owned_end) }?;
    call.required(owned)
}

/// `free` of `case-secp-0070`.
///
/// * `block`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn free(mut block: Owned<ffi::Block>) -> Result<(), Fault> {
    let mut call = DOMAIN.call("free")?;
    let block_ptr = call.ending(&mut block)?;
    // SAFETY: each pointer covers what the contract of `free` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::free(block_ptr)) };
    if !call.was_refused() {
        block.ended();
    }
    ret
}

/// `secp256k1_context_preallocated_create` of `case-secp-0070`.
///
/// * `prealloc`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn secp256k1_context_preallocated_create(
    prealloc: &Handle<ffi::Block>,
    flags: c_uint,
) -> Result<Owned<ffi2::Context>, Fault> {
    // Outlives the call: what ends the object is a call of its own.
    let owned;
    let owned_end: End<ffi2::Context> = |call, object| {
        // SAFETY: it is what `secp256k1_context_preallocated_create` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi2::secp256k1_context_preallocated_destroy(object);
            })
        }
    };
    let mut call = DOMAIN.call("secp256k1_context_preallocated_create")?;
    let prealloc_ptr = call.handle(prealloc)?;
    // SAFETY: each pointer covers what the contract of `secp256k1_context_preallocated_create` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::secp256k1_context_preallocated_create(prealloc_ptr, flags))
    }?;
    // SAFETY: as above, and the library gives it away, for `secp256k1_context_preallocated_destroy` to end.
    owned = unsafe { call.own(&DOMAIN, ret, owned_end) }?;
    call.required(owned)
}

/// `secp256k1_ecdsa_sign` of `case-secp-0070`.
///
/// * `cx`: an object in the domain.
/// * `sig`: read and written.
/// * `msg32`: read.
/// * `sk`: read.
///
/// # Errors
///
/// When the call ends in a fault; `sig` keeps its value then.
pub fn secp256k1_ecdsa_sign(
    cx: &Handle<ffi2::Context>,
    sig: &mut [c_uchar; 64],
    msg32: &[c_uchar; 32],
    sk: &[c_uchar; 32],
) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("secp256k1_ecdsa_sign")?;
    let cx_ptr = call.handle(cx)?;
    let sig_room = call.inout::<[c_uchar; 64]>(std::slice::from_ref(sig))?;
    let msg32_ptr = call.input(msg32)?;
    let sk_ptr = call.input(sk)?;
    // SAFETY: each pointer covers what the contract of `secp256k1_ecdsa_sign` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::secp256k1_ecdsa_sign(
            cx_ptr.cast_const(),
            sig_room.as_mut_ptr(),
            msg32_ptr,
            sk_ptr,
            None,
            std::ptr::null(),
        ))
    }?;
    *sig = call.read(sig_room);
    Ok(ret)
}

/// `secp256k1_ecdsa_signature_serialize_compact` of `case-secp-0070`.
///
/// * `cx`: an object in the domain.
/// * `output64`: written.
/// * `sig`: read.
///
/// # Errors
///
/// When the call ends in a fault; `output64` keeps its value then.
pub fn secp256k1_ecdsa_signature_serialize_compact(
    cx: &Handle<ffi2::Context>,
    output64: &mut [c_uchar; 64],
    sig: &[c_uchar; 64],
) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("secp256k1_ecdsa_signature_serialize_compact")?;
    let cx_ptr = call.handle(cx)?;
    let output64_room = call.output::<c_uchar>(output64.len())?;
    let sig_room = call.input(std::slice::from_ref(sig))?;
    // SAFETY: each pointer covers what the contract of `secp256k1_ecdsa_signature_serialize_compact` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::secp256k1_ecdsa_signature_serialize_compact(
            cx_ptr.cast_const(),
            output64_room.as_mut_ptr(),
            sig_room,
        ))
    }?;
    call.take(output64_room, output64_room.len(), output64);
    Ok(ret)
}

/// `secp256k1_context_preallocated_destroy` of `secp256k1-sys`.
///
/// * `cx`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn secp256k1_context_preallocated_destroy(
    mut cx: Owned<ffi2::Context>,
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("secp256k1_context_preallocated_destroy")?;
    let cx_ptr = call.ending(&mut cx)?;
    // SAFETY: each pointer covers what the contract of `secp256k1_context_preallocated_destroy` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::secp256k1_context_preallocated_destroy(cx_ptr))
    };
    if !call.was_refused() {
        cx.ended();
    }
    ret
}

/// `secp256k1_context_preallocated_size` of `secp256k1-sys`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn secp256k1_context_preallocated_size(flags: u32) -> Result<usize, Fault> {
    let mut call = DOMAIN.call("secp256k1_context_preallocated_size")?;
    // SAFETY: `secp256k1_context_preallocated_size` gets no pointer, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi2::secp256k1_context_preallocated_size(flags)) }
}
