//! Calls into `libz-sys` 1.1.31 that run in the domain `zlib`.
//!
//! Written by `cargo isolate wrap` from `tests/libraries/isolation.toml`: change the policy and run it again instead of editing here.
#![allow(non_snake_case, reason = "functions keep the names they have in C")]

use isolate_rt::{Domain, End, Error, Fault, Globals, Object};
use std::ffi::{CString, c_char, c_int, c_uint, c_ulong};
use std::mem::offset_of;
use crate::left_out as ffi;
use libz_sys as ffi2;

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

/// What a `z_stream` of the domain holds, read at one moment.
#[allow(non_camel_case_types, reason = "structs keep the names they have in C")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct z_stream {
    /// `total_in`, as the library has left it.
    pub total_in: c_ulong,
    /// `total_out`, as the library has left it.
    pub total_out: c_ulong,
    /// `msg`, as the library has left it.
    pub msg: Option<CString>,
    /// `data_type`, as the library has left it.
    pub data_type: c_int,
    /// `adler`, as the library has left it.
    pub adler: c_ulong,
}

impl z_stream {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// When a fault has ended the object, or something that it points to does not lie in the domain.
    pub fn of(object: &Object<ffi2::z_stream>) -> Result<Self, Fault> {
        let mut call = DOMAIN.call("z_stream")?;
        call.object(object)?;
        // SAFETY: all that is read is checked to lie in the domain; without isolation the library is trusted with it.
        unsafe {
            let total_in: c_ulong = call
                .get(object, offset_of!(ffi2::z_stream, total_in))?;
            let total_out: c_ulong = call
                .get(object, offset_of!(ffi2::z_stream, total_out))?;
            let msg: *mut c_char = call.get(object, offset_of!(ffi2::z_stream, msg))?;
            let data_type: c_int = call
                .get(object, offset_of!(ffi2::z_stream, data_type))?;
            let adler: c_ulong = call.get(object, offset_of!(ffi2::z_stream, adler))?;
            Ok(Self {
                total_in,
                total_out,
                msg: call.string(msg.cast_const())?,
                data_type,
                adler,
            })
        }
    }
}

/// `zError` of `isolate-libraries`.
///
/// Returns a copy of what `zError` returned.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn zError(code: c_int) -> Result<Option<CString>, Fault> {
    let mut call = DOMAIN.call("zError")?;
    // SAFETY: `zError` gets no pointer, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi::zError(code)) }?;
    // SAFETY: it is checked to lie in the domain; without isolation the function is trusted to end it.
    unsafe { call.string(ret) }
}

/// `inflateGetDictionary` of `isolate-libraries`.
///
/// It gets NULL for `dictionary`.
///
/// * `strm`: an object in the domain.
///
/// Returns `dict_length`.
///
/// # Errors
///
/// When `inflateGetDictionary` fails (`ret != 0`), or the call ends in a fault.
pub fn inflateGetDictionary_len(
    strm: &mut Object<ffi2::z_stream>,
) -> Result<c_uint, Error<c_int>> {
    let mut call = DOMAIN.call("inflateGetDictionary")?;
    let strm_ptr = call.object(strm)?;
    // SAFETY: it points nowhere, and no elements are left there.
    unsafe {
        call.set(strm, offset_of!(ffi2::z_stream, next_in), std::ptr::null_mut::<u8>())
    }?;
    // SAFETY: as above.
    unsafe { call.set::<_, c_uint>(strm, offset_of!(ffi2::z_stream, avail_in), 0) }?;
    // SAFETY: it points nowhere, and no elements are left there.
    unsafe {
        call.set(strm, offset_of!(ffi2::z_stream, next_out), std::ptr::null_mut::<u8>())
    }?;
    // SAFETY: as above.
    unsafe { call.set::<_, c_uint>(strm, offset_of!(ffi2::z_stream, avail_out), 0) }?;
    let dict_length_room = call.inout(&[0])?;
    // SAFETY: each pointer covers what the contract of `inflateGetDictionary` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::inflateGetDictionary(
            strm_ptr,
            std::ptr::null_mut(),
            dict_length_room.as_mut_ptr(),
        ))
    }?;
    let dict_length = call.read(dict_length_room);
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    Ok(dict_length)
}

