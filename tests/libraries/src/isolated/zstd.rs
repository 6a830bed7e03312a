//! Calls into `zstd-sys` 2.1.2+zstd.1.5.7 that run in the domain `zstd`.
//!
//! Written by `cargo isolate wrap` from `tests/libraries/isolation.toml`: change the policy and run it again instead of editing here.
#![allow(non_snake_case, reason = "functions keep the names they have in C")]

use isolate_rt::{Domain, End, Error, Fault, Globals, Handle, Null, Owned, assert_plain};
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

/// `ZSTD_CCtx_setParameter` of `zstd-sys`.
///
/// * `cctx`: an object in the domain.
///
/// # Errors
///
/// When `ZSTD_CCtx_setParameter` fails (`ZSTD_isError(ret) != 0`), or the call ends in a fault.
pub fn ZSTD_CCtx_setParameter(
    cctx: &Handle<ffi::ZSTD_CCtx_s>,
    param: ffi::ZSTD_cParameter,
    value: c_int,
) -> Result<usize, Error<usize>> {
    let mut call = DOMAIN.call("ZSTD_CCtx_setParameter")?;
    let cctx_ptr = call.handle(cctx)?;
    // SAFETY: each pointer covers what the contract of `ZSTD_CCtx_setParameter` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::ZSTD_CCtx_setParameter(cctx_ptr, param, value))
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
    Ok(ret)
}

/// `ZSTD_createCStream` of `zstd-sys`.
///
/// # Errors
///
/// When `ZSTD_createCStream` fails (`ret == NULL`), or the call ends in a fault.
pub fn ZSTD_createCStream() -> Result<Owned<ffi::ZSTD_CCtx_s>, Error<Null>> {
    // Outlives the call: what ends the object is a call of its own.
    let owned;
    let owned_end: End<ffi::ZSTD_CCtx_s> = |call, object| {
        // SAFETY: it is what `ZSTD_createCStream` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::ZSTD_freeCStream(object);
            })
        }
    };
    let mut call = DOMAIN.call("ZSTD_createCStream")?;
    // SAFETY: `ZSTD_createCStream` gets no pointer, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::ZSTD_createCStream()) }?;
    // SAFETY: as above, and the library gives it away, for `ZSTD_freeCStream` to end.
    owned = unsafe { call.own(&DOMAIN, ret, owned_end) }?;
    let Some(owned) = owned else {
        return Err(call.failed(Null, None));
    };
    Ok(owned)
}

/// `ZSTD_freeCStream` of `zstd-sys`.
///
/// * `zcs`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn ZSTD_freeCStream(mut zcs: Owned<ffi::ZSTD_CCtx_s>) -> Result<usize, Fault> {
    let mut call = DOMAIN.call("ZSTD_freeCStream")?;
    let zcs_ptr = call.ending(&mut zcs)?;
    // SAFETY: each pointer covers what the contract of `ZSTD_freeCStream` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::ZSTD_freeCStream(zcs_ptr)) };
    if !call.was_refused() {
        zcs.ended();
    }
    ret
}

