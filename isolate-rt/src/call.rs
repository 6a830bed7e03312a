//! One call into a domain: arguments staged before it, results checked and copied after it.

mod given;
mod inside;
mod object;
mod owned;

pub use inside::Inside;
pub(crate) use inside::Origin;
pub use object::{End, Object};
pub use owned::{EndOfChild, Owned};

use crate::callback::{self, Callbacks, Ending};
use crate::direct::{Buffer, Buffers, MAX_STAGED};
use crate::domain::Settings;
use crate::error::{Error, Failed};
use crate::fault::{Failure, Fault, FaultKind};
use crate::mpk;
use std::cell::Cell;
use std::ffi::{CStr, CString, c_char};
use std::marker::PhantomData;
use std::mem::size_of;

/// Room of no more bytes is given to a domain as zeros.
const ZEROED: usize = 4096;

/// A call into a domain that has begun.
///
/// What is staged lies in memory that this call alone uses. Other threads may be inside the same domain, though, and a library
/// that has gone wrong may write to all of the domain's memory: every value is read once, and checked after that.
///
/// Where a domain has [an instance for each thread](crate::Domain::instance_per_thread), a call begins in that of its thread, and goes
/// where the first thing lives that it is given ([`Call::handle`], [`Call::lend`], [`Call::object`]), unless something was staged,
/// registered or run before. From then on it stays there.
///
/// In the child of a fork a call that had begun in the forking thread goes on, and what it was given is as it was; unless another
/// thread had a call in the same instance at that moment, which is new in the child then: [`FaultKind::DomainLost`].
pub struct Call {
    settings: &'static Settings,
    function: &'static str,
    place: Place,
    /// Something has been made for where it is: it cannot go anywhere else any more.
    settled: Cell<bool>,
    // Stays on its thread: the seat, the way back and the deadline are that thread's.
    _not_send: PhantomData<*mut ()>,
}

/// Where the call runs, with what it holds there.
pub(crate) enum Place {
    Mpk(mpk::Entry),
    // Staged buffers of a call without isolation.
    Direct(Buffers),
}

/// Types of which every bit pattern is a value, so that whatever a domain leaves behind can be read as one.
///
/// # Safety
///
/// No bit pattern of `Self` may be invalid, and it may hold no padding whose contents matter.
pub unsafe trait Plain: Copy + 'static {}

macro_rules! plain {
    ($($ty:ty),*) => { $(
        // SAFETY: every bit pattern of a primitive number is a value.
        unsafe impl Plain for $ty {}
    )* };
}
plain!(u8, i8, u16, i16, u32, i32, u64, i64, u128, i128, usize, isize, f32, f64);

// SAFETY: the one value has no bits.
unsafe impl Plain for () {}
// SAFETY: a raw pointer may hold any address; following it is another matter.
unsafe impl<T: 'static> Plain for *const T {}
// SAFETY: as above.
unsafe impl<T: 'static> Plain for *mut T {}
// SAFETY: an array is its elements.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

/// Room for `len` values of type `T` inside the domain, until the call ends.
#[derive(Debug)]
pub struct Staged<T> {
    start: *mut T,
    len: usize,
}

/// An object that lives in a domain, named by its address there: `sqlite3 *`, `FILE *`.
///
/// Stays usable while its instance lives; after a fault every use gives [`FaultKind::StaleHandle`]. Not freed when dropped.
#[derive(Debug)]
pub struct Handle<T> {
    pointer: *mut T,
    instance: usize,
    generation: u64,
    _object: PhantomData<*mut T>,
}

// SAFETY: a handle is a checked name. It is followed only inside the domain, one thread at a time.
unsafe impl<T> Send for Handle<T> {}

impl Call {
    #[inline]
    pub(crate) fn new(settings: &'static Settings, function: &'static str, place: Place) -> Self {
        Self { settings, function, place, settled: Cell::new(false), _not_send: PhantomData }
    }

    /// A pointer to `data` for the domain to read. Costs nothing: a domain of level `integrity` can read the program.
    ///
    /// # Errors
    ///
    /// None today; a back end that has to copy may run out of room.
    #[inline]
    pub fn input<T: Plain>(&mut self, data: &[T]) -> Result<*const T, Fault> {
        Ok(data.as_ptr())
    }