/// `inflateGetDictionary` of `isolate-libraries`.
///
/// * `strm`: an object in the domain.
/// * `dictionary`: written.
///
/// Returns how many elements of `dictionary` it wrote.
///
/// # Errors
///
/// When `inflateGetDictionary` fails (`ret != 0`), or the call ends in a fault; `dictionary` keeps its value then.
pub fn inflateGetDictionary(
    strm: &mut Object<ffi2::z_stream>,
    dictionary: &mut [u8; 32768],
) -> Result<usize, Error<c_int>> {
    let mut call = DOMAIN.call("inflateGetDictionary")?;
    let strm_ptr = call.object(strm)?;
    // SAFETY: it points nowhere, and no elements are left there.
    unsafe {
        call.set(strm, offset_of!(ffi2::z_stream, next_in), std::ptr::null_mut::<u8>())
    }?;
    // SAFETY: as above.
    unsafe { call.set::<_, c_uint>(strm, offset_of!(ffi2::z_stream, avail_in), 0) }?;
    // SAFETY: it points nowhere, and no elements are left there.
    unsafe {
        call.set(strm, offset_of!(ffi2::z_stream, next_out), std::ptr::null_mut::<u8>())
    }?;
    // SAFETY: as above.
    unsafe { call.set::<_, c_uint>(strm, offset_of!(ffi2::z_stream, avail_out), 0) }?;
    let dictionary_room = call.output::<u8>(dictionary.len())?;
    let dict_length_room = call.inout(&[0])?;
    // SAFETY: each pointer covers what the contract of `inflateGetDictionary` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi::inflateGetDictionary(
            strm_ptr,
            dictionary_room.as_mut_ptr(),
            dict_length_room.as_mut_ptr(),
        ))
    }?;
    let dict_length = call.read(dict_length_room);
    if ret != 0 {
        return Err(call.failed(ret, None));
    }
    let dictionary_written = call
        .within(call.count(dict_length), dictionary_room.len())?;
    call.take(dictionary_room, dictionary_written, dictionary);
    Ok(dictionary_written)
}

/// `adler32` of `libz-sys`.
///
/// * `buf`: read; its length goes as `len`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn adler32(adler: c_ulong, buf: &[u8]) -> Result<c_ulong, Fault> {
    let mut call = DOMAIN.call("adler32")?;
    let buf_ptr = call.input(buf)?;
    let len = call.length(buf.len())?;
    // SAFETY: each pointer covers what the contract of `adler32` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi2::adler32(adler, buf_ptr, len)) }
}

/// `crc32` of `libz-sys`.
///
/// * `buf`: read; its length goes as `len`.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn crc32(crc: c_ulong, buf: &[u8]) -> Result<c_ulong, Fault> {
    let mut call = DOMAIN.call("crc32")?;
    let buf_ptr = call.input(buf)?;
    let len = call.length(buf.len())?;
    // SAFETY: each pointer covers what the contract of `crc32` says, and nothing that comes back is used
    // before it was checked.
    unsafe { call.run(move || ffi2::crc32(crc, buf_ptr, len)) }
}

/// `deflate` of `libz-sys`.
///
/// * `strm`: an object in the domain.
/// * `next_in`: read, as far as `deflate` moves `next_in`.
/// * `next_out`: written, as far as `deflate` moves `next_out`.
///
/// Returns what `deflate` returned, then how many elements of `next_in` it read, then how many elements of `next_out` it wrote.
///
/// # Errors
///
/// When the call ends in a fault; `next_out` keeps its value then.
pub fn deflate(
    strm: &mut Object<ffi2::z_stream>,
    next_in: &[u8],
    next_out: &mut [u8],
    flush: c_int,
) -> Result<(c_int, usize, usize), Fault> {
    let mut call = DOMAIN.call("deflate")?;
    let strm_ptr = call.object(strm)?;
    let next_in_ptr = call.input(next_in)?;
    // SAFETY: the library gets the slice that the field is for, which outlives the call.
    unsafe { call.set(strm, offset_of!(ffi2::z_stream, next_in), next_in_ptr) }?;
    let next_in_left = call.length::<c_uint>(next_in.len())?;
    // SAFETY: as above.
    unsafe { call.set(strm, offset_of!(ffi2::z_stream, avail_in), next_in_left) }?;
    let next_out_room = call.output::<u8>(next_out.len())?;
    // SAFETY: the library gets the slice that the field is for, which outlives the call.
    unsafe {
        call.set(strm, offset_of!(ffi2::z_stream, next_out), next_out_room.as_mut_ptr())
    }?;
    let next_out_left = call.length::<c_uint>(next_out.len())?;
    // SAFETY: as above.
    unsafe { call.set(strm, offset_of!(ffi2::z_stream, avail_out), next_out_left) }?;
    // SAFETY: each pointer covers what the contract of `deflate` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi2::deflate(strm_ptr, flush)) }?;
    let next_in_left = call
        .get::<_, c_uint>(strm, offset_of!(ffi2::z_stream, avail_in))?;
    let next_in_read = next_in.len()
        - call.within(call.count(next_in_left), next_in.len())?;
    let next_out_left = call
        .get::<_, c_uint>(strm, offset_of!(ffi2::z_stream, avail_out))?;
    let next_out_written = next_out.len()
        - call.within(call.count(next_out_left), next_out.len())?;
    call.take(next_out_room, next_out_written, next_out);
    Ok((ret, next_in_read, next_out_written))
}

