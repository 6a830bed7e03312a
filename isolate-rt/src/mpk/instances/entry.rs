//! A call of a thread into an instance: from the first staged argument to the last result.

use super::instance::Instance;
use super::seat::{Inputs, STOPPED, Seat, fits_on_stack};
use super::seats::Held;
use super::view::View;
use crate::callback::{self, Callbacks};
use crate::domain::HeapKind;
use crate::fault::{Failure, Fault, FaultKind, OWN_THREAD, Unsupported};
use crate::heap;
use crate::mpk::crossing::gate::{Activation, Work};
use crate::mpk::crossing::leave::{Reason, Stop};
use crate::mpk::crossing::thread::Thread;
use crate::mpk::endings::evidence::Evidence;
use crate::mpk::endings::exception;
use crate::mpk::signals::deadline::{self, Armed, Limit, Moment};
use crate::mpk::signals::watchdog;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{Ordering, compiler_fence};

/// A call of a thread: its seat, from the first staged argument to the last result.
pub(crate) struct Entry {
    pub(super) instance: &'static Instance,
    held: Held,
    /// Which of the seat's calls it is.
    call: u64,
}

impl Entry {
    /// Of the seat that was taken.
    #[inline]
    pub(super) fn new(instance: &'static Instance, held: Held) -> Self {
        Self { instance, held, call: held.seat.call() }
    }

    pub(crate) fn view(&self) -> View {
        self.view_of(self.generation())
    }

    fn view_of(&self, generation: u64) -> View {
        View { instance: self.instance, seat: self.seat(), generation, call: self.call }
    }

