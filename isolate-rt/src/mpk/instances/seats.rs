//! Who has which seat of an instance.
//!
//! A thread keeps the seat of its last call: taking it again is two plain stores and a load, since only another thread that
//! finds no free seat looks at it, and that one pays for both (membarrier(2)). Seats beyond the first, of a thread that begins
//! a call before another is over, are given back at once.

use super::seat::Seat;
use crate::mpk::areas::layout::{SEATS, SeatLayout};
use crate::mpk::crossing::thread::Thread;
use crate::mpk::threads::waiting::{A_MOMENT, barrier, one_fewer, wait, wake};
use crate::mpk::threads::work::Work;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering, compiler_fence};

/// All seats of an instance, and who may have how many.
pub(in crate::mpk) struct Seats {
    /// Which of a thread's [`Slot`]s is for this instance.
    index: usize,
    /// Whether threads keep their seats. Not where there is one for all.
    kept: bool,
    /// Threads that wait for a seat, and the word they wait on.
    waiting: AtomicU32,
    released: AtomicU32,
    // On the heap: threads with small stacks make domains, too.
    seats: Box<[Seat]>,
}

/// A thread's part in one instance: the seat it keeps.
pub(in crate::mpk) struct Slot {
    /// Null where it keeps none; marked as [`wanted`] while another thread tries to take the seat. Only that thread removes the mark.
    seat: AtomicPtr<Seat>,
    /// Set while a call of the thread uses the seat. Written by the thread alone.
    busy: AtomicBool,
}

/// A kept seat that another thread is about to take.
fn wanted(seat: *mut Seat) -> *mut Seat {
    // An odd address, at which no seat can lie.
    seat.wrapping_byte_add(1)
}

fn is_wanted(seat: *mut Seat) -> bool {
    !seat.addr().is_multiple_of(2)
}

/// A seat that the calling thread uses. Two pointers: each call hands it on a few times.
#[derive(Clone, Copy)]
pub(super) struct Held {
    pub(super) seat: &'static Seat,
    /// Where the thread keeps it; a seat that it does not keep is given back after the call.
    kept: Option<&'static Slot>,
}

impl Held {
    /// A seat that is nobody's, for a call that has lost its own.
    pub(super) fn nowhere() -> Self {
        static NOWHERE: Seat = Seat::new(SeatLayout::nowhere());
        Self { seat: &NOWHERE, kept: None }
    }
}

impl Slot {
    pub(in crate::mpk) const fn new() -> Self {
        Self { seat: AtomicPtr::new(ptr::null_mut()), busy: AtomicBool::new(false) }
    }

    /// Takes the seat that the thread keeps, if it is free.
    #[inline]
    pub(super) fn take(&'static self) -> Option<Held> {
        if self.busy.load(Ordering::Relaxed) {
            return None;
        }
        // First say that it is in use, then look whether it is still there. `revoke` does the opposite, with a barrier
        // between that also holds for us: one of the two sees what the other wrote.
        self.busy.store(true, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        let seat = self.seat.load(Ordering::Acquire);
        let seat = match is_wanted(seat) {
            true => None,
            // SAFETY: seats are never freed.
            false => unsafe { seat.as_ref() },
        };
        if seat.is_none() {
            self.busy.store(false, Ordering::Release);
        }
        seat.map(|seat| Held { seat, kept: Some(self) })
    }
}

impl Seats {
    /// `one_at_a_time`: there is one seat, which everybody takes and gives back.
    pub(super) fn new(index: usize, layout: impl Fn(usize) -> SeatLayout, one_at_a_time: bool) -> Self {
        Self {
            index,
            kept: !one_at_a_time,
            waiting: AtomicU32::new(0),
            released: AtomicU32::new(0),
            seats: (0..if one_at_a_time { 1 } else { SEATS }).map(|index| Seat::new(layout(index))).collect(),
        }
    }

