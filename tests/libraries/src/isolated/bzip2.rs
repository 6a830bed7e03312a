//! Calls into `bzip2-sys` 0.1.13+1.0.8 that run in the domain `bzip2`.
//!
//! Written by `cargo isolate wrap` from `tests/libraries/isolation.toml`: change the policy and run it again instead of editing here.
#![allow(non_snake_case, reason = "functions keep the names they have in C")]

use isolate_rt::{Domain, End, Error, Fault, Globals, Object};
use std::ffi::{c_int, c_uint};
use std::mem::offset_of;
use crate::ffi as ffi;
use bzip2_sys as ffi2;

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

/// What a `bz_stream` of the domain holds, read at one moment.
#[allow(non_camel_case_types, reason = "structs keep the names they have in C")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct bz_stream {
    /// `total_in_lo32`, as the library has left it.
    pub total_in_lo32: c_uint,
    /// `total_in_hi32`, as the library has left it.
    pub total_in_hi32: c_uint,
    /// `total_out_lo32`, as the library has left it.
    pub total_out_lo32: c_uint,
    /// `total_out_hi32`, as the library has left it.
    pub total_out_hi32: c_uint,
}

impl bz_stream {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// When a fault has ended the object.
    pub fn of(object: &Object<ffi2::bz_stream>) -> Result<Self, Fault> {
        let mut call = DOMAIN.call("bz_stream")?;
        call.object(object)?;
        let total_in_lo32: c_uint = call
            .get(object, offset_of!(ffi2::bz_stream, total_in_lo32))?;
        let total_in_hi32: c_uint = call
            .get(object, offset_of!(ffi2::bz_stream, total_in_hi32))?;
        let total_out_lo32: c_uint = call
            .get(object, offset_of!(ffi2::bz_stream, total_out_lo32))?;
        let total_out_hi32: c_uint = call
            .get(object, offset_of!(ffi2::bz_stream, total_out_hi32))?;
        Ok(Self {
            total_in_lo32,
            total_in_hi32,
            total_out_lo32,
            total_out_hi32,
        })
    }
}

/// `BZ2_bzBuffToBuffCompress` of `isolate-libraries`.
///
/// * `dest`: written; its length goes as `destLen`.
/// * `source`: read; its length goes as `sourceLen`.
///
/// Returns how many elements of `dest` it wrote.
///
/// # Errors
///
/// When `BZ2_bzBuffToBuffCompress` fails (`ret != 0`), or the call ends in a fault; `dest` keeps its value then.
pub fn BZ2_bzBuffToBuffCompress(
    dest: &mut [u8],
    source: &[u8],
    block_size100k: c_int,
    verbosity: c_int,
    work_factor: c_int,
) -> Result<usize, Error<c_int>> {
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
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    let dest_written = call.within(call.count(dest_len), dest_room.len())?;
    call.take(dest_room, dest_written, dest);
    Ok(dest_written)
}

/// `BZ2_bzBuffToBuffDecompress` of `isolate-libraries`.
///
/// * `dest`: written; its length goes as `destLen`.
/// * `source`: read; its length goes as `sourceLen`.
///
/// Returns how many elements of `dest` it wrote.
///
/// # Errors
///
/// When `BZ2_bzBuffToBuffDecompress` fails (`ret != 0`), or the call ends in a fault; `dest` keeps its value then.
pub fn BZ2_bzBuffToBuffDecompress(
    dest: &mut [u8],
    source: &[u8],
    small: c_int,
    verbosity: c_int,
) -> Result<usize, Error<c_int>> {
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
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    let dest_written = call.within(call.count(dest_len), dest_room.len())?;
    call.take(dest_room, dest_written, dest);
    Ok(dest_written)
}

