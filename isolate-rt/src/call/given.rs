//! Values in memory of the domain that its library chose: what `column_blob` points to, a message, a picture that it allocated.

use super::{Call, Handle, Plain, Staged};
use crate::call::copy_once;
use crate::fault::{Fault, FaultKind};
use crate::mpk::View;
use std::ffi::{CString, c_char};
use std::mem::size_of;

impl Call<'_> {
    /// A string that the domain returned, copied; `None` for NULL.
    ///
    /// # Errors
    ///
    /// [`FaultKind::InvalidValue`] when it does not lie in the domain, in one of the arguments that the call was given to read
    /// ([`Call::input`]), or in the read-only data of the program and its libraries (where C keeps its literals). [`FaultKind::DomainLost`] when another thread has failed in the domain since
    /// the call, which took it along.
    ///
    /// # Safety
    ///
    /// Under [`Backend::None`](crate::Backend::None) `text` must be a C string: nothing checks it there. With isolation
    /// nothing is owed.
    pub unsafe fn string(&self, text: *const c_char) -> Result<Option<CString>, Fault> {
        if text.is_null() {
            return Ok(None);
        }
        // SAFETY: by this function's contract.
        self.while_it_lasts(|view| unsafe { string(view, text, isize::MAX as usize) }).map(Some)
    }

    /// A copy of the `len` values from `start`; `None` for NULL.
    ///
    /// # Errors
    ///
    /// [`FaultKind::InvalidValue`] when they do not all lie where a [string](Call::string) may. [`FaultKind::DomainLost`] as [`Call::string`].
    ///
    /// # Safety
    ///
    /// Under [`Backend::None`](crate::Backend::None) there must be that many values: nothing checks it there. With isolation
    /// nothing is owed.
    pub unsafe fn values<T: Plain>(&self, start: *const T, len: usize) -> Result<Option<Vec<T>>, Fault> {
        if start.is_null() {
            return Ok(None);
        }
        // SAFETY: by this function's contract.
        self.while_it_lasts(|view| unsafe { values(view, start, len) }).map(Some)
    }

    /// A copy of the `len` values from `start`, as a struct of the library tells both: of none, wherever `start` is, if `len` is 0.
    ///
    /// # Errors
    ///
    /// As [`Call::values`]; and [`FaultKind::InvalidValue`] for NULL.
    ///
    /// # Safety
    ///
    /// As [`Call::values`].
    pub unsafe fn slice<T: Plain>(&self, start: *const T, len: usize) -> Result<Vec<T>, Fault> {
        if len == 0 {
            return Ok(Vec::new());
        }
        // SAFETY: by this function's contract.
        self.required(unsafe { self.values(start, len) }?)
    }

    /// The place in an argument that a returned pointer leads to, or right behind its end; `None` for NULL.
    ///
    /// # Errors
    ///
    /// [`FaultKind::InvalidValue`] when it leads elsewhere, or between two elements; wherever it leads, if there was no argument.
    pub fn offset_in<T: Plain>(&self, pointer: *const T, argument: Option<&[T]>) -> Result<Option<usize>, Fault> {
        self.offset(pointer, argument.map(|argument| (argument.as_ptr(), argument.len())))
    }

    /// As [`Call::offset_in`], of an argument that was staged.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn offset_in_room<T: Copy>(
        &self,
        pointer: *const T,
        argument: Option<Staged<T>>,
    ) -> Result<Option<usize>, Fault> {
        self.offset(pointer, argument.map(|argument| (argument.as_ptr(), argument.len())))
    }

    fn offset<T>(&self, pointer: *const T, argument: Option<(*const T, usize)>) -> Result<Option<usize>, Fault> {
        if pointer.is_null() {
            return Ok(None);
        }
        let place = argument.and_then(|(start, len)| {
            let bytes = pointer.addr().checked_sub(start.addr())?;
            // Of a type without a size all are in one place: the first.
            let size = size_of::<T>().max(1);
            let is_place = bytes.is_multiple_of(size) && bytes / size <= if size_of::<T>() == 0 { 0 } else { len };
            is_place.then(|| bytes / size)
        });
        let elsewhere = FaultKind::InvalidValue { what: "a pointer that does not lead into the argument" };
        place.map(Some).ok_or_else(|| self.fault(elsewhere))
    }

    /// What the field at `offset` of an object of the library holds, read once.
    ///
    /// # Errors
    ///
    /// As [`Call::handle`]; [`FaultKind::InvalidValue`] when the field does not lie in the domain, or is not aligned.
    ///
    /// # Safety
    ///
    /// Under [`Backend::None`](crate::Backend::None) the handle must lead to a `T` that is still there: nothing checks it there. With
    /// isolation nothing is owed.
    pub unsafe fn field<T, F: Plain>(&self, object: &Handle<T>, offset: usize) -> Result<F, Fault> {
        let field = self.pointer(object)?.wrapping_byte_add(offset).cast::<F>();
        // SAFETY: by this function's contract.
        self.while_it_lasts(|view| unsafe { value(view, field) })
    }
}

