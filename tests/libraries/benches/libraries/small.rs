//! Calls that are short beside what isolation costs, and the same function over all sizes: brotli, snappy.

use crate::rows::row;
use isolate_libraries::isolated::{brotli, snappy};
use std::ffi::{c_char, c_int};

/// Level, window and mode (generic) of the compressor.
const BROTLI: (c_int, c_int, brotli_sys::BrotliEncoderMode) = (5, 18, 0);

pub(crate) fn brotli_rows(data: &[u8]) {
    let (quality, window, mode) = BROTLI;
    let bound = brotli::BrotliEncoderMaxCompressedSize(data.len()).unwrap().max(data.len() + 64);
    let mut out = vec![0; bound];
    let packed = {
        let len = brotli::BrotliEncoderCompress(quality, window, mode, data, &mut out).unwrap().1;
        out[..len].to_vec()
    };
    row(
        "brotli compress, level 5",
        data.len(),
        bound,
        |out| {
            let mut len = out.len();
            let to = out.as_mut_ptr();
            // SAFETY: both buffers cover their lengths.
            unsafe {
                brotli_sys::BrotliEncoderCompress(quality, window, mode, data.len(), data.as_ptr(), &mut len, to)
            };
            len
        },
        |out| brotli::BrotliEncoderCompress(quality, window, mode, data, out).unwrap().1,
    );
    row(
        "brotli decompress",
        data.len(),
        data.len(),
        |out| {
            let mut len = out.len();
            // SAFETY: both buffers cover their lengths.
            unsafe { brotli_sys::BrotliDecoderDecompress(packed.len(), packed.as_ptr(), &mut len, out.as_mut_ptr()) };
            len
        },
        |out| brotli::BrotliDecoderDecompress(&packed, out).unwrap(),
    );
}

pub(crate) fn snappy_rows(data: &[u8]) {
    let bound = snappy::snappy_max_compressed_length(data.len()).unwrap();
    let mut out = vec![0; bound];
    let packed = {
        let len = snappy::snappy_compress(data, &mut out).unwrap();
        out[..len].to_vec()
    };
    let chars = |bytes: &[u8]| bytes.as_ptr().cast::<c_char>();
    row(
        "snappy compress",
        data.len(),
        bound,
        |out| {
            let mut len = out.len();
            // SAFETY: both buffers cover their lengths.
            unsafe { snappy_src::snappy_compress(chars(data), data.len(), out.as_mut_ptr().cast(), &mut len) };
            len
        },
        |out| snappy::snappy_compress(data, out).unwrap(),
    );
    row(
        "snappy uncompress",
        data.len(),
        data.len(),
        |out| {
            let mut len = out.len();
            // SAFETY: both buffers cover their lengths.
            unsafe { snappy_src::snappy_uncompress(chars(&packed), packed.len(), out.as_mut_ptr().cast(), &mut len) };
            len
        },
        |out| snappy::snappy_uncompress(&packed, out).unwrap(),
    );
}