/// `BZ2_bzCompressInit` of `bzip2-sys`.
///
/// Returns `stream`.
///
/// # Errors
///
/// When `BZ2_bzCompressInit` fails (`ret != 0`), or the call ends in a fault.
pub fn BZ2_bzCompressInit(
    block_size100k: c_int,
    verbosity: c_int,
    work_factor: c_int,
) -> Result<Object<ffi2::bz_stream>, Error<c_int>> {
    let end: End<ffi2::bz_stream> = |call, object| {
        // SAFETY: it is what `BZ2_bzCompressInit` filled; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi2::BZ2_bzCompressEnd(object);
            })
        }
    };
    let stream = DOMAIN.object("BZ2_bzCompressInit", end)?;
    let mut call = DOMAIN.call("BZ2_bzCompressInit")?;
    let stream_ptr = call.object(&stream)?;
    // SAFETY: each pointer covers what the contract of `BZ2_bzCompressInit` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::BZ2_bzCompressInit(
            stream_ptr,
            block_size100k,
            verbosity,
            work_factor,
        ))
    }?;
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    Ok(stream)
}

/// `BZ2_bzCompress` of `bzip2-sys`.
///
/// * `stream`: an object in the domain.
/// * `next_in`: read, as far as `BZ2_bzCompress` moves `next_in`.
/// * `next_out`: written, as far as `BZ2_bzCompress` moves `next_out`.
///
/// Returns what `BZ2_bzCompress` returned, then how many elements of `next_in` it read, then how many elements of `next_out` it wrote.
///
/// # Errors
///
/// When the call ends in a fault; `next_out` keeps its value then.
pub fn BZ2_bzCompress(
    stream: &mut Object<ffi2::bz_stream>,
    next_in: &[u8],
    next_out: &mut [u8],
    action: c_int,
) -> Result<(c_int, usize, usize), Fault> {
    let mut call = DOMAIN.call("BZ2_bzCompress")?;
    let stream_ptr = call.object(stream)?;
    let next_in_ptr = call.input(next_in)?;
    // SAFETY: the library gets the slice that the field is for, which outlives the call.
    unsafe { call.set(stream, offset_of!(ffi2::bz_stream, next_in), next_in_ptr) }?;
    let next_in_left = call.length::<c_uint>(next_in.len())?;
    // SAFETY: as above.
    unsafe { call.set(stream, offset_of!(ffi2::bz_stream, avail_in), next_in_left) }?;
    let next_out_room = call.output::<u8>(next_out.len())?;
    // SAFETY: the library gets the slice that the field is for, which outlives the call.
    unsafe {
        call.set(
            stream,
            offset_of!(ffi2::bz_stream, next_out),
            next_out_room.as_mut_ptr(),
        )
    }?;
    let next_out_left = call.length::<c_uint>(next_out.len())?;
    // SAFETY: as above.
    unsafe { call.set(stream, offset_of!(ffi2::bz_stream, avail_out), next_out_left) }?;
    // SAFETY: each pointer covers what the contract of `BZ2_bzCompress` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi2::BZ2_bzCompress(stream_ptr, action)) }?;
    let next_in_left = call
        .get::<_, c_uint>(stream, offset_of!(ffi2::bz_stream, avail_in))?;
    let next_in_read = next_in.len()
        - call.within(call.count(next_in_left), next_in.len())?;
    let next_out_left = call
        .get::<_, c_uint>(stream, offset_of!(ffi2::bz_stream, avail_out))?;
    let next_out_written = next_out.len()
        - call.within(call.count(next_out_left), next_out.len())?;
    call.take(next_out_room, next_out_written, next_out);
    Ok((ret, next_in_read, next_out_written))
}

/// `BZ2_bzCompressEnd` of `bzip2-sys`.
///
/// * `stream`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn BZ2_bzCompressEnd(mut stream: Object<ffi2::bz_stream>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("BZ2_bzCompressEnd")?;
    let stream_ptr = call.object(&stream)?;
    // SAFETY: each pointer covers what the contract of `BZ2_bzCompressEnd` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi2::BZ2_bzCompressEnd(stream_ptr)) };
    if !call.was_refused() {
        stream.ended();
    }
    ret
}

