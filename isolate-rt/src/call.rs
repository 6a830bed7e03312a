//! One call into a domain: arguments staged before it, results checked and copied after it.

mod given;
mod handle;
mod inside;
mod object;
mod owned;
mod retained;
mod staged;

pub use handle::Handle;
pub use inside::Inside;
pub use object::{End, Object};
pub use owned::{EndOfChild, Owned};
pub use retained::Retained;
pub(crate) use staged::copy_once;
pub use staged::{Plain, Staged, assert_plain};

use crate::callback::{self, Callbacks, Ending};
use crate::direct::Buffers;
use crate::domain::Settings;
use crate::error::{Error, Failed};
use crate::fault::{Failure, Fault, FaultKind, Hint};
use crate::mpk;
use std::cell::Cell;
use std::ffi::CString;
use std::marker::PhantomData;
use std::mem::size_of;

/// A call into a domain that has begun.
///
/// What is staged lies in memory that this call alone uses. Other threads may be inside the same domain, though, and a library
/// that has gone wrong may write to all of the domain's memory: every value is read once, and checked after that.
///
/// Where a domain has [an instance for each thread](crate::Domain::instance_per_thread), a call begins in that of its thread, and goes
/// where the first thing lives that it is given ([`Call::handle`], [`Call::lend`], [`Call::object`]), unless something was staged,
/// registered or run before. From then on it stays there.
///
/// Arguments that the domain only reads stay where they are, in memory of the program, and are borrowed (`'a`) as long as the call is used:
/// what a function returns may point into them.
///
/// ```compile_fail,E0505
/// # use isolate_rt::{Domain, Fault};
/// # static PATHS: Domain = Domain::new("paths");
/// # fn base(path: std::ffi::CString) -> Result<(), Fault> {
/// let mut call = PATHS.call("base")?;
/// let argument = call.input_str(&path)?;
/// drop(path);
/// // SAFETY: this domain is isolated.
/// let base = unsafe { call.string(argument) }?;
/// # Ok(())
/// # }
/// ```
///
/// In the child of a fork a call that had begun in the forking thread goes on, and what it was given is as it was; unless another
/// thread had a call in the same instance at that moment, which is new in the child then: [`FaultKind::DomainLost`].
/// A call belongs to its thread, and does not go on after a panic that was caught around it: drop it, and begin another.
#[must_use = "a call that is dropped has called nothing"]
pub struct Call<'a> {
    settings: &'static Settings,
    function: &'static str,
    place: Place,
    /// Something has been made for where it is: it cannot go anywhere else any more.
    settled: Cell<bool>,
    refused: Cell<bool>,
    // Stays on its thread: the seat, the way back and the deadline are that thread's. And exactly `'a`: while an `Inside` of longer life
    // is around, no argument of a shorter one may be added.
    _borrows: PhantomData<*mut &'a ()>,
}

const DIVISION_BY_ZERO: FaultKind = FaultKind::InvalidValue { what: "a length divided by 0" };

/// Where the call runs, with what it holds there.
pub(crate) enum Place {
    Mpk(mpk::Entry),
    // Staged buffers of a call without isolation.
    Direct(Buffers),
}

