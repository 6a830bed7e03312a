//! Closures that a library keeps: for as long as some object of the program lives, it may call them during any call.
//!
//! The object holds a [`Kept`]; dropping that makes the closure unknown, and whoever calls it then is refused. So nothing
//! depends on whether a library forgets its pointers in time.

use super::{Answer, Message, POOL, Typed, ended};
use crate::call::{Call, Inside, Origin, Plain};
use crate::fault::{Fault, FaultKind};
use crate::mpk::View;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

/// How many closures libraries can keep at once, in the whole process.
pub(super) const KEPT: usize = 256;

/// Holds a closure that a library keeps. Dropping it takes the closure away from the library: a call after that ends with
/// [`FaultKind::CallbackRefused`].
///
/// Belongs to what the library keeps it for: see [`Owned::keep`](crate::Owned::keep).
pub struct Kept {
    slot: &'static Slot,
}

/// Closures that can be kept: up to six arguments, all of them, and the result, [`Plain`].
///
/// They come with an [`Inside`] of the call that asks them, to look at what their arguments lead to; where they find an error,
/// that call is over and returns it.
pub trait Keepable<A: 'static, R: Plain>: Send + 'static {
    /// The C function pointer for it.
    type Pointer: Copy + 'static;

    #[doc(hidden)]
    fn pointer(number: usize) -> Self::Pointer;

    #[doc(hidden)]
    fn answer(&mut self, inside: Inside, arguments: A) -> Result<R, Fault>;
}

/// Room for one closure. Its lock is held while the closure runs, and nobody waits for it.
struct Slot {
    closure: Mutex<Option<Closure>>,
    /// The [`Kept`] is gone, and the closure may still be running: whoever sees that and has the lock takes it away.
    dropped: AtomicBool,
}

struct Closure {
    answer: Box<dyn AnswerInside>,
    /// For calls of this domain only, in this generation of it.
    home: Option<(usize, u64)>,
    /// Whom its errors are ascribed to.
    origin: Origin,
}

/// An [`Answer`] that is told where it is asked from.
trait AnswerInside: Send {
    fn size(&self) -> usize;
    fn result_size(&self) -> usize;
    /// # Safety
    ///
    /// As [`Answer::answer`].
    unsafe fn answer(&mut self, inside: Inside, from: *const u8, to: *mut u8) -> Result<bool, Fault>;
}

struct TypedInside<F, A, R>(F, PhantomData<fn(A) -> R>);

impl<A: 'static, R: Plain, F: Keepable<A, R>> AnswerInside for TypedInside<F, A, R> {
    fn size(&self) -> usize {
        size_of::<Message<A>>()
    }

    fn result_size(&self) -> usize {
        size_of::<R>()
    }

    unsafe fn answer(&mut self, inside: Inside, from: *const u8, to: *mut u8) -> Result<bool, Fault> {
        let mut typed = Typed(|arguments: A| self.0.answer(inside, arguments), PhantomData);
        // SAFETY: by this function's contract.
        unsafe { typed.answer(from, to) }
    }
}

static SLOTS: [Slot; KEPT] = [const { Slot { closure: Mutex::new(None), dropped: AtomicBool::new(false) } }; KEPT];

impl Call {
    /// Registers a closure that the library may call from now on, during any call of this domain, and gives the pointer to pass to
    /// the foreign function. Until the [`Kept`] is dropped; in a fresh instance, after a fault, nobody knows it.
    ///
    /// A closure that is running cannot be asked again, by another thread or by what it does itself: the call that tries is
    /// over, with [`FaultKind::CallbackRefused`]. A panic in it ends the call that asked it and goes on from there.
    ///
    /// # Errors
    ///
    /// [`FaultKind::TooLarge`] where 256 closures are kept in the process already.
    pub fn keep<A: 'static, R: Plain, F: Keepable<A, R>>(&self, closure: F) -> Result<(Kept, F::Pointer), Fault> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let mut kept = Some(Closure {
            answer: Box::new(TypedInside(closure, PhantomData)),
            home: self.home(),
            origin: self.origin(),
        });
        // Numbers are given out in turn: one that a library has kept for too long is refused until its turn comes again.
        let first = NEXT.fetch_add(1, Ordering::Relaxed);
        for number in (0..KEPT).map(|offset| first.wrapping_add(offset) % KEPT) {
            let slot = &SLOTS[number];
            let Some(mut room) = slot.try_lock() else { continue };
            if room.is_none() {
                *room = kept.take();
                return Ok((Kept { slot }, F::pointer(POOL + number)));
            }
            drop(room);
            // Who dropped it meanwhile found it locked.
            slot.clear();
        }
        Err(self.fault(FaultKind::TooLarge { requested: KEPT + 1, limit: KEPT }))
    }
}

impl Slot {
    /// `None` while somebody has it: the closure is running, or about to be taken away.
    fn try_lock(&self) -> Option<MutexGuard<'_, Option<Closure>>> {
        match self.closure.try_lock() {
            Ok(guard) => Some(guard),
            // Nothing panics while it is held, but what `catch_unwind` catches.
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Takes a dropped closure away, unless it is running: who runs it comes here afterwards.
    fn clear(&self) {
        while self.dropped.load(Ordering::SeqCst) {
            let Some(mut room) = self.try_lock() else { return };
            let closure = room.take();
            self.dropped.store(false, Ordering::SeqCst);
            drop(room);
            // It may own anything, which may make calls when it is dropped.
            drop(closure);
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.slot.dropped.store(true, Ordering::SeqCst);
        self.slot.clear();
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

/// Whether a number is one of a closure that is kept.
pub(super) fn is_kept(number: usize) -> bool {
    (POOL..POOL + KEPT).contains(&number)
}

/// As [`Callbacks::answer`](super::Callbacks::answer), by a closure that is kept. `view` is the call that asks.
///
/// # Safety
///
/// As there.
pub(super) unsafe fn answer(
    number: usize,
    (from, to): (*const u8, *mut u8),
    view: Option<View>,
    may_use: impl Fn(usize, usize) -> bool,
) -> Option<()> {
    let slot = &SLOTS[number - POOL];
    // SAFETY: passed on.
    let answered = slot.try_lock().and_then(|mut room| unsafe { in_room(slot, &mut room, (from, to), view, may_use) });
    slot.clear();
    answered
}

/// # Safety
///
/// As [`answer`].
unsafe fn in_room(
    slot: &Slot,
    room: &mut Option<Closure>,
    (from, to): (*const u8, *mut u8),
    view: Option<View>,
    may_use: impl Fn(usize, usize) -> bool,
) -> Option<()> {
    let Closure { answer, home, origin } = room.as_mut()?;
    if slot.dropped.load(Ordering::SeqCst) || view.map(|view| (view.identity(), view.generation())) != *home {
        return None;
    }
    if !may_use(from.addr(), answer.size()) || !may_use(to.addr(), answer.result_size()) {
        return None;
    }
    let inside = origin.inside(view);
    // SAFETY: both ranges were just checked.
    ended(catch_unwind(AssertUnwindSafe(|| unsafe { answer.answer(inside, from, to) })))
}