    /// The calling thread, if the seat is still used for this call.
    #[inline]
    fn thread(&self) -> Option<&'static Thread> {
        let seat = self.seat();
        // A call stays on its thread, and whoever gives the seat up has advanced the number before it can be anybody else's. So while
        // that is this call's the owner is the calling thread, which need not be looked up.
        if seat.call() != self.call {
            return None;
        }
        // SAFETY: threads are never freed.
        unsafe { seat.owner.load(Ordering::Relaxed).as_ref() }
    }

    #[inline]
    fn seat(&self) -> &'static Seat {
        self.held.seat
    }

    /// # Safety
    ///
    /// As [`crate::Call::run`].
    #[inline]
    pub(crate) unsafe fn run<R: Copy, F: FnOnce() -> R + Copy>(
        &mut self,
        function: &'static str,
        callbacks: Option<&mut Callbacks<'_>>,
        f: F,
    ) -> Result<R, Failure> {
        // SAFETY: passed on to our caller.
        unsafe { self.run_within(function, self.instance.limit, callbacks, f) }
    }

    /// # Safety
    ///
    /// As [`crate::Call::run`].
    #[inline]
    pub(in crate::mpk) unsafe fn run_within<R: Copy, F: FnOnce() -> R + Copy>(
        &mut self,
        function: &'static str,
        limit: Limit,
        callbacks: Option<&mut Callbacks<'_>>,
        f: F,
    ) -> Result<R, Failure> {
        let (instance, seat) = (self.instance, self.seat());
        let Some(thread) = self.thread() else {
            // A call that was kept until its thread's last destructors.
            return Err(Failure::refused(FaultKind::DomainLost));
        };
        if !thread.is_free() {
            return Err(Failure::refused(FaultKind::InSignalHandler));
        }
        let on_stack = const { fits_on_stack::<R>() };
        let room = if on_stack { (size_of::<R>(), align_of::<R>()) } else { (0, 1) };
        // SAFETY: held and prepared since `enter`.
        let fs = unsafe { seat.fs() };
        let stack = seat.top_of_stack(room);
        let result = if on_stack {
            ptr::with_exposed_provenance_mut(stack)
        } else {
            self.stage(1, size_of::<R>(), align_of::<R>()).map_err(Failure::refused)?
        };
        let mut armed = None;
        match limit {
            Limit::None => {}
            Limit::Timer(deadline) => armed = Some(deadline::arm(deadline).map_err(not_timed)?),
            Limit::Watched(_) => seat.watched.begin(),
        }
        let until = armed.map_or(Moment::NEVER, |armed| armed.until);
        // SAFETY: held.
        let generation = unsafe { seat.generation() };
        // Lent to us for as long as the activation lives.
        let callbacks = callbacks.map_or(ptr::null_mut(), ptr::from_mut).cast::<Callbacks<'static>>();
        let mut activation = Activation::new(instance.rights, until, (instance, generation), seat, callbacks);
        thread.set_at_work(true);
        seat.running.store(thread.tid(), Ordering::Relaxed);
        // Half of an order whose other half is the barrier in `evict`: here it costs nothing.
        compiler_fence(Ordering::SeqCst);
        if limit.watched().is_some()
            && watchdog::is_asleep()
            && let Err(reason) = watchdog::wake()
        {
            seat.running.store(0, Ordering::Release);
            thread.set_at_work(false);
            return Err(not_timed(reason));
        }
        let is_whole = !activation.is_lost() && {
            // SAFETY: stack and FS are of the seat that we hold; GS was pointed at this thread when the call began; `inside` reads
            // one `F`, which lives on our stack, and writes one `R`, for which there is room.
            let has_returned = unsafe {
                let argument = (&raw const f).cast();
                let function = match instance.heap_kind {
                    HeapKind::Fast => inside::<R, F>,
                    HeapKind::Hardened => inside_and_check::<R, F>,
                };
                activation.enter(Work { function, argument, result, stack, fs })
            };
            // SAFETY: held, and nothing runs on it.
            activation.stop.is_none() && has_returned && !is_lost(&activation) && unsafe { seat.overrun() }.is_none()
        };
        if !is_whole {
            return Err(self.ended_early(function, thread, &mut activation, armed));
        }
        seat.running.store(0, Ordering::Release);
        if let Some(armed) = armed {
            deadline::disarm(armed);
        }
        // SAFETY: `inside` has written it, or something else in there has: any bit pattern is a valid `R`, says our caller.
        let result = unsafe { result.cast::<R>().read_volatile() };
        thread.set_at_work(false);
        Ok(result)
    }

    /// After a call that did not return, or should not have.
    #[cold]
    #[inline(never)]
    fn ended_early(
        &self,
        function: &'static str,
        thread: &Thread,
        activation: &mut Activation,
        armed: Option<Armed>,
    ) -> Failure {
        let (instance, seat) = (self.instance, self.seat());
        let lost = activation.stop.is_none() && is_lost(activation);
        if activation.stop.is_none() && !lost {
            // SAFETY: held, and nothing runs on it.
            let overrun = unsafe { seat.overrun() };
            activation.stop = Some(match overrun {
                Some((end, size)) => Stop::left_with(Reason::RoomOverrun, [size, end, 0]),
                None => Stop::left_with(Reason::JumpedOut, [0; 3]),
            });
        }
        // A child of a fork that comes now must find that the instance is not what it should be.
        let over = if activation.stop.is_some() { STOPPED } else { 0 };
        seat.running.store(over, Ordering::Release);
        if let Some(armed) = armed {
            deadline::disarm(armed);
        }
        let mut failure = match &activation.stop {
            Some(stop) => self.stopped(function, thread, stop),
            None => {
                instance.give_up_mappings(seat, activation.generation());
                FaultKind::DomainLost.into()
            }
        };
        seat.running.store(0, Ordering::Release);
        thread.set_at_work(false);
        if let Some(name) = activation.stop.as_ref().and_then(exception::type_name) {
            self.name_exception(function, name, activation.generation(), &mut failure);
        }
        failure
    }

    /// Tells the type of what was thrown, by a name that the loader is asked about. Whoever has the loader may be waiting to discard this
    /// instance: so not before nobody waits for this call.
    fn name_exception(&self, function: &'static str, name: usize, generation: u64, failure: &mut Failure) {
        let FaultKind::Exception { message } = &failure.kind else { return };
        let named = FaultKind::Exception { message: exception::told(name, message) };
        let before = std::mem::replace(&mut failure.kind, named);
        let cause = Fault::new(self.instance.name, function, failure.clone());
        self.instance.last_fault.complete(generation, &before, cause);
    }

    /// For a call that may take as long as it takes, in a domain whose calls are watched: nobody does, until
    /// [`Entry::watched_again`].
    pub(super) fn unwatched(&self) -> u64 {
        self.seat().watched.pause()
    }

    pub(super) fn watched_again(&self, calls: u64) {
        if self.thread().is_some() {
            self.seat().watched.resume(calls);
        }
    }

    #[cold]
    fn stopped(&self, function: &'static str, thread: &Thread, stop: &Stop) -> Failure {
        thread.panicking.store(false, Ordering::Relaxed);
        if stop.evicted {
            return FaultKind::DomainLost.into();
        }
        // SAFETY: held, and what ran there was stopped.
        let evidence = unsafe { Evidence::take(self.seat(), thread.tid(), stop) };
        // First: what there was to miss is gone afterwards.
        let kind = self.instance.kind(self.seat(), stop);
        let hint = self.instance.hint(self.seat(), &kind);
        let failure = Failure { kind, hint, evidence: Some(Arc::new(evidence)), refused: false };
        let cause = callback::why_refused(&failure, self.instance.name, function)
            .unwrap_or_else(|| Fault::new(self.instance.name, function, failure.clone()));
        self.instance.discard(Some(self.seat()), self.generation(), Some(cause));
        failure
    }

    /// Room in the domain for `len` values. What it holds is unspecified.
    #[inline]
    pub(crate) fn stage(&mut self, len: usize, size: usize, align: usize) -> Result<*mut u8, FaultKind> {
        if self.thread().is_none() {
            // As in `run_within`.
            return Err(FaultKind::DomainLost);
        }
        // SAFETY: held.
        unsafe { self.seat().stage(self.instance.key, len, size, align) }
    }

    /// That these bytes of the program stay what they are as long as the call is used.
    #[inline]
    pub(crate) fn remember(&mut self, address: usize, len: usize) {
        if self.thread().is_some() {
            // SAFETY: the seat is this thread's.
            unsafe { self.seat().remember(address, len) };
        }
    }

    /// Whether these bytes are of what this call has staged.
    #[inline]
    pub(crate) fn has_staged(&self, address: usize, len: usize) -> bool {
        if self.thread().is_none() {
            return false;
        }
        // SAFETY: the seat is this thread's.
        let until = unsafe { self.seat().staged_until(address) };
        until.is_some_and(|until| len <= until - address)
    }

    pub(crate) fn errno(&self) -> i32 {
        // SAFETY: held.
        unsafe { self.seat().errno() }
    }

    /// Whether the address is in memory of this domain.
    pub(crate) fn owns(&self, address: usize) -> bool {
        self.instance.readable_until(address).is_some()
    }

    /// How many bytes from `address` on are the domain's; of a mapping, no more than it may have of memory.
    pub(crate) fn owned_from(&self, address: usize) -> Option<usize> {
        self.instance.readable_until(address).map(|until| until - address)
    }

    /// Whether all these bytes are of memory that is the domain's, and mapped, as long as its instance lives: of its heap or its globals,
    /// and of no seat or mapping.
    pub(crate) fn owns_for_good(&self, address: usize, len: usize) -> bool {
        self.instance.lasting_until(address).is_some_and(|until| len <= until - address)
    }

    /// Goes to another instance of the domain, if there is one with this identity. Where nobody gets in there, the call ends up
    /// [nowhere](Held::nowhere).
    #[cold]
    pub(crate) fn move_to(&mut self, identity: usize) -> Result<(), FaultKind> {
        let Some(there) = self.instance.find(identity) else { return Ok(()) };
        let inputs = self.thread().map(|_| {
            // SAFETY: the seat is this thread's.
            unsafe { self.seat().inputs() }
        });
        // Who has seats there may be waiting for one here: not while we have it.
        *self = Self::new(self.instance, Held::nowhere());
        *self = there.enter_this()?;
        for &(start, len) in inputs.iter().flat_map(Inputs::given) {
            self.remember(start, len);
        }
        Ok(())
    }

    /// As [`View::during`].
    pub(crate) fn with_generation<R>(&self, generation: u64, f: impl FnOnce() -> R) -> Result<R, FaultKind> {
        self.view_of(generation).during(f)
    }

    /// The fault that ended this generation of the instance, if that is known.
    pub(crate) fn end_of(&self, generation: u64) -> Option<Fault> {
        self.instance.last_fault.of(generation)
    }

    /// Whether this fault was another thread's affair, were there an instance for each.
    pub(crate) fn could_have_been_spared(&self, cause: &Fault) -> bool {
        let is_own = self.thread().is_none_or(|thread| cause.thread() == Some(thread.tid()));
        self.instance.is_shared() && !is_own && cause.function() != OWN_THREAD
    }

    pub(crate) fn identity(&self) -> usize {
        ptr::from_ref(self.instance).addr()
    }

    pub(crate) fn generation(&self) -> u64 {
        // SAFETY: held.
        unsafe { self.seat().generation() }
    }
}