/// `ZSTD_compressStream2` of `zstd-sys`.
///
/// * `cctx`: an object in the domain.
/// * `output`: written, as far as the result says.
/// * `input`: read, as far as the result says.
///
/// Returns what `ZSTD_compressStream2` returned, then how many elements of `output` it wrote, then how many elements of `input` it read.
///
/// # Errors
///
/// When `ZSTD_compressStream2` fails (`ZSTD_isError(ret) != 0`), or the call ends in a fault; `output` keeps its value then.
pub fn ZSTD_compressStream2(
    cctx: &Handle<ffi::ZSTD_CCtx_s>,
    output: &mut [u8],
    input: &[u8],
    end_op: ffi::ZSTD_EndDirective,
) -> Result<(usize, usize, usize), Error<usize>> {
    let mut call = DOMAIN.call("ZSTD_compressStream2")?;
    let cctx_ptr = call.handle(cctx)?;
    let output_room = call.output::<u8>(output.len())?;
    let output_slice = ffi::ZSTD_outBuffer_s {
        dst: output_room.as_mut_ptr().cast(),
        size: call.length(output.len())?,
        pos: 0,
    };
    // SAFETY: `ffi::ZSTD_outBuffer_s` is a pointer and two numbers, of which every bit pattern is a value.
    let output_slice = unsafe { call.inout_any(&[output_slice]) }?;
    let input_slice = ffi::ZSTD_inBuffer_s {
        src: call.input(input)?.cast(),
        size: call.length(input.len())?,
        pos: 0,
    };
    // SAFETY: `ffi::ZSTD_inBuffer_s` is a pointer and two numbers, of which every bit pattern is a value.
    let input_slice = unsafe { call.inout_any(&[input_slice]) }?;
    // SAFETY: each pointer covers what the contract of `ZSTD_compressStream2` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::ZSTD_compressStream2(
            cctx_ptr,
            output_slice.as_mut_ptr(),
            input_slice.as_mut_ptr(),
            end_op,
        ))
    }?;
    let output_written = call.read(output_slice).pos;
    let input_read = call.read(input_slice).pos;
    // SAFETY: as above.
    let zstd_is_error = unsafe { call.run(move || ffi::ZSTD_isError(ret)) }?;
    if zstd_is_error != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::ZSTD_getErrorName(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `ZSTD_getErrorName` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    let output_written = call.within(call.count(output_written), output.len())?;
    let input_read = call.within(call.count(input_read), input.len())?;
    call.take(output_room, output_written, output);
    Ok((ret, output_written, input_read))
}

/// `ZSTD_initCStream` of `zstd-sys`.
///
/// * `zcs`: an object in the domain.
///
/// # Errors
///
/// When `ZSTD_initCStream` fails (`ZSTD_isError(ret) != 0`), or the call ends in a fault.
pub fn ZSTD_initCStream(
    zcs: &Handle<ffi::ZSTD_CCtx_s>,
    compression_level: c_int,
) -> Result<usize, Error<usize>> {
    let mut call = DOMAIN.call("ZSTD_initCStream")?;
    let zcs_ptr = call.handle(zcs)?;
    // SAFETY: each pointer covers what the contract of `ZSTD_initCStream` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::ZSTD_initCStream(zcs_ptr, compression_level))
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
    Ok(ret)
}

/// `ZSTD_compressStream` of `zstd-sys`.
///
/// * `zcs`: an object in the domain.
/// * `output`: written, as far as the result says.
/// * `input`: read, as far as the result says.
///
/// Returns what `ZSTD_compressStream` returned, then how many elements of `output` it wrote, then how many elements of `input` it read.
///
/// # Errors
///
/// When `ZSTD_compressStream` fails (`ZSTD_isError(ret) != 0`), or the call ends in a fault; `output` keeps its value then.
pub fn ZSTD_compressStream(
    zcs: &Handle<ffi::ZSTD_CCtx_s>,
    output: &mut [u8],
    input: &[u8],
) -> Result<(usize, usize, usize), Error<usize>> {
    let mut call = DOMAIN.call("ZSTD_compressStream")?;
    let zcs_ptr = call.handle(zcs)?;
    let output_room = call.output::<u8>(output.len())?;
    let output_slice = ffi::ZSTD_outBuffer_s {
        dst: output_room.as_mut_ptr().cast(),
        size: call.length(output.len())?,
        pos: 0,
    };
    // SAFETY: `ffi::ZSTD_outBuffer_s` is a pointer and two numbers, of which every bit pattern is a value.
    let output_slice = unsafe { call.inout_any(&[output_slice]) }?;
    let input_slice = ffi::ZSTD_inBuffer_s {
        src: call.input(input)?.cast(),
        size: call.length(input.len())?,
        pos: 0,
    };
    // SAFETY: `ffi::ZSTD_inBuffer_s` is a pointer and two numbers, of which every bit pattern is a value.
    let input_slice = unsafe { call.inout_any(&[input_slice]) }?;
    // SAFETY: each pointer covers what the contract of `ZSTD_compressStream` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::ZSTD_compressStream(
            zcs_ptr,
            output_slice.as_mut_ptr(),
            input_slice.as_mut_ptr(),
        ))
    }?;
    let output_written = call.read(output_slice).pos;
    let input_read = call.read(input_slice).pos;
    // SAFETY: as above.
    let zstd_is_error = unsafe { call.run(move || ffi::ZSTD_isError(ret)) }?;
    if zstd_is_error != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::ZSTD_getErrorName(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `ZSTD_getErrorName` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    let output_written = call.within(call.count(output_written), output.len())?;
    let input_read = call.within(call.count(input_read), input.len())?;
    call.take(output_room, output_written, output);
    Ok((ret, output_written, input_read))
}

