//! zstd and libdeflate: errors with a name, contexts that are kept from call to call and end by themselves.

use crate::isolation::isolation;
use crate::support::samples;
use isolate_libraries::isolated::{libdeflate, zstd};
use isolate_rt::Error;
use std::ffi::c_int;

#[test]
fn zstd_with_and_without_contexts() {
    if !isolation() {
        return;
    }
    let (packing, unpacking) = (zstd::ZSTD_createCCtx().unwrap(), zstd::ZSTD_createDCtx().unwrap());
    for (name, data) in samples(4 << 20) {
        let mut packed = vec![0; zstd::ZSTD_compressBound(data.len()).unwrap()];
        let mut direct = vec![0; packed.len()];
        // SAFETY: both pointers cover the lengths passed with them.
        let written = unsafe {
            zstd_sys::ZSTD_compress(direct.as_mut_ptr().cast(), direct.len(), data.as_ptr().cast(), data.len(), 3)
        };
        let isolated = zstd::ZSTD_compress(&mut packed, &data, 3).unwrap();
        assert!(packed[..isolated] == direct[..written], "{name}");
        let again = zstd::ZSTD_compressCCtx(&packing, &mut packed, &data, 3).unwrap();
        assert!(packed[..again] == direct[..written], "{name}, with a context");
        let mut unpacked = vec![0; data.len()];
        assert_eq!(zstd::ZSTD_decompress(&mut unpacked, &packed[..again]).unwrap(), data.len(), "{name}");
        assert!(unpacked == data, "{name}");
        unpacked.fill(0);
        let count = zstd::ZSTD_decompressDCtx(&unpacking, &mut unpacked, &packed[..again]).unwrap();
        assert!(count == data.len() && unpacked == data, "{name}, with a context");
    }
    let error = zstd::ZSTD_decompress(&mut [0; 10], b"this is not a frame").unwrap_err();
    assert!(error.to_string().ends_with(": Unknown frame descriptor"), "{error}");
}

/// Through buffers of a program that reads and writes pieces: byte for byte what C makes of the same pieces.
#[test]
fn zstd_piece_by_piece() {
    if !isolation() {
        return;
    }
    let (packing, unpacking) = (zstd::ZSTD_createCStream().unwrap(), zstd::ZSTD_createDStream().unwrap());
    // SAFETY: takes nothing.
    let direct = unsafe { zstd_sys::ZSTD_createCStream() };
    for (name, data) in samples(1 << 20) {
        zstd::ZSTD_initCStream(&packing, 5).unwrap();
        // SAFETY: made above.
        unsafe { zstd_sys::ZSTD_initCStream(direct, 5) };
        let isolated =
            packed_by(&data, |out, input, how| zstd::ZSTD_compressStream2(&packing, out, input, how).unwrap());
        let expected = packed_by(&data, |out, input, how| {
            let mut to = zstd_sys::ZSTD_outBuffer { dst: out.as_mut_ptr().cast(), size: out.len(), pos: 0 };
            let mut from = zstd_sys::ZSTD_inBuffer { src: input.as_ptr().cast(), size: input.len(), pos: 0 };
            // SAFETY: both lead to slices of the length beside them.
            let left = unsafe { zstd_sys::ZSTD_compressStream2(direct, &mut to, &mut from, how) };
            (left, to.pos, from.pos)
        });
        assert!(isolated == expected, "{name}: {} bytes, and {}", isolated.len(), expected.len());

        zstd::ZSTD_initDStream(&unpacking).unwrap();
        let (mut unpacked, mut rest, mut room) = (Vec::new(), &isolated[..], [0; 3000]);
        loop {
            let piece = &rest[..rest.len().min(777)];
            let (left, wrote, read) = zstd::ZSTD_decompressStream(&unpacking, &mut room, piece).unwrap();
            unpacked.extend_from_slice(&room[..wrote]);
            rest = &rest[read..];
            if left == 0 {
                break;
            }
        }
        assert!(rest.is_empty() && unpacked == data, "{name}");
    }
    // SAFETY: made above, not used any more.
    unsafe { zstd_sys::ZSTD_freeCStream(direct) };
    let mut room = [7; 10];
    let failed = zstd::ZSTD_decompressStream(&unpacking, &mut room, b"this is not a frame").unwrap_err();
    assert!(failed.to_string().ends_with(": Unknown frame descriptor") && room == [7; 10], "{failed}");
}

