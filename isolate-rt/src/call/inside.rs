//! What a closure of the program looks at while the call that asked it waits: the call itself is busy then.

use super::{Call, Handle, Place, Plain, copy_once, given};
use crate::domain::Settings;
use crate::fault::{Fault, FaultKind, KEPT_CLOSURE};
use crate::mpk;
use std::ffi::{CString, c_char};
use std::marker::PhantomData;

/// Copies out of the domain, and into it, for closures that it calls ([`Callbacks::add_checked`](crate::Callbacks::add_checked)).
///
/// Everything is checked as by the [`Call`] that it was made from: what a pointer among a closure's arguments leads to is
/// copied once, or is an error. When that call is over, everything is [`FaultKind::DomainLost`].
#[derive(Clone, Copy)]
pub struct Inside<'a> {
    settings: &'static Settings,
    function: &'static str,
    /// `None` for calls without isolation.
    view: Option<mpk::View>,
    // Of the thread that makes the call, and while its arguments are there.
    _borrows: PhantomData<(*mut (), &'a ())>,
}

impl<'a> Inside<'a> {
    /// For a closure that a library keeps: looks around where the call of this domain is that asks it; `None` for calls without
    /// isolation. For no longer than that call is used.
    pub(crate) fn of_kept(settings: &'static Settings, view: Option<mpk::View>) -> Self {
        Self { settings, function: KEPT_CLOSURE, view, _borrows: PhantomData }
    }
}

impl<'a> Call<'a> {
    /// For the closures of the next [`Call::run_with`]. The call stays where it is from now on.
    pub fn inside(&self) -> Inside<'a> {
        self.settle();
        let view = match &self.place {
            Place::Mpk(entry) => Some(entry.view()),
            Place::Direct(_) => None,
        };
        Inside { settings: self.settings, function: self.function, view, _borrows: PhantomData }
    }

    pub(crate) fn settings(&self) -> &'static Settings {
        self.settings
    }

    /// Which instance it runs in, and which generation of it; `None` for calls without isolation.
    pub(crate) fn home(&self) -> Option<(usize, u64)> {
        self.settle();
        match &self.place {
            Place::Mpk(entry) => Some((entry.identity(), entry.generation())),
            Place::Direct(_) => None,
        }
    }
}

