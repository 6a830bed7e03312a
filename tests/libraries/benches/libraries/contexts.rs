//! Functions that work with a context made before: zstd, libdeflate.

use crate::rows::row;
use isolate_libraries::isolated::{libdeflate, zstd};

pub(crate) fn rows(data: &[u8]) {
    zstd_rows(data);
    libdeflate_rows(data);
}

fn zstd_rows(data: &[u8]) {
    let bound = zstd::ZSTD_compressBound(data.len()).unwrap();
    let (packer, unpacker) = (zstd::ZSTD_createCCtx().unwrap(), zstd::ZSTD_createDCtx().unwrap());
    // SAFETY: no conditions; both are freed below.
    let (direct_packer, direct_unpacker) = unsafe { (zstd_sys::ZSTD_createCCtx(), zstd_sys::ZSTD_createDCtx()) };
    let mut out = vec![0; bound];
    let packed = {
        let len = zstd::ZSTD_compressCCtx(&packer, &mut out, data, 3).unwrap();
        out[..len].to_vec()
    };
    row(
        "zstd compressCCtx, level 3",
        data.len(),
        bound,
        |out| {
            let (to, room, from) = (out.as_mut_ptr().cast(), out.len(), data.as_ptr().cast());
            // SAFETY: both buffers cover their lengths.
            unsafe { zstd_sys::ZSTD_compressCCtx(direct_packer, to, room, from, data.len(), 3) }
        },
        |out| zstd::ZSTD_compressCCtx(&packer, out, data, 3).unwrap(),
    );
    row(
        "zstd decompressDCtx",
        data.len(),
        data.len(),
        |out| {
            let (to, room, from) = (out.as_mut_ptr().cast(), out.len(), packed.as_ptr().cast());
            // SAFETY: both buffers cover their lengths.
            unsafe { zstd_sys::ZSTD_decompressDCtx(direct_unpacker, to, room, from, packed.len()) }
        },
        |out| zstd::ZSTD_decompressDCtx(&unpacker, out, &packed).unwrap(),
    );
    // SAFETY: made above, and not used any more.
    unsafe {
        zstd_sys::ZSTD_freeCCtx(direct_packer);
        zstd_sys::ZSTD_freeDCtx(direct_unpacker);
    }
}

fn libdeflate_rows(data: &[u8]) {
    let packer = libdeflate::libdeflate_alloc_compressor(6).unwrap();
    let unpacker = libdeflate::libdeflate_alloc_decompressor().unwrap();
    let bound = libdeflate::libdeflate_deflate_compress_bound(&packer, data.len()).unwrap();
    // SAFETY: no conditions; both are freed below.
    let (direct_packer, direct_unpacker) =
        unsafe { (libdeflate_sys::libdeflate_alloc_compressor(6), libdeflate_sys::libdeflate_alloc_decompressor()) };
    let mut out = vec![0; bound];
    let packed = {
        let len = libdeflate::libdeflate_deflate_compress(&packer, data, &mut out).unwrap();
        out[..len].to_vec()
    };
    row(
        "libdeflate deflate, level 6",
        data.len(),
        bound,
        |out| {
            let (to, room, from) = (out.as_mut_ptr().cast(), out.len(), data.as_ptr().cast());
            // SAFETY: both buffers cover their lengths.
            unsafe { libdeflate_sys::libdeflate_deflate_compress(direct_packer, from, data.len(), to, room) }
        },
        |out| libdeflate::libdeflate_deflate_compress(&packer, data, out).unwrap(),
    );
    row(
        "libdeflate inflate",
        data.len(),
        data.len(),
        |out| {
            let (to, room, from) = (out.as_mut_ptr().cast(), out.len(), packed.as_ptr().cast());
            let mut written = 0;
            // SAFETY: both buffers cover their lengths.
            unsafe {
                let unpacker = direct_unpacker;
                libdeflate_sys::libdeflate_deflate_decompress(unpacker, from, packed.len(), to, room, &mut written)
            };
            written
        },
        |out| libdeflate::libdeflate_deflate_decompress(&unpacker, &packed, out).unwrap(),
    );
    // SAFETY: made above, and not used any more.
    unsafe {
        libdeflate_sys::libdeflate_free_compressor(direct_packer);
        libdeflate_sys::libdeflate_free_decompressor(direct_unpacker);
    }
}