/// `deflateEnd` of `libz-sys`.
///
/// * `strm`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn deflateEnd(mut strm: Object<ffi2::z_stream>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("deflateEnd")?;
    let strm_ptr = call.object(&strm)?;
    // SAFETY: each pointer covers what the contract of `deflateEnd` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi2::deflateEnd(strm_ptr)) };
    if !call.was_refused() {
        strm.ended();
    }
    ret
}

/// `inflate` of `libz-sys`.
///
/// * `strm`: an object in the domain.
/// * `next_in`: read, as far as `inflate` moves `next_in`.
/// * `next_out`: written, as far as `inflate` moves `next_out`.
///
/// Returns what `inflate` returned, then how many elements of `next_in` it read, then how many elements of `next_out` it wrote.
///
/// # Errors
///
/// When the call ends in a fault; `next_out` keeps its value then.
pub fn inflate(
    strm: &mut Object<ffi2::z_stream>,
    next_in: &[u8],
    next_out: &mut [u8],
    flush: c_int,
) -> Result<(c_int, usize, usize), Fault> {
    let mut call = DOMAIN.call("inflate")?;
    let strm_ptr = call.object(strm)?;
    let next_in_ptr = call.input(next_in)?;
    // SAFETY: the library gets the slice that the field is for, which outlives the call.
    unsafe { call.set(strm, offset_of!(ffi2::z_stream, next_in), next_in_ptr) }?;
    let next_in_left = call.length::<c_uint>(next_in.len())?;
    // SAFETY: as above.
    unsafe { call.set(strm, offset_of!(ffi2::z_stream, avail_in), next_in_left) }?;
    let next_out_room = call.output::<u8>(next_out.len())?;
    // SAFETY: the library gets the slice that the field is for, which outlives the call.
    unsafe {
        call.set(strm, offset_of!(ffi2::z_stream, next_out), next_out_room.as_mut_ptr())
    }?;
    let next_out_left = call.length::<c_uint>(next_out.len())?;
    // SAFETY: as above.
    unsafe { call.set(strm, offset_of!(ffi2::z_stream, avail_out), next_out_left) }?;
    // SAFETY: each pointer covers what the contract of `inflate` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi2::inflate(strm_ptr, flush)) }?;
    let next_in_left = call
        .get::<_, c_uint>(strm, offset_of!(ffi2::z_stream, avail_in))?;
    let next_in_read = next_in.len()
        - call.within(call.count(next_in_left), next_in.len())?;
    let next_out_left = call
        .get::<_, c_uint>(strm, offset_of!(ffi2::z_stream, avail_out))?;
    let next_out_written = next_out.len()
        - call.within(call.count(next_out_left), next_out.len())?;
    call.take(next_out_room, next_out_written, next_out);
    Ok((ret, next_in_read, next_out_written))
}

/// `inflateEnd` of `libz-sys`.
///
/// * `strm`: an object in the domain, which ends.
///
/// # Errors
///
/// When the call ends in a fault.
pub fn inflateEnd(mut strm: Object<ffi2::z_stream>) -> Result<c_int, Fault> {
    let mut call = DOMAIN.call("inflateEnd")?;
    let strm_ptr = call.object(&strm)?;
    // SAFETY: each pointer covers what the contract of `inflateEnd` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe { call.run(move || ffi2::inflateEnd(strm_ptr)) };
    if !call.was_refused() {
        strm.ended();
    }
    ret
}

