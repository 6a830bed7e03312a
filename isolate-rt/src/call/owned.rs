//! Handles whose objects the program owns: `sqlite3 *` from `sqlite3_open`, to be closed once.

use super::{Call, End, Handle};
use crate::domain::Domain;
use crate::fault::{Fault, FaultKind};
use std::ops::Deref;
use std::sync::Arc;

/// A [`Handle`] that ends its object when it is dropped, through the gate.
///
/// What was made of it ([`Owned::child_of`]) keeps it: a connection is closed after its last statement was finalized,
/// whichever the program drops first. After a fault there is nothing left to end, and every use gives
/// [`FaultKind::StaleHandle`].
pub struct Owned<T> {
    object: Arc<Ending<T>>,
}

/// Ends the object when the last of those that refer to it goes.
struct Ending<T> {
    handle: Handle<T>,
    domain: &'static Domain,
    /// `None`: the program has ended it by hand.
    end: Option<End<T>>,
    /// Dropped after the object itself has ended.
    parent: Option<Arc<dyn Keep>>,
}

/// Something that must not end yet.
trait Keep {}
impl<T> Keep for Ending<T> {}

// SAFETY: as `Handle`: a checked name. Children on other threads keep it and do not use it.
unsafe impl<T> Send for Owned<T> {}

impl Call {
    /// Takes over an object that the domain gave away; `None` for NULL. `end` is called once, when it is dropped.
    ///
    /// Dropping it makes a call: in a domain that lets one thread in at a time it must outlive the present one.
    ///
    /// # Errors
    ///
    /// As [`Call::adopt`].
    pub fn own<T>(&self, domain: &'static Domain, object: *mut T, end: End<T>) -> Result<Option<Owned<T>>, Fault> {
        let handle = self.adopt(object)?;
        let ending = |handle| Ending { handle, domain, end: Some(end), parent: None };
        Ok(handle.map(|handle| Owned { object: Arc::new(ending(handle)) }))
    }

    /// The pointer behind an object that the function at hand ends. Dropping it does not end it again.
    ///
    /// # Errors
    ///
    /// As [`Call::handle`]; [`FaultKind::InUse`] when something that was made of it still lives: then it ends after that.
    pub fn ending<T>(&mut self, owned: &mut Owned<T>) -> Result<*mut T, Fault> {
        let pointer = self.handle(owned)?;
        let object = Arc::get_mut(&mut owned.object).ok_or_else(|| self.fault(FaultKind::InUse))?;
        object.end = None;
        Ok(pointer)
    }
}

impl<T: 'static> Owned<T> {
    /// Keeps `parent` from ending before this does.
    ///
    /// # Panics
    ///
    /// When something was made of this one already.
    pub fn child_of<P: 'static>(mut self, parent: &Owned<P>) -> Self {
        let object = Arc::get_mut(&mut self.object).expect("a parent is named before there are children");
        object.parent = Some(parent.object.clone());
        self
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
        let Some(end) = self.end else { return };
        // A fault in here takes the instance with it, and so the object; there is nobody to tell.
        let Ok(mut call) = self.domain.call_in(self.handle.instance, "drop") else { return };
        if let Ok(pointer) = call.handle(&self.handle) {
            let _ = end(&mut call, pointer);
        }
    }
}

impl<T> std::fmt::Debug for Owned<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Owned").field("handle", &self.object.handle.pointer).finish_non_exhaustive()
    }
}
