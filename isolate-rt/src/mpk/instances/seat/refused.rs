//! What a call has asked its heap for in vain: told when the call is stopped, since what a library does with NULL fails somewhere else.

use super::Seat;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The last of it. Not cleared when a call begins, which would cost each call something: the number says whose it is.
pub(super) struct Refused {
    call: AtomicU64,
    bytes: AtomicUsize,
}

impl Refused {
    pub(super) const fn nothing() -> Self {
        Self { call: AtomicU64::new(0), bytes: AtomicUsize::new(0) }
    }
}

impl Seat {
    /// The call at hand was given NULL for so many bytes.
    pub(in crate::mpk) fn note_refusal(&self, bytes: usize) {
        self.refused.bytes.store(bytes, Ordering::Relaxed);
        self.refused.call.store(self.call(), Ordering::Relaxed);
    }

    /// For how many bytes the call at hand was last given NULL.
    pub(in crate::mpk) fn refused(&self) -> Option<usize> {
        let bytes = self.refused.bytes.load(Ordering::Relaxed);
        (self.refused.call.load(Ordering::Relaxed) == self.call() && bytes > 0).then_some(bytes)
    }
}