/// `deflateInit_` of `libz-sys`.
///
/// It gets `"1"` for `version`, the size of a `z_stream` for `stream_size`.
///
/// Returns `strm`.
///
/// # Errors
///
/// When `deflateInit_` fails (`ret != 0`), or the call ends in a fault.
pub fn deflateInit_(level: c_int) -> Result<Object<ffi2::z_stream>, Error<c_int>> {
    let end: End<ffi2::z_stream> = |call, object| {
        // SAFETY: it is what `deflateInit_` filled; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi2::deflateEnd(object);
            })
        }
    };
    let strm = DOMAIN.object("deflateInit_", end)?;
    let mut call = DOMAIN.call("deflateInit_")?;
    let strm_ptr = call.object(&strm)?;
    // SAFETY: each pointer covers what the contract of `deflateInit_` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::deflateInit_(
            strm_ptr,
            level,
            c"1".as_ptr(),
            std::mem::size_of::<ffi2::z_stream>() as c_int,
        ))
    }?;
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::zError(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `zError` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    Ok(strm)
}

/// `inflateInit_` of `libz-sys`.
///
/// It gets `"1"` for `version`, the size of a `z_stream` for `stream_size`.
///
/// Returns `strm`.
///
/// # Errors
///
/// When `inflateInit_` fails (`ret != 0`), or the call ends in a fault.
pub fn inflateInit_() -> Result<Object<ffi2::z_stream>, Error<c_int>> {
    let end: End<ffi2::z_stream> = |call, object| {
        // SAFETY: it is what `inflateInit_` filled; ended once, nothing uses it afterwards.
        unsafe {
            call.run(move || {
                ffi2::inflateEnd(object);
            })
        }
    };
    let strm = DOMAIN.object("inflateInit_", end)?;
    let mut call = DOMAIN.call("inflateInit_")?;
    let strm_ptr = call.object(&strm)?;
    // SAFETY: each pointer covers what the contract of `inflateInit_` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::inflateInit_(
            strm_ptr,
            c"1".as_ptr(),
            std::mem::size_of::<ffi2::z_stream>() as c_int,
        ))
    }?;
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::zError(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `zError` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    Ok(strm)
}

/// `compress2` of `libz-sys`.
///
/// * `dest`: written; its length goes as `destLen`.
/// * `source`: read; its length goes as `sourceLen`.
///
/// Returns how many elements of `dest` it wrote.
///
/// # Errors
///
/// When `compress2` fails (`ret != 0`), or the call ends in a fault; `dest` keeps its value then.
pub fn compress2(
    dest: &mut [u8],
    source: &[u8],
    level: c_int,
) -> Result<usize, Error<c_int>> {
    let mut call = DOMAIN.call("compress2")?;
    let dest_room = call.output::<u8>(dest.len())?;
    let dest_len = call.inout(&[call.length(dest.len())?])?;
    let source_ptr = call.input(source)?;
    let source_len = call.length(source.len())?;
    // SAFETY: each pointer covers what the contract of `compress2` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::compress2(
            dest_room.as_mut_ptr(),
            dest_len.as_mut_ptr(),
            source_ptr,
            source_len,
            level,
        ))
    }?;
    let dest_len = call.read(dest_len);
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::zError(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `zError` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    let dest_written = call.within(call.count(dest_len), dest_room.len())?;
    call.take(dest_room, dest_written, dest);
    Ok(dest_written)
}

/// `uncompress` of `libz-sys`.
///
/// * `dest`: written; its length goes as `destLen`.
/// * `source`: read; its length goes as `sourceLen`.
///
/// Returns how many elements of `dest` it wrote.
///
/// # Errors
///
/// When `uncompress` fails (`ret != 0`), or the call ends in a fault; `dest` keeps its value then.
pub fn uncompress(dest: &mut [u8], source: &[u8]) -> Result<usize, Error<c_int>> {
    let mut call = DOMAIN.call("uncompress")?;
    let dest_room = call.output::<u8>(dest.len())?;
    let dest_len = call.inout(&[call.length(dest.len())?])?;
    let source_ptr = call.input(source)?;
    let source_len = call.length(source.len())?;
    // SAFETY: each pointer covers what the contract of `uncompress` says, and nothing that comes back is used
    // before it was checked.
    let ret = unsafe {
        call.run(move || ffi2::uncompress(
            dest_room.as_mut_ptr(),
            dest_len.as_mut_ptr(),
            source_ptr,
            source_len,
        ))
    }?;
    let dest_len = call.read(dest_len);
    if ret != 0 {
        // SAFETY: as above.
        let message = unsafe { call.run(move || ffi::zError(ret)) }?;
        // SAFETY: it is checked to lie in the domain; without isolation `zError` is trusted to end it.
        let message = unsafe { call.string(message) }?;
        return Err(call.failed(ret, message));
    }
    let dest_written = call.within(call.count(dest_len), dest_room.len())?;
    call.take(dest_room, dest_written, dest);
    Ok(dest_written)
}
