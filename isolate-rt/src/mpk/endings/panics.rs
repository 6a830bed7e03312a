//! A Rust panic inside a domain: how its message comes out.
//!
//! The first thing that a panic does is to count itself, in a static of std that no domain can write. [`learn`] lets one happen
//! and keeps which instruction that was, and which word. From then on the signal handler steps over that instruction and
//! gives the answer that it has where panics abort at once (`std::panic::always_abort`): std then writes message and place
//! to standard error, through our `write`, which keeps them, and aborts, through our `abort`, which ends the call with them.
//! No hook runs, and nothing of the program is written.

use super::message::Message;
use crate::fault::FaultKind;
use crate::machine::kernel::Frame;
use crate::machine::{cpu, pkey};
use crate::mpk::crossing::leave::Reason;
use crate::mpk::crossing::thread::Thread;
use crate::mpk::instances::instance::Instance;
use crate::mpk::loaded::objects;
use crate::mpk::signals::deadline::Limit;
use std::cell::RefCell;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

/// How a panic counts itself: one with a message, and one that goes on (`resume_unwind`).
static COUNTING: [OnceLock<Option<Counting>>; 2] = [const { OnceLock::new() }; 2];

#[derive(Clone, Copy)]
struct Counting {
    /// The word.
    word: usize,
    instruction: usize,
    /// Behind the instruction.
    next: usize,
    answer: Answer,
}

/// Where the instruction leaves what the code then looks at: the word's highest bit, which says that panics abort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// In the sign flag.
    Flags,
    /// In a register, by its number in machine code.
    Register(usize),
}

thread_local! {
    /// What a panic says; a domain's, as all of its thread-locals.
    static SAID: RefCell<Message> = const { RefCell::new(Message::new()) };
}

/// Lets a panic begin, once in the process. Where it looks different from what is known here, panics stay faults like others.
pub(in crate::mpk) fn learn(instance: &'static Instance) {
    if !pkey::PROTECTS {
        return;
    }
    for (site, panic) in COUNTING.iter().zip([panic as fn(), go_on]) {
        site.get_or_init(|| counting(instance, std::hint::black_box(panic)));
    }
}

fn counting(instance: &'static Instance, panic: fn()) -> Option<Counting> {
    let mut entry = instance.enter().ok()?;
    // SAFETY: nothing is to be dropped; that it panics is the point: it gets no further than its first write.
    let failure = unsafe { entry.run_within("panic", Limit::None, None, panic) }.err()?;
    let FaultKind::Protection { address: word, key: 0, write: true } = failure.kind else { return None };
    let instruction = failure.evidence?.instruction()?;
    let code = objects::with(|objects| {
        let object = objects.iter().find(|object| object.segment(instruction).is_some())?;
        let segment = object.segment(instruction).filter(|it| it.flags & libc::PF_X != 0 && !it.is_writable())?;
        let len = (segment.range.end - instruction).min(LONGEST);
        // SAFETY: code of a loaded object; nobody unloads one while we look.
        Some(unsafe { std::slice::from_raw_parts(ptr::with_exposed_provenance::<u8>(instruction), len) }.to_vec())
    })?;
    let (len, answer) = decode(&code)?;
    Some(Counting { word, instruction, next: instruction + len, answer })
}

fn panic() {
    panic!("as any other");
}

fn go_on() {
    std::panic::resume_unwind(Box::new(()));
}

/// Steps over the instruction if it is the one: as if the word said that panics abort.
pub(in crate::mpk) fn step_over(thread: &Thread, frame: &mut Frame, address: usize) -> bool {
    let here = (address, frame.instruction());
    let mut known = COUNTING.iter().filter_map(|site| *site.get()?);
    let Some(counting) = known.find(|known| here == (known.word, known.instruction)) else { return false };
    match counting.answer {
        Answer::Flags => frame.set_negative(),
        Answer::Register(number) => frame.set_register(number, 1 << 63),
    }
    frame.go_to(counting.next);
    thread.panicking.store(true, Ordering::Relaxed);
    true
}

/// Whether the call that this thread is in panics. For code inside.
pub(crate) fn is_panicking() -> bool {
    let thread = ptr::with_exposed_provenance::<Thread>(cpu::read_gs());
    // SAFETY: inside, GS leads to the thread, which a domain can read. One that has changed its GS faults here.
    unsafe { (*thread).panicking.load(Ordering::Relaxed) }
}

/// Keeps a piece of what the panic says. For code inside.
pub(crate) fn say(bytes: &[u8]) {
    SAID.with(|said| {
        if let Ok(mut said) = said.try_borrow_mut() {
            bytes.iter().for_each(|&byte| said.byte(byte));
        }
    });
}

/// Ends the call with what the panic has said. For code inside.
pub(crate) fn end() -> ! {
    SAID.with(|said| {
        let said = said.as_ptr();
        // SAFETY: of this very thread, and alive as long as it runs.
        unsafe { (*said).leave(Reason::Panicked) }
    })
}

