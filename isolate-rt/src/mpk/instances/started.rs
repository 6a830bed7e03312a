//! Threads that a domain starts, where its settings allow that.
//!
//! `pthread_create` inside asks for one. What comes is a thread of the program's that enters the instance by a call like any other:
//! on a seat of its own, so with a stack, thread-locals and the rights of the domain. It goes when what it runs there returns, or
//! with the instance. What that is, and what is left for who joins it, is the domain's own affair (`interpose::threads`).

use super::instance::Instance;
use super::view::View;
use crate::callback::take_ending;
use crate::fault::{Fault, OWN_THREAD, Unsupported};
use crate::interpose::warm_up_exit;
use crate::mpk::crossing::asks::{START_THREAD, THREAD_ENDS};
use crate::mpk::crossing::gate::call_back;
use crate::mpk::signals::deadline::Limit;
use crate::mpk::threads::spawn::Quiet;
use crate::mpk::threads::waiting::{A_MOMENT, wait, wake};
use libc::{c_int, c_void};
use std::panic::catch_unwind;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Most that one instance can have: some seats are left for calls.
pub(crate) const MOST: u32 = 32;
/// The program's part of such a thread: the runtime's frames, and the closures that a library keeps.
const STACK: usize = 2 << 20;
/// In place of an `errno`: there are no threads for this domain.
const NOT_ALLOWED: usize = usize::MAX;

/// How long one waits for another's end, who has said that it has come.
const PATIENCE: Duration = Duration::from_secs(1);

/// What an instance has of them.
pub(in crate::mpk) struct Started {
    most: u32,
    /// A [`Count`].
    count: AtomicU64,
}

/// How many there are. Those of a generation that has ended do not count: they are on their way out.
#[derive(Clone, Copy)]
struct Count {
    /// The low half of its number.
    generation: u32,
    /// Of those below, as far as they say.
    ending: u16,
    all: u16,
}

/// What a new thread is to do: where, and in which generation of that.
struct Task {
    instance: &'static Instance,
    generation: u64,
    function: usize,
    argument: usize,
}

/// Asks the program, from inside, for a thread that calls `function(argument)` here. An `errno`, or 0; `None` where there are no
/// threads for this domain.
pub(crate) fn start_thread(function: unsafe extern "C" fn(*mut c_void), argument: *mut c_void) -> Option<c_int> {
    let wish = [function as *const () as usize, argument.addr()];
    let mut answer = NOT_ALLOWED;
    // SAFETY: threads are started inside; there is a wish, and room for a number.
    unsafe { call_back(START_THREAD, (&raw const wish).cast(), (&raw mut answer).cast()) };
    c_int::try_from(answer).ok()
}

/// Tells the program, from inside, that this thread is about to end: whoever learns of that and starts another, as C allows, may be
/// there before it has gone.
pub(crate) fn thread_ends() {
    // SAFETY: said inside; no answer is waited for.
    unsafe { call_back(THREAD_ENDS, ptr::null(), ptr::null_mut()) };
}

impl Started {
    /// None yet, and at most so many.
    pub(super) fn new(most: u32) -> Self {
        Self { most: most.min(MOST), count: AtomicU64::new(0) }
    }

    /// In the child of a fork there are none.
    pub(super) fn forget(&self) {
        self.count.store(0, Ordering::Relaxed);
    }

    /// One more, if there may be. Waits for those that are ending, as long as the call that asks is not `late`.
    fn add(&self, View { instance, generation, .. }: View, is_late: impl Fn() -> bool) -> bool {
        let until = Instant::now() + PATIENCE;
        loop {
            let more = |count: Count| (u32::from(count.all) < self.most).then(|| Count { all: count.all + 1, ..count });
            let Err(seen) = self.change(|count| more(count.in_generation(generation))) else { return true };
            if seen.ending == 0 || instance.generation() != generation || Instant::now() >= until || is_late() {
                return false;
            }
            // A futex waits on 32 bits. At this address is the low half of the word: x86-64 is little-endian.
            wait(self.count.as_ptr().cast(), seen.word() as u32, A_MOMENT);
        }
    }

