//! Streams: objects that live in the domain between calls.

use crate::isolation::isolation;
use crate::support::{alone, samples};
use bzip2_sys::bz_stream;
use isolate_libraries::isolated::{bzip2, tlv, zlib};
use isolate_rt::{Error, Fault, FaultKind};
use libz_sys::z_stream;
use std::ffi::{CStr, c_char, c_int};
use std::mem::{MaybeUninit, size_of};

/// What one step of a stream says: its status, and how much it read and wrote.
type Step = (c_int, usize, usize);

/// The last status of a stream, and all that it wrote.
type Streamed = (c_int, Vec<u8>);

/// Feeds `data` to a stream piece by piece. `step` gets a piece, whether it is the last, and room; the stream ends with
/// `end`, any other status goes on unless it is negative.
fn drive<E>(
    data: &[u8],
    end: c_int,
    mut step: impl FnMut(&[u8], bool, &mut [u8]) -> Result<Step, E>,
) -> Result<Streamed, E> {
    let (mut out, mut rest, mut room) = (Vec::new(), data, [0; 5000]);
    loop {
        let piece = &rest[..rest.len().min(7001)];
        let (status, read, written) = step(piece, piece.len() == rest.len(), &mut room)?;
        rest = &rest[read..];
        out.extend_from_slice(&room[..written]);
        if status == end || status < 0 {
            return Ok((status, out));
        }
    }
}

/// A stream there and one back again.
struct Streams<R> {
    pack: fn(&[u8]) -> R,
    unpack: fn(&[u8]) -> R,
}

/// Direct and isolated streams agree over all samples and over damage.
#[track_caller]
fn check(direct: Streams<Streamed>, isolated: Streams<Result<Streamed, Error<c_int>>>) {
    if !isolation() {
        return;
    }
    for (name, data) in samples(2 << 20) {
        let packed = (direct.pack)(&data);
        assert!((isolated.pack)(&data).unwrap() == packed, "packing {name}");
        let (status, unpacked) = (isolated.unpack)(&packed.1).unwrap();
        assert!(unpacked == data, "{name} came back changed, status {status}");
        let mut damaged = packed.1;
        let at = data.len() % damaged.len();
        damaged[at] ^= 0x10;
        assert!((isolated.unpack)(&damaged).unwrap() == (direct.unpack)(&damaged), "{name}, damaged at {at}");
    }
}

const Z_FINISH: c_int = 4;
const Z_STREAM_END: c_int = 1;
const VERSION: &CStr = c"1.2.11";
const SIZE: c_int = size_of::<z_stream>() as c_int;

fn deflate(data: &[u8]) -> Result<Streamed, Error<c_int>> {
    let mut stream = zlib::deflateInit_(6)?;
    let packed = drive(data, Z_STREAM_END, |piece, last, room| {
        zlib::deflate(&mut stream, piece, room, if last { Z_FINISH } else { 0 })
    })?;
    assert_eq!(zlib::deflateEnd(stream)?, 0);
    Ok(packed)
}

fn inflate(data: &[u8]) -> Result<Streamed, Error<c_int>> {
    let mut stream = zlib::inflateInit_()?;
    // Dropped, not ended by hand: the wrapper's object does that.
    Ok(drive(data, Z_STREAM_END, |piece, _, room| zlib::inflate(&mut stream, piece, room, 0))?)
}

fn zlib_directly(
    data: &[u8],
    finish: c_int,
    init: impl Fn(*mut z_stream) -> c_int,
    step: unsafe extern "C" fn(*mut z_stream, c_int) -> c_int,
    end: unsafe extern "C" fn(*mut z_stream) -> c_int,
) -> Streamed {
    let mut stream = MaybeUninit::<z_stream>::zeroed();
    let stream = stream.as_mut_ptr();
    assert_eq!(init(stream), 0);
    let result = drive(data, Z_STREAM_END, |piece, last, room| {
        // SAFETY: `init` filled the stream; both pointers cover their lengths.
        let status = unsafe {
            (*stream).next_in = piece.as_ptr().cast_mut();
            (*stream).avail_in = piece.len() as u32;
            (*stream).next_out = room.as_mut_ptr();
            (*stream).avail_out = room.len() as u32;
            step(stream, if last { finish } else { 0 })
        };
        // SAFETY: as above.
        let (left, free) = unsafe { ((*stream).avail_in as usize, (*stream).avail_out as usize) };
        Ok::<_, Fault>((status, piece.len() - left, room.len() - free))
    });
    // SAFETY: as above; this ends it.
    unsafe { end(stream) };
    result.unwrap()
}

