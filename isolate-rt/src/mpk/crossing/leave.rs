//! How a call ends before what was called inside returns: the domain asks for it ([`leave`]), or a signal stops it.
//!
//! Either way a signal handler writes a [`Stop`] for those outside, and sends the thread to the gate's [`rewind`](super::gate::rewind).

use crate::fault::Access;
use crate::mpk::loaded::unwind::Registers;
use std::arch::naked_asm;

/// What the signal handler saw. All of it is opaque: nothing here is followed.
#[derive(Clone, Copy, Debug)]
pub(in crate::mpk) struct Stop {
    pub(in crate::mpk) signal: i32,
    pub(in crate::mpk) code: i32,
    pub(in crate::mpk) address: usize,
    pub(in crate::mpk) key: u32,
    /// Where the CPU says.
    pub(in crate::mpk) access: Option<Access>,
    /// The thread did nothing wrong: another one did, in the same instance.
    pub(in crate::mpk) evicted: bool,
    /// Set when the thread stopped in [`leave`]: the reason and its value.
    pub(in crate::mpk) left: Option<Left>,
    /// What the thread's were, where it was stopped.
    pub(in crate::mpk) registers: Option<Registers>,
}

/// What [`leave`] was called with: the domain's words, which may be anything.
#[derive(Clone, Copy, Debug)]
pub(in crate::mpk) struct Left {
    pub(in crate::mpk) reason: usize,
    pub(in crate::mpk) words: [usize; 3],
}

/// Why an interposed function ends the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Reason {
    Abort = 1,
    /// With the address of a [`Message`](crate::mpk::endings::message::Message).
    AssertionFailed,
    StackSmashed,
    Exit,
    ThreadStarted,
    ThreadExited,
    ForeignFree,
    ProcessStarted,
    CallbackRefused,
    /// With the address of a `FILE`.
    ForeignStream,
    FreedTwice,
    Overrun,
    WrittenAfterFree,
    /// With the address of a [`Message`](crate::mpk::endings::message::Message).
    Panicked,
    /// With the address of a [`Message`](crate::mpk::endings::message::Message), and that of the name of what was thrown.
    Uncaught,
    /// With the size of a room, and its end.
    RoomOverrun,
    JumpedOut,
}

impl Stop {
    /// As if the domain had stopped in [`leave`].
    pub(super) fn left(reason: Reason, value: usize) -> Self {
        Self::left_with(reason, [value, 0, 0])
    }

    /// As [`Stop::left`], with more to say.
    pub(in crate::mpk) fn left_with(reason: Reason, words: [usize; 3]) -> Self {
        let left = Some(Left { reason: reason as usize, words });
        let signal = libc::SIGILL;
        Self { signal, code: 0, address: 0, key: 0, access: None, evicted: false, left, registers: None }
    }
}

/// Ends the call that this thread is in, from inside the domain.
pub(crate) fn leave(reason: Reason, value: usize) -> ! {
    leave_with(reason, [value, 0, 0])
}

/// As [`leave`], with more to say.
pub(crate) fn leave_with(reason: Reason, [a, b, c]: [usize; 3]) -> ! {
    // SAFETY: stops at an undefined instruction; the signal handler does the rest.
    unsafe { stop(reason as usize, a, b, c) }
}

/// # Safety
///
/// To be called inside a domain.
#[unsafe(naked)]
unsafe extern "C" fn stop(_reason: usize, _a: usize, _b: usize, _c: usize) -> ! {
    naked_asm!(
        ".cfi_startproc",
        ".globl __isolate_rt_leave",
        ".hidden __isolate_rt_leave",
        "__isolate_rt_leave:",
        "ud2",
        ".cfi_endproc"
    )
}

unsafe extern "C" {
    safe fn __isolate_rt_leave();
}

/// Address of the instruction that [`leave`] stops at.
pub(in crate::mpk) fn site() -> usize {
    (__isolate_rt_leave as *const ()).addr()
}
