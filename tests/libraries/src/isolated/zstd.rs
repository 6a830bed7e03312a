//! Calls into `zstd-sys` 2.1.2+zstd.1.5.7 that run in the domain `zstd`.
//!
//! Written by `cargo isolate wrap` from `tests/libraries/isolation.toml`: change the policy and run it again instead of editing here.
#![allow(non_snake_case, reason = "functions keep the names they have in C")]

use isolate_rt::{Domain, End, Error, Fault, Globals, Handle, Null, Owned};
use std::ffi::{CString, c_int, c_uint};
use zstd_sys as ffi;

// Defined by the linker fragment `isolate.ld`: an executable that was linked without it does not link at all.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
unsafe extern "C" {
    static __isolate_zstd_data_start: u8;
    static __isolate_zstd_data_end: u8;
    static __isolate_zstd_bss_start: u8;
    static __isolate_zstd_bss_end: u8;
}

/// The writable globals of the library, which the domain owns.
// SAFETY: the library's alone: the policy names it, and the linker fragment gathers nothing else between the symbols.
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
const GLOBALS: &[Globals] = unsafe {
    &[
        Globals::linked(
            &raw const __isolate_zstd_data_start,
            &raw const __isolate_zstd_data_end,
        ),
        Globals::linked(
            &raw const __isolate_zstd_bss_start,
            &raw const __isolate_zstd_bss_end,
        ),
    ]
};

/// No call gets as far as needing them where domains are not supported.
#[cfg(not(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu")))]
const GLOBALS: &[Globals] = &[];

/// The domain `zstd`.
///
/// Level `integrity`: it can read the program's memory and write none of it.
/// Heap: 512 MiB. Stack: the runtime's default.
pub static DOMAIN: Domain = Domain::new("zstd").heap_limit(512 << 20).globals(GLOBALS);

/// `ZSTD_compress` of `zstd-sys`.
///
/// * `dst`: written; its length goes as `dstCapacity`.
/// * `src`: read; its length goes as `srcSize`.
///
/// Returns how many elements of `dst` it wrote.
///
/// # Errors
///
/// When `ZSTD_compress` fails (`ZSTD_isError(ret) != 0`), or the call ends in a fault; `dst` keeps its value then.
pub fn ZSTD_compress(
    dst: &mut [u8],
    src: &[u8],
    compression_level: c_int,
) -> Result<usize, Error<usize>> {
    let mut call = DOMAIN.call("ZSTD_compress")?;
    let dst_room = call.output::<u8>(dst.len())?;
    let dst_capacity = call.length(dst.len())?;
    let src_ptr = call.input(src)?;
    let src_size = call.length(src.len())?;
    // SAFETY: each pointer covers what the contract of `ZSTD_compress` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::ZSTD_compress(
            dst_room.as_mut_ptr().cast(),
            dst_capacity,
            src_ptr.cast(),
            src_size,
            compression_level,
        ))
    }?;
    // SAFETY: as above.
    let zstd_is_error = unsafe { call.run(move || ffi::ZSTD_isError(ret)) }?;
    if zstd_is_error != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::ZSTD_getErrorName(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `ZSTD_getErrorName` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    let dst_written = call.within(call.count(ret), dst_room.len())?;
    call.take(dst_room, dst_written, dst);
    Ok(dst_written)
}

/// `ZSTD_decompress` of `zstd-sys`.
///
/// * `dst`: written; its length goes as `dstCapacity`.
/// * `src`: read; its length goes as `compressedSize`.
///
/// Returns how many elements of `dst` it wrote.
///
/// # Errors
///
/// When `ZSTD_decompress` fails (`ZSTD_isError(ret) != 0`), or the call ends in a fault; `dst` keeps its value then.
pub fn ZSTD_decompress(dst: &mut [u8], src: &[u8]) -> Result<usize, Error<usize>> {
    let mut call = DOMAIN.call("ZSTD_decompress")?;
    let dst_room = call.output::<u8>(dst.len())?;
    let dst_capacity = call.length(dst.len())?;
    let src_ptr = call.input(src)?;
    let compressed_size = call.length(src.len())?;
    // SAFETY: each pointer covers what the contract of `ZSTD_decompress` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::ZSTD_decompress(
            dst_room.as_mut_ptr().cast(),
            dst_capacity,
            src_ptr.cast(),
            compressed_size,
        ))
    }?;
    // SAFETY: as above.
    let zstd_is_error = unsafe { call.run(move || ffi::ZSTD_isError(ret)) }?;
    if zstd_is_error != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::ZSTD_getErrorName(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `ZSTD_getErrorName` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    let dst_written = call.within(call.count(ret), dst_room.len())?;
    call.take(dst_room, dst_written, dst);
    Ok(dst_written)
}

