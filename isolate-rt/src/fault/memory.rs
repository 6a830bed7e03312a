//! Whose memory an address is.

use std::fmt;

/// Whose memory an address is: of the program, of a domain, or nobody's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Memory {
    /// Nothing is mapped there.
    Nothing,
    /// A mapping without any access: between the stacks of threads, or set up by somebody to catch overruns.
    Guard,
    /// The heap of the program, or memory that it has mapped for itself.
    Heap,
    /// The stack of a thread of the program.
    Stack {
        /// The thread's number (`gettid`).
        thread: i32,
    },
    /// Thread-local variables, or the control block, of a thread of the program.
    ThreadLocal {
        /// The thread's number (`gettid`).
        thread: i32,
    },
    /// A static variable of the program or of a library that it has loaded.
    Static {
        /// File name of the program or library.
        object: String,
        /// The variable; `None` where no symbol table names one.
        symbol: Option<Symbol>,
    },
    /// Code or constants of the program or of a library that it has loaded.
    ReadOnly {
        /// File name of the program or library.
        object: String,
        /// The function or constant.
        symbol: Option<Symbol>,
    },
    /// A mapped file, or a mapping that the kernel made (`[vdso]`).
    Mapping {
        /// What it is of, as `/proc/self/maps` has it.
        name: String,
    },
    /// Memory of a domain.
    Domain {
        /// The domain's name.
        name: &'static str,
        /// Which.
        part: Part,
    },
    /// The runtime's own: signal stacks, and room for domains that are not made yet.
    Runtime,
}

/// What a domain has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// Its heap.
    Heap,
    /// What of its heap it has not asked for.
    UnusedHeap,
    /// What it has mapped.
    Mapping,
    /// The stack of a call.
    Stack,
    /// Unmapped room under a stack, or between what may overrun.
    Guard,
    /// Thread-local variables.
    ThreadLocal,
    /// Arguments and results that were staged for a call.
    Staged,
    /// A static variable of its library.
    Static {
        /// The variable; `None` where no symbol table names one.
        symbol: Option<Symbol>,
    },
}

/// A named place, and the distance from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// Name, demangled.
    pub name: String,
    /// Bytes from where it begins.
    pub offset: usize,
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            0 => write!(f, "{}", self.name),
            offset => write!(f, "{}+{offset:#x}", self.name),
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => write!(f, "where nothing is mapped"),
            Self::Guard => write!(f, "a guard page"),
            Self::Heap => write!(f, "the program's heap"),
            Self::Stack { thread } => write!(f, "the stack of thread {thread}"),
            Self::ThreadLocal { thread } => write!(f, "a thread-local of thread {thread}"),
            Self::Static { object, symbol: Some(symbol) } => write!(f, "the static `{symbol}` of {object}"),
            Self::Static { object, symbol: None } => write!(f, "a static of {object}"),
            Self::ReadOnly { object, symbol: Some(symbol) } => write!(f, "`{symbol}` of {object}, read-only"),
            Self::ReadOnly { object, symbol: None } => write!(f, "read-only memory of {object}"),
            Self::Mapping { name } => write!(f, "mapped from {name}"),
            Self::Domain { name, part } => match part {
                Part::Heap => write!(f, "the heap of domain `{name}`"),
                Part::UnusedHeap => write!(f, "heap that domain `{name}` has not asked for"),
                Part::Mapping => write!(f, "a mapping of domain `{name}`"),
                Part::Stack => write!(f, "a stack of domain `{name}`"),
                Part::Guard => write!(f, "a guard of domain `{name}`"),
                Part::ThreadLocal => write!(f, "a thread-local of domain `{name}`"),
                Part::Staged => write!(f, "arguments of domain `{name}`"),
                Part::Static { symbol: Some(symbol) } => write!(f, "the static `{symbol}` of domain `{name}`"),
                Part::Static { symbol: None } => write!(f, "a static of domain `{name}`"),
            },
            Self::Runtime => write!(f, "memory of the runtime"),
        }
    }
}