/// `ZSTD_createDStream` of `zstd-sys`.
///
/// # Errors
///
/// When `ZSTD_createDStream` fails (`ret == NULL`), or the call ends in a fault.
pub fn ZSTD_createDStream() -> Result<Owned<ffi::ZSTD_DCtx_s>, Error<Null>> {
    // Outlives the call: what ends the object is a call of its own.
    let owned;
    let owned_end: End<ffi::ZSTD_DCtx_s> = |call, object| {
        // SAFETY: it is what `ZSTD_createDStream` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::ZSTD_freeDStream(object);
            })
        }
    };
    let mut call = DOMAIN.call("ZSTD_createDStream")?;
    // SAFETY: `ZSTD_createDStream` gets no pointer, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::ZSTD_createDStream()) }?;
    // SAFETY: as above, and the library gives it away, for `ZSTD_freeDStream` to end.
    owned = unsafe { call.own(&DOMAIN, ret, owned_end) }?;
    let Some(owned) = owned else {
        return Err(call.failed(Null, None));
    };
    Ok(owned)
}

/// `ZSTD_freeDStream` of `zstd-sys`.
///
/// * `zds`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn ZSTD_freeDStream(mut zds: Owned<ffi::ZSTD_DCtx_s>) -> Result<usize, Fault> {
    let mut call = DOMAIN.call("ZSTD_freeDStream")?;
    let zds_ptr = call.ending(&mut zds)?;
    // SAFETY: each pointer covers what the contract of `ZSTD_freeDStream` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::ZSTD_freeDStream(zds_ptr)) };
    if !call.was_refused() {
        zds.ended();
    }
    ret
}

