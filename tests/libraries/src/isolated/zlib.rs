//! Calls into `libz-sys` 1.1.31 that run in the domain `zlib`.
//!
//! Written by `cargo isolate wrap` from `tests/libraries/isolation.toml`: change the policy and run it again instead of editing here.

use isolate_rt::{Domain, Fault, Globals};
use std::ffi::{c_int, c_ulong};
use libz_sys as ffi;

// Defined by the linker fragment `isolate.ld`: an executable that was linked without it does not link at all.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
unsafe extern "C" {
    static __isolate_zlib_data_start: u8;
    static __isolate_zlib_data_end: u8;
    static __isolate_zlib_bss_start: u8;
    static __isolate_zlib_bss_end: u8;
}

/// The writable globals of the library, which the domain owns.
// SAFETY: the library's alone: the policy names it, and the linker fragment gathers nothing else between the symbols.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
const GLOBALS: &[Globals] = unsafe {
    &[
        Globals::linked(
            &raw const __isolate_zlib_data_start,
            &raw const __isolate_zlib_data_end,
        ),
        Globals::linked(
            &raw const __isolate_zlib_bss_start,
            &raw const __isolate_zlib_bss_end,
        ),
    ]
};

/// No call gets as far as needing them where domains are not supported.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
const GLOBALS: &[Globals] = &[];

/// The domain `zlib`.
///
/// Level `integrity`: it can read the program's memory and write none of it.
/// Heap: 512 MiB. Stack: the runtime's default.
pub static DOMAIN: Domain = Domain::new("zlib").heap_limit(512 << 20).globals(GLOBALS);

/// `adler32` of `libz-sys`.
///
/// * `buf`: read; its length goes as `len`.
///
/// # Errors
///
/// When the call ends in a fault; what is `&mut` keeps its value then.
pub fn adler32(adler: c_ulong, buf: &[u8]) -> Result<c_ulong, Fault> {
    let mut call = DOMAIN.call("adler32")?;
    let buf_ptr = call.input(buf)?;
    let len = call.length(buf.len())?;
    // SAFETY: each pointer covers what the contract of `adler32` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::adler32(adler, buf_ptr, len)) }
}

/// `crc32` of `libz-sys`.
///
/// * `buf`: read; its length goes as `len`.
///
/// # Errors
///
/// When the call ends in a fault; what is `&mut` keeps its value then.
pub fn crc32(crc: c_ulong, buf: &[u8]) -> Result<c_ulong, Fault> {
    let mut call = DOMAIN.call("crc32")?;
    let buf_ptr = call.input(buf)?;
    let len = call.length(buf.len())?;
    // SAFETY: each pointer covers what the contract of `crc32` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::crc32(crc, buf_ptr, len)) }
}

/// `compress2` of `libz-sys`.
///
/// * `dest`: written; its length goes as `destLen`.
/// * `source`: read; its length goes as `sourceLen`.
///
/// Returns what `compress2` returned, then how many elements of `dest` it wrote.
///
/// # Errors
///
/// When the call ends in a fault; what is `&mut` keeps its value then.
pub fn compress2(
    dest: &mut [u8],
    source: &[u8],
    level: c_int,
) -> Result<(c_int, usize), Fault> {
    let mut call = DOMAIN.call("compress2")?;
    let dest_room = call.output::<u8>(dest.len())?;
    let dest_len = call.inout(&[call.length(dest.len())?])?;
    let source_ptr = call.input(source)?;
    let source_len = call.length(source.len())?;
    // SAFETY: each pointer covers what the contract of `compress2` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::compress2(
            dest_room.as_mut_ptr(),
            dest_len.as_mut_ptr(),
            source_ptr,
            source_len,
            level,
        ))
    }?;
    let dest_len = call.read(dest_len);
    let dest_written = call.take(dest_room, call.count(dest_len), dest);
    Ok((ret, dest_written))
}

/// `uncompress` of `libz-sys`.
///
/// * `dest`: written; its length goes as `destLen`.
/// * `source`: read; its length goes as `sourceLen`.
///
/// Returns what `uncompress` returned, then how many elements of `dest` it wrote.
///
/// # Errors
///
/// When the call ends in a fault; what is `&mut` keeps its value then.
pub fn uncompress(dest: &mut [u8], source: &[u8]) -> Result<(c_int, usize), Fault> {
    let mut call = DOMAIN.call("uncompress")?;
    let dest_room = call.output::<u8>(dest.len())?;
    let dest_len = call.inout(&[call.length(dest.len())?])?;
    let source_ptr = call.input(source)?;
    let source_len = call.length(source.len())?;
    // SAFETY: each pointer covers what the contract of `uncompress` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::uncompress(
            dest_room.as_mut_ptr(),
            dest_len.as_mut_ptr(),
            source_ptr,
            source_len,
        ))
    }?;
    let dest_len = call.read(dest_len);
    let dest_written = call.take(dest_room, call.count(dest_len), dest);
    Ok((ret, dest_written))
}
