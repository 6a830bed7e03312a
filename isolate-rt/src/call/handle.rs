//! Names of what lives in a domain, and where a call goes that is given one.

use super::{Call, Place};
use crate::fault::{Fault, FaultKind};
use crate::mpk::Entry;
use std::marker::PhantomData;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// An object that lives in a domain, named by its address there: `sqlite3 *`, `FILE *`.
///
/// Stays usable while its instance lives; after a fault every use gives [`FaultKind::StaleHandle`]. Not freed when dropped.
///
/// It may go to another thread, and not be used by two at once: what the library allows of that only its wrapper knows.
///
/// ```compile_fail,E0277
/// fn share<T: Sync>(_: T) {}
/// fn book(book: isolate_rt::Handle<u8>) {
///     share(book);
/// }
/// ```
pub struct Handle<T> {
    pub(super) pointer: *mut T,
    pub(super) instance: usize,
    pub(super) generation: u64,
    pub(super) _object: PhantomData<*mut T>,
}

// SAFETY: a handle is a checked name, followed only inside the domain. Where the program uses two names of one object at once, on two
// threads, that is a race of the library's in there; without isolation, one that its wrapper has to rule out.
unsafe impl<T> Send for Handle<T> {}

// A panic of the program interrupts no call: what the object is, the library has left whole, whatever `T` is.
impl<T> UnwindSafe for Handle<T> {}
impl<T> RefUnwindSafe for Handle<T> {}

impl Call<'_> {
    /// Makes a handle of an object that the domain returned; `None` for NULL.
    ///
    /// # Errors
    ///
    /// [`FaultKind::InvalidValue`] when it does not lie in the domain.
    ///
    /// # Safety
    ///
    /// Under [`Backend::None`](crate::Backend::None) it must be NULL, or an object that the library gave out as a `T`, and that outlives
    /// the handle: nothing checks it there. With isolation nothing is owed.
    ///
    /// ```compile_fail,E0133
    /// static DOMAIN: isolate_rt::Domain = isolate_rt::Domain::new("forged");
    /// let forged = DOMAIN.call("make")?.adopt(16 as *mut u8)?;
    /// # Ok::<(), isolate_rt::Fault>(())
    /// ```
    pub unsafe fn adopt<T>(&self, object: *mut T) -> Result<Option<Handle<T>>, Fault> {
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

    /// Makes handles of the `count` objects that lie one behind the other from `first`, as a struct of the library tells both: none,
    /// wherever that is, if `count` is 0.
    ///
    /// # Errors
    ///
    /// As [`Call::adopt`]; and [`FaultKind::InvalidValue`] for NULL.
    ///
    /// # Safety
    ///
    /// As [`Call::adopt`], for each of them.
    pub unsafe fn adopt_all<T>(&self, first: *mut T, count: usize) -> Result<Vec<Handle<T>>, Fault> {
        let mut handles = Vec::new();
        let last = count.saturating_sub(1).checked_mul(size_of::<T>());
        let is_there =
            |entry: &Entry| last.is_some_and(|last| entry.owned_from(first.addr()).is_some_and(|owned| last < owned));
        // First of all: address space costs a domain nothing, a handle costs memory.
        if let (1.., false, Place::Mpk(entry)) = (count, first.is_null(), &self.place)
            && !is_there(entry)
        {
            return Err(self.fault(FaultKind::InvalidValue { what: "objects that do not all lie in the domain" }));
        }
        for at in 0..count {
            // SAFETY: by this function's contract.
            let handle = self.required(unsafe { self.adopt(first.wrapping_add(at)) }?)?;
            // Of a type without a size there might be any number in one place.
            if size_of::<T>() == 0 || handles.try_reserve(1).is_err() {
                return Err(self.fault(FaultKind::TooLarge { requested: count, limit: at }));
            }
            handles.push(handle);
        }
        Ok(handles)
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

    pub(super) fn pointer<T>(&self, handle: &Handle<T>) -> Result<*mut T, Fault> {
        let current = match &self.place {
            Place::Mpk(entry) => (entry.identity(), entry.generation()),
            Place::Direct(_) => (0, 0),
        };
        if current != (handle.instance, handle.generation) {
            return Err(self.stale(handle.instance, handle.generation));
        }
        Ok(handle.pointer)
    }
}

// Not derived: it is an address, whatever `T` is.
impl<T> std::fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("pointer", &self.pointer).finish_non_exhaustive()
    }
}
