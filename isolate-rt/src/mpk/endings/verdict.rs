//! From what the signal handler saw to what went wrong.

use super::message::Message;
use super::panics;
use crate::domain::HeapKind;
use crate::fault::{Access, FaultKind, Hint};
use crate::heap::{HEADER, Heap, LastWords};
use crate::machine::kernel::SEGV_PKUERR;
use crate::mpk::areas::rooms::Block;
use crate::mpk::crossing::leave::{Left, Reason, Stop};
use crate::mpk::instances::instance::Instance;
use crate::mpk::instances::seat::Seat;
use crate::mpk::signals::deadline;

/// Nobody maps anything below (`vm.mmap_min_addr`): whose pointer leads there has added something to NULL.
const NEAR_NULL: usize = 64 << 10;

impl Instance {
    /// What ended the call on `seat`.
    pub(in crate::mpk) fn kind(&self, seat: &Seat, stop: &Stop) -> FaultKind {
        let Stop { signal, code, address, key, access, left, .. } = *stop;
        if let Some(Left { reason, words: [value, size, at] }) = left {
            return match reason {
                _ if reason == Reason::StackSmashed as usize => FaultKind::StackSmashed,
                _ if reason == Reason::AssertionFailed as usize => {
                    FaultKind::AssertionFailed { message: Message::read(seat, value) }
                }
                _ if reason == Reason::Exit as usize => FaultKind::Exit { status: value as i32 },
                _ if reason == Reason::ThreadStarted as usize => FaultKind::ThreadStarted,
                _ if reason == Reason::ThreadExited as usize => FaultKind::ThreadExited,
                _ if reason == Reason::JumpedOut as usize => FaultKind::JumpedOut,
                _ if reason == Reason::CallbackRefused as usize => FaultKind::CallbackRefused,
                _ if reason == Reason::ProcessStarted as usize => FaultKind::ProcessStarted,
                _ if reason == Reason::ForeignStream as usize => FaultKind::ForeignStream { address: value },
                _ if reason == Reason::ForeignFree as usize => FaultKind::ForeignFree { address: value },
                _ if reason == Reason::FreedTwice as usize => FaultKind::DoubleFree { block: value, size },
                _ if reason == Reason::Overrun as usize => FaultKind::HeapOverflow { block: value, size, at },
                _ if reason == Reason::WrittenAfterFree as usize => {
                    FaultKind::WriteAfterFree { block: value, size, at }
                }
                _ if reason == Reason::RoomOverrun as usize => FaultKind::OutputOverflow { size: value, at: size },
                _ if reason == Reason::Panicked as usize => {
                    FaultKind::Panicked { message: panics::told(&Message::read(seat, value)) }
                }
                _ if reason == Reason::Uncaught as usize => {
                    FaultKind::Exception { message: Message::read(seat, value) }
                }
                _ => FaultKind::Abort,
            };
        }
        // SAFETY: created with the instance.
        let LastWords { asked, .. } = unsafe { Heap::last_words(self.heap()) };
        if signal == libc::SIGSEGV && self.rooms.area().contains(&asked) && (asked - HEADER..asked).contains(&address) {
            return FaultKind::ForeignFree { address: asked };
        }
        if signal == libc::SIGSEGV
            && let Some(Block { start: block, size, is_live }) = self.rooms.missed(address)
            && (is_live || access == Some(Access::Write))
        {
            return match is_live {
                true => FaultKind::HeapOverflow { block, size, at: address },
                false => FaultKind::WriteAfterFree { block, size, at: address },
            };
        }
        match signal {
            libc::SIGSEGV if code == libc::SI_KERNEL => FaultKind::NonCanonical,
            // Before the key: the guard is of key 0, and the kernel looks at the key of a mapping before its protection.
            libc::SIGSEGV if seat.is_guard(address) => FaultKind::StackOverflow { address },
            // As above: of the heap, what is not open yet.
            libc::SIGSEGV if self.layout.heap.contains(&address) => FaultKind::Unmapped { address },
            libc::SIGSEGV if self.mappings.is_mapped(address) => {
                let key = self.key.number();
                FaultKind::Protection { address, key, write: access == Some(Access::Write) }
            }
            libc::SIGSEGV if self.mappings.has(address) => FaultKind::Unmapped { address },
            libc::SIGSEGV if code == SEGV_PKUERR => {
                FaultKind::Protection { address, key, write: access == Some(Access::Write) }
            }
            libc::SIGSEGV => FaultKind::Unmapped { address },
            libc::SIGBUS => FaultKind::Bus { address },
            libc::SIGILL => FaultKind::IllegalInstruction,
            libc::SIGFPE => FaultKind::Arithmetic,
            libc::SIGTRAP => FaultKind::Trap,
            libc::SIGSYS => FaultKind::ForbiddenSyscall,
            _ if Some(signal) == deadline::signal() => FaultKind::Timeout,
            _ => FaultKind::Abort,
        }
    }

    /// What the state of the heap adds to that.
    pub(in crate::mpk) fn hint(&self, seat: &Seat, kind: &FaultKind) -> Option<Hint> {
        use FaultKind::{
            Abort, AssertionFailed, Bus, Exception, ForeignFree, IllegalInstruction, NonCanonical, Panicked,
            Protection, Unmapped,
        };
        // SAFETY: created with the instance.
        let LastWords { holder, .. } = unsafe { Heap::last_words(self.heap()) };
        let in_allocator = self.heap_kind == HeapKind::Fast && seat.has_thread_local(holder);
        match kind {
            ForeignFree { address } if in_allocator && self.layout.heap.contains(address) => Some(Hint::HeapDamaged),
            Unmapped { .. } | Protection { .. } | NonCanonical | Bus { .. } | Panicked { .. } if in_allocator => {
                Some(Hint::HeapDamaged)
            }
            Unmapped { .. }
            | Abort
            | AssertionFailed { .. }
            | Exception { .. }
            | Panicked { .. }
            | IllegalInstruction => {
                let (requested, limit) = (seat.refused()?, self.layout.heap.len());
                // A wild pointer is another matter: what lies there is not what the NULL stands for.
                let is_of_it = match *kind {
                    Unmapped { address } => address < requested.clamp(NEAR_NULL, limit),
                    _ => true,
                };
                is_of_it.then_some(Hint::HeapLimit { requested, limit })
            }
            _ => None,
        }
    }
}
