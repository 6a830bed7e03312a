//! From a domain back into the program, for a callback, and in again.

use super::gate::{Activation, Reason, Stop};
use super::seat::IN_CALLBACK;
use super::thread::Thread;
use std::sync::atomic::{Ordering, compiler_fence};

/// Stands where a callback's number would: the domain's allocator asks for more of its heap, up to the address that it
/// gives in place of a message.
pub(super) const OPEN_HEAP: usize = usize::MAX;
/// As above: it asks for a room ([`super::rooms`]).
pub(super) const OPEN_ROOM: usize = usize::MAX - 1;
/// It gives back the room that the address in place of a message lies in.
pub(super) const CLOSE_ROOM: usize = usize::MAX - 2;

/// What the gate calls in the program: on its stack, with its rights and FS, while the thread counts as outside. Gives the
/// FS base to go back in with, or 0 to end the call.
///
/// # Safety
///
/// `activation` is the running thread's. The other arguments are the domain's: anything.
pub(super) unsafe extern "C" fn dispatch(
    number: usize,
    from: *const u8,
    to: *mut u8,
    activation: *mut Activation,
) -> usize {
    // SAFETY: by this function's contract; nobody else looks at it before it is active again.
    let activation = unsafe { &mut *activation };
    let seat = activation.seat;
    // Whoever discards the instance meanwhile need not wait for the program's code, which may wait for them.
    seat.running.store(IN_CALLBACK, Ordering::Release);
    let answer = |value: usize| {
        let has_room = seat.has_on_stack(to.addr(), size_of::<usize>());
        if has_room {
            // SAFETY: of the seat's stack, which is this call's alone; not aligned, for all that is known.
            unsafe { to.cast::<usize>().write_unaligned(value) };
        }
        has_room
    };
    let answered = if number == OPEN_HEAP {
        answer(activation.instance.open_heap(from.addr()))
    } else if number == OPEN_ROOM {
        seat.has_on_stack(from.addr(), size_of::<[usize; 3]>()) && {
            // SAFETY: as above. Numbers: whatever they are is checked where they are used.
            let wish = unsafe { from.cast::<[usize; 3]>().read_unaligned() };
            answer(activation.instance.open_room(wish).unwrap_or(0))
        }
    } else if number == CLOSE_ROOM {
        activation.instance.rooms.close(from.addr());
        true
    } else {
        // SAFETY: `run_with` has lent them for the time of the call, and a call inside this one has its own. Where there
        // are none, none is registered.
        let callbacks = unsafe { activation.callbacks.as_mut() };
        let on_stack = |start: usize, len: usize| seat.has_on_stack(start, len);
        // SAFETY: the seat's stack is this call's alone.
        callbacks.is_some_and(|callbacks| unsafe { callbacks.answer(number, (from, to), on_stack) }.is_some())
    };
    // As in `Entry::run`: say that we are inside, then look whether there is still something to be inside of.
    // (The number is asked for again: the closure may have forked.)
    seat.running.store(seat.owner_here().map_or(0, Thread::tid), Ordering::Relaxed);
    compiler_fence(Ordering::SeqCst);
    if activation.is_lost() {
        activation.stop = Some(Stop { evicted: true, ..Stop::left(Reason::CallbackRefused, number) });
        return 0;
    }
    if !answered {
        activation.stop = Some(Stop::left(Reason::CallbackRefused, number));
        return 0;
    }
    // SAFETY: the seat is held, and prepared, since the call began.
    unsafe { seat.fs() }
}
