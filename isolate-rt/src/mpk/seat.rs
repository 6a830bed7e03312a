//! A seat: what one thread has of an instance while it is inside. Stack, thread-local storage, room for staged values.
//!
//! A seat belongs to the thread that holds its bit in [`Seats`], from the beginning of a call until its results are read.

use super::layout::{SEATS, STAGING, SeatLayout};
use super::pkey::Pkey;
use super::thread::Thread;
use super::tls::{Block, Template};
use crate::fault::{FaultKind, Unsupported};
use crate::heap::Heap;
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// Staged memory that stays with the seat between calls; what a call used beyond it goes back to the kernel, in bytes.
const STAGING_KEPT: usize = 8 << 20;
/// What the gate leaves free at the top of the stack.
const STACK_MARGIN: usize = 64;

/// All seats of an instance, and who may have how many.
pub(super) struct Seats {
    /// A bit for each seat that a thread holds.
    held: AtomicU64,
    /// A bit for each seat that there is.
    allowed: u64,
    /// Threads that wait for a seat, and the word they wait on.
    waiting: AtomicU32,
    released: AtomicU32,
    // On the heap: threads with small stacks make domains, too.
    seats: Box<[Seat]>,
}

pub(super) struct Seat {
    layout: SeatLayout,
    /// Number of the thread that is in the domain on this seat; 0 while it is not. Read by whoever clears the instance.
    pub(super) running: AtomicI32,
    /// Whose call it is, for the child of a fork.
    holder: AtomicPtr<Thread>,
    /// Set once the seat has been laid out.
    ready: AtomicU32,
    own: UnsafeCell<Own>,
}

/// What only the holder touches.
#[derive(Default)]
struct Own {
    tls: Option<Block>,
    generation: u64,
    tid: i32,
    mailbox: usize,
    staged: usize,
}

// SAFETY: `own` is only touched by the thread that holds the seat's bit; the rest is atomic or never changes.
unsafe impl Sync for Seat {}

impl Seats {
    pub(super) fn new(layout: impl Fn(usize) -> SeatLayout, limit: usize) -> Self {
        Self {
            held: AtomicU64::new(0),
            allowed: (1 << limit.clamp(1, SEATS)) - 1,
            waiting: AtomicU32::new(0),
            released: AtomicU32::new(0),
            seats: (0..SEATS)
                .map(|index| Seat {
                    layout: layout(index),
                    running: AtomicI32::new(0),
                    holder: AtomicPtr::new(ptr::null_mut()),
                    ready: AtomicU32::new(0),
                    own: UnsafeCell::default(),
                })
                .collect(),
        }
    }

    /// Takes a seat, the thread's last one if it is free: its pages are warm. Waits while there is none.
    #[inline]
    pub(super) fn take(&'static self, thread: &'static Thread) -> usize {
        let hint = thread.seat_hint();
        if self.allowed & (1 << hint) != 0 && self.held.fetch_or(1 << hint, Ordering::Acquire) & (1 << hint) == 0 {
            return self.hold(hint, thread);
        }
        self.take_any(thread)
    }

