//! Asking the loader what is loaded, and whether it can be asked.
//!
//! `dl_iterate_phdr` takes a lock of glibc's (`dl_load_write_lock`) that no child of a fork puts back: where another thread was in
//! the loader at that moment, who asks in the child waits for ever. So the first question there is put by a thread of its own, for
//! which nobody waits long.

use super::fork::Work;
use super::{wait, wake};
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// What `dl_iterate_phdr` calls.
type Look = unsafe extern "C" fn(*mut libc::dl_phdr_info, usize, *mut c_void) -> i32;

/// One of the constants below.
static STATE: AtomicU32 = AtomicU32::new(ANSWERS);
/// It answers.
const ANSWERS: u32 = 0;
/// A child of a fork, in which nobody has asked yet.
const UNKNOWN: u32 = 1;
/// Nobody asks.
const LOST: u32 = 2;

/// Calls `look` for the objects that are loaded, until it says that it has seen enough; not at all where the loader is lost.
///
/// # Safety
///
/// `look` may be called with what dl_iterate_phdr(3) passes, and `data`.
pub(super) unsafe fn ask(look: Look, data: *mut c_void) {
    let _work = Work::begin();
    if STATE.load(Ordering::Relaxed) == UNKNOWN {
        STATE.store(if answers_in_time() { ANSWERS } else { LOST }, Ordering::Relaxed);
    }
    if STATE.load(Ordering::Relaxed) == ANSWERS {
        // SAFETY: by this function's contract.
        unsafe { libc::dl_iterate_phdr(Some(look), data) };
    }
}

/// In the child of a fork, whose parent had come to rest before it, or had not.
pub(super) fn after_fork(quiet: bool) {
    if !quiet {
        STATE.store(LOST, Ordering::Relaxed);
    } else if STATE.load(Ordering::Relaxed) == ANSWERS {
        STATE.store(UNKNOWN, Ordering::Relaxed);
    }
}

fn answers_in_time() -> bool {
    const LONGEST: Duration = Duration::from_secs(1);
    static ANSWERED: AtomicU32 = AtomicU32::new(0);
    extern "C" fn question(_: *mut c_void) -> *mut c_void {
        /// # Safety
        ///
        /// None owed.
        unsafe extern "C" fn enough(_: *mut libc::dl_phdr_info, _: usize, _: *mut c_void) -> i32 {
            1
        }
        // SAFETY: looks at nothing.
        unsafe { libc::dl_iterate_phdr(Some(enough), ptr::null_mut()) };
        ANSWERED.store(1, Ordering::Release);
        wake(ANSWERED.as_ptr());
        ptr::null_mut()
    }
    ANSWERED.store(0, Ordering::Relaxed);
    let begun = Instant::now();
    // Not std's threads: what the parent's were at may have been starting one.
    // SAFETY: every function is given what its page asks for. The thread inherits the mask: it takes no signals. If it waits for
    // ever it touches nothing any more.
    unsafe {
        let (mut signals, mut before) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&mut signals);
        libc::pthread_sigmask(libc::SIG_SETMASK, &signals, &mut before);
        let (mut attributes, mut thread) = (std::mem::zeroed(), std::mem::zeroed());
        libc::pthread_attr_init(&mut attributes);
        libc::pthread_attr_setdetachstate(&mut attributes, libc::PTHREAD_CREATE_DETACHED);
        let failed = libc::pthread_create(&mut thread, &attributes, question, ptr::null_mut());
        libc::pthread_attr_destroy(&mut attributes);
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, ptr::null_mut());
        if failed != 0 {
            return false;
        }
    }
    while ANSWERED.load(Ordering::Acquire) == 0 {
        let Some(rest) = LONGEST.checked_sub(begun.elapsed()) else { return false };
        wait(ANSWERED.as_ptr(), 0, Some(rest));
    }
    true
}
