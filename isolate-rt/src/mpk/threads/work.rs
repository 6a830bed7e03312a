//! Work that no child of a fork could finish, and so is let come to its end before a fork: see `instances::fork`.

use super::ending;
use super::list::List;
use super::waiting::{wait_for, wake};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// [`thread_address`] of the thread that forks; 0 while none does.
pub(in crate::mpk) static FORKER: AtomicUsize = AtomicUsize::new(0);
/// Counts pieces of work that have ended while a thread forks, which waits on it.
pub(in crate::mpk) static ENDED: AtomicU32 = AtomicU32::new(0);
/// The longest that a thread waits for another one here: it may hold a lock that the other one needs.
pub(in crate::mpk) const PATIENCE: Duration = Duration::from_secs(30);

/// Which work a thread has begun. Each thread has a record of its own, and changes it with single instructions, because a signal
/// handler may fork between any two of them.
pub(in crate::mpk) struct Worker {
    /// How many pieces of work have begun and not ended. There can be several: one within another, or one of a signal handler.
    pub(in crate::mpk) pieces: AtomicU32,
    /// The [`thread_address`] of the thread whose record this is; 0 for nobody's. (An address and not a flag: in the child of a fork the
    /// thread that goes on recognises the record that it was about to take.)
    pub(in crate::mpk) owner: AtomicUsize,
}

static WORKERS: List<Worker> = List::new();

thread_local! {
    static OWN: Cell<Option<&'static Worker>> = const { Cell::new(None) };
}

/// To be called when the calling thread ends: another thread may use its record from then on.
pub(in crate::mpk) fn retire() {
    // A signal handler in between may have taken it again.
    while let Some(worker) = OWN.take() {
        worker.owner.store(0, Ordering::Release);
    }
}

impl Worker {
    /// The calling thread's.
    pub(in crate::mpk) fn own() -> &'static Self {
        OWN.get().unwrap_or_else(Self::obtain)
    }

    #[cold]
    fn obtain() -> &'static Self {
        let this = thread_address();
        let is_free = |worker: &&Self| {
            // It may be marked as this thread's already: a former thread may have had the same address, and this code, running in a
            // signal handler, may have interrupted itself right after it took the record.
            worker.owner.load(Ordering::Relaxed) == this
                || worker.owner.compare_exchange(0, this, Ordering::AcqRel, Ordering::Relaxed).is_ok()
        };
        let new = WORKERS.take_or_push(is_free, || Self { pieces: AtomicU32::new(0), owner: AtomicUsize::new(this) });
        // A signal handler may have come first.
        if let Some(own) = OWN.get() {
            if !ptr::eq(own, new) {
                new.owner.store(0, Ordering::Release);
            }
            return own;
        }
        OWN.set(Some(new));
        // Where that fails it stays marked as used: a few bytes lost.
        let _ = ending::remember();
        new
    }

    fn end_one(&self) {
        self.pieces.fetch_sub(1, Ordering::SeqCst);
        if FORKER.load(Ordering::SeqCst) != 0 {
            ENDED.fetch_add(1, Ordering::SeqCst);
            wake(ENDED.as_ptr());
        }
    }
}

/// All threads' but the calling one's.
pub(in crate::mpk) fn others() -> impl Iterator<Item = &'static Worker> {
    let this = thread_address();
    WORKERS.iter().filter(move |worker| worker.owner.load(Ordering::Relaxed) != this)
}

/// While it lives no other thread forks, unless that thread has waited for longer than [`PATIENCE`].
pub(crate) struct Work(&'static Worker);

impl Work {
    /// Waits while another thread forks.
    pub(in crate::mpk) fn begin() -> Self {
        let worker = Worker::own();
        let mut until = None;
        loop {
            // Look before beginning: a thread that begins and then backs off wakes the one that forks, which should happen at most
            // once per fork.
            let is_nested = worker.pieces.load(Ordering::Relaxed) > 0;
            let mut in_the_way = || {
                let forker = FORKER.load(Ordering::SeqCst);
                let waits = !is_nested
                    && forker != 0
                    && forker != thread_address()
                    && Instant::now() < *until.get_or_insert_with(|| Instant::now() + PATIENCE);
                waits.then_some(forker)
            };
            if let Some(forker) = in_the_way() {
                wait_for(&FORKER, forker);
                continue;
            }
            worker.pieces.fetch_add(1, Ordering::SeqCst);
            if in_the_way().is_none() {
                return Self(worker);
            }
            worker.end_one();
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.end_one();
    }
}

/// The calling thread, by the address of a thread-local of its own.
pub(in crate::mpk) fn thread_address() -> usize {
    OWN.with(|own| ptr::from_ref(own).addr())
}

/// Whether the calling thread is at such work.
pub(in crate::mpk) fn is_at_work() -> bool {
    OWN.get().is_some_and(|own| own.pieces.load(Ordering::Relaxed) != 0)
}

/// Whether another thread forks.
pub(in crate::mpk) fn is_elsewhere() -> bool {
    ![0, thread_address()].contains(&FORKER.load(Ordering::Relaxed))
}
