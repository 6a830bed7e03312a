//! The heap of an instance: what `malloc` serves from while a domain runs.
//!
//! It lives, with all its metadata, in memory that the domain can write: code in there can ruin it, for itself. The program
//! never walks it, not even to check it: what [`Heap::check`] looks at, it looks at with the domain's rights. A fault
//! discards it whole; only [`Heap::create`] is run by the program, on memory nobody else uses then.
//!
//! | | before a block | behind it | freed |
//! |---|---|---|---|
//! | `fast` | its size | nothing | used again at once |
//! | `hardened` | links and size with a checksum ([`hardened`]) | a canary, or the end of the memory | poisoned and held back |

mod hardened;
#[cfg(test)]
mod tests;

use crate::domain::HeapKind;
use crate::interpose::State;
use crate::mpk::{self, Reason};
use hardened::Checks;
pub(crate) use hardened::HEADER;
use std::alloc::Layout;
use std::cell::Cell;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};
use talc::DefaultBinning;
use talc::base::Talc;
use talc::source::Manual;

/// The part that allocates at once. Growing happens by doubling, so that discarding a heap that was hardly used has hardly
/// anything to drop.
pub(crate) const KEPT: usize = 64 << 10;
/// What `malloc` aligns to (`max_align_t`).
const ALIGN: usize = 16;

/// Header of an instance's heap; the blocks follow it.
#[repr(C)]
pub(crate) struct Heap {
    ground: Ground,
    // Threads of the domain take turns. One that is sent out while it holds the lock takes the whole heap with it.
    // 0, or the address of the holder's [`HEAP`].
    lock: AtomicUsize,
    // Of a hardened heap.
    checks: Option<Checks>,
    // Beside the blocks, what else of libc a domain has for itself.
    state: State,
}

/// Where chunks come from.
struct Ground {
    talc: Talc<Manual, DefaultBinning>,
    // First byte, end of what the allocator has claimed, of what is open to the domain, and of what it may ask for.
    start: usize,
    claimed: usize,
    open: usize,
    end: usize,
    /// What is being freed, or asked after, while that is looked at where nothing may be; 0 else.
    asked: Cell<usize>,
}

/// How a heap was left by a call that was stopped.
pub(crate) struct LastWords {
    /// The block that was to be freed by a call that stopped while it looked for its header, 0 for none.
    pub(crate) asked: usize,
    /// In whose thread-local storage the cell of the thread lies that was in `malloc` or its like, 0 for nobody's.
    pub(crate) holder: usize,
}

/// What a heap noticed. Addresses are the domain's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// Not a block, or one that went back to the allocator long ago.
    Foreign { block: usize },
    /// Freed before.
    FreedTwice { block: usize, size: usize },
    /// Bytes around a block were overwritten; `at` is the first of them.
    Overrun { block: usize, size: usize, at: usize },
    /// Bytes of a freed block were.
    WrittenAfterFree { block: usize, size: usize, at: usize },
}

/// Before every block of a fast heap: C frees without saying how large, or how aligned, a block was.
#[repr(C)]
struct Prefix {
    size: usize,
    // From the allocator's chunk to the block.
    offset: usize,
}

/// [`Prefix::offset`] of a block that was freed.
const FREED: usize = 1;

thread_local! {
    /// The heap of the domain whose thread-local storage this is; null in every thread of the program.
    pub(crate) static HEAP: Cell<*mut Heap> = const { Cell::new(ptr::null_mut()) };
}

/// Whether this code runs inside a domain.
#[inline]
pub(crate) fn is_inside() -> bool {
    !HEAP.get().is_null()
}

/// The heap to allocate from, while inside a domain.
#[inline]
pub(crate) fn current() -> Option<Locked> {
    NonNull::new(HEAP.get()).map(|heap| {
        // SAFETY: the cell was pointed at this domain's heap when its thread-local storage was made.
        let lock = unsafe { &raw const (*heap.as_ptr()).lock };
        // SAFETY: as above; only ever used as an atomic.
        let lock = unsafe { &*lock };
        let holder = HEAP.with(|cell| ptr::from_ref(cell).addr());
        while lock.compare_exchange_weak(0, holder, Ordering::Acquire, Ordering::Relaxed).is_err() {
            std::thread::yield_now();
        }
        Locked(heap)
    })
}

/// What the domain that this runs in has of libc's state.
#[inline]
pub(crate) fn state() -> Option<&'static State> {
    NonNull::new(HEAP.get()).map(|heap| {
        // SAFETY: as in `current`.
        let state = unsafe { &raw const (*heap.as_ptr()).state };
        // SAFETY: as above. The heap's lock guards what lies beside it; this guards itself.
        unsafe { &*state }
    })
}

/// A heap that this thread has to itself.
pub(crate) struct Locked(NonNull<Heap>);

impl Deref for Locked {
    type Target = Heap;

    fn deref(&self) -> &Heap {
        // SAFETY: locked, and inside a domain its heap is there.
        unsafe { self.0.as_ref() }
    }
}

