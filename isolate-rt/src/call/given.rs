//! Values in memory of the domain that its library chose: what `column_blob` points to, a picture that it allocated.

use super::{Call, Place, Plain};
use crate::call::copy_once;
use crate::fault::{Fault, FaultKind};
use std::mem::size_of;

impl Call {
    /// A copy of the `len` values from `start`; `None` for NULL.
    ///
    /// # Errors
    ///
    /// [`FaultKind::InvalidValue`] when they do not all lie in the domain, or in the read-only data of the program and its
    /// libraries.
    ///
    /// # Safety
    ///
    /// Under [`Backend::None`](crate::Backend::None) there must be that many values: nothing checks it there. With isolation
    /// nothing is owed.
    pub unsafe fn values<T: Plain>(&self, start: *const T, len: usize) -> Result<Option<Vec<T>>, Fault> {
        if start.is_null() {
            return Ok(None);
        }
        let readable = match &self.place {
            Place::Mpk(entry) => entry.readable_from(start.addr()).unwrap_or(0),
            Place::Direct(_) => isize::MAX as usize,
        };
        let fits = len.checked_mul(size_of::<T>()).is_some_and(|size| size <= readable);
        if !fits || !start.is_aligned() {
            return Err(self.fault(FaultKind::InvalidValue { what: "a buffer that does not lie in the domain" }));
        }
        let mut values = Vec::with_capacity(len);
        // SAFETY: `len` values from `start` are readable, and `values` has room for them; without isolation our caller vouches
        // for it. Every bit pattern is a `T`.
        unsafe {
            copy_once(start, values.as_mut_ptr(), len);
            values.set_len(len);
        }
        Ok(Some(values))
    }
}
