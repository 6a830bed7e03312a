//! Isolated and direct calls return the same on data of 0 bytes to 64 MiB.

use crate::isolation::isolation;
use crate::support::{LARGEST, alone, noise, samples};
use isolate_libraries::ffi;
use isolate_libraries::isolated::{brotli, bzip2, lz4, snappy, tlv, zlib};
use isolate_rt::{Error, Fault};
use std::ffi::{c_int, c_uint, c_ulong};

/// What a codec call returned, and what it wrote.
type Outcome = (c_int, Vec<u8>);

/// A compressor or decompressor, called isolated or directly with room for its output.
struct Codec {
    room: fn(usize) -> usize,
    compress: fn(&[u8], usize) -> Outcome,
    decompress: fn(&[u8], usize) -> Outcome,
    isolated_compress: fn(&[u8], usize) -> Result<Outcome, Fault>,
    isolated_decompress: fn(&[u8], usize) -> Result<Outcome, Fault>,
}

/// What a wrapper gave, as the C function would have put it: `status` makes what it returned of a count.
fn outcome(
    result: Result<usize, Error<c_int>>,
    mut out: Vec<u8>,
    status: impl Fn(usize) -> c_int,
) -> Result<Outcome, Fault> {
    match result {
        Ok(written) => {
            out.truncate(written);
            Ok((status(written), out))
        }
        Err(Error::Failed(failed)) => Ok((*failed.code(), Vec::new())),
        Err(Error::Fault(fault)) => Err(fault),
    }
}

/// Both ways there and back again, over all samples.
#[track_caller]
fn check(codec: &Codec, largest: usize) {
    if !isolation() {
        return;
    }
    for (name, data) in samples(largest) {
        let room = (codec.room)(data.len());
        let packed = (codec.compress)(&data, room);
        let isolated = (codec.isolated_compress)(&data, room).unwrap();
        assert!(
            packed == isolated,
            "packing {name}: {} and {} bytes, status {}",
            packed.1.len(),
            isolated.1.len(),
            isolated.0
        );
        let direct = (codec.decompress)(&packed.1, data.len());
        let isolated = (codec.isolated_decompress)(&packed.1, data.len()).unwrap();
        assert!(
            direct == isolated,
            "unpacking {name}: {} and {} bytes, status {}",
            direct.1.len(),
            isolated.1.len(),
            isolated.0
        );
        assert!(isolated.1 == data, "{name} came back changed");
        // Too little room, and damage at a place that depends on the sample: both answers again, errors included.
        let short = data.len() / 2;
        assert!(
            (codec.decompress)(&packed.1, short).0 == (codec.isolated_decompress)(&packed.1, short).unwrap().0,
            "{name}, cut"
        );
        let mut damaged = packed.1;
        let at = data.len() % damaged.len();
        damaged[at] ^= 0x10;
        let direct = (codec.decompress)(&damaged, data.len());
        let isolated = (codec.isolated_decompress)(&damaged, data.len()).unwrap();
        assert_eq!(direct.0, isolated.0, "{name}, damaged at {at}");
        assert!(isolated.0 < 0 || direct == isolated, "{name}, damaged at {at}: different output");
    }
}

#[test]
fn zlib_compress2_uncompress() {
    let codec = Codec {
        room: |size| size + (size >> 12) + (size >> 14) + (size >> 25) + 13,
        compress: |data, room| {
            let (mut out, mut len) = (vec![0; room], room as c_ulong);
            // SAFETY: both pointers cover the lengths passed with them.
            let status =
                unsafe { libz_sys::compress2(out.as_mut_ptr(), &mut len, data.as_ptr(), data.len() as c_ulong, 1) };
            out.truncate(len as usize);
            (status, out)
        },
        decompress: |data, room| {
            let (mut out, mut len) = (vec![0; room], room as c_ulong);
            // SAFETY: both pointers cover the lengths passed with them.
            let status =
                unsafe { libz_sys::uncompress(out.as_mut_ptr(), &mut len, data.as_ptr(), data.len() as c_ulong) };
            out.truncate(len as usize);
            (status, out)
        },
        isolated_compress: |data, room| {
            let mut out = vec![0; room];
            outcome(zlib::compress2(&mut out, data, 1), out, |_| 0)
        },
        isolated_decompress: |data, room| {
            let mut out = vec![0; room];
            outcome(zlib::uncompress(&mut out, data), out, |_| 0)
        },
    };
    check(&codec, LARGEST);
}

