//! Calls into `snappy_src` 0.2.7+snappy.1.3.1 that run in the domain `snappy`.
//!
//! Written by `cargo isolate wrap` from `tests/libraries/isolation.toml`: change the policy and run it again instead of editing here.

use isolate_rt::{Domain, Error, Fault, Globals};
use std::ffi::{c_int, c_uint};
use snappy_src as ffi;

// Defined by the linker fragment `isolate.ld`: an executable that was linked without it does not link at all.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
unsafe extern "C" {
    static __isolate_snappy_data_start: u8;
    static __isolate_snappy_data_end: u8;
    static __isolate_snappy_bss_start: u8;
    static __isolate_snappy_bss_end: u8;
}

/// The writable globals of the library, which the domain owns.
// SAFETY: the library's alone: the policy names it, and the linker fragment gathers nothing else between the symbols.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
const GLOBALS: &[Globals] = unsafe {
    &[
        Globals::linked(
            &raw const __isolate_snappy_data_start,
            &raw const __isolate_snappy_data_end,
        ),
        Globals::linked(
            &raw const __isolate_snappy_bss_start,
            &raw const __isolate_snappy_bss_end,
        ),
    ]
};

/// No call gets as far as needing them where domains are not supported.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
const GLOBALS: &[Globals] = &[];

/// The domain `snappy`.
///
/// Level `integrity`: it can read the program's memory and write none of it.
/// Heap: 512 MiB. Stack: the runtime's default.
pub static DOMAIN: Domain = Domain::new("snappy").heap_limit(512 << 20).globals(GLOBALS);

/// `snappy_compress` of `snappy_src`.
///
/// * `input`: read; its length goes as `input_length`.
/// * `compressed`: written; its length goes as `compressed_length`.
///
/// Returns how many elements of `compressed` it wrote.
///
/// # Errors
///
/// When `snappy_compress` fails (`ret != 0`), or the call ends in a fault; `compressed` keeps its value then.
pub fn snappy_compress(
    input: &[u8],
    compressed: &mut [u8],
) -> Result<usize, Error<c_uint>> {
    let mut call = DOMAIN.call("snappy_compress")?;
    let input_ptr = call.input(input)?;
    let input_length = call.length(input.len())?;
    let compressed_room = call.output::<u8>(compressed.len())?;
    let compressed_length = call.inout(&[call.length(compressed.len())?])?;
    // SAFETY: each pointer covers what the contract of `snappy_compress` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::snappy_compress(
            input_ptr.cast(),
            input_length,
            compressed_room.as_mut_ptr().cast(),
            compressed_length.as_mut_ptr(),
        ))
    }?;
    let compressed_length = call.read(compressed_length);
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    let compressed_written = call
        .within(call.count(compressed_length), compressed_room.len())?;
    call.take(compressed_room, compressed_written, compressed);
    Ok(compressed_written)
}

/// `snappy_compress_with_level` of `snappy_src`.
///
/// * `input`: read; its length goes as `input_length`.
/// * `compressed`: written; its length goes as `compressed_length`.
///
/// Returns how many elements of `compressed` it wrote.
///
/// # Errors
///
/// When `snappy_compress_with_level` fails (`ret != 0`), or the call ends in a fault; `compressed` keeps its value then.
pub fn snappy_compress_with_level(
    input: &[u8],
    compression_level: c_int,
    compressed: &mut [u8],
) -> Result<usize, Error<c_uint>> {
    let mut call = DOMAIN.call("snappy_compress_with_level")?;
    let input_ptr = call.input(input)?;
    let input_length = call.length(input.len())?;
    let compressed_room = call.output::<u8>(compressed.len())?;
    let compressed_length = call.inout(&[call.length(compressed.len())?])?;
    // SAFETY: each pointer covers what the contract of `snappy_compress_with_level` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::snappy_compress_with_level(
            input_ptr.cast(),
            input_length,
            compression_level,
            compressed_room.as_mut_ptr().cast(),
            compressed_length.as_mut_ptr(),
        ))
    }?;
    let compressed_length = call.read(compressed_length);
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    let compressed_written = call
        .within(call.count(compressed_length), compressed_room.len())?;
    call.take(compressed_room, compressed_written, compressed);
    Ok(compressed_written)
}

