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
use super::{A_MOMENT, barrier, instance, loader, making, wait, wait_for, wake, watchdog};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};

/// Which thread forks, as [`here`] says it; 0 while none does.
static FORKER: AtomicUsize = AtomicUsize::new(0);
/// Set by a thread that forks, when all others hold still.
static QUIET: AtomicBool = AtomicBool::new(false);
/// Counts pieces of work that have ended while a thread forks, which waits on it.
static ENDED: AtomicU32 = AtomicU32::new(0);
/// Nobody waits longer than this many [moments](A_MOMENT): who waits may hold a lock that the other one needs.
const PATIENCE: u32 = 30_000;

/// What a thread is at. Never freed, since whoever forks looks at all of them; reused instead.
///
/// Each thread has its own, which changes with one instruction: a signal handler may fork between any two.
struct Worker {
    /// Pieces of work: one within the other, or of a signal handler.
    pieces: AtomicU32,
    in_use: AtomicBool,
    next: AtomicPtr<Worker>,
}

static WORKERS: AtomicPtr<Worker> = AtomicPtr::new(ptr::null_mut());

thread_local! {
    static OWN: Cell<Option<&'static Worker>> = const { Cell::new(None) };
    static RETIRE: Retire = const { Retire };
}

/// When a thread ends, another may have what it has had.
struct Retire;

impl Drop for Retire {
    fn drop(&mut self) {
        if let Some(worker) = OWN.take() {
            worker.in_use.store(false, Ordering::Release);
        }
    }
}

impl Worker {
    /// The calling thread's.
    fn own() -> &'static Self {
        OWN.get().unwrap_or_else(Self::obtain)
    }

    #[cold]
    fn obtain() -> &'static Self {
        let idle = all().find(|worker| !worker.in_use.swap(true, Ordering::AcqRel));
        let new = idle.unwrap_or_else(|| {
            let new = Box::leak(Box::new(Self {
                pieces: AtomicU32::new(0),
                in_use: AtomicBool::new(true),
                next: AtomicPtr::new(ptr::null_mut()),
            }));
            let mut head = WORKERS.load(Ordering::Relaxed);
            loop {
                new.next.store(head, Ordering::Relaxed);
                match WORKERS.compare_exchange_weak(head, new, Ordering::Release, Ordering::Relaxed) {
                    Ok(_) => break new,
                    Err(now) => head = now,
                }
            }
        });
        // A signal handler may have come first.
        if let Some(own) = OWN.get() {
            new.in_use.store(false, Ordering::Release);
            return own;
        }
        OWN.set(Some(new));
        // In a destructor that runs after ours it stays marked as used: a few bytes lost.
        let _ = RETIRE.try_with(|_| ());
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

fn all() -> impl Iterator<Item = &'static Worker> {
    // SAFETY: list members are never freed.
    let get = |list: &AtomicPtr<Worker>| unsafe { list.load(Ordering::Acquire).as_ref() };
    std::iter::successors(get(&WORKERS), move |worker| get(&worker.next))
}

/// All threads' but the calling one's.
fn others() -> impl Iterator<Item = &'static Worker> {
    let own = OWN.get();
    all().filter(move |worker| !own.is_some_and(|own| ptr::eq(own, *worker)))
}

/// While it lives no other thread forks, mostly: see [`PATIENCE`].
pub(crate) struct Work(&'static Worker);

impl Work {
    /// Waits while another thread forks.
    pub(super) fn begin() -> Self {
        let worker = Worker::own();
        let mut patience = PATIENCE;
        loop {
            let before = worker.pieces.fetch_add(1, Ordering::SeqCst);
            let forker = FORKER.load(Ordering::SeqCst);
            if forker == 0 || forker == here() || before > 0 || patience == 0 {
                return Self(worker);
            }
            worker.end_one();
            wait_for(&FORKER, forker);
            patience -= 1;
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.0.end_one();
    }
}

/// The calling thread, by the address of a thread-local of its own.
pub(super) fn here() -> usize {
    OWN.with(|own| ptr::from_ref(own).addr())
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
        wait_for(&FORKER, other);
        patience -= 1;
    }
    loop {
        let ended = ENDED.load(Ordering::SeqCst);
        if others().all(|worker| worker.pieces.load(Ordering::SeqCst) == 0) {
            break;
        }
        if patience == 0 {
            return false;
        }
        wait(ENDED.as_ptr(), ended, A_MOMENT);
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
            instance::release_rooms();
        }
        go_on();
    }
}

/// # Safety
///
/// To be called by `fork`, in the child.
unsafe extern "C" fn in_child() {
    let was_quiet = FORKER.load(Ordering::Relaxed) == here() && QUIET.load(Ordering::Relaxed);
    loader::after_fork(was_quiet);
    for worker in others() {
        worker.pieces.store(0, Ordering::Relaxed);
        worker.in_use.store(false, Ordering::Relaxed);
    }
    making::forget_others();
    watchdog::forget();
    let survivor = thread::renumber_after_fork();
    instance::after_fork(survivor, was_quiet);
    go_on();
}

fn go_on() {
    QUIET.store(false, Ordering::Relaxed);
    FORKER.store(0, Ordering::SeqCst);
    wake(FORKER.as_ptr().cast());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::arch::asm;
    use std::sync::atomic::AtomicU32;
    use std::time::{Duration, Instant};

    static STEPS: AtomicU32 = AtomicU32::new(0);

    extern "C" fn fork_here(_: libc::c_int) {
        STEPS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the child ends, and is waited for.
        unsafe {
            match libc::fork() {
                0 => {
                    // As if the interrupted work went on here: another fork has nobody to wait for.
                    libc::alarm(5);
                    libc::_exit(i32::from(!come_to_rest()))
                }
                child => {
                    let mut status = 0;
                    assert_eq!(libc::waitpid(child, &mut status, 0), child);
                    assert_eq!(status, 0, "at step {STEPS:?}");
                }
            }
        }
    }

    /// A signal handler may fork between any two instructions.
    #[test]
    fn forks_while_this_thread_begins_and_ends_work() {
        const TRAP: u64 = 1 << 8;
        let begun = Instant::now();
        // Of a worker's first use `malloc` is a part, and a handler that forks must not interrupt that.
        drop(Work::begin());
        // SAFETY: a handler for each instruction that follows, until the flag is cleared.
        unsafe {
            let mut handler: libc::sigaction = std::mem::zeroed();
            handler.sa_sigaction = (fork_here as *const ()).addr();
            assert_eq!(libc::sigaction(libc::SIGTRAP, &handler, std::ptr::null_mut()), 0);
            asm!("pushfq", "or qword ptr [rsp], {}", "popfq", const TRAP);
            let outer = Work::begin();
            drop(Work::begin());
            drop(outer);
            asm!("pushfq", "and qword ptr [rsp], {}", "popfq", const !TRAP as i32);
        }
        assert!(STEPS.load(Ordering::Relaxed) > 20, "{STEPS:?}");
        assert!(begun.elapsed() < Duration::from_secs(25), "waited for itself");
    }
}
