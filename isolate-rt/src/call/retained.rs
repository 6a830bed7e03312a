//! Memory that a library keeps a pointer to when the call is over: a copy in the domain, which lives as long as what it is kept for.

use super::Call;
use crate::domain::Domain;
use crate::fault::Fault;
use crate::memory::DomainVec;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What copies are aligned for, as what C's `malloc` gives.
type Unit = u128;

/// A copy in a domain of something that its library keeps a pointer to. Dropping it frees the copy, through the gate.
///
/// Belongs to what the library keeps it for: see [`Owned::hold`](crate::Owned::hold).
#[must_use = "dropping it frees the memory that the library has a pointer to"]
#[derive(Debug)]
pub struct Retained {
    #[expect(dead_code, reason = "held until it is dropped")]
    memory: DomainVec<Unit>,
}

/// What an object holds, in the order in which it was given: by name, or until the object ends.
#[derive(Default)]
pub(super) struct Holding(Mutex<Vec<(Option<&'static str>, Option<Retained>)>>);

impl Call<'_> {
    /// Copies `data` into the heap of the domain, for a library that keeps the pointer, and gives that. The copy is not the caller's
    /// slice: what either side changes later, the other does not see.
    ///
    /// Dropping the copy is a call: in a domain that lets one thread in at a time it must outlive the present one.
    ///
    /// # Errors
    ///
    /// [`FaultKind::TooLarge`](crate::FaultKind::TooLarge) when the domain's heap has no room, and as [`Call::run`].
    pub fn retain<T: Copy>(&mut self, domain: &'static Domain, data: &[T]) -> Result<(Retained, *const T), Fault> {
        const { assert!(align_of::<T>() <= align_of::<Unit>(), "a type that C's `malloc` is not aligned for") };
        let memory = DomainVec::<Unit>::in_call(self, domain, size_of_val(data).div_ceil(size_of::<Unit>()))?;
        let start = memory.start().cast::<T>();
        self.while_it_lasts(|_| {
            // SAFETY: there is room for as many values, aligned as for a `Unit`, which nobody else knows of yet; and the memory is not
            // discarded meanwhile.
            unsafe { std::ptr::copy_nonoverlapping(data.as_ptr(), start, data.len()) };
            Ok(())
        })?;
        Ok((Retained { memory }, start.cast_const()))
    }
}

impl Holding {
    pub(super) fn hold(&self, slot: Option<&'static str>, memory: Option<Retained>) {
        // Without a name there is nothing that could take its place.
        if slot.is_some() || memory.is_some() {
            self.all().push((slot, memory));
        }
    }

    pub(super) fn superseded(&self, slot: &'static str) -> Vec<Retained> {
        let mut all = self.all();
        let last = all.iter().rposition(|(name, _)| *name == Some(slot));
        let mut former = Vec::new();
        let mut place = 0;
        all.retain_mut(|(name, memory)| {
            let stays = *name != Some(slot) || Some(place) == last;
            place += 1;
            if !stays {
                former.extend(memory.take());
            }
            stays
        });
        former
    }

    /// For a library that still has its pointers, and an object that nobody will end any more.
    pub(super) fn leak(&mut self) {
        std::mem::forget(std::mem::take(self));
    }

    fn all(&self) -> MutexGuard<'_, Vec<(Option<&'static str>, Option<Retained>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
