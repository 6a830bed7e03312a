//! What of an instance may be looked at while a call waits: by the program, between its call and the next.

use super::instance::Instance;
use super::seat::Seat;
use crate::fault::{Fault, FaultKind};
use crate::mpk::areas::image;
use crate::mpk::areas::layout::Place;
use crate::mpk::crossing::thread::Thread;
use std::ptr;
use std::sync::atomic::{Ordering, compiler_fence};

/// Where a call runs, for those that look around there while it waits: a seat of an instance in one generation.
#[derive(Clone, Copy)]
pub(crate) struct View {
    pub(in crate::mpk) instance: &'static Instance,
    pub(in crate::mpk) seat: &'static Seat,
    pub(super) generation: u64,
    /// Which of the seat's calls.
    pub(super) call: u64,
}

impl View {
    /// Of the call that the seat is used for now.
    pub(in crate::mpk) fn of(instance: &'static Instance, seat: &'static Seat, generation: u64) -> Self {
        Self { instance, seat, generation, call: seat.call() }
    }

    /// Runs `f` in the program, while nobody discards the instance: if it is what it was in this generation. Where `f` has met what is
    /// no memory, in a mapping of the domain, this discards the instance, and gives what that was.
    pub(crate) fn during<R>(&self, f: impl FnOnce() -> R) -> Result<R, FaultKind> {
        // A view may be kept for longer than its call. By then the seat may belong to another call.
        let is_used = |thread: &&Thread| self.instance.seats.uses(thread, self.seat);
        let Some(thread) = self.seat.owner_here().filter(is_used) else { return Err(FaultKind::DomainLost) };
        /// Lets those go on who wait for us, also when `f` panics.
        struct Done {
            seat: &'static Seat,
            running: i32,
            thread: &'static Thread,
            at_work: bool,
        }
        impl Drop for Done {
            fn drop(&mut self) {
                self.seat.running.store(self.running, Ordering::Release);
                self.thread.set_at_work(self.at_work);
            }
        }
        // As in `run_within`: whoever discards the instance waits for who says that it is in use. Afterwards it is what it was:
        // nothing, or in a callback.
        let at_work = thread.is_at_work();
        thread.set_at_work(true);
        let running = self.seat.running.swap(thread.tid(), Ordering::Relaxed);
        let _done = Done { seat: self.seat, running, thread, at_work };
        compiler_fence(Ordering::SeqCst);
        let is_it = || self.instance.generation() == self.generation;
        if !is_it() {
            return Err(FaultKind::StaleHandle);
        }
        let result = f();
        if self.instance.mappings.failure().is_some()
            && is_it()
            && let Some(kind) = self.instance.give_up_mappings(self.seat, self.generation)
        {
            return Err(kind);
        }
        // Nobody else discards it meanwhile, but a signal handler of this thread whose own call failed does.
        if is_it() { Ok(result) } else { Err(FaultKind::StaleHandle) }
    }

    /// Lets `look` read from `address` on, and tells it how many bytes it may: to the end of what the domain owns there, of the argument
    /// that the call was given there, or of the read-only data around it, which stays mapped meanwhile. To be used [`View::during`] which the instance is what it was.
    pub(crate) fn read<R>(&self, address: usize, look: impl FnOnce(usize) -> R) -> R {
        // Ask about mappings first, and for reading: a writable part of a mapping may be followed by a part that is read-only, and both
        // may be read.
        let mapped = self.instance.mappings.readable_until(address).map(|until| until - address);
        match mapped.or_else(|| self.writable_from(address)).or_else(|| self.input_from(address)) {
            Some(readable) => look(readable),
            None => image::with_read_only(address, look),
        }
    }

    fn input_from(&self, address: usize) -> Option<usize> {
        self.seat.owner_here()?;
        // SAFETY: the seat is this thread's, and in use.
        unsafe { self.seat.input_from(self.call, address) }
    }

    /// The fault that ended the generation that this looks at, if that is known.
    pub(crate) fn end(&self) -> Option<Fault> {
        self.instance.last_fault.of(self.generation)
    }

    /// How many bytes from `address` on the domain owns: in the room for staged values, those that this call has staged. (There are
    /// gigabytes of room, which a domain that lies about a length has for nothing.)
    pub(crate) fn writable_from(&self, address: usize) -> Option<usize> {
        let until = match self.instance.layout.place(address) {
            // SAFETY: the calling thread uses the seat, as far as it is its own.
            Some(Place::Staged) => self.seat.owner_here().and_then(|_| unsafe { self.seat.staged_until(address) })?,
            _ => self.instance.writable_until(address)?,
        };
        Some(until - address)
    }

    /// As [`Entry::owns`](super::entry::Entry::owns).
    pub(crate) fn owns(&self, address: usize) -> bool {
        self.instance.readable_until(address).is_some()
    }

    /// Most bytes that the domain's heap can hold.
    pub(crate) fn heap_limit(&self) -> usize {
        self.instance.layout.heap.len()
    }

    pub(crate) fn identity(&self) -> usize {
        ptr::from_ref(self.instance).addr()
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }
}