    /// Takes a seat. Waits while there is none; `None` where that would be for ever, because this thread has all of them.
    pub(super) fn take(&'static self, thread: &'static Thread) -> Option<Held> {
        if let Some(held) = thread.slot(self.index).take() {
            return Some(held);
        }
        loop {
            let seen = self.released.load(Ordering::Acquire);
            // Begun anew for each attempt: a thread that waits for a seat must not keep others from forking.
            let work = Work::begin();
            let Some(seat) = self.seats.iter().find(|seat| seat.claim(thread)).or_else(|| self.revoke(thread)) else {
                drop(work);
                if self.seats.iter().all(|seat| ptr::eq(seat.owner.load(Ordering::Relaxed), thread)) {
                    return None;
                }
                self.waiting.fetch_add(1, Ordering::Relaxed);
                wait(self.released.as_ptr(), seen, A_MOMENT);
                one_fewer(&self.waiting);
                continue;
            };
            // SAFETY: ours since a moment ago.
            unsafe { seat.taken_by(thread) };
            return Some(Held { seat, kept: if self.kept { self.keep(seat, thread) } else { None } });
        }
    }

    /// Makes `seat` the one that the thread keeps, unless it has one already.
    fn keep(&self, seat: &'static Seat, thread: &'static Thread) -> Option<&'static Slot> {
        let slot = thread.slot(self.index);
        // A signal handler of this thread may come in between, and make a call: it finds the slot in use.
        if slot.busy.swap(true, Ordering::Acquire) {
            return None;
        }
        let seat = ptr::from_ref(seat).cast_mut();
        let kept = slot.seat.compare_exchange(ptr::null_mut(), seat, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if !kept {
            slot.busy.store(false, Ordering::Release);
        }
        kept.then_some(slot)
    }

