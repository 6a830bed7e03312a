//! Looking at blocks: which ones at the end of a call, and what is wrong with one.

use super::Checks;
use super::canary::{first_other, overrun};
use super::header::{Header, State};
use crate::heap::Damage;

/// Live blocks looked at when a call ends: of those that are new since the last look at most so many, and then others in turn.
const LOOKED_AT: (usize, usize) = (256, 64);
/// Bytes of freed blocks looked at then, likewise.
const POISON_LOOKED_AT: (usize, usize) = (16 << 10, 2 << 10);

impl Checks {
    /// Looks at the newest blocks, and at older ones in turn.
    pub(in crate::heap) fn look(&mut self) -> Result<(), Damage> {
        let (live, freed): (*mut Header, *mut Header) = (&raw mut self.live, &raw mut self.freed);
        let mut header = self.cursor;
        for _ in 0..self.new.min(LOOKED_AT.0) + LOOKED_AT.1 {
            if header == live {
                // SAFETY: ours.
                header = unsafe { (*header).next };
                if header == live {
                    break;
                }
            }
            self.examine(header)?;
            // SAFETY: examined just now: its links are what we made them.
            header = unsafe { (*header).next };
            if header == self.cursor {
                break;
            }
        }
        (self.cursor, self.new) = (header, 0);
        let mut bytes = 0;
        // SAFETY: ours; each further one is examined before its link is followed.
        let mut header = unsafe { (*freed).previous };
        while header != freed && bytes < self.newly_freed.min(POISON_LOOKED_AT.0) {
            self.examine(header)?;
            // SAFETY: as above.
            unsafe {
                bytes += (*header).total;
                header = (*header).previous;
            }
        }
        (self.newly_freed, bytes) = (0, 0);
        while bytes < POISON_LOOKED_AT.1 {
            // SAFETY: as above.
            self.freed_cursor = unsafe { (*self.freed_cursor).next };
            if self.freed_cursor == freed {
                break;
            }
            self.examine(self.freed_cursor)?;
            // SAFETY: as above.
            bytes += unsafe { (*self.freed_cursor).total };
        }
        Ok(())
    }

    /// Looks at one block that is in a ring.
    pub(super) fn examine(&self, header: *mut Header) -> Result<(), Damage> {
        // SAFETY: headers in the rings lie in memory of the heap, readable whatever was written there; what they say is
        // believed if the sum is right.
        unsafe {
            let block = header.add(1).cast::<u8>();
            if !Header::is_whole(header) {
                let at = header.add(1).addr() - size_of::<usize>();
                return Err(self.blame(header, Damage::Overrun { block: block.addr(), size: (*header).size, at }));
            }
            let Header { size, state, .. } = *header;
            if state == State::Freed
                && let Some(at) = first_other(block, size)
            {
                return Err(Damage::WrittenAfterFree { block: block.addr(), size, at });
            }
            match overrun(header) {
                None => Ok(()),
                Some(at) if state == State::Freed => Err(Damage::WrittenAfterFree { block: block.addr(), size, at }),
                Some(at) => Err(Damage::Overrun { block: block.addr(), size, at }),
            }
        }
    }

    /// Whose fault it is that `header` is damaged, if it is one: of the block whose canary is, too, else of who wrote before
    /// its own. `otherwise` if nobody is known.
    ///
    /// # Safety
    ///
    /// The header can be read.
    #[cold]
    pub(super) unsafe fn blame(&self, damaged: *mut Header, otherwise: Damage) -> Damage {
        let mut found_damaged = false;
        for (ring, is_freed) in [(&raw const self.live, false), (&raw const self.freed, true)] {
            let ring = ring.cast_mut();
            for forward in [true, false] {
                // SAFETY: ours.
                let step = |header: *mut Header| unsafe { if forward { (*header).next } else { (*header).previous } };
                let mut header = step(ring);
                while header != ring {
                    found_damaged |= header == damaged;
                    // SAFETY: reached by the link of a header that is whole.
                    unsafe {
                        if !Header::is_whole(header) {
                            break;
                        }
                        let (block, size) = (header.add(1).addr(), (*header).size);
                        let into_damaged = |at: &usize| (*at..*at + 256).contains(&damaged.addr());
                        match overrun(header).filter(into_damaged) {
                            Some(at) if is_freed => return Damage::WrittenAfterFree { block, size, at },
                            Some(at) => return Damage::Overrun { block, size, at },
                            None => {}
                        }
                    }
                    header = step(header);
                }
            }
        }
        match otherwise {
            Damage::Foreign { block } if found_damaged => {
                // The size may be what was overwritten, but most often it is the word right before the block.
                // SAFETY: by this function's contract.
                let size = unsafe { (*damaged).size };
                Damage::Overrun { block, size, at: block - size_of::<usize>() }
            }
            otherwise => otherwise,
        }
    }
}
