//! Closures of the program that a domain may call.
//!
//! A C function pointer carries nothing but an address, so there is a pool of small functions for each signature, the
//! trampolines, and registering a closure takes one of them. A trampoline runs inside, with the domain's rights: it puts its
//! arguments into one message and asks the gate. What the gate then does runs in the program, on its stack and with its
//! rights, and believes nothing: the number must be registered for this very call, with this very signature, and the
//! message must lie on the domain's stack, from where it is copied once.

mod kept;
mod trampolines;

pub use kept::{Keepable, Kept};

use crate::call::Plain;
use crate::fault::{Failure, Fault, FaultKind};
use crate::mpk;
use std::any::{Any, TypeId};
use std::cell::Cell;
use std::marker::PhantomData;
use std::mem::{MaybeUninit, size_of};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Trampolines of one signature for the closures of a call; those for closures that are kept have higher numbers. Numbers are given
/// out in turn: one that a library has kept for too long is refused until its turn comes again.
const POOL: usize = 32;

/// Closures that the domain may call during one [`Call::run_with`](crate::Call::run_with).
///
/// ```no_run
/// # use isolate_rt::{Callbacks, Domain, Fault};
/// # unsafe extern "C" { fn each(from: i32, to: i32, visit: unsafe extern "C" fn(i32)); }
/// # static NUMBERS: Domain = Domain::new("numbers");
/// # fn sum() -> Result<i32, Fault> {
/// let mut sum = 0;
/// let mut callbacks = Callbacks::new();
/// let visit = callbacks.add(|number: i32| sum += number);
/// let mut call = NUMBERS.call("each")?;
/// // SAFETY: `each` calls `visit` and touches nothing else.
/// unsafe { call.run_with(&mut callbacks, || each(1, 10, visit)) }?;
/// # drop(callbacks);
/// # Ok(sum)
/// # }
/// ```
#[derive(Default)]
pub struct Callbacks<'a> {
    registered: Vec<Registered<'a>>,
}

/// Why a closure ends the call that asked it.
pub(crate) enum Ending {
    /// It panicked with this.
    Panic(Box<dyn Any + Send>),
    /// It found this wrong with its arguments.
    Fault(Fault),
}

struct Registered<'a> {
    number: usize,
    closure: Box<dyn Answer + 'a>,
}

/// Functions and closures that can be registered: up to six arguments, all of them, and the result, [`Plain`].
///
/// Arguments are values that the domain chose: a pointer among them may lead anywhere. Nobody else can say of a type that a closure
/// may have it:
///
/// ```compile_fail,E0277
/// # use isolate_rt::{Plain, Signature};
/// struct Flag(bool);
/// #[derive(Clone, Copy)]
/// struct Answer(u8);
/// // SAFETY: every byte is one.
/// unsafe impl Plain for Answer {}
/// impl Signature<(Flag,), Answer> for fn(Flag) -> Answer {
///     type Pointer = unsafe extern "C" fn(u8) -> Answer;
///
///     fn pointer(_: usize) -> Self::Pointer {
///         unimplemented!()
///     }
/// }
/// ```
pub trait Signature<A: 'static, R: Plain>: FnMutTuple<A, R> {
    /// The C function pointer for it.
    type Pointer: Copy + 'static;

    #[doc(hidden)]
    fn pointer(number: usize) -> Self::Pointer;
}

/// As [`Signature`], for closures that may find their arguments wrong and end the call.
pub trait Checked<A: 'static, R: Plain>: FnMutTuple<A, Result<R, Fault>> {
    /// The C function pointer for it.
    type Pointer: Copy + 'static;

    #[doc(hidden)]
    fn pointer(number: usize) -> Self::Pointer;
}

#[doc(hidden)]
pub trait FnMutTuple<A, R> {
    fn answer(&mut self, arguments: A) -> R;
}

