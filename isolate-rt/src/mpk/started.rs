//! Threads that a domain starts, where its settings allow that.
//!
//! `pthread_create` inside asks for one. What comes is a thread of the program's that enters the instance by a call like any other:
//! on a seat of its own, so with a stack, thread-locals and the rights of the domain. It goes when what it runs there returns, or
//! with the instance. What that is, and what is left for who joins it, is the domain's own affair (`interpose::threads`).

use super::callback::START_THREAD;
use super::deadline::Limit;
use super::entry::View;
use super::gate::call_back;
use super::instance::Instance;
use super::spawn::Quiet;
use crate::callback::take_ending;
use crate::fault::{Fault, OWN_THREAD, Unsupported};
use crate::interpose::warm_up_exit;
use libc::{c_int, c_void};
use std::panic::catch_unwind;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most that one instance can have: some seats are left for calls.
pub(crate) const MOST: u32 = 32;
/// The program's part of such a thread: the runtime's frames, and the closures that a library keeps.
const STACK: usize = 2 << 20;
/// In place of an `errno`: there are no threads for this domain.
const NOT_ALLOWED: usize = usize::MAX;

/// What an instance has of them.
pub(super) struct Started {
    most: u32,
    /// How many there are, and of which generation (the low half of its number) above that. Those of one that has ended do not
    /// count: they are on their way out.
    count: AtomicU64,
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

impl Started {
    /// None yet, and at most so many.
    pub(super) fn new(most: u32) -> Self {
        Self { most: most.min(MOST), count: AtomicU64::new(0) }
    }

    /// In the child of a fork there are none.
    pub(super) fn forget(&self) {
        self.count.store(0, Ordering::Relaxed);
    }

    fn add(&self, generation: u64) -> bool {
        let more = |count| {
            let count = if count >> 32 == generation & LOW { count } else { generation << 32 };
            (count & LOW < self.most.into()).then_some(count + 1)
        };
        self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// (In the child of a fork that a closure made, on such a thread, it was forgotten.)
    fn remove(&self, generation: u64) {
        let fewer = |count| (count >> 32 == generation & LOW && count & LOW > 0).then(|| count - 1);
        let _ = self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
    }
}

/// The low half.
const LOW: u64 = u32::MAX as u64;

/// What such threads need to have been done outside. To be called once at least.
pub(super) fn prepare() -> Result<(), Unsupported> {
    let _quiet = Quiet::begin();
    warm_up_exit().map_err(|errno| Unsupported::System { call: "pthread_create", errno })
}

/// Starts a thread for the domain. What it is to do are the domain's words: it does that in there.
pub(super) fn start(View { instance, generation, .. }: View, [function, argument]: [usize; 2]) -> usize {
    if instance.started.most == 0 {
        return NOT_ALLOWED;
    }
    if !instance.started.add(generation) {
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
                // Who joins it would wait for ever.
                let cause = Fault::new(self.instance.name, OWN_THREAD, kind);
                return self.instance.discard(None, self.generation, Some(cause));
            }
        };
        // SAFETY: any word is one; it is only called inside.
        let function = unsafe { std::mem::transmute::<usize, Option<unsafe extern "C" fn(usize)>>(self.function) };
        let (Some(function), argument) = (function, self.argument) else { return };
        if entry.generation() != self.generation {
            // Who asked for it is gone.
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
