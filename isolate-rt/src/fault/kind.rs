//! The kinds of faults, and why a domain cannot exist.

use std::fmt;

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// An access to memory that the domain's rights do not cover (`SEGV_PKUERR`).
    Protection {
        /// Address of the access.
        address: usize,
        /// Protection key of the page: 0 is the program, others are domains.
        key: u32,
        /// Whether the CPU reported a write: `false` where it was a read, where code was fetched, and where the CPU does not say
        /// ([`Fault::access`](crate::Fault::access) tells these apart).
        write: bool,
    },
    /// An access to an address where nothing is mapped, or that the mapping forbids (NULL, wild pointers, read-only data).
    Unmapped {
        /// Address of the access.
        address: usize,
    },
    /// An access through a pointer that is no address at all; the CPU does not say which.
    NonCanonical,
    /// The stack ran into its guard.
    StackOverflow {
        /// Address of the access.
        address: usize,
    },
    /// `__stack_chk_fail`: the compiler's canary was overwritten.
    StackSmashed,
    /// `SIGBUS`: a mapped file shorter than its mapping, or failing memory.
    Bus {
        /// Address of the access.
        address: usize,
    },
    /// `SIGILL`: an instruction that does not exist, `ud2`, `__builtin_trap`.
    IllegalInstruction,
    /// `SIGFPE`: integer division by zero, or overflow of a division.
    Arithmetic,
    /// `SIGTRAP`: a breakpoint.
    Trap,
    /// `SIGSYS`: a system call that a filter of the process refuses.
    ForbiddenSyscall,
    /// The call was still running at the domain's deadline.
    Timeout,
    /// `abort()`, or a raised `SIGABRT`.
    Abort,
    /// An `assert` failed.
    AssertionFailed {
        /// What it says: file, line, function and condition. The domain's words: not to be believed, not always
        /// whole, and of any bytes; shown escaped.
        message: Box<str>,
    },
    /// Rust code panicked. Its hooks have not run, and it was not unwound.
    Panicked {
        /// Where, and what it says; empty where that is not known, as of `resume_unwind`. The domain's words, as above.
        message: Box<str>,
    },
    /// An exception that nothing inside caught, of C++ as a rule. It was not unwound.
    Exception {
        /// Its type, and what it says, where it is a `std::exception` of libstdc++; empty where neither is known. The
        /// domain's words, as above.
        message: Box<str>,
    },
    /// `exit`, `_exit`, `quick_exit`: the code asked for the end of the process.
    Exit {
        /// The status it asked for.
        status: i32,
    },
    /// The code tried to start a thread, which would have outlived the call with the domain's rights. Not where
    /// [`Domain::threads_inside`](crate::Domain::threads_inside) allows that.
    ThreadStarted,
    /// The code tried to start a process (`fork`), whose copy of the program it would have written to.
    ProcessStarted,
    /// The code wrote to a `FILE` of the program other than `stdout` and `stderr`: one that it was given, or has found.
    ForeignStream {
        /// The `FILE`.
        address: usize,
    },
    /// The code called a callback that is not registered for this call, or has another signature.
    CallbackRefused,
    /// The code tried to end the thread that had called it (`pthread_exit`).
    ThreadExited,
    /// The code left the call by `longjmp`: to a frame of a call around this one, or of the program.
    JumpedOut,
    /// `free` or `realloc` of a block that the domain's heap did not give out.
    ForeignFree {
        /// The block.
        address: usize,
    },
    /// `free` or `realloc` of a block that is free already. A fast heap notices it only until the place is used again.
    DoubleFree {
        /// The block.
        block: usize,
        /// Its size, in bytes.
        size: usize,
    },
    /// The code ran over an end of a block. Of a hardened heap.
    HeapOverflow {
        /// The block.
        block: usize,
        /// Its size, in bytes.
        size: usize,
        /// The first byte beyond it that was overwritten; of a large block, that was accessed.
        at: usize,
    },
    /// The code wrote to a block that it had freed. Of a hardened heap.
    WriteAfterFree {
        /// The block.
        block: usize,
        /// The size that it had, in bytes.
        size: usize,
        /// The first byte that was overwritten.
        at: usize,
    },
    /// The code wrote behind the end of a buffer or value that it was given to write.
    OutputOverflow {
        /// Its size, in bytes.
        size: usize,
        /// Its end.
        at: usize,
    },
    /// A value came back that its type or contract does not allow.
    InvalidValue {
        /// What it was.
        what: &'static str,
    },
    /// A buffer or length is larger than the domain, or the C type of the length, allows.
    TooLarge {
        /// What was asked for, in bytes (elements where a C length type is too small).
        requested: usize,
        /// What is possible.
        limit: usize,
    },
    /// The handle belongs to an instance that a fault has discarded, or to another domain.
    StaleHandle,
    /// The object cannot be ended yet: something that was made of it still lives.
    InUse,
    /// The domain lets no further call in while those last that this thread has begun: it would wait for itself. One is enough
    /// where one thread at a time is let in; elsewhere 40 are.
    Occupied,
    /// Another thread failed in the same instance, which is gone; this call did nothing wrong and may be tried again.
    DomainLost,
    /// The call was made from a signal handler that runs on the alternate signal stack or has interrupted another call.
    InSignalHandler,
    /// Isolation is not possible here.
    Unsupported(Unsupported),
}

