//! What the program has given the call at hand to read: bytes of its own, to which what the library returns may point.

use super::Seat;
use std::sync::atomic::Ordering;

/// How many are remembered without allocating memory, which a call in a signal handler must not.
const AT_ONCE: usize = 16;

/// Bytes that are borrowed as long as the call is used.
#[derive(Clone)]
pub(in crate::mpk) struct Inputs {
    first: [(usize, usize); AT_ONCE],
    count: usize,
    more: Vec<(usize, usize)>,
}

impl Inputs {
    pub(super) const fn new() -> Self {
        Self { first: [(0, 0); AT_ONCE], count: 0, more: Vec::new() }
    }

    pub(super) fn forget(&mut self) {
        self.count = 0;
        self.more.clear();
    }

    /// The bytes, each with its beginning and its length.
    pub(in crate::mpk) fn given(&self) -> impl Iterator<Item = &(usize, usize)> {
        self.first[..self.count].iter().chain(&self.more)
    }
}

impl Seat {
    /// Remembers bytes of the program for as long as the call at hand lasts.
    ///
    /// # Safety
    ///
    /// The caller holds the seat.
    #[inline]
    pub(in crate::mpk) unsafe fn remember(&self, start: usize, len: usize) {
        // SAFETY: by this function's contract.
        let inputs = unsafe { &mut (*self.own.get()).inputs };
        match inputs.first.get_mut(inputs.count) {
            Some(room) => {
                *room = (start, len);
                inputs.count += 1;
            }
            None => inputs.more.push((start, len)),
        }
    }

    /// What the call at hand remembers, for another seat that it goes to.
    ///
    /// # Safety
    ///
    /// The caller holds the seat.
    pub(in crate::mpk) unsafe fn inputs(&self) -> Inputs {
        // SAFETY: by this function's contract.
        unsafe { &*self.own.get() }.inputs.clone()
    }

    /// How many bytes from `address` on are of an argument of the call at hand, if that is the one with this number.
    ///
    /// # Safety
    ///
    /// The caller uses the seat.
    pub(in crate::mpk) unsafe fn input_from(&self, call: u64, address: usize) -> Option<usize> {
        if call != self.call() {
            return None;
        }
        // SAFETY: by this function's contract.
        let inputs = unsafe { &(*self.own.get()).inputs };
        let rest = |&(start, len): &(usize, usize)| len.checked_sub(address.checked_sub(start)?);
        inputs.given().filter_map(rest).max().filter(|&rest| rest > 0)
    }

    /// Number of the call at hand: the next one has another.
    #[inline]
    pub(in crate::mpk) fn call(&self) -> u64 {
        self.call.load(Ordering::Relaxed)
    }

    /// The call at hand is over, also one that was leaked. To be called by the seat's owner, before it is somebody else's.
    #[inline]
    pub(in crate::mpk) fn next_call(&self) {
        self.call.store(self.call() + 1, Ordering::Relaxed);
    }
}