/// A registered closure with its types forgotten.
trait Answer {
    /// Size of the message.
    fn size(&self) -> usize;
    fn result_size(&self) -> usize;
    /// Answers the message at `from`, if it is of the right signature; the result goes to `to`.
    ///
    /// # Errors
    ///
    /// What the closure found wrong with its arguments.
    ///
    /// # Safety
    ///
    /// [`Answer::size`] bytes at `from` are readable, and [`Answer::result_size`] at `to` writable.
    unsafe fn answer(&mut self, from: *const u8, to: *mut u8) -> Result<bool, Fault>;
}

/// What a trampoline leaves on the domain's stack.
#[repr(C)]
struct Message<A> {
    signature: [u8; size_of::<TypeId>()],
    arguments: A,
}

struct Typed<F, A, R>(F, PhantomData<fn(A) -> R>);

impl<F: FnMut(A) -> Result<R, Fault>, A: 'static, R: Plain> Answer for Typed<F, A, R> {
    fn size(&self) -> usize {
        size_of::<Message<A>>()
    }

    fn result_size(&self) -> usize {
        size_of::<R>()
    }

    unsafe fn answer(&mut self, from: *const u8, to: *mut u8) -> Result<bool, Fault> {
        let from = from.cast::<MaybeUninit<Message<A>>>();
        if !from.is_aligned() {
            return Ok(false);
        }
        // Read once, and volatile: another thread of the domain may be changing it. Whatever the arguments hold is a value,
        // since all of them are `Plain`.
        // SAFETY: readable by this function's contract, and aligned.
        let message = unsafe { from.read_volatile().assume_init() };
        if message.signature != signature::<A, R>() {
            return Ok(false);
        }
        let result = (self.0)(message.arguments)?;
        // SAFETY: by this function's contract; not aligned, for all that is known.
        unsafe { to.cast::<R>().write_unaligned(result) };
        Ok(true)
    }
}

fn signature<A: 'static, R: 'static>() -> [u8; size_of::<TypeId>()] {
    // SAFETY: a `TypeId` is plain bytes of this size.
    unsafe { std::mem::transmute::<TypeId, [u8; size_of::<TypeId>()]>(TypeId::of::<fn(A) -> R>()) }
}

impl<'a> Callbacks<'a> {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers a closure and gives the pointer to pass to the foreign function.
    ///
    /// The pointer works during calls that are made with these callbacks; at other times calling it ends the call with
    /// [`FaultKind::CallbackRefused`](crate::FaultKind::CallbackRefused).
    ///
    /// # Panics
    ///
    /// At the 33rd of one `Callbacks`.
    pub fn add<A: 'static, R: Plain, F: Signature<A, R> + 'a>(&mut self, mut closure: F) -> F::Pointer {
        F::pointer(self.register::<A, R>(move |arguments| Ok(closure.answer(arguments))))
    }

    /// As [`Callbacks::add`], for a closure that looks at what its arguments lead to ([`Call::inside`](crate::Call::inside)):
    /// where it finds an error, the call is over and returns it.
    ///
    /// # Panics
    ///
    /// As [`Callbacks::add`].
    pub fn add_checked<A: 'static, R: Plain, F: Checked<A, R> + 'a>(&mut self, mut closure: F) -> F::Pointer {
        F::pointer(self.register::<A, R>(move |arguments| closure.answer(arguments)))
    }