/// `ZSTD_compressBound` of `zstd-sys`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn ZSTD_compressBound(src_size: usize) -> Result<usize, Fault> {
    let mut call = DOMAIN.call("ZSTD_compressBound")?;
    // SAFETY: `ZSTD_compressBound` gets no pointer, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::ZSTD_compressBound(src_size)) }
}

/// `ZSTD_isError` of `zstd-sys`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn ZSTD_isError(result: usize) -> Result<c_uint, Fault> {
    let mut call = DOMAIN.call("ZSTD_isError")?;
    // SAFETY: `ZSTD_isError` gets no pointer, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::ZSTD_isError(result)) }
}

/// `ZSTD_getErrorName` of `zstd-sys`.
///
/// Returns a copy of what `ZSTD_getErrorName` returned.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn ZSTD_getErrorName(result: usize) -> Result<Option<CString>, Fault> {
    let mut call = DOMAIN.call("ZSTD_getErrorName")?;
    // SAFETY: `ZSTD_getErrorName` gets no pointer, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::ZSTD_getErrorName(result)) }?;
    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
    unsafe { call.string(ret) }
}

/// `ZSTD_createCCtx` of `zstd-sys`.
///
/// # Errors
///
/// When `ZSTD_createCCtx` fails (`ret == NULL`), or the call ends in a fault.
pub fn ZSTD_createCCtx() -> Result<Owned<ffi::ZSTD_CCtx_s>, Error<Null>> {
    // Outlives the call: what ends the object is a call of its own.
    let owned;
    let owned_end: End<ffi::ZSTD_CCtx_s> = |call, object| {
        // SAFETY: it is what `ZSTD_createCCtx` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::ZSTD_freeCCtx(object);
            })
        }
    };
    let mut call = DOMAIN.call("ZSTD_createCCtx")?;
    // SAFETY: `ZSTD_createCCtx` gets no pointer, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::ZSTD_createCCtx()) }?;
    // SAFETY: as above, and the library gives it away, for `ZSTD_freeCCtx` to end.
    owned = unsafe { call.own(&DOMAIN, ret, owned_end) }?;
    let Some(owned) = owned else {
        return Err(call.failed(Null, None));
    };
    Ok(owned)
}

/// `ZSTD_freeCCtx` of `zstd-sys`.
///
/// * `cctx`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn ZSTD_freeCCtx(mut cctx: Owned<ffi::ZSTD_CCtx_s>) -> Result<usize, Fault> {
    let mut call = DOMAIN.call("ZSTD_freeCCtx")?;
    let cctx_ptr = call.ending(&mut cctx)?;
    // SAFETY: each pointer covers what the contract of `ZSTD_freeCCtx` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::ZSTD_freeCCtx(cctx_ptr)) };
    if !call.was_refused() {
        cctx.ended();
    }
    ret
}

/// `ZSTD_compressCCtx` of `zstd-sys`.
///
/// * `cctx`: an object in the domain.
/// * `dst`: written; its length goes as `dstCapacity`.
/// * `src`: read; its length goes as `srcSize`.
///
/// Returns how many elements of `dst` it wrote.
///
/// # Errors
///
/// When `ZSTD_compressCCtx` fails (`ZSTD_isError(ret) != 0`), or the call ends in a fault; `dst` keeps its value then.
pub fn ZSTD_compressCCtx(
    cctx: &Handle<ffi::ZSTD_CCtx_s>,
    dst: &mut [u8],
    src: &[u8],
    compression_level: c_int,
) -> Result<usize, Error<usize>> {
    let mut call = DOMAIN.call("ZSTD_compressCCtx")?;
    let cctx_ptr = call.handle(cctx)?;
    let dst_room = call.output::<u8>(dst.len())?;
    let dst_capacity = call.length(dst.len())?;
    let src_ptr = call.input(src)?;
    let src_size = call.length(src.len())?;
    // SAFETY: each pointer covers what the contract of `ZSTD_compressCCtx` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::ZSTD_compressCCtx(
            cctx_ptr,
            dst_room.as_mut_ptr().cast(),
            dst_capacity,
            src_ptr.cast(),
            src_size,
            compression_level,
        ))
    }?;
    // SAFETY: as above.
    let zstd_is_error = unsafe { call.run(move || ffi::ZSTD_isError(ret)) }?;
    if zstd_is_error != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::ZSTD_getErrorName(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `ZSTD_getErrorName` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    let dst_written = call.within(call.count(ret), dst_room.len())?;
    call.take(dst_room, dst_written, dst);
    Ok(dst_written)
}