/// All of it, in pieces of 10,000 bytes and with room for 1,000; `step` says what is left, and how much it has written and read.
fn packed_by(
    data: &[u8],
    mut step: impl FnMut(&mut [u8], &[u8], zstd_sys::ZSTD_EndDirective) -> (usize, usize, usize),
) -> Vec<u8> {
    use zstd_sys::ZSTD_EndDirective::{ZSTD_e_continue, ZSTD_e_end};
    let (mut packed, mut room, mut rest) = (Vec::new(), [0; 1000], data);
    while !rest.is_empty() {
        let (_, wrote, read) = step(&mut room, &rest[..rest.len().min(10_000)], ZSTD_e_continue);
        packed.extend_from_slice(&room[..wrote]);
        rest = &rest[read..];
    }
    loop {
        let (left, wrote, _) = step(&mut room, &[], ZSTD_e_end);
        packed.extend_from_slice(&room[..wrote]);
        if left == 0 {
            return packed;
        }
    }
}

#[test]
fn libdeflate_both_ways() {
    if !isolation() {
        return;
    }
    let compressor = libdeflate::libdeflate_alloc_compressor(6).unwrap();
    let decompressor = libdeflate::libdeflate_alloc_decompressor().unwrap();
    // No such level.
    let failed = libdeflate::libdeflate_alloc_compressor(99).unwrap_err();
    assert_eq!(failed.to_string(), "`libdeflate_alloc_compressor` in domain `libdeflate` failed with NULL");
    // SAFETY: takes a number.
    let direct = unsafe { libdeflate_sys::libdeflate_alloc_compressor(6) };
    for (name, data) in samples(4 << 20) {
        let room = libdeflate::libdeflate_deflate_compress_bound(&compressor, data.len()).unwrap();
        let (mut packed, mut expected) = (vec![0; room], vec![0; room]);
        // SAFETY: both pointers cover the lengths passed with them; the compressor lives.
        let written = unsafe {
            libdeflate_sys::libdeflate_deflate_compress(
                direct,
                data.as_ptr().cast(),
                data.len(),
                expected.as_mut_ptr().cast(),
                room,
            )
        };
        let count = libdeflate::libdeflate_deflate_compress(&compressor, &data, &mut packed).unwrap();
        assert!(packed[..count] == expected[..written], "{name}");
        let mut unpacked = vec![0; data.len()];
        let count = libdeflate::libdeflate_deflate_decompress(&decompressor, &packed[..count], &mut unpacked).unwrap();
        assert!(count == data.len() && unpacked == data, "{name}");
    }
    // SAFETY: made above, not used any more.
    unsafe { libdeflate_sys::libdeflate_free_compressor(direct) };
    let failed = libdeflate::libdeflate_deflate_decompress(&decompressor, &[0xff; 40], &mut [0; 10]);
    assert!(matches!(&failed, Err(Error::Failed(failed)) if *failed.code() as c_int == 1), "{failed:?}");
    libdeflate::libdeflate_free_compressor(compressor).unwrap();
}

/// What a frame refers to must be there for as long as it is made, and when it is read: the contexts have copies.
#[test]
fn zstd_refers_to_a_prefix() {
    if !isolation() {
        return;
    }
    let (packing, unpacking) = (zstd::ZSTD_createCCtx().unwrap(), zstd::ZSTD_createDCtx().unwrap());
    let data: Vec<u8> = (0..10_000_u32).map(|at| (at * at / 97) as u8).collect();
    let mut packed = vec![0; 20_000];
    let mut pack = |prefix: Option<&[u8]>| {
        zstd::ZSTD_CCtx_refPrefix(&packing, prefix.map(<[u8]>::to_vec).as_deref()).unwrap();
        let end = zstd_sys::ZSTD_EndDirective::ZSTD_e_end;
        let (left, wrote, _) = zstd::ZSTD_compressStream2(&packing, &mut packed, &data, end).unwrap();
        assert_eq!(left, 0);
        packed[..wrote].to_vec()
    };
    let alone = pack(None);
    for _ in 0..3 {
        let after = pack(Some(&data[..9_000]));
        assert!(after.len() * 2 < alone.len(), "{} and {}", after.len(), alone.len());
        let mut unpacked = vec![0; data.len()];
        let prefix = data[..9_000].to_vec();
        zstd::ZSTD_DCtx_refPrefix(&unpacking, Some(&prefix)).unwrap();
        drop(prefix);
        assert_eq!(zstd::ZSTD_decompressDCtx(&unpacking, &mut unpacked, &after).unwrap(), data.len());
        assert_eq!(unpacked, data);
    }
}
