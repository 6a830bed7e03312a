//! One thread at a time makes a domain, and none while another forks: what a child has of a half-made one, and of the locks on the
//! way, nobody would ever finish.

use super::{A_MOMENT, wait, wake};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Which thread is at it, by the address of a thread-local of its own; 0 while none is.
static MAKER: AtomicUsize = AtomicUsize::new(0);
/// Set while it is a thread that forks.
static FORKING: AtomicBool = AtomicBool::new(false);
/// A thread that forks waits no longer than this many [moments](A_MOMENT): it may hold a lock that the other one needs.
const PATIENCE: u32 = 2000;

/// While it lives, its thread alone makes domains.
pub(crate) struct Making(());

/// Waits until nobody else makes a domain. `None` if this thread does, and a signal handler has interrupted it.
pub(crate) fn begin_making() -> Option<Making> {
    static REGISTERED: AtomicBool = AtomicBool::new(false);
    if !REGISTERED.swap(true, Ordering::Relaxed) {
        // SAFETY: functions that touch nothing but the statics above.
        unsafe { libc::pthread_atfork(Some(before_fork), Some(in_parent), Some(in_child)) };
    }
    if MAKER.load(Ordering::Relaxed) == here() {
        return None;
    }
    while !try_take() {
        rest();
    }
    Some(Making(()))
}

impl Drop for Making {
    fn drop(&mut self) {
        release();
    }
}

fn here() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| ptr::from_ref(here).addr())
}

fn try_take() -> bool {
    MAKER.compare_exchange(0, here(), Ordering::Acquire, Ordering::Relaxed).is_ok()
}

fn rest() {
    let maker = MAKER.load(Ordering::Relaxed);
    if maker != 0 {
        wait(MAKER.as_ptr().cast(), maker as u32, A_MOMENT);
    }
}

fn release() {
    MAKER.store(0, Ordering::Release);
    wake(MAKER.as_ptr().cast());
}

/// # Safety
///
/// To be called by `fork`, before it forks.
unsafe extern "C" fn before_fork() {
    if MAKER.load(Ordering::Relaxed) == here() {
        // In a signal handler, which has interrupted it.
        return;
    }
    for _ in 0..PATIENCE {
        if try_take() {
            FORKING.store(true, Ordering::Relaxed);
            return;
        }
        rest();
    }
}

/// # Safety
///
/// To be called by `fork`, when it has forked.
unsafe extern "C" fn in_parent() {
    if MAKER.load(Ordering::Relaxed) == here() && FORKING.swap(false, Ordering::Relaxed) {
        release();
    }
}

/// # Safety
///
/// To be called by `fork`, in the child.
unsafe extern "C" fn in_child() {
    // Whoever else was at it does not exist here.
    if MAKER.load(Ordering::Relaxed) != here() || FORKING.swap(false, Ordering::Relaxed) {
        MAKER.store(0, Ordering::Relaxed);
    }
}
