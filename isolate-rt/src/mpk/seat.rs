//! A seat: what one thread has of an instance while it is inside. Stack, thread-local storage, room for staged values.
//!
//! A seat belongs to its owner, and is in use from the beginning of a call until its results are read. A thread keeps the
//! seat of its last call: taking it again is two plain stores and a load, since only another thread that finds no free seat
//! looks at it, and that one pays for both (membarrier(2)). Seats beyond the first, of a thread that begins a call before
//! another is over, are given back at once.

use super::layout::{SEATS, STAGING, SeatLayout};
use super::pkey::Pkey;
use super::thread::Thread;
use super::tls::{Block, Template};
use super::{barrier, wait, wake};
use crate::fault::{FaultKind, Unsupported};
use crate::heap::Heap;
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, Ordering, compiler_fence};

/// Staged memory that stays with the seat between calls; what a call used beyond it goes back to the kernel, in bytes.
const STAGING_KEPT: usize = 8 << 20;
/// What the gate leaves free at the top of the stack.
const STACK_MARGIN: usize = 64;

/// All seats of an instance, and who may have how many.
pub(super) struct Seats {
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

pub(super) struct Seat {
    layout: SeatLayout,
    /// Whose it is; null is nobody's.
    owner: AtomicPtr<Thread>,
    /// Number of the thread that is in the domain on this seat; 0 while none is, [`IN_CALLBACK`] while it will be again.
    /// Read by whoever clears the instance.
    pub(super) running: AtomicI32,
    /// Set once the seat has been laid out.
    ready: AtomicU32,
    own: UnsafeCell<Own>,
}

/// What only the thread that uses the seat touches.
struct Own {
    /// Generation that the seat is made ready for.
    generation: u64,
    /// Where the gate points FS.
    fs: usize,
    mailbox: usize,
    staged: usize,
    tls: Option<Block>,
}

/// The thread runs a callback of the program's. It looks before it goes back in.
pub(super) const IN_CALLBACK: i32 = -1;

/// No generation has this number.
const NEVER: u64 = u64::MAX;

/// A thread's part in one instance: the seat it keeps.
pub(super) struct Slot {
    /// Null where it keeps none; [`wanted`] while another thread looks whether this one uses it. That thread alone ends that.
    seat: AtomicPtr<Seat>,
    /// Set while a call of the thread uses the seat. Written by the thread alone.
    busy: AtomicBool,
}

/// A kept seat that another thread is about to take.
fn wanted(seat: *mut Seat) -> *mut Seat {
    // Odd: no seat lies there.
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

// SAFETY: `own` is only touched by the thread that uses the seat; the rest is atomic or never changes.
unsafe impl Sync for Seat {}

impl Slot {
    pub(super) const fn new() -> Self {
        Self { seat: AtomicPtr::new(ptr::null_mut()), busy: AtomicBool::new(false) }
    }
}

impl Seats {
    /// `one_at_a_time`: there is one seat, which everybody takes and gives back.
    pub(super) fn new(index: usize, layout: impl Fn(usize) -> SeatLayout, one_at_a_time: bool) -> Self {
        let own = || Own { generation: NEVER, fs: 0, mailbox: 0, staged: 0, tls: None };
        Self {
            index,
            kept: !one_at_a_time,
            waiting: AtomicU32::new(0),
            released: AtomicU32::new(0),
            seats: (0..if one_at_a_time { 1 } else { SEATS })
                .map(|index| Seat {
                    layout: layout(index),
                    owner: AtomicPtr::new(ptr::null_mut()),
                    running: AtomicI32::new(0),
                    ready: AtomicU32::new(0),
                    own: UnsafeCell::new(own()),
                })
                .collect(),
        }
    }

    /// Takes the seat that the thread keeps, if it is free.
    #[inline]
    pub(super) fn take_kept(&self, thread: &'static Thread) -> Option<Held> {
        let slot = thread.slot(self.index);
        if slot.busy.load(Ordering::Relaxed) {
            return None;
        }
        // First say that it is in use, then look whether it is still there. `revoke` does the opposite, with a barrier
        // between that also holds for us: one of the two sees what the other wrote.
        slot.busy.store(true, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        let seat = slot.seat.load(Ordering::Acquire);
        let seat = match is_wanted(seat) {
            true => None,
            // SAFETY: seats are never freed.
            false => unsafe { seat.as_ref() },
        };
        if seat.is_none() {
            slot.busy.store(false, Ordering::Release);
        }
        seat.map(|seat| Held { seat, kept: Some(slot) })
    }

    /// Takes a seat. Waits while there is none.
    pub(super) fn take(&'static self, thread: &'static Thread) -> Held {
        if let Some(held) = self.take_kept(thread) {
            return held;
        }
        loop {
            let seen = self.released.load(Ordering::Acquire);
            let Some(seat) = self.seats.iter().find(|seat| seat.claim(thread)).or_else(|| self.revoke(thread)) else {
                self.waiting.fetch_add(1, Ordering::Relaxed);
                wait(self.released.as_ptr(), seen);
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                continue;
            };
            // SAFETY: ours since a moment ago.
            unsafe { seat.forget_thread() };
            return Held { seat, kept: if self.kept { self.keep(seat, thread) } else { None } };
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
            let idle = !slot.busy.load(Ordering::Acquire);
            if idle {
                seat.owner.store(ptr::from_ref(thread).cast_mut(), Ordering::Relaxed);
            }
            slot.seat.store(if idle { ptr::null_mut() } else { this }, Ordering::Release);
            idle
        })
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

    pub(super) fn iter(&self) -> impl Iterator<Item = &Seat> {
        self.seats.iter()
    }

    pub(super) fn get(&self, index: usize) -> Option<&Seat> {
        self.seats.get(index)
    }

    /// When `thread` ends: gives back what it has, seats of calls that were leaked among them.
    pub(super) fn retire(&self, thread: &Thread) {
        // First, and not while somebody takes it: whose the seat is would be decided twice.
        thread.slot(self.index).give_up();
        for seat in self.seats.iter().filter(|seat| ptr::eq(seat.owner.load(Ordering::Relaxed), thread)) {
            seat.owner.store(ptr::null_mut(), Ordering::Release);
        }
        self.wake();
    }

    /// In the child of a fork, where only `survivor` goes on, if there is one, under a new number: takes the others' seats
    /// back. Returns whether one of them was in the domain.
    pub(super) fn forget_others(&self, survivor: Option<&Thread>) -> bool {
        let mut running = false;
        if let Some(survivor) = survivor {
            survivor.slot(self.index).not_wanted();
        }
        for seat in &self.seats {
            let owner = seat.owner.load(Ordering::Relaxed);
            let inside = seat.running.load(Ordering::Relaxed) != 0;
            match survivor.filter(|&survivor| ptr::eq(owner, survivor)) {
                Some(survivor) => {
                    // SAFETY: the one thread that there is.
                    unsafe { seat.renumber(survivor) };
                    if inside && seat.running.load(Ordering::Relaxed) != IN_CALLBACK {
                        seat.running.store(survivor.tid(), Ordering::Relaxed);
                    }
                }
                None => {
                    running |= inside;
                    seat.running.store(0, Ordering::Relaxed);
                    seat.owner.store(ptr::null_mut(), Ordering::Relaxed);
                    // SAFETY: threads are never freed. This one does not exist here.
                    if let Some(owner) = unsafe { owner.as_ref() } {
                        owner.slot(self.index).clear();
                    }
                }
            }
        }
        running
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

impl Seat {
    fn claim(&self, thread: &Thread) -> bool {
        let to = ptr::from_ref(thread).cast_mut();
        self.owner.load(Ordering::Relaxed).is_null()
            && self.owner.compare_exchange(ptr::null_mut(), to, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Tells the seat the number that its owner has in the child of a fork.
    ///
    /// # Safety
    ///
    /// As [`Seat::forget_thread`].
    unsafe fn renumber(&self, owner: &Thread) {
        // SAFETY: by this function's contract.
        if let Some(tls) = unsafe { &(*self.own.get()).tls } {
            // SAFETY: inside the block; only libc in the domain looks at it.
            unsafe { tls.set_tid(owner.tid()) };
        }
    }

    /// Makes the next call lay out the seat for its thread.
    ///
    /// # Safety
    ///
    /// The caller uses the seat.
    unsafe fn forget_thread(&self) {
        // SAFETY: by this function's contract.
        unsafe { (*self.own.get()).generation = NEVER };
    }

    /// The calling thread, if the seat is its own.
    #[inline]
    pub(super) fn owner_here(&self) -> Option<&'static Thread> {
        Thread::taking_part().filter(|&thread| ptr::eq(self.owner.load(Ordering::Relaxed), thread))
    }

    /// The generation of the instance that the seat is ready for, with its present owner.
    ///
    /// # Safety
    ///
    /// The caller uses the seat.
    #[inline]
    pub(super) unsafe fn generation(&self) -> u64 {
        // SAFETY: by this function's contract.
        unsafe { (*self.own.get()).generation }
    }

    /// Makes the seat ready for calls of this thread on an instance of this generation.
    ///
    /// # Safety
    ///
    /// The caller uses the seat.
    pub(super) unsafe fn prepare(
        &self,
        (key, heap): (Pkey, *mut Heap),
        generation: u64,
        thread: &Thread,
    ) -> Result<(), Unsupported> {
        // SAFETY: by this function's contract.
        let own = unsafe { &mut *self.own.get() };
        if own.generation == generation {
            return Ok(());
        }
        let tls = match &own.tls {
            Some(tls) => {
                // SAFETY: held, and nothing of the domain runs on this seat.
                unsafe { tls.restore() };
                tls
            }
            None => {
                let template = Template::learn()?;
                for range in self.layout.ranges() {
                    // SAFETY: reserved for this seat alone, and not in use yet.
                    unsafe { key.tag(range.start, range.len())? };
                }
                // SAFETY: now readable and writable, and as large as the template asked for.
                let tls = unsafe { Block::create(template, self.layout.tls.start, heap) };
                own.fs = tls.fs();
                self.ready.store(1, Ordering::Release);
                own.tls.insert(tls)
            }
        };
        // SAFETY: as above.
        unsafe { tls.set_tid(thread.tid()) };
        own.generation = generation;
        Ok(())
    }

    /// FS base for the gate, and where its stack begins: the address of `size` bytes at the very top, for the result.
    ///
    /// # Safety
    ///
    /// The caller uses the seat, and has prepared it.
    #[inline]
    pub(super) unsafe fn ground(&self, (size, align): (usize, usize)) -> (usize, usize) {
        let top = (self.layout.stack.end - STACK_MARGIN - size) & !(align.max(16) - 1);
        // SAFETY: by this function's contract.
        (unsafe { (*self.own.get()).fs }, top)
    }

    /// FS base for the gate.
    ///
    /// # Safety
    ///
    /// As [`Seat::ground`].
    pub(super) unsafe fn fs(&self) -> usize {
        // SAFETY: by this function's contract.
        unsafe { (*self.own.get()).fs }
    }

    /// Whether these bytes are all on the stack.
    pub(super) fn has_on_stack(&self, start: usize, len: usize) -> bool {
        let end = start.checked_add(len);
        start >= self.layout.stack.start && end.is_some_and(|end| end <= self.layout.stack.end)
    }

    /// Room for `len` values. What it holds is unspecified.
    ///
    /// # Safety
    ///
    /// The caller holds the seat.
    #[inline]
    pub(super) unsafe fn stage(&self, len: usize, size: usize, align: usize) -> Result<*mut u8, FaultKind> {
        // SAFETY: by this function's contract.
        let own = unsafe { &mut *self.own.get() };
        let align = align.max(16);
        let too_large = || FaultKind::TooLarge { requested: len.saturating_mul(size), limit: STAGING };
        let bytes = len.checked_mul(size).filter(|&bytes| bytes <= STAGING).ok_or_else(too_large)?;
        let place = |range: &std::ops::Range<usize>, used: &mut usize| {
            let start = (range.start + *used).next_multiple_of(align);
            (start + bytes <= range.end).then(|| {
                *used = start + bytes - range.start;
                ptr::with_exposed_provenance_mut(start)
            })
        };
        place(&self.layout.mailbox, &mut own.mailbox)
            .or_else(|| place(&self.layout.staging, &mut own.staged))
            .ok_or_else(too_large)
    }

    /// Whether `address` is in the room for staged values, where any number of bytes may be read.
    #[inline]
    pub(super) fn has_staged(&self, address: usize) -> bool {
        self.layout.mailbox.contains(&address) || self.layout.staging.contains(&address)
    }

    /// Forgets what was staged.
    ///
    /// # Safety
    ///
    /// The caller holds the seat and uses nothing of it any more.
    #[inline]
    pub(super) unsafe fn clear(&self) {
        // SAFETY: by this function's contract.
        let own = unsafe { &mut *self.own.get() };
        if own.staged > STAGING_KEPT {
            self.give_back(own.staged);
        }
        (own.staged, own.mailbox) = (0, 0);
    }

    #[cold]
    fn give_back(&self, staged: usize) {
        let start = ptr::with_exposed_provenance_mut(self.layout.staging.start + STAGING_KEPT);
        // SAFETY: staged memory of a call that ends.
        unsafe { libc::madvise(start, staged - STAGING_KEPT, libc::MADV_DONTNEED) };
    }

    /// `errno` that the last call on this seat left.
    ///
    /// # Safety
    ///
    /// The caller holds the seat.
    pub(super) unsafe fn errno(&self) -> i32 {
        // SAFETY: by this function's contract.
        unsafe { &*self.own.get() }.tls.as_ref().map_or(0, Block::errno)
    }

    /// Whether a thread has it, in use or not.
    pub(super) fn is_owned(&self) -> bool {
        !self.owner.load(Ordering::Acquire).is_null()
    }

    /// Whether an access to `address` is the stack running over.
    pub(super) fn is_guard(&self, address: usize) -> bool {
        self.layout.guard.contains(&address)
    }

    /// The end of the memory that the domain may write and that holds `address`.
    pub(super) fn writable_until(&self, address: usize) -> Option<usize> {
        let ready = self.ready.load(Ordering::Acquire) != 0;
        let found = self.layout.ranges().into_iter().find(|range| range.contains(&address));
        found.filter(|_| ready).map(|range| range.end)
    }
}

/// Whether a result of this type is passed on the domain's stack; larger ones are staged.
pub(super) const fn fits_on_stack<R>() -> bool {
    size_of::<R>() <= 1024 && align_of::<R>() <= 64
}