/// `ZSTD_createDCtx` of `zstd-sys`.
///
/// # Errors
///
/// When `ZSTD_createDCtx` fails (`ret == NULL`), or the call ends in a fault.
pub fn ZSTD_createDCtx() -> Result<Owned<ffi::ZSTD_DCtx_s>, Error<Null>> {
    // Outlives the call: what ends the object is a call of its own.
    let owned;
    let owned_end: End<ffi::ZSTD_DCtx_s> = |call, object| {
        // SAFETY: it is what `ZSTD_createDCtx` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::ZSTD_freeDCtx(object);
            })
        }
    };
    let mut call = DOMAIN.call("ZSTD_createDCtx")?;
    // SAFETY: `ZSTD_createDCtx` gets no pointer, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::ZSTD_createDCtx()) }?;
    // SAFETY: as above, and the library gives it away, for `ZSTD_freeDCtx` to end.
    owned = unsafe { call.own(&DOMAIN, ret, owned_end) }?;
    let Some(owned) = owned else {
        return Err(call.failed(Null, None));
    };
    Ok(owned)
}

/// `ZSTD_freeDCtx` of `zstd-sys`.
///
/// * `dctx`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn ZSTD_freeDCtx(mut dctx: Owned<ffi::ZSTD_DCtx_s>) -> Result<usize, Fault> {
    let mut call = DOMAIN.call("ZSTD_freeDCtx")?;
    let dctx_ptr = call.ending(&mut dctx)?;
    // SAFETY: each pointer covers what the contract of `ZSTD_freeDCtx` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::ZSTD_freeDCtx(dctx_ptr)) };
    if !call.was_refused() {
        dctx.ended();
    }
    ret
}

/// `ZSTD_decompressDCtx` of `zstd-sys`.
///
/// * `dctx`: an object in the domain.
/// * `dst`: written; its length goes as `dstCapacity`.
/// * `src`: read; its length goes as `srcSize`.
///
/// Returns how many elements of `dst` it wrote.
///
/// # Errors
///
/// When `ZSTD_decompressDCtx` fails (`ZSTD_isError(ret) != 0`), or the call ends in a fault; `dst` keeps its value then.
pub fn ZSTD_decompressDCtx(
    dctx: &Handle<ffi::ZSTD_DCtx_s>,
    dst: &mut [u8],
    src: &[u8],
) -> Result<usize, Error<usize>> {
    let mut call = DOMAIN.call("ZSTD_decompressDCtx")?;
    let dctx_ptr = call.handle(dctx)?;
    let dst_room = call.output::<u8>(dst.len())?;
    let dst_capacity = call.length(dst.len())?;
    let src_ptr = call.input(src)?;
    let src_size = call.length(src.len())?;
    // SAFETY: each pointer covers what the contract of `ZSTD_decompressDCtx` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::ZSTD_decompressDCtx(
            dctx_ptr,
            dst_room.as_mut_ptr().cast(),
            dst_capacity,
            src_ptr.cast(),
            src_size,
        ))
    }?;
    // SAFETY: as above.
    let zstd_is_error = unsafe { call.run(move || ffi::ZSTD_isError(ret)) }?;
    if zstd_is_error != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::ZSTD_getErrorName(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `ZSTD_getErrorName` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    let dst_written = call.within(call.count(ret), dst_room.len())?;
    call.take(dst_room, dst_written, dst);
    Ok(dst_written)
}
