//! Why a call gave no result, and what is known about it.

mod backtrace;
mod kind;
mod memory;

pub use backtrace::{Backtrace, Frame};
pub use kind::{FaultKind, Unsupported};
pub use memory::{Memory, Part, Symbol};

use crate::mpk::Evidence;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// An isolated call that did not come back with a result.
///
/// The instance it ran in is gone and the next call gets a fresh one, unless nothing was wrong with it: see
/// [`Fault::discarded_instance`].
/// No memory outside the domain was written, and `&mut` arguments hold what they held before.
///
/// `{}` shows it in one line; `{:#}` adds its kind, which `cargo isolate explain KIND` explains, the thread and the domain's
/// [backtrace](Fault::backtrace); `{:?}` names the kind first. Two faults are equal when domain, function and kind are.
#[derive(Clone)]
pub struct Fault {
    // Boxed: a `Result<_, Fault>` in the path of every good call should cost one word.
    report: Box<Report>,
}

#[derive(Clone)]
struct Report {
    domain: &'static str,
    function: &'static str,
    failure: Failure,
    cause: Option<Fault>,
    memory: OnceLock<Option<Memory>>,
    backtrace: OnceLock<Backtrace>,
}

/// What went wrong, and what the domain left behind when it was stopped there.
#[derive(Clone)]
pub(crate) struct Failure {
    pub(crate) kind: FaultKind,
    pub(crate) hint: Option<Hint>,
    pub(crate) evidence: Option<Arc<Evidence>>,
    /// Nothing went in: what was to be called was not.
    pub(crate) refused: bool,
}

impl From<FaultKind> for Failure {
    fn from(kind: FaultKind) -> Self {
        Self { kind, hint: None, evidence: None, refused: false }
    }
}

impl Failure {
    /// Before anything was called.
    #[cfg_attr(not(mpk), expect(dead_code, reason = "without isolation nothing is refused"))]
    pub(crate) fn refused(kind: FaultKind) -> Self {
        Self { refused: true, ..kind.into() }
    }
}

/// What most likely has to do with a fault, as a hint for people: the domain can have written anything there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// The domain's heap had reached its limit: a `malloc` of the same call has given NULL.
    HeapLimit {
        /// What was asked for, in bytes.
        requested: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The dynamic loader was about to write its data, which is the program's: a library was used that was loaded since the thread's
    /// first call, a lazily bound function called that nobody defines, or `dlopen`.
    Loader,
    /// It failed inside `malloc` or `free`: an overrun before has damaged what they rely on, or a block was freed twice.
    HeapDamaged,
    /// Another thread's call failed, and all threads share the instance that it took along.
    Shared,
}

/// Stands for the function where what failed is a thread that the library has started.
#[cfg_attr(not(mpk), expect(dead_code, reason = "no library starts threads"))]
pub(crate) const OWN_THREAD: &str = "(a thread of its own)";

/// Stands for the function in what a closure that is kept finds wrong, as long as nobody knows which call asks it.
pub(crate) const KEPT_CLOSURE: &str = "(a closure that it keeps)";

/// What was tried with the memory at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It was read.
    Read,
    /// It was written.
    Write,
    /// The instruction there was to be executed: a jump, call or return led there.
    Execute,
}

impl Fault {
    #[cold]
    pub(crate) fn new(domain: &'static str, function: &'static str, failure: impl Into<Failure>) -> Self {
        let (failure, memory, backtrace) = (failure.into(), OnceLock::new(), OnceLock::new());
        Self { report: Box::new(Report { domain, function, failure, cause: None, memory, backtrace }) }
    }

    /// Adds which fault it follows from.
    #[cold]
    pub(crate) fn because(mut self, cause: Option<Self>, hint: Option<Hint>) -> Self {
        self.report.cause = cause;
        self.report.failure.hint = self.report.failure.hint.or(hint);
        self
    }

    /// It ends this call: where a kept closure found something wrong, that is ascribed to the function that asked it.
    #[cold]
    pub(crate) fn ending(mut self, function: &'static str) -> Self {
        if self.report.function == KEPT_CLOSURE {
            self.report.function = function;
        }
        self
    }

