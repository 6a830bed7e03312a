//! A type of the program that owns a stream, before and after it is isolated: what docs/streams.md shows.

use crate::{isolation::isolation, support::samples};
use isolate_libraries::isolated::bzip2;
use std::ffi::c_int;

const BZ_OK: c_int = 0;
const BZ_STREAM_END: c_int = 4;

/// What a step has done.
#[derive(Debug, PartialEq)]
struct Step {
    read: usize,
    written: usize,
    ended: bool,
}

mod before {
    use super::{BZ_OK, BZ_STREAM_END, Step};
    use bzip2_sys::bz_stream;
    use std::ffi::{c_int, c_uint};

    pub(super) struct Unpacker {
        // The library keeps a pointer to it.
        raw: Box<bz_stream>,
    }

    // SAFETY: the library does not care which thread calls it.
    unsafe impl Send for Unpacker {}

    impl Unpacker {
        pub(super) fn new() -> Result<Unpacker, c_int> {
            // SAFETY: its pointers may all be NULL.
            let mut raw: Box<bz_stream> = Box::new(unsafe { std::mem::zeroed() });
            // SAFETY: it stays where it is until it is dropped.
            match unsafe { bzip2_sys::BZ2_bzDecompressInit(&mut *raw, 0, 0) } {
                BZ_OK => Ok(Unpacker { raw }),
                code => Err(code),
            }
        }

        pub(super) fn unpack(&mut self, input: &[u8], room: &mut [u8]) -> Result<Step, c_int> {
            self.raw.next_in = input.as_ptr().cast_mut().cast();
            self.raw.avail_in = input.len() as c_uint;
            self.raw.next_out = room.as_mut_ptr().cast();
            self.raw.avail_out = room.len() as c_uint;
            // SAFETY: both pointers cover their lengths.
            let ret = unsafe { bzip2_sys::BZ2_bzDecompress(&mut *self.raw) };
            let (read, written) = (input.len() - self.raw.avail_in as usize, room.len() - self.raw.avail_out as usize);
            match ret {
                BZ_OK | BZ_STREAM_END => Ok(Step { read, written, ended: ret == BZ_STREAM_END }),
                code => Err(code),
            }
        }

        pub(super) fn total_out(&self) -> u64 {
            u64::from(self.raw.total_out_hi32) << 32 | u64::from(self.raw.total_out_lo32)
        }
    }

    impl Drop for Unpacker {
        fn drop(&mut self) {
            // SAFETY: `new` has filled it, and nobody uses it afterwards.
            unsafe { bzip2_sys::BZ2_bzDecompressEnd(&mut *self.raw) };
        }
    }
}

mod after {
    use super::{BZ_OK, BZ_STREAM_END, Step, bzip2};
    use bzip2_sys::bz_stream;
    use isolate_rt::{Error, Fault, Object};
    use std::ffi::c_int;

    pub(super) struct Unpacker {
        raw: Object<bz_stream>,
    }

    /// Why nothing was unpacked.
    #[derive(Debug, PartialEq)]
    pub(super) enum Failure {
        /// The library says no: `BZ_DATA_ERROR`, for one.
        Code(c_int),
        /// It did not come back.
        Fault(Fault),
    }

    impl Unpacker {
        pub(super) fn new() -> Result<Unpacker, Failure> {
            Ok(Unpacker { raw: bzip2::BZ2_bzDecompressInit(0, 0)? })
        }

        pub(super) fn unpack(&mut self, input: &[u8], room: &mut [u8]) -> Result<Step, Failure> {
            let (ret, read, written) = bzip2::BZ2_bzDecompress(&mut self.raw, input, room)?;
            match ret {
                BZ_OK | BZ_STREAM_END => Ok(Step { read, written, ended: ret == BZ_STREAM_END }),
                code => Err(Failure::Code(code)),
            }
        }

        pub(super) fn total_out(&self) -> Result<u64, Failure> {
            let told = bzip2::bz_stream::of(&self.raw)?;
            Ok(u64::from(told.total_out_hi32) << 32 | u64::from(told.total_out_lo32))
        }
    }

    impl From<Fault> for Failure {
        fn from(fault: Fault) -> Failure {
            Failure::Fault(fault)
        }
    }

    impl From<Error<c_int>> for Failure {
        fn from(error: Error<c_int>) -> Failure {
            match error {
                Error::Failed(failed) => Failure::Code(*failed.code()),
                Error::Fault(fault) => Failure::Fault(fault),
            }
        }
    }
}

/// Some data, packed.
fn packed() -> (Vec<u8>, Vec<u8>) {
    let (_, data) = samples(100_000).pop().expect("a sample");
    let mut packed = vec![0; data.len() * 2 + 1000];
    let len = bzip2::BZ2_bzBuffToBuffCompress(&mut packed, &data, 1, 0, 0).unwrap();
    packed.truncate(len);
    (data, packed)
}

#[test]
fn both_do_the_same() {
    if !isolation() {
        return;
    }
    let (data, packed) = packed();
    let (mut direct, mut isolated) = (before::Unpacker::new().unwrap(), after::Unpacker::new().unwrap());
    let (mut there, mut here) = (vec![0; 1500], vec![0; 1500]);
    let (mut rest, mut unpacked) = (&packed[..], Vec::new());
    loop {
        let step = isolated.unpack(rest, &mut here).unwrap();
        assert_eq!(direct.unpack(rest, &mut there), Ok(Step { ..step }));
        assert_eq!(here, there);
        unpacked.extend_from_slice(&here[..step.written]);
        rest = &rest[step.read..];
        if step.ended {
            break;
        }
    }
    assert_eq!(unpacked, data);
    assert_eq!(isolated.total_out(), Ok(direct.total_out()));

    let damaged = vec![b'x'; 100];
    let failure = after::Unpacker::new().unwrap().unpack(&damaged, &mut here);
    let code = before::Unpacker::new().unwrap().unpack(&damaged, &mut there).unwrap_err();
    assert_eq!(failure, Err(after::Failure::Code(code)));
}
