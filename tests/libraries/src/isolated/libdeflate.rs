//! Calls into `libdeflate-sys` 1.26.1 that run in the domain `libdeflate`.
//!
//! Written by `cargo isolate wrap` from `tests/libraries/isolation.toml`: change the policy and run it again instead of editing here.

use isolate_rt::{Domain, End, Error, Fault, Globals, Handle, Null, Owned};
use std::ffi::{c_int, c_uint};
use libdeflate_sys as ffi;

// Defined by the linker fragment `isolate.ld`: an executable that was linked without it does not link at all.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
unsafe extern "C" {
    static __isolate_libdeflate_data_start: u8;
    static __isolate_libdeflate_data_end: u8;
    static __isolate_libdeflate_bss_start: u8;
    static __isolate_libdeflate_bss_end: u8;
}

/// The writable globals of the library, which the domain owns.
// SAFETY: the library's alone: the policy names it, and the linker fragment gathers nothing else between the symbols.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
const GLOBALS: &[Globals] = unsafe {
    &[
        Globals::linked(
            &raw const __isolate_libdeflate_data_start,
            &raw const __isolate_libdeflate_data_end,
        ),
        Globals::linked(
            &raw const __isolate_libdeflate_bss_start,
            &raw const __isolate_libdeflate_bss_end,
        ),
    ]
};

/// No call gets as far as needing them where domains are not supported.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
const GLOBALS: &[Globals] = &[];

/// The domain `libdeflate`.
///
/// Level `integrity`: it can read the program's memory and write none of it.
/// Heap: the runtime's default. Stack: the runtime's default.
pub static DOMAIN: Domain = Domain::new("libdeflate").globals(GLOBALS);

/// `libdeflate_alloc_decompressor` of `libdeflate-sys`.
///
/// # Errors
///
/// When `libdeflate_alloc_decompressor` fails (`ret == NULL`), or the call ends in a fault.
pub fn libdeflate_alloc_decompressor() -> Result<
    Owned<ffi::libdeflate_decompressor>,
    Error<Null>,

> {
    // Outlives the call: what ends the object is a call of its own.
    let owned;
    let owned_end: End<ffi::libdeflate_decompressor> = |call, object| {
        // SAFETY: it is what `libdeflate_alloc_decompressor` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::libdeflate_free_decompressor(object);
            })
        }
    };
    let mut call = DOMAIN.call("libdeflate_alloc_decompressor")?;
    // SAFETY: `libdeflate_alloc_decompressor` gets no pointer, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::libdeflate_alloc_decompressor()) }?;
    // SAFETY: as above, and the library gives it away, for `libdeflate_free_decompressor` to end.
    owned = unsafe { call.own(&DOMAIN, ret, owned_end) }?;
    let Some(owned) = owned else {
        return Err(call.failed(Null, None));
    };
    Ok(owned)
}

/// `libdeflate_free_decompressor` of `libdeflate-sys`.
///
/// * `decompressor`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn libdeflate_free_decompressor(
    mut decompressor: Owned<ffi::libdeflate_decompressor>,
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("libdeflate_free_decompressor")?;
    let decompressor_ptr = call.ending(&mut decompressor)?;
    // SAFETY: each pointer covers what the contract of `libdeflate_free_decompressor` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::libdeflate_free_decompressor(decompressor_ptr))
    };
    if !call.was_refused() {
        decompressor.ended();
    }
    ret
}

/// `libdeflate_deflate_decompress` of `libdeflate-sys`.
///
/// * `decompressor`: an object in the domain.
/// * `in_`: read; its length goes as `in_nbytes`.
/// * `out`: written; its length goes as `out_nbytes_avail`.
///
/// Returns how many elements of `out` it wrote.
///
/// # Errors
///
/// When `libdeflate_deflate_decompress` fails (`ret != 0`), or the call ends in a fault; `out` keeps its value then.
pub fn libdeflate_deflate_decompress(
    decompressor: &Handle<ffi::libdeflate_decompressor>,
    in_: &[u8],
    out: &mut [u8],
) -> Result<usize, Error<c_uint>> {
    let mut call = DOMAIN.call("libdeflate_deflate_decompress")?;
    let decompressor_ptr = call.handle(decompressor)?;
    let in_ptr = call.input(in_)?;
    let in_nbytes = call.length(in_.len())?;
    let out_room = call.output::<u8>(out.len())?;
    let out_nbytes_avail = call.length(out.len())?;
    let actual_out_nbytes_ret_room = call.inout(&[0])?;
    // SAFETY: each pointer covers what the contract of `libdeflate_deflate_decompress` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::libdeflate_deflate_decompress(
            decompressor_ptr,
            in_ptr.cast(),
            in_nbytes,
            out_room.as_mut_ptr().cast(),
            out_nbytes_avail,
            actual_out_nbytes_ret_room.as_mut_ptr(),
        ))
    }?;
    let actual_out_nbytes_ret = call.read(actual_out_nbytes_ret_room);
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    let out_written = call.within(call.count(actual_out_nbytes_ret), out_room.len())?;
    call.take(out_room, out_written, out);
    Ok(out_written)
}

