//! Forks at awkward moments. No domain is needed for them.

use super::*;
use crate::mpk::areas::rooms::Rooms;
use crate::mpk::threads::work::{Work, Worker};
use std::arch::asm;
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

static STEPS: AtomicU32 = AtomicU32::new(0);
/// Set when a fork took about as long as it has patience.
static WAITED: AtomicBool = AtomicBool::new(false);
/// There is one handler for SIGTRAP, and one thread that forks.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has the handler called after each instruction of `f`.
fn step_through(handler: usize, f: impl FnOnce()) {
    const TRAP: u64 = 1 << 8;
    STEPS.store(0, Ordering::Relaxed);
    // SAFETY: a handler for each instruction that follows, until the flag is cleared.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = libc::SA_SIGINFO;
        assert_eq!(libc::sigaction(libc::SIGTRAP, &action, std::ptr::null_mut()), 0);
        asm!("pushfq", "or qword ptr [rsp], {}", "popfq", const TRAP);
        f();
        asm!("pushfq", "and qword ptr [rsp], {}", "popfq", const !TRAP as i32);
    }
    assert!(STEPS.load(Ordering::Relaxed) > 20, "{STEPS:?}");
}

extern "C" fn fork_here(_: libc::c_int) {
    STEPS.fetch_add(1, Ordering::Relaxed);
    let begun = Instant::now();
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
                WAITED.fetch_or(begun.elapsed() > PATIENCE / 2, Ordering::Relaxed);
            }
        }
    }
}

/// A signal handler may fork between any two instructions.
#[test]
fn forks_while_this_thread_begins_and_ends_work() {
    let _alone = alone();
    // Of a worker's first use `malloc` is a part, and a handler that forks must not interrupt that.
    drop(Work::begin());
    step_through((fork_here as *const ()).addr(), || {
        let outer = Work::begin();
        drop(Work::begin());
        drop(outer);
    });
    assert!(!WAITED.load(Ordering::Relaxed), "waited for itself");
}

/// … also while it takes a worker that another thread has left, and goes on in the child.
#[test]
fn forks_while_this_thread_takes_an_idle_worker() {
    static IN_CHILD: AtomicBool = AtomicBool::new(false);
    static NOT_ITS_OWN: AtomicU32 = AtomicU32::new(0);
    extern "C" fn fork_and_go_on(_: libc::c_int, _: *mut libc::siginfo_t, context: *mut libc::ucontext_t) {
        STEPS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the child goes on with what was interrupted, without further steps, and is waited for.
        unsafe {
            match libc::fork() {
                0 => {
                    (*context).uc_mcontext.gregs[libc::REG_EFL as usize] &= !0x100;
                    IN_CHILD.store(true, Ordering::Relaxed);
                }
                child => {
                    let mut status = 0;
                    assert_eq!(libc::waitpid(child, &mut status, 0), child);
                    NOT_ITS_OWN.fetch_add(u32::from(status != 0), Ordering::Relaxed);
                }
            }
        }
    }
    let _alone = alone();
    std::thread::spawn(|| drop(Work::begin())).join().unwrap();
    let first_use = || {
        step_through((fork_and_go_on as *const ()).addr(), || {
            let own = Worker::own();
            if IN_CHILD.load(Ordering::Relaxed) {
                let is_own =
                    own.owner.load(Ordering::Relaxed) == thread_address() && others().all(|other| !ptr::eq(other, own));
                // SAFETY: ends the child.
                unsafe { libc::_exit(i32::from(!is_own)) };
            }
        });
    };
    std::thread::spawn(first_use).join().unwrap();
    assert_eq!(NOT_ITS_OWN.load(Ordering::Relaxed), 0);
}

