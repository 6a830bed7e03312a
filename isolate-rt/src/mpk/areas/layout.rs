//! Where in the address space instances lie: one reservation, a slot per key, so that "is this address a domain's" is one
//! comparison and a stray pointer from one slot meets gigabytes of nothing before the next.
//!
//! ```text
//! slot:  │ heap, up to its limit ┄┄┄┄ │ rooms ┄┄┄┄ │ seat 0 │ seat 1 │ … │ seat 39 │ mappings ┄┄┄┄ │
//! seat:  │ guard │ stack │·│ thread-local storage │·│ mailbox │·│ staging, as needed ┄┄ │      · one unmapped page
//! ```

use crate::fault::Unsupported;
use crate::heap::Heap;
use crate::machine::PAGE;
use crate::machine::kernel::system;
use crate::mpk::threads::once::Once;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Keys that a process can have.
const SLOTS: usize = 15;
/// Address space of a slot, in bytes.
const SLOT: usize = 512 << 30;
/// Threads that can be inside one instance.
pub(in crate::mpk) const SEATS: usize = 40;
const SEAT: usize = 6 << 30;
const HEAP_SPAN: usize = 16 << 30;
/// Unmapped room under a stack: a frame larger than this could step over it.
const GUARD: usize = 512 << 20;
/// Room for small staged values, in bytes.
const MAILBOX: usize = 64 << 10;
/// Room for the large ones of one call, in bytes.
pub(in crate::mpk) const STAGING: usize = crate::direct::MAX_STAGED;
const MAX_STACK: usize = 1 << 30;
const MAX_HEAP: usize = 8 << 30;

const _: () = assert!(GUARD + MAX_STACK + MAILBOX + STAGING + (256 << 20) < SEAT && MAX_HEAP < HEAP_SPAN);
const _: () = assert!(HEAP_SPAN + SEATS * SEAT < SLOT);

/// The address space of an instance.
#[derive(Clone, Debug)]
pub(in crate::mpk) struct Layout {
    pub(in crate::mpk) heap: Range<usize>,
    /// Where rooms for large blocks may be opened.
    pub(in crate::mpk) rooms: Range<usize>,
    /// Where what it maps lies.
    pub(in crate::mpk) mappings: Range<usize>,
    /// Which slot it is.
    pub(in crate::mpk) index: usize,
    seats: usize,
    stack_size: usize,
    tls_size: usize,
}

/// What one thread has of an instance while it is inside. Page-aligned, with unmapped memory between what may overrun.
#[derive(Clone, Debug)]
pub(in crate::mpk) struct SeatLayout {
    pub(in crate::mpk) guard: Range<usize>,
    pub(in crate::mpk) stack: Range<usize>,
    pub(in crate::mpk) tls: Range<usize>,
    pub(in crate::mpk) mailbox: Range<usize>,
    pub(in crate::mpk) staging: Range<usize>,
}

/// What lies at an address of a slot.
pub(in crate::mpk) enum Place {
    Heap,
    Mappings,
    Stack,
    ThreadLocal,
    Staged,
    /// Nothing, so that what runs over meets it.
    Guard,
}

static ARENA_START: AtomicUsize = AtomicUsize::new(0);
static ARENA_END: AtomicUsize = AtomicUsize::new(0);

/// Whether `address` can belong to a domain. False before the first domain is made.
#[inline]
pub(crate) fn in_arena(address: usize) -> bool {
    // The end is read first, since it is written last: if it is set, the start is set, too.
    address < ARENA_END.load(Ordering::Acquire) && address >= ARENA_START.load(Ordering::Relaxed)
}

/// Whether any of so many bytes can.
pub(crate) fn reaches_arena(address: usize, len: usize) -> bool {
    address < ARENA_END.load(Ordering::Acquire)
        && address.saturating_add(len.max(1)) > ARENA_START.load(Ordering::Relaxed)
}

