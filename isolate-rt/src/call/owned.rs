//! Handles whose objects the program owns: `sqlite3 *` from `sqlite3_open`, to be closed once.

use super::retained::Holding;
use super::{Call, End, Handle, Retained};
use crate::callback::Kept;
use crate::domain::Domain;
use crate::fault::{Fault, FaultKind};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A [`Handle`] that ends its object when it is dropped, through the gate.
///
/// What was made of it ([`Call::own_child`]) keeps it: a connection is closed after its last statement was finalized,
/// whichever the program drops first. After a fault there is nothing left to end, and every use gives
/// [`FaultKind::StaleHandle`].
#[must_use = "the object ends when this is dropped"]
pub struct Owned<T> {
    object: Arc<Ending<T>>,
}

/// Ends the object when the last of those that refer to it goes.
struct Ending<T> {
    handle: Handle<T>,
    domain: &'static Domain,
    /// `None`: the program has ended it by hand.
    end: Option<Box<EndOnce<T>>>,
    // What follows is dropped after the object itself has ended.
    /// Closures that the library keeps for it. A named one replaces the former one of that name.
    kept: Mutex<Vec<(Option<&'static str>, Kept)>>,
    /// Copies in the domain that the library has pointers to.
    holding: Holding,
    /// Lengths that the library told of it, by name.
    bound: Mutex<BTreeMap<&'static str, usize>>,
    #[expect(dead_code, reason = "held until it is dropped")]
    parent: Option<Arc<dyn Keep>>,
}

type EndOnce<T> = dyn FnOnce(&mut Call<'_>, *mut T) -> Result<(), Fault>;

/// Calls the function of the library that ends an object made of another one. The last argument is that other one, its parent.
pub type EndOfChild<T, P> = fn(&mut Call<'_>, *mut T, *mut P) -> Result<(), Fault>;

/// Something that must not end yet.
trait Keep {}
impl<T> Keep for Ending<T> {}

// SAFETY: as `Handle`: a checked name. Children on other threads keep it and do not use it.
unsafe impl<T> Send for Owned<T> {}

// As `Handle`. What is kept and bound changes in whole steps, and what ends the object is called once.
impl<T> UnwindSafe for Owned<T> {}
impl<T> RefUnwindSafe for Owned<T> {}

impl Call<'_> {
    /// Takes over an object that the domain gave away; `None` for NULL. `end` is called once, when it is dropped.
    ///
    /// Dropping it makes a call: in a domain that lets one thread in at a time it must outlive the present one.
    ///
    /// # Errors
    ///
    /// As [`Call::adopt`].
    ///
    /// # Safety
    ///
    /// Under [`Backend::None`](crate::Backend::None) `object` must be NULL, or one that `end` may be called with, once: nothing checks it
    /// there. With isolation nothing is owed: whatever `end` frees is the domain's.
    pub unsafe fn own<T: 'static>(
        &self,
        domain: &'static Domain,
        object: *mut T,
        end: End<T>,
    ) -> Result<Option<Owned<T>>, Fault> {
        // SAFETY: by this function's contract.
        let handle = unsafe { self.adopt(object) }?;
        Ok(handle.map(|handle| Owned::new(handle, domain, Box::new(end), None)))
    }

    /// As [`Call::own`], for an object that was made of `parent`, which does not end before it.
    ///
    /// # Errors
    ///
    /// As [`Call::adopt`], and as [`Call::handle`] for the parent.
    ///
    /// # Safety
    ///
    /// As [`Call::own`]; the parent's object is the second that `end` is called with.
    pub unsafe fn own_child<T: 'static, P: 'static>(
        &self,
        domain: &'static Domain,
        object: *mut T,
        parent: &Owned<P>,
        end: EndOfChild<T, P>,
    ) -> Result<Option<Owned<T>>, Fault> {
        // SAFETY: by this function's contract.
        let handle = unsafe { self.adopt(object) }?;
        // It lives as long as the child, and in the same generation.
        let made_of = self.pointer(parent)?;
        let end = Box::new(move |call: &mut Call<'_>, object| end(call, object, made_of));
        Ok(handle.map(|handle| Owned::new(handle, domain, end, Some(parent.object.clone()))))
    }

    /// The length that was bound to an object by this name.
    ///
    /// # Errors
    ///
    /// [`FaultKind::InvalidValue`] where none was: a function that tells it has to be called before.
    pub fn bound<T>(&self, owned: &Owned<T>, name: &'static str) -> Result<usize, Fault> {
        let bound = owned.object.bound.lock().unwrap_or_else(PoisonError::into_inner);
        let unbound = FaultKind::InvalidValue { what: "a length that the library has not told yet" };
        bound.get(name).copied().ok_or_else(|| self.fault(unbound))
    }

    /// That a slice of `have` elements is as long as the library has told that it must be.
    ///
    /// # Errors
    ///
    /// [`FaultKind::TooLarge`] where it is not.
    pub fn covers(&self, need: i128, have: usize) -> Result<(), Fault> {
        if (0..=have as i128).contains(&need) {
            return Ok(());
        }
        Err(self.fault(FaultKind::TooLarge { requested: usize::try_from(need).unwrap_or(usize::MAX), limit: have }))
    }

    /// The pointer behind an object that the function at hand ends. Once it was called, say so ([`Owned::ended`]): unless
    /// [`Call::was_refused`], when the object is still there, and dropping it ends it.
    ///
    /// # Errors
    ///
    /// As [`Call::handle`]; [`FaultKind::InUse`] when something that was made of it still lives: then it ends after that.
    pub fn ending<T>(&mut self, owned: &mut Owned<T>) -> Result<*mut T, Fault> {
        let pointer = self.handle(owned)?;
        match owned.is_used() {
            true => Err(self.fault(FaultKind::InUse)),
            false => Ok(pointer),
        }
    }
}

impl<T> Owned<T> {
    fn new(
        handle: Handle<T>,
        domain: &'static Domain,
        end: Box<EndOnce<T>>,
        parent: Option<Arc<dyn Keep>>,
    ) -> Owned<T> {
        let (kept, bound) = (Mutex::default(), Mutex::default());
        let holding = Holding::default();
        Owned { object: Arc::new(Ending { handle, domain, end: Some(end), kept, holding, bound, parent }) }
    }

    /// The library has ended it ([`Call::ending`]), or tried to: dropping it does not end it again. Without effect while something that was
    /// made of it lives.
    pub fn ended(&mut self) {
        if let Some(object) = Arc::get_mut(&mut self.object) {
            object.end = None;
        }
    }

    /// Whether something that was made of it lives.
    fn is_used(&mut self) -> bool {
        Arc::get_mut(&mut self.object).is_none()
    }

    /// Keeps a closure that the library may call ([`Call::keep`]) until the object has ended.
    pub fn keep(&self, closure: Kept) {
        self.kept().push((None, closure));
    }

    /// As [`Owned::keep`], in place of the closure that is kept by this name, which is returned: what it owns may make calls
    /// when it is dropped, so that is for after the present one. With `None` there is none by this name any more.
    #[must_use]
    pub fn keep_as(&self, name: &'static str, closure: impl Into<Option<Kept>>) -> Option<Kept> {
        let mut kept = self.kept();
        let former = kept.iter().position(|(other, _)| *other == Some(name)).map(|place| kept.remove(place).1);
        kept.extend(closure.into().map(|closure| (Some(name), closure)));
        former
    }

    /// Holds a copy that the library has a pointer to ([`Call::retain`]) until the object has ended.
    pub fn hold(&self, memory: impl Into<Option<Retained>>) {
        self.object.holding.hold(None, memory.into());
    }

    /// As [`Owned::hold`], by a name: until another takes its place and [`Owned::superseded`] says that it does. `None` takes the place,
    /// too.
    pub fn hold_as(&self, name: &'static str, memory: impl Into<Option<Retained>>) {
        self.object.holding.hold(Some(name), memory.into());
    }

    /// What is held by this name but for the last: the library has taken that in its place. Freeing it is a call, so that is for after the
    /// present one.
    #[must_use]
    pub fn superseded(&self, name: &'static str) -> Vec<Retained> {
        self.object.holding.superseded(name)
    }

    /// Keeps a length in mind that the library told, for [`Call::bound`].
    pub fn bind(&self, name: &'static str, length: usize) {
        self.object.bound.lock().unwrap_or_else(PoisonError::into_inner).insert(name, length);
    }

    fn kept(&self) -> MutexGuard<'_, Vec<(Option<&'static str>, Kept)>> {
        self.object.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Deref for Owned<T> {
    type Target = Handle<T>;

    fn deref(&self) -> &Handle<T> {
        &self.object.handle
    }
}

impl<T> Drop for Ending<T> {
    fn drop(&mut self) {
        let Some(end) = self.end.take() else { return };
        // A fault in here takes the instance with it, and so the object; there is nobody to tell.
        let Ok(mut call) = self.domain.call_in(self.handle.instance, "drop") else { return self.holding.leak() };
        if let Ok(pointer) = call.handle(&self.handle) {
            let _ = end(&mut call, pointer);
            if call.was_refused() {
                self.holding.leak();
            }
        }
    }
}

impl<T> std::fmt::Debug for Owned<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Owned").field("handle", &self.object.handle.pointer).finish_non_exhaustive()
    }
}
