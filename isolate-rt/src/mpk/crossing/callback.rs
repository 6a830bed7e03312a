//! From a domain back into the program, for a callback, and in again.

use super::asks::{CALENDAR, CLOSE_ROOM, JUMP, MAPPINGS, OPEN_HEAP, OPEN_ROOM, REFUSED, START_THREAD, THREAD_ENDS};
use super::gate::Activation;
use super::leave::{Reason, Stop};
use super::thread::Thread;
use super::{calendar, rights};
use crate::call::copy_once;
use crate::callback::answer;
use crate::machine::pkey;
use crate::mpk::areas::mappings::WORDS;
use crate::mpk::instances::seat::{IN_CALLBACK, Seat};
use crate::mpk::instances::started;
use std::ptr;
use std::sync::atomic::{Ordering, compiler_fence};

/// What the gate calls in the program: on its stack, with its rights and FS. Gives the FS base to go back in with, or 0 to end
/// the call.
///
/// While it serves the domain's allocator, maps, asks libc, or starts a thread, the call stays active, and the thread inside as far as
/// others can see: a signal handler that could enter this domain would wait for the heap's lock, which its own thread holds, and a
/// thread that discards the instance must wait for what is done to its address space. Only for a closure, and while the kernel is asked
/// for a file, is the thread [`outside`].
///
/// # Safety
///
/// `activation` is the running thread's, and active. The other arguments are the domain's: anything.
pub(super) unsafe extern "C" fn dispatch(
    number: usize,
    from: *const u8,
    to: *mut u8,
    activation: *mut Activation,
) -> usize {
    // SAFETY: by this function's contract. A signal handler that looks at it reads.
    let (instance, seat) = unsafe { ((*activation).instance, (*activation).seat) };
    // SAFETY: as above.
    let generation = unsafe { (*activation).generation() };
    let answer = |value: usize| put(seat, to, [value]);
    let answered = if number == OPEN_HEAP {
        answer(instance.open_heap(generation, from.addr()))
    } else if number == OPEN_ROOM {
        seat.has_on_stack(from.addr(), size_of::<[usize; 3]>()) && {
            // SAFETY: as above. Numbers: whatever they are is checked where they are used.
            let wish = unsafe { words(from) };
            answer(instance.open_room(generation, wish).unwrap_or(0))
        }
    } else if number == CLOSE_ROOM {
        instance.close_room(generation, from.addr());
        true
    } else if number == REFUSED {
        seat.note_refusal(from.addr());
        true
    } else if number == JUMP {
        instance.may_go_on_at(seat, from.addr())
    } else if number == START_THREAD {
        seat.has_on_stack(from.addr(), size_of::<[usize; 2]>()) && {
            // SAFETY: as above.
            let wish = unsafe { words(from) };
            // SAFETY: by this function's contract; reads.
            let (view, is_late) = unsafe { ((*activation).view(), || (*activation).is_late()) };
            answer(started::start(view, is_late, wish))
        }
    } else if number == THREAD_ENDS {
        instance.started.ends(generation);
        true
    } else if number == MAPPINGS {
        seat.has_on_stack(from.addr(), size_of::<[usize; WORDS]>()) && {
            // SAFETY: as above.
            let wish = unsafe { words(from) };
            // Outside, because the server of a mapped file may be slow to answer, or dead: nobody shall wait for this thread meanwhile.
            let prepare = || instance.mappings.prepare(wish);
            answer(
                instance
                    .map(generation, seat.owner_here().map_or_else(prepare, |thread| outside(seat, thread, prepare))),
            )
        }
    } else if number == CALENDAR {
        seat.has_on_stack(from.addr(), size_of::<calendar::Words>()) && {
            // SAFETY: as above.
            put(seat, to, calendar::answer(unsafe { words(from) }))
        }
    } else {
        // SAFETY: passed on.
        unsafe { call_closure(number, (from, to), activation) }
    };
    // SAFETY: as above.
    let activation = unsafe { &mut *activation };
    if activation.is_lost() {
        activation.stop = Some(Stop { evicted: true, ..Stop::left(Reason::CallbackRefused, number) });
        return 0;
    }
    if !answered {
        // Who has jumped to another call's frame is no more where this call gives and takes its words.
        let has_jumped = number == JUMP || !instance.may_go_on_at(seat, activation.domain_stack());
        let reason = if has_jumped { Reason::JumpedOut } else { Reason::CallbackRefused };
        activation.stop = Some(Stop::left(reason, number));
        return 0;
    }
    // SAFETY: the seat is held, and prepared, since the call began.
    unsafe { seat.fs() }
}

