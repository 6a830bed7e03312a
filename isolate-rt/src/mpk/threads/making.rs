//! One thread at a time makes a domain.

use super::waiting::{wait_for, wake};
use super::work::{Work, thread_address};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The [`thread_address`] of the thread that makes a domain; 0 while none does.
static MAKER: AtomicUsize = AtomicUsize::new(0);

/// While it lives, its thread alone makes domains.
pub(crate) struct Making(#[expect(dead_code, reason = "held until it is dropped")] Work);

/// Waits until nobody else makes a domain. `None` if this thread does, and a signal handler has interrupted it.
pub(crate) fn begin_making() -> Option<Making> {
    loop {
        match MAKER.compare_exchange(0, thread_address(), Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => return Some(Making(Work::begin())),
            Err(maker) if maker == thread_address() => return None,
            Err(maker) => wait_for(&MAKER, maker),
        }
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        MAKER.store(0, Ordering::Release);
        wake(MAKER.as_ptr().cast());
    }
}

/// To be called in the child of a fork, where a thread that was making a domain does not exist.
pub(in crate::mpk) fn forget_others() {
    if MAKER.load(Ordering::Relaxed) != thread_address() {
        MAKER.store(0, Ordering::Relaxed);
    }
}