/// `snappy_uncompress` of `snappy_src`.
///
/// * `compressed`: read; its length goes as `compressed_length`.
/// * `uncompressed`: written; its length goes as `uncompressed_length`.
///
/// Returns how many elements of `uncompressed` it wrote.
///
/// # Errors
///
/// When `snappy_uncompress` fails (`ret != 0`), or the call ends in a fault; `uncompressed` keeps its value then.
pub fn snappy_uncompress(
    compressed: &[u8],
    uncompressed: &mut [u8],
) -> Result<usize, Error<c_uint>> {
    let mut call = DOMAIN.call("snappy_uncompress")?;
    let compressed_ptr = call.input(compressed)?;
    let compressed_length = call.length(compressed.len())?;
    let uncompressed_room = call.output::<u8>(uncompressed.len())?;
    let uncompressed_length = call.inout(&[call.length(uncompressed.len())?])?;
    // SAFETY: each pointer covers what the contract of `snappy_uncompress` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::snappy_uncompress(
            compressed_ptr.cast(),
            compressed_length,
            uncompressed_room.as_mut_ptr().cast(),
            uncompressed_length.as_mut_ptr(),
        ))
    }?;
    let uncompressed_length = call.read(uncompressed_length);
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    let uncompressed_written = call
        .within(call.count(uncompressed_length), uncompressed_room.len())?;
    call.take(uncompressed_room, uncompressed_written, uncompressed);
    Ok(uncompressed_written)
}

/// `snappy_max_compressed_length` of `snappy_src`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn snappy_max_compressed_length(source_length: usize) -> Result<usize, Fault> {
    let mut call = DOMAIN.call("snappy_max_compressed_length")?;
    // SAFETY: `snappy_max_compressed_length` gets no pointer, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::snappy_max_compressed_length(source_length)) }
}

/// `snappy_uncompressed_length` of `snappy_src`.
///
/// * `compressed`: read; its length goes as `compressed_length`.
///
/// Returns `result`.
///
/// # Errors
///
/// When `snappy_uncompressed_length` fails (`ret != 0`), or the call ends in a fault.
pub fn snappy_uncompressed_length(compressed: &[u8]) -> Result<usize, Error<c_uint>> {
    let mut call = DOMAIN.call("snappy_uncompressed_length")?;
    let compressed_ptr = call.input(compressed)?;
    let compressed_length = call.length(compressed.len())?;
    let result_room = call.inout(&[0])?;
    // SAFETY: each pointer covers what the contract of `snappy_uncompressed_length` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::snappy_uncompressed_length(
            compressed_ptr.cast(),
            compressed_length,
            result_room.as_mut_ptr(),
        ))
    }?;
    let result = call.read(result_room);
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    Ok(result)
}

/// `snappy_validate_compressed_buffer` of `snappy_src`.
///
/// * `compressed`: read; its length goes as `compressed_length`.
///
/// # Errors
///
/// When `snappy_validate_compressed_buffer` fails (`ret != 0`), or the call ends in a fault.
pub fn snappy_validate_compressed_buffer(
    compressed: &[u8],
) -> Result<(), Error<c_uint>> {
    let mut call = DOMAIN.call("snappy_validate_compressed_buffer")?;
    let compressed_ptr = call.input(compressed)?;
    let compressed_length = call.length(compressed.len())?;
    // SAFETY: each pointer covers what the contract of `snappy_validate_compressed_buffer` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::snappy_validate_compressed_buffer(
            compressed_ptr.cast(),
            compressed_length,
        ))
    }?;
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    Ok(())
}