#[test]
fn zlib_streams() {
    check(
        Streams {
            pack: |data| {
                // SAFETY: zeroed memory of the right size.
                let init = |stream| unsafe { libz_sys::deflateInit_(stream, 6, VERSION.as_ptr(), SIZE) };
                zlib_directly(data, Z_FINISH, init, libz_sys::deflate, libz_sys::deflateEnd)
            },
            unpack: |data| {
                // SAFETY: as above.
                let init = |stream| unsafe { libz_sys::inflateInit_(stream, VERSION.as_ptr(), SIZE) };
                zlib_directly(data, 0, init, libz_sys::inflate, libz_sys::inflateEnd)
            },
        },
        Streams { pack: deflate, unpack: inflate },
    );
}

const BZ_RUN: c_int = 0;
const BZ_FINISH: c_int = 2;
const BZ_STREAM_END: c_int = 4;

fn compress(data: &[u8]) -> Result<Streamed, Error<c_int>> {
    let mut stream = bzip2::BZ2_bzCompressInit(1, 0, 0)?;
    Ok(drive(data, BZ_STREAM_END, |piece, last, room| {
        bzip2::BZ2_bzCompress(&mut stream, piece, room, if last { BZ_FINISH } else { BZ_RUN })
    })?)
}

fn decompress(data: &[u8]) -> Result<Streamed, Error<c_int>> {
    let mut stream = bzip2::BZ2_bzDecompressInit(0, 0)?;
    Ok(drive(data, BZ_STREAM_END, |piece, _, room| bzip2::BZ2_bzDecompress(&mut stream, piece, room))?)
}

fn bzip2_directly(
    data: &[u8],
    init: impl Fn(*mut bz_stream) -> c_int,
    step: impl Fn(*mut bz_stream, bool) -> c_int,
    end: unsafe extern "C" fn(*mut bz_stream) -> c_int,
) -> Streamed {
    let mut stream = MaybeUninit::<bz_stream>::zeroed();
    let stream = stream.as_mut_ptr();
    assert_eq!(init(stream), 0);
    let result = drive(data, BZ_STREAM_END, |piece, last, room| {
        // SAFETY: `init` filled the stream.
        unsafe {
            (*stream).next_in = piece.as_ptr().cast_mut().cast::<c_char>();
            (*stream).avail_in = piece.len() as u32;
            (*stream).next_out = room.as_mut_ptr().cast::<c_char>();
            (*stream).avail_out = room.len() as u32;
        }
        let status = step(stream, last);
        // SAFETY: as above.
        let (left, free) = unsafe { ((*stream).avail_in as usize, (*stream).avail_out as usize) };
        Ok::<_, Fault>((status, piece.len() - left, room.len() - free))
    });
    // SAFETY: as above; this ends it.
    unsafe { end(stream) };
    result.unwrap()
}

#[test]
fn bzip2_streams() {
    check(
        Streams {
            pack: |data| {
                // SAFETY: zeroed memory of the right type.
                let init = |stream| unsafe { bzip2_sys::BZ2_bzCompressInit(stream, 1, 0, 0) };
                // SAFETY: `drive` gives pointers that cover their lengths.
                let step =
                    |stream, last| unsafe { bzip2_sys::BZ2_bzCompress(stream, if last { BZ_FINISH } else { BZ_RUN }) };
                bzip2_directly(data, init, step, bzip2_sys::BZ2_bzCompressEnd)
            },
            unpack: |data| {
                // SAFETY: as above.
                let init = |stream| unsafe { bzip2_sys::BZ2_bzDecompressInit(stream, 0, 0) };
                // SAFETY: as above.
                let step = |stream, _| unsafe { bzip2_sys::BZ2_bzDecompress(stream) };
                bzip2_directly(data, init, step, bzip2_sys::BZ2_bzDecompressEnd)
            },
        },
        Streams { pack: compress, unpack: decompress },
    );
}

