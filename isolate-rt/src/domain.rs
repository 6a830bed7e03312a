//! A domain: settings fixed at compile time, an instance made at the first call.

use crate::call::{Call, Place};
use crate::fault::{Fault, FaultKind, Unsupported};
use crate::globals::Globals;
use crate::mpk;
use std::sync::OnceLock;
use std::time::Duration;

/// A compartment for foreign code. Lives in a `static`; costs nothing until its first call.
pub struct Domain {
    settings: Settings,
    // Made at the first call. A refusal is kept as well: the machine does not change while the process lives.
    ground: OnceLock<Result<Ground, Unsupported>>,
}

/// What a domain was asked to be.
pub(crate) struct Settings {
    pub(crate) name: &'static str,
    pub(crate) backend: Backend,
    pub(crate) heap_limit: usize,
    pub(crate) stack_size: usize,
    pub(crate) deadline: Option<Duration>,
    pub(crate) one_at_a_time: bool,
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

/// What a domain turned out to run on.
pub(crate) enum Ground {
    Mpk(&'static mpk::Instance),
    Direct,
}

impl Domain {
    /// A domain with a heap limit of 64 MiB and a stack of 1 MiB.
    pub const fn new(name: &'static str) -> Self {
        let settings = Settings {
            name,
            backend: Backend::Auto,
            heap_limit: 64 << 20,
            stack_size: 1 << 20,
            deadline: None,
            one_at_a_time: false,
            globals: &[],
        };
        Self { settings, ground: OnceLock::new() }
    }

    /// Chooses what runs the calls.
    pub const fn backend(mut self, backend: Backend) -> Self {
        self.settings.backend = backend;
        self
    }

    /// Limits the heap of one instance, in bytes; beyond it, the domain's `malloc` returns NULL. At most 8 GiB.
    pub const fn heap_limit(mut self, bytes: usize) -> Self {
        self.settings.heap_limit = bytes;
        self
    }

    /// Sizes the stack, in bytes. At most 1 GiB.
    pub const fn stack_size(mut self, bytes: usize) -> Self {
        self.settings.stack_size = bytes;
        self
    }

    /// Ends a call that takes longer, by the monotonic clock, whether it computes or waits in a system call. The precision is
    /// about a millisecond; arming costs two system calls for each call.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = Some(deadline);
        self
    }

    /// Lets one thread in at a time, for a library that is not safe to use from several; others wait.
    pub const fn one_at_a_time(mut self) -> Self {
        self.settings.one_at_a_time = true;
        self
    }

    /// Names the writable globals of the library: the domain owns them, and a fault restores them.
    pub const fn globals(mut self, globals: &'static [Globals]) -> Self {
        self.settings.globals = globals;
        self
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.settings.name
    }

    /// Begins a call of `function` (a name for reports). Up to 40 threads can be inside at once, further ones wait.
    ///
    /// # Errors
    ///
    /// [`FaultKind::Unsupported`] when no domain can be made here.
    #[inline]
    pub fn call(&'static self, function: &'static str) -> Result<Call, Fault> {
        if self.ground.get().is_none() && mpk::on_signal_stack() {
            // Making a domain needs more room than there is, and this is no lasting reason.
            return Err(Fault::new(self.settings.name, function, FaultKind::InSignalHandler));
        }
        let place = match self.ground() {
            Ok(Ground::Mpk(instance)) => instance.enter().map(Place::Mpk),
            Ok(Ground::Direct) => Ok(Place::Direct(Vec::new())),
            Err(reason) => Err(FaultKind::Unsupported(reason.clone())),
        };
        match place {
            Ok(place) => Ok(Call::new(self.settings.name, function, place)),
            Err(kind) => Err(Fault::new(self.settings.name, function, kind)),
        }
    }

    #[inline]
    fn ground(&'static self) -> Result<&'static Ground, &'static Unsupported> {
        self.ground.get_or_init(|| self.settings.make()).as_ref()
    }
}

impl Settings {
    #[cold]
    fn make(&'static self) -> Result<Ground, Unsupported> {
        match self.backend {
            Backend::Auto | Backend::Mpk => mpk::Instance::create(self).map(Ground::Mpk),
            Backend::None => Ok(Ground::Direct),
        }
    }
}

impl std::fmt::Debug for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Domain").field("name", &self.settings.name).finish_non_exhaustive()
    }
}
