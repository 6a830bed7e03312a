//! Lists of records that are never freed: signal handlers and forks may look at any of them at any time. They are reused instead.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The newest record comes first. The list only grows, and takes no lock to do so.
pub(in crate::mpk) struct List<T: 'static> {
    head: AtomicPtr<Node<T>>,
}

struct Node<T: 'static> {
    record: T,
    next: Option<&'static Self>,
}

impl<T: Sync> List<T> {
    pub(in crate::mpk) const fn new() -> Self {
        Self { head: AtomicPtr::new(ptr::null_mut()) }
    }

    /// All of them, those that nobody uses included.
    pub(in crate::mpk) fn iter(&self) -> impl Iterator<Item = &'static T> + use<T> {
        // SAFETY: null, or a node that `push` has leaked and published; each change of `head` is a read-modify-write, so that reading
        // it with `Acquire` shows all nodes behind it as they were when they were published, which is as they stay.
        let first = unsafe { self.head.load(Ordering::Acquire).as_ref() };
        std::iter::successors(first, |node| node.next).map(|node| &node.record)
    }

    /// The first one that could be taken, or a new one.
    pub(in crate::mpk) fn take_or_push(
        &self,
        take: impl FnMut(&&'static T) -> bool,
        new: impl FnOnce() -> T,
    ) -> &'static T {
        self.iter().find(take).unwrap_or_else(|| self.push(new()))
    }

    pub(in crate::mpk) fn push(&self, record: T) -> &'static T {
        let node = ptr::from_mut(Box::leak(Box::new(Node { record, next: None })));
        let mut head = self.head.load(Ordering::Acquire);
        loop {
            // SAFETY: nobody knows `node` before the exchange succeeds; `head` is as in `iter`.
            unsafe { (*node).next = head.as_ref() };
            match self.head.compare_exchange_weak(head, node, Ordering::Release, Ordering::Acquire) {
                // SAFETY: leaked, and from now on only shared.
                Ok(_) => return unsafe { &(*node).record },
                Err(now) => head = now,
            }
        }
    }
}
