//! What an instance ended by last, for those whom that concerns and who did nothing wrong: calls that were inside, and whoever has
//! something that lived there.

use crate::fault::{Fault, FaultKind};
use std::sync::{RwLock, TryLockError};

/// How often a lock is tried that others hold for a moment. It is not waited for: a signal handler may have interrupted who has
/// it, or that thread is none of this process, which was forked meanwhile. Then nothing is remembered, or told.
const PATIENCE: usize = 1000;

/// The fault, and the generation that it ended.
pub(in crate::mpk) struct LastFault(RwLock<Option<(u64, Fault)>>);

impl LastFault {
    pub(super) const fn new() -> Self {
        Self(RwLock::new(None))
    }

    /// Of several that end a generation the first is remembered, and never one of a generation before.
    pub(super) fn set(&self, generation: u64, fault: Fault) {
        // What is not remembered is dropped when nobody waits for the lock any more.
        let _other = patiently(|| self.0.try_write()).and_then(|mut last| match &*last {
            Some((ended, _)) if *ended >= generation => Some((generation, fault)),
            _ => last.replace((generation, fault)),
        });
    }

    /// More is known by now of a fault that ended this generation, and was told as `before`.
    pub(super) fn complete(&self, generation: u64, before: &FaultKind, fault: Fault) {
        let _other = patiently(|| self.0.try_write()).and_then(|mut last| match &*last {
            Some((ended, known)) if *ended == generation && known.kind() == before => last.replace((generation, fault)),
            _ => Some((generation, fault)),
        });
    }

    /// What the runtime has tried by itself is nobody's concern.
    pub(super) fn forget(&self) {
        let _former = patiently(|| self.0.try_write()).and_then(|mut last| last.take());
    }

    /// What ended this generation, if it was the last that ended.
    pub(super) fn of(&self, generation: u64) -> Option<Fault> {
        patiently(|| self.0.try_read())?
            .as_ref()
            .filter(|(ended, _)| *ended == generation)
            .map(|(_, fault)| fault.clone())
    }

    pub(super) fn latest(&self) -> Option<Fault> {
        patiently(|| self.0.try_read())?.as_ref().map(|(_, fault)| fault.clone())
    }
}

fn patiently<G>(attempt: impl Fn() -> Result<G, TryLockError<G>>) -> Option<G> {
    for _ in 0..PATIENCE {
        match attempt() {
            Ok(guard) => return Some(guard),
            Err(TryLockError::Poisoned(guard)) => return Some(guard.into_inner()),
            Err(TryLockError::WouldBlock) => std::thread::yield_now(),
        }
    }
    None
}