#[test]
fn lz4_compress_default_decompress_safe() {
    let codec = Codec {
        room: |size| size + size / 255 + 16,
        compress: |data, room| {
            let mut out = vec![0; room];
            // SAFETY: both pointers cover the lengths passed with them.
            let written = unsafe {
                lz4_sys::LZ4_compress_default(
                    data.as_ptr().cast(),
                    out.as_mut_ptr().cast(),
                    data.len() as c_int,
                    room as c_int,
                )
            };
            out.truncate(written.max(0) as usize);
            (written, out)
        },
        decompress: |data, room| {
            let mut out = vec![0; room];
            // SAFETY: both pointers cover the lengths passed with them.
            let written = unsafe {
                lz4_sys::LZ4_decompress_safe(
                    data.as_ptr().cast(),
                    out.as_mut_ptr().cast(),
                    data.len() as c_int,
                    room as c_int,
                )
            };
            out.truncate(written.max(0) as usize);
            (written, out)
        },
        isolated_compress: |data, room| {
            let mut out = vec![0; room];
            outcome(lz4::LZ4_compress_default(data, &mut out), out, |written| written as c_int)
        },
        isolated_decompress: |data, room| {
            let mut out = vec![0; room];
            outcome(lz4::LZ4_decompress_safe(data, &mut out), out, |written| written as c_int)
        },
    };
    check(&codec, LARGEST);
}

#[test]
fn bzip2_buff_to_buff() {
    let codec = Codec {
        room: |size| size + size / 100 + 600,
        compress: |data, room| {
            let (mut out, mut len) = (vec![0_u8; room], room as c_uint);
            let source = data.as_ptr().cast_mut().cast();
            // SAFETY: both pointers cover the lengths passed with them; libbz2 does not write to its source.
            let status = unsafe {
                ffi::BZ2_bzBuffToBuffCompress(out.as_mut_ptr().cast(), &mut len, source, data.len() as c_uint, 1, 0, 0)
            };
            out.truncate(len as usize);
            (status, out)
        },
        decompress: |data, room| {
            let (mut out, mut len) = (vec![0_u8; room], room as c_uint);
            let source = data.as_ptr().cast_mut().cast();
            // SAFETY: both pointers cover the lengths passed with them; libbz2 does not write to its source.
            let status = unsafe {
                ffi::BZ2_bzBuffToBuffDecompress(out.as_mut_ptr().cast(), &mut len, source, data.len() as c_uint, 0, 0)
            };
            out.truncate(len as usize);
            (status, out)
        },
        isolated_compress: |data, room| {
            let mut out = vec![0; room];
            outcome(bzip2::BZ2_bzBuffToBuffCompress(&mut out, data, 1, 0, 0), out, |_| 0)
        },
        isolated_decompress: |data, room| {
            let mut out = vec![0; room];
            outcome(bzip2::BZ2_bzBuffToBuffDecompress(&mut out, data, 0, 0), out, |_| 0)
        },
    };
    check(&codec, LARGEST);
}

#[test]
fn snappy_compress_uncompress() {
    /// snappy's codes are above 0, and the status of a codec is not.
    fn negated(result: Result<usize, Error<c_uint>>, out: Vec<u8>) -> Result<Outcome, Fault> {
        match result {
            Err(Error::Failed(failed)) => Ok((-(*failed.code() as c_int), Vec::new())),
            Err(Error::Fault(fault)) => Err(fault),
            Ok(written) => Ok((0, out[..written].to_vec())),
        }
    }
    let codec = Codec {
        room: |size| snappy::snappy_max_compressed_length(size).unwrap(),
        compress: |data, room| {
            let (mut out, mut len) = (vec![0_u8; room], room);
            // SAFETY: both pointers cover the lengths passed with them.
            let status = unsafe {
                snappy_src::snappy_compress(data.as_ptr().cast(), data.len(), out.as_mut_ptr().cast(), &mut len)
            };
            out.truncate(if status == 0 { len } else { 0 });
            (-(status as c_int), out)
        },
        decompress: |data, room| {
            let (mut out, mut len) = (vec![0_u8; room], room);
            // SAFETY: both pointers cover the lengths passed with them.
            let status = unsafe {
                snappy_src::snappy_uncompress(data.as_ptr().cast(), data.len(), out.as_mut_ptr().cast(), &mut len)
            };
            out.truncate(if status == 0 { len } else { 0 });
            (-(status as c_int), out)
        },
        isolated_compress: |data, room| {
            let mut out = vec![0; room];
            negated(snappy::snappy_compress(data, &mut out), out)
        },
        isolated_decompress: |data, room| {
            let mut out = vec![0; room];
            negated(snappy::snappy_uncompress(data, &mut out), out)
        },
    };
    check(&codec, 4 << 20);
}

