//! What other threads must not be at while one forks.
//!
//! A child has a copy of the process's memory in which no other thread goes on, so that what one was at stays as it is for ever.
//! Nor is that copy of one moment: pages are copied one after the other while the other threads run, and the child may have
//! the lock of a heap as it was taken, and the note that a thread is inside as it was before. So before a fork
//!
//! - [`Work`](work::Work) that no child could finish comes to its end, and none begins: taking seats, making domains, asking the loader;
//! - seats that other threads keep and do not use are taken from them: their next call would be such work.
//!
//! A thread that has a seat then is in the middle of a call, and the child makes that instance anew.
//!
//! | | [`before`] the fork | [`in_parent`] | [`in_child`] |
//! |---|---|---|---|
//! | [`FORKER`] | this thread: no work begins in others | nobody | nobody |
//! | [`pieces`](work::Worker::pieces) of others | waited for until there are none, at most for [`PATIENCE`] | as they are | none: their threads are gone |
//! | [`QUIET`] | whether that was so in time; then the locks of all rooms are held | given back, and no more | given back; an instance goes on where that was so and nobody was inside, and is made anew elsewhere |
//! | [`ALONE`] | whether this is the only thread, and asks the loader nothing | | whether the loader can be asked |
//! | [`NESTED`] | one more, where a handler has interrupted a fork of its thread: nothing else is done | one fewer: nothing else is done | none |

use super::instance;
use crate::mpk::crossing::thread::{self, Thread};
use crate::mpk::loaded::loader;
use crate::mpk::signals::{handlers, watchdog};
use crate::mpk::threads::making;
use crate::mpk::threads::waiting::{A_MOMENT, barrier, wait, wait_for, wake};
use crate::mpk::threads::work::{self, ENDED, FORKER, PATIENCE, others, thread_address};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Instant;

static QUIET: AtomicBool = AtomicBool::new(false);
static ALONE: AtomicBool = AtomicBool::new(false);
static NESTED: AtomicU32 = AtomicU32::new(0);
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
    if FORKER.load(Ordering::Relaxed) == thread_address() {
        NESTED.fetch_add(1, Ordering::Relaxed);
    } else if come_to_rest() {
        let is_idle = !work::is_at_work();
        ALONE.store(is_idle && loader::has_one_thread(), Ordering::Relaxed);
        QUIET.store(true, Ordering::Relaxed);
    }
}

/// Makes all others hold still. Says whether they do.
fn come_to_rest() -> bool {
    let until = Instant::now() + PATIENCE;
    while let Err(other) = FORKER.compare_exchange(0, thread_address(), Ordering::SeqCst, Ordering::SeqCst) {
        if Instant::now() >= until {
            return false;
        }
        wait_for(&FORKER, other);
    }
    loop {
        let ended = ENDED.load(Ordering::SeqCst);
        if others().all(|worker| worker.pieces.load(Ordering::SeqCst) == 0) {
            break;
        }
        if Instant::now() >= until {
            return false;
        }
        wait(ENDED.as_ptr(), ended, A_MOMENT);
    }
    let survivor = Thread::taking_part();
    // All of them before the barrier: it costs more than the rest.
    if instance::all().filter(|instance| instance.seats.want_idle(survivor)).count() > 0 {
        barrier();
        instance::all().for_each(|instance| instance.seats.take_wanted(survivor));
    }
    hold_rooms(until)
}

/// All of them or none.
fn hold_rooms(until: Instant) -> bool {
    for (held, instance) in instance::all().enumerate() {
        if !instance.rooms.hold(until) {
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
    let this = thread_address();
    // Where a handler has interrupted `before` and forked, and this is its child, nobody forks any more for all that is known, but
    // what `before` went on to take is held. Taken up again, so that nobody else's is given back.
    let forker = FORKER.compare_exchange(0, this, Ordering::SeqCst, Ordering::SeqCst).unwrap_or_else(|forker| forker);
    if ![0, this].contains(&forker) {
        return;
    }
    if NESTED.load(Ordering::Relaxed) > 0 {
        // The fork around this one still needs what it holds.
        NESTED.fetch_sub(1, Ordering::Relaxed);
        return;
    }
    // Said first: the child of a handler that forks meanwhile takes nothing for held.
    if QUIET.swap(false, Ordering::Relaxed) {
        instance::release_rooms();
    }
    go_on();
}

/// # Safety
///
/// To be called by `fork`, in the child.
unsafe extern "C" fn in_child() {
    let was_quiet = FORKER.load(Ordering::Relaxed) == thread_address() && QUIET.load(Ordering::Relaxed);
    loader::after_fork(was_quiet, ALONE.load(Ordering::Relaxed));
    for worker in others() {
        worker.pieces.store(0, Ordering::Relaxed);
        worker.owner.store(0, Ordering::Relaxed);
    }
    making::forget_others();
    watchdog::forget();
    let survivor = thread::renumber_after_fork();
    // Memory of domains is laid out anew by a thread that may never have been in one.
    handlers::with_faults(|| instance::after_fork(survivor, was_quiet));
    go_on();
}

fn go_on() {
    QUIET.store(false, Ordering::Relaxed);
    NESTED.store(0, Ordering::Relaxed);
    FORKER.store(0, Ordering::SeqCst);
    wake(FORKER.as_ptr().cast());
}

#[cfg(test)]
mod tests;
