//! Calls into `lz4-sys` 1.11.1+lz4-1.10.0 that run in the domain `lz4`.
//!
//! Written by `cargo isolate wrap` from `tests/libraries/isolation.toml`: change the policy and run it again instead of editing here.
#![allow(non_snake_case, reason = "functions keep the names they have in C")]

use isolate_rt::{Domain, End, Error, Fault, Globals, Handle, Owned};
use std::ffi::{CString, c_int, c_uint, c_void};
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
/// When `LZ4_compress_default` fails (`ret <= 0`), or the call ends in a fault; `dest` keeps its value then.
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
    if ret <= 0 {
        return Err(call.failed(ret, None));
    }
    let dest_written = call.within(call.count(ret), dest_room.len())?;
    call.take(dest_room, dest_written, dest);
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
    let dest_written = call.within(call.count(ret), dest_room.len())?;
    call.take(dest_room, dest_written, dest);
    Ok(dest_written)
}

/// `LZ4F_isError` of `lz4-sys`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn LZ4F_isError(code: usize) -> Result<c_uint, Fault> {
    let mut call = DOMAIN.call("LZ4F_isError")?;
    // SAFETY: `LZ4F_isError` gets no pointer, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::LZ4F_isError(code)) }
}

/// `LZ4F_getErrorName` of `lz4-sys`.
///
/// Returns a copy of what `LZ4F_getErrorName` returned.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn LZ4F_getErrorName(code: usize) -> Result<CString, Fault> {
    let mut call = DOMAIN.call("LZ4F_getErrorName")?;
    // SAFETY: `LZ4F_getErrorName` gets no pointer, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::LZ4F_getErrorName(code)) }?;
    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
    let ret = unsafe { call.string(ret) }?;
    call.required(ret)
}

/// `LZ4F_createCompressionContext` of `lz4-sys`.
///
/// Returns what `LZ4F_createCompressionContext` returned, then `ctx`.
///
/// # Errors
///
/// When `LZ4F_createCompressionContext` fails (`LZ4F_isError(ret) != 0`), or the call ends in a fault.
pub fn LZ4F_createCompressionContext(
    version: c_uint,
) -> Result<(usize, Owned<ffi::LZ4FCompressionContext>), Error<usize>> {
    // Outlives the call: what ends the object is a call of its own.
    let ctx;
    let ctx_end: End<ffi::LZ4FCompressionContext> = |call, object| {
        // SAFETY: it is what `LZ4F_createCompressionContext` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::LZ4F_freeCompressionContext(
                    std::mem::transmute::<
                        *mut c_void,
                        ffi::LZ4FCompressionContext,
                    >(object.cast()),
                );
            })
        }
    };
    let mut call = DOMAIN.call("LZ4F_createCompressionContext")?;
    let ctx_room = call.inout(&[std::ptr::null_mut::<ffi::LZ4FCompressionContext>()])?;
    // SAFETY: each pointer covers what the contract of `LZ4F_createCompressionContext` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::LZ4F_createCompressionContext(
            &mut *ctx_room.as_mut_ptr().cast(),
            version,
        ))
    }?;
    let ctx_ptr = call.read(ctx_room);
    // SAFETY: as above, and the library gives it away, for `LZ4F_freeCompressionContext` to end.
    ctx = unsafe { call.own(&DOMAIN, ctx_ptr, ctx_end) }?;
    // SAFETY: as above.
    let lz4_f_is_error = unsafe { call.run(move || ffi::LZ4F_isError(ret)) }?;
    if lz4_f_is_error != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::LZ4F_getErrorName(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `LZ4F_getErrorName` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    let ctx = call.required(ctx)?;
    Ok((ret, ctx))
}

/// `LZ4F_freeCompressionContext` of `lz4-sys`.
///
/// * `ctx`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn LZ4F_freeCompressionContext(
    mut ctx: Owned<ffi::LZ4FCompressionContext>,
) -> Result<usize, Fault> {
    let mut call = DOMAIN.call("LZ4F_freeCompressionContext")?;
    let ctx_ptr = call.ending(&mut ctx)?;
    // SAFETY: each pointer covers what the contract of `LZ4F_freeCompressionContext` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::LZ4F_freeCompressionContext(
            std::mem::transmute::<
                *mut c_void,
                ffi::LZ4FCompressionContext,
            >(ctx_ptr.cast()),
        ))
    };
    if !call.was_refused() {
        ctx.ended();
    }
    ret
}