/// What std writes, told as a fault tells it: `src/lib.rs:3:5: index out of bounds`.
pub(super) fn told(said: &str) -> Box<str> {
    let said = said.strip_prefix("aborting due to panic at ").unwrap_or(said).trim_end();
    match said.split_once(":\n") {
        Some((place, message)) => format!("{place}: {message}").into(),
        None => said.into(),
    }
}

/// No instruction is longer (Intel SDM volume 2, 2.3.11).
const LONGEST: usize = 15;

/// Length of an instruction that adds one to a word of memory under the lock prefix, and where the answer is (Intel SDM volume 2,
/// 2.1 and the pages of `INC`, `ADD` and `XADD`).
fn decode(code: &[u8]) -> Option<(usize, Answer)> {
    const LOCK: u8 = 0xf0;
    // REX with W: 64 bits wide.
    let &[LOCK, rex @ 0x48..=0x4f, ref rest @ ..] = code else { return None };
    let register = |modrm: u8| usize::from(modrm >> 3 & 7 | (rex & 4) << 1);
    let (opcode, immediate, answer) = match *rest {
        [0xff, modrm, ..] if modrm >> 3 & 7 == 0 => (1, 0, Answer::Flags),
        [0x83, modrm, ..] if modrm >> 3 & 7 == 0 => (1, 1, Answer::Flags),
        [0x0f, 0xc1, modrm, ..] => (2, 0, Answer::Register(register(modrm))),
        _ => return None,
    };
    let operand = operand_len(&rest[opcode..])?;
    let len = 2 + opcode + operand + immediate;
    (len <= code.len()).then_some((len, answer))
}

/// Length of ModRM, SIB and displacement of an operand in memory.
fn operand_len(bytes: &[u8]) -> Option<usize> {
    let &modrm = bytes.first()?;
    let (mode, base) = (modrm >> 6, modrm & 7);
    let sib = usize::from(base == 4);
    let displacement = match mode {
        0 if base == 5 => 4,
        0 if base == 4 && bytes.get(1)? & 7 == 5 => 4,
        0 => 0,
        1 => 1,
        2 => 4,
        _ => return None,
    };
    Some(1 + sib + displacement)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_that_count() {
        #[track_caller]
        fn check(code: &[u8], expected: Option<(usize, Answer)>) {
            assert_eq!(decode(code), expected, "{code:x?}");
            if let Some((len, _)) = expected {
                assert_eq!(decode(&code[..len - 1]), None, "cut short: {code:x?}");
            }
        }
        use Answer::{Flags, Register};
        // As an assembler writes them: lock inc qword ptr [rax]; [rip + 0x11223344]; [rsp]; [rbp + 8]; [r12 + 0x100].
        check(&[0xf0, 0x48, 0xff, 0x00, 0x7e], Some((4, Flags)));
        check(&[0xf0, 0x48, 0xff, 0x05, 0x44, 0x33, 0x22, 0x11], Some((8, Flags)));
        check(&[0xf0, 0x48, 0xff, 0x04, 0x24], Some((5, Flags)));
        check(&[0xf0, 0x48, 0xff, 0x45, 0x08], Some((5, Flags)));
        check(&[0xf0, 0x49, 0xff, 0x84, 0x24, 0, 1, 0, 0], Some((9, Flags)));
        // lock add qword ptr [rax], 1; lock xadd [rcx], rax; lock xadd [rip + 1], r9; lock inc [rax*8 + 0x10].
        check(&[0xf0, 0x48, 0x83, 0x00, 0x01], Some((5, Flags)));
        check(&[0xf0, 0x48, 0x0f, 0xc1, 0x01], Some((5, Register(0))));
        check(&[0xf0, 0x4c, 0x0f, 0xc1, 0x0d, 1, 0, 0, 0], Some((9, Register(9))));
        check(&[0xf0, 0x48, 0xff, 0x04, 0xc5, 0x10, 0, 0, 0], Some((9, Flags)));
        // Without lock; 32 bits; dec; of a register.
        check(&[0x48, 0xff, 0x00], None);
        check(&[0xf0, 0xff, 0x00], None);
        check(&[0xf0, 0x48, 0xff, 0x08], None);
        check(&[0xf0, 0x48, 0xff, 0xc0], None);
        check(&[], None);
    }

    #[test]
    fn what_std_says() {
        assert_eq!(&*told("aborting due to panic at src/a.rs:1:2:\nit is 5\nor 6\n"), "src/a.rs:1:2: it is 5\nor 6");
        assert_eq!(
            &*told("thread panicked while processing panic. aborting.\n"),
            "thread panicked while processing panic. aborting."
        );
        assert_eq!(&*told(""), "");
    }
}
