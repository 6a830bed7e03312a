//! Every call of foreign code that this tool makes.

use crate::{Error, ffi};
use std::ffi::{CStr, c_int, c_uint, c_ulong};

/// What the metadata of an entry says.
pub struct Metadata {
    pub name: String,
    pub mode: u32,
}

pub fn zlib_compress(data: &[u8]) -> Result<Vec<u8>, Error> {
    let mut packed = vec![0u8; zlib_bound(data.len())];
    let mut length = packed.len() as c_ulong;
    // SAFETY: both pointers cover the lengths passed with them.
    let status = unsafe {
        libz_sys::compress2(
            packed.as_mut_ptr(),
            &mut length,
            data.as_ptr(),
            data.len() as c_ulong,
            6,
        )
    };
    packed.truncate(length as usize);
    checked("compress2", status, packed)
}

pub fn zlib_decompress(packed: &[u8], size: usize) -> Result<Vec<u8>, Error> {
    let mut data = vec![0u8; size];
    let mut length = data.len() as c_ulong;
    // SAFETY: both pointers cover the lengths passed with them.
    let status = unsafe {
        libz_sys::uncompress(
            data.as_mut_ptr(),
            &mut length,
            packed.as_ptr(),
            packed.len() as c_ulong,
        )
    };
    data.truncate(length as usize);
    checked("uncompress", status, data)
}

pub fn crc32(data: &[u8]) -> Result<u32, Error> {
    // SAFETY: the pointer covers the length.
    let sum = unsafe { libz_sys::crc32(0, data.as_ptr(), c_uint::try_from(data.len())?) };
    Ok(sum as u32)
}

pub fn adler32(data: &[u8]) -> Result<u32, Error> {
    // SAFETY: the pointer covers the length.
    let sum = unsafe { libz_sys::adler32(1, data.as_ptr(), c_uint::try_from(data.len())?) };
    Ok(sum as u32)
}

pub fn lz4_compress(data: &[u8]) -> Result<Vec<u8>, Error> {
    let mut packed = vec![0u8; lz4_bound(data.len())];
    // SAFETY: both pointers cover the lengths passed with them.
    let length = unsafe {
        lz4_sys::LZ4_compress_default(
            data.as_ptr().cast(),
            packed.as_mut_ptr().cast(),
            c_int::try_from(data.len())?,
            c_int::try_from(packed.len())?,
        )
    };
    packed.truncate(length as usize);
    checked(
        "LZ4_compress_default",
        if length > 0 { 0 } else { length - 1 },
        packed,
    )
}

pub fn lz4_decompress(packed: &[u8], size: usize) -> Result<Vec<u8>, Error> {
    let mut data = vec![0u8; size];
    // SAFETY: both pointers cover the lengths passed with them.
    let length = unsafe {
        lz4_sys::LZ4_decompress_safe(
            packed.as_ptr().cast(),
            data.as_mut_ptr().cast(),
            c_int::try_from(packed.len())?,
            c_int::try_from(data.len())?,
        )
    };
    data.truncate(length.max(0) as usize);
    checked("LZ4_decompress_safe", length.min(0), data)
}

pub fn bzip2_compress(data: &[u8]) -> Result<Vec<u8>, Error> {
    let mut packed = vec![0u8; bzip2_bound(data.len())];
    let mut length = c_uint::try_from(packed.len())?;
    // SAFETY: both pointers cover the lengths passed with them; libbz2 does not write to `source`.
    let status = unsafe {
        ffi::BZ2_bzBuffToBuffCompress(
            packed.as_mut_ptr().cast(),
            &mut length,
            data.as_ptr().cast_mut().cast(),
            c_uint::try_from(data.len())?,
            9,
            0,
            0,
        )
    };
    packed.truncate(length as usize);
    checked("BZ2_bzBuffToBuffCompress", status, packed)
}

pub fn bzip2_decompress(packed: &[u8], size: usize) -> Result<Vec<u8>, Error> {
    let mut data = vec![0u8; size];
    let mut length = c_uint::try_from(data.len())?;
    // SAFETY: both pointers cover the lengths passed with them; libbz2 does not write to `source`.
    let status = unsafe {
        ffi::BZ2_bzBuffToBuffDecompress(
            data.as_mut_ptr().cast(),
            &mut length,
            packed.as_ptr().cast_mut().cast(),
            c_uint::try_from(packed.len())?,
            0,
            0,
        )
    };
    data.truncate(length as usize);
    checked("BZ2_bzBuffToBuffDecompress", status, data)
}

pub fn parse_metadata(records: &[u8]) -> Result<Metadata, Error> {
    let mut entry = ffi::TlvEntry {
        name: [0; 64],
        mode: 0,
        modified: 0,
        comment: 0,
    };
    // SAFETY: `records` covers its length, and there is room for a whole `struct tlv_entry`.
    let count = unsafe { ffi::tlv_parse(records.as_ptr(), records.len(), &mut entry) };
    metadata(count, &entry)
}

pub fn metadata_records() -> Result<u64, Error> {
    // SAFETY: reads a counter; no other thread is in there.
    Ok(unsafe { ffi::tlv_records() })
}

/// Room that zlib's manual says `compress2` may need.
fn zlib_bound(size: usize) -> usize {
    size + (size >> 12) + (size >> 14) + (size >> 25) + 13
}

/// `LZ4_COMPRESSBOUND` of lz4.h.
fn lz4_bound(size: usize) -> usize {
    size + size / 255 + 16
}

/// Room that libbz2's manual says `BZ2_bzBuffToBuffCompress` may need.
fn bzip2_bound(size: usize) -> usize {
    size + size / 100 + 600
}

fn checked(function: &str, status: c_int, result: Vec<u8>) -> Result<Vec<u8>, Error> {
    match status {
        0 => Ok(result),
        status => Err(format!("{function} failed with status {status}").into()),
    }
}

fn metadata(count: c_int, entry: &ffi::TlvEntry) -> Result<Metadata, Error> {
    if count < 0 {
        return Err(std::io::Error::from_raw_os_error(-count).into());
    }
    let name = entry.name.map(|byte| byte as u8);
    let name = CStr::from_bytes_until_nul(&name)?.to_str()?.to_owned();
    Ok(Metadata {
        name,
        mode: entry.mode,
    })
}