/// `LZ4F_compressBegin` of `lz4-sys`.
///
/// * `ctx`: an object in the domain.
/// * `dst_buffer`: written; its length goes as `dstMaxSize`.
/// * `preferences_ptr`: read.
///
/// Returns how many elements of `dst_buffer` it wrote.
///
/// # Errors
///
/// When `LZ4F_compressBegin` fails (`LZ4F_isError(ret) != 0`), or the call ends in a fault; `dst_buffer` keeps its value then.
pub fn LZ4F_compressBegin(
    ctx: &Handle<ffi::LZ4FCompressionContext>,
    dst_buffer: &mut [u8],
    preferences_ptr: Option<&ffi::LZ4FPreferences>,
) -> Result<usize, Error<usize>> {
    let mut call = DOMAIN.call("LZ4F_compressBegin")?;
    let ctx_ptr = call.handle(ctx)?;
    let dst_buffer_room = call.output::<u8>(dst_buffer.len())?;
    let dst_max_size = call.length(dst_buffer.len())?;
    let preferences_ptr_room = match preferences_ptr {
        Some(preferences_ptr) => call.input_any(preferences_ptr)?,
        None => std::ptr::null(),
    };
    // SAFETY: each pointer covers what the contract of `LZ4F_compressBegin` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::LZ4F_compressBegin(
            std::mem::transmute::<
                *mut c_void,
                ffi::LZ4FCompressionContext,
            >(ctx_ptr.cast()),
            dst_buffer_room.as_mut_ptr(),
            dst_max_size,
            preferences_ptr_room,
        ))
    }?;
    // SAFETY: as above.
    let lz4_f_is_error = unsafe { call.run(move || ffi::LZ4F_isError(ret)) }?;
    if lz4_f_is_error != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::LZ4F_getErrorName(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `LZ4F_getErrorName` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    let dst_buffer_written = call.within(call.count(ret), dst_buffer_room.len())?;
    call.take(dst_buffer_room, dst_buffer_written, dst_buffer);
    Ok(dst_buffer_written)
}

/// `LZ4F_compressBound` of `lz4-sys`.
///
/// * `preferences_ptr`: read.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn LZ4F_compressBound(
    src_size: usize,
    preferences_ptr: Option<&ffi::LZ4FPreferences>,
) -> Result<usize, Fault> {
    let mut call = DOMAIN.call("LZ4F_compressBound")?;
    let preferences_ptr_room = match preferences_ptr {
        Some(preferences_ptr) => call.input_any(preferences_ptr)?,
        None => std::ptr::null(),
    };
    // SAFETY: each pointer covers what the contract of `LZ4F_compressBound` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi::LZ4F_compressBound(src_size, preferences_ptr_room)) }
}

/// `LZ4F_compressUpdate` of `lz4-sys`.
///
/// * `ctx`: an object in the domain.
/// * `dst_buffer`: written; its length goes as `dstMaxSize`.
/// * `src_buffer`: read; its length goes as `srcSize`.
///
/// Returns how many elements of `dst_buffer` it wrote.
///
/// # Errors
///
/// When `LZ4F_compressUpdate` fails (`LZ4F_isError(ret) != 0`), or the call ends in a fault; `dst_buffer` keeps its value then.
pub fn LZ4F_compressUpdate(
    ctx: &Handle<ffi::LZ4FCompressionContext>,
    dst_buffer: &mut [u8],
    src_buffer: &[u8],
) -> Result<usize, Error<usize>> {
    let mut call = DOMAIN.call("LZ4F_compressUpdate")?;
    let ctx_ptr = call.handle(ctx)?;
    let dst_buffer_room = call.output::<u8>(dst_buffer.len())?;
    let dst_max_size = call.length(dst_buffer.len())?;
    let src_buffer_ptr = call.input(src_buffer)?;
    let src_size = call.length(src_buffer.len())?;
    // SAFETY: each pointer covers what the contract of `LZ4F_compressUpdate` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::LZ4F_compressUpdate(
            std::mem::transmute::<
                *mut c_void,
                ffi::LZ4FCompressionContext,
            >(ctx_ptr.cast()),
            dst_buffer_room.as_mut_ptr(),
            dst_max_size,
            src_buffer_ptr,
            src_size,
            std::ptr::null(),
        ))
    }?;
    // SAFETY: as above.
    let lz4_f_is_error = unsafe { call.run(move || ffi::LZ4F_isError(ret)) }?;
    if lz4_f_is_error != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::LZ4F_getErrorName(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `LZ4F_getErrorName` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    let dst_buffer_written = call.within(call.count(ret), dst_buffer_room.len())?;
    call.take(dst_buffer_room, dst_buffer_written, dst_buffer);
    Ok(dst_buffer_written)
}

