//! What each kind of fault means, for users who meet one at run time. The names and messages of kinds, and whether they
//! discard the instance, come from the runtime.

use crate::terminal::words::wrapped;
use isolate_rt::{FaultKind, Unsupported};

/// The page of a kind of fault: an example of the kind, its meaning, and what to do about it.
struct Page {
    kind: FaultKind,
    means: &'static str,
    help: &'static str,
}

/// The page of a kind, by its name in any case or by the beginning of its message: `StaleHandle`, `stack overflow`.
pub(super) fn explain(name: &str) -> Option<String> {
    const SHORTEST: usize = 5;
    let name = name.strip_prefix("FaultKind::").unwrap_or(name);
    let pages = pages();
    let by_name = pages.iter().find(|page| page.name().eq_ignore_ascii_case(name));
    let by_text = || pages.iter().find(|page| name.len() >= SHORTEST && page.kind.to_string().starts_with(name));
    by_name.or_else(by_text).map(Page::text)
}

/// Each kind with the first sentence of its meaning.
pub(super) fn summaries() -> Vec<(&'static str, &'static str)> {
    let sentence = |text: &'static str| text.split_inclusive(". ").next().unwrap_or_default().trim_end();
    pages().iter().map(|page| (page.name(), sentence(page.means))).collect()
}

impl Page {
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn text(&self) -> String {
        let left = match self.kind.discards_instance() {
            true => {
                "The instance of the domain is gone, with its heap and all objects in it; the next call gets a fresh one. Nothing of \
                 the program was written, and `&mut` arguments hold what they held before."
            }
            false => "The domain's instance does not go with it: what lives there still does.",
        };
        let more = "The fault tells more: `{}` prints it in one line, `{:?}` with its kind before that, `{:#}` with its kind behind it and a backtrace of the \
                    code in the domain. All kinds: docs/runtime.md, \"What ends a call\".";
        let [means, left, help, more] = [self.means, left, self.help, more].map(|text| wrapped(text, 100));
        format!(
            "# {}\n\nA fault of a call of an isolated function:\n\n    {}\n\n{means}\n\n{left}\n\n## What to do\n\n{help}\n\n{more}\n",
            self.name(),
            self.kind
        )
    }
}

const BUG: &str = "The library did what it must not, most likely because of the input: keep that input, and look at the backtrace. Where \
     bad input is to be expected, treat it as an error of that input: `Fault` is an `Error`, and `?` hands it on.";

const HEAP_BUG: &str = "The library has a bug in its memory handling, most likely because of the input: keep that input. The block's size \
     says which structure it was; an address sanitizer over the library says who did it.";

