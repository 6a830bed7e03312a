//! Calls into `bzip2-sys` 0.1.13+1.0.8 that run in the domain `bzip2`.
//!
//! Written by `cargo isolate wrap` from `tests/libraries/isolation.toml`: change the policy and run it again instead of editing here.
#![allow(non_snake_case, reason = "functions keep the names they have in C")]

use isolate_rt::{Domain, Fault, Globals};
use std::ffi::c_int;
use crate::ffi as ffi;

// Defined by the linker fragment `isolate.ld`: an executable that was linked without it does not link at all.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
unsafe extern "C" {
    static __isolate_bzip2_data_start: u8;
    static __isolate_bzip2_data_end: u8;
    static __isolate_bzip2_bss_start: u8;
    static __isolate_bzip2_bss_end: u8;
}

/// The writable globals of the library, which the domain owns.
// SAFETY: the library's alone: the policy names it, and the linker fragment gathers nothing else between the symbols.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
const GLOBALS: &[Globals] = unsafe {
    &[
        Globals::linked(
            &raw const __isolate_bzip2_data_start,
            &raw const __isolate_bzip2_data_end,
        ),
        Globals::linked(
            &raw const __isolate_bzip2_bss_start,
            &raw const __isolate_bzip2_bss_end,
        ),
    ]
};

/// No call gets as far as needing them where domains are not supported.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
const GLOBALS: &[Globals] = &[];

/// The domain `bzip2`.
///
/// Level `integrity`: it can read the program's memory and write none of it.
/// Heap: 512 MiB. Stack: the runtime's default.
pub static DOMAIN: Domain = Domain::new("bzip2").heap_limit(512 << 20).globals(GLOBALS);

/// `BZ2_bzBuffToBuffCompress` of `isolate-libraries`.
///
/// * `dest`: written; its length goes as `destLen`.
/// * `source`: read; its length goes as `sourceLen`.
///
/// Returns what `BZ2_bzBuffToBuffCompress` returned, then how many elements of `dest` it wrote.
///
/// # Errors
///
/// When the call ends in a fault; what is `&mut` keeps its value then.
pub fn BZ2_bzBuffToBuffCompress(
    dest: &mut [u8],
    source: &[u8],
    block_size100k: c_int,
    verbosity: c_int,
    work_factor: c_int,
) -> Result<(c_int, usize), Fault> {
    let mut call = DOMAIN.call("BZ2_bzBuffToBuffCompress")?;
    let dest_room = call.output::<u8>(dest.len())?;
    let dest_len = call.inout(&[call.length(dest.len())?])?;
    let source_ptr = call.input(source)?;
    let source_len = call.length(source.len())?;
    // SAFETY: each pointer covers what the contract of `BZ2_bzBuffToBuffCompress` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::BZ2_bzBuffToBuffCompress(
            dest_room.as_mut_ptr().cast(),
            dest_len.as_mut_ptr(),
            source_ptr.cast_mut().cast(),
            source_len,
            block_size100k,
            verbosity,
            work_factor,
        ))
    }?;
    let dest_len = call.read(dest_len);
    let dest_written = call.take(dest_room, call.count(dest_len), dest);
    Ok((ret, dest_written))
}

/// `BZ2_bzBuffToBuffDecompress` of `isolate-libraries`.
///
/// * `dest`: written; its length goes as `destLen`.
/// * `source`: read; its length goes as `sourceLen`.
///
/// Returns what `BZ2_bzBuffToBuffDecompress` returned, then how many elements of `dest` it wrote.
///
/// # Errors
///
/// When the call ends in a fault; what is `&mut` keeps its value then.
pub fn BZ2_bzBuffToBuffDecompress(
    dest: &mut [u8],
    source: &[u8],
    small: c_int,
    verbosity: c_int,
) -> Result<(c_int, usize), Fault> {
    let mut call = DOMAIN.call("BZ2_bzBuffToBuffDecompress")?;
    let dest_room = call.output::<u8>(dest.len())?;
    let dest_len = call.inout(&[call.length(dest.len())?])?;
    let source_ptr = call.input(source)?;
    let source_len = call.length(source.len())?;
    // SAFETY: each pointer covers what the contract of `BZ2_bzBuffToBuffDecompress` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::BZ2_bzBuffToBuffDecompress(
            dest_room.as_mut_ptr().cast(),
            dest_len.as_mut_ptr(),
            source_ptr.cast_mut().cast(),
            source_len,
            small,
            verbosity,
        ))
    }?;
    let dest_len = call.read(dest_len);
    let dest_written = call.take(dest_room, call.count(dest_len), dest);
    Ok((ret, dest_written))
}