impl Drop for Entry {
    #[inline]
    fn drop(&mut self) {
        // Where the call was kept until its thread's last destructors, the seat has been given back.
        if self.thread().is_some() {
            // SAFETY: held, and whoever could use what was staged borrows the call that ends.
            unsafe { self.seat().clear() };
            self.instance.seats.release(self.held);
        }
    }
}

/// Whether what a call has left behind is not to be looked at. Nobody discards an instance while we are in it, but for the child of a
/// fork that a handler of this thread made. Who was inside while the program met what is no memory may have read 0 there.
#[inline]
fn is_lost(activation: &Activation) -> bool {
    activation.is_lost() || activation.instance.mappings.failure().is_some()
}

/// A call without its deadline is none.
#[cold]
fn not_timed(reason: Unsupported) -> Failure {
    Failure::refused(FaultKind::Unsupported(reason))
}

/// What runs inside: the closure, moved in by copy, its result moved out by copy. What is thrown passes: the gate ends the call
/// then.
///
/// # Safety
///
/// `argument` points to an `F` and `result` has room for an `R`.
unsafe extern "C-unwind" fn inside<R: Copy, F: FnOnce() -> R + Copy>(argument: *const u8, result: *mut u8) {
    // SAFETY: by this function's contract.
    unsafe { result.cast::<R>().write(argument.cast::<F>().read()()) }
}

/// As [`inside`], with a look at the heap after it: with the domain's rights, since what is looked at is the domain's.
///
/// # Safety
///
/// As [`inside`].
unsafe extern "C-unwind" fn inside_and_check<R: Copy, F: FnOnce() -> R + Copy>(argument: *const u8, result: *mut u8) {
    // SAFETY: by this function's contract.
    unsafe { inside::<R, F>(argument, result) };
    heap::check();
}