/// Copies a string of at most `most` bytes.
///
/// # Safety
///
/// Without a view, there must be one.
pub(super) unsafe fn string(view: Option<&View>, text: *const c_char, most: usize) -> Result<CString, FaultKind> {
    read(view, text.addr(), |readable| {
        let mut bytes = Vec::new();
        for offset in 0..readable {
            if offset > most || bytes.try_reserve(2).is_err() {
                return Err(FaultKind::TooLarge { requested: offset, limit: most });
            }
            // SAFETY: readable, or a string by this function's contract. Each byte is read once: another thread in the domain
            // may be changing them.
            match unsafe { text.cast::<u8>().add(offset).read_volatile() } {
                0 => return Ok(CString::new(bytes).expect("no byte of it is 0")),
                byte => bytes.push(byte),
            }
        }
        Err(FaultKind::InvalidValue { what: "a string that does not lie in the domain" })
    })
}

/// Reads one value.
///
/// # Safety
///
/// Without a view, there must be one.
unsafe fn value<T: Plain>(view: Option<&View>, at: *const T) -> Result<T, FaultKind> {
    read(view, at.addr(), |readable| {
        if size_of::<T>() > readable || !at.is_aligned() {
            return Err(FaultKind::InvalidValue { what: "an object that does not lie in the domain" });
        }
        // SAFETY: readable, or there by this function's contract. It is read once: another thread in the domain may be writing it.
        // Every bit pattern is a `T`.
        Ok(unsafe { at.read_volatile() })
    })
}

/// Copies `len` values.
///
/// # Safety
///
/// Without a view, there must be as many.
pub(super) unsafe fn values<T: Plain>(view: Option<&View>, start: *const T, len: usize) -> Result<Vec<T>, FaultKind> {
    read(view, start.addr(), |readable| {
        let fits = len.checked_mul(size_of::<T>()).is_some_and(|size| size <= readable);
        if !fits || !start.is_aligned() {
            return Err(FaultKind::InvalidValue { what: "a buffer that does not lie in the domain" });
        }
        let mut values = room(len, readable)?;
        // SAFETY: `len` values from `start` are readable, or there by this function's contract, and `values` has room for them.
        // Every bit pattern is a `T`.
        unsafe {
            copy_once(start, values.as_mut_ptr(), len);
            values.set_len(len);
        }
        Ok(values)
    })
}

/// An empty vector with room for `len` values, of which the domain has told the number.
pub(super) fn room<T>(len: usize, limit: usize) -> Result<Vec<T>, FaultKind> {
    let mut values = Vec::new();
    let requested = len.saturating_mul(size_of::<T>());
    values.try_reserve_exact(len).map_err(|_| FaultKind::TooLarge { requested, limit })?;
    Ok(values)
}

/// Tells `look` how many bytes from `address` on it may read. Without isolation nobody knows: all that there can be.
fn read<R>(view: Option<&View>, address: usize, look: impl FnOnce(usize) -> R) -> R {
    match view {
        Some(view) => view.read(address, look),
        None => look(isize::MAX as usize),
    }
}
