//! Room for the values of a call: opened as it is needed, closed when the call is over, and watched at the ends.

use super::Seat;
use crate::call::copy_once;
use crate::fault::{FaultKind, Unsupported};
use crate::machine::kernel::drop_contents;
use crate::machine::pkey::Pkey;
use crate::mpk::areas::layout::STAGING;
use std::ptr;
use std::sync::atomic::Ordering;

/// Staged memory that stays with the seat between calls; what a call used beyond it goes back to the kernel, in bytes.
const STAGING_KEPT: usize = 8 << 20;
/// The least that is opened of the room for large staged values, in bytes. More is opened in powers of two: a library that runs over
/// what it was given meets the end of that.
const STAGING_OPENED: usize = 64 << 10;
/// What lies behind a staged room, with the room's end mixed in: a library that runs over the room changes it.
const CANARY: u128 = 0x7a3f_c86e_19d4_52b0_e15b_0d97_a6c2_384f;
/// What staged values are overwritten with after the call, in debug builds: who has kept a pointer to one does not go on with what happens
/// to be there still. As an address it is none.
const POISON: u8 = 0xdb;
/// Rooms of a call whose canaries are looked at; any further ones have none.
pub(super) const WATCHED: usize = 8;
const _: () = assert!(STAGING_KEPT.is_power_of_two() && STAGING.is_power_of_two());

impl Seat {
    /// Room for `len` values. What it holds is unspecified.
    ///
    /// # Safety
    ///
    /// The caller holds the seat.
    #[inline]
    pub(in crate::mpk) unsafe fn stage(
        &self,
        key: Pkey,
        len: usize,
        size: usize,
        align: usize,
    ) -> Result<*mut u8, FaultKind> {
        // SAFETY: by this function's contract.
        let own = unsafe { &mut *self.own.get() };
        let align = align.max(16);
        let too_large = || FaultKind::TooLarge { requested: len.saturating_mul(size), limit: STAGING };
        let bytes = len.checked_mul(size).filter(|&bytes| bytes <= STAGING).ok_or_else(too_large)?;
        let place = |range: &std::ops::Range<usize>, used: usize| {
            // Behind the canary of the one before.
            let start = (range.start + used + if used > 0 { size_of::<u128>() } else { 0 }).next_multiple_of(align);
            // One byte at least: the end of the room is not in it.
            let used = start + bytes.max(1) - range.start;
            (used <= range.len()).then_some((start, used))
        };
        let (start, open) = match place(&self.layout.mailbox, own.mailbox) {
            Some((start, used)) => {
                own.mailbox = used;
                (start, self.layout.mailbox.end)
            }
            None => {
                let (start, used) = place(&self.layout.staging, own.staged).ok_or_else(too_large)?;
                // With room for the canary: what this call stages later lies behind it.
                let needed = (used + size_of::<u128>()).min(STAGING);
                if needed > self.open.load(Ordering::Relaxed) {
                    self.open_staging(key, needed).map_err(FaultKind::Unsupported)?;
                }
                own.staged = used;
                (start, self.layout.staging.start + self.open.load(Ordering::Relaxed))
            }
        };
        let end = start + bytes;
        // Where there is no room for a canary, nothing that could be overrun follows either.
        if own.ends_count < WATCHED && open - end >= size_of::<u128>() {
            // SAFETY: of this seat, open to it, and no room's.
            unsafe { ptr::with_exposed_provenance_mut::<u128>(end).write_unaligned(CANARY ^ end as u128) };
            own.ends[own.ends_count] = (end, bytes);
            own.ends_count += 1;
        }
        Ok(ptr::with_exposed_provenance_mut(start))
    }

    /// A room of this call behind whose end something was written: that end, and the room's size in bytes.
    ///
    /// # Safety
    ///
    /// The caller holds the seat.
    #[inline]
    pub(in crate::mpk) unsafe fn overrun(&self) -> Option<(usize, usize)> {
        // SAFETY: by this function's contract.
        let own = unsafe { &*self.own.get() };
        own.ends.iter().take(own.ends_count).copied().find(|&(end, _)| {
            let mut canary = [0; size_of::<u128>()];
            // SAFETY: `stage` has written there.
            unsafe { copy_once(ptr::with_exposed_provenance(end), &raw mut canary, 1) };
            u128::from_ne_bytes(canary) != CANARY ^ end as u128
        })
    }

    #[cold]
    fn open_staging(&self, key: Pkey, until: usize) -> Result<(), Unsupported> {
        let open = self.open.load(Ordering::Relaxed);
        let wanted = until.next_power_of_two().clamp(STAGING_OPENED, STAGING);
        // SAFETY: of this seat, and not in use yet.
        unsafe { key.tag(self.layout.staging.start + open, wanted - open)? };
        self.open.store(wanted, Ordering::Release);
        Ok(())
    }

    /// The end of what was staged, where `address` is of that.
    ///
    /// # Safety
    ///
    /// The caller uses the seat.
    #[inline]
    pub(in crate::mpk) unsafe fn staged_until(&self, address: usize) -> Option<usize> {
        // SAFETY: by this function's contract.
        let own = unsafe { &*self.own.get() };
        [(self.layout.mailbox.start, own.mailbox), (self.layout.staging.start, own.staged)]
            .into_iter()
            .find(|(start, used)| address.wrapping_sub(*start) < *used)
            .map(|(start, used)| start + used)
    }

    /// Forgets what was staged, and what was given to read.
    ///
    /// # Safety
    ///
    /// The caller holds the seat and uses nothing of it any more.
    #[inline]
    pub(in crate::mpk) unsafe fn clear(&self) {
        // SAFETY: by this function's contract.
        let own = unsafe { &mut *self.own.get() };
        if own.staged + size_of::<u128>() > STAGING_KEPT {
            self.close_staging();
        }
        if cfg!(debug_assertions) {
            for (start, used) in [(self.layout.mailbox.start, own.mailbox), (self.layout.staging.start, own.staged)] {
                // SAFETY: of this seat, open to it, and nobody's any more.
                unsafe { ptr::with_exposed_provenance_mut::<u8>(start).write_bytes(POISON, used.min(STAGING_KEPT)) };
            }
        }
        (own.staged, own.mailbox, own.ends_count) = (0, 0, 0);
        own.inputs.forget();
        self.next_call();
    }

    /// Gives back what was opened for a call that needed much, and closes it again.
    #[cold]
    fn close_staging(&self) {
        let (start, len) = (self.layout.staging.start + STAGING_KEPT, self.open.load(Ordering::Relaxed) - STAGING_KEPT);
        // SAFETY: staged memory of a call that ends.
        unsafe {
            drop_contents(start, len);
            if libc::mprotect(ptr::with_exposed_provenance_mut(start), len, libc::PROT_NONE) == 0 {
                self.open.store(STAGING_KEPT, Ordering::Release);
            }
        }
    }
}
