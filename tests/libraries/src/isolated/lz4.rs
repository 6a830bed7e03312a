//! Calls into `lz4-sys` 1.11.1+lz4-1.10.0 that run in the domain `lz4`.
//!
//! Written by `cargo isolate wrap` from `tests/libraries/isolation.toml`: change the policy and run it again instead of editing here.
#![allow(non_snake_case, reason = "functions keep the names they have in C")]

use isolate_rt::{Domain, Error, Globals};
use std::ffi::c_int;
use lz4_sys as ffi;

// Defined by the linker fragment `isolate.ld`: an executable that was linked without it does not link at all.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
unsafe extern "C" {
    static __isolate_lz4_data_start: u8;
    static __isolate_lz4_data_end: u8;
    static __isolate_lz4_bss_start: u8;
    static __isolate_lz4_bss_end: u8;
}

/// The writable globals of the library, which the domain owns.
// SAFETY: the library's alone: the policy names it, and the linker fragment gathers nothing else between the symbols.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
const GLOBALS: &[Globals] = unsafe {
    &[
        Globals::linked(
            &raw const __isolate_lz4_data_start,
            &raw const __isolate_lz4_data_end,
        ),
        Globals::linked(
            &raw const __isolate_lz4_bss_start,
            &raw const __isolate_lz4_bss_end,
        ),
    ]
};

/// No call gets as far as needing them where domains are not supported.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
const GLOBALS: &[Globals] = &[];

/// The domain `lz4`.
///
/// Level `integrity`: it can read the program's memory and write none of it.
/// Heap: 512 MiB. Stack: the runtime's default.
pub static DOMAIN: Domain = Domain::new("lz4").heap_limit(512 << 20).globals(GLOBALS);

/// `LZ4_compress_default` of `lz4-sys`.
///
/// * `source`: read; its length goes as `sourceSize`.
/// * `dest`: written; its length goes as `maxDestSize`.
///
/// Returns how many elements of `dest` it wrote.
///
/// # Errors
///
/// When `LZ4_compress_default` fails (`ret == 0`), or the call ends in a fault; `dest` keeps its value then.
pub fn LZ4_compress_default(
    source: &[u8],
    dest: &mut [u8],
) -> Result<usize, Error<c_int>> {
    let mut call = DOMAIN.call("LZ4_compress_default")?;
    let source_ptr = call.input(source)?;
    let dest_room = call.output::<u8>(dest.len())?;
    let source_size = call.length(source.len())?;
    let max_dest_size = call.length(dest.len())?;
    // SAFETY: each pointer covers what the contract of `LZ4_compress_default` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::LZ4_compress_default(
            source_ptr.cast(),
            dest_room.as_mut_ptr().cast(),
            source_size,
            max_dest_size,
        ))
    }?;
    if ret == 0 {
        return Err(call.failed(ret, None));
    }
    let dest_written = call.take(dest_room, call.count(ret), dest);
    Ok(dest_written)
}

/// `LZ4_decompress_safe` of `lz4-sys`.
///
/// * `source`: read; its length goes as `compressedSize`.
/// * `dest`: written; its length goes as `maxDecompressedSize`.
///
/// Returns how many elements of `dest` it wrote.
///
/// # Errors
///
/// When `LZ4_decompress_safe` fails (`ret < 0`), or the call ends in a fault; `dest` keeps its value then.
pub fn LZ4_decompress_safe(
    source: &[u8],
    dest: &mut [u8],
) -> Result<usize, Error<c_int>> {
    let mut call = DOMAIN.call("LZ4_decompress_safe")?;
    let source_ptr = call.input(source)?;
    let dest_room = call.output::<u8>(dest.len())?;
    let compressed_size = call.length(source.len())?;
    let max_decompressed_size = call.length(dest.len())?;
    // SAFETY: each pointer covers what the contract of `LZ4_decompress_safe` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::LZ4_decompress_safe(
            source_ptr.cast(),
            dest_room.as_mut_ptr().cast(),
            compressed_size,
            max_decompressed_size,
        ))
    }?;
    if ret < 0 {
        return Err(call.failed(ret, None));
    }
    let dest_written = call.take(dest_room, call.count(ret), dest);
    Ok(dest_written)
}
