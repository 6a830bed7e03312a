//! Protection keys that are not the runtime's: a thread keeps the rights to them that it had.
//!
//! The way out of a domain writes [`pkey::PROGRAMS_RIGHTS`], the same for every thread. Who had other rights to keys of others (of V8, say,
//! or of a database) when the call began, has them again when it is over, and while a closure of the program's runs.

use super::thread::Thread;
use crate::machine::pkey::{self, PROGRAMS_RIGHTS, wrpkru};
use std::arch::naked_asm;
use std::sync::atomic::Ordering;

/// Opens the runtime's keys for the calling thread, which GS leads to. While the thread is in a call nothing is opened: only a signal
/// handler that interrupted the call can be running then. It has been given what it needs, and a call that it begins ends with
/// `InSignalHandler` anyway.
pub(in crate::mpk) fn open_own(thread: &Thread) {
    if !thread.active().is_null() {
        return;
    }
    let before = pkey::rights();
    if pkey::with_own_open(before) != before {
        // SAFETY: of a thread of the program's, in no call.
        unsafe { write(pkey::with_own_open(before)) };
    }
}

/// After a way out of a domain, in no call: the calling thread has the rights again that it had `before` its way in.
#[inline]
pub(super) fn give_back(before: u32) {
    if before != PROGRAMS_RIGHTS.load(Ordering::Relaxed) {
        give_back_others(before);
    }
}

#[cold]
fn give_back_others(before: u32) {
    let rights = pkey::with_own_open(before);
    // They may have differed only because they are older than the runtime's last key. Then there is nothing to give back.
    if rights != PROGRAMS_RIGHTS.load(Ordering::Relaxed) {
        // SAFETY: of a thread of the program's, in no call.
        unsafe { write(rights) };
    }
}

/// Loads PKRU. Who jumps to the instruction from inside a domain, with a value of his own, is in a call, and goes no further.
///
/// # Safety
///
/// GS leads to the calling thread, which is in no call. The runtime's keys are open in `rights`.
#[unsafe(naked)]
unsafe extern "C" fn write(rights: u32) {
    naked_asm!(
        "mov eax, edi",
        "xor ecx, ecx",
        "xor edx, edx",
        wrpkru!(),
        "cmp qword ptr gs:[{active}], 0",
        "jne 2f",
        "ret",
        "2:",
        "ud2",
        active = const Thread::ACTIVE,
    )
}
