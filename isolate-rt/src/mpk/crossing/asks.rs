//! What the runtime's own functions ask the program from inside: more heap, rooms, mappings, a thread. Each is a callback with a
//! number that no closure has; [`callback`](super::callback) answers.

use super::gate::call_back;
use crate::mpk::areas::mappings::WORDS;
use libc::c_int;
use std::ptr;

/// These stand where the number of a callback would. This one: the domain's allocator asks for more of its heap, up to the address
/// that it gives in place of a message.
pub(super) const OPEN_HEAP: usize = usize::MAX;
/// As above: it asks for a room ([`rooms`](crate::mpk::areas::rooms)).
pub(super) const OPEN_ROOM: usize = usize::MAX - 1;
/// It gives back the room that the address in place of a message lies in.
pub(super) const CLOSE_ROOM: usize = usize::MAX - 2;
/// Its library asks for a thread ([`started`](crate::mpk::instances::started)).
pub(in crate::mpk) const START_THREAD: usize = usize::MAX - 3;
/// Such a thread is about to end.
pub(in crate::mpk) const THREAD_ENDS: usize = usize::MAX - 4;
/// Its `mmap`, or a relative of that, asks ([`mappings`](crate::mpk::areas::mappings)).
pub(super) const MAPPINGS: usize = usize::MAX - 5;
/// It asks for a date ([`super::calendar`]).
pub(super) const CALENDAR: usize = usize::MAX - 6;

/// Its allocator has returned NULL: the number of bytes that were asked for stands in place of a message.
pub(super) const REFUSED: usize = usize::MAX - 7;

/// It is about to go on with the stack pointer that stands in place of a message (`longjmp`).
pub(super) const JUMP: usize = usize::MAX - 8;

/// Asks the program, from inside, to open the heap up to `end`, and gives what it is open up to then.
pub(crate) fn open_heap(end: usize) -> usize {
    let mut open = 0usize;
    // SAFETY: heaps are used inside; there is room for a number.
    unsafe { call_back(OPEN_HEAP, ptr::without_provenance(end), (&raw mut open).cast()) };
    open
}

/// Tells the program, from inside, that the heap had no room for so many bytes.
pub(crate) fn note_refusal(bytes: usize) {
    // SAFETY: heaps are used inside; no answer is waited for.
    unsafe { call_back(REFUSED, ptr::without_provenance(bytes), ptr::null_mut()) };
}

/// Asks the program, from inside, for a room of `len` bytes for a block of `size` bytes, `offset` bytes from its start. Gives
/// the room's address.
pub(crate) fn open_room(len: usize, offset: usize, size: usize) -> Option<usize> {
    let wish = [len, offset, size];
    let mut start = 0usize;
    // SAFETY: heaps are used inside; there is a wish, and room for a number.
    unsafe { call_back(OPEN_ROOM, (&raw const wish).cast(), (&raw mut start).cast()) };
    (start != 0).then_some(start)
}

/// Gives back the room that holds `address`.
pub(crate) fn close_room(address: usize) {
    // SAFETY: as above; no answer is waited for.
    unsafe { call_back(CLOSE_ROOM, ptr::without_provenance(address), ptr::null_mut()) };
}

/// Tells the program, from inside, where the stack pointer is about to go. Comes back if that is no frame of another call, nor of the
/// program's.
pub(crate) fn before_jump(stack: usize) {
    // SAFETY: said inside; no answer is waited for.
    unsafe { call_back(JUMP, ptr::without_provenance(stack), ptr::null_mut()) };
}

/// Asks the program, from inside, as one would ask the kernel. The error is an `errno`.
pub(crate) fn map(act: usize, arguments: [usize; WORDS - 1]) -> Result<usize, c_int> {
    let mut wish = [act; WORDS];
    wish[1..].copy_from_slice(&arguments);
    let mut answer = 0usize;
    // SAFETY: mappings are asked for inside; there is a wish, and room for a number.
    unsafe { call_back(MAPPINGS, (&raw const wish).cast(), (&raw mut answer).cast()) };
    match answer.cast_signed() {
        error @ -4095..=-1 => Err(-error as c_int),
        _ => Ok(answer),
    }
}