/// `ZSTD_initDStream` of `zstd-sys`.
///
/// * `zds`: an object in the domain.
///
/// # Errors
///
/// When `ZSTD_initDStream` fails (`ZSTD_isError(ret) != 0`), or the call ends in a fault.
pub fn ZSTD_initDStream(zds: &Handle<ffi::ZSTD_DCtx_s>) -> Result<usize, Error<usize>> {
    let mut call = DOMAIN.call("ZSTD_initDStream")?;
    let zds_ptr = call.handle(zds)?;
    // SAFETY: each pointer covers what the contract of `ZSTD_initDStream` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::ZSTD_initDStream(zds_ptr)) }?;
    // SAFETY: as above.
    let zstd_is_error = unsafe { call.run(move || ffi::ZSTD_isError(ret)) }?;
    if zstd_is_error != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::ZSTD_getErrorName(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `ZSTD_getErrorName` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    Ok(ret)
}

/// `ZSTD_decompressStream` of `zstd-sys`.
///
/// * `zds`: an object in the domain.
/// * `output`: written, as far as the result says.
/// * `input`: read, as far as the result says.
///
/// Returns what `ZSTD_decompressStream` returned, then how many elements of `output` it wrote, then how many elements of `input` it read.
///
/// # Errors
///
/// When `ZSTD_decompressStream` fails (`ZSTD_isError(ret) != 0`), or the call ends in a fault; `output` keeps its value then.
pub fn ZSTD_decompressStream(
    zds: &Handle<ffi::ZSTD_DCtx_s>,
    output: &mut [u8],
    input: &[u8],
) -> Result<(usize, usize, usize), Error<usize>> {
    let mut call = DOMAIN.call("ZSTD_decompressStream")?;
    let zds_ptr = call.handle(zds)?;
    let output_room = call.output::<u8>(output.len())?;
    let output_slice = ffi::ZSTD_outBuffer_s {
        dst: output_room.as_mut_ptr().cast(),
        size: call.length(output.len())?,
        pos: 0,
    };
    // SAFETY: `ffi::ZSTD_outBuffer_s` is a pointer and two numbers, of which every bit pattern is a value.
    let output_slice = unsafe { call.inout_any(&[output_slice]) }?;
    let input_slice = ffi::ZSTD_inBuffer_s {
        src: call.input(input)?.cast(),
        size: call.length(input.len())?,
        pos: 0,
    };
    // SAFETY: `ffi::ZSTD_inBuffer_s` is a pointer and two numbers, of which every bit pattern is a value.
    let input_slice = unsafe { call.inout_any(&[input_slice]) }?;
    // SAFETY: each pointer covers what the contract of `ZSTD_decompressStream` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::ZSTD_decompressStream(
            zds_ptr,
            output_slice.as_mut_ptr(),
            input_slice.as_mut_ptr(),
        ))
    }?;
    let output_written = call.read(output_slice).pos;
    let input_read = call.read(input_slice).pos;
    // SAFETY: as above.
    let zstd_is_error = unsafe { call.run(move || ffi::ZSTD_isError(ret)) }?;
    if zstd_is_error != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::ZSTD_getErrorName(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `ZSTD_getErrorName` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    let output_written = call.within(call.count(output_written), output.len())?;
    let input_read = call.within(call.count(input_read), input.len())?;
    call.take(output_room, output_written, output);
    Ok((ret, output_written, input_read))
}

/// `ZSTD_CCtx_loadDictionary` of `zstd-sys`.
///
/// * `cctx`: an object in the domain.
/// * `dict`: read; its length goes as `dictSize`.
///
/// # Errors
///
/// When `ZSTD_CCtx_loadDictionary` fails (`ZSTD_isError(ret) != 0`), or the call ends in a fault.
pub fn ZSTD_CCtx_loadDictionary(
    cctx: &Handle<ffi::ZSTD_CCtx_s>,
    dict: &[u8],
) -> Result<usize, Error<usize>> {
    let mut call = DOMAIN.call("ZSTD_CCtx_loadDictionary")?;
    let cctx_ptr = call.handle(cctx)?;
    let dict_ptr = call.input(dict)?;
    let dict_size = call.length(dict.len())?;
    // SAFETY: each pointer covers what the contract of `ZSTD_CCtx_loadDictionary` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::ZSTD_CCtx_loadDictionary(
            cctx_ptr,
            dict_ptr.cast(),
            dict_size,
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
    Ok(ret)
}

/// `ZSTD_CCtx_refPrefix` of `zstd-sys`.
///
/// * `cctx`: an object in the domain.
/// * `prefix`: a copy of it is read until `cctx` has ended or gets another one; its length goes as `prefixSize`.
///
/// # Errors
///
/// When `ZSTD_CCtx_refPrefix` fails (`ZSTD_isError(ret) != 0`), or the call ends in a fault.
pub fn ZSTD_CCtx_refPrefix(
    cctx: &Owned<ffi::ZSTD_CCtx_s>,
    prefix: Option<&[u8]>,
) -> Result<usize, Error<usize>> {
    // Outlives the call: freeing it is a call of its own.
    let prefix_kept;
    let _prefix_kept_before;
    let mut call = DOMAIN.call("ZSTD_CCtx_refPrefix")?;
    let cctx_ptr = call.handle(cctx)?;
    let prefix_ptr;
    (prefix_kept, prefix_ptr) = match prefix {
        Some(prefix) => {
            let (kept, pointer) = call.retain(&DOMAIN, prefix)?;
            (Some(kept), pointer)
        }
        None => (None, std::ptr::null()),
    };
    let prefix_size = call.length(prefix.map_or(0, |slice| slice.len()))?;
    cctx.hold_as("prefix", prefix_kept);
    // SAFETY: each pointer covers what the contract of `ZSTD_CCtx_refPrefix` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::ZSTD_CCtx_refPrefix(
            cctx_ptr,
            prefix_ptr.cast(),
            prefix_size,
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
    _prefix_kept_before = cctx.superseded("prefix");
    Ok(ret)
}

