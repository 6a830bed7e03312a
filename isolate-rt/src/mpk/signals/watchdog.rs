//! Deadlines without a system call for each call: one thread of the process looks, a few times in each deadline, which calls
//! are still the same, and sends the deadline's signal to those that have been for too long.
//!
//! A call only counts (see [`Watched`]) and looks whether somebody watches. It is seen for the first time up to a tick after
//! it began and found late up to a tick after its time: never early. While nobody has been inside for a second the thread
//! sleeps; the next call wakes it. In the child of a fork it does not exist, and is started by the first call that needs it.

use super::deadline;
use crate::fault::Unsupported;
use crate::mpk::instances::instance;
use crate::mpk::instances::seat::Seat;
use crate::mpk::threads::spawn::Quiet;
use crate::mpk::threads::waiting::{barrier, wait, wake as wake_waiting};
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// What a seat's calls and the watchdog tell each other.
pub(in crate::mpk) struct Watched {
    /// Number of the call that is, or was last, on the seat; 0 before the first, and while nobody looks at the clock. Written by the seat's owner.
    calls: AtomicU64,
    /// The call whose time is up. This and the rest is written by the watchdog.
    overdue: AtomicU64,
    /// The call that was seen last, and when first, in nanoseconds of the monotonic clock.
    seen: AtomicU64,
    since: AtomicU64,
}

/// Looks in one deadline.
const LOOKS: u32 = 8;
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(100);
/// So long nobody is inside before the watchdog sleeps.
const IDLE: Duration = Duration::from_secs(1);
const STACK: usize = 256 << 10;

/// 1 while the thread looks now and then. Never while there is none.
static AWAKE: AtomicU32 = AtomicU32::new(0);
/// Advanced when there is more to look at than the thread knows of.
static DOMAINS: AtomicU32 = AtomicU32::new(0);

/// Whether the thread exists: one of the following.
static STATE: AtomicU32 = AtomicU32::new(NONE);
const NONE: u32 = 0;
const STARTING: u32 = 1;
const EXISTS: u32 = 2;

impl Watched {
    pub(in crate::mpk) const fn new() -> Self {
        let [calls, overdue, seen, since] = [const { AtomicU64::new(0) }; 4];
        Self { calls, overdue, seen, since }
    }

