//! Calls into `libwebp-sys` 0.9.6 that run in the domain `webp`.
//!
//! Written by `cargo isolate wrap` from `policy.toml`: change the policy and run it again instead of editing here.
#![allow(non_snake_case, reason = "functions keep the names they have in C")]

use isolate_rt::{Domain, Error, Globals};
use std::ffi::c_int;
use libwebp_sys as ffi;

// Defined by the linker fragment `isolate.ld`: an executable that was linked without it does not link at all.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
unsafe extern "C" {
    static __isolate_webp_data_start: u8;
    static __isolate_webp_data_end: u8;
    static __isolate_webp_bss_start: u8;
    static __isolate_webp_bss_end: u8;
}

/// The writable globals of the library, which the domain owns.
// SAFETY: the library's alone: the policy names it, and the linker fragment gathers nothing else between the symbols.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
const GLOBALS: &[Globals] = unsafe {
    &[
        Globals::linked(
            &raw const __isolate_webp_data_start,
            &raw const __isolate_webp_data_end,
        ),
        Globals::linked(
            &raw const __isolate_webp_bss_start,
            &raw const __isolate_webp_bss_end,
        ),
    ]
};

/// No call gets as far as needing them where domains are not supported.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
const GLOBALS: &[Globals] = &[];

/// The domain `webp`.
///
/// Level `integrity`: it can read the program's memory and write none of it.
/// Heap: the runtime's default. Stack: the runtime's default.
pub static DOMAIN: Domain = Domain::new("webp").globals(GLOBALS);

/// `WebPEncodeLosslessRGB` of `libwebp-sys`.
///
/// * `rgb`: read, `height * max(stride, width * 3)` elements of it.
///
/// Returns a copy of `output`.
///
/// # Errors
///
/// When `WebPEncodeLosslessRGB` fails (`ret == 0`), a slice is shorter than the other arguments say, or the call ends in a fault.
pub fn WebPEncodeLosslessRGB(
    rgb: &[u8],
    width: c_int,
    height: c_int,
    stride: c_int,
) -> Result<Vec<u8>, Error<usize>> {
    let mut call = DOMAIN.call("WebPEncodeLosslessRGB")?;
    let rgb_need = (height as i128)
        .saturating_mul((stride as i128).max((width as i128).saturating_mul(3_i128)));
    call.covers(rgb_need, rgb.len())?;
    let rgb_ptr = call.input(rgb)?;
    let output_room = call.inout(&[std::ptr::null_mut::<u8>()])?;
    // SAFETY: each pointer covers what the contract of `WebPEncodeLosslessRGB` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::WebPEncodeLosslessRGB(
            rgb_ptr,
            width,
            height,
            stride,
            output_room.as_mut_ptr(),
        ))
    }?;
    let output_ptr = call.read(output_room);
    // SAFETY: they are checked to lie in the domain; without isolation the function is trusted with their number.
    let output = unsafe { call.values(output_ptr.cast_const(), call.count(ret)) }?;
    if output.is_some() {
        // SAFETY: `WebPEncodeLosslessRGB` gave it away, and nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::WebPFree(output_ptr.cast());
            })
        }?;
    }
    if ret == 0 {
        return Err(call.failed(ret, None));
    }
    Ok(call.required(output)?)
}
