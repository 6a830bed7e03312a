//! Functions that take a block and give a block: zlib, lz4, bzip2.

use crate::rows::row;
use isolate_libraries::isolated::{bzip2, lz4, zlib};
use std::ffi::{c_char, c_int, c_uint};

pub(crate) fn rows(data: &[u8]) {
    zlib_rows(data);
    lz4_rows(data);
    bzip2_rows(data);
}

fn zlib_rows(data: &[u8]) {
    // compressBound, by zlib.h: a little more than the input.
    let mut out = vec![0; data.len() + data.len() / 1000 + 64];
    let packed = {
        let len = zlib::compress2(&mut out, data, 6).unwrap();
        out[..len].to_vec()
    };
    row(
        "zlib compress2, level 6",
        data.len(),
        out.len(),
        |out| {
            let mut len = out.len() as _;
            // SAFETY: both buffers cover their lengths.
            unsafe { libz_sys::compress2(out.as_mut_ptr(), &mut len, data.as_ptr(), data.len() as _, 6) };
            len as usize
        },
        |out| zlib::compress2(out, data, 6).unwrap(),
    );
    row(
        "zlib uncompress",
        data.len(),
        data.len(),
        |out| {
            let mut len = out.len() as _;
            // SAFETY: both buffers cover their lengths.
            unsafe { libz_sys::uncompress(out.as_mut_ptr(), &mut len, packed.as_ptr(), packed.len() as _) };
            len as usize
        },
        |out| zlib::uncompress(out, &packed).unwrap(),
    );
    row(
        "zlib crc32",
        data.len(),
        0,
        // SAFETY: reads `data`.
        |_| unsafe { libz_sys::crc32(0, data.as_ptr(), data.len() as _) } as usize,
        |_| zlib::crc32(0, data).unwrap() as usize,
    );
}

fn lz4_rows(data: &[u8]) {
    // LZ4_COMPRESSBOUND of lz4.h.
    let bound = data.len() + data.len() / 255 + 16;
    let mut out = vec![0; bound];
    let packed = {
        let len = lz4::LZ4_compress_default(data, &mut out).unwrap();
        out[..len].to_vec()
    };
    let chars = |bytes: &[u8]| bytes.as_ptr().cast::<c_char>();
    row(
        "lz4 compress",
        data.len(),
        bound,
        |out| {
            let (to, room) = (out.as_mut_ptr().cast(), out.len() as _);
            // SAFETY: both buffers cover their lengths.
            unsafe { lz4_sys::LZ4_compress_default(chars(data), to, data.len() as _, room) as usize }
        },
        |out| lz4::LZ4_compress_default(data, out).unwrap(),
    );
    row(
        "lz4 decompress",
        data.len(),
        data.len(),
        |out| {
            let (to, room) = (out.as_mut_ptr().cast(), out.len() as _);
            // SAFETY: both buffers cover their lengths.
            unsafe { lz4_sys::LZ4_decompress_safe(chars(&packed), to, packed.len() as _, room) as usize }
        },
        |out| lz4::LZ4_decompress_safe(&packed, out).unwrap(),
    );
}

fn bzip2_rows(data: &[u8]) {
    unsafe extern "C" {
        fn BZ2_bzBuffToBuffCompress(
            dest: *mut c_char,
            dest_len: *mut c_uint,
            source: *mut c_char,
            source_len: c_uint,
            block_size: c_int,
            verbosity: c_int,
            work_factor: c_int,
        ) -> c_int;
        fn BZ2_bzBuffToBuffDecompress(
            dest: *mut c_char,
            dest_len: *mut c_uint,
            source: *mut c_char,
            source_len: c_uint,
            small: c_int,
            verbosity: c_int,
        ) -> c_int;
    }
    // "1% larger than the uncompressed data, plus six hundred extra bytes", by its manual.
    let room = data.len() + data.len() / 100 + 600;
    let mut out = vec![0; room];
    let packed = {
        let len = bzip2::BZ2_bzBuffToBuffCompress(&mut out, data, 9, 0, 0).unwrap();
        out[..len].to_vec()
    };
    row(
        "bzip2 compress, blocks of 900 kB",
        data.len(),
        room,
        |out| {
            let mut len = out.len() as c_uint;
            let (from, size) = (data.as_ptr().cast_mut().cast(), data.len() as c_uint);
            // SAFETY: both buffers cover their lengths, and the source is not written to.
            unsafe { BZ2_bzBuffToBuffCompress(out.as_mut_ptr().cast(), &mut len, from, size, 9, 0, 0) };
            len as usize
        },
        |out| bzip2::BZ2_bzBuffToBuffCompress(out, data, 9, 0, 0).unwrap(),
    );
    row(
        "bzip2 decompress",
        data.len(),
        data.len(),
        |out| {
            let mut len = out.len() as c_uint;
            let (from, size) = (packed.as_ptr().cast_mut().cast(), packed.len() as c_uint);
            // SAFETY: both buffers cover their lengths, and the source is not written to.
            unsafe { BZ2_bzBuffToBuffDecompress(out.as_mut_ptr().cast(), &mut len, from, size, 0, 0) };
            len as usize
        },
        |out| bzip2::BZ2_bzBuffToBuffDecompress(out, &packed, 0, 0).unwrap(),
    );
}
