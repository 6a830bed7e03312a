//! A domain: settings fixed at compile time, an instance made at the first call.

use crate::call::{Call, Place};
use crate::direct::Buffers;
use crate::fault::{Fault, FaultKind, Unsupported};
use crate::globals::Globals;
use crate::mpk;
use std::panic::UnwindSafe;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Mutex, TryLockError};
use std::time::Duration;

/// A compartment for foreign code. Lives in a `static`; costs nothing until its first call.
pub struct Domain {
    settings: Settings,
    /// What each call needs; null before there is one. Never freed.
    instance: AtomicPtr<mpk::Instance>,
    /// Its number. Beside it, since each call would wait for it otherwise: it leads to what the thread has of the instance.
    number: AtomicUsize,
    making: Mutex<Making>,
}

/// How far the making of an instance has come.
enum Making {
    /// With what an attempt has left behind that the next will use: a key cannot be given back.
    Begun(mpk::Begun),
    /// For good: the machine does not change while the process lives.
    Refused(Unsupported),
}

/// What a domain was asked to be.
pub(crate) struct Settings {
    pub(crate) name: &'static str,
    pub(crate) backend: Backend,
    pub(crate) heap_kind: HeapKind,
    pub(crate) heap_limit: usize,
    pub(crate) stack_size: usize,
    pub(crate) deadline: Option<Duration>,
    pub(crate) shared_timer: bool,
    pub(crate) one_at_a_time: bool,
    pub(crate) per_thread: bool,
    pub(crate) threads_inside: u32,
    pub(crate) globals: &'static [Globals],
}

/// What runs a domain's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Backend {
    /// The strongest that this machine has; an error where it has none. Today that is [`Backend::Mpk`].
    Auto,
    /// Memory protection keys, in this process.
    Mpk,
    /// No isolation at all: calls run directly. For measuring, and for platforms where a policy accepts the risk.
    None,
}

/// How much a domain's heap looks after those who use it. Neither lets anything out of the domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeapKind {
    /// Blocks side by side, used again at once. What overruns one damages its neighbour, unnoticed.
    Fast,
    /// Overruns, writes to freed blocks, and blocks freed twice are noticed, when the block is freed or at the end of a call, and
    /// where a large block ends at once. Costs memory and time.
    Hardened,
}

// What a panic leaves of the making of an instance, the next call goes on with.
impl UnwindSafe for Domain {}

const LEFT_HALF_MADE: Unsupported =
    Unsupported::Setting { what: "another thread was making the domain when this process was forked" };

impl Domain {
    /// A domain with a heap limit of 64 MiB and a stack of 1 MiB.
    pub const fn new(name: &'static str) -> Self {
        let settings = Settings {
            name,
            backend: Backend::Auto,
            heap_kind: HeapKind::Fast,
            heap_limit: 64 << 20,
            stack_size: 1 << 20,
            deadline: None,
            shared_timer: false,
            one_at_a_time: false,
            per_thread: false,
            threads_inside: 0,
            globals: &[],
        };
        let making = Mutex::new(Making::Begun(mpk::Begun::nothing()));
        Self { settings, instance: AtomicPtr::new(ptr::null_mut()), number: AtomicUsize::new(0), making }
    }

    /// Chooses what runs the calls.
    #[must_use = "it returns the domain with this setting"]
    pub const fn backend(mut self, backend: Backend) -> Self {
        self.settings.backend = backend;
        self
    }

    /// Chooses the kind of its heap.
    #[must_use = "it returns the domain with this setting"]
    pub const fn heap(mut self, kind: HeapKind) -> Self {
        self.settings.heap_kind = kind;
        self
    }

    /// Limits the heap of one instance, in bytes; beyond it, the domain's `malloc` returns NULL. At least 128 KiB, rounded up to pages;
    /// with more than 8 GiB the first call is an error ([`Unsupported::Setting`]).
    #[must_use = "it returns the domain with this setting"]
    pub const fn heap_limit(mut self, bytes: usize) -> Self {
        self.settings.heap_limit = bytes;
        self
    }

