//! Every call of foreign code that this tool makes, each in a domain of its own.

use crate::{
    Error, ffi,
    isolated::{bzip2, lz4, tlv, zlib},
};
use std::ffi::{CStr, c_int};

/// What the metadata of an entry says.
pub struct Metadata {
    pub name: String,
    pub mode: u32,
}

pub fn zlib_compress(data: &[u8]) -> Result<Vec<u8>, Error> {
    let mut packed = vec![0; zlib_bound(data.len())];
    let (status, length) = zlib::compress2(&mut packed, data, 6)?;
    packed.truncate(length);
    checked("compress2", status, packed)
}

pub fn zlib_decompress(packed: &[u8], size: usize) -> Result<Vec<u8>, Error> {
    let mut data = vec![0; size];
    let (status, length) = zlib::uncompress(&mut data, packed)?;
    data.truncate(length);
    checked("uncompress", status, data)
}

pub fn crc32(data: &[u8]) -> Result<u32, Error> {
    Ok(zlib::crc32(0, data)? as u32)
}

pub fn adler32(data: &[u8]) -> Result<u32, Error> {
    Ok(zlib::adler32(1, data)? as u32)
}

pub fn lz4_compress(data: &[u8]) -> Result<Vec<u8>, Error> {
    let mut packed = vec![0; lz4_bound(data.len())];
    let (status, length) = lz4::LZ4_compress_default(data, &mut packed)?;
    packed.truncate(length);
    checked(
        "LZ4_compress_default",
        if status > 0 { 0 } else { status - 1 },
        packed,
    )
}

pub fn lz4_decompress(packed: &[u8], size: usize) -> Result<Vec<u8>, Error> {
    let mut data = vec![0; size];
    let (status, length) = lz4::LZ4_decompress_safe(packed, &mut data)?;
    data.truncate(length);
    checked("LZ4_decompress_safe", status.min(0), data)
}

pub fn bzip2_compress(data: &[u8]) -> Result<Vec<u8>, Error> {
    let mut packed = vec![0; bzip2_bound(data.len())];
    let (status, length) = bzip2::BZ2_bzBuffToBuffCompress(&mut packed, data, 9, 0, 0)?;
    packed.truncate(length);
    checked("BZ2_bzBuffToBuffCompress", status, packed)
}

pub fn bzip2_decompress(packed: &[u8], size: usize) -> Result<Vec<u8>, Error> {
    let mut data = vec![0; size];
    let (status, length) = bzip2::BZ2_bzBuffToBuffDecompress(&mut data, packed, 0, 0)?;
    data.truncate(length);
    checked("BZ2_bzBuffToBuffDecompress", status, data)
}

pub fn parse_metadata(records: &[u8]) -> Result<Metadata, Error> {
    let (count, entry) = tlv::tlv_parse(records)?;
    metadata(count, &entry)
}

pub fn metadata_records() -> Result<u64, Error> {
    Ok(tlv::tlv_records()?)
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