    /// One says that it is ending. Whatever the domain has said, there are no more of these than there are threads.
    pub(in crate::mpk) fn ends(&self, generation: u64) {
        let ends = |count: Count| Count { ending: (count.ending + 1).min(count.all), ..count };
        let _ = self.change(|count| count.is_of(generation).then(|| ends(count)));
    }

    /// (In the child of a fork that a closure made, on such a thread, it was forgotten.)
    fn remove(&self, generation: u64) {
        let fewer = |count: Count| Count { ending: count.ending.saturating_sub(1), all: count.all - 1, ..count };
        let _ = self.change(|count| (count.is_of(generation) && count.all > 0).then(|| fewer(count)));
        wake(self.count.as_ptr().cast());
    }

    /// The error is what there is, where that stays.
    fn change(&self, change: impl Fn(Count) -> Option<Count>) -> Result<(), Count> {
        let changed = |word| change(Count::from(word)).map(Count::word);
        self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, changed).map(|_| ()).map_err(Count::from)
    }
}

impl Count {
    fn is_of(self, generation: u64) -> bool {
        self.generation == generation as u32
    }

    fn in_generation(self, generation: u64) -> Self {
        if self.is_of(generation) { self } else { Self { generation: generation as u32, ending: 0, all: 0 } }
    }

    fn word(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.ending) << 16 | u64::from(self.all)
    }
}

impl From<u64> for Count {
    fn from(word: u64) -> Self {
        Self { generation: (word >> 32) as u32, ending: (word >> 16) as u16, all: word as u16 }
    }
}

/// What such threads need to have been done outside. To be called once at least.
pub(super) fn prepare() -> Result<(), Unsupported> {
    let _quiet = Quiet::begin();
    warm_up_exit().map_err(|errno| Unsupported::System { call: "pthread_create", errno })
}

/// Starts a thread for the domain. What it is to do are the domain's words: it does that in there.
pub(in crate::mpk) fn start(view: View, is_late: impl Fn() -> bool, [function, argument]: [usize; 2]) -> usize {
    let View { instance, generation, .. } = view;
    if instance.started.most == 0 {
        return NOT_ALLOWED;
    }
    if !instance.started.add(view, is_late) {
        return libc::EAGAIN as usize;
    }
    let task = Box::into_raw(Box::new(Task { instance, generation, function, argument }));
    // SAFETY: `body` takes the box as its own.
    match unsafe { Quiet::begin().start(STACK, body, task.cast()) } {
        Ok(()) => 0,
        Err(errno) => {
            instance.started.remove(generation);
            // SAFETY: nobody else has it.
            drop(unsafe { Box::from_raw(task) });
            errno as usize
        }
    }
}

extern "C" fn body(task: *mut c_void) -> *mut c_void {
    // SAFETY: `start` has given it to this thread.
    let task = unsafe { Box::from_raw(task.cast::<Task>()) };
    task.run();
    task.instance.started.remove(task.generation);
    ptr::null_mut()
}

impl Task {
    fn run(&self) {
        let mut entry = match self.instance.enter_this() {
            Ok(entry) => entry,
            Err(kind) => {
                // Otherwise a thread that joins it would wait for ever.
                let cause = Fault::new(self.instance.name, OWN_THREAD, kind);
                return self.instance.discard(None, self.generation, Some(cause));
            }
        };
        // SAFETY: any word is one; it is only called inside.
        let function = unsafe { std::mem::transmute::<usize, Option<unsafe extern "C" fn(usize)>>(self.function) };
        let (Some(function), argument) = (function, self.argument) else { return };
        if entry.generation() != self.generation {
            // The generation that asked for the thread is gone.
            return;
        }
        let watched = entry.unwatched();
        // A failure is that of the instance, which keeps it for those who lose something by it.
        // SAFETY: inside, any function may be called; what it does there is the domain's. It returns nothing.
        let _ = unsafe { entry.run_within(OWN_THREAD, Limit::None, None, move || function(argument)) };
        entry.watched_again(watched);
        // What a closure has panicked with was told; nobody goes on with it, and dropping it may panic, too.
        let _ = catch_unwind(|| drop(take_ending()));
    }
}