/// A signal handler that forks while its thread does: what the outer fork holds stays held.
#[test]
fn a_fork_within_a_fork_leaves_the_outer_one_alone() {
    let _alone = alone();
    let holds = || FORKER.load(Ordering::Relaxed) == thread_address() && QUIET.load(Ordering::Relaxed);
    // SAFETY: as `fork` calls them; the child ends, and is waited for.
    unsafe {
        before();
        assert!(holds());
        match libc::fork() {
            0 => {
                libc::alarm(5);
                libc::_exit(i32::from(holds() || NESTED.load(Ordering::Relaxed) != 0 || !come_to_rest()))
            }
            child => {
                let mut status = 0;
                assert_eq!(libc::waitpid(child, &mut status, 0), child);
                assert_eq!(status, 0);
            }
        }
        assert!(holds());
        in_parent();
    }
    assert!(!holds());
}

/// A fork may take its time: who needs the books of a heap meanwhile does not go without.
#[test]
fn books_are_waited_for_while_another_thread_forks() {
    let _alone = alone();
    let rooms = Rooms::new(0..0);
    let until = Instant::now() + PATIENCE;
    // SAFETY: as `fork` calls them.
    unsafe { before() };
    assert!(rooms.hold(until));
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| rooms.held(|| false).is_some());
        std::thread::sleep(Duration::from_millis(1500));
        rooms.release();
        // SAFETY: as above.
        unsafe { in_parent() };
        assert!(waits.join().unwrap());
    });
}

/// … unless whom they are for is over: the thread that forks may wait for that one's end.
#[test]
fn books_are_not_waited_for_by_who_is_over() {
    static IS_OVER: AtomicBool = AtomicBool::new(false);
    let _alone = alone();
    let rooms = Rooms::new(0..0);
    // SAFETY: as `fork` calls them.
    unsafe { before() };
    assert!(rooms.hold(Instant::now() + PATIENCE));
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| rooms.held(|| IS_OVER.load(Ordering::SeqCst)).is_some());
        std::thread::sleep(Duration::from_millis(100));
        IS_OVER.store(true, Ordering::SeqCst);
        assert!(!waits.join().unwrap());
    });
    // SAFETY: as above.
    unsafe { in_parent() };
}

/// A signal handler forks before `before` is done, and its child goes on with that, and forks.
#[test]
fn the_child_of_a_handler_gives_back_what_it_holds() {
    let _alone = alone();
    // SAFETY: as `fork` calls them; the child ends, and is waited for.
    unsafe {
        assert!(come_to_rest());
        match libc::fork() {
            0 => {
                libc::alarm(5);
                QUIET.store(true, Ordering::Relaxed);
                in_parent();
                let holds = QUIET.load(Ordering::Relaxed) || FORKER.load(Ordering::Relaxed) != 0;
                libc::_exit(i32::from(holds))
            }
            child => {
                let mut status = 0;
                assert_eq!(libc::waitpid(child, &mut status, 0), child);
                assert_eq!(status, 0);
            }
        }
        in_parent();
    }
    assert_eq!(FORKER.load(Ordering::Relaxed), 0);
}

/// Who waits to begin does not keep waking the thread that forks.
#[test]
fn beginners_back_off_once() {
    const BEGINNERS: u32 = 64;
    static BUSY: AtomicBool = AtomicBool::new(false);
    static OVER: AtomicBool = AtomicBool::new(false);
    let _alone = alone();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let _work = Work::begin();
            BUSY.store(true, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(500));
        });
        for _ in 0..BEGINNERS {
            scope.spawn(|| {
                while !OVER.load(Ordering::SeqCst) {
                    drop(Work::begin());
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
        }
        while !BUSY.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        let ended = ENDED.load(Ordering::SeqCst);
        assert!(come_to_rest());
        let ended = ENDED.load(Ordering::SeqCst).wrapping_sub(ended);
        go_on();
        OVER.store(true, Ordering::SeqCst);
        // Some were at work when it began, some about to begin.
        assert!(ended <= 4 * BEGINNERS, "{ended} ends");
    });
}
