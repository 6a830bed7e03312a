//! Waiting for a word to change (futex(2)), and seeing what other threads have written.

use crate::fault::Unsupported;
use crate::machine::kernel::system;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

/// For waits whose wake-up may be missed, since nobody pays for a fence to prevent it.
pub(in crate::mpk) const A_MOMENT: Option<Duration> = Some(Duration::from_millis(1));

/// Waits while `word` is `seen`, at most for so long, where that is said.
pub(crate) fn wait(word: *const u32, seen: u32, at_most: Option<Duration>) {
    let timeout = at_most.map(|time| libc::timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    });
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: a live word, and a time or NULL.
    unsafe { libc::syscall(libc::SYS_futex, word, libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG, seen, timeout) };
}

/// Waits for a moment while the word is `seen`.
pub(in crate::mpk) fn wait_for(word: &AtomicUsize, seen: usize) {
    // A futex waits on 32 bits. At this address is the low half of the word: x86-64 is little-endian.
    wait(word.as_ptr().cast(), seen as u32, A_MOMENT);
}

/// Subtracts one from a count of threads, but never goes below 0: in the child of a fork the count may have been reset, while a thread
/// that it counted goes on there.
pub(in crate::mpk) fn one_fewer(count: &AtomicU32) {
    let _ = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
}

/// Wakes whoever [`wait`]s.
pub(crate) fn wake(word: *const u32) {
    // SAFETY: a live word.
    unsafe { libc::syscall(libc::SYS_futex, word, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, i32::MAX) };
}

/// Makes every running thread of this process execute a memory barrier (membarrier(2)).
pub(in crate::mpk) fn barrier() {
    // SAFETY: no memory of ours is involved.
    let done = unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) };
    if done != 0 {
        // The program has given up the system call since (seccomp(2)). What an x86 core has stored is seen by the others
        // once its store buffer drains: within microseconds, and at every interrupt.
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Registers the process for [`barrier`], which needs it once.
pub(in crate::mpk) fn register_barrier() -> Result<(), Unsupported> {
    // SAFETY: as `barrier`.
    let done = unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) };
    if done == 0 { Ok(()) } else { Err(system("membarrier")) }
}