impl DerefMut for Locked {
    fn deref_mut(&mut self) -> &mut Heap {
        // SAFETY: as above.
        unsafe { self.0.as_mut() }
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.lock.store(0, Ordering::Release);
    }
}

impl Heap {
    /// Smallest `len` that [`Heap::create`] takes.
    pub(crate) const MIN: usize = 2 * KEPT;

    /// Lays a new heap over `len` bytes at `at`, touching only the first few pages. `rooms`: the addresses where the program
    /// opens rooms for large blocks of a hardened heap, if it does.
    ///
    /// # Safety
    ///
    /// The range is mapped, page-aligned, at least [`Heap::MIN`] long, and used by nobody else; the first `open` bytes are
    /// writable, at least [`KEPT`].
    pub(crate) unsafe fn create(at: *mut u8, open: usize, len: usize, kind: HeapKind, rooms: std::ops::Range<usize>) {
        let start = at.addr();
        let first = size_of::<Self>().next_multiple_of(ALIGN);
        let mut talc = Talc::new(Manual);
        // SAFETY: the range is ours by this function's contract, and lies behind the header.
        let claimed = unsafe { talc.claim(at.add(first), KEPT - first) };
        let claimed = claimed.map_or(start + first, |end| end.as_ptr().addr());
        let ground = Ground { talc, start, claimed, open: start + open, end: start + len, asked: Cell::new(0) };
        let checks = (kind == HeapKind::Hardened).then(|| Checks::new(rooms, len));
        // SAFETY: as above; page alignment is enough for any type.
        unsafe {
            at.cast::<Self>().write(Self { ground, lock: AtomicUsize::new(0), checks, state: State::new() });
            if let Some(checks) = &mut (*at.cast::<Self>()).checks {
                checks.close_rings();
            }
        }
    }

    /// NULL where there is no room.
    pub(crate) fn allocate(&mut self, size: usize, align: usize) -> Result<*mut u8, Damage> {
        match &mut self.checks {
            None => Ok(self.ground.allocate(size, align)),
            Some(checks) => checks.allocate(&mut self.ground, size, align),
        }
    }

    /// # Safety
    ///
    /// On a fast heap, a `block` that lies in the heap came from it and was not freed yet.
    pub(crate) unsafe fn deallocate(&mut self, block: *mut u8) -> Result<(), Damage> {
        match &mut self.checks {
            None => {
                self.ground.believe(block)?;
                // SAFETY: by this function's contract.
                unsafe { self.ground.deallocate(block) };
                Ok(())
            }
            Some(checks) => checks.deallocate(&mut self.ground, block),
        }
    }

    /// On NULL the old block stays.
    ///
    /// # Safety
    ///
    /// As [`Heap::deallocate`].
    pub(crate) unsafe fn reallocate(&mut self, block: *mut u8, size: usize) -> Result<*mut u8, Damage> {
        match &mut self.checks {
            None => {
                self.ground.believe(block)?;
                // SAFETY: by this function's contract.
                Ok(unsafe { self.ground.reallocate(block, size) })
            }
            Some(checks) => checks.reallocate(&mut self.ground, block, size),
        }
    }

    /// How many bytes `block` has; 0 for what is none of this heap.
    ///
    /// # Safety
    ///
    /// As [`Heap::deallocate`].
    pub(crate) unsafe fn usable_size(&self, block: *const u8) -> usize {
        match &self.checks {
            None if !self.ground.owns(block) => 0,
            // SAFETY: by this function's contract there is a prefix.
            None => unsafe { (*block.cast::<Prefix>().sub(1)).size },
            Some(checks) => checks.size_of(&self.ground, block),
        }
    }

    /// What the domain says of its heap, for the program: numbers, which may be any.
    ///
    /// # Safety
    ///
    /// A heap was created at `heap`. (Threads of the domain may be writing there.)
    pub(crate) unsafe fn last_words(heap: *const Self) -> LastWords {
        // SAFETY: by this function's contract; of a heap that is made anew, too. Each is one word, read once, and any bits are numbers.
        unsafe {
            let holder = (&raw const (*heap).lock).cast::<usize>().read_volatile();
            let asked = (&raw const (*heap).ground.asked).cast::<usize>().read_volatile();
            LastWords { holder, asked }
        }
    }

    /// Looks at what the domain can have damaged: at the end of a call.
    fn check(&mut self) -> Result<(), Damage> {
        self.checks.as_mut().map_or(Ok(()), Checks::look)
    }
}

/// At the end of a call, inside: ends it differently if the heap is damaged.
pub(crate) fn check() {
    if let Some(mut heap) = current() {
        heap.check().unwrap_or_else(|damage| damage.end_call());
    }
}

impl Damage {
    /// Ends the call that this thread is in, from inside the domain.
    #[cold]
    pub(crate) fn end_call(self) -> ! {
        match self {
            Self::Foreign { block } => mpk::leave(Reason::ForeignFree, block),
            Self::FreedTwice { block, size } => mpk::leave_with(Reason::FreedTwice, [block, size, block]),
            Self::Overrun { block, size, at } => mpk::leave_with(Reason::Overrun, [block, size, at]),
            Self::WrittenAfterFree { block, size, at } => mpk::leave_with(Reason::WrittenAfterFree, [block, size, at]),
        }
    }
}

