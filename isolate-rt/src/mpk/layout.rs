//! Where in the address space instances lie: one reservation, a slot per key, so that "is this address a domain's" is one
//! comparison and a stray pointer from one slot meets kilometres of nothing before the next.

use super::{PAGE, system};
use crate::fault::Unsupported;
use crate::heap::Heap;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Keys that a process can have.
const SLOTS: usize = 15;
/// Address space of a slot, in bytes.
const SLOT: usize = 32 << 30;
/// Unmapped room under the stack: a frame larger than this could step over it.
const GUARD: usize = 1 << 30;
/// Room for small staged values, kept through a fault so that the next call finds its pages there.
const MAILBOX: usize = 64 << 10;
/// Room for staged buffers of one call, in bytes.
pub(super) const STAGING: usize = 4 << 30;
const MAX_STACK: usize = 1 << 30;
const MAX_HEAP: usize = 8 << 30;

/// The ranges of one instance. All are page-aligned, with unmapped memory between those that may overrun.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) guard: Range<usize>,
    pub(super) stack: Range<usize>,
    pub(super) tls: Range<usize>,
    pub(super) mailbox: Range<usize>,
    pub(super) heap: Range<usize>,
    /// Right behind the heap, so that one `madvise` drops both.
    pub(super) staging: Range<usize>,
}

static ARENA_START: AtomicUsize = AtomicUsize::new(0);
static ARENA_END: AtomicUsize = AtomicUsize::new(0);

/// Whether `address` can belong to a domain. False before the first domain is made.
#[inline]
pub(crate) fn in_arena(address: usize) -> bool {
    address >= ARENA_START.load(Ordering::Relaxed) && address < ARENA_END.load(Ordering::Relaxed)
}

impl Layout {
    /// Reserves the next slot. Nothing is mapped readable yet.
    pub(super) fn reserve(stack: usize, tls: usize, heap: usize) -> Result<Self, Unsupported> {
        let stack = rounded(stack, PAGE * 4, MAX_STACK, "the stack size is larger than 1 GiB")?;
        let heap = rounded(heap, Heap::MIN, MAX_HEAP, "the heap limit is larger than 8 GiB")?;
        let tls = tls.next_multiple_of(PAGE);
        let slot = next_slot()?;
        let guard = slot..slot + GUARD;
        let stack = guard.end..guard.end + stack;
        let tls = stack.end + PAGE..stack.end + PAGE + tls;
        let mailbox = tls.end + PAGE..tls.end + PAGE + MAILBOX;
        let heap = mailbox.end + PAGE..mailbox.end + PAGE + heap;
        let staging = heap.end..heap.end + STAGING;
        debug_assert!(staging.end < slot + SLOT);
        Ok(Self { guard, stack, tls, mailbox, heap, staging })
    }

    /// What the domain may write.
    pub(super) fn ranges(&self) -> [&Range<usize>; 5] {
        [&self.stack, &self.tls, &self.mailbox, &self.heap, &self.staging]
    }

    /// Whether an access to `address` is the stack running over.
    pub(super) fn is_guard(&self, address: usize) -> bool {
        self.guard.contains(&address)
    }
}

fn rounded(size: usize, min: usize, max: usize, what: &'static str) -> Result<usize, Unsupported> {
    if size > max {
        return Err(Unsupported::Setting { what });
    }
    Ok(size.max(min).next_multiple_of(PAGE))
}

fn next_slot() -> Result<usize, Unsupported> {
    static ARENA: OnceLock<Result<usize, Unsupported>> = OnceLock::new();
    static USED: AtomicUsize = AtomicUsize::new(0);
    let arena = ARENA.get_or_init(reserve_arena).clone()?;
    match USED.fetch_add(1, Ordering::Relaxed) {
        slot if slot < SLOTS => Ok(arena + slot * SLOT),
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
    ARENA_END.store(start + SLOTS * SLOT, Ordering::Relaxed);
    ARENA_START.store(start, Ordering::Relaxed);
    Ok(start)
}
