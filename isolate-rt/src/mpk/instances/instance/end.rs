//! How a generation of an instance ends: by a fault, and in the child of a fork.

use super::{Instance, all, is_dying, low_half};
use crate::fault::{Fault, FaultKind};
use crate::heap::{Heap, KEPT};
use crate::machine::kernel::drop_contents;
use crate::mpk::crossing::thread::Thread;
use crate::mpk::instances::seat::{STOPPED, Seat};
use crate::mpk::signals::deadline;
use crate::mpk::threads::waiting::{barrier, wake};
use std::ptr;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Distance from the parent's generations to its child's: the parent's may have gone on while it was copied.
const GENERATIONS_OF_A_PROCESS: u64 = 1 << 32;

/// So much of a heap stays open after a fault, at most: opening it again takes time, too. In bytes.
const HEAP_KEPT: usize = 4 << 20;

impl Instance {
    /// Ends a generation: everybody out, and everything as it was at the beginning. `own` is the caller's seat, on which
    /// nothing runs any more. `cause` is told to those who lose something by it; `None` in the child of a fork.
    #[cold]
    pub(in crate::mpk) fn discard(&self, own: Option<&Seat>, generation: u64, cause: Option<Fault>) {
        // Without a cause this is the child of a fork. The fork may have come from a signal handler that interrupted the program while it
        // was copying something out of the heap, so there the heap must stay readable.
        let is_over = cause.is_some();
        // The cause is noted before the generation ends, because a thread that finds it ended may ask for the cause at once.
        if let Some(cause) = cause {
            self.last_fault.set(generation, cause);
        }
        // Odd. Where that fails, another thread failed first and is at it, or has finished: what failed with us is gone
        // already, and the next generation is innocent.
        let dying = generation + 1;
        if self.generation.compare_exchange(generation, dying, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return;
        }
        self.evict(own);
        let drop_from = self.layout.heap.start + KEPT;
        // SAFETY: nothing of the instance runs, and nobody may begin before the generation is even; the heap is its own
        // private memory. What is kept of it is laid anew. Thread-locals are put back when a seat is next taken.
        unsafe {
            let mut open = self.open.load(Ordering::Acquire);
            if open > drop_from {
                drop_contents(drop_from, open - drop_from);
                // Open heap counts against the limit. If all of a full heap stayed open, the next generation could map nothing.
                let stays_open = HEAP_KEPT.min(self.layout.heap.len() / 4);
                let start = ptr::with_exposed_provenance_mut(drop_from);
                if is_over
                    && open - drop_from > stays_open
                    && libc::mprotect(start, open - drop_from, libc::PROT_NONE) == 0
                {
                    open = drop_from;
                    self.open.store(open, Ordering::Release);
                }
            }
            self.rooms.close_all();
            self.mappings.close_all();
            let (heap, open) = (&self.layout.heap, open - self.layout.heap.start);
            Heap::create(self.heap().cast(), open, heap.len(), self.heap_kind, self.rooms.area());
            self.image.restore();
        }
        self.generation.store(dying + 1, Ordering::Release);
        if self.waiting.load(Ordering::Relaxed) != 0 {
            wake(low_half(&self.generation));
        }
    }

    /// Ends a generation in which the program has met something in a mapping that was no memory any more. Gives what that was.
    #[cold]
    pub(in crate::mpk) fn give_up_mappings(&self, own: &Seat, generation: u64) -> Option<FaultKind> {
        /// Stands for the function.
        const COPIES: &str = "(what it returned)";
        let (signal, address) = self.mappings.failure()?;
        let kind = match signal {
            libc::SIGBUS => FaultKind::Bus { address },
            _ => FaultKind::Unmapped { address },
        };
        self.discard(Some(own), generation, Some(Fault::new(self.name, COPIES, kind.clone())));
        Some(kind)
    }

    /// In the child of a fork, where only `survivor` goes on, if it ever was inside. An instance that another thread used has no one
    /// to finish what it began, nor have the pages of it been copied at the same moment: it starts anew. So it does where others
    /// could have begun to, since it was not `quiet`.
    fn after_fork(&self, survivor: Option<&Thread>, quiet: bool) {
        self.waiting.store(0, Ordering::Relaxed);
        self.rooms.release();
        self.started.forget();
        if let Some(siblings) = self.siblings {
            siblings.forget_others(survivor);
        }
        let generation = self.generation.load(Ordering::Relaxed);
        // A thread that was discarding it is gone, too.
        if !self.seats.forget_others(survivor) && quiet && !is_dying(generation) {
            return;
        }
        let generation = (generation & !1) + GENERATIONS_OF_A_PROCESS;
        self.generation.store(generation, Ordering::Relaxed);
        let drop_from = self.layout.heap.start + KEPT;
        // SAFETY: the heap is the instance's own, and nothing of it runs. More of it may be in use than `open` says here.
        unsafe {
            drop_contents(drop_from, self.layout.heap.end - drop_from);
        }
        self.mappings.distrust();
        self.discard(None, generation, None);
    }

    /// Sends every other thread out, and comes back when none is in.
    fn evict(&self, own: Option<&Seat>) {
        let others = || self.seats.iter().filter(|seat| !own.is_some_and(|own| ptr::eq(own, *seat)) && seat.is_owned());
        if others().next().is_none() {
            return;
        }
        // The other half of the order in `Entry::run`: after this, a thread that has not seen the end is seen running.
        barrier();
        let Some(signal) = deadline::signal() else { return };
        // In the child of a fork that a signal handler made: the call that it interrupted is this thread's own.
        // SAFETY: asks for a number.
        let tid = unsafe { libc::gettid() };
        loop {
            let mut running = false;
            for (seat, other) in others().map(|seat| (seat, seat.running.load(Ordering::Acquire))) {
                if other == STOPPED && seat.owner_tid() != tid {
                    // That thread has failed, too, and is reading what it met: nothing may change before it is done. It does not wait
                    // for this thread, so this ends.
                    running = true;
                } else if other > 0 && other != tid {
                    running = true;
                    // SAFETY: a signal that the runtime alone handles. A thread that is gone is an error without effect.
                    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), other, signal) };
                }
            }
            if !running {
                return;
            }
            std::thread::sleep(Duration::from_micros(50));
        }
    }
}

/// In the child of a fork: what others were at in the parent nobody finishes here. As [`Instance::after_fork`], for all of them.
pub(in crate::mpk) fn after_fork(survivor: Option<&Thread>, quiet: bool) {
    all().for_each(|instance| instance.after_fork(survivor, quiet));
}

/// After a fork: others may use the books of all rooms again.
pub(in crate::mpk) fn release_rooms() {
    all().for_each(|instance| instance.rooms.release());
}