impl Inside<'_> {
    /// As [`Call::string`].
    ///
    /// # Errors
    ///
    /// As [`Call::string`]; [`FaultKind::StaleHandle`] when a fault of another thread has discarded the instance meanwhile.
    ///
    /// # Safety
    ///
    /// As [`Call::string`].
    pub unsafe fn string(&self, text: *const c_char) -> Result<Option<CString>, Fault> {
        if text.is_null() {
            return Ok(None);
        }
        // SAFETY: by this function's contract.
        self.look(|view| unsafe { given::string(view, text, isize::MAX as usize) }).map(Some)
    }

    /// As [`Call::values`].
    ///
    /// # Errors
    ///
    /// As [`Call::values`], and as [`Inside::string`].
    ///
    /// # Safety
    ///
    /// As [`Call::values`].
    pub unsafe fn values<T: Plain>(&self, start: *const T, len: usize) -> Result<Option<Vec<T>>, Fault> {
        if start.is_null() {
            return Ok(None);
        }
        // SAFETY: by this function's contract.
        self.look(|view| unsafe { given::values(view, start, len) }).map(Some)
    }

    /// A copy of `len` strings, each of which may be NULL; `None` if there are none at all.
    ///
    /// # Errors
    ///
    /// As [`Inside::values`] and [`Inside::string`]; [`FaultKind::TooLarge`] where the copies are more than the limit of the domain's
    /// heap, as they are only if many of the strings are the same ones.
    ///
    /// # Safety
    ///
    /// As both.
    pub unsafe fn strings(
        &self,
        start: *const *const c_char,
        len: usize,
    ) -> Result<Option<Vec<Option<CString>>>, Fault> {
        // SAFETY: by this function's contract.
        let Some(pointers) = (unsafe { self.values(start, len) })? else { return Ok(None) };
        let limit = self.view.map_or(isize::MAX as usize, |view| view.heap_limit());
        self.look(|view| {
            let mut strings = given::room(pointers.len(), limit)?;
            let mut left = limit;
            for text in pointers {
                // SAFETY: as above.
                let text = (!text.is_null()).then(|| unsafe { given::string(view, text, left) }).transpose()?;
                left = left.saturating_sub(text.as_ref().map_or(0, |text| text.as_bytes_with_nul().len()));
                strings.push(text);
            }
            Ok(Some(strings))
        })
    }

    /// Copies `from` to `to`, into memory of the domain.
    ///
    /// # Errors
    ///
    /// [`FaultKind::InvalidValue`] when there is no room for all of it in memory that the domain owns.
    ///
    /// # Safety
    ///
    /// Under [`Backend::None`](crate::Backend::None) there must be: nothing checks it there. With isolation nothing is owed.
    pub unsafe fn give<T: Plain>(&self, to: *mut T, from: &[T]) -> Result<(), Fault> {
        self.look(|view| {
            has_room(view, to, from.len())?;
            // SAFETY: there is room, in memory of the domain, which no reference of the program leads to; without isolation our
            // caller vouches for it.
            unsafe { copy_once(from.as_ptr(), to, from.len()) };
            Ok(())
        })
    }

    /// As [`Call::adopt`].
    ///
    /// # Errors
    ///
    /// As [`Call::adopt`].
    ///
    /// # Safety
    ///
    /// As [`Call::adopt`].
    pub unsafe fn adopt<T>(&self, object: *mut T) -> Result<Option<Handle<T>>, Fault> {
        if object.is_null() {
            return Ok(None);
        }
        self.look(|view| {
            let (instance, generation) = match view {
                Some(view) if view.owns(object.addr()) => (view.identity(), view.generation()),
                Some(_) => {
                    return Err(FaultKind::InvalidValue { what: "an object that does not lie in the domain" });
                }
                None => (0, 0),
            };
            Ok(Some(Handle { pointer: object, instance, generation, _object: PhantomData }))
        })
    }

    /// As [`Call::required`].
    ///
    /// # Errors
    ///
    /// As [`Call::required`].
    pub fn required<T>(&self, value: Option<T>) -> Result<T, Fault> {
        let null = FaultKind::InvalidValue { what: "NULL, which the contract rules out" };
        value.ok_or_else(|| Fault::new(self.settings.name, self.function, null))
    }

    /// As many zeros as the domain wants written to `to`, where it must have the room.
    ///
    /// # Errors
    ///
    /// As [`Inside::give`].
    ///
    /// # Safety
    ///
    /// As [`Inside::give`].
    pub unsafe fn room<T: Plain>(&self, to: *mut T, len: usize) -> Result<Vec<T>, Fault> {
        self.look(|view| {
            has_room(view, to, len)?;
            let mut zeros = given::room(len, isize::MAX as usize)?;
            // SAFETY: every bit pattern is a `T`.
            zeros.resize(len, unsafe { std::mem::zeroed() });
            Ok(zeros)
        })
    }

    /// As [`Call::count`].
    pub fn count<N: TryInto<usize>>(&self, claimed: N) -> usize {
        claimed.try_into().unwrap_or(0)
    }

    /// As [`Call::quotient`].
    ///
    /// # Errors
    ///
    /// As [`Call::quotient`].
    pub fn quotient(&self, dividend: i128, divisor: i128) -> Result<i128, Fault> {
        let by_zero = || Fault::new(self.settings.name, self.function, super::DIVISION_BY_ZERO);
        dividend.checked_div(divisor).ok_or_else(by_zero)
    }

    /// Looks while nobody discards what is looked at.
    fn look<R>(&self, f: impl FnOnce(Option<&mpk::View>) -> Result<R, FaultKind>) -> Result<R, Fault> {
        let looked = match &self.view {
            Some(view) => view.during(|| f(Some(view))).and_then(|looked| looked),
            None => f(None),
        };
        looked.map_err(|kind| {
            let is_gone = matches!(kind, FaultKind::StaleHandle | FaultKind::DomainLost);
            let cause = self.view.as_ref().filter(|_| is_gone).and_then(mpk::View::end);
            Fault::new(self.settings.name, self.function, kind).because(cause, None)
        })
    }
}

fn has_room<T>(view: Option<&mpk::View>, to: *mut T, len: usize) -> Result<(), FaultKind> {
    let room = view.map_or(isize::MAX as usize, |view| view.writable_from(to.addr()).unwrap_or(0));
    let fits = len.checked_mul(size_of::<T>()).is_some_and(|size| size <= room);
    if fits && to.is_aligned() && (len == 0 || !to.is_null()) {
        return Ok(());
    }
    Err(FaultKind::InvalidValue { what: "room that does not lie in the domain" })
}

impl std::fmt::Debug for Inside<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inside").field("domain", &self.settings.name).finish_non_exhaustive()
    }
}
