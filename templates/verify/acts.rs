//! What is played at the moment: both sides look here.

use std::{
    cell::UnsafeCell,
    sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering},
};

/// What a stub does once it has its arguments.
#[derive(Clone, Copy, PartialEq)]
#[repr(u8)]
pub(crate) enum Act {
    /// Reports success and empty results.
    Honest,
    /// Reports success, fills what room there is, and has a value for every result.
    Fill,
    /// Writes to a page of the program.
    WriteOutside,
    /// Returns and stores huge positive numbers.
    ClaimHuge,
    /// Returns and stores negative numbers.
    ClaimNegative,
    /// Returns and stores pointers to the program's memory.
    ClaimForeign,
    /// Returns and stores bytes that no `bool`, enum or pointer consists of.
    ClaimNoValue,
    /// Returns and stores pointers to text of its own that is not UTF-8.
    ClaimText,
    /// Calls `abort()`.
    Abort,
}

pub(crate) const ACTS: [(Act, &str); 7] = [
    (Act::WriteOutside, "write to the program"),
    (Act::ClaimHuge, "huge results"),
    (Act::ClaimNegative, "negative results"),
    (Act::ClaimForeign, "pointers outside the domain"),
    (Act::ClaimNoValue, "results of no value"),
    (Act::ClaimText, "text that is not UTF-8"),
    (Act::Abort, "abort"),
];

/// Not UTF-8, and ends with a NUL.
pub(crate) const TEXT: [u8; 8] = *b"\xff\xfe\xc0\x80a\xed\xa0\0";

pub(crate) static ACT: AtomicU8 = AtomicU8::new(Act::Honest as u8);

/// How long the slices are that wrappers get, in elements.
pub(crate) static LENGTH: AtomicUsize = AtomicUsize::new(USUAL);
pub(crate) const USUAL: usize = 64;
/// Where a page ends, one off is most likely to show.
pub(crate) const BOUNDARIES: [usize; 5] = [0, 1, 4095, 4096, 4097];

/// What may be NULL is.
pub(crate) static NULL: AtomicBool = AtomicBool::new(false);

/// Number of the function whose wrapper is called: stubs that others call meanwhile got their arguments from nobody here.
pub(crate) static SUBJECT: AtomicUsize = AtomicUsize::new(usize::MAX);
/// What the driver passed on purpose, by the place of the function's parameter.
pub(crate) static PASSED: [AtomicBool; 64] = [const { AtomicBool::new(false) }; 64];

/// A page of the program. No domain may write it.
#[repr(align(4096))]
pub(crate) struct Page(pub(crate) UnsafeCell<[u8; 4096]>);
// SAFETY: the driver has one thread.
unsafe impl Sync for Page {}
pub(crate) static VICTIM: Page = Page(UnsafeCell::new([UNTOUCHED; 4096]));
pub(crate) const UNTOUCHED: u8 = 0x5a;

pub(crate) fn act() -> u8 {
    ACT.load(Ordering::Relaxed)
}

/// The stub is the one whose wrapper is called, and the library works: it must get what the wrapper was given.
pub(crate) fn is_subject(id: usize) -> bool {
    SUBJECT.load(Ordering::Relaxed) == id && works()
}

/// The library does what it should.
pub(crate) fn works() -> bool {
    act() == Act::Honest as u8 || fills()
}

/// How far into an argument a library points that does: one element, where there is one.
pub(crate) fn step() -> usize {
    length().min(1)
}

/// The place in an argument that the function must get: none but the start, where what may be NULL is.
pub(crate) fn inner() -> usize {
    if absent() { 0 } else { step() }
}

/// The library fills what room there is.
pub(crate) fn fills() -> bool {
    act() == Act::Fill as u8
}

/// One of these wrappers is called, and its function fills what it can.
pub(crate) fn fills_for(ids: &[usize]) -> bool {
    fills() && ids.iter().any(|id| is_subject(*id))
}

/// What every byte of the argument at this place is; what is returned has a place of its own.
pub(crate) fn mark(place: usize) -> u8 {
    3 + (place % 32) as u8
}

/// It is the turn of NULL.
pub(crate) fn absent() -> bool {
    NULL.load(Ordering::SeqCst)
}

/// How long slices are at the moment.
pub(crate) fn length() -> usize {
    LENGTH.load(Ordering::SeqCst)
}


/// How long those are of which there are as many.
pub(crate) fn row_length() -> usize {
    length().min(USUAL)
}

/// Of pointers that may be NULL, each is that stands here.
pub(crate) fn is_gap(at: usize) -> bool {
    at % 2 == 1
}