/// Words for the domain, where it has room for them. Says whether it has.
fn put<const COUNT: usize>(seat: &Seat, to: *mut u8, words: [usize; COUNT]) -> bool {
    let has_room = seat.has_on_stack(to.addr(), size_of_val(&words));
    if has_room {
        // SAFETY: of the seat's stack, which is this call's alone; not aligned, for all that is known.
        unsafe { to.cast::<[usize; COUNT]>().write_unaligned(words) };
    }
    has_room
}

/// A copy of words of the domain, which another thread in there may be changing.
///
/// # Safety
///
/// They are readable.
unsafe fn words<const COUNT: usize>(from: *const u8) -> [usize; COUNT] {
    let mut words = [[0u8; size_of::<usize>()]; COUNT];
    // SAFETY: by this function's contract; any bytes are words.
    unsafe { copy_once(from.cast(), &mut words, 1) };
    words.map(usize::from_ne_bytes)
}

/// Runs what uses nothing of the domain, and may take as long as it takes: whoever discards the instance meanwhile does not wait for it.
/// To be followed by a look at the generation.
fn outside<R>(seat: &Seat, thread: &Thread, f: impl FnOnce() -> R) -> R {
    // From here on, threads that discard the instance do not wait for this one: the code of the program may be waiting for them.
    seat.running.store(IN_CALLBACK, Ordering::Release);
    let result = f();
    // As in `Entry::run`: say that we are inside, then look whether there is still something to be inside of.
    // (The number is asked for again: a closure may have forked.)
    seat.running.store(thread.tid(), Ordering::Relaxed);
    compiler_fence(Ordering::SeqCst);
    result
}

/// Calls a closure, outside: it may enter domains itself. Says whether there is one that takes this.
///
/// # Safety
///
/// As [`dispatch`].
unsafe fn call_closure(number: usize, (from, to): (*const u8, *mut u8), activation: *mut Activation) -> bool {
    // SAFETY: by this function's contract; nobody else looks at it before it is active again.
    let (view, callbacks, until) = unsafe { ((*activation).view(), (*activation).callbacks, (*activation).deadline) };
    let (instance, seat) = (view.instance, view.seat);
    let Some(thread) = seat.owner_here() else { return false };
    let tid = thread.tid();
    let answered = outside(seat, thread, || {
        thread.set_at_work(false);
        // SAFETY: this thread's, which is not inside.
        unsafe { thread.set_active(ptr::null_mut()) };
        // SAFETY: as above.
        rights::give_back(unsafe { (*activation).rights_before });
        // SAFETY: `run_with` has lent them for the time of the call, and a call inside this one has its own. Where there
        // are none, none is registered.
        let callbacks = unsafe { callbacks.as_mut() };
        let on_stack = |start: usize, len: usize| seat.has_on_stack(start, len);
        // SAFETY: the seat's stack is this call's alone.
        let answered = unsafe { answer(callbacks, number, (from, to), view, on_stack) }.is_some();
        // What the closure has changed stays so.
        // SAFETY: as above.
        unsafe { (*activation).rights_before = pkey::rights() };
        // From here on no signal handler of this thread makes a call that fails and discards what we go back to.
        // SAFETY: it was until now.
        unsafe { thread.set_active(activation) };
        thread.set_at_work(true);
        answered
    });
    // If the closure has forked, this may be the child, where the timer or the watchdog thread does not exist. If it cannot be set up
    // anew, the call ends here, since nothing else would end it in time.
    answered && (thread.tid() == tid || instance.limit.in_child(until).is_ok())
}
