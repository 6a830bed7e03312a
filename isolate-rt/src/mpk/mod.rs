//! The back end on memory protection keys.
//!
//! ```text
//!            root: key 0, the default of everything                      an instance: key K
//!   ┌──────────────────────────────────────────────────┐   ┌──────────────────────────────────────────┐
//!   │ stack, heap, globals, TLS of the program         │   │ guard │ stack │ guard │ TLS block │       │
//!   │ Thread (found by GS) ─► Activation ─► Activation │   │ heap ............ │ staged buffers ..... │
//!   │ alternate signal stack                           │   │ globals of the library (where it is linked)│
//!   └───────────────────────┬──────────────────────────┘   └────────────────────▲─────────────────────┘
//!                           │ gate: save, switch stack and FS, wrpkru, call      │
//!                           └─────────────────────────────────────────────────────┘
//! ```
//!
//! | group | what it does |
//! |---|---|
//! | [`machine`](crate::machine) | CPU and kernel, and proof that they do what is relied on |
//! | `threads` | what threads of the process have to do with each other |
//! | `loaded` | what the loader knows of the program and its libraries |
//! | `areas` | memory of an instance |
//! | `crossing` | the way into a domain, and the ways out |
//! | `signals` | from a fault, or a deadline, to the way out |
//! | `instances` | instances, and calls into them |
//! | `endings` | how a call ends that did not return, and what is told of it |

pub(crate) mod areas;
pub(crate) mod crossing;
mod endings;
mod instances;
mod loaded;
pub(crate) mod signals;
mod threads;

pub(crate) use crate::heap::is_inside;
pub(crate) use areas::layout::{in_arena, reaches_arena};
pub(crate) use areas::rooms::{close_room, open_room};
pub(crate) use crossing::gate::{before_jump, call_back, note_refusal, open_heap};
pub(crate) use crossing::leave::{Reason, leave, leave_with};
pub(crate) use crossing::thread::{on_signal_stack, own_signal_stack, remember_signal_stack};
pub(crate) use endings::evidence::Evidence;
pub(crate) use endings::message::Message;
pub(crate) use endings::panics::{end as end_panic, is_panicking, say as say_panic};
pub(crate) use instances::entry::Entry;
pub(crate) use instances::instance::{Begun, Instance};
pub(crate) use instances::started::{start_thread, thread_ends};
pub(crate) use instances::view::View;
pub(crate) use threads::making::begin_making;

pub(crate) use crate::machine::PAGE;

use crate::fault::Unsupported;
use crate::machine::kernel::system;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;
use threads::fork::Work;

/// For waits whose wake-up may be missed, since nobody pays for a fence to prevent it.
const A_MOMENT: Option<Duration> = Some(Duration::from_millis(1));

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
fn wait_for(word: &AtomicUsize, seen: usize) {
    // The half that a futex can wait on: x86-64 is little-endian.
    wait(word.as_ptr().cast(), seen as u32, A_MOMENT);
}

/// Gives private memory back to the kernel, also where it is locked (mlock(2)): it reads as 0 from then on. Says whether it does.
///
/// # Safety
///
/// Whole pages of what was mapped privately, and nobody needs what they hold.
unsafe fn drop_contents(start: usize, len: usize) -> bool {
    // SAFETY: by this function's contract.
    unsafe { libc::madvise(std::ptr::with_exposed_provenance_mut(start), len, libc::MADV_DONTNEED_LOCKED) == 0 }
}

/// One fewer waits, or runs. (In the child of a fork that a signal handler or a closure made, they were forgotten.)
fn one_fewer(count: &AtomicU32) {
    let _ = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
}

/// Wakes whoever [`wait`]s.
pub(crate) fn wake(word: *const u32) {
    // SAFETY: a live word.
    unsafe { libc::syscall(libc::SYS_futex, word, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, i32::MAX) };
}

/// Makes every running thread of this process execute a memory barrier (membarrier(2)).
fn barrier() {
    // SAFETY: no memory of ours is involved.
    let done = unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) };
    if done != 0 {
        // The program has given up the system call since (seccomp(2)). What an x86 core has stored is seen by the others
        // once its store buffer drains: within microseconds, and at every interrupt.
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// What [`barrier`] needs once.
fn register_barrier() -> Result<(), Unsupported> {
    // SAFETY: as `barrier`.
    let done = unsafe { libc::syscall(libc::SYS_membarrier, libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) };
    if done == 0 { Ok(()) } else { Err(system("membarrier")) }
}

/// Something of which a process has one, made when it is first needed. A failure that may pass is not kept.
struct Once<T> {
    made: OnceLock<Result<T, Unsupported>>,
    making: Mutex<()>,
}

impl<T> Once<T> {
    const fn new() -> Self {
        Self { made: OnceLock::new(), making: Mutex::new(()) }
    }

    fn get_or_make(&self, make: impl FnOnce() -> Result<T, Unsupported>) -> Result<&T, Unsupported> {
        if self.made.get().is_none() {
            // A child of a fork that happens now would find the lock taken for ever.
            let _work = Work::begin();
            let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
            if self.made.get().is_none() {
                match make() {
                    Err(reason) if reason.is_transient() => return Err(reason),
                    made => _ = self.made.set(made),
                }
            }
        }
        let made = self.made.get().unwrap_or_else(|| unreachable!("set above"));
        made.as_ref().map_err(Clone::clone)
    }
}