    /// Sizes the stack, in bytes. At least 16 KiB, rounded up to pages; with more than 1 GiB the first call is an error
    /// ([`Unsupported::Setting`]).
    #[must_use = "it returns the domain with this setting"]
    pub const fn stack_size(mut self, bytes: usize) -> Self {
        self.settings.stack_size = bytes;
        self
    }

    /// Ends a call that takes longer (so any call, with [`Duration::ZERO`]), by the monotonic clock, whether it computes or waits in a system call. The precision is
    /// about a millisecond; arming a timer costs two system calls for each call, unless there is one for all
    /// ([`Domain::shared_timer`]).
    #[must_use = "it returns the domain with this setting"]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = Some(deadline);
        self
    }

    /// Has the deadline looked after by one thread for the whole process, instead of a timer for each call: a call costs a few
    /// cycles more than without a deadline, and one that takes too long ends up to a quarter later (2 ms where that is less), or
    /// when that thread is next given a processor. The thread sleeps while nobody is inside for a second.
    #[must_use = "it returns the domain with this setting"]
    pub const fn shared_timer(mut self) -> Self {
        self.settings.shared_timer = true;
        self
    }

    /// Lets one thread in at a time, for a library that is not safe to use from several; others wait.
    #[must_use = "it returns the domain with this setting"]
    pub const fn one_at_a_time(mut self) -> Self {
        self.settings.one_at_a_time = true;
        self
    }

    /// Gives each thread an instance of its own, with a heap and a protection key of its own, for a library without writable globals:
    /// threads do not wait for each other's allocations, and a fault of one leaves the others' calls and objects alone. As long
    /// as there are keys (four are left for domains that are made later); further threads share instances.
    ///
    /// Objects may still go from thread to thread: a call that is given one runs where that lives, if it is the first thing that the
    /// call is given.
    #[must_use = "it returns the domain with this setting"]
    pub const fn instance_per_thread(mut self) -> Self {
        self.settings.per_thread = true;
        self
    }

    /// Lets the library start threads (`pthread_create`), up to so many at once in an instance, and 32 at most; without it that ends the
    /// call ([`FaultKind::ThreadStarted`]).
    ///
    /// They run with the domain's rights, go on when the call is over that has started them, and end with the instance: when it is
    /// discarded after a fault, theirs included, which is [`FaultKind::DomainLost`] for the calls that are inside. No deadline is
    /// theirs, nor are closures that are registered for a call ([`Callbacks`](crate::Callbacks)). Not for a domain that lets
    /// [one thread in at a time](Domain::one_at_a_time).
    #[must_use = "it returns the domain with this setting"]
    pub const fn threads_inside(mut self, most: u32) -> Self {
        self.settings.threads_inside = most;
        self
    }

    /// Names the writable globals of the library: the domain owns them, and a fault restores them.
    #[must_use = "it returns the domain with this setting"]
    pub const fn globals(mut self, globals: &'static [Globals]) -> Self {
        self.settings.globals = globals;
        self
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.settings.name
    }

    /// What the domain's instance ended by last, whoever's call that was; `None` where nothing has failed yet. A fault of
    /// [a thread that the library has started](Domain::threads_inside), which no call returns, is here. Where each thread has an
    /// instance, of that of the calling thread.
    pub fn last_fault(&'static self) -> Option<Fault> {
        // SAFETY: instances are never freed.
        let instance = unsafe { self.instance.load(Ordering::Acquire).as_ref() };
        instance.and_then(mpk::Instance::home)?.last_fault()
    }

    /// Begins a call of `function` (a name for reports). A domain lives as long as the process: one that could be dropped cannot be
    /// called.
    ///
    /// ```compile_fail,E0597
    /// let domain = isolate_rt::Domain::new("soon gone");
    /// let _ = domain.call("any");
    /// ```
    ///
    /// Up to 40 threads can be inside at once, further ones wait.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Unsupported`] when no domain can be made here, or it is to have several instances and its library has globals.
    // Always: a `Call` that is returned through memory is written in words and read in pairs of them, for which CPUs wait.
    #[inline(always)]
    pub fn call<'a>(&'static self, function: &'static str) -> Result<Call<'a>, Fault> {
        // SAFETY: instances are never freed.
        let instance = unsafe { self.instance.load(Ordering::Acquire).as_ref() };
        let number = self.number.load(Ordering::Relaxed);
        // (Not with a closure, which is a function that need not be compiled as part of its caller.)
        let place = if let Some(instance) = instance
            && let Some(entry) = instance.enter_again(number)
        {
            Place::Mpk(entry)
        } else {
            self.first_call(function)?
        };
        Ok(Call::new(&self.settings, function, place))
    }

    /// A call before which something is to be made ready: the domain, the thread, or what a fault has left behind.
    #[cold]
    #[inline(never)]
    fn first_call(&'static self, function: &'static str) -> Result<Place, Fault> {
        let place = match self.settings.backend {
            Backend::None => Ok(Place::Direct(Buffers::none())),
            Backend::Auto | Backend::Mpk => self.make().and_then(mpk::Instance::enter).map(Place::Mpk),
        };
        place.map_err(|kind| Fault::new(self.settings.name, function, kind))
    }

    /// Begins a call where something of the domain lives, wherever this thread's calls go.
    pub(crate) fn call_in<'a>(&'static self, identity: usize, function: &'static str) -> Result<Call<'a>, Fault> {
        // SAFETY: instances are never freed.
        let instance = unsafe { self.instance.load(Ordering::Acquire).as_ref() };
        match instance.and_then(|first| first.find(identity)).map(mpk::Instance::enter_this) {
            Some(Ok(entry)) => Ok(Call::new(&self.settings, function, Place::Mpk(entry))),
            Some(Err(kind)) => Err(Fault::new(self.settings.name, function, kind)),
            // Without isolation, and of another domain: `Call::handle` has the last word.
            None => self.call(function),
        }
    }

    /// The limit of its heap, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.settings.heap_limit
    }

    /// Makes the instance, or waits for the thread that does.
    ///
    /// What may be gone at the next call (no memory, no thread to be had) is tried again then; other reasons are kept.
    fn make(&'static self) -> Result<&'static mpk::Instance, FaultKind> {
        // SAFETY: instances are never freed.
        let first = || unsafe { self.instance.load(Ordering::Acquire).as_ref() };
        if let Some(home) = first().and_then(mpk::Instance::home) {
            return Ok(home);
        }
        // Making a domain needs more room than there is on a signal stack, or is what this handler has interrupted.
        let alone = if mpk::on_signal_stack() { None } else { mpk::begin_making() };
        let Some(_alone) = alone else { return Err(FaultKind::InSignalHandler) };
        let mut making = match self.making.try_lock() {
            Ok(making) => making,
            Err(TryLockError::Poisoned(making)) => making.into_inner(),
            // One thread at a time gets here. In the child of a fork that did not wait for it, another one is here for ever.
            Err(TryLockError::WouldBlock) => return Err(FaultKind::Unsupported(LEFT_HALF_MADE)),
        };
        if let Some(first) = first() {
            return Ok(first.home().unwrap_or_else(|| first.settle(&self.settings)));
        }
        let begun = match &mut *making {
            Making::Begun(begun) => begun,
            Making::Refused(reason) => return Err(FaultKind::Unsupported(reason.clone())),
        };
        let made = mpk::Instance::create(&self.settings, begun);
        match made {
            Ok(instance) => {
                // First: who sees the instance sees this.
                self.number.store(instance.number(), Ordering::Relaxed);
                self.instance.store(ptr::from_ref(instance).cast_mut(), Ordering::Release);
                Ok(instance)
            }
            Err(reason) => {
                if !reason.is_transient() {
                    *making = Making::Refused(reason.clone());
                }
                Err(FaultKind::Unsupported(reason))
            }
        }
    }
}

impl std::fmt::Debug for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Domain").field("name", &self.settings.name).finish_non_exhaustive()
    }
}