#[test]
fn brotli_compress_decompress() {
    /// Its statuses are 1 for a good one and others for none.
    fn negated(result: Result<usize, Error<impl Sized>>, out: Vec<u8>) -> Result<Outcome, Fault> {
        match result {
            Err(Error::Failed(_)) => Ok((-1, Vec::new())),
            Err(Error::Fault(fault)) => Err(fault),
            Ok(written) => Ok((0, out[..written].to_vec())),
        }
    }
    let codec = Codec {
        // More than `BrotliEncoderMaxCompressedSize` has it.
        room: |size| size + size / 1024 + 64,
        compress: |data, room| {
            let (mut out, mut len) = (vec![0_u8; room], room);
            let (from, to) = (data.as_ptr(), out.as_mut_ptr());
            // SAFETY: both pointers cover the lengths passed with them.
            let good = unsafe { brotli_sys::BrotliEncoderCompress(5, 22, 0, data.len(), from, &mut len, to) } == 1;
            out.truncate(if good { len } else { 0 });
            (if good { 0 } else { -1 }, out)
        },
        decompress: |data, room| {
            let (mut out, mut len) = (vec![0_u8; room], room);
            let (from, to) = (data.as_ptr(), out.as_mut_ptr());
            // SAFETY: both pointers cover the lengths passed with them.
            let good = unsafe { brotli_sys::BrotliDecoderDecompress(data.len(), from, &mut len, to) } == 1;
            out.truncate(if good { len } else { 0 });
            (if good { 0 } else { -1 }, out)
        },
        isolated_compress: |data, room| {
            let mut out = vec![0; room];
            negated(brotli::BrotliEncoderCompress(5, 22, 0, data, &mut out).map(|(_, written)| written), out)
        },
        isolated_decompress: |data, room| {
            let mut out = vec![0; room];
            negated(brotli::BrotliDecoderDecompress(data, &mut out), out)
        },
    };
    check(&codec, 1 << 20);
}

/// An error says what it is, in the library's words where it has some.
#[test]
fn errors() {
    if !isolation() {
        return;
    }
    let error = zlib::uncompress(&mut [0; 10], b"not a zlib stream").unwrap_err();
    assert_eq!(error.code(), Some(&-3));
    assert_eq!(error.to_string(), "`uncompress` in domain `zlib` failed with -3: data error");
    let error = lz4::LZ4_decompress_safe(&[0xf0, 0xff], &mut [0; 10]).unwrap_err();
    assert!(matches!(&error, Error::Failed(failed) if *failed.code() < 0 && failed.message().is_none()), "{error}");
}

#[test]
fn checksums() {
    if !isolation() {
        return;
    }
    for (name, data) in samples(LARGEST) {
        // SAFETY: the pointer covers the length.
        let direct = unsafe { libz_sys::crc32(7, data.as_ptr(), data.len() as c_uint) };
        assert_eq!(zlib::crc32(7, &data).unwrap(), direct, "crc32 of {name}");
        // SAFETY: as above.
        let direct = unsafe { libz_sys::adler32(7, data.as_ptr(), data.len() as c_uint) };
        assert_eq!(zlib::adler32(7, &data).unwrap(), direct, "adler32 of {name}");
    }
}

/// Records that are fine, cut anywhere, and noise short enough not to reach the bug. (A record of 24 bytes or more does.)
#[test]
fn tlv_records() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    let record = |tag: u8, value: &[u8]| [&[tag, value.len() as u8, 0], value].concat();
    let whole = [
        record(1, b"name.txt"),
        record(2, b"420"),
        record(3, b"-9223372036854775809"), // one less than fits: errno becomes ERANGE
        record(4, b"a comment\r\nof two lines"),
        record(9, b"of a later version"),
    ]
    .concat();
    let cuts = (0..=whole.len()).map(|len| whole[..len].to_vec());
    let noises = (0..200).map(|start| noise(300)[start..start + 23].to_vec());
    for records in cuts.chain(noises) {
        // SAFETY: all zeroes is a `TlvEntry`.
        let mut direct: ffi::TlvEntry = unsafe { std::mem::zeroed() };
        // SAFETY: the pointers cover what they are passed with.
        let count = unsafe { ffi::tlv_parse(records.as_ptr(), records.len(), &mut direct) };
        let (isolated_count, isolated) = tlv::tlv_parse(&records).unwrap();
        assert_eq!(isolated_count, count, "{records:x?}");
        let fields = |entry: &ffi::TlvEntry| (entry.name, entry.mode, entry.modified, entry.comment);
        assert_eq!(fields(&isolated), fields(&direct), "{records:x?}");
    }
}
