//! Threads of a library: inside, `pthread_create` asks the program for one, where that is allowed ([`Domain::threads_inside`]).
//!
//! What a thread and who joins it know of each other lies in the domain's heap; its address is the `pthread_t`. All of this but the
//! thread itself is the domain's own affair, done with its rights.
//!
//! [`Domain::threads_inside`]: crate::Domain::threads_inside

use super::real::real;
use crate::heap;
use crate::mpk::{self, Reason};
use libc::{c_int, c_void, pthread_attr_t, pthread_t};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

type Start = extern "C" fn(*mut c_void) -> *mut c_void;

unsafe extern "C" {
    /// pthread_attr_getdetachstate(3): reads.
    fn pthread_attr_getdetachstate(attributes: *const pthread_attr_t, state: *mut c_int) -> c_int;
}

struct Thread {
    start: Start,
    argument: *mut c_void,
    /// What `start` has returned.
    value: AtomicPtr<c_void>,
    /// One of the following, for futex(2).
    state: AtomicU32,
}

const RUNS: u32 = 0;
const ENDED: u32 = 1;
/// Nobody waits for it: it goes when it ends.
const DETACHED: u32 = 2;

thread_local! {
    /// What the calling thread is, if a domain has started it.
    static OWN: Cell<*mut Thread> = const { Cell::new(ptr::null_mut()) };
}

/// # Safety
///
/// What pthread_create(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut pthread_t,
    attributes: *const pthread_attr_t,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    if !heap::is_inside() {
        // SAFETY: passed on to libc.
        return unsafe { real::pthread_create()(thread, attributes, start, argument) };
    }
    let mut detached = libc::PTHREAD_CREATE_JOINABLE;
    // SAFETY: attributes or NULL, says our caller; a block is written before it is used, and known to nobody else until the thread
    // is there. (All of it is the domain's.)
    unsafe {
        if !attributes.is_null() {
            pthread_attr_getdetachstate(attributes, &mut detached);
        }
        let new = libc::malloc(size_of::<Thread>()).cast::<Thread>();
        if new.is_null() {
            return libc::EAGAIN;
        }
        let state = AtomicU32::new(if detached == libc::PTHREAD_CREATE_DETACHED { DETACHED } else { RUNS });
        new.write(Thread { start, argument, value: AtomicPtr::new(ptr::null_mut()), state });
        // First: the new thread may look there.
        thread.write(new.addr() as pthread_t);
        match mpk::start_thread(run, new.cast()) {
            Some(0) => 0,
            Some(errno) => {
                libc::free(new.cast());
                errno
            }
            None => mpk::leave(Reason::ThreadStarted, 0),
        }
    }
}

/// What the new thread runs, inside.
///
/// # Safety
///
/// `thread` is what `pthread_create` has made.
unsafe extern "C" fn run(thread: *mut c_void) {
    let thread = thread.cast::<Thread>();
    OWN.set(thread);
    // SAFETY: nobody frees it while it runs.
    unsafe {
        let value = ((*thread).start)((*thread).argument);
        OWN.set(ptr::null_mut());
        (*thread).value.store(value, Ordering::Relaxed);
        let state = &raw const (*thread).state;
        if (*state).swap(ENDED, Ordering::AcqRel) == DETACHED {
            libc::free(thread.cast());
        } else {
            // It may be freed by now. Then nobody waits there, or somebody who looks again when woken.
            mpk::wake(state.cast());
        }
    }
}

/// # Safety
///
/// What pthread_join(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_join(thread: pthread_t, value: *mut *mut c_void) -> c_int {
    if !heap::is_inside() {
        // SAFETY: passed on to libc.
        return unsafe { real::pthread_join()(thread, value) };
    }
    // SAFETY: asks.
    if thread == unsafe { pthread_self() } {
        return libc::EDEADLK;
    }
    let thread = ptr::with_exposed_provenance_mut::<Thread>(thread as usize);
    // SAFETY: a thread of this domain that nobody else waits for, says our caller.
    unsafe {
        loop {
            match (*thread).state.load(Ordering::Acquire) {
                ENDED => break,
                RUNS => mpk::wait((*thread).state.as_ptr(), RUNS, None),
                _ => return libc::EINVAL,
            }
        }
        if !value.is_null() {
            value.write((*thread).value.load(Ordering::Relaxed));
        }
        libc::free(thread.cast());
    }
    0
}

/// # Safety
///
/// What pthread_detach(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_detach(thread: pthread_t) -> c_int {
    if !heap::is_inside() {
        // SAFETY: passed on to libc.
        return unsafe { real::pthread_detach()(thread) };
    }
    let thread = ptr::with_exposed_provenance_mut::<Thread>(thread as usize);
    // SAFETY: a thread of this domain that nobody waits for, says our caller.
    unsafe {
        match (*thread).state.compare_exchange(RUNS, DETACHED, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => 0,
            Err(ENDED) => {
                libc::free(thread.cast());
                0
            }
            Err(_) => libc::EINVAL,
        }
    }
}

/// # Safety
///
/// None owed.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_self() -> pthread_t {
    let own = OWN.get();
    if own.is_null() {
        // SAFETY: passed on to libc.
        unsafe { real::pthread_self()() }
    } else {
        own.addr() as pthread_t
    }
}
