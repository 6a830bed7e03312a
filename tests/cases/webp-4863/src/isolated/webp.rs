//! Calls into `libwebp-sys` 0.9.2 that run in the domain `webp`.
//!
//! Written by `cargo isolate wrap` from `policy.toml`: change the policy and run it again instead of editing here.
#![allow(non_snake_case, reason = "functions keep the names they have in C")]

use isolate_rt::{Domain, Fault, Globals, Handle};
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

/// `WebPDecodeRGBAInto` of `libwebp-sys`.
///
/// * `data`: read; its length goes as `data_size`.
/// * `output_buffer`: written; its length goes as `output_buffer_size`.
///
/// # Errors
///
/// When the call ends in a fault; `output_buffer` keeps its value then.
pub fn WebPDecodeRGBAInto(
    data: &[u8],
    output_buffer: &mut [u8],
    output_stride: c_int,
) -> Result<Option<Handle<u8>>, Fault> {
    let mut call = DOMAIN.call("WebPDecodeRGBAInto")?;
    let data_ptr = call.input(data)?;
    let data_size = call.length(data.len())?;
    let output_buffer_room = call.output::<u8>(output_buffer.len())?;
    let output_buffer_size = call.length(output_buffer.len())?;
    // SAFETY: each pointer covers what the contract of `WebPDecodeRGBAInto` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::WebPDecodeRGBAInto(
            data_ptr,
            data_size,
            output_buffer_room.as_mut_ptr(),
            output_buffer_size,
            output_stride,
        ))
    }?;
    // SAFETY: it is checked to lie in the domain; without isolation `WebPDecodeRGBAInto` is trusted with it.
    let ret = unsafe { call.adopt(ret) }?;
    call.take(output_buffer_room, output_buffer_room.len(), output_buffer);
    Ok(ret)
}