/// `LZ4F_flush` of `lz4-sys`.
///
/// * `ctx`: an object in the domain.
/// * `dst_buffer`: written; its length goes as `dstMaxSize`.
///
/// Returns how many elements of `dst_buffer` it wrote.
///
/// # Errors
///
/// When `LZ4F_flush` fails (`LZ4F_isError(ret) != 0`), or the call ends in a fault; `dst_buffer` keeps its value then.
pub fn LZ4F_flush(
    ctx: &Handle<ffi::LZ4FCompressionContext>,
    dst_buffer: &mut [u8],
) -> Result<usize, Error<usize>> {
    let mut call = DOMAIN.call("LZ4F_flush")?;
    let ctx_ptr = call.handle(ctx)?;
    let dst_buffer_room = call.output::<u8>(dst_buffer.len())?;
    let dst_max_size = call.length(dst_buffer.len())?;
    // SAFETY: each pointer covers what the contract of `LZ4F_flush` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::LZ4F_flush(
            std::mem::transmute::<
                *mut c_void,
                ffi::LZ4FCompressionContext,
            >(ctx_ptr.cast()),
            dst_buffer_room.as_mut_ptr(),
            dst_max_size,
            std::ptr::null(),
        ))
    }?;
    // SAFETY: as above.
    let lz4_f_is_error = unsafe { call.run(move || ffi::LZ4F_isError(ret)) }?;
    if lz4_f_is_error != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::LZ4F_getErrorName(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `LZ4F_getErrorName` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    let dst_buffer_written = call.within(call.count(ret), dst_buffer_room.len())?;
    call.take(dst_buffer_room, dst_buffer_written, dst_buffer);
    Ok(dst_buffer_written)
}

/// `LZ4F_compressEnd` of `lz4-sys`.
///
/// * `ctx`: an object in the domain.
/// * `dst_buffer`: written; its length goes as `dstMaxSize`.
///
/// Returns how many elements of `dst_buffer` it wrote.
///
/// # Errors
///
/// When `LZ4F_compressEnd` fails (`LZ4F_isError(ret) != 0`), or the call ends in a fault; `dst_buffer` keeps its value then.
pub fn LZ4F_compressEnd(
    ctx: &Handle<ffi::LZ4FCompressionContext>,
    dst_buffer: &mut [u8],
) -> Result<usize, Error<usize>> {
    let mut call = DOMAIN.call("LZ4F_compressEnd")?;
    let ctx_ptr = call.handle(ctx)?;
    let dst_buffer_room = call.output::<u8>(dst_buffer.len())?;
    let dst_max_size = call.length(dst_buffer.len())?;
    // SAFETY: each pointer covers what the contract of `LZ4F_compressEnd` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::LZ4F_compressEnd(
            std::mem::transmute::<
                *mut c_void,
                ffi::LZ4FCompressionContext,
            >(ctx_ptr.cast()),
            dst_buffer_room.as_mut_ptr(),
            dst_max_size,
            std::ptr::null(),
        ))
    }?;
    // SAFETY: as above.
    let lz4_f_is_error = unsafe { call.run(move || ffi::LZ4F_isError(ret)) }?;
    if lz4_f_is_error != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::LZ4F_getErrorName(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `LZ4F_getErrorName` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    let dst_buffer_written = call.within(call.count(ret), dst_buffer_room.len())?;
    call.take(dst_buffer_room, dst_buffer_written, dst_buffer);
    Ok(dst_buffer_written)
}

/// `LZ4F_createDecompressionContext` of `lz4-sys`.
///
/// Returns what `LZ4F_createDecompressionContext` returned, then `ctx`.
///
/// # Errors
///
/// When `LZ4F_createDecompressionContext` fails (`LZ4F_isError(ret) != 0`), or the call ends in a fault.
pub fn LZ4F_createDecompressionContext(
    version: c_uint,
) -> Result<(usize, Owned<ffi::LZ4FDecompressionContext>), Error<usize>> {
    // Outlives the call: what ends the object is a call of its own.
    let ctx;
    let ctx_end: End<ffi::LZ4FDecompressionContext> = |call, object| {
        // SAFETY: it is what `LZ4F_createDecompressionContext` gave away; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi::LZ4F_freeDecompressionContext(
                    std::mem::transmute::<
                        *mut c_void,
                        ffi::LZ4FDecompressionContext,
                    >(object.cast()),
                );
            })
        }
    };
    let mut call = DOMAIN.call("LZ4F_createDecompressionContext")?;
    let ctx_room = call.inout(&[std::ptr::null_mut::<ffi::LZ4FDecompressionContext>()])?;
    // SAFETY: each pointer covers what the contract of `LZ4F_createDecompressionContext` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::LZ4F_createDecompressionContext(
            &mut *ctx_room.as_mut_ptr().cast(),
            version,
        ))
    }?;
    let ctx_ptr = call.read(ctx_room);
    // SAFETY: as above, and the library gives it away, for `LZ4F_freeDecompressionContext` to end.
    ctx = unsafe { call.own(&DOMAIN, ctx_ptr, ctx_end) }?;
    // SAFETY: as above.
    let lz4_f_is_error = unsafe { call.run(move || ffi::LZ4F_isError(ret)) }?;
    if lz4_f_is_error != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::LZ4F_getErrorName(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `LZ4F_getErrorName` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    let ctx = call.required(ctx)?;
    Ok((ret, ctx))
}