    /// A pointer to `text` for the domain to read.
    ///
    /// # Errors
    ///
    /// As [`Call::input`].
    #[inline]
    pub fn input_str(&mut self, text: &CStr) -> Result<*const c_char, Fault> {
        Ok(text.as_ptr())
    }

    /// Room for `len` values that the domain will write. Until then it is zero where it is no more than 4 KiB, as values and
    /// small arrays are, and else unspecified: bytes of an earlier call in the domain, perhaps.
    ///
    /// # Errors
    ///
    /// [`FaultKind::TooLarge`] beyond 4 GiB in one call.
    #[inline]
    pub fn output<T: Plain>(&mut self, len: usize) -> Result<Staged<T>, Fault> {
        self.stage_output(len)
    }

    /// Room in the domain filled from `data`, for the domain to read and write.
    ///
    /// # Errors
    ///
    /// As [`Call::output`].
    #[inline]
    pub fn inout<T: Plain>(&mut self, data: &[T]) -> Result<Staged<T>, Fault> {
        self.stage_copy(data)
    }

    /// [`Call::output`] for a type that is not [`Plain`]: a struct of another crate.
    ///
    /// # Safety
    ///
    /// Every bit pattern must be a valid `T`: only integers, floats, raw pointers, and arrays and structs of those.
    ///
    /// # Errors
    ///
    /// As [`Call::output`].
    #[inline]
    pub unsafe fn output_any<T: Copy>(&mut self, len: usize) -> Result<Staged<T>, Fault> {
        self.stage_output(len)
    }

    /// [`Call::inout`] for a type that is not [`Plain`].
    ///
    /// # Safety
    ///
    /// As [`Call::output_any`].
    ///
    /// # Errors
    ///
    /// As [`Call::output`].
    #[inline]
    pub unsafe fn inout_any<T: Copy>(&mut self, data: &[T]) -> Result<Staged<T>, Fault> {
        self.stage_copy(data)
    }

    /// `len` as the integer type that the foreign function takes.
    ///
    /// # Errors
    ///
    /// [`FaultKind::TooLarge`] when it does not fit.
    #[inline]
    pub fn length<N: TryFrom<usize>>(&self, len: usize) -> Result<N, Fault> {
        N::try_from(len).map_err(|_| {
            let limit = usize::MAX >> (usize::BITS as usize).saturating_sub(8 * size_of::<N>());
            self.fault(FaultKind::TooLarge { requested: len, limit })
        })
    }

    /// A count that the domain claims, as a `usize`: 0 for a negative one. [`Call::take`] clamps it to what was staged.
    #[inline]
    pub fn count<N: TryInto<usize>>(&self, claimed: N) -> usize {
        claimed.try_into().unwrap_or(0)
    }