    /// Gives the number of the trampoline that asks the closure.
    fn register<A: 'static, R: Plain>(&mut self, closure: impl FnMut(A) -> Result<R, Fault> + 'a) -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        assert!(self.registered.len() < POOL, "more than {POOL} callbacks for one call");
        let number = loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed) % POOL;
            if self.registered.iter().all(|other| other.number != number) {
                break number;
            }
        };
        self.registered.push(Registered { number, closure: Box::new(Typed(closure, PhantomData)) });
        number
    }

    /// Answers a message. `None` when the program refuses to.
    ///
    /// # Safety
    ///
    /// Ranges that `may_use` accepts are memory that nobody in the program uses.
    unsafe fn answer(
        &mut self,
        number: usize,
        (from, to): (*const u8, *mut u8),
        may_use: impl Fn(usize, usize) -> bool,
    ) -> Option<()> {
        let registered = self.registered.iter_mut().find(|registered| registered.number == number)?;
        let closure = &mut registered.closure;
        if !may_use(from.addr(), closure.size()) || !may_use(to.addr(), closure.result_size()) {
            return None;
        }
        // SAFETY: both ranges were just checked.
        ended(catch_unwind(AssertUnwindSafe(|| unsafe { closure.answer(from, to) })))
    }

    /// Makes these the callbacks of calls without isolation while `f` runs.
    pub(crate) fn direct<R>(&mut self, f: impl FnOnce() -> R) -> R {
        /// Puts those of the call around it back, also when `f` unwinds.
        struct Outer(*mut Callbacks<'static>);
        impl Drop for Outer {
            fn drop(&mut self) {
                DIRECT.set(self.0);
            }
        }
        let _outer = Outer(DIRECT.replace(ptr::from_mut(self).cast()));
        f()
    }
}

thread_local! {
    /// Callbacks of the call without isolation that this thread is in.
    static DIRECT: Cell<*mut Callbacks<'static>> = const { Cell::new(ptr::null_mut()) };
    /// Why the call is over that this thread is in: set by the closure that ends it, taken where the call was made.
    static ENDING: Cell<Option<Ending>> = const { Cell::new(None) };
}

/// Answers a message of the domain, by a closure of the call or by one that is kept. `None` when the program refuses to.
///
/// # Safety
///
/// As [`Callbacks::answer`].
#[cfg_attr(not(mpk), expect(dead_code, reason = "nobody asks from a domain"))]
pub(crate) unsafe fn answer(
    callbacks: Option<&mut Callbacks<'_>>,
    number: usize,
    message: (*const u8, *mut u8),
    view: mpk::View,
    may_use: impl Fn(usize, usize) -> bool,
) -> Option<()> {
    if kept::is_kept(number) {
        // SAFETY: by this function's contract.
        return unsafe { kept::answer(number, message, Some(view), may_use) };
    }
    // SAFETY: as above.
    unsafe { callbacks?.answer(number, message, may_use) }
}

/// Why a closure has ended the call that this thread just made, if one has.
pub(crate) fn take_ending() -> Option<Ending> {
    ENDING.try_with(Cell::take).ok().flatten()
}

/// Whether a closure has found its arguments wrong, in the call that this thread is in.
fn is_over() -> bool {
    let ending = take_ending();
    let is = matches!(ending, Some(Ending::Fault(_)));
    // Where there are no thread-locals any more there was none.
    let _ = ENDING.try_with(|cell| cell.set(ending));
    is
}

/// Why a closure did not answer, in the call that this thread is in: for others, whom it takes the instance.
#[cfg_attr(not(mpk), expect(dead_code, reason = "nobody asks from a domain"))]
pub(crate) fn why_refused(failure: &Failure, domain: &'static str, function: &'static str) -> Option<Fault> {
    let ending = if failure.kind == FaultKind::CallbackRefused { take_ending()? } else { return None };
    let why = match &ending {
        Ending::Fault(fault) => fault.clone().ending(function),
        Ending::Panic(panic) => {
            let text =
                panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
            let message = format!("a closure of the program: {}", text.unwrap_or("…")).into();
            Fault::new(domain, function, Failure { kind: FaultKind::Panicked { message }, ..failure.clone() })
        }
    };
    let _ = ENDING.try_with(|cell| cell.set(Some(ending)));
    Some(why)
}

/// What became of a question: whether it was answered. What ends the call is left for [`take_ending`].
fn ended(result: std::thread::Result<Result<bool, Fault>>) -> Option<()> {
    let ending = match result {
        Ok(Ok(answered)) => return answered.then_some(()),
        Ok(Err(fault)) => Ending::Fault(fault),
        Err(panic) => Ending::Panic(panic),
    };
    let _ = ENDING.try_with(|cell| cell.set(Some(ending)));
    None
}

impl std::fmt::Debug for Callbacks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callbacks").field("registered", &self.registered.len()).finish_non_exhaustive()
    }
}
