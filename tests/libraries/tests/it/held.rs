//! A type of the program that holds an object of the library, before and after it is isolated: what docs/guide.md shows.

use crate::{isolation::isolation, support::samples};

mod before {
    use zstd_sys::{ZSTD_CCtx, ZSTD_compressBound, ZSTD_compressCCtx, ZSTD_createCCtx, ZSTD_freeCCtx, ZSTD_isError};

    pub(super) struct Packer {
        context: *mut ZSTD_CCtx,
    }

    // SAFETY: a context may be used by one thread after the other.
    unsafe impl Send for Packer {}

    impl Packer {
        pub(super) fn new() -> Option<Packer> {
            // SAFETY: it takes nothing.
            let context = unsafe { ZSTD_createCCtx() };
            (!context.is_null()).then_some(Packer { context })
        }

        pub(super) fn pack(&mut self, data: &[u8]) -> Result<Vec<u8>, usize> {
            // SAFETY: it takes a number.
            let mut packed = vec![0; unsafe { ZSTD_compressBound(data.len()) }];
            let (room, input) = (packed.as_mut_ptr().cast(), data.as_ptr().cast());
            // SAFETY: the context lives, and both pointers cover their lengths.
            let count = unsafe { ZSTD_compressCCtx(self.context, room, packed.len(), input, data.len(), 3) };
            // SAFETY: it takes a number.
            if unsafe { ZSTD_isError(count) } != 0 {
                return Err(count);
            }
            packed.truncate(count);
            Ok(packed)
        }
    }

    impl Drop for Packer {
        fn drop(&mut self) {
            // SAFETY: made by `ZSTD_createCCtx`, and not used any more.
            unsafe { ZSTD_freeCCtx(self.context) };
        }
    }
}

mod after {
    use isolate_libraries::isolated;
    use isolate_rt::{Error, Null, Owned};
    use zstd_sys::ZSTD_CCtx;

    pub(super) struct Packer {
        context: Owned<ZSTD_CCtx>,
    }

    impl Packer {
        pub(super) fn new() -> Result<Packer, Error<Null>> {
            Ok(Packer { context: isolated::zstd::ZSTD_createCCtx()? })
        }

        pub(super) fn pack(&mut self, data: &[u8]) -> Result<Vec<u8>, Error<usize>> {
            let mut packed = vec![0; isolated::zstd::ZSTD_compressBound(data.len())?];
            let count = isolated::zstd::ZSTD_compressCCtx(&self.context, &mut packed, data, 3)?;
            packed.truncate(count);
            Ok(packed)
        }
    }
}

#[test]
fn both_pack_alike() {
    fn is_send<T: Send>(_: &T) {}
    if !isolation() {
        return;
    }
    let (mut direct, mut isolated) = (before::Packer::new().unwrap(), after::Packer::new().unwrap());
    is_send(&isolated);
    for (name, data) in samples(1 << 20) {
        assert!(isolated.pack(&data).unwrap() == direct.pack(&data).unwrap(), "{name}");
    }
}

/// The guide leaves out where things come from and how visible they are.
#[test]
fn the_guide_shows_this_file() {
    let lines = |text: &str| -> Vec<String> {
        let plain = text.lines().map(|line| line.trim().replace("pub(super) ", ""));
        plain.filter(|line| !line.is_empty()).collect()
    };
    let (_, section) = include_str!("../../../../docs/guide.md").split_once("### An object of the library\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let here = lines(include_str!("held.rs"));
    let blocks: Vec<_> =
        section.split("```rust\n").skip(1).map(|rest| lines(rest.split("```").next().unwrap())).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        assert!(here.windows(block.len()).any(|window| window == block), "{block:#?}");
    }
}
