//! Outputs that stay in the domain, in a [`DomainVec`]: the wrapper's call without its copy.

use crate::rows::row;
use isolate_libraries::isolated::{lz4, zlib};
use isolate_rt::{Domain, DomainVec};
use std::cell::RefCell;

pub(crate) fn rows(data: &[u8]) {
    let packed = |pack: &dyn Fn(&mut [u8]) -> usize| {
        let mut packed = vec![0; data.len() + 1024];
        let len = pack(&mut packed);
        packed.truncate(len);
        packed
    };
    let squeezed = packed(&|out| lz4::LZ4_compress_default(data, out).unwrap());
    let deflated = packed(&|out| zlib::compress2(out, data, 6).unwrap());
    let decompress = |out: *mut u8, room: usize| {
        let from = squeezed.as_ptr().cast();
        // SAFETY: both buffers cover their lengths.
        unsafe { lz4_sys::LZ4_decompress_safe(from, out.cast(), squeezed.len() as _, room as _) as usize }
    };
    let uncompress = |out: *mut u8, room: usize| {
        let mut len = room as _;
        // SAFETY: both buffers cover their lengths.
        unsafe { libz_sys::uncompress(out, &mut len, deflated.as_ptr(), deflated.len() as _) };
        len as usize
    };
    kept("lz4 decompress, kept in the domain", &lz4::DOMAIN, data.len(), &decompress);
    kept("zlib uncompress, kept in the domain", &zlib::DOMAIN, data.len(), &uncompress);
}

/// `function` writes so many bytes to where it is told.
fn kept(what: &str, domain: &'static Domain, size: usize, function: &impl Fn(*mut u8, usize) -> usize) {
    let out: RefCell<DomainVec<u8>> = RefCell::new(domain.vec(size).unwrap());
    row(
        what,
        size,
        size,
        |out| function(out.as_mut_ptr(), out.len()),
        |_| {
            let mut out = out.borrow_mut();
            let mut call = domain.call("kept").unwrap();
            let lent = call.lend(&mut out).unwrap();
            // SAFETY: writes what it was lent, and returns a number.
            unsafe { call.run(|| function(lent.as_mut_ptr(), lent.len())) }.unwrap()
        },
    );
}
