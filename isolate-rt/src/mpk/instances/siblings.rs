//! The instances of a domain that has several: one for each thread, as long as there are keys for them.
//!
//! Each has a key of its own, so that what goes wrong in one leaves the others alone: a library without writable globals has
//! nothing that they would have to share. A thread's home is the instance that its calls go to. It stays that until the thread
//! ends; then the next thread that comes takes it. Where there are no more keys, threads share homes, as they do in other domains.

use super::instance::Instance;
use crate::mpk::areas::layout;
use crate::mpk::crossing::thread::{SLOTS, Thread};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// Keys that are left for domains that are made later.
const LEFT: usize = 4;

pub(super) struct Siblings {
    /// Which of a thread's homes is of this domain.
    index: usize,
    members: [AtomicPtr<Instance>; SLOTS],
    /// How many threads are at home in each.
    residents: [AtomicU32; SLOTS],
}

impl Siblings {
    /// For the domain whose first instance has this number.
    pub(super) fn of(index: usize) -> &'static Self {
        let members = [const { AtomicPtr::new(ptr::null_mut()) }; SLOTS];
        let residents = [const { AtomicU32::new(0) }; SLOTS];
        Box::leak(Box::new(Self { index, members, residents }))
    }

    /// Where calls of the thread go, if that was decided.
    #[inline]
    pub(super) fn home(&self, thread: &Thread) -> Option<&'static Instance> {
        // SAFETY: instances are never freed.
        unsafe { thread.home(self.index).load(Ordering::Relaxed).as_ref() }
    }

    /// Decides where they go: to an instance in which nobody is at home, else to what `make` makes, else to the one with the fewest
    /// threads. To be called by one thread at a time.
    pub(super) fn settle(
        &self,
        thread: &Thread,
        make: impl FnOnce() -> Option<&'static Instance>,
    ) -> Option<&'static Instance> {
        let residents = |at: &usize| self.residents[*at].load(Ordering::Relaxed);
        let known = self.iter().count();
        let fewest = (0..known).min_by_key(residents);
        let at = match fewest {
            Some(at) if residents(&at) == 0 => at,
            _ if layout::slots_left() > LEFT && make().is_some() => known,
            fewest => fewest?,
        };
        self.residents[at].fetch_add(1, Ordering::Relaxed);
        let home = self.iter().nth(at)?;
        thread.home(self.index).store(ptr::from_ref(home).cast_mut(), Ordering::Relaxed);
        Some(home)
    }

    pub(super) fn add(&self, instance: &'static Instance) {
        if let Some(free) = self.members.get(self.iter().count()) {
            free.store(ptr::from_ref(instance).cast_mut(), Ordering::Release);
        }
    }

    /// The instance at this address, if it is one of them.
    pub(super) fn find(&self, identity: usize) -> Option<&'static Instance> {
        self.iter().find(|&instance| ptr::from_ref(instance).addr() == identity)
    }

    /// When a thread ends.
    pub(super) fn retire(&self, thread: &Thread) {
        let home = thread.home(self.index).swap(ptr::null_mut(), Ordering::Relaxed);
        if let Some(at) = self.iter().position(|instance| ptr::eq(instance, home)) {
            self.residents[at].fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// In the child of a fork, where there is one thread, if that was ever inside.
    pub(super) fn forget_others(&self, survivor: Option<&Thread>) {
        let home = survivor.and_then(|survivor| self.home(survivor));
        for (at, instance) in self.iter().enumerate() {
            let is_home = home.is_some_and(|home| ptr::eq(home, instance));
            self.residents[at].store(is_home.into(), Ordering::Relaxed);
        }
    }

    fn iter(&self) -> impl Iterator<Item = &'static Instance> {
        // SAFETY: instances are never freed.
        self.members.iter().map_while(|member| unsafe { member.load(Ordering::Acquire).as_ref() })
    }
}
