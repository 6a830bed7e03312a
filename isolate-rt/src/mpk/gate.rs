//! The gate: the one way into a domain, and the ways out of it.
//!
//! This file has to be kept in sync with itself: the offsets in the assembly are those of [`Activation`] and of the first
//! field of [`Thread`], pinned by the constants at the end.

use super::deadline::Moment;
use super::pkey::wrpkru;
use super::thread::Thread;
use std::arch::naked_asm;
use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

/// One call that is under way, in memory of the program: what the way out needs, none of it taken from the domain.
#[repr(C)]
pub(super) struct Activation {
    root_stack: usize,
    root_fs: usize,
    stack: usize,
    fs: usize,
    rights: usize,
    function: unsafe extern "C" fn(*const u8, *mut u8),
    argument: *const u8,
    result: *mut u8,
    /// The call that this one was made from inside of.
    previous: *mut Activation,
    /// When the call is over, finished or not.
    pub(super) deadline: Moment,
    /// Not 0 when the instance is being discarded: the thread must leave it.
    dying: *const AtomicU32,
    /// Written by the signal handler before it sends the thread to [`rewind`].
    pub(super) stop: Option<Stop>,
}

/// What the signal handler saw. All of it is opaque: nothing here is followed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    pub(super) signal: i32,
    pub(super) code: i32,
    pub(super) address: usize,
    pub(super) key: u32,
    pub(super) write: bool,
    /// The thread did nothing wrong: another one did, in the same instance.
    pub(super) evicted: bool,
    /// Set when the thread stopped in [`leave`]: the reason and its value.
    pub(super) left: Option<(usize, usize)>,
}

/// Why an interposed function ends the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Reason {
    Abort = 1,
    StackSmashed,
    Exit,
    ThreadStarted,
    ThreadExited,
    ForeignFree,
}

impl Activation {
    pub(super) fn new(
        thread: &Thread,
        (stack, fs, rights): (usize, usize, u32),
        (function, argument, result): (unsafe extern "C" fn(*const u8, *mut u8), *const u8, *mut u8),
        deadline: Moment,
        dying: &'static AtomicU32,
    ) -> Self {
        Self {
            root_stack: 0,
            root_fs: thread.fs(),
            stack,
            fs,
            rights: rights as usize,
            function,
            argument,
            result,
            previous: ptr::null_mut(),
            deadline,
            dying,
            stop: None,
        }
    }

    pub(super) fn root_fs(&self) -> usize {
        self.root_fs
    }

    /// Whether the instance is no more.
    pub(super) fn is_lost(&self) -> bool {
        // SAFETY: of an instance, which is never freed.
        unsafe { &*self.dying }.load(Ordering::Acquire) != 0
    }

    pub(super) fn rights(&self) -> u32 {
        self.rights as u32
    }
}

