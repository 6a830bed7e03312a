//! Closures that a library keeps: for as long as some object of the program lives, it may call them during any call.
//!
//! The object holds a [`Kept`]; dropping that makes the closure unknown, and whoever calls it then is refused. A library that does
//! not forget its pointer reaches, at worst, a closure that the same domain was given later, of the same signature: 256 later, or
//! sooner where most of the numbers are taken.

use super::{Answer, Message, POOL, Typed, ended};
use crate::call::{Call, Inside, Plain};
use crate::domain::Settings;
use crate::fault::{Fault, FaultKind};
use crate::mpk::View;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

/// How many closures libraries can keep at once, in the whole process.
pub(super) const KEPT: usize = 256;

/// How often a lock is tried that others hold for a few instructions.
const PATIENCE: usize = 100_000;

/// Holds a closure that a library keeps. Dropping it takes the closure away from the library: a call after that ends with
/// [`FaultKind::CallbackRefused`].
///
/// Belongs to what the library keeps it for: see [`Owned::keep`](crate::Owned::keep).
#[must_use = "dropping it takes the closure away from the library"]
pub struct Kept {
    slot: &'static Slot,
}

/// Closures that can be kept: up to six arguments, all of them, and the result, [`Plain`].
///
/// They come with an [`Inside`] of the call that asks them, to look at what their arguments lead to; where they find an error,
/// that call is over and returns it.
pub trait Keepable<A: 'static, R: Plain>: FnMutInside<A, R> + Send + 'static {
    /// The C function pointer for it.
    type Pointer: Copy + 'static;

    #[doc(hidden)]
    fn pointer(number: usize) -> Self::Pointer;
}

/// Out of reach of other crates, which thus cannot claim that they take what a domain could only make up.
#[doc(hidden)]
pub trait FnMutInside<A, R> {
    fn answer(&mut self, inside: Inside<'_>, arguments: A) -> Result<R, Fault>;
}

/// Room for one closure. Its lock is held for a few instructions, never while the closure runs.
struct Slot {
    state: Mutex<State>,
}

enum State {
    Free,
    Idle(Closure),
    /// Somebody asks it, in whose hands it is. Whether the [`Kept`] is gone.
    Running {
        dropped: bool,
    },
}

struct Closure {
    answer: Box<dyn AnswerInside>,
    /// For calls of this domain only, in this generation of it.
    home: Option<(usize, u64)>,
    /// Of the domain whose calls ask it.
    settings: &'static Settings,
}

/// An [`Answer`] that is told where it is asked from.
trait AnswerInside: Send {
    fn size(&self) -> usize;
    fn result_size(&self) -> usize;
    /// # Safety
    ///
    /// As [`Answer::answer`].
    unsafe fn answer(&mut self, inside: Inside<'_>, from: *const u8, to: *mut u8) -> Result<bool, Fault>;
}

struct TypedInside<F, A, R>(F, PhantomData<fn(A) -> R>);

impl<A: 'static, R: Plain, F: Keepable<A, R>> AnswerInside for TypedInside<F, A, R> {
    fn size(&self) -> usize {
        size_of::<Message<A>>()
    }

    fn result_size(&self) -> usize {
        size_of::<R>()
    }

    unsafe fn answer(&mut self, inside: Inside<'_>, from: *const u8, to: *mut u8) -> Result<bool, Fault> {
        let mut typed = Typed(|arguments: A| self.0.answer(inside, arguments), PhantomData);
        // SAFETY: by this function's contract.
        unsafe { typed.answer(from, to) }
    }
}

static SLOTS: [Slot; KEPT] = [const { Slot { state: Mutex::new(State::Free) } }; KEPT];

impl Call<'_> {
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
            settings: self.settings(),
        });
        // Numbers are given out in turn: one that a library has kept for too long is refused until its turn comes again.
        let first = NEXT.fetch_add(1, Ordering::Relaxed);
        for number in (0..KEPT).map(|offset| first.wrapping_add(offset) % KEPT) {
            let slot = &SLOTS[number];
            let Some(mut state) = slot.lock() else { continue };
            if matches!(*state, State::Free) {
                *state = State::Idle(kept.take().expect("put away once"));
                return Ok((Kept { slot }, F::pointer(POOL + number)));
            }
        }
        Err(self.fault(FaultKind::TooLarge { requested: KEPT + 1, limit: KEPT }))
    }
}

impl Slot {
    /// `None` where nobody can give it back: a signal handler has interrupted who has it, or that thread is none of this
    /// process, which was forked meanwhile.
    fn lock(&self) -> Option<MutexGuard<'_, State>> {
        for _ in 0..PATIENCE {
            match self.state.try_lock() {
                Ok(state) => return Some(state),
                Err(TryLockError::Poisoned(state)) => return Some(state.into_inner()),
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            }
        }
        None
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // A closure that nobody can take away is refused from then on, too.
        let Some(mut state) = self.slot.lock() else { return };
        let former = match &mut *state {
            State::Running { dropped } => {
                *dropped = true;
                return;
            }
            state => std::mem::replace(state, State::Free),
        };
        drop(state);
        // It may own anything, which may make calls when it is dropped.
        drop(former);
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
    let home = view.map(|view| (view.identity(), view.generation()));
    let mut closure = {
        let mut state = slot.lock()?;
        if !matches!(&*state, State::Idle(closure) if closure.home == home) {
            return None;
        }
        match std::mem::replace(&mut *state, State::Running { dropped: false }) {
            State::Idle(closure) => closure,
            _ => unreachable!("just seen"),
        }
    };
    let fits = may_use(from.addr(), closure.answer.size()) && may_use(to.addr(), closure.answer.result_size());
    let inside = Inside::of_kept(closure.settings, view);
    // SAFETY: both ranges were just checked.
    let result = catch_unwind(AssertUnwindSafe(|| unsafe {
        if fits { closure.answer.answer(inside, from, to) } else { Ok(false) }
    }));
    let Some(mut state) = slot.lock() else {
        std::mem::forget(closure);
        return ended(result);
    };
    let dropped = matches!(*state, State::Running { dropped: true });
    if !dropped {
        *state = State::Idle(closure);
        drop(state);
        return ended(result);
    }
    *state = State::Free;
    drop(state);
    // It may own anything, whose destructor may panic, or make calls.
    let gone = catch_unwind(AssertUnwindSafe(|| drop(closure)));
    ended(result.and_then(|answered| gone.map(|()| answered)))
}
