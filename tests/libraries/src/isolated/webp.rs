//! Calls into `libwebp-sys` 0.14.4 that run in the domain `webp`.
//!
//! Written by `cargo isolate wrap` from `tests/libraries/isolation.toml`: change the policy and run it again instead of editing here.
#![allow(non_snake_case, reason = "functions keep the names they have in C")]

use isolate_rt::{Domain, Error, Globals, Null};
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

/// `WebPEncodeRGBA` of `libwebp-sys`.
///
/// * `rgba`: read, `height * max(stride, width * 4)` elements of it.
///
/// Returns a copy of `output`.
///
/// # Errors
///
/// When `WebPEncodeRGBA` fails (`ret == 0`), a slice is shorter than the other arguments say, or the call ends in a fault.
pub fn WebPEncodeRGBA(
    rgba: &[u8],
    width: c_int,
    height: c_int,
    stride: c_int,
    quality_factor: f32,
) -> Result<Vec<u8>, Error<usize>> {
    let mut call = DOMAIN.call("WebPEncodeRGBA")?;
    let rgba_need = (height as i128)
        .saturating_mul((stride as i128).max((width as i128).saturating_mul(4_i128)));
    call.covers(rgba_need, rgba.len())?;
    let rgba_ptr = call.input(rgba)?;
    let output_room = call.inout(&[std::ptr::null_mut::<u8>()])?;
    // SAFETY: each pointer covers what the contract of `WebPEncodeRGBA` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::WebPEncodeRGBA(
            rgba_ptr,
            width,
            height,
            stride,
            quality_factor,
            output_room.as_mut_ptr(),
        ))
    }?;
    let output_ptr = call.read(output_room);
    // SAFETY: they are checked to lie in the domain; without isolation the function is trusted with their number.
    let output = unsafe { call.values(output_ptr.cast_const(), call.count(ret)) }?;
    if output.is_some() {
        // SAFETY: `WebPEncodeRGBA` gave it away, and nothing uses it afterwards.
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

/// `WebPEncodeLosslessRGBA` of `libwebp-sys`.
///
/// * `rgba`: read, `height * max(stride, width * 4)` elements of it.
///
/// Returns a copy of `output`.
///
/// # Errors
///
/// When `WebPEncodeLosslessRGBA` fails (`ret == 0`), a slice is shorter than the other arguments say, or the call ends in a fault.
pub fn WebPEncodeLosslessRGBA(
    rgba: &[u8],
    width: c_int,
    height: c_int,
    stride: c_int,
) -> Result<Vec<u8>, Error<usize>> {
    let mut call = DOMAIN.call("WebPEncodeLosslessRGBA")?;
    let rgba_need = (height as i128)
        .saturating_mul((stride as i128).max((width as i128).saturating_mul(4_i128)));
    call.covers(rgba_need, rgba.len())?;
    let rgba_ptr = call.input(rgba)?;
    let output_room = call.inout(&[std::ptr::null_mut::<u8>()])?;
    // SAFETY: each pointer covers what the contract of `WebPEncodeLosslessRGBA` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::WebPEncodeLosslessRGBA(
            rgba_ptr,
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
        // SAFETY: `WebPEncodeLosslessRGBA` gave it away, and nothing uses it afterwards.
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

/// `WebPGetInfo` of `libwebp-sys`.
///
/// * `data`: read; its length goes as `data_size`.
///
/// Returns `width`, then `height`.
///
/// # Errors
///
/// When `WebPGetInfo` fails (`ret != 1`), or the call ends in a fault.
pub fn WebPGetInfo(data: &[u8]) -> Result<(c_int, c_int), Error<c_int>> {
    let mut call = DOMAIN.call("WebPGetInfo")?;
    let data_ptr = call.input(data)?;
    let data_size = call.length(data.len())?;
    let width_room = call.inout(&[0])?;
    let height_room = call.inout(&[0])?;
    // SAFETY: each pointer covers what the contract of `WebPGetInfo` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::WebPGetInfo(
            data_ptr,
            data_size,
            width_room.as_mut_ptr(),
            height_room.as_mut_ptr(),
        ))
    }?;
    let width = call.read(width_room);
    let height = call.read(height_room);
    if ret != 1 {
        return Err(call.failed(ret, None));
    }
    Ok((width, height))
}

/// `WebPDecodeRGBA` of `libwebp-sys`.
///
/// * `data`: read; its length goes as `data_size`.
///
/// Returns a copy of what `WebPDecodeRGBA` returned, then `width`, then `height`.
///
/// # Errors
///
/// When `WebPDecodeRGBA` fails (`ret == NULL`), or the call ends in a fault.
pub fn WebPDecodeRGBA(data: &[u8]) -> Result<(Vec<u8>, c_int, c_int), Error<Null>> {
    let mut call = DOMAIN.call("WebPDecodeRGBA")?;
    let data_ptr = call.input(data)?;
    let data_size = call.length(data.len())?;
    let width_room = call.inout(&[0])?;
    let height_room = call.inout(&[0])?;
    // SAFETY: each pointer covers what the contract of `WebPDecodeRGBA` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::WebPDecodeRGBA(
            data_ptr,
            data_size,
            width_room.as_mut_ptr(),
            height_room.as_mut_ptr(),
        ))
    }?;
    let width = call.read(width_room);
    let height = call.read(height_room);
    // SAFETY: they are checked to lie in the domain; without isolation the function is trusted with their number.
    let Some(copy) = unsafe {
        call.values(
            ret.cast_const(),
            call
                .count(
                    (width as i128).saturating_mul(height as i128).saturating_mul(4_i128),
                ),
        )
    }? else {
        return Err(call.failed(Null, None));
    };
    // SAFETY: `WebPDecodeRGBA` gave it away, and nothing uses it afterwards.
    unsafe {
        call.run(move || {
            ffi::WebPFree(ret.cast());
        })
    }?;
    Ok((copy, width, height))
}