impl FaultKind {
    /// Its own name, by which `cargo isolate explain` knows it: `StackOverflow`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Protection { .. } => "Protection",
            Self::Unmapped { .. } => "Unmapped",
            Self::NonCanonical => "NonCanonical",
            Self::StackOverflow { .. } => "StackOverflow",
            Self::StackSmashed => "StackSmashed",
            Self::Bus { .. } => "Bus",
            Self::IllegalInstruction => "IllegalInstruction",
            Self::Arithmetic => "Arithmetic",
            Self::Trap => "Trap",
            Self::ForbiddenSyscall => "ForbiddenSyscall",
            Self::Timeout => "Timeout",
            Self::Abort => "Abort",
            Self::AssertionFailed { .. } => "AssertionFailed",
            Self::Panicked { .. } => "Panicked",
            Self::Exception { .. } => "Exception",
            Self::Exit { .. } => "Exit",
            Self::ThreadStarted => "ThreadStarted",
            Self::ProcessStarted => "ProcessStarted",
            Self::ForeignStream { .. } => "ForeignStream",
            Self::CallbackRefused => "CallbackRefused",
            Self::ThreadExited => "ThreadExited",
            Self::JumpedOut => "JumpedOut",
            Self::ForeignFree { .. } => "ForeignFree",
            Self::DoubleFree { .. } => "DoubleFree",
            Self::HeapOverflow { .. } => "HeapOverflow",
            Self::WriteAfterFree { .. } => "WriteAfterFree",
            Self::OutputOverflow { .. } => "OutputOverflow",
            Self::InvalidValue { .. } => "InvalidValue",
            Self::TooLarge { .. } => "TooLarge",
            Self::StaleHandle => "StaleHandle",
            Self::InUse => "InUse",
            Self::Occupied => "Occupied",
            Self::DomainLost => "DomainLost",
            Self::InSignalHandler => "InSignalHandler",
            Self::Unsupported(_) => "Unsupported",
        }
    }

    /// Whether the instance that the call ran in goes with it, see [`Fault::discarded_instance`](crate::Fault::discarded_instance).
    pub fn discards_instance(&self) -> bool {
        !matches!(
            self,
            Self::TooLarge { .. }
                | Self::InvalidValue { .. }
                | Self::StaleHandle
                | Self::InUse
                | Self::Occupied
                | Self::InSignalHandler
                | Self::Unsupported(_)
        )
    }
}

/// Why a domain cannot exist here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unsupported {
    /// Not x86-64 Linux with glibc.
    Platform,
    /// No protection keys: the CPU has none, or the kernel does not offer them.
    NoPku,
    /// The kernel does not let user space switch FS and GS base.
    NoFsgsbase,
    /// Every protection key of the process is taken.
    NoKey,
    /// The forked self-test failed.
    SelfTest {
        /// What it could not do.
        step: &'static str,
    },
    /// Restartable sequences are registered by someone other than glibc, or cannot be unregistered.
    Rseq,
    /// `malloc` is not the runtime's: a cdylib or dylib, the feature `interpose` off, or another allocator defines it.
    Malloc,
    /// The library's globals are not where the linker fragment puts them.
    Globals {
        /// What is wrong.
        what: &'static str,
    },
    /// A setting of the domain that cannot be.
    Setting {
        /// Which, and why.
        what: &'static str,
    },
    /// A system call that the runtime needs failed.
    System {
        /// The call.
        call: &'static str,
        /// Its `errno`.
        errno: i32,
    },
}

impl Unsupported {
    /// Whether another attempt may succeed: the kernel was out of something that it may have again.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::System { errno, .. } if TRANSIENT.contains(errno))
    }
}