    #[cold]
    fn take_any(&'static self, thread: &'static Thread) -> usize {
        loop {
            let seen = self.released.load(Ordering::Acquire);
            let free = self.allowed & !self.held.load(Ordering::Relaxed);
            if free == 0 {
                self.waiting.fetch_add(1, Ordering::Relaxed);
                wait(&self.released, seen);
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            let index = free.trailing_zeros() as usize;
            if self.held.fetch_or(1 << index, Ordering::Acquire) & (1 << index) == 0 {
                thread.set_seat_hint(index);
                return self.hold(index, thread);
            }
        }
    }

    #[inline]
    fn hold(&'static self, index: usize, thread: &'static Thread) -> usize {
        self.seats[index].holder.store(ptr::from_ref(thread).cast_mut(), Ordering::Relaxed);
        index
    }

    /// Gives a seat back.
    #[inline]
    pub(super) fn release(&self, index: usize) {
        self.seats[index].holder.store(ptr::null_mut(), Ordering::Relaxed);
        self.held.fetch_and(!(1 << index), Ordering::Release);
        if self.waiting.load(Ordering::Relaxed) != 0 {
            self.released.fetch_add(1, Ordering::Release);
            wake(&self.released);
        }
    }

    #[inline]
    pub(super) fn get(&self, index: usize) -> &Seat {
        &self.seats[index]
    }

    /// The seats that threads hold, but for one.
    pub(super) fn others(&self, index: Option<usize>) -> impl Iterator<Item = &Seat> {
        let held = self.held.load(Ordering::Acquire) & !index.map_or(0, |index| 1 << index);
        (0..SEATS).filter(move |other| held & (1 << other) != 0).map(|other| &self.seats[other])
    }

    /// In the child of a fork, where only `survivor` goes on, if there is one, under a new number: takes the others' seats
    /// back. Returns whether one of them was in the domain.
    pub(super) fn forget_others(&self, survivor: Option<&Thread>) -> bool {
        let mut running = false;
        for (index, seat) in self.seats.iter().enumerate() {
            if self.held.load(Ordering::Relaxed) & (1 << index) == 0 {
                continue;
            }
            let inside = seat.running.load(Ordering::Relaxed) != 0;
            let holder = seat.holder.load(Ordering::Relaxed);
            match survivor.filter(|&survivor| ptr::eq(survivor, holder)) {
                Some(survivor) if inside => seat.running.store(survivor.tid(), Ordering::Relaxed),
                Some(_) => {}
                None => {
                    running |= inside;
                    seat.running.store(0, Ordering::Relaxed);
                    self.release(index);
                }
            }
        }
        running
    }
}

impl Seat {
    /// Makes the seat ready for a call of this thread on an instance of this generation.
    ///
    /// # Safety
    ///
    /// The caller holds the seat.
    #[inline]
    pub(super) unsafe fn prepare(
        &self,
        (key, heap): (Pkey, *mut Heap),
        generation: u64,
        thread: &Thread,
    ) -> Result<(), Unsupported> {
        // SAFETY: by this function's contract.
        let own = unsafe { &mut *self.own.get() };
        if own.generation != generation || own.tls.is_none() {
            self.renew(own, key, heap)?;
            own.generation = generation;
            own.tid = 0;
        }
        if own.tid != thread.tid() {
            own.tid = thread.tid();
            if let Some(tls) = &own.tls {
                // SAFETY: held, and nothing of the domain runs on this seat.
                unsafe { tls.set_tid(own.tid) };
            }
        }
        Ok(())
    }

    #[cold]
    fn renew(&self, own: &mut Own, key: Pkey, heap: *mut Heap) -> Result<(), Unsupported> {
        if let Some(tls) = &own.tls {
            // SAFETY: held, and nothing of the domain runs on this seat.
            unsafe { tls.restore() };
            return Ok(());
        }
        let template = Template::learn()?;
        for range in self.layout.ranges() {
            // SAFETY: reserved for this seat alone, and not in use yet.
            unsafe { key.tag(range.start, range.len())? };
        }
        // SAFETY: now readable and writable, and as large as the template asked for.
        own.tls = Some(unsafe { Block::create(template, self.layout.tls.start, heap) });
        self.ready.store(1, Ordering::Release);
        Ok(())
    }

    /// Stack pointer and FS base for the gate.
    ///
    /// # Safety
    ///
    /// The caller holds the seat, and has prepared it.
    #[inline]
    pub(super) unsafe fn ground(&self) -> (usize, usize) {
        // SAFETY: by this function's contract.
        let own = unsafe { &*self.own.get() };
        (self.layout.stack.end - STACK_MARGIN, own.tls.as_ref().map_or(0, Block::fs))
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
            let start = self.layout.staging.start + STAGING_KEPT;
            // SAFETY: staged memory of the call that ends.
            unsafe {
                libc::madvise(ptr::with_exposed_provenance_mut(start), own.staged - STAGING_KEPT, libc::MADV_DONTNEED)
            };
        }
        (own.staged, own.mailbox) = (0, 0);
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

/// Waits while `word` is `seen`, but not for long: a wake-up may be missed, since nobody pays for a fence to prevent it.
pub(super) fn wait(word: &AtomicU32, seen: u32) {
    let a_moment = Duration::from_millis(1);
    let timeout = libc::timespec { tv_sec: 0, tv_nsec: a_moment.subsec_nanos().into() };
    // SAFETY: a live word.
    unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG, seen, &timeout)
    };
}

pub(super) fn wake(word: &AtomicU32) {
    // SAFETY: a live word.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, i32::MAX) };
}