/// `BZ2_bzDecompressInit` of `bzip2-sys`.
///
/// Returns `stream`.
///
/// # Errors
///
/// When `BZ2_bzDecompressInit` fails (`ret != 0`), or the call ends in a fault.
pub fn BZ2_bzDecompressInit(
    verbosity: c_int,
    small: c_int,
) -> Result<Object<ffi2::bz_stream>, Error<c_int>> {
    let end: End<ffi2::bz_stream> = |call, object| {
        // SAFETY: it is what `BZ2_bzDecompressInit` filled; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi2::BZ2_bzDecompressEnd(object);
            })
        }
    };
    let stream = DOMAIN.object("BZ2_bzDecompressInit", end)?;
    let mut call = DOMAIN.call("BZ2_bzDecompressInit")?;
    let stream_ptr = call.object(&stream)?;
    // SAFETY: each pointer covers what the contract of `BZ2_bzDecompressInit` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::BZ2_bzDecompressInit(stream_ptr, verbosity, small))
    }?;
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    Ok(stream)
}

/// `BZ2_bzDecompress` of `bzip2-sys`.
///
/// * `stream`: an object in the domain.
/// * `next_in`: read, as far as `BZ2_bzDecompress` moves `next_in`.
/// * `next_out`: written, as far as `BZ2_bzDecompress` moves `next_out`.
///
/// Returns what `BZ2_bzDecompress` returned, then how many elements of `next_in` it read, then how many elements of `next_out` it wrote.
///
/// # Errors
///
/// When the call ends in a fault; `next_out` keeps its value then.
pub fn BZ2_bzDecompress(
    stream: &mut Object<ffi2::bz_stream>,
    next_in: &[u8],
    next_out: &mut [u8],
) -> Result<(c_int, usize, usize), Fault> {
    let mut call = DOMAIN.call("BZ2_bzDecompress")?;
    let stream_ptr = call.object(stream)?;
    let next_in_ptr = call.input(next_in)?;
    // SAFETY: the library gets the slice that the field is for, which outlives the call.
    unsafe { call.set(stream, offset_of!(ffi2::bz_stream, next_in), next_in_ptr) }?;
    let next_in_left = call.length::<c_uint>(next_in.len())?;
    // SAFETY: as above.
    unsafe { call.set(stream, offset_of!(ffi2::bz_stream, avail_in), next_in_left) }?;
    let next_out_room = call.output::<u8>(next_out.len())?;
    // SAFETY: the library gets the slice that the field is for, which outlives the call.
    unsafe {
        call.set(
            stream,
            offset_of!(ffi2::bz_stream, next_out),
            next_out_room.as_mut_ptr(),
        )
    }?;
    let next_out_left = call.length::<c_uint>(next_out.len())?;
    // SAFETY: as above.
    unsafe { call.set(stream, offset_of!(ffi2::bz_stream, avail_out), next_out_left) }?;
    // SAFETY: each pointer covers what the contract of `BZ2_bzDecompress` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi2::BZ2_bzDecompress(stream_ptr)) }?;
    let next_in_left = call
        .get::<_, c_uint>(stream, offset_of!(ffi2::bz_stream, avail_in))?;
    let next_in_read = next_in.len()
        - call.within(call.count(next_in_left), next_in.len())?;
    let next_out_left = call
        .get::<_, c_uint>(stream, offset_of!(ffi2::bz_stream, avail_out))?;
    let next_out_written = next_out.len()
        - call.within(call.count(next_out_left), next_out.len())?;
    call.take(next_out_room, next_out_written, next_out);
    Ok((ret, next_in_read, next_out_written))
}

/// `BZ2_bzDecompressEnd` of `bzip2-sys`.
///
/// * `stream`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn BZ2_bzDecompressEnd(mut stream: Object<ffi2::bz_stream>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("BZ2_bzDecompressEnd")?;
    let stream_ptr = call.object(&stream)?;
    // SAFETY: each pointer covers what the contract of `BZ2_bzDecompressEnd` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi2::BZ2_bzDecompressEnd(stream_ptr)) };
    if !call.was_refused() {
        stream.ended();
    }
    ret
}