    /// A call with a deadline begins on the seat.
    #[inline]
    pub(in crate::mpk) fn begin(&self) {
        self.calls.store(self.calls.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// From now on nobody looks how long the call on this seat takes. Gives the number of calls so far, for [`Watched::resume`].
    pub(in crate::mpk) fn pause(&self) -> u64 {
        self.calls.swap(0, Ordering::Relaxed)
    }

    /// Ends a [`Watched::pause`]. The numbers of calls go on from where they were, so that no number is used twice.
    pub(in crate::mpk) fn resume(&self, calls: u64) {
        self.calls.store(calls, Ordering::Relaxed);
    }

    /// Whether the time of the call on the seat is up.
    pub(in crate::mpk) fn is_overdue(&self) -> bool {
        let call = self.calls.load(Ordering::Relaxed);
        call != 0 && self.overdue.load(Ordering::Acquire) == call
    }

    /// Whether the call on the seat, which is `running`, has been there for `limit`.
    fn look(&self, now: u64, limit: Duration) -> bool {
        let call = self.calls.load(Ordering::Acquire);
        if call != self.seen.swap(call, Ordering::Relaxed) {
            // Not `now`, which may be long ago: the call may have begun since.
            self.since.store(deadline::now(), Ordering::Relaxed);
        }
        let there_for = now.saturating_sub(self.since.load(Ordering::Relaxed));
        let late = call != 0 && u128::from(there_for) >= limit.as_nanos();
        if late {
            self.overdue.store(call, Ordering::Release);
        }
        late
    }
}

/// Whether a call, which says that it runs before it asks, must [`wake`] the watchdog.
#[inline]
pub(in crate::mpk) fn is_asleep() -> bool {
    AWAKE.load(Ordering::Relaxed) == 0
}

/// Makes the watchdog look, from now on.
#[cold]
pub(in crate::mpk) fn wake() -> Result<(), Unsupported> {
    // A signal handler that interrupted this code and came here would wait for the very code that it interrupted. And the new thread
    // inherits the mask, so that it gets none of the program's signals.
    let quiet = Quiet::begin();
    // No lock is used: if a thread of the parent held it during a fork, it would stay locked in the child.
    loop {
        match STATE.compare_exchange(NONE, STARTING, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {
                let started = start(&quiet);
                STATE.store(if started.is_ok() { EXISTS } else { NONE }, Ordering::Release);
                started?;
                break;
            }
            Err(EXISTS) => break,
            // Whether there will be one is not known yet.
            Err(_) => std::thread::sleep(Duration::from_micros(50)),
        }
    }
    AWAKE.store(1, Ordering::Release);
    wake_waiting(AWAKE.as_ptr());
    Ok(())
}

/// Makes the watchdog look sooner than it meant to: there is a domain that it does not know.
pub(in crate::mpk) fn domain_made() {
    DOMAINS.fetch_add(1, Ordering::Release);
    wake_waiting(DOMAINS.as_ptr());
}

/// In the child of a fork, which has no watchdog.
pub(in crate::mpk) fn forget() {
    AWAKE.store(0, Ordering::Relaxed);
    STATE.store(NONE, Ordering::Relaxed);
}

fn start(quiet: &Quiet) -> Result<(), Unsupported> {
    extern "C" fn body(_: *mut c_void) -> *mut c_void {
        // SAFETY: a name of at most 15 bytes.
        unsafe { libc::prctl(libc::PR_SET_NAME, c"isolate-watchdo".as_ptr()) };
        watch()
    }
    // SAFETY: it needs no argument.
    let started = unsafe { quiet.start(STACK, body, ptr::null_mut()) };
    started.map_err(|errno| Unsupported::System { call: "pthread_create", errno })
}

fn watch() -> ! {
    let mut busy_at = deadline::now();
    loop {
        let domains = DOMAINS.load(Ordering::Acquire);
        let Round { tick, busy } = look();
        let now = deadline::now();
        if busy {
            busy_at = now;
        }
        if now - busy_at >= IDLE.as_nanos() as u64 {
            AWAKE.store(0, Ordering::Relaxed);
            // After this a call that has not seen it is seen running (`Entry::run_within` has the other half).
            barrier();
            if look().busy {
                AWAKE.store(1, Ordering::Relaxed);
            }
            while is_asleep() {
                wait(AWAKE.as_ptr(), 0, None);
            }
            busy_at = deadline::now();
        } else {
            wait(DOMAINS.as_ptr(), domains, Some(tick));
        }
    }
}

/// What was seen in one look at all seats.
struct Round {
    /// When to look again.
    tick: Duration,
    /// Whether somebody is inside.
    busy: bool,
}

fn look() -> Round {
    let mut round = Round { tick: LONGEST, busy: false };
    let now = deadline::now();
    for (instance, limit) in instance::all().filter_map(|instance| Some((instance, instance.limit.watched()?))) {
        round.tick = round.tick.min((limit / LOOKS).max(SHORTEST));
        for seat in instance.seats.iter() {
            round.look_at(seat, now, limit);
        }
    }
    round
}

impl Round {
    fn look_at(&mut self, seat: &Seat, now: u64, limit: Duration) {
        // First, whether a call runs; then, which.
        let thread = seat.running.load(Ordering::Acquire);
        if thread == 0 {
            return;
        }
        self.busy = true;
        if seat.watched.look(now, limit) {
            // It may be in a callback, or on the gate's instructions: until it is out.
            self.tick = SHORTEST;
            if let Some(signal) = deadline::signal().filter(|_| thread > 0) {
                // SAFETY: a signal that the runtime alone handles. A thread that is gone is an error without effect.
                unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, signal) };
            }
        }
    }
}
