//! A seat: what one thread has of an instance while it is inside. Stack, thread-local storage, room for staged values.
//!
//! A seat belongs to its owner (see [`super::seats`]), and is in use from the beginning of a call until its results are read.

mod inputs;
mod refused;
mod staging;

use crate::call::copy_once;
use crate::fault::Unsupported;
use crate::heap::Heap;
use crate::machine::pkey::Pkey;
use crate::mpk::areas::layout::SeatLayout;
use crate::mpk::areas::tls::{Block, Template};
use crate::mpk::crossing::rights;
use crate::mpk::crossing::thread::Thread;
use crate::mpk::loaded::bind;
use crate::mpk::signals::watchdog::Watched;
pub(super) use inputs::Inputs;
use refused::Refused;
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering};

/// What the gate leaves free at the top of the stack.
const STACK_MARGIN: usize = 64;

pub(in crate::mpk) struct Seat {
    layout: SeatLayout,
    /// Whose it is; null is nobody's.
    pub(super) owner: AtomicPtr<Thread>,
    /// The number of the thread that is inside on this seat, and 0 while none is. [`IN_CALLBACK`] while the thread runs code of the program
    /// and will go back in; [`STOPPED`] from a fault until the instance is discarded. Threads that discard the instance read it.
    pub(in crate::mpk) running: AtomicI32,
    pub(in crate::mpk) watched: Watched,
    /// Set once the seat has been laid out.
    ready: AtomicU32,
    /// Bytes of the room for large staged values that are open to the domain. Written by the thread that uses the seat.
    open: AtomicUsize,
    /// Number of the call that has the seat, or will have. Written by the thread that uses it.
    call: AtomicU64,
    refused: Refused,
    own: UnsafeCell<Own>,
}

/// What only the thread that uses the seat touches.
struct Own {
    /// Generation that the seat is made ready for.
    generation: u64,
    /// The [serial number](Thread::serial) of the thread that it was last made ready for.
    user: u64,
    /// Where the gate points FS.
    fs: usize,
    mailbox: usize,
    staged: usize,
    tls: Option<Block>,
    /// Where rooms of this call end, and how many bytes each has.
    ends: [(usize, usize); staging::WATCHED],
    ends_count: usize,
    inputs: Inputs,
}

/// The thread runs a callback of the program. Before it goes back in it looks whether the instance is still the same.
pub(in crate::mpk) const IN_CALLBACK: i32 = -1;
/// The thread was stopped; it looks at what there is, and has not discarded the instance yet.
pub(super) const STOPPED: i32 = -2;

/// No generation has this number.
const NEVER: u64 = u64::MAX;

impl Own {
    const fn new() -> Self {
        Self {
            generation: NEVER,
            user: 0,
            fs: 0,
            mailbox: 0,
            staged: 0,
            tls: None,
            ends: [(0, 0); staging::WATCHED],
            ends_count: 0,
            inputs: Inputs::new(),
        }
    }
}

// SAFETY: `own` is only touched by the thread that uses the seat; the rest is atomic or never changes.
unsafe impl Sync for Seat {}

impl Seat {
    pub(super) const fn new(layout: SeatLayout) -> Self {
        Self {
            layout,
            owner: AtomicPtr::new(ptr::null_mut()),
            running: AtomicI32::new(0),
            watched: Watched::new(),
            ready: AtomicU32::new(0),
            open: AtomicUsize::new(0),
            call: AtomicU64::new(0),
            refused: Refused::nothing(),
            own: UnsafeCell::new(Own::new()),
        }
    }

