//! Asking the loader what is loaded, and whether it can be asked.
//!
//! `dl_iterate_phdr` takes a lock of glibc's (`dl_load_write_lock`) that no child of a fork puts back: where another thread was in
//! the loader at that moment, who asks in the child waits for ever. So where there were other threads the first question in the
//! child is put by a thread of its own, for which nobody waits long, and which is gone when the answer is used: the child has one
//! thread as before, and may do what only such processes may (`unshare`, `setns`).

use crate::mpk::threads::spawn::Quiet;
use crate::mpk::threads::waiting::{wait, wake};
use crate::mpk::threads::work::Work;
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
        STATE.store(try_out(), Ordering::Relaxed);
    }
    if STATE.load(Ordering::Relaxed) == ANSWERS {
        // SAFETY: by this function's contract.
        unsafe { libc::dl_iterate_phdr(Some(look), data) };
    }
}

/// In the child of a fork, whose parent had come to rest before it, or had not, and in which the forking thread was `alone`, or was
/// not.
pub(in crate::mpk) fn after_fork(quiet: bool, alone: bool) {
    if !quiet {
        STATE.store(LOST, Ordering::Relaxed);
    } else if !alone && STATE.load(Ordering::Relaxed) == ANSWERS {
        STATE.store(UNKNOWN, Ordering::Relaxed);
    }
}

/// Whether this process has one thread. `false` where nobody knows.
///
/// One system call, and no memory: before a fork the thread may hold the locks of its allocator.
pub(in crate::mpk) fn has_one_thread() -> bool {
    // SAFETY: a path, and room for the answer. A directory has a link from each directory in it, here one per thread, and two of
    // its own.
    unsafe {
        let mut tasks = std::mem::zeroed::<libc::stat>();
        libc::stat(c"/proc/self/task".as_ptr(), &mut tasks) == 0 && tasks.st_nlink == 3
    }
}

/// Puts a question by a thread of its own. The state after it.
fn try_out() -> u32 {
    const LONGEST: Duration = Duration::from_secs(1);
    /// The thread that has an answer.
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
        // SAFETY: asks for a number.
        ANSWERED.store(unsafe { libc::gettid() }.unsigned_abs(), Ordering::Release);
        wake(ANSWERED.as_ptr());
        ptr::null_mut()
    }
    ANSWERED.store(0, Ordering::Relaxed);
    let begun = Instant::now();
    // Not std's threads: what the parent's were at may have been starting one.
    // SAFETY: every function is given what its page asks for. The thread inherits the mask: it takes no signals. If it waits for
    // ever it touches nothing any more.
    let thread = unsafe {
        let quiet = Quiet::begin();
        let mut thread = std::mem::zeroed();
        let failed = libc::pthread_create(&mut thread, ptr::null(), question, ptr::null_mut());
        drop(quiet);
        if failed != 0 {
            // No thread today (RLIMIT_NPROC); there may be one for the next question.
            return UNKNOWN;
        }
        thread
    };
    let mut tid = 0;
    while tid == 0 {
        let Some(rest) = LONGEST.checked_sub(begun.elapsed()) else {
            // SAFETY: started above, and not waited for any more.
            unsafe { libc::pthread_detach(thread) };
            return LOST;
        };
        wait(ANSWERED.as_ptr(), 0, Some(rest));
        tid = ANSWERED.load(Ordering::Acquire);
    }
    // SAFETY: started above, and at its end. Joined, it has left its memory; the kernel counts it until it has no number any more.
    unsafe {
        libc::pthread_join(thread, ptr::null_mut());
        let is_counted = || libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, 0) == 0;
        while is_counted() && begun.elapsed() < LONGEST {
            libc::sched_yield();
        }
    }
    ANSWERS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mpk::loaded::objects;

    /// The status of a child that does this.
    fn status(f: impl FnOnce() -> i32) -> i32 {
        // SAFETY: the child does what is safe after a fork, ends, and is waited for.
        unsafe {
            match libc::fork() {
                0 => {
                    libc::alarm(20);
                    libc::_exit(f())
                }
                child => {
                    let mut status = 0;
                    assert_eq!(libc::waitpid(child, &mut status, 0), child);
                    status
                }
            }
        }
    }

    /// From now on who starts a thread is killed (seccomp(2)).
    fn forbid_threads() {
        const SYS_CLONE3: u32 = 435;
        let step = |code: u32, jt, jf, k| libc::sock_filter { code: code as u16, jt, jf, k };
        let is = |number, skip| step(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, skip, 0, number);
        let mut steps = [
            step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
            is(libc::SYS_clone as u32, 2),
            is(SYS_CLONE3, 1),
            step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
            step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_KILL_PROCESS),
        ];
        let filter = libc::sock_fprog { len: 5, filter: steps.as_mut_ptr() };
        // SAFETY: a filter of five steps.
        unsafe {
            assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
            assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter), 0);
        }
    }

    /// This process has several threads: its child asks by another one, which is gone then.
    #[test]
    fn asking_leaves_no_thread_behind() {
        const UNANSWERED: i32 = 2;
        let asks = || match (has_one_thread(), objects::ever_loaded() > 0, has_one_thread()) {
            (true, true, true) => 0,
            (true, false, _) => UNANSWERED,
            _ => 1,
        };
        let ends: Vec<_> = (0..100).map(|_| status(asks)).collect();
        let unanswered = libc::W_EXITCODE(UNANSWERED, 0);
        assert!(ends.iter().all(|&end| end == 0 || end == unanswered), "{ends:?}");
        // Another test may have been asking when this process forked: then there is no answer for its child.
        assert!(ends.iter().filter(|&&end| end == 0).count() > 80, "{ends:?}");
    }

    /// Its child has one thread: what that forks can ask as it is.
    #[test]
    fn children_of_one_thread_start_none() {
        let asks = || {
            forbid_threads();
            i32::from(objects::ever_loaded() == 0)
        };
        assert_eq!(status(asks), libc::SIGSYS, "the control: there are other threads");
        assert_eq!(status(|| i32::from(objects::ever_loaded() == 0 || status(asks) != 0)), 0);
    }
}
