//! Calls into `lz4-sys` 1.9.2 that run in the domain `lz4`.
//!
//! Written by `cargo isolate wrap` from `policy.toml`: change the policy and run it again instead of editing here.
#![allow(non_snake_case, reason = "functions keep the names they have in C")]

use isolate_rt::{Domain, Fault, Globals};
use std::ffi::c_int;
use crate::ffi as ffi;

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
/// Heap: the runtime's default. Stack: the runtime's default.
pub static DOMAIN: Domain = Domain::new("lz4").globals(GLOBALS);

/// `LZ4_decompress_safe_partial` of `case-lz4-3520`.
///
/// * `src`: read; its length goes as `srcSize`.
/// * `dst`: written; its length goes as `dstCapacity`.
///
/// Returns what `LZ4_decompress_safe_partial` returned, then how many elements of `dst` it wrote.
///
/// # Errors
///
/// When the call ends in a fault; `dst` keeps its value then.
pub fn LZ4_decompress_safe_partial(
    src: &[u8],
    dst: &mut [u8],
    target_output_size: c_int,
) -> Result<(c_int, usize), Fault> {
    let mut call = DOMAIN.call("LZ4_decompress_safe_partial")?;
    let src_ptr = call.input(src)?;
    let dst_room = call.output::<u8>(dst.len())?;
    let src_size = call.length(src.len())?;
    let dst_capacity = call.length(dst.len())?;
    // SAFETY: each pointer covers what the contract of `LZ4_decompress_safe_partial` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::LZ4_decompress_safe_partial(
            src_ptr.cast(),
            dst_room.as_mut_ptr().cast(),
            src_size,
            target_output_size,
            dst_capacity,
        ))
    }?;
    let dst_written = call
        .within(call.count((ret as i128).max(0_i128)), dst_room.len())?;
    call.take(dst_room, dst_written, dst);
    Ok((ret, dst_written))
}