    /// Gives the seat to `thread`, if it is nobody's.
    pub(super) fn claim(&self, thread: &Thread) -> bool {
        let to = ptr::from_ref(thread).cast_mut();
        self.owner.load(Ordering::Relaxed).is_null()
            && self.owner.compare_exchange(ptr::null_mut(), to, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Tells the seat the number that its owner has in the child of a fork.
    ///
    /// # Safety
    ///
    /// As [`Seat::taken_by`].
    pub(super) unsafe fn renumber(&self, owner: &Thread) {
        // SAFETY: by this function's contract.
        if let Some(tls) = unsafe { &(*self.own.get()).tls } {
            // SAFETY: inside the block; only libc in the domain looks at it.
            unsafe { tls.set_tid(owner.tid()) };
        }
    }

    /// Makes the next call lay out the seat for this thread, where another one was the last to use it: thread-locals are the
    /// same at its next call.
    ///
    /// # Safety
    ///
    /// The caller uses the seat.
    pub(super) unsafe fn taken_by(&self, thread: &Thread) {
        // Of a call that was leaked everything is still there.
        // SAFETY: by this function's contract; that call's thread has ended.
        unsafe { self.clear() };
        // SAFETY: as above.
        let own = unsafe { &mut *self.own.get() };
        if own.user != thread.serial() {
            (own.user, own.generation) = (thread.serial(), NEVER);
        }
        if let Some(tls) = &own.tls {
            // It may have another number since: in the child of a fork.
            // SAFETY: inside the block; only libc in the domain looks at it.
            unsafe { tls.set_tid(thread.tid()) };
        }
    }

    /// As if the seat had never been used.
    ///
    /// # Safety
    ///
    /// Nobody uses the seat. Whoever did may have been anywhere in it.
    pub(super) unsafe fn forget_layout(&self) {
        self.ready.store(0, Ordering::Relaxed);
        self.open.store(0, Ordering::Relaxed);
        // SAFETY: by this function's contract. What was there is not dropped: it may be half of something.
        unsafe { self.own.get().write(Own::new()) };
    }

    /// The calling thread, if the seat is its own.
    #[inline]
    pub(in crate::mpk) fn owner_here(&self) -> Option<&'static Thread> {
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
        // That of this domain may be newer than what the thread has.
        rights::open_own(thread);
        let tls = match &mut own.tls {
            Some(tls) => tls,
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
        bind::all();
        tls.meet_new_modules();
        // SAFETY: held, and nothing of the domain runs on this seat.
        unsafe { tls.restore() };
        // SAFETY: as above.
        unsafe { tls.set_tid(thread.tid()) };
        own.generation = generation;
        Ok(())
    }

    /// Where the gate's stack begins: the address of `size` bytes at the very top, for the result.
    #[inline]
    pub(super) fn top_of_stack(&self, (size, align): (usize, usize)) -> usize {
        (self.layout.stack.end - STACK_MARGIN - size) & !(align.max(16) - 1)
    }

    /// FS base for the gate.
    ///
    /// # Safety
    ///
    /// The caller uses the seat, and has prepared it.
    #[inline]
    pub(in crate::mpk) unsafe fn fs(&self) -> usize {
        // SAFETY: by this function's contract.
        unsafe { (*self.own.get()).fs }
    }

    /// Whether these bytes are all on the stack.
    pub(in crate::mpk) fn has_on_stack(&self, start: usize, len: usize) -> bool {
        let end = start.checked_add(len);
        start >= self.layout.stack.start && end.is_some_and(|end| end <= self.layout.stack.end)
    }

    /// A copy of the stack from `low` up, or from its beginning where `low` is in the guard below it; at most `len` bytes. And
    /// where it begins. Empty where `low` is not of this seat: the domain sets its stack pointer as it likes.
    ///
    /// # Safety
    ///
    /// The caller uses the seat, and nothing runs on its stack.
    pub(in crate::mpk) unsafe fn copy_of_stack(&self, low: usize, len: usize) -> (usize, Box<[u8]>) {
        let stack = &self.layout.stack;
        let low = if self.layout.guard.contains(&low) { stack.start } else { low };
        let len = if stack.contains(&low) { len.min(stack.end - low) } else { 0 };
        // SAFETY: by this function's contract.
        (low, unsafe { self.copy(low, len) })
    }

    /// A copy of memory of the seat from `start` up, at most `len` bytes; empty where it is not of this seat.
    ///
    /// # Safety
    ///
    /// As [`Seat::copy_of_stack`].
    pub(in crate::mpk) unsafe fn copy(&self, start: usize, len: usize) -> Box<[u8]> {
        let len = self.writable_until(start).map_or(0, |end| len.min(end - start));
        let mut copy = Vec::with_capacity(len);
        // SAFETY: of the seat, which is readable since it was prepared; any bytes are `u8`s.
        unsafe {
            copy_once(ptr::with_exposed_provenance(start), copy.as_mut_ptr(), len);
            copy.set_len(len);
        }
        copy.into()
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

    /// Number of the thread that has it; 0 for nobody's.
    pub(super) fn owner_tid(&self) -> i32 {
        // SAFETY: threads are never freed.
        unsafe { self.owner.load(Ordering::Acquire).as_ref() }.map_or(0, Thread::tid)
    }

    /// Whether a thread has it, in use or not.
    pub(super) fn is_owned(&self) -> bool {
        !self.owner.load(Ordering::Acquire).is_null()
    }

    /// Whether an access to `address` is the stack running over.
    pub(in crate::mpk) fn is_guard(&self, address: usize) -> bool {
        self.layout.guard.contains(&address)
    }

    /// Whether `address` is of the seat's thread-local storage.
    pub(in crate::mpk) fn has_thread_local(&self, address: usize) -> bool {
        self.layout.tls.contains(&address)
    }

    /// The end of the memory that the domain may write and that holds `address`.
    pub(super) fn writable_until(&self, address: usize) -> Option<usize> {
        let ready = self.ready.load(Ordering::Acquire) != 0;
        let start = self.layout.staging.start;
        let staging = start..start + self.open.load(Ordering::Acquire);
        let found = self.layout.ranges().into_iter().chain([&staging]).find(|range| range.contains(&address));
        found.filter(|_| ready).map(|range| range.end)
    }
}

/// Whether a result of this type is passed on the domain's stack; larger ones are staged.
pub(super) const fn fits_on_stack<R>() -> bool {
    size_of::<R>() <= 1024 && align_of::<R>() <= 64
}
