//! Input made to break a library ends in an `Err`; the program's memory is as it was, and the next call works.

use crate::isolation::isolation;
use crate::support::{alone, noise, text};
use isolate_libraries::isolated::{bzip2, lz4, tlv, zlib};
use isolate_rt::FaultKind;

fn record(tag: u8, value: &[u8]) -> Vec<u8> {
    [&[tag][..], &(value.len() as u16).to_le_bytes(), value].concat()
}

/// A record that overruns the 24 bytes on the parser's stack, by how much the attacker likes.
#[test]
fn an_overrun_of_any_length_is_contained() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let good = record(1, b"name.txt");
    let witness = noise(1 << 20);
    for length in [400, 4096, 10_000, 32 << 10, 65_535] {
        let before = tlv::tlv_records().unwrap();
        assert_eq!(tlv::tlv_parse(&good).unwrap().0, 1);
        assert_eq!(tlv::tlv_records().unwrap(), before + 1);

        let fault = tlv::tlv_parse(&record(2, &vec![b'A'; length])).map(|(count, _)| count).unwrap_err();
        assert_eq!((fault.domain(), fault.function()), ("tlv", "tlv_parse"), "{length}: {fault}");
        assert!(!matches!(fault.kind(), FaultKind::Unsupported(_)), "{length}: {fault}");

        assert_eq!(tlv::tlv_records().unwrap(), 0, "after {length}: the counter is back where it started");
        assert_eq!(tlv::tlv_parse(&good).unwrap().0, 1, "after {length}");
        assert!(witness == noise(1 << 20), "after {length}: memory of the program changed");
    }
}

/// A fault in one domain is none of another's business.
#[test]
fn other_domains_go_on() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let data = noise(100_000);
    let mut packed = vec![0; 110_000];
    let length = zlib::compress2(&mut packed, &data, 6).unwrap();
    tlv::tlv_parse(&record(2, &[b'A'; 4096])).map(|(count, _)| count).unwrap_err();
    let mut unpacked = vec![0; data.len()];
    assert_eq!(zlib::uncompress(&mut unpacked, &packed[..length]).unwrap(), data.len());
    assert!(unpacked == data);
}

/// The answers of a fault leave no trace in the caller's buffers.
#[test]
fn the_callers_buffer_is_kept() {
    if !isolation() {
        return;
    }
    // More than its heap limit: the call never starts.
    let mut huge = vec![0x5a_u8; 1 << 20];
    let fault = tlv::DOMAIN.call("too_much").unwrap().output::<u8>(usize::MAX / 2).unwrap_err();
    assert!(matches!(fault.kind(), FaultKind::TooLarge { .. }), "{fault}");
    // An honest error: nothing is written.
    zlib::uncompress(&mut huge, b"not a zlib stream").unwrap_err();
    assert!(huge.iter().all(|byte| *byte == 0x5a));
}

/// Noise and half-true archives for every decoder: an error code or a fault, never more than the room, and good calls after.
#[test]
fn decoders_survive_noise() {
    if !isolation() {
        return;
    }
    let data = text();
    let data = &data[..50_000];
    let mut packed = [vec![0; 60_000], vec![0; 60_000], vec![0; 60_000]];
    let sizes = [
        zlib::compress2(&mut packed[0], data, 6).unwrap(),
        lz4::LZ4_compress_default(data, &mut packed[1]).unwrap(),
        bzip2::BZ2_bzBuffToBuffCompress(&mut packed[2], data, 1, 0, 0).unwrap(),
    ];
    let damage = noise(4096);
    for round in 0..60 {
        for (codec, packed) in packed.iter().enumerate() {
            let mut packed = packed[..sizes[codec]].to_vec();
            for hit in 0..=round % 5 {
                let at = usize::from(damage[(7 * round + hit) % 4096]) * packed.len() / 256;
                packed[at] = damage[(11 * round + hit) % 4096];
            }
            let mut room = vec![0x5a; 70_000];
            let (room, guard) = room.split_at_mut(50_000);
            let outcome = match codec {
                0 => zlib::uncompress(room, &packed),
                1 => lz4::LZ4_decompress_safe(&packed, room),
                _ => bzip2::BZ2_bzBuffToBuffDecompress(room, &packed, 0, 0),
            };
            if let Ok(written) = outcome {
                assert!(written <= room.len());
            }
            assert!(guard.iter().all(|byte| *byte == 0x5a), "codec {codec}, round {round}");
        }
    }
    let mut room = vec![0; 50_000];
    assert_eq!(zlib::uncompress(&mut room, &packed[0][..sizes[0]]).unwrap(), 50_000);
    assert_eq!(lz4::LZ4_decompress_safe(&packed[1][..sizes[1]], &mut room).unwrap(), 50_000);
    assert_eq!(bzip2::BZ2_bzBuffToBuffDecompress(&mut room, &packed[2][..sizes[2]], 0, 0).unwrap(), 50_000);
    assert!(room == data);
}