impl Call<'_> {
    #[inline]
    pub(crate) fn new(settings: &'static Settings, function: &'static str, place: Place) -> Self {
        Self { settings, function, place, settled: Cell::new(false), refused: Cell::new(false), _borrows: PhantomData }
    }

    /// `len` as the integer type that the foreign function takes.
    ///
    /// # Errors
    ///
    /// [`FaultKind::TooLarge`] when it does not fit.
    #[inline]
    pub fn length<N: TryFrom<usize>>(&self, len: usize) -> Result<N, Fault> {
        N::try_from(len).map_err(|_| {
            let unsigned = usize::MAX >> (usize::BITS as usize).saturating_sub(8 * size_of::<N>());
            let limit = if N::try_from(unsigned).is_ok() { unsigned } else { unsigned >> 1 };
            self.fault(FaultKind::TooLarge { requested: len, limit })
        })
    }

    /// A count that the domain claims, as a `usize`: 0 for a negative one.
    #[inline]
    pub fn count<N: TryInto<usize>>(&self, claimed: N) -> usize {
        claimed.try_into().unwrap_or(0)
    }

    /// A count that the domain claims of something that has `room` for so many.
    ///
    /// # Errors
    ///
    /// [`FaultKind::InvalidValue`] when it is more: either the library has run over, or it does not count what it wrote.
    #[inline]
    pub fn within(&self, count: usize, room: usize) -> Result<usize, Fault> {
        if count <= room {
            return Ok(count);
        }
        Err(self.fault(FaultKind::InvalidValue { what: "a count of more than there is room for" }))
    }

    /// A length that the library has told, to hold slices against later.
    ///
    /// # Errors
    ///
    /// [`FaultKind::InvalidValue`] when it is negative, or more than there is memory.
    pub fn told<N: TryInto<usize>>(&self, length: N) -> Result<usize, Fault> {
        length.try_into().map_err(|_| self.fault(FaultKind::InvalidValue { what: "a length that is none" }))
    }

    /// A computed length divided by another, rounded towards zero as in C.
    ///
    /// # Errors
    ///
    /// [`FaultKind::InvalidValue`] when the divisor is 0.
    pub fn quotient(&self, dividend: i128, divisor: i128) -> Result<i128, Fault> {
        dividend.checked_div(divisor).ok_or_else(|| self.fault(DIVISION_BY_ZERO))
    }

    /// Runs `f` inside the domain and returns what it returned.
    ///
    /// # Errors
    ///
    /// The fault that ended it. The instance is discarded then, with all that was staged.
    ///
    /// # Safety
    ///
    /// * `f` may call foreign code that is sound for the pointers given to it, were it free of bugs; it may use nothing that
    ///   writes outside the domain, own nothing that must be dropped, and not panic.
    /// * Every bit pattern must be a valid `R`.
    #[inline]
    pub unsafe fn run<R: Copy, F: FnOnce() -> R + Copy>(&mut self, f: F) -> Result<R, Fault> {
        self.settle();
        match &mut self.place {
            // SAFETY: passed on to our caller.
            Place::Mpk(entry) => unsafe { entry.run(self.function, None, f) }.map_err(|failure| self.ended(failure)),
            Place::Direct(_) => {
                let result = f();
                self.directly(result)
            }
        }
    }

    /// Why a call has ended: what a closure found wrong with it goes before what followed from that.
    #[cold]
    fn ended(&self, failure: Failure) -> Fault {
        self.refused.set(failure.refused);
        match callback::take_ending() {
            Some(Ending::Panic(panic)) => std::panic::resume_unwind(panic),
            Some(Ending::Fault(fault)) => fault.ending(self.function),
            None => self.fault(failure),
        }
    }

    /// The result of a call without isolation, which goes on to its end whatever a closure found wrong with it.
    fn directly<R>(&self, result: R) -> Result<R, Fault> {
        match callback::take_ending() {
            Some(Ending::Panic(panic)) => std::panic::resume_unwind(panic),
            Some(Ending::Fault(fault)) => Err(fault.ending(self.function)),
            None => Ok(result),
        }
    }

    /// As [`Call::run`], with closures of the program that the foreign code may call. They run in the program, and may make
    /// calls themselves, into this domain or others. (They own what they capture: the domain never sees it.)
    ///
    /// # Errors
    ///
    /// As [`Call::run`]; [`FaultKind::CallbackRefused`] when the domain calls a pointer of another call's.
    /// [`FaultKind::DomainLost`] when a call that a closure made failed in the same domain.
    ///
    /// # Panics
    ///
    /// When a closure panics: the call is over then, as after a fault, and the panic goes on from here. Without isolation
    /// it ends the process: there is no way back through foreign frames.
    ///
    /// # Safety
    ///
    /// As [`Call::run`].
    pub unsafe fn run_with<R: Copy, F: FnOnce() -> R + Copy>(
        &mut self,
        callbacks: &mut Callbacks<'_>,
        f: F,
    ) -> Result<R, Fault> {
        self.settle();
        match &mut self.place {
            Place::Mpk(entry) => {
                // SAFETY: passed on to our caller.
                unsafe { entry.run(self.function, Some(callbacks), f) }.map_err(|failure| self.ended(failure))
            }
            Place::Direct(_) => {
                let result = callbacks.direct(f);
                self.directly(result)
            }
        }
    }

    /// Whether what was last run was not called at all, because the call could not be made as it is to be: its deadline has no timer,
    /// or it came in a signal handler. An object that it should have ended ([`Owned::ended`]) is still there.
    ///
    /// [`Owned::ended`]: crate::Owned::ended
    pub fn was_refused(&self) -> bool {
        self.refused.get()
    }

    /// The error that the function reported with `code`, and what the library says about it.
    #[cold]
    pub fn failed<C>(&self, code: C, message: Option<CString>) -> Error<C> {
        Error::Failed(Failed::new(self.settings.name, self.function, code, message))
    }

    /// `errno` as the last call on this domain left it.
    pub fn errno(&self) -> i32 {
        match &self.place {
            Place::Mpk(entry) => entry.errno(),
            Place::Direct(_) => std::io::Error::last_os_error().raw_os_error().unwrap_or(0),
        }
    }

    /// What came back where the contract rules out NULL.
    ///
    /// # Errors
    ///
    /// [`FaultKind::InvalidValue`] for `None`.
    pub fn required<T>(&self, value: Option<T>) -> Result<T, Fault> {
        value.ok_or_else(|| self.fault(FaultKind::InvalidValue { what: "NULL, which the contract rules out" }))
    }

    /// What bits that came back stand for, where not all of them are a value of the type.
    ///
    /// # Errors
    ///
    /// [`FaultKind::InvalidValue`] for `None`.
    pub fn valid<T>(&self, value: Option<T>) -> Result<T, Fault> {
        value.ok_or_else(|| {
            self.fault(FaultKind::InvalidValue { what: "bits that are no value of a `bool` or an enum" })
        })
    }

    /// To be called by whatever gives away something of where the call is.
    #[inline]
    fn settle(&self) {
        self.settled.set(true);
    }

    /// Runs `f`, which looks at what the call has left in the domain, while nobody discards that: if it is still there.
    fn while_it_lasts<R>(&self, f: impl FnOnce(Option<&mpk::View>) -> Result<R, FaultKind>) -> Result<R, Fault> {
        let looked = match &self.place {
            Place::Mpk(entry) => {
                let view = entry.view();
                match view.during(|| f(Some(&view))) {
                    Err(FaultKind::StaleHandle) => Err(FaultKind::DomainLost),
                    looked => looked.and_then(|looked| looked),
                }
            }
            Place::Direct(_) => f(None),
        };
        looked.map_err(|kind| self.fault(kind))
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    #[cold]
    pub(crate) fn fault(&self, failure: impl Into<Failure>) -> Fault {
        let fault = Fault::new(self.settings.name, self.function, failure);
        match &self.place {
            Place::Mpk(entry) if fault.kind() == &FaultKind::DomainLost => {
                let cause = entry.end_of(entry.generation());
                let hint = cause.as_ref().filter(|cause| entry.could_have_been_spared(cause)).map(|_| Hint::Shared);
                fault.because(cause, hint)
            }
            _ => fault,
        }
    }

    /// What was asked for is gone, with a generation of an instance.
    #[cold]
    pub(crate) fn stale(&self, instance: usize, generation: u64) -> Fault {
        let fault = self.fault(FaultKind::StaleHandle);
        match &self.place {
            Place::Mpk(entry) if entry.identity() == instance => fault.because(entry.end_of(generation), None),
            _ => fault,
        }
    }
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("domain", &self.settings.name)
            .field("function", &self.function)
            .finish_non_exhaustive()
    }
}
