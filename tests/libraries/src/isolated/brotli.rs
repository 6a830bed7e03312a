//! Calls into `brotli-sys` 0.3.2 that run in the domain `brotli`.
//!
//! Written by `cargo isolate wrap` from `tests/libraries/isolation.toml`: change the policy and run it again instead of editing here.
#![allow(non_snake_case, reason = "functions keep the names they have in C")]

use isolate_rt::{Domain, Error, Fault, Globals};
use std::ffi::{c_int, c_uint};
use brotli_sys as ffi;

// Defined by the linker fragment `isolate.ld`: an executable that was linked without it does not link at all.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
unsafe extern "C" {
    static __isolate_brotli_data_start: u8;
    static __isolate_brotli_data_end: u8;
    static __isolate_brotli_bss_start: u8;
    static __isolate_brotli_bss_end: u8;
}

/// The writable globals of the library, which the domain owns.
// SAFETY: the library's alone: the policy names it, and the linker fragment gathers nothing else between the symbols.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
const GLOBALS: &[Globals] = unsafe {
    &[
        Globals::linked(
            &raw const __isolate_brotli_data_start,
            &raw const __isolate_brotli_data_end,
        ),
        Globals::linked(
            &raw const __isolate_brotli_bss_start,
            &raw const __isolate_brotli_bss_end,
        ),
    ]
};

/// No call gets as far as needing them where domains are not supported.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
const GLOBALS: &[Globals] = &[];

/// The domain `brotli`.
///
/// Level `integrity`: it can read the program's memory and write none of it.
/// Heap: 512 MiB. Stack: the runtime's default.
pub static DOMAIN: Domain = Domain::new("brotli").heap_limit(512 << 20).globals(GLOBALS);

/// `BrotliDecoderDecompress` of `brotli-sys`.
///
/// * `encoded_buffer`: read; its length goes as `encoded_size`.
/// * `decoded_buffer`: written; its length goes as `decoded_size`.
///
/// Returns how many elements of `decoded_buffer` it wrote.
///
/// # Errors
///
/// When `BrotliDecoderDecompress` fails (`ret != 1`), or the call ends in a fault; `decoded_buffer` keeps its value then.
pub fn BrotliDecoderDecompress(
    encoded_buffer: &[u8],
    decoded_buffer: &mut [u8],
) -> Result<usize, Error<c_uint>> {
    let mut call = DOMAIN.call("BrotliDecoderDecompress")?;
    let encoded_size = call.length(encoded_buffer.len())?;
    let encoded_buffer_ptr = call.input(encoded_buffer)?;
    let decoded_size = call.inout(&[call.length(decoded_buffer.len())?])?;
    let decoded_buffer_room = call.output::<u8>(decoded_buffer.len())?;
    // SAFETY: each pointer covers what the contract of `BrotliDecoderDecompress` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::BrotliDecoderDecompress(
            encoded_size,
            encoded_buffer_ptr,
            decoded_size.as_mut_ptr(),
            decoded_buffer_room.as_mut_ptr(),
        ))
    }?;
    let decoded_size = call.read(decoded_size);
    if ret != 1 {
        return Err(call.failed(ret, None));
    }
    let decoded_buffer_written = call
        .within(call.count(decoded_size), decoded_buffer_room.len())?;
    call.take(decoded_buffer_room, decoded_buffer_written, decoded_buffer);
    Ok(decoded_buffer_written)
}

/// `BrotliEncoderMaxCompressedSize` of `brotli-sys`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn BrotliEncoderMaxCompressedSize(input_size: usize) -> Result<usize, Fault> {
    let mut call = DOMAIN.call("BrotliEncoderMaxCompressedSize")?;
    // SAFETY: `BrotliEncoderMaxCompressedSize` gets no pointer, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::BrotliEncoderMaxCompressedSize(input_size)) }
}

/// `BrotliEncoderCompress` of `brotli-sys`.
///
/// * `input_buffer`: read; its length goes as `input_size`.
/// * `encoded_buffer`: written; its length goes as `encoded_size`.
///
/// Returns what `BrotliEncoderCompress` returned, then how many elements of `encoded_buffer` it wrote.
///
/// # Errors
///
/// When `BrotliEncoderCompress` fails (`ret == 0`), or the call ends in a fault; `encoded_buffer` keeps its value then.
pub fn BrotliEncoderCompress(
    quality: c_int,
    lgwin: c_int,
    mode: c_uint,
    input_buffer: &[u8],
    encoded_buffer: &mut [u8],
) -> Result<(c_int, usize), Error<c_int>> {
    let mut call = DOMAIN.call("BrotliEncoderCompress")?;
    let input_size = call.length(input_buffer.len())?;
    let input_buffer_ptr = call.input(input_buffer)?;
    let encoded_size = call.inout(&[call.length(encoded_buffer.len())?])?;
    let encoded_buffer_room = call.output::<u8>(encoded_buffer.len())?;
    // SAFETY: each pointer covers what the contract of `BrotliEncoderCompress` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::BrotliEncoderCompress(
            quality,
            lgwin,
            mode,
            input_size,
            input_buffer_ptr,
            encoded_size.as_mut_ptr(),
            encoded_buffer_room.as_mut_ptr(),
        ))
    }?;
    let encoded_size = call.read(encoded_size);
    if ret == 0 {
        return Err(call.failed(ret, None));
    }
    let encoded_buffer_written = call
        .within(call.count(encoded_size), encoded_buffer_room.len())?;
    call.take(encoded_buffer_room, encoded_buffer_written, encoded_buffer);
    Ok((ret, encoded_buffer_written))
}
