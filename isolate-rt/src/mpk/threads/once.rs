//! What is made once in a process, by whoever needs it first.

use super::work::Work;
use crate::fault::Unsupported;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Something of which a process has one, made when it is first needed. A failure that may pass is not kept.
pub(in crate::mpk) struct Once<T> {
    made: OnceLock<Result<T, Unsupported>>,
    making: Mutex<()>,
}

impl<T> Once<T> {
    pub(in crate::mpk) const fn new() -> Self {
        Self { made: OnceLock::new(), making: Mutex::new(()) }
    }

    pub(in crate::mpk) fn get_or_make(&self, make: impl FnOnce() -> Result<T, Unsupported>) -> Result<&T, Unsupported> {
        if self.made.get().is_none() {
            // A child of a fork that happens now would find the lock taken for ever.
            let _work = Work::begin();
            let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
            if self.made.get().is_none() {
                match make() {
                    Err(reason) if reason.is_transient() => return Err(reason),
                    made => _ = self.made.set(made),
                }
            }
        }
        let made = self.made.get().unwrap_or_else(|| unreachable!("set above"));
        made.as_ref().map_err(Clone::clone)
    }
}