/// The blocks of a fast heap, and chunks for those of a hardened one.
impl Ground {
    fn allocate(&mut self, size: usize, align: usize) -> *mut u8 {
        let align = align.max(ALIGN);
        let offset = size_of::<Prefix>().next_multiple_of(align);
        let Some(layout) = size.checked_add(offset).and_then(|total| Layout::from_size_align(total, align).ok()) else {
            return ptr::null_mut();
        };
        let Some(chunk) = self.chunk(layout) else { return ptr::null_mut() };
        // SAFETY: the chunk has `offset + size` bytes, and `offset` is at least a prefix.
        unsafe {
            let block = chunk.as_ptr().add(offset);
            block.cast::<Prefix>().sub(1).write(Prefix { size, offset });
            block
        }
    }

    /// # Safety
    ///
    /// `block` came from [`Ground::allocate`] and was not freed yet.
    unsafe fn deallocate(&mut self, block: *mut u8) {
        // SAFETY: every block of ours has its prefix before it, and the layout is the one it was allocated with.
        unsafe {
            let (chunk, layout) = chunk_of(block);
            (*block.cast::<Prefix>().sub(1)).offset = FREED;
            self.talc.deallocate(chunk, layout);
        }
    }

    /// Whether `block` can be freed, by what lies before it: the mark of a block that was freed, until somebody else has the
    /// place, or what cannot be a prefix. Finds accidents, as all that looks at what the domain can write.
    #[inline]
    fn believe(&self, block: *const u8) -> Result<(), Damage> {
        let foreign = Damage::Foreign { block: block.addr() };
        if !self.owns(block) || block.addr() < self.start + size_of::<Heap>() + size_of::<Prefix>() {
            return Err(foreign);
        }
        if !block.addr().is_multiple_of(ALIGN) {
            return Err(foreign);
        }
        // SAFETY: in the heap; where that is not open, the domain faults.
        let Prefix { size, offset } = unsafe { block.cast::<Prefix>().sub(1).read() };
        let is_one = offset.is_power_of_two() && offset >= ALIGN && offset <= block.addr() - self.start;
        match is_one && size <= self.end - block.addr() {
            true => Ok(()),
            false if offset == FREED => Err(Damage::FreedTwice { block: block.addr(), size }),
            false => Err(foreign),
        }
    }

    /// # Safety
    ///
    /// As [`Ground::deallocate`].
    unsafe fn reallocate(&mut self, block: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: as in `deallocate`; growing in place keeps the chunk's start, so the prefix stays where it is.
        unsafe {
            let (chunk, layout) = chunk_of(block);
            let prefix = block.cast::<Prefix>().sub(1);
            let Some(total) = size.checked_add((*prefix).offset) else { return ptr::null_mut() };
            if self.talc.try_realloc_in_place(chunk, layout, total) {
                (*prefix).size = size;
                return block;
            }
            let moved = self.allocate(size, ALIGN);
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, size.min((*prefix).size));
                (*prefix).offset = FREED;
                self.talc.deallocate(chunk, layout);
            }
            moved
        }
    }

    /// Whether `block` can be one of ours: what an interposed `free` asks before it believes its caller.
    fn owns(&self, block: *const u8) -> bool {
        (self.start..self.end).contains(&block.addr())
    }

    fn chunk(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        // SAFETY: no layout of ours has size 0, since each holds a prefix.
        unsafe { self.talc.try_allocate(layout) }.or_else(|| {
            self.grow(layout);
            // SAFETY: as above.
            unsafe { self.talc.try_allocate(layout) }
        })
    }

    #[cold]
    fn grow(&mut self, layout: Layout) {
        let need = layout.size() + layout.align() + KEPT;
        let step = need.max(self.claimed - self.start);
        let end = self.claimed.saturating_add(step).min(self.end);
        if end > self.open {
            self.open = mpk::open_heap(end);
        }
        let end = end.min(self.open);
        if let Some(claimed) = NonNull::new(ptr::with_exposed_provenance_mut::<u8>(self.claimed)) {
            // SAFETY: `claimed` is where the last claim ended, and up to `self.open` the memory is this heap's and writable.
            let claimed = unsafe { self.talc.extend(claimed, ptr::with_exposed_provenance_mut(end)) };
            self.claimed = claimed.as_ptr().addr();
        }
    }
}

/// # Safety
///
/// `block` came from [`Ground::allocate`] and was not freed yet.
unsafe fn chunk_of(block: *mut u8) -> (*mut u8, Layout) {
    // SAFETY: by this function's contract there is a prefix, and the layout it describes was valid when it was written.
    unsafe {
        let Prefix { size, offset } = block.cast::<Prefix>().sub(1).read();
        let align = offset.max(ALIGN);
        (block.sub(offset), Layout::from_size_align_unchecked(size + offset, align))
    }
}
