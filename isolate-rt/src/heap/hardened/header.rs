//! What lies before every block: links and sizes, with a checksum.

use super::canary::canary;
use crate::heap::ALIGN;
use std::ptr;

/// Before every block.
#[repr(C)]
pub(super) struct Header {
    pub(super) next: *mut Header,
    pub(super) previous: *mut Header,
    pub(super) size: usize,
    /// From the start of the chunk, or room, to the block.
    pub(super) offset: usize,
    /// Bytes of the chunk or room.
    pub(super) total: usize,
    pub(super) state: State,
    // Padding would be bytes that nobody checks.
    pub(super) _unused: u64,
    /// Last: what comes from behind meets it first.
    pub(super) sum: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(super) enum State {
    Live = 1,
    LiveInRoom,
    Freed,
}

pub(crate) const HEADER: usize = size_of::<Header>();
/// How far each word of a header is turned against the next in its sum, in bits.
const TURN: u32 = 9;

const _: () = assert!(HEADER.is_multiple_of(ALIGN) && HEADER <= 64);

impl Header {
    /// In no ring, around nothing.
    pub(super) fn alone() -> Self {
        let nobody = ptr::null_mut();
        Self { next: nobody, previous: nobody, size: 0, offset: 0, total: 0, state: State::Live, _unused: 0, sum: 0 }
    }

    /// # Safety
    ///
    /// The header can be read.
    pub(super) unsafe fn sum(header: *const Self) -> usize {
        // SAFETY: by this function's contract. Read as words: what it holds may be anything.
        unsafe {
            let words = header.cast::<[usize; 7]>().read();
            let mixed = words.iter().fold(0usize, |sum, word| sum.rotate_left(TURN) ^ word);
            mixed ^ canary(header.addr())
        }
    }

    /// # Safety
    ///
    /// As [`Header::sum`].
    pub(super) unsafe fn is_whole(header: *const Self) -> bool {
        // SAFETY: by this function's contract.
        unsafe { (&raw const (*header).sum).read() == Self::sum(header) }
    }
}

/// Puts `header` before `next`.
///
/// # Safety
///
/// `next` is in a ring, `header` in none.
pub(super) unsafe fn insert(header: *mut Header, next: *mut Header) {
    // SAFETY: by this function's contract.
    unsafe {
        let previous = (*next).previous;
        link(previous, header);
        link(header, next);
    }
}

/// # Safety
///
/// `header` is in a ring, and whole.
pub(super) unsafe fn unlink(header: *mut Header) {
    // SAFETY: by this function's contract.
    unsafe {
        let Header { next, previous, .. } = *header;
        link(previous, next);
    }
}

/// Makes `second` follow `first`. Their sums change by what changed: if one was wrong, it stays wrong.
///
/// # Safety
///
/// Both are headers.
unsafe fn link(first: *mut Header, second: *mut Header) {
    // SAFETY: by this function's contract.
    unsafe {
        (*first).sum ^= ((*first).next.addr() ^ second.addr()).rotate_left(TURN * 6);
        (*first).next = second;
        (*second).sum ^= ((*second).previous.addr() ^ first.addr()).rotate_left(TURN * 5);
        (*second).previous = first;
    }
}
