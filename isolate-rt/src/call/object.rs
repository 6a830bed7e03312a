//! Objects that callers provide the memory of and libraries keep pointers to: `z_stream`, `bz_stream`.

use super::retained::Holding;
use super::{Call, Handle, Place, Plain, Retained};
use crate::domain::Domain;
use crate::fault::{Fault, FaultKind};
use std::mem::size_of;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// A `T` whose memory the domain holds, at one address for all its life.
///
/// Libraries check that such a struct has not moved, and store pointers in it: so it is never a Rust value. Its fields are
/// set and read by their offsets. After a fault every use gives [`FaultKind::StaleHandle`]. Dropping it ends it, through the
/// gate, and gives its memory back to the domain.
#[must_use = "the object ends when this is dropped"]
pub struct Object<T> {
    handle: Handle<T>,
    domain: &'static Domain,
    end: Option<End<T>>,
    /// Copies in the domain that the library has pointers to; freed after the object has ended.
    holding: Holding,
}

// SAFETY: a shared reference reads plain values, each once, from memory that the domain may change at any time as it is; whatever
// is called with the object takes a mutable one, or is `unsafe` to run.
unsafe impl<T> Sync for Object<T> {}

// As `Handle`: its fields are set one by one, each in one piece, and a library that finds them half set has to live with that.
impl<T> UnwindSafe for Object<T> {}
impl<T> RefUnwindSafe for Object<T> {}

/// Calls the function of the library that ends an object.
pub type End<T> = fn(&mut Call<'_>, *mut T) -> Result<(), Fault>;

impl Domain {
    /// Room for a `T` in the domain's heap, all bytes 0, for `function` to fill. `end` is called when it is dropped.
    ///
    /// # Errors
    ///
    /// [`FaultKind::TooLarge`] when the heap has no room, and those of [`Domain::call`].
    pub fn object<T>(&'static self, function: &'static str, end: End<T>) -> Result<Object<T>, Fault> {
        let mut call = self.call(function)?;
        let size = size_of::<T>().max(1);
        // SAFETY: `calloc` takes numbers, and in there it serves from the domain's heap. Any address may come back.
        let memory = unsafe { call.run(move || libc::calloc(1, size)) }?.cast::<T>();
        let limit = call.domain_limit(self);
        // SAFETY: `calloc` gave it out, and it is freed when the object is dropped.
        let adopted = unsafe { call.adopt(memory) }?;
        let handle = adopted.ok_or_else(|| call.fault(FaultKind::TooLarge { requested: size, limit }))?;
        if !memory.is_aligned() || !call.holds(memory.addr(), size) {
            return Err(call.fault(FaultKind::InvalidValue { what: "memory that does not lie in the domain" }));
        }
        Ok(Object { handle, domain: self, end: Some(end), holding: Holding::default() })
    }
}

impl<T> Object<T> {
    /// The library has ended it, or tried to: dropping it only gives its memory back. To be said after the call that did, unless
    /// [`Call::was_refused`].
    pub fn ended(&mut self) {
        self.end = None;
    }

    /// As [`Owned::hold`](crate::Owned::hold).
    pub fn hold(&self, memory: impl Into<Option<Retained>>) {
        self.holding.hold(None, memory.into());
    }

    /// As [`Owned::hold_as`](crate::Owned::hold_as).
    pub fn hold_as(&self, name: &'static str, memory: impl Into<Option<Retained>>) {
        self.holding.hold(Some(name), memory.into());
    }

    /// As [`Owned::superseded`](crate::Owned::superseded).
    #[must_use]
    pub fn superseded(&self, name: &'static str) -> Vec<Retained> {
        self.holding.superseded(name)
    }
}

impl Call<'_> {
    /// The pointer behind an object, for use inside this call.
    ///
    /// # Errors
    ///
    /// As [`Call::handle`].
    pub fn object<T>(&mut self, object: &Object<T>) -> Result<*mut T, Fault> {
        self.handle(&object.handle)
    }

    /// Sets the field at `offset`.
    ///
    /// # Errors
    ///
    /// As [`Call::object`].
    ///
    /// # Panics
    ///
    /// When no `F` can lie at that offset of a `T`.
    ///
    /// # Safety
    ///
    /// Under [`Backend::None`](crate::Backend::None) `value` must be what the library takes in that field, for as long as it looks there.
    /// With isolation nothing is owed.
    pub unsafe fn set<T, F: Plain>(&mut self, object: &mut Object<T>, offset: usize, value: F) -> Result<(), Fault> {
        self.go_to(object.handle.instance)?;
        let field = self.place_of::<T, F>(object, offset)?;
        self.while_it_lasts(|_| {
            // SAFETY: within the object's memory, which is the domain's, mapped while its instance lives, and aligned for `F`.
            unsafe { field.write_volatile(value) };
            Ok(())
        })
    }

    /// What the field at `offset` holds, read once.
    ///
    /// # Errors
    ///
    /// As [`Call::object`].
    ///
    /// # Panics
    ///
    /// As [`Call::set`].
    pub fn get<T, F: Plain>(&self, object: &Object<T>, offset: usize) -> Result<F, Fault> {
        let field = self.place_of::<T, F>(object, offset)?;
        // SAFETY: as in `set`; every bit pattern is a valid `F`.
        self.while_it_lasts(|_| Ok(unsafe { field.read_volatile() }))
    }

    fn place_of<T, F: Plain>(&self, object: &Object<T>, offset: usize) -> Result<*mut F, Fault> {
        let fits = offset.checked_add(size_of::<F>()).is_some_and(|end| end <= size_of::<T>());
        assert!(fits && offset.is_multiple_of(align_of::<F>()), "a field outside of its struct");
        let field = self.pointer(&object.handle)?.wrapping_byte_add(offset).cast::<F>();
        // The object is aligned as a `T`, which may ask for less than an `F`.
        match field.is_aligned() {
            true => Ok(field),
            false => Err(self.fault(FaultKind::InvalidValue { what: "an object that is not aligned for its fields" })),
        }
    }

    /// Whether the domain owns `size` bytes from `start`.
    pub(crate) fn holds(&self, start: usize, size: usize) -> bool {
        match &self.place {
            Place::Mpk(entry) => entry.owns_for_good(start, size),
            Place::Direct(_) => true,
        }
    }

    fn domain_limit(&self, domain: &Domain) -> usize {
        match &self.place {
            Place::Mpk(_) => domain.heap_bytes(),
            Place::Direct(_) => usize::MAX,
        }
    }
}

impl<T> Drop for Object<T> {
    fn drop(&mut self) {
        // A fault in here takes the instance with it, and so the object; there is nobody to tell.
        let Ok(mut call) = self.domain.call_in(self.handle.instance, "drop") else { return self.holding.leak() };
        let Ok(pointer) = call.object(self) else { return };
        let ended = self.end.map_or(Ok(()), |end| end(&mut call, pointer));
        // With the instance the object is gone; where the call was not made, the library still uses it.
        if call.was_refused() {
            return self.holding.leak();
        }
        if ended.is_err_and(|fault| fault.discarded_instance()) {
            return;
        }
        // SAFETY: `calloc` gave it out in this domain, and nothing refers to it any more.
        let _ = unsafe { call.run(move || libc::free(pointer.cast())) };
    }
}

impl<T> std::fmt::Debug for Object<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Object").field("handle", &self.handle.pointer).finish_non_exhaustive()
    }
}