#[expect(clippy::too_many_lines, reason = "one table")]
fn pages() -> Vec<Page> {
    const AT: usize = 0x5581_2f3c_a010;
    let page = |kind, means, help| Page { kind, means, help };
    let message = |text: &str| text.into();
    vec![
        page(
            FaultKind::Protection { address: AT, key: 0, write: true },
            "The library touched memory that its domain has no right to: the program's, or another domain's.",
            "If the memory was meant for the library, say so in the policy: a buffer that it writes needs `dir = \"out\"` or \
             `\"inout\"` with its true length (`cargo isolate plan` shows what is known of each parameter). If it was the dynamic \
             loader's, which the line then says, link with `-z now`. If it is a static of libc or libstdc++, the library called a \
             function that writes what the whole program shares: docs/libc.md says which do, and what to call instead. Else it is a \
             wild write, and the fault kept it off the program.",
        ),
        page(
            FaultKind::Unmapped { address: 0x18 },
            "The library used an address where nothing is, or that is read-only: a NULL pointer, a wild one, or a block that was \
             never there.",
            "If the line says that the heap had no room, raise `heap.limit`: the library goes on with the NULL that `malloc` gave. \
             If the address is near 0 and an argument may be NULL, see whether C expects it there. Else it is a bug of the library.",
        ),
        page(
            FaultKind::NonCanonical,
            "The library used a pointer that is no address at all: most often bytes of something else.",
            BUG,
        ),
        page(
            FaultKind::StackOverflow { address: AT },
            "The stack of the domain is full: recursion without end, or one deeper than the stack.",
            "Where the input may ask for deep recursion, set `stack` of the domain higher. Else treat it as bad input.",
        ),
        page(
            FaultKind::StackSmashed,
            "The compiler's guard value on the stack was overwritten: a local buffer was overrun.",
            BUG,
        ),
        page(
            FaultKind::Bus { address: AT },
            "The memory is mapped from a file that is shorter than its mapping, or it fails.",
            "See whether somebody cuts the file short while the library has it mapped.",
        ),
        page(
            FaultKind::IllegalInstruction,
            "The library executed an instruction that does not exist here: `__builtin_trap`, an unreachable place that was reached, \
             or code for another CPU.",
            "If it happens at every call, the library was built for a newer CPU than this one. Else it is a check of the library that failed.",
        ),
        page(
            FaultKind::Arithmetic,
            "The library divided an integer by zero, or the result of a division does not fit.",
            BUG,
        ),
        page(
            FaultKind::Trap,
            "The library ran into a breakpoint: `int3`, `__builtin_debugtrap`, or a sanitizer's trap.",
            BUG,
        ),
        page(
            FaultKind::ForbiddenSyscall,
            "The library made a system call that a seccomp filter of the process refuses.",
            "Allow the call in the filter, or use a configuration of the library that does without it.",
        ),
        page(
            FaultKind::Timeout,
            "The call was still running at the domain's `deadline`.",
            "If honest calls take that long, raise `deadline`. Else the input makes the library run without end: treat it as bad \
             input. `isolate_rt::retry` does not make such a call again.",
        ),
        page(
            FaultKind::Abort,
            "The library called `abort`: it found itself in a state that it does not go on from.",
            "See what it printed to stderr before, and look at the backtrace for the check that failed.",
        ),
        page(
            FaultKind::AssertionFailed { message: message("decode.c:41: next: Assertion `n <= left' failed.") },
            "An `assert` of the library failed. The words are the library's own.",
            BUG,
        ),
        page(
            FaultKind::Panicked { message: message("src/lib.rs:7:5: index out of bounds") },
            "Rust code in the domain panicked. Nothing was unwound, and no `catch_unwind` inside catches it.",
            BUG,
        ),
        page(
            FaultKind::Exception { message: message("std::out_of_range: vector") },
            "The library threw an exception that nothing inside the domain catches.",
            "If C++ callers are expected to catch it, catch it in a function of C++ around the call, and isolate that one. Else treat \
             it as an error of the input.",
        ),
        page(
            FaultKind::Exit { status: 1 },
            "The library asked for the end of the process: `exit`, `_exit` or `quick_exit`.",
            "Many libraries do so on errors unless a handler of their own is set. Treat it as the error that it stands for, or set \
             such a handler.",
        ),
        page(
            FaultKind::ThreadStarted,
            "The library tried to start a thread, which would outlive the call with the rights of the domain.",
            "Turn threads off in the library's settings, or set `own-threads` of the domain to how many it may start.",
        ),
        page(
            FaultKind::ProcessStarted,
            "The library tried to start a process.",
            "Call functions that start processes outside of the domain: leave them out of `[[isolate]]`.",
        ),
        page(
            FaultKind::ForeignStream { address: AT },
            "The library wrote to a `FILE` of the program, whose buffer is not the domain's.",
            "Let the library open the file itself, by a path or a file descriptor, or have it write to memory.",
        ),
        page(
            FaultKind::CallbackRefused,
            "The library called a callback that is not registered for this call, nor kept by an object that lives.",
            "If it keeps the callback from an earlier call, say so by the callback's `scope` in the policy. Else it \
             called through a pointer that was overwritten.",
        ),
        page(
            FaultKind::ThreadExited,
            "The library tried to end the thread that had called it (`pthread_exit`).",
            "That is an error of the library where it is no thread of its own; see what it stands for.",
        ),
        page(
            FaultKind::JumpedOut,
            "The library left the call by `longjmp`, or the like: to a frame of a call around this one, or of the program.",
            "A function that may do so (Lua's `lua_error`) is called where the `setjmp` is: in C, inside the same call. From a callback, \
             give back a value that tells the library to raise its error.",
        ),
        page(
            FaultKind::ForeignFree { address: AT },
            "The library freed a block that the domain's heap did not give out: the program's, or none at all.",
            "If the block comes from the program by intent, the library is to get a copy, or a function of its own that allocates it: \
             see what the contract says of that parameter. Else it is a bug of the library.",
        ),
        page(FaultKind::DoubleFree { block: AT, size: 48 }, "The library freed a block of the heap twice.", HEAP_BUG),
        page(
            FaultKind::HeapOverflow { block: AT, size: 48, at: AT + 48 },
            "The library wrote beyond an end of a block of its heap. It was noticed when the heap looked at the block, which may be \
             later than the write.",
            HEAP_BUG,
        ),
        page(
            FaultKind::WriteAfterFree { block: AT, size: 48, at: AT },
            "The library wrote to a block that it had freed.",
            HEAP_BUG,
        ),
        page(
            FaultKind::OutputOverflow { size: 16, at: AT },
            "The library wrote behind the end of a buffer or value that it was given to write. It was noticed when the call was over.",
            "If it may write that much, the contract gives it too little room: look at `cap` and `len`, and whether C's struct is larger \
             than the one that Rust declares. Else it is a bug of the library.",
        ),
        page(
            FaultKind::InvalidValue { what: "a length beyond the buffer" },
            "The function came back with a value that its type or its contract does not allow: a length beyond the buffer, \
             a pointer that leads nowhere, NULL where the contract rules it out.",
            "If C may return it, the contract is wrong: see `cargo isolate plan` for what was stated or inferred. A count of more \
             than there is room for may be what the function would have written: then `written` is `\"min(ret, cap)\"`. A string or \
             buffer, returned or told to a callback, must lie in the domain, in an argument that the call only reads, or \
             in read-only data. Else the library's answer is not to be used.",
        ),
        page(
            FaultKind::TooLarge { requested: 1 << 34, limit: 1 << 30 },
            "A buffer or length of the call is larger than what fits: into the domain's memory, or into the C type of the length. \
             Nothing was called.",
            "Raise `heap.limit` of the domain, or give less at a time.",
        ),
        page(
            FaultKind::StaleHandle,
            "The object, slice or handle that the call was given lives in an instance of the domain that is not there any more: \
             another call's fault took it along. It may also belong to another domain, or to another instance than the other \
             arguments. Nothing was called.",
            "Make the object anew (the function that made it gives one in the fresh instance), and begin again with it. \
             `Fault::cause` is the fault that took the old one, if it was the last one there. Where faults of other threads should \
             not take objects along, `instances = \"thread\"` of the domain gives each thread its own.",
        ),
        page(
            FaultKind::InUse,
            "The object cannot be ended yet: something that was made of it still lives. Nothing was called.",
            "Drop or end what was made of it first, then end the object.",
        ),
        page(
            FaultKind::Occupied,
            "This thread has begun calls of the domain that are not over, and the domain lets no further one in: the thread would \
             wait for itself. Nothing was called.",
            "Drop the `Call`s that are done, or make the inner call after the outer one. From a callback, use what the callback is \
             given.",
        ),
        page(
            FaultKind::DomainLost,
            "Another thread's call failed in the same instance, which is gone. This call did nothing wrong.",
            "Make the call again, with objects made anew: `isolate_rt::retry`, or `retry` in the policy. `Fault::cause` is what the \
             other call did. With `instances = \"thread\"` of the domain, threads do not share one.",
        ),
        page(
            FaultKind::InSignalHandler,
            "The call was made from a signal handler, where no domain can be entered. Nothing was called.",
            "Have the handler set a flag or write to a pipe, and make the call outside of it.",
        ),
        page(
            FaultKind::Unsupported(Unsupported::NoPku),
            "The domain cannot exist here: the machine, the kernel or the build lacks something it needs. Nothing was called.",
            "`cargo isolate doctor` says what is missing and how to get it.",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use isolate_lints::{Edition, facts::TypeKind};

    /// The kinds are taken from the runtime's source.
    #[test]
    fn every_kind_has_its_page() {
        let facts = isolate_lints::scan(include_str!("../../../../isolate-rt/src/fault/kind.rs"), Edition::E2024);
        let kinds = facts.types.iter().find(|item| item.name == "FaultKind").map(|item| &item.kind);
        let Some(TypeKind::Enum(kinds)) = kinds else { panic!("no enum `FaultKind`") };
        let kinds: Vec<_> = kinds.iter().map(|kind| kind.trim_end_matches("(..)")).collect();
        assert_eq!(summaries().into_iter().map(|(name, _)| name).collect::<Vec<_>>(), kinds);
    }

    #[test]
    fn a_page_says_what_and_what_to_do() {
        let page = explain("stalehandle").unwrap();
        assert!(page.starts_with("# StaleHandle\n"), "{page}");
        assert!(
            page.contains("    stale handle: what it stands for is gone with its instance, or lives in another one\n"),
            "{page}"
        );
        assert!(page.contains("## What to do"), "{page}");
        assert_eq!(explain("FaultKind::StaleHandle"), Some(page));
        assert_eq!(explain("Stale"), None);
    }
}