/// Calls `activation.function(argument, result)` inside the domain. Comes back once, whatever happens in there.
///
/// 1. Callee-saved registers, MXCSR and the x87 control word go on the root stack, whose pointer goes into the activation.
/// 2. Stack and FS base become the instance's, then PKRU closes everything else. From here on only the domain is writable.
/// 3. The call, with the frame pointer cleared so that a backtrace ends here.
/// 4. PKRU opens with a constant, and is compared with it: whoever jumped here with another value in `eax` goes no further.
/// 5. GS finds the [`Thread`], that the activation, that everything saved. Registers and stack of the domain are forgotten.
///    Direction and alignment-check flags and the x87 stack are put right: compiled code relies on them.
///
/// [`rewind`] is the same from step 4 on, with the x87 stack emptied: a fault may have come between two of its instructions.
///
/// # Safety
///
/// The activation's stack and FS base are those of an instance that this thread holds, GS holds `thread`, and `function` may
/// be called with these arguments.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn enter(activation: *mut Activation, thread: *const Thread) {
    naked_asm!(
        "push rbp", "push rbx", "push r12", "push r13", "push r14", "push r15",
        "sub rsp, 8",
        "stmxcsr [rsp]",
        "fnstcw [rsp + 4]",
        "mov [rdi + {root_stack}], rsp",
        "mov rax, [rsi + {active}]",
        "mov [rdi + {previous}], rax",
        "mov [rsi + {active}], rdi",
        "mov r8, [rdi + {function}]",
        "mov r9, [rdi + {argument}]",
        "mov rsi, [rdi + {result}]",
        "mov eax, [rdi + {rights}]",
        "mov r10, [rdi + {fs}]",
        "mov rsp, [rdi + {stack}]",
        "wrfsbase r10",
        "xor ecx, ecx",
        "xor edx, edx",
        wrpkru!(),
        "mov rdi, r9",
        "xor ebp, ebp",
        "call r8",
        "2:",
        "xor eax, eax",
        "xor ecx, ecx",
        "xor edx, edx",
        wrpkru!(),
        "test eax, eax",
        "jnz 4f",
        "mov rdi, gs:[{active}]",
        "mov rsp, [rdi + {root_stack}]",
        "mov rax, [rdi + {root_fs}]",
        "wrfsbase rax",
        "mov rax, [rdi + {previous}]",
        "mov gs:[{active}], rax",
        "pushfq",
        "test dword ptr [rsp], {bad_flags}",
        "jnz 5f",
        "add rsp, 8",
        "7:",
        "fnstsw ax",
        "test al, {x87_pending}",
        "jnz 6f",
        "emms",
        "3:",
        "ldmxcsr [rsp]",
        "fldcw [rsp + 4]",
        "add rsp, 8",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop rbx", "pop rbp",
        "ret",
        "4:",
        "ud2",
        "5:",
        "and dword ptr [rsp], {good_flags}",
        "popfq",
        "jmp 7b",
        "6:",
        "fninit",
        "jmp 3b",
        ".globl __isolate_rt_rewind",
        ".hidden __isolate_rt_rewind",
        "__isolate_rt_rewind:",
        "fninit",
        "jmp 2b",
        root_stack = const offset_of!(Activation, root_stack),
        root_fs = const offset_of!(Activation, root_fs),
        stack = const offset_of!(Activation, stack),
        fs = const offset_of!(Activation, fs),
        rights = const offset_of!(Activation, rights),
        function = const offset_of!(Activation, function),
        argument = const offset_of!(Activation, argument),
        result = const offset_of!(Activation, result),
        previous = const offset_of!(Activation, previous),
        active = const Thread::ACTIVE,
        bad_flags = const BAD_FLAGS,
        x87_pending = const X87_PENDING,
        good_flags = const !BAD_FLAGS,
    )
}

/// Error summary of the x87 status word: an exception that the next x87 instruction would raise, in the program (Intel SDM
/// volume 1, 8.1.3). `emms` empties the x87 stack.
const X87_PENDING: u8 = 1 << 7;

/// Direction flag and alignment check (Intel SDM volume 1, 3.4.3).
const BAD_FLAGS: i32 = 1 << 10 | 1 << 18;

unsafe extern "C" {
    safe fn __isolate_rt_rewind();
    safe fn __isolate_rt_leave();
}

/// Where the signal handler sends a thread whose call is over.
pub(super) fn rewind() -> usize {
    // The label stands in `enter`, which must exist for it even where nothing ever enters: in this crate's own unit tests.
    std::hint::black_box(enter as unsafe extern "C" fn(_, _));
    (__isolate_rt_rewind as *const ()).addr()
}

/// Address of the instruction that [`leave`] stops at.
pub(super) fn leave_site() -> usize {
    (__isolate_rt_leave as *const ()).addr()
}

/// Ends the call that this thread is in, from inside the domain.
pub(crate) fn leave(reason: Reason, value: usize) -> ! {
    // SAFETY: stops at an undefined instruction; the signal handler does the rest.
    unsafe { stop(reason as usize, value) }
}

/// # Safety
///
/// To be called inside a domain.
#[unsafe(naked)]
unsafe extern "C" fn stop(_reason: usize, _value: usize) -> ! {
    naked_asm!(".globl __isolate_rt_leave", ".hidden __isolate_rt_leave", "__isolate_rt_leave:", "ud2")
}