/// `libdeflate_alloc_compressor` of `libdeflate-sys`.
///
/// # Errors
///
/// When `libdeflate_alloc_compressor` fails (`ret == NULL`), or the call ends in a fault.
pub fn libdeflate_alloc_compressor(
    compression_level: c_int,
) -> Result<Owned<ffi::libdeflate_compressor>, Error<Null>> {
    // Outlives the call: what ends the object is a call of its own.
    let owned;
    let owned_end: End<ffi::libdeflate_compressor> = |call, object| {
        // SAFETY: it is what `libdeflate_alloc_compressor` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::libdeflate_free_compressor(object);
            })
        }
    };
    let mut call = DOMAIN.call("libdeflate_alloc_compressor")?;
    // SAFETY: `libdeflate_alloc_compressor` gets no pointer, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::libdeflate_alloc_compressor(compression_level))
    }?;
    // SAFETY: as above, and the library gives it away, for `libdeflate_free_compressor` to end.
    owned = unsafe { call.own(&DOMAIN, ret, owned_end) }?;
    let Some(owned) = owned else {
        return Err(call.failed(Null, None));
    };
    Ok(owned)
}

/// `libdeflate_deflate_compress_bound` of `libdeflate-sys`.
///
/// * `compressor`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn libdeflate_deflate_compress_bound(
    compressor: &Handle<ffi::libdeflate_compressor>,
    in_nbytes: usize,
) -> Result<usize, Fault> {
    let mut call = DOMAIN.call("libdeflate_deflate_compress_bound")?;
    let compressor_ptr = call.handle(compressor)?;
    // SAFETY: each pointer covers what the contract of `libdeflate_deflate_compress_bound` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::libdeflate_deflate_compress_bound(
            compressor_ptr,
            in_nbytes,
        ))
    }
}

/// `libdeflate_deflate_compress` of `libdeflate-sys`.
///
/// * `compressor`: an object in the domain.
/// * `in_`: read; its length goes as `in_nbytes`.
/// * `out`: written; its length goes as `out_nbytes_avail`.
///
/// Returns how many elements of `out` it wrote.
///
/// # Errors
///
/// When `libdeflate_deflate_compress` fails (`ret == 0`), or the call ends in a fault; `out` keeps its value then.
pub fn libdeflate_deflate_compress(
    compressor: &Handle<ffi::libdeflate_compressor>,
    in_: &[u8],
    out: &mut [u8],
) -> Result<usize, Error<usize>> {
    let mut call = DOMAIN.call("libdeflate_deflate_compress")?;
    let compressor_ptr = call.handle(compressor)?;
    let in_ptr = call.input(in_)?;
    let in_nbytes = call.length(in_.len())?;
    let out_room = call.output::<u8>(out.len())?;
    let out_nbytes_avail = call.length(out.len())?;
    // SAFETY: each pointer covers what the contract of `libdeflate_deflate_compress` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::libdeflate_deflate_compress(
            compressor_ptr,
            in_ptr.cast(),
            in_nbytes,
            out_room.as_mut_ptr().cast(),
            out_nbytes_avail,
        ))
    }?;
    if ret == 0 {
        return Err(call.failed(ret, None));
    }
    let out_written = call.within(call.count(ret), out_room.len())?;
    call.take(out_room, out_written, out);
    Ok(out_written)
}

/// `libdeflate_free_compressor` of `libdeflate-sys`.
///
/// * `compressor`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn libdeflate_free_compressor(
    mut compressor: Owned<ffi::libdeflate_compressor>,
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("libdeflate_free_compressor")?;
    let compressor_ptr = call.ending(&mut compressor)?;
    // SAFETY: each pointer covers what the contract of `libdeflate_free_compressor` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::libdeflate_free_compressor(compressor_ptr))
    };
    if !call.was_refused() {
        compressor.ended();
    }
    ret
}

/// `libdeflate_crc32` of `libdeflate-sys`.
///
/// * `buffer`: read; its length goes as `len`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn libdeflate_crc32(crc32: u32, buffer: &[u8]) -> Result<u32, Fault> {
    let mut call = DOMAIN.call("libdeflate_crc32")?;
    let buffer_ptr = call.input(buffer)?;
    let len = call.length(buffer.len())?;
    // SAFETY: each pointer covers what the contract of `libdeflate_crc32` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::libdeflate_crc32(crc32, buffer_ptr.cast(), len)) }
}
