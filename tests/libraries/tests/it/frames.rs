//! lz4's frames: contexts that Rust has as structs around a pointer, options that are only read, and a length that goes both ways.

use crate::isolation::isolation;
use crate::support::samples;
use isolate_libraries::isolated::lz4;
use isolate_rt::Error;
use lz4_sys::{
    BlockChecksum, BlockMode, BlockSize, ContentChecksum, FrameType, LZ4F_VERSION, LZ4FCompressionContext,
    LZ4FFrameInfo, LZ4FPreferences,
};
use std::ptr;

/// What is packed at once.
const PIECE: usize = 100_000;

#[test]
fn lz4_frames() {
    if !isolation() {
        return;
    }
    let (_, unpacking) = lz4::LZ4F_createDecompressionContext(LZ4F_VERSION).unwrap();
    for (name, data) in samples(4 << 20) {
        let packed = packed(&data).unwrap();
        assert!(packed == packed_directly(&data), "{name}");
        let mut unpacked = Vec::new();
        let (mut at, mut room) = (0, vec![0; 50_000]);
        while at < packed.len() {
            let piece = &packed[at..packed.len().min(at + 70_000)];
            let (_, written, read) = lz4::LZ4F_decompress(&unpacking, &mut room, piece).unwrap();
            unpacked.extend_from_slice(&room[..written]);
            at += read;
        }
        assert!(unpacked == data, "{name}");
    }
    let mut broken = packed(&[7; 1000]).unwrap();
    broken[6] ^= 1;
    let error = lz4::LZ4F_decompress(&unpacking, &mut [0; 1000], &broken).unwrap_err();
    assert!(error.to_string().ends_with(": ERROR_headerChecksum_invalid"), "{error}");
    lz4::LZ4F_freeDecompressionContext(unpacking).unwrap();
}

fn preferences() -> LZ4FPreferences {
    LZ4FPreferences {
        frame_info: LZ4FFrameInfo {
            block_size_id: BlockSize::Max256KB,
            block_mode: BlockMode::Linked,
            content_checksum_flag: ContentChecksum::ChecksumEnabled,
            frame_type: FrameType::Frame,
            content_size: 0,
            dict_id: 0,
            block_checksum_flag: BlockChecksum::BlockChecksumEnabled,
        },
        compression_level: 3,
        auto_flush: 0,
        favor_dec_speed: 0,
        reserved: [0; 3],
    }
}

fn packed(data: &[u8]) -> Result<Vec<u8>, Error<usize>> {
    let preferences = preferences();
    let (_, context) = lz4::LZ4F_createCompressionContext(LZ4F_VERSION)?;
    let mut room = vec![0; lz4::LZ4F_compressBound(PIECE, Some(&preferences))?];
    let begun = lz4::LZ4F_compressBegin(&context, &mut room, Some(&preferences))?;
    let mut packed = room[..begun].to_vec();
    for piece in data.chunks(PIECE) {
        let written = lz4::LZ4F_compressUpdate(&context, &mut room, piece)?;
        packed.extend_from_slice(&room[..written]);
    }
    let written = lz4::LZ4F_compressEnd(&context, &mut room)?;
    packed.extend_from_slice(&room[..written]);
    Ok(packed)
}

fn packed_directly(data: &[u8]) -> Vec<u8> {
    let preferences = preferences();
    let mut context = LZ4FCompressionContext(ptr::null_mut());
    // SAFETY: `room` is as long as is said, and each piece; the context lives until it is freed.
    unsafe {
        assert_eq!(lz4_sys::LZ4F_createCompressionContext(&mut context, LZ4F_VERSION), 0);
        let mut room = vec![0; lz4_sys::LZ4F_compressBound(PIECE, &preferences)];
        let begun = lz4_sys::LZ4F_compressBegin(context, room.as_mut_ptr(), room.len(), &preferences);
        let mut packed = room[..begun].to_vec();
        for piece in data.chunks(PIECE) {
            let (to, from) = (room.as_mut_ptr(), piece.as_ptr());
            let written = lz4_sys::LZ4F_compressUpdate(context, to, room.len(), from, piece.len(), ptr::null());
            packed.extend_from_slice(&room[..written]);
        }
        let written = lz4_sys::LZ4F_compressEnd(context, room.as_mut_ptr(), room.len(), ptr::null());
        packed.extend_from_slice(&room[..written]);
        lz4_sys::LZ4F_freeCompressionContext(context);
        packed
    }
}