    /// A length that the library has told, to hold slices against later.
    ///
    /// # Errors
    ///
    /// [`FaultKind::InvalidValue`] when it is negative, or more than there is memory.
    pub fn told<N: TryInto<usize>>(&self, length: N) -> Result<usize, Fault> {
        length.try_into().map_err(|_| self.fault(FaultKind::InvalidValue { what: "a length that is none" }))
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
            Place::Mpk(entry) => unsafe { entry.run(None, f) }.map_err(|failure| self.ended(failure)),
            Place::Direct(_) => {
                let result = f();
                self.directly(result)
            }
        }
    }

    /// Why a call has ended: what a closure found wrong with it goes before what followed from that.
    #[cold]
    fn ended(&self, failure: Failure) -> Fault {
        match callback::take_ending() {
            Some(Ending::Panic(panic)) => std::panic::resume_unwind(panic),
            Some(Ending::Fault(fault)) => fault,
            None => self.fault(failure),
        }
    }

    /// The result of a call without isolation, which goes on to its end whatever a closure found wrong with it.
    fn directly<R>(&self, result: R) -> Result<R, Fault> {
        match callback::take_ending() {
            Some(Ending::Panic(panic)) => std::panic::resume_unwind(panic),
            Some(Ending::Fault(fault)) => Err(fault),
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
            // SAFETY: passed on to our caller.
            Place::Mpk(entry) => unsafe { entry.run(Some(callbacks), f) }.map_err(|failure| self.ended(failure)),
            Place::Direct(_) => {
                let result = callbacks.direct(f);
                self.directly(result)
            }
        }
    }

    /// The first staged value, read once.
    ///
    /// # Panics
    ///
    /// When nothing was staged (`one` has length 0), or not by this call.
    #[inline]
    pub fn read<T: Copy>(&self, one: Staged<T>) -> T {
        assert!(one.len > 0, "read of an empty staged buffer");
        self.assert_own(one);
        // SAFETY: `start` has room for `len` values in memory that this call holds, and nothing of the domain runs now.
        // Every bit pattern is a valid `T` by the contract of the function that staged it.
        unsafe { one.start.read_volatile() }
    }

    /// Copies the first `written` staged values to `into` and returns how many: at most what was staged, at most `into.len()`.
    ///
    /// # Panics
    ///
    /// When `from` was not staged by this call.
    #[inline]
    pub fn take<T: Copy>(&self, from: Staged<T>, written: usize, into: &mut [T]) -> usize {
        self.assert_own(from);
        let count = written.min(from.len).min(into.len());
        // SAFETY: `count` is within both; the two do not overlap, since `into` is the program's and `from` the domain's;
        // bit patterns as in `read`.
        unsafe { copy_once(from.start, into.as_mut_ptr(), count) };
        count
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

    /// Makes a handle of an object that the domain returned; `None` for NULL.
    ///
    /// # Errors
    ///
    /// [`FaultKind::InvalidValue`] when it does not lie in the domain.
    pub fn adopt<T>(&self, object: *mut T) -> Result<Option<Handle<T>>, Fault> {
        if object.is_null() {
            return Ok(None);
        }
        let (instance, generation) = match &self.place {
            Place::Mpk(entry) if entry.owns(object.addr()) => (entry.identity(), entry.generation()),
            Place::Mpk(_) => {
                return Err(self.fault(FaultKind::InvalidValue { what: "an object that does not lie in the domain" }));
            }
            Place::Direct(_) => (0, 0),
        };
        Ok(Some(Handle { pointer: object, instance, generation, _object: PhantomData }))
    }

    /// What came back where the contract rules out NULL.
    ///
    /// # Errors
    ///
    /// [`FaultKind::InvalidValue`] for `None`.
    pub fn required<T>(&self, value: Option<T>) -> Result<T, Fault> {
        value.ok_or_else(|| self.fault(FaultKind::InvalidValue { what: "NULL, which the contract rules out" }))
    }

    /// The pointer behind a handle, for use inside this call.
    ///
    /// # Errors
    ///
    /// [`FaultKind::StaleHandle`] when its instance was discarded, or is another domain's; or another of this domain's
    /// ([`Domain::instance_per_thread`](crate::Domain::instance_per_thread)), and this call was given something already. What entering
    /// the other one gives where that fails: the call is over then, and gives [`FaultKind::DomainLost`] from there on.
    #[inline]
    pub fn handle<T>(&mut self, handle: &Handle<T>) -> Result<*mut T, Fault> {
        self.go_to(handle.instance)?;
        self.pointer(handle)
    }

    /// Moves a call that has just begun to where something lives that it is given.
    #[inline]
    pub(crate) fn go_to(&mut self, instance: usize) -> Result<(), Fault> {
        if let Place::Mpk(entry) = &mut self.place
            && !self.settled.replace(true)
            && entry.identity() != instance
        {
            return entry.move_to(instance).map_err(|kind| self.fault(kind));
        }
        Ok(())
    }

    /// To be called by whatever gives away something of where the call is.
    #[inline]
    fn settle(&self) {
        self.settled.set(true);
    }

    fn pointer<T>(&self, handle: &Handle<T>) -> Result<*mut T, Fault> {
        let current = match &self.place {
            Place::Mpk(entry) => (entry.identity(), entry.generation()),
            Place::Direct(_) => (0, 0),
        };
        if current != (handle.instance, handle.generation) {
            return Err(self.fault(FaultKind::StaleHandle));
        }
        Ok(handle.pointer)
    }

    #[inline]
    fn stage<T: Copy>(&mut self, len: usize) -> Result<Staged<T>, Fault> {
        self.settle();
        let start = match &mut self.place {
            Place::Mpk(entry) => entry.stage(len, size_of::<T>(), align_of::<T>()).map(|start| start.cast::<T>()),
            Place::Direct(buffers) => match Buffer::new::<T>(len) {
                Some(buffer) => {
                    let start = buffer.start().cast::<T>();
                    buffers.push(buffer);
                    Ok(start)
                }
                None => Err(FaultKind::TooLarge { requested: len.saturating_mul(size_of::<T>()), limit: MAX_STAGED }),
            },
        };
        match start {
            Ok(start) => Ok(Staged { start, len }),
            Err(kind) => Err(self.fault(kind)),
        }
    }

    /// What a function leaves unwritten is no value of an earlier call. Big buffers are not paid for: what counts of them is
    /// what the function says that it wrote.
    #[inline]
    fn stage_output<T: Copy>(&mut self, len: usize) -> Result<Staged<T>, Fault> {
        let staged = self.stage::<T>(len)?;
        if len.saturating_mul(size_of::<T>()) <= ZEROED {
            // SAFETY: there is room for as many values at `start`.
            unsafe { std::ptr::write_bytes(staged.start, 0, len) };
        }
        Ok(staged)
    }

    #[inline]
    fn stage_copy<T: Copy>(&mut self, data: &[T]) -> Result<Staged<T>, Fault> {
        let staged = self.stage::<T>(data.len())?;
        // SAFETY: there is room for as many values at `start`, apart from `data`.
        unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), staged.start, data.len()) };
        Ok(staged)
    }

    /// A staged buffer says where it is, not whose: one of another call may be gone, or be somebody else's by now.
    #[inline]
    fn assert_own<T>(&self, staged: Staged<T>) {
        let address = staged.start.addr();
        let own = match &self.place {
            Place::Mpk(entry) => entry.has_staged(address),
            Place::Direct(buffers) => buffers.iter().any(|buffer| buffer.start().addr() == address),
        };
        assert!(own, "a staged buffer of another call");
    }

    /// Runs `f`, which looks at what the call has left in the domain, while nobody discards that: if it is still there.
    fn while_it_lasts<R>(&self, f: impl FnOnce(Option<&mpk::View>) -> Result<R, FaultKind>) -> Result<R, Fault> {
        let looked = match &self.place {
            Place::Mpk(entry) => {
                let view = entry.view();
                view.during(|| f(Some(&view))).unwrap_or(Err(FaultKind::DomainLost))
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
        Fault::new(self.settings.name, self.function, failure)
    }
}

/// Copies out of a domain such that the copy is all that the program ever sees.
///
/// # Safety
///
/// As [`std::ptr::copy_nonoverlapping`].
#[inline]
pub(crate) unsafe fn copy_once<T: Copy>(from: *const T, into: *mut T, count: usize) {
    // SAFETY: by this function's contract. The assembly is empty: it might change all memory, for what the compiler knows, so
    // that a copy of the copy is not made from `from`, where another thread of the domain may have written since.
    unsafe {
        std::ptr::copy_nonoverlapping(from, into, count);
        std::arch::asm!("", options(nostack, preserves_flags));
    }
}

impl<T> Staged<T> {
    /// For the foreign function to read.
    #[inline]
    pub fn as_ptr(self) -> *const T {
        self.start
    }

    /// For the foreign function to write.
    #[inline]
    pub fn as_mut_ptr(self) -> *mut T {
        self.start
    }

    /// Number of values it has room for.
    #[inline]
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether it has room for none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}

// Not derived: a staged buffer is an address, whatever `T` is.
impl<T> Clone for Staged<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Staged<T> {}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("domain", &self.settings.name)
            .field("function", &self.function)
            .finish_non_exhaustive()
    }
}