    /// Name of the domain.
    pub fn domain(&self) -> &'static str {
        self.report.domain
    }

    /// Name of the foreign function that was called.
    pub fn function(&self) -> &'static str {
        self.report.function
    }

    /// What went wrong.
    pub fn kind(&self) -> &FaultKind {
        &self.report.failure.kind
    }

    /// The fault of somebody else that this one follows from: of [`FaultKind::DomainLost`] the one that took the instance, and of
    /// [`FaultKind::StaleHandle`] the one that took what the handle stands for, in another call or in
    /// [a thread of the library's](crate::Domain::threads_inside). `None` where that is not known: only the last one of each
    /// instance is remembered.
    pub fn cause(&self) -> Option<&Fault> {
        self.report.cause.as_ref()
    }

    /// Whether the instance is gone that the call ran in: the next call gets a fresh one.
    pub fn discarded_instance(&self) -> bool {
        self.kind().discards_instance()
    }

    /// What it most likely has to do with.
    ///
    /// Looks at the loaded objects: not for signal handlers.
    pub fn hint(&self) -> Option<Hint> {
        let is_of_loader = || match *self.kind() {
            FaultKind::Protection { address, key: 0, write: true } => {
                self.evidence()?.is_of_loader(address).then_some(Hint::Loader)
            }
            _ => None,
        };
        self.report.failure.hint.or_else(is_of_loader)
    }

    /// Address of the access, where the fault was one.
    pub fn address(&self) -> Option<usize> {
        match *self.kind() {
            FaultKind::Protection { address, .. }
            | FaultKind::Unmapped { address }
            | FaultKind::StackOverflow { address }
            | FaultKind::Bus { address }
            | FaultKind::ForeignFree { address }
            | FaultKind::ForeignStream { address }
            | FaultKind::DoubleFree { block: address, .. }
            | FaultKind::HeapOverflow { at: address, .. }
            | FaultKind::WriteAfterFree { at: address, .. }
            | FaultKind::OutputOverflow { at: address, .. } => Some(address),
            _ => None,
        }
    }

    /// Protection key of the page, where the fault was a protection fault.
    pub fn key(&self) -> Option<u32> {
        match *self.kind() {
            FaultKind::Protection { key, .. } => Some(key),
            _ => None,
        }
    }

    /// What was tried with the memory at [`Fault::address`], where the CPU says.
    pub fn access(&self) -> Option<Access> {
        self.address()?;
        self.evidence()?.access()
    }

    /// Number of the thread (`gettid`) whose call was stopped inside the domain.
    pub fn thread(&self) -> Option<i32> {
        Some(self.evidence()?.thread())
    }

    /// Whose the memory at [`Fault::address`] is.
    ///
    /// Looked up when first asked for, which reads `/proc/self/maps` and symbol tables; not for signal handlers. What has been
    /// mapped or unmapped since the fault is seen as it is now.
    pub fn memory(&self) -> Option<&Memory> {
        self.report.memory.get_or_init(|| self.address().map(Evidence::memory)).as_ref()
    }

    /// The calls that the domain was in when it was stopped, innermost first; empty where it was not stopped.
    ///
    /// Found when first asked for, in a copy of the end of the domain's stack (at most 16 KiB) that was taken after the fault.
    /// The domain can have written anything there: these are hints for people, not facts.
    pub fn backtrace(&self) -> &Backtrace {
        self.report.backtrace.get_or_init(|| self.evidence().map(Evidence::backtrace).unwrap_or_default())
    }

    /// The function of libc that the library had called, where that made the access: what it means says more than what it wrote.
    fn of_libc(&self) -> Option<String> {
        let is_access = matches!(self.kind(), FaultKind::Protection { .. } | FaultKind::Unmapped { .. });
        self.evidence().filter(|_| is_access)?.called_of_libc(|| self.backtrace())
    }

    fn evidence(&self) -> Option<&Evidence> {
        self.report.failure.evidence.as_deref()
    }
}

/// Makes a call, and where a fault takes its instance makes it again in the next one, up to `times` times more: for calls whose
/// outcome depends on their arguments alone. The last fault is what is left then. A call that its deadline ended is not made
/// again: it had its time.
///
/// # Errors
///
/// A fault that is not about the instance, or one of the last attempt.
pub fn retry<T, E: AsFault>(times: u32, mut call: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let mut result = call();
    for _ in 0..times {
        match &result {
            Err(error) if error.as_fault().is_some_and(may_pass) => result = call(),
            _ => break,
        }
    }
    result
}

