//! Deadlines: a timer of the calling thread, whose signal ends the call it finds past its time.
//!
//! The signal comes again every millisecond until the call is over: one that arrives while the thread runs one of the
//! program's signal handlers, or on the gate's own instructions, ends nothing. Whether the time is up is looked at again in
//! the handler, so that a signal that comes late does not end the next call.

use super::{handlers, signal, watchdog};
use crate::domain::Settings;
use crate::fault::Unsupported;
use crate::machine::kernel::system;
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// How long a call may take, and who looks at the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mpk) enum Limit {
    None,
    /// A timer of the thread, set for each call.
    Timer(Duration),
    /// The [watchdog](super::watchdog).
    Watched(Duration),
}

impl Limit {
    pub(in crate::mpk) fn of(settings: &Settings) -> Self {
        match settings.deadline {
            None => Self::None,
            Some(deadline) if settings.shared_timer => Self::Watched(deadline),
            Some(deadline) => Self::Timer(deadline),
        }
    }

    /// In the child of a fork, which has neither timers nor watchdog: goes on with a call that ends at `until`.
    #[cold]
    pub(in crate::mpk) fn in_child(self, until: Moment) -> Result<(), Unsupported> {
        match self {
            Self::None => Ok(()),
            Self::Timer(_) => set(timer()?, until),
            Self::Watched(_) => watchdog::wake(),
        }
    }

    pub(in crate::mpk) fn watched(self) -> Option<Duration> {
        match self {
            Self::Watched(deadline) => Some(deadline),
            _ => None,
        }
    }
}

/// How soon the signal comes again.
const AGAIN: Duration = Duration::from_millis(1);

/// The signal in use, by which threads are sent out, too; 0 before the first domain was made.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

thread_local! {
    /// The timer of this thread, once it has needed one.
    static TIMER: Cell<Option<Timer>> = const { Cell::new(None) };
}

/// A POSIX timer. The child of a fork has none of its parent's, so it carries the number of its process.
#[derive(Clone, Copy)]
struct Timer {
    timer: libc::timer_t,
    process: i32,
    /// When it will first send its signal.
    until: Moment,
}

/// The time of one call, and of the one around it: a callback, or a signal handler, may make calls with deadlines of their
/// own.
#[derive(Clone, Copy)]
pub(in crate::mpk) struct Armed {
    pub(in crate::mpk) until: Moment,
    around: Moment,
}

/// A moment of the monotonic clock, in nanoseconds; 0 is never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::mpk) struct Moment(u64);

impl Moment {
    pub(in crate::mpk) const NEVER: Self = Self(0);

    pub(in crate::mpk) fn is_past(self) -> bool {
        self != Self::NEVER && now() >= self.0
    }
}

/// The signal that [`prepare`] chose, if it did.
pub(in crate::mpk) fn signal() -> Option<i32> {
    match SIGNAL.load(Ordering::Relaxed) {
        0 => None,
        signal => Some(signal),
    }
}

/// Chooses a real-time signal that nobody handles, from the last one down, and installs the runtime's entry for it.
pub(super) fn prepare() -> Result<(), Unsupported> {
    if signal().is_some() {
        return Ok(());
    }
    for number in (libc::SIGRTMIN()..=libc::SIGRTMAX()).rev() {
        if handlers::is_unused(number)? {
            signal::install_entry(number)?;
            SIGNAL.store(number, Ordering::Relaxed);
            return Ok(());
        }
    }
    Err(Unsupported::Setting { what: "what ends a call needs a real-time signal, and the program uses all of them" })
}

/// Starts the time of a call. Two system calls: this one, and the one that disarms.
#[cold]
pub(in crate::mpk) fn arm(after: Duration) -> Result<Armed, Unsupported> {
    let timer = timer()?;
    let nanos = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX);
    let until = Moment(now().saturating_add(nanos).max(1));
    set(timer, until)?;
    Ok(Armed { until, around: timer.until })
}

/// Ends the time of a call: the timer is that of the call around it again, or stops.
#[cold]
pub(in crate::mpk) fn disarm(armed: Armed) {
    if let Some(timer) = own_timer() {
        // Setting a timer that exists cannot fail.
        let _ = set(timer, armed.around);
    }
}

/// That of this thread. In the child of a fork it does not exist, and its number may be that of another.
fn own_timer() -> Option<Timer> {
    // SAFETY: a getter.
    let process = unsafe { libc::getpid() };
    TIMER.get().filter(|timer| timer.process == process)
}

/// Gives the timer of a thread that ends back to the kernel.
pub(in crate::mpk) fn retire() {
    if let Some(Timer { timer, .. }) = own_timer() {
        // SAFETY: this thread's own timer, not used again.
        unsafe { libc::timer_delete(timer) };
    }
    TIMER.set(None);
}

fn timer() -> Result<Timer, Unsupported> {
    if let Some(timer) = own_timer() {
        return Ok(timer);
    }
    // SAFETY: an event that names this thread, and room for the timer.
    let timer = unsafe {
        let mut event: libc::sigevent = std::mem::zeroed();
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = SIGNAL.load(Ordering::Relaxed);
        event.sigev_notify_thread_id = libc::gettid();
        let mut timer = ptr::null_mut();
        if libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, &mut timer) != 0 {
            return Err(system("timer_create"));
        }
        Timer { timer, process: libc::getpid(), until: Moment::NEVER }
    };
    TIMER.set(Some(timer));
    Ok(timer)
}

fn set(timer: Timer, until: Moment) -> Result<(), Unsupported> {
    // Noted before the timer is set: a signal handler that makes a call in between sets the timer back to what is noted here.
    TIMER.set(Some(Timer { until, ..timer }));
    let again = if until == Moment::NEVER { Duration::ZERO } else { AGAIN };
    let spec = |duration: Duration| libc::timespec {
        tv_sec: duration.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    };
    let setting = libc::itimerspec { it_value: spec(Duration::from_nanos(until.0)), it_interval: spec(again) };
    // SAFETY: a live timer of this process.
    let done = unsafe { libc::timer_settime(timer.timer, libc::TIMER_ABSTIME, &setting, ptr::null_mut()) };
    if done == 0 { Ok(()) } else { Err(system("timer_settime")) }
}

/// The monotonic clock, in nanoseconds.
pub(super) fn now() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the clock exists on every Linux. Safe in a signal handler.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
