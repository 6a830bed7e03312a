//! What other threads must not be at while one forks.
//!
//! A child has a copy of the process's memory in which no other thread goes on, so that what one was at stays as it is for ever.
//! Nor is that copy of one moment: pages are copied one after the other while the other threads run, and the child may have
//! the lock of a heap as it was taken, and the note that a thread is inside as it was before. So before a fork
//!
//! - [`Work`] that no child could finish comes to its end, and none begins: taking seats, making domains, asking the loader;
//! - seats that other threads keep and do not use are taken from them: their next call would be [`Work`].
//!
//! Whoever has a seat then is in the middle of a call, and the child makes that instance anew.

use super::thread::{self, Thread};
use super::{A_MOMENT, barrier, instance, making, wait, wake, watchdog};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

/// Which thread forks, as [`here`] says it; 0 while none does.
static FORKER: AtomicUsize = AtomicUsize::new(0);
/// Set by a thread that forks, when all others hold still.
static QUIET: AtomicBool = AtomicBool::new(false);
/// Pieces of work of all threads.
static UNDER_WAY: AtomicU32 = AtomicU32::new(0);
/// Nobody waits longer than this many [moments](A_MOMENT): who waits may hold a lock that the other one needs.
const PATIENCE: u32 = 30_000;

/// Set in a child that did not wait: another thread may have had the loader's lock.
static LOADER_IS_LOST: AtomicBool = AtomicBool::new(false);

/// Whether asking the loader may be waiting for ever.
pub(super) fn loader_is_lost() -> bool {
    LOADER_IS_LOST.load(Ordering::Relaxed)
}

thread_local! {
    /// Pieces of work of this thread: one within the other, or of a signal handler.
    static OWN: Cell<u32> = const { Cell::new(0) };
}

/// While it lives no other thread forks, mostly: see [`PATIENCE`].
pub(crate) struct Work(());

impl Work {
    /// Waits while another thread forks.
    pub(super) fn begin() -> Self {
        let mut patience = PATIENCE;
        loop {
            UNDER_WAY.fetch_add(1, Ordering::SeqCst);
            let forker = FORKER.load(Ordering::SeqCst);
            if forker == 0 || forker == here() || OWN.get() > 0 || patience == 0 {
                OWN.set(OWN.get() + 1);
                return Self(());
            }
            end_one();
            patience = rest(&FORKER, forker, patience);
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        OWN.set(OWN.get() - 1);
        end_one();
    }
}

fn end_one() {
    UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
    if FORKER.load(Ordering::SeqCst) != 0 {
        wake(UNDER_WAY.as_ptr());
    }
}

/// The calling thread, by the address of a thread-local of its own.
pub(super) fn here() -> usize {
    OWN.with(|own| ptr::from_ref(own).addr())
}

/// Waits for a moment while `word` is `seen`.
fn rest(word: &AtomicUsize, seen: usize, patience: u32) -> u32 {
    // The half that a futex can wait on: x86-64 is little-endian.
    wait(word.as_ptr().cast(), seen as u32, A_MOMENT);
    patience - 1
}

/// Run by the loader, before `main`: of handlers for forks those that are registered first run nearest to the fork, so that
/// the program's own may call domains. One that was registered while another thread waits to fork would not run in the child.
extern "C" fn register() {
    // SAFETY: functions that are prepared for any moment, and before the first domain find nothing to do.
    unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
}

#[used]
#[unsafe(link_section = ".init_array")]
static REGISTER: extern "C" fn() = register;

/// # Safety
///
/// To be called by `fork`, before it forks.
unsafe extern "C" fn before() {
    QUIET.store(come_to_rest(), Ordering::Relaxed);
}

/// Makes all others hold still. Says whether they do.
fn come_to_rest() -> bool {
    let mut patience = PATIENCE;
    while let Err(other) = FORKER.compare_exchange(0, here(), Ordering::SeqCst, Ordering::SeqCst) {
        if patience == 0 || other == here() {
            return false;
        }
        patience = rest(&FORKER, other, patience);
    }
    loop {
        let under_way = UNDER_WAY.load(Ordering::SeqCst);
        if under_way == OWN.get() {
            break;
        }
        if patience == 0 {
            return false;
        }
        wait(UNDER_WAY.as_ptr(), under_way, A_MOMENT);
        patience -= 1;
    }
    let survivor = Thread::taking_part();
    // All of them before the barrier: it costs more than the rest.
    if instance::all().filter(|instance| instance.seats.want_idle(survivor)).count() > 0 {
        barrier();
        instance::all().for_each(|instance| instance.seats.take_wanted(survivor));
    }
    hold_rooms(&mut patience)
}

/// All of them or none.
fn hold_rooms(patience: &mut u32) -> bool {
    for (held, instance) in instance::all().enumerate() {
        if !instance.rooms.hold(patience) {
            instance::all().take(held).for_each(|instance| instance.rooms.release());
            return false;
        }
    }
    true
}

/// # Safety
///
/// To be called by `fork`, when it has forked.
unsafe extern "C" fn in_parent() {
    if FORKER.load(Ordering::Relaxed) == here() {
        if QUIET.load(Ordering::Relaxed) {
            release_rooms();
        }
        go_on();
    }
}

/// # Safety
///
/// To be called by `fork`, in the child.
unsafe extern "C" fn in_child() {
    let was_quiet = FORKER.load(Ordering::Relaxed) == here() && QUIET.load(Ordering::Relaxed);
    if !was_quiet {
        LOADER_IS_LOST.store(true, Ordering::Relaxed);
    }
    UNDER_WAY.store(OWN.get(), Ordering::Relaxed);
    making::forget_others();
    watchdog::forget();
    let survivor = thread::renumber_after_fork();
    start_anew(survivor, was_quiet);
    go_on();
}

/// What others were at in the parent nobody finishes here.
fn start_anew(survivor: Option<&Thread>, was_quiet: bool) {
    instance::all().for_each(|instance| instance.after_fork(survivor, was_quiet));
}

fn release_rooms() {
    instance::all().for_each(|instance| instance.rooms.release());
}

fn go_on() {
    QUIET.store(false, Ordering::Relaxed);
    FORKER.store(0, Ordering::SeqCst);
    wake(FORKER.as_ptr().cast());
}