/// `EAGAIN`, `ENOMEM`, `ENFILE` and `EMFILE` of Linux's `asm-generic/errno-base.h`: numbers, for platforms without `libc`.
const TRANSIENT: [i32; 4] = [11, 12, 23, 24];

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protection { address, write, .. } => {
                write!(f, "{} {address:#x}", if *write { "write to" } else { "read of" })
            }
            Self::Unmapped { address } => write!(f, "invalid access to {address:#x}"),
            Self::NonCanonical => write!(f, "access through a pointer that is not an address"),
            Self::StackOverflow { .. } => write!(f, "stack overflow"),
            Self::StackSmashed => write!(f, "stack smashed: a buffer on the stack was overrun"),
            Self::Bus { address } => write!(f, "bus error at {address:#x}"),
            Self::IllegalInstruction => write!(f, "illegal instruction"),
            Self::Arithmetic => write!(f, "arithmetic error: division by zero or overflow"),
            Self::Trap => write!(f, "breakpoint trap"),
            Self::ForbiddenSyscall => write!(f, "made a system call that seccomp forbids"),
            Self::Timeout => write!(f, "exceeded its deadline"),
            Self::Abort => write!(f, "aborted"),
            Self::AssertionFailed { message } => write!(f, "assertion failed: {}", Printable(message)),
            Self::Panicked { message } if message.is_empty() => write!(f, "panicked"),
            Self::Panicked { message } => write!(f, "panicked at {}", Printable(message)),
            Self::Exception { message } if message.is_empty() => {
                write!(f, "threw an exception that nothing inside catches")
            }
            Self::Exception { message } => {
                write!(f, "threw an exception that nothing inside catches: {}", Printable(message))
            }
            Self::Exit { status } => write!(f, "tried to exit the process with status {status}"),
            Self::ThreadStarted => write!(f, "tried to start a thread"),
            Self::ProcessStarted => write!(f, "tried to start a process"),
            Self::ForeignStream { address } => {
                write!(
                    f,
                    "wrote to the `FILE` at {address:#x}, which is the program's, and neither `stdout` nor `stderr`"
                )
            }
            Self::CallbackRefused => write!(f, "called a callback that is not registered for this call"),
            Self::ThreadExited => write!(f, "tried to end the thread that called it"),
            Self::JumpedOut => write!(f, "jumped out of the call, to a frame that is not its own"),
            Self::ForeignFree { address } => write!(f, "freed {address:#x}, which it did not allocate"),
            Self::DoubleFree { block, size } => write!(f, "freed a heap block of {size} bytes again, at {block:#x}"),
            Self::HeapOverflow { block, size, at } => {
                let (distance, where_) = match at.checked_sub(block.wrapping_add(*size)) {
                    Some(beyond) => (beyond, "behind its end"),
                    None => (block.wrapping_sub(*at), "before its start"),
                };
                write!(f, "ran over a heap block of {size} bytes at {block:#x}, {distance} bytes {where_}")
            }
            Self::WriteAfterFree { block, size, at } => {
                let offset = at.wrapping_sub(*block);
                write!(f, "wrote to a freed heap block of {size} bytes at {block:#x}, {offset} bytes from its start")
            }
            Self::OutputOverflow { size, at } => {
                write!(f, "wrote behind the end of an output of {size} bytes, at {at:#x}")
            }
            Self::InvalidValue { what } => write!(f, "returned an invalid value: {what}"),
            Self::TooLarge { requested, limit } => write!(f, "{requested} is more than the {limit} that fit"),
            Self::StaleHandle => {
                write!(f, "stale handle: what it stands for is gone with its instance, or lives in another one")
            }
            Self::InUse => write!(f, "something that was made of the object still lives"),
            Self::Occupied => write!(f, "this thread is inside already, and would wait for itself"),
            Self::DomainLost => write!(f, "another call failed in the same instance"),
            Self::InSignalHandler => write!(f, "called from a signal handler, where no domain can be entered"),
            Self::Unsupported(reason) => write!(f, "isolation is not possible here: {reason}"),
        }
    }
}

/// A domain's words, in which nothing moves the cursor or begins a line: they go into the host's logs.
struct Printable<'a>(&'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            match char {
                // Of the source, which the message quotes.
                '"' | '\'' | '\\' => write!(f, "{char}")?,
                char => write!(f, "{}", char.escape_debug())?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => write!(f, "needs x86-64 Linux with glibc"),
            Self::NoPku => write!(f, "no memory protection keys (CPU flag `ospke` is missing)"),
            Self::NoFsgsbase => write!(f, "the kernel does not allow FSGSBASE instructions"),
            Self::NoKey => write!(f, "all 15 protection keys of this process are taken"),
            Self::SelfTest { step } => write!(f, "self-test failed: {step}"),
            Self::Rseq => write!(f, "restartable sequences (rseq) are owned by another library"),
            Self::Malloc => write!(
                f,
                "`malloc` is not served by isolate-rt (in a cdylib, with feature `interpose` off, or under another allocator)"
            ),
            Self::Globals { what } => write!(f, "the library's globals cannot be isolated: {what}"),
            Self::Setting { what } => write!(f, "{what}"),
            Self::System { call, errno } => {
                write!(f, "{call} failed: {}", std::io::Error::from_raw_os_error(*errno))
            }
        }
    }
}