/// What the library keeps in the struct, the program may read while it lives.
#[test]
fn fields_of_a_stream_are_read() {
    if !isolation() {
        return;
    }
    let (_, data) = samples(100_000).pop().expect("a sample");
    let mut stream = zlib::deflateInit_(6).unwrap();
    let (_, packed) = drive(&data, Z_STREAM_END, |piece, last, room| {
        zlib::deflate(&mut stream, piece, room, if last { Z_FINISH } else { 0 })
    })
    .unwrap();
    let told = zlib::z_stream::of(&stream).unwrap();
    assert_eq!((told.total_in, told.total_out), (data.len() as u64, packed.len() as u64));
    // SAFETY: the pointer covers the length.
    assert_eq!(told.adler, unsafe { libz_sys::adler32(1, data.as_ptr(), data.len() as u32) });
    assert_eq!(told.msg, None);

    let mut stream = zlib::inflateInit_().unwrap();
    let (status, ..) = zlib::inflate(&mut stream, b"no stream", &mut [0; 10], 0).unwrap();
    let told = zlib::z_stream::of(&stream).unwrap();
    assert_eq!((status, told.msg.as_deref()), (-3, Some(c"incorrect header check")));
}

/// zlib refuses a `z_stream` that is not where it was filled. The program may move what stands for it as it likes.
#[test]
fn a_stream_may_move_between_calls() {
    if !isolation() {
        return;
    }
    let stream = zlib::deflateInit_(6).unwrap();
    let (mut moved, mut out) = (Box::new([stream]), [0; 64]);
    let (status, read, written) = zlib::deflate(&mut moved[0], b"first ", &mut out, 0).unwrap();
    assert_eq!((status, read), (0, 6));
    let [mut stream] = *moved;
    let moved = std::thread::spawn(move || {
        let last = zlib::deflate(&mut stream, b"then", &mut out[written..], Z_FINISH).unwrap();
        (stream, out, written + last.2)
    });
    let (stream, packed, len) = moved.join().unwrap();
    zlib::deflateEnd(stream).unwrap();
    let mut text = [0; 10];
    zlib::uncompress(&mut text, &packed[..len]).unwrap();
    assert_eq!(&text, b"first then");
}

/// An object does not outlive its instance, whatever else its owner does with it.
#[test]
fn an_object_of_an_instance_that_faulted_is_stale() {
    if !isolation() {
        return;
    }
    unsafe extern "C" {
        fn abort() -> !;
    }
    let _turn = alone();
    let mut object = tlv::DOMAIN.object::<[u64; 4]>("object", |_, _| panic!("nothing is left to end")).unwrap();
    let mut call = tlv::DOMAIN.call("fill").unwrap();
    // SAFETY: a number, in an object that no function of the library has seen.
    unsafe { call.set(&mut object, 8, 7_u64) }.unwrap();
    assert_eq!(call.get::<_, [u64; 2]>(&object, 0).unwrap(), [0, 7]);
    drop(call);
    let mut call = tlv::DOMAIN.call("abort").unwrap();
    // SAFETY: `abort` takes nothing and returns nothing.
    let fault = unsafe { call.run::<(), _>(|| abort()) }.unwrap_err();
    assert!(matches!(fault.kind(), FaultKind::Abort), "{fault}");
    drop(call);
    let mut call = tlv::DOMAIN.call("use").unwrap();
    assert!(matches!(call.object(&object).unwrap_err().kind(), FaultKind::StaleHandle));
}