/// `LZ4F_freeDecompressionContext` of `lz4-sys`.
///
/// * `ctx`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn LZ4F_freeDecompressionContext(
    mut ctx: Owned<ffi::LZ4FDecompressionContext>,
) -> Result<usize, Fault> {
    let mut call = DOMAIN.call("LZ4F_freeDecompressionContext")?;
    let ctx_ptr = call.ending(&mut ctx)?;
    // SAFETY: each pointer covers what the contract of `LZ4F_freeDecompressionContext` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::LZ4F_freeDecompressionContext(
            std::mem::transmute::<
                *mut c_void,
                ffi::LZ4FDecompressionContext,
            >(ctx_ptr.cast()),
        ))
    };
    if !call.was_refused() {
        ctx.ended();
    }
    ret
}

/// `LZ4F_decompress` of `lz4-sys`.
///
/// * `ctx`: an object in the domain.
/// * `dst_buffer`: written; its length goes as `dstSizePtr`.
/// * `src_buffer`: read; its length goes as `srcSizePtr`.
///
/// Returns what `LZ4F_decompress` returned, then how many elements of `dst_buffer` it wrote, then `src_size_ptr`.
///
/// # Errors
///
/// When `LZ4F_decompress` fails (`LZ4F_isError(ret) != 0`), or the call ends in a fault; `dst_buffer` keeps its value then.
pub fn LZ4F_decompress(
    ctx: &Handle<ffi::LZ4FDecompressionContext>,
    dst_buffer: &mut [u8],
    src_buffer: &[u8],
) -> Result<(usize, usize, usize), Error<usize>> {
    let mut call = DOMAIN.call("LZ4F_decompress")?;
    let ctx_ptr = call.handle(ctx)?;
    let dst_buffer_room = call.output::<u8>(dst_buffer.len())?;
    let dst_size_ptr = call.inout(&[call.length(dst_buffer.len())?])?;
    let src_buffer_ptr = call.input(src_buffer)?;
    let src_size_ptr = call.inout(&[call.length(src_buffer.len())?])?;
    // SAFETY: each pointer covers what the contract of `LZ4F_decompress` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::LZ4F_decompress(
            std::mem::transmute::<
                *mut c_void,
                ffi::LZ4FDecompressionContext,
            >(ctx_ptr.cast()),
            dst_buffer_room.as_mut_ptr(),
            &mut *dst_size_ptr.as_mut_ptr(),
            src_buffer_ptr,
            &mut *src_size_ptr.as_mut_ptr(),
            std::ptr::null(),
        ))
    }?;
    let dst_size_ptr = call.read(dst_size_ptr);
    let src_size_ptr = call.read(src_size_ptr);
    // SAFETY: as above.
    let lz4_f_is_error = unsafe { call.run(move || ffi::LZ4F_isError(ret)) }?;
    if lz4_f_is_error != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::LZ4F_getErrorName(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `LZ4F_getErrorName` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    let dst_buffer_written = call
        .within(call.count(dst_size_ptr), dst_buffer_room.len())?;
    let src_size_ptr_told = call.within(call.count(src_size_ptr), src_buffer.len())?;
    call.take(dst_buffer_room, dst_buffer_written, dst_buffer);
    Ok((ret, dst_buffer_written, src_size_ptr_told))
}

/// `LZ4F_resetDecompressionContext` of `lz4-sys`.
///
/// * `ctx`: an object in the domain.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn LZ4F_resetDecompressionContext(
    ctx: &Handle<ffi::LZ4FDecompressionContext>,
) -> Result<(), Fault> {
    let mut call = DOMAIN.call("LZ4F_resetDecompressionContext")?;
    let ctx_ptr = call.handle(ctx)?;
    // SAFETY: each pointer covers what the contract of `LZ4F_resetDecompressionContext` says, and nothing that comes back is used
    // before it was checked.
    unsafe {
        call.run(move || ffi::LZ4F_resetDecompressionContext(
            std::mem::transmute::<
                *mut c_void,
                ffi::LZ4FDecompressionContext,
            >(ctx_ptr.cast()),
        ))
    }
}
