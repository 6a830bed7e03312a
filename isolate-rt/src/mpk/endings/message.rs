//! What a domain says when it ends its call: composed inside, and read by the program with the bounds checked.

use crate::mpk::crossing::leave::{self, Reason};
use crate::mpk::instances::seat::Seat;
use libc::{c_char, c_uint};
use std::mem::offset_of;
use std::ptr;

/// A text that is no longer than it is. What does not fit is left out.
#[repr(C)]
pub(crate) struct Message {
    len: usize,
    bytes: [u8; Self::MAX],
}

impl Message {
    const MAX: usize = 504;

    pub(crate) const fn new() -> Self {
        Self { len: 0, bytes: [0; Self::MAX] }
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    /// # Safety
    ///
    /// `text` is NULL or a C string.
    pub(crate) unsafe fn text(&mut self, text: *const c_char) {
        if text.is_null() {
            return;
        }
        for at in 0..Self::MAX {
            // SAFETY: by this function's contract; nothing behind the end is read.
            match unsafe { text.cast::<u8>().add(at).read() } {
                0 => return,
                byte => self.byte(byte),
            }
        }
    }

    pub(crate) fn number(&mut self, number: c_uint) {
        if number >= 10 {
            self.number(number / 10);
        }
        self.byte(b'0' + (number % 10) as u8);
    }

    /// Ends the call with this text.
    pub(crate) fn leave(&self, reason: Reason) -> ! {
        leave::leave(reason, ptr::from_ref(self).addr())
    }

    /// The text of a call that has ended: at `address`, says the domain.
    pub(super) fn read(seat: &Seat, address: usize) -> Box<str> {
        // SAFETY: nothing runs on the seat any more.
        let copy = unsafe { seat.copy(address, size_of::<Self>()) };
        let whole = copy.len() == size_of::<Self>();
        let Some(len) = copy.first_chunk().map(|len| usize::from_ne_bytes(*len)).filter(|_| whole) else {
            return Box::default();
        };
        const BYTES: usize = offset_of!(Message, bytes);
        String::from_utf8_lossy(&copy[BYTES..BYTES + len.min(Self::MAX)]).into()
    }
}