fn may_pass(fault: &Fault) -> bool {
    fault.discarded_instance() && fault.kind() != &FaultKind::Timeout
}

/// An error of a call, which may be a fault.
pub trait AsFault {
    /// The fault, if it is one.
    fn as_fault(&self) -> Option<&Fault>;
}

impl AsFault for Fault {
    fn as_fault(&self) -> Option<&Fault> {
        Some(self)
    }
}

impl PartialEq for Fault {
    fn eq(&self, other: &Self) -> bool {
        (self.domain(), self.function(), self.kind()) == (other.domain(), other.function(), other.kind())
    }
}

impl Eq for Fault {}

impl std::error::Error for Fault {}

/// The fault is what the error holds: [`std::io::Error::downcast`] gives it back.
impl From<Fault> for std::io::Error {
    fn from(fault: Fault) -> std::io::Error {
        std::io::Error::other(fault)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` in domain `{}`: ", self.function(), self.domain())?;
        self.say_what(f)?;
        if let Some(cause) = self.cause() {
            write!(f, ": `{}`: ", cause.function())?;
            cause.say_what(f)?;
        }
        if let Some(hint) = self.report.failure.hint.filter(|hint| *hint == Hint::Shared) {
            write!(f, " ({hint})")?;
        }
        if f.alternate() {
            write!(f, " [{}]", self.kind().name())?;
        }
        let stopped = self.cause().unwrap_or(self);
        if let Some(thread) = stopped.thread().filter(|_| f.alternate()) {
            write!(f, "\n  on thread {thread}, in the domain:\n{}", stopped.backtrace())?;
        }
        Ok(())
    }
}

impl Fault {
    /// Kind, whose memory, and what it has to do with.
    fn say_what(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind(), self.address(), self.access()) {
            (FaultKind::Unmapped { .. }, Some(address), Some(access)) => write!(f, "{access} {address:#x}")?,
            (FaultKind::StaleHandle, ..) if self.cause().is_some() => {
                write!(f, "stale handle: what it stands for is gone with its instance, which a fault took")?;
            }
            (kind, ..) => write!(f, "{kind}")?,
        }
        match (self.kind(), self.memory()) {
            // Guards and what is closed carry the program's key, and are not its memory.
            (FaultKind::Protection { key: 0, .. }, Some(memory @ (Memory::Guard | Memory::Domain { .. }))) => {
                write!(f, ", {memory}")?;
            }
            (FaultKind::Protection { key, .. }, Some(memory)) => write!(f, ", {memory} (key {key})")?,
            (FaultKind::Unmapped { .. } | FaultKind::ForeignFree { .. }, Some(memory)) => write!(f, ", {memory}")?,
            _ => {}
        }
        if let Some(function) = self.of_libc() {
            write!(f, ", by `{function}` of libc")?;
        }
        match self.hint().filter(|hint| *hint != Hint::Shared) {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// The kind, by which `cargo isolate explain` knows it, and the text of `Display`: faults are met in `unwrap` and logs, where field
/// names help nobody.
impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault({}: ", self.kind().name())?;
        fmt::Display::fmt(self, f)?;
        f.write_str(")")
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeapLimit { requested, limit } => write!(
                f,
                "its heap had no room for {requested} bytes: the limit is {limit} bytes, `heap.limit` in the policy, `heap_limit` in code"
            ),
            Self::Loader => write!(
                f,
                "by the dynamic loader: for a library that was loaded since this thread's first call (the next call knows it), \
                 a function that nobody defines, `dlopen`, or a loader that is not known here (run with `LD_BIND_NOW=1`)"
            ),
            Self::HeapDamaged => write!(
                f,
                "inside `malloc` or `free`: a block was overrun before, or freed twice; \
                 a heap of kind `hardened` says which, `heap.kind` in the policy, `heap` in code"
            ),
            Self::Shared => write!(
                f,
                "all threads share the instance that it took: call again, or, where the library has no writable globals, give each thread \
                 its own with `instances = \"thread\"` in the policy, `instance_per_thread` in code"
            ),
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read of",
            Self::Write => "write to",
            Self::Execute => "jump to",
        })
    }
}