impl Layout {
    /// Reserves the next slot. Nothing is mapped readable yet.
    pub(in crate::mpk) fn reserve(stack: usize, tls: usize, heap: usize) -> Result<Self, Unsupported> {
        let stack_size = rounded(stack, PAGE * 4, MAX_STACK, "the stack size is larger than 1 GiB")?;
        let heap = rounded(heap, Heap::MIN, MAX_HEAP, "the heap limit is larger than 8 GiB")?;
        let (index, slot) = next_slot()?;
        Ok(Self {
            index,
            heap: slot..slot + heap,
            rooms: slot + MAX_HEAP..slot + HEAP_SPAN,
            mappings: slot + HEAP_SPAN + SEATS * SEAT..slot + SLOT,
            seats: slot + HEAP_SPAN,
            stack_size,
            tls_size: tls.next_multiple_of(PAGE),
        })
    }

    pub(in crate::mpk) fn seat(&self, index: usize) -> SeatLayout {
        let start = self.seats + index * SEAT;
        let guard = start..start + GUARD;
        let stack = guard.end..guard.end + self.stack_size;
        let tls = stack.end + PAGE..stack.end + PAGE + self.tls_size;
        let mailbox = tls.end + PAGE..tls.end + PAGE + MAILBOX;
        let staging = mailbox.end + PAGE..mailbox.end + PAGE + STAGING;
        SeatLayout { guard, stack, tls, mailbox, staging }
    }

    /// What lies at `address`, if it is of this slot.
    pub(in crate::mpk) fn place(&self, address: usize) -> Option<Place> {
        let slot = self.heap.start..self.heap.start + SLOT;
        if !slot.contains(&address) {
            return None;
        }
        let seat = self.seat_of(address).map(|index| self.seat(index));
        Some(match seat {
            _ if self.heap.contains(&address) || self.rooms.contains(&address) => Place::Heap,
            _ if self.mappings.contains(&address) => Place::Mappings,
            Some(seat) if seat.stack.contains(&address) => Place::Stack,
            Some(seat) if seat.tls.contains(&address) => Place::ThreadLocal,
            Some(seat) if seat.mailbox.contains(&address) || seat.staging.contains(&address) => Place::Staged,
            _ => Place::Guard,
        })
    }

    /// The seat whose address space `address` is in.
    pub(in crate::mpk) fn seat_of(&self, address: usize) -> Option<usize> {
        let seat = address.checked_sub(self.seats)? / SEAT;
        (seat < SEATS).then_some(seat)
    }
}

impl SeatLayout {
    /// Of no seat of an instance.
    pub(in crate::mpk) const fn nowhere() -> Self {
        Self { guard: 0..0, stack: 0..0, tls: 0..0, mailbox: 0..0, staging: 0..0 }
    }

    /// What the domain may write from the beginning: all but the room for large staged values, which is opened as it is needed.
    pub(in crate::mpk) fn ranges(&self) -> [&Range<usize>; 3] {
        [&self.stack, &self.tls, &self.mailbox]
    }
}

fn rounded(size: usize, min: usize, max: usize, what: &'static str) -> Result<usize, Unsupported> {
    if size > max {
        return Err(Unsupported::Setting { what });
    }
    Ok(size.max(min).next_multiple_of(PAGE))
}

static USED: AtomicUsize = AtomicUsize::new(0);

/// How many instances there may be yet.
pub(in crate::mpk) fn slots_left() -> usize {
    SLOTS.saturating_sub(USED.load(Ordering::Relaxed))
}

fn next_slot() -> Result<(usize, usize), Unsupported> {
    static ARENA: Once<usize> = Once::new();
    let arena = *ARENA.get_or_make(reserve_arena)?;
    match USED.fetch_add(1, Ordering::Relaxed) {
        slot if slot < SLOTS => Ok((slot, arena + slot * SLOT)),
        _ => Err(Unsupported::NoKey),
    }
}

fn reserve_arena() -> Result<usize, Unsupported> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: reserves address space wherever there is some.
    let arena = unsafe { libc::mmap(std::ptr::null_mut(), SLOTS * SLOT, libc::PROT_NONE, flags, -1, 0) };
    if arena == libc::MAP_FAILED {
        return Err(system("mmap"));
    }
    let start = arena.expose_provenance();
    ARENA_START.store(start, Ordering::Relaxed);
    ARENA_END.store(start + SLOTS * SLOT, Ordering::Release);
    Ok(start)
}