    /// Takes a seat from a thread that keeps it and does not use it.
    fn revoke(&'static self, thread: &Thread) -> Option<&'static Seat> {
        self.seats.iter().filter(|_| self.kept).find(|&seat| {
            // SAFETY: threads are never freed.
            let Some(owner) = (unsafe { seat.owner.load(Ordering::Acquire).as_ref() }) else { return false };
            let (slot, this) = (owner.slot(self.index), ptr::from_ref(seat).cast_mut());
            let mark = || slot.seat.compare_exchange(this, wanted(this), Ordering::AcqRel, Ordering::Relaxed).is_ok();
            if slot.busy.load(Ordering::Relaxed) || !mark() {
                return false;
            }
            // Until the mark is gone the owner keeps no other seat and does not end, and nobody else wants this one.
            barrier();
            self.take_if_idle(this, slot, ptr::from_ref(thread).cast_mut())
        })
    }

    /// Gives a seat that was marked as wanted before a barrier to `taker`, if its owner does not use it.
    fn take_if_idle(&self, seat: *mut Seat, slot: &Slot, taker: *mut Thread) -> bool {
        let idle = !slot.busy.load(Ordering::Acquire);
        if idle {
            // SAFETY: seats are never freed.
            unsafe { &*seat }.owner.store(taker, Ordering::Release);
        }
        slot.seat.store(if idle { ptr::null_mut() } else { seat }, Ordering::Release);
        idle
    }

    /// Gives a seat back.
    #[inline]
    pub(super) fn release(&self, held: Held) {
        match held.kept {
            Some(slot) => slot.busy.store(false, Ordering::Release),
            None => held.seat.owner.store(ptr::null_mut(), Ordering::Release),
        }
        if self.waiting.load(Ordering::Relaxed) != 0 {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        self.released.fetch_add(1, Ordering::Release);
        wake(self.released.as_ptr());
    }

    /// Whether a call of the thread uses this seat of its own.
    pub(super) fn uses(&self, thread: &Thread, seat: &Seat) -> bool {
        let slot = thread.slot(self.index);
        let is_kept = slot.seat.load(Ordering::Relaxed).map_addr(|seat| seat & !1).cast_const() == ptr::from_ref(seat);
        !is_kept || slot.busy.load(Ordering::Relaxed)
    }

    pub(in crate::mpk) fn iter(&self) -> impl Iterator<Item = &Seat> {
        self.seats.iter()
    }

    pub(super) fn get(&self, index: usize) -> Option<&Seat> {
        self.seats.get(index)
    }

    /// When `thread` ends: gives back what it has, seats of calls that were leaked among them.
    pub(super) fn retire(&self, thread: &Thread) {
        // The kept seat first. If another thread is just taking it, wait until that is decided: else both would decide whose it is.
        thread.slot(self.index).give_up();
        for seat in self.seats.iter().filter(|seat| ptr::eq(seat.owner.load(Ordering::Relaxed), thread)) {
            seat.next_call();
            seat.owner.store(ptr::null_mut(), Ordering::Release);
        }
        self.wake();
    }

    /// Before a fork: marks the seats that threads other than `survivor` keep and do not use, as far as can be seen before a
    /// [`barrier`]. Says whether there are any. Nobody else takes a seat meanwhile.
    pub(in crate::mpk) fn want_idle(&self, survivor: Option<&Thread>) -> bool {
        let mut any = false;
        for (seat, slot) in self.kept_by_others(survivor) {
            let mark = || slot.seat.compare_exchange(seat, wanted(seat), Ordering::AcqRel, Ordering::Relaxed).is_ok();
            any |= !slot.busy.load(Ordering::Relaxed) && mark();
        }
        any
    }

    /// After the barrier: takes them, where their threads still do not use them.
    pub(in crate::mpk) fn take_wanted(&self, survivor: Option<&Thread>) {
        for (seat, slot) in self.kept_by_others(survivor) {
            if slot.seat.load(Ordering::Relaxed) == wanted(seat) {
                self.take_if_idle(seat, slot, ptr::null_mut());
            }
        }
    }

    /// The seats of other threads, and where those keep their own.
    fn kept_by_others(&self, survivor: Option<&Thread>) -> impl Iterator<Item = (*mut Seat, &'static Slot)> {
        self.seats.iter().filter_map(move |seat| {
            let owner = seat.owner.load(Ordering::Acquire);
            let is_other = !survivor.is_some_and(|survivor| ptr::eq(owner, survivor));
            // SAFETY: threads are never freed.
            let owner = unsafe { owner.as_ref() }.filter(|_| is_other)?;
            Some((ptr::from_ref(seat).cast_mut(), owner.slot(self.index)))
        })
    }

    /// In the child of a fork, where only `survivor` goes on, if there is one, under a new number: takes the others' seats
    /// back. Returns whether one of them had one.
    pub(super) fn forget_others(&self, survivor: Option<&Thread>) -> bool {
        self.waiting.store(0, Ordering::Relaxed);
        let mut had = false;
        if let Some(survivor) = survivor {
            survivor.slot(self.index).not_wanted();
        }
        for seat in &self.seats {
            let owner = seat.owner.load(Ordering::Relaxed);
            match survivor.filter(|&survivor| ptr::eq(owner, survivor)) {
                Some(survivor) => {
                    // SAFETY: the one thread that there is.
                    unsafe { seat.renumber(survivor) };
                    if seat.running.load(Ordering::Relaxed) > 0 {
                        seat.running.store(survivor.tid(), Ordering::Relaxed);
                    }
                }
                None if owner.is_null() => {}
                None => {
                    had = true;
                    // SAFETY: as above. Its thread may have been laying it out.
                    unsafe { seat.forget_layout() };
                    seat.running.store(0, Ordering::Relaxed);
                    seat.owner.store(ptr::null_mut(), Ordering::Relaxed);
                    // SAFETY: threads are never freed. This one does not exist here.
                    if let Some(owner) = unsafe { owner.as_ref() } {
                        owner.slot(self.index).clear();
                    }
                }
            }
        }
        had
    }
}

impl Slot {
    /// Ends with nothing kept.
    fn give_up(&self) {
        loop {
            let seat = self.seat.load(Ordering::Acquire);
            if is_wanted(seat) {
                std::thread::yield_now();
            } else if self.seat.compare_exchange(seat, ptr::null_mut(), Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                break;
            }
        }
        self.busy.store(false, Ordering::Relaxed);
    }

    /// In the child of a fork: who wanted the seat does not exist.
    fn not_wanted(&self) {
        let seat = self.seat.load(Ordering::Relaxed);
        if is_wanted(seat) {
            self.seat.store(seat.wrapping_byte_sub(1), Ordering::Relaxed);
        }
    }

    /// In the child of a fork, whose thread does not exist.
    fn clear(&self) {
        self.seat.store(ptr::null_mut(), Ordering::Relaxed);
        self.busy.store(false, Ordering::Relaxed);
    }
}
