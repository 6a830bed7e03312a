//! Values in memory of the domain that its library chose: what `column_blob` points to, a picture that it allocated.

use super::{Call, Place, Plain};
use crate::call::copy_once;
use crate::fault::{Fault, FaultKind};
use std::ffi::{CString, c_char};
use std::mem::size_of;

impl Call {
    /// A copy of the `len` values from `start`; `None` for NULL.
    ///
    /// # Errors
    ///
    /// [`FaultKind::InvalidValue`] when they do not all lie in the domain, or in the read-only data of the program and its
    /// libraries. [`FaultKind::DomainLost`] as [`Call::string`].
    ///
    /// # Safety
    ///
    /// Under [`Backend::None`](crate::Backend::None) there must be that many values: nothing checks it there. With isolation
    /// nothing is owed.
    pub unsafe fn values<T: Plain>(&self, start: *const T, len: usize) -> Result<Option<Vec<T>>, Fault> {
        if start.is_null() {
            return Ok(None);
        }
        let copied = match &self.place {
            Place::Mpk(entry) => entry.while_it_lasts(|| {
                let readable = entry.readable_from(start.addr()).unwrap_or(0);
                // SAFETY: `readable` bytes from `start` are.
                unsafe { values(start, len, readable) }
            }),
            // SAFETY: our caller vouches for the values.
            Place::Direct(_) => Ok(unsafe { values(start, len, isize::MAX as usize) }),
        };
        copied.and_then(|copied| copied).map(Some).map_err(|kind| self.fault(kind))
    }
}

/// Copies a string of at most `limit` bytes, its end among them.
///
/// # Safety
///
/// `limit` bytes from `text` must be readable, or a string be there.
pub(super) unsafe fn string(text: *const c_char, limit: usize) -> Result<CString, FaultKind> {
    let mut bytes = Vec::new();
    for offset in 0..limit {
        // SAFETY: readable by this function's contract. Each byte is read once: another thread in the domain may be changing
        // them.
        match unsafe { text.cast::<u8>().add(offset).read_volatile() } {
            0 => return Ok(CString::new(bytes).expect("no byte of it is 0")),
            byte => bytes.push(byte),
        }
    }
    Err(FaultKind::InvalidValue { what: "a string that does not lie in the domain" })
}

/// Copies `len` values, if `readable` bytes are enough for them.
///
/// # Safety
///
/// `readable` bytes from `start` must be readable, or `len` values be there.
pub(super) unsafe fn values<T: Plain>(start: *const T, len: usize, readable: usize) -> Result<Vec<T>, FaultKind> {
    let fits = len.checked_mul(size_of::<T>()).is_some_and(|size| size <= readable);
    if !fits || !start.is_aligned() {
        return Err(FaultKind::InvalidValue { what: "a buffer that does not lie in the domain" });
    }
    let mut values = Vec::with_capacity(len);
    // SAFETY: `len` values from `start` are readable by this function's contract, and `values` has room for them. Every bit
    // pattern is a `T`.
    unsafe {
        copy_once(start, values.as_mut_ptr(), len);
        values.set_len(len);
    }
    Ok(values)
}