/// `ZSTD_DCtx_loadDictionary` of `zstd-sys`.
///
/// * `dctx`: an object in the domain.
/// * `dict`: read; its length goes as `dictSize`.
///
/// # Errors
///
/// When `ZSTD_DCtx_loadDictionary` fails (`ZSTD_isError(ret) != 0`), or the call ends in a fault.
pub fn ZSTD_DCtx_loadDictionary(
    dctx: &Handle<ffi::ZSTD_DCtx_s>,
    dict: &[u8],
) -> Result<usize, Error<usize>> {
    let mut call = DOMAIN.call("ZSTD_DCtx_loadDictionary")?;
    let dctx_ptr = call.handle(dctx)?;
    let dict_ptr = call.input(dict)?;
    let dict_size = call.length(dict.len())?;
    // SAFETY: each pointer covers what the contract of `ZSTD_DCtx_loadDictionary` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::ZSTD_DCtx_loadDictionary(
            dctx_ptr,
            dict_ptr.cast(),
            dict_size,
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
    Ok(ret)
}

/// `ZSTD_DCtx_refPrefix` of `zstd-sys`.
///
/// * `dctx`: an object in the domain.
/// * `prefix`: a copy of it is read until `dctx` has ended or gets another one; its length goes as `prefixSize`.
///
/// # Errors
///
/// When `ZSTD_DCtx_refPrefix` fails (`ZSTD_isError(ret) != 0`), or the call ends in a fault.
pub fn ZSTD_DCtx_refPrefix(
    dctx: &Owned<ffi::ZSTD_DCtx_s>,
    prefix: Option<&[u8]>,
) -> Result<usize, Error<usize>> {
    // Outlives the call: freeing it is a call of its own.
    let prefix_kept;
    let _prefix_kept_before;
    let mut call = DOMAIN.call("ZSTD_DCtx_refPrefix")?;
    let dctx_ptr = call.handle(dctx)?;
    let prefix_ptr;
    (prefix_kept, prefix_ptr) = match prefix {
        Some(prefix) => {
            let (kept, pointer) = call.retain(&DOMAIN, prefix)?;
            (Some(kept), pointer)
        }
        None => (None, std::ptr::null()),
    };
    let prefix_size = call.length(prefix.map_or(0, |slice| slice.len()))?;
    dctx.hold_as("prefix", prefix_kept);
    // SAFETY: each pointer covers what the contract of `ZSTD_DCtx_refPrefix` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::ZSTD_DCtx_refPrefix(
            dctx_ptr,
            prefix_ptr.cast(),
            prefix_size,
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
    _prefix_kept_before = dctx.superseded("prefix");
    Ok(ret)
}

// Any bits may be in what comes out of the domain: the compiler is asked whether all are a value of each field that is named here.
const _: fn(ffi::ZSTD_inBuffer_s) = |ffi::ZSTD_inBuffer_s { src, size, pos }| {
    assert_plain(src);
    assert_plain(size);
    assert_plain(pos);
};

const _: fn(ffi::ZSTD_outBuffer_s) = |ffi::ZSTD_outBuffer_s { dst, size, pos }| {
    assert_plain(dst);
    assert_plain(size);
    assert_plain(pos);
};
