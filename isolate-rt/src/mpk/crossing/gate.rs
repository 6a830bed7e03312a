//! The gate: the one way into a domain, and the ways out of it.
//!
//! This file has to be kept in sync with itself: the offsets in the assembly are those of [`Activation`] and of the first
//! field of [`Thread`], pinned by the constants at the end.
//!
//! Each `wrpkru` is followed by a look at what it has written: who jumps to one, with a value of his own, is stopped behind
//! it, or sent back to take the right one.

use super::leave::Stop;
use super::thread::Thread;
use super::{callback, rights};
use crate::callback::Callbacks;
use crate::machine::pkey::{self, PROGRAMS_RIGHTS, wrpkru};
use crate::mpk::endings::exception::uncaught;
use crate::mpk::instances::instance::Instance;
use crate::mpk::instances::seat::Seat;
use crate::mpk::instances::view::View;
use crate::mpk::signals::deadline::Moment;
use std::arch::naked_asm;
use std::mem::offset_of;
use std::sync::atomic::{AtomicU8, Ordering};

/// One call that is under way, in memory of the program: what the way out needs, none of it taken from the domain.
#[repr(C)]
pub(in crate::mpk) struct Activation {
    root_stack: usize,
    rights: u32,
    /// PKRU of the thread when the call began, or when the last closure of the program's was through.
    pub(super) rights_before: u32,
    /// When the call is over, finished or not.
    pub(super) deadline: Moment,
    /// The instance, and its generation when the call began: when it has another, the thread must leave.
    pub(in crate::mpk) instance: &'static Instance,
    generation: u64,
    /// Written by the signal handler before it sends the thread to [`rewind`].
    pub(in crate::mpk) stop: Option<Stop>,
    /// Stack pointer of the domain while it waits for a callback. Its own affair.
    domain_stack: usize,
    pub(super) seat: &'static Seat,
    /// What the domain may call; null for nothing.
    pub(super) callbacks: *mut Callbacks<'static>,
}

/// What is called inside, and on what. Passed in registers.
pub(in crate::mpk) struct Work {
    pub(in crate::mpk) function: unsafe extern "C-unwind" fn(*const u8, *mut u8),
    pub(in crate::mpk) argument: *const u8,
    pub(in crate::mpk) result: *mut u8,
    /// Initial stack pointer, and FS base.
    pub(in crate::mpk) stack: usize,
    pub(in crate::mpk) fs: usize,
}

impl Activation {
    #[inline]
    pub(in crate::mpk) fn new(
        rights: u32,
        deadline: Moment,
        (instance, generation): (&'static Instance, u64),
        seat: &'static Seat,
        callbacks: *mut Callbacks<'static>,
    ) -> Self {
        Self {
            root_stack: 0,
            rights,
            rights_before: pkey::rights(),
            deadline,
            instance,
            generation,
            stop: None,
            domain_stack: 0,
            seat,
            callbacks,
        }
    }

    /// Where it runs.
    pub(super) fn view(&self) -> View {
        View::of(self.instance, self.seat, self.generation)
    }

    /// Calls inside the domain. Comes back once, whatever happens in there, with the thread's rights to pages of others' keys. Says whether
    /// what was called has returned. If it has not, and was not stopped, somebody else has: a frame of a call around this one, that code
    /// in here went back to by `longjmp`.
    ///
    /// # Safety
    ///
    /// Stack and FS base are those of an instance that this thread holds, GS holds the thread, which is in no domain, and
    /// the function may be called with these arguments.
    #[inline]
    pub(in crate::mpk) unsafe fn enter(&mut self, Work { function, argument, result, stack, fs }: Work) -> bool {
        // SAFETY: by this function's contract.
        let left_at = unsafe { enter(self, argument, result, function, stack, fs) };
        rights::give_back(self.rights_before);
        left_at == stack
    }

    /// Stack pointer of the domain, which waits for a callback.
    pub(super) fn domain_stack(&self) -> usize {
        self.domain_stack
    }

    /// Of the instance, when the call began.
    pub(in crate::mpk) fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the instance is no more.
    #[inline]
    pub(in crate::mpk) fn is_lost(&self) -> bool {
        self.instance.generation() != self.generation
    }

    /// Whether the call's time is up.
    pub(in crate::mpk) fn is_late(&self) -> bool {
        self.deadline.is_past() || self.seat.watched.is_overdue()
    }

    pub(in crate::mpk) fn rights(&self) -> u32 {
        self.rights
    }

    /// Where the program's stack is.
    pub(in crate::mpk) fn root_stack(&self) -> usize {
        self.root_stack
    }
}

/// Opens the program's memory and the runtime's keys ([`PROGRAMS_RIGHTS`]), and looks whether that is what was written: whoever jumped
/// here with another value in `eax` is sent back to take the right one. (So is a thread that leaves while another one allocates a key.)
macro_rules! open_root {
    () => {
        concat!(
            "13: mov eax, [rip + {programs_rights}]; xor ecx, ecx; xor edx, edx; ",
            wrpkru!(),
            "; cmp eax, [rip + {programs_rights}]; jne 13b"
        )
    };
}

/// Closes PKRU to what `eax` holds, if those are the rights of the call that is active: whoever jumped here with another value
/// goes no further. (GS is believed, as on the way out.) `ecx` and `edx` become 0, `r11` the activation.
macro_rules! close_root {
    () => {
        concat!(
            "xor ecx, ecx; xor edx, edx; ",
            wrpkru!(),
            "; mov r11, gs:[{active}]; cmp eax, [r11 + {rights}]; jne 4f"
        )
    };
}

/// What the program had in vector and mask registers is not the domain's: 0. Uses flags; what not every CPU does stands apart
/// (`other_vectors`).
macro_rules! clear_vectors {
    () => {
        "cmp byte ptr [rip + {vectors}], {avx}
        jb 8f
        vzeroall
        ja 9f
        12:"
    };
}

/// Where [`clear_vectors`] jumps to.
macro_rules! other_vectors {
    () => {
        "8:
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        xorps xmm\\n, xmm\\n
        .endr
        jmp 12b
        9:
        .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        vpxord xmm\\n, xmm\\n, xmm\\n
        .endr
        .irp n, 0, 1, 2, 3, 4, 5, 6, 7
        kxorw k\\n, k\\n, k\\n
        .endr
        jmp 12b"
    };
}

/// From the domain's FS base, flags and floating-point state to the program's, once `rsp` points at what [`enter`] kept: MXCSR
/// and the x87 control word. Direction and alignment-check flags and the x87 stack are put right: compiled code relies on them.
/// (Flags and x87 status are looked at long after they were asked for: in this order the answers cost half of what they cost
/// at once.) Uses `rax` and `rcx`; what is `seldom` needed stands apart.
macro_rules! back_in_root {
    () => {
        "mov rcx, gs:[{root_fs}]
        wrfsbase rcx
        fnstsw ax
        pushfq
        ldmxcsr [rsp + 8]
        test al, {x87_pending}
        jnz 5f
        3:
        pop rcx
        test ecx, {bad_flags}
        jnz 6f
        7:
        emms
        fldcw [rsp + 4]"
    };
}

/// Where [`close_root`] and [`back_in_root`] jump to.
macro_rules! seldom {
    () => {
        "4:
        ud2
        5:
        fninit
        jmp 3b
        6:
        and ecx, {good_flags}
        push rcx
        popfq
        jmp 7b"
    };
}

/// Calls `function(argument, result)` inside the domain.
///
/// 1. Callee-saved registers, MXCSR and the x87 control word go on the root stack, whose pointer goes into the activation. Vectors
///    are cleared ([`clear_vectors`]): `wrfsbase` waits for all that comes before it, so that here this is for nothing.
/// 2. Stack and FS base become the instance's, then PKRU closes everything else. From here on only the domain is writable.
/// 3. What else holds anything but arguments is cleared.
/// 4. The call, with the frame pointer cleared so that a backtrace ends here. So do exceptions ([`uncaught`]): the unwinding table
///    knows of no caller.
/// 5. PKRU opens ([`open_root`]).
/// 6. GS finds the [`Thread`], that the activation, that everything saved. Registers and stack of the domain are forgotten, and
///    the rest of its state with them ([`back_in_root`]), but for its stack pointer, which this gives: who returned has it where it was
///    before.
///
/// [`rewind`] is the same from step 5 on, with the x87 stack emptied: a fault may have come between two of its instructions.
///
/// # Safety
///
/// As [`Activation::enter`].
#[unsafe(naked)]
unsafe extern "C" fn enter(
    activation: *mut Activation,
    argument: *const u8,
    result: *mut u8,
    function: unsafe extern "C-unwind" fn(*const u8, *mut u8),
    stack: usize,
    fs: usize,
) -> usize {
    naked_asm!(
        "push rbp", "push rbx", "push r12", "push r13", "push r14", "push r15",
        "sub rsp, 8",
        clear_vectors!(),
        "stmxcsr [rsp]",
        "fnstcw [rsp + 4]",
        "mov [rdi + {root_stack}], rsp",
        "mov gs:[{active}], rdi",
        "mov eax, [rdi + {rights}]",
        "mov r10, rcx",
        "mov rdi, rsi",
        "mov rsi, rdx",
        "mov rsp, r8",
        "wrfsbase r9",
        close_root!(),
        "xor ebx, ebx", "xor ebp, ebp", "xor r8d, r8d", "xor r9d, r9d", "xor r11d, r11d",
        "xor r12d, r12d", "xor r13d, r13d", "xor r14d, r14d", "xor r15d, r15d",
        ".cfi_startproc",
        ".cfi_personality 0x1b, {uncaught}", // DW_EH_PE_pcrel | DW_EH_PE_sdata4
        ".cfi_undefined rip",
        "call r10",
        ".globl __isolate_rt_out",
        ".hidden __isolate_rt_out",
        "__isolate_rt_out:",
        "2:",
        ".cfi_endproc",
        open_root!(),
        "mov rdi, gs:[{active}]",
        "mov rsi, rsp",
        "mov rsp, [rdi + {root_stack}]",
        back_in_root!(),
        // Not before FS is right: a signal handler puts it right as long as a call is active.
        "mov qword ptr gs:[{active}], 0",
        "add rsp, 8",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop rbx", "pop rbp",
        "mov rax, rsi",
        "ret",
        seldom!(),
        other_vectors!(),
        ".globl __isolate_rt_rewind",
        ".hidden __isolate_rt_rewind",
        "__isolate_rt_rewind:",
        "fninit",
        "jmp 2b",
        root_stack = const offset_of!(Activation, root_stack),
        rights = const offset_of!(Activation, rights),
        root_fs = const Thread::FS,
        active = const Thread::ACTIVE,
        bad_flags = const BAD_FLAGS,
        x87_pending = const X87_PENDING,
        good_flags = const !BAD_FLAGS,
        uncaught = sym uncaught,
        vectors = sym VECTORS,
        avx = const AVX,
        programs_rights = sym PROGRAMS_RIGHTS,
    )
}

/// Asks the program, from inside: arguments are the trampoline's number, its message, and room for the answer. Comes back
/// when it was answered; else the call is over.
///
/// 1. PKRU opens as on the way out, and the activation that GS leads to says where the program's stack is: below what
///    [`enter`] has put there, the frames of whoever made the call go on.
/// 2. Control words, flags and the x87 state are the program's again. The call stays active until [`callback::dispatch`] says
///    otherwise.
/// 3. Back in as on the way in; those registers that [`callback::dispatch`] keeps are the domain's. The domain's stack pointer and control words were its own affair, and are loaded with its
///    rights: what is wrong with them is its fault.
///
/// # Safety
///
/// To be called inside a domain.
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn call_back(number: usize, from: *const u8, to: *mut u8) {
    naked_asm!(
        "sub rsp, 8",
        "stmxcsr [rsp]",
        "fnstcw [rsp + 4]",
        "mov r10, rdx",
        open_root!(),
        "mov r11, gs:[{active}]",
        "test r11, r11",
        "jz 4f",
        "mov [r11 + {domain_stack}], rsp",
        "mov rsp, [r11 + {root_stack}]",
        back_in_root!(),
        "push r11",
        "push 0", // A return address for backtraces, which end here: the domain's `rbp` leads nowhere.
        "mov rdx, r10",
        "mov rcx, r11",
        "call {dispatch}",
        "add rsp, 8",
        "pop r11",
        "test rax, rax",
        "jz __isolate_rt_out",
        clear_vectors!(),
        "mov rsp, [r11 + {domain_stack}]",
        "wrfsbase rax",
        "mov eax, [r11 + {rights}]",
        close_root!(),
        "xor esi, esi", "xor edi, edi", "xor r8d, r8d", "xor r9d, r9d", "xor r10d, r10d", "xor r11d, r11d",
        "ldmxcsr [rsp]",
        "fldcw [rsp + 4]",
        "add rsp, 8",
        "ret",
        seldom!(),
        other_vectors!(),
        bad_flags = const BAD_FLAGS,
        x87_pending = const X87_PENDING,
        good_flags = const !BAD_FLAGS,
        active = const Thread::ACTIVE,
        root_fs = const Thread::FS,
        root_stack = const offset_of!(Activation, root_stack),
        domain_stack = const offset_of!(Activation, domain_stack),
        rights = const offset_of!(Activation, rights),
        dispatch = sym callback::dispatch,
        vectors = sym VECTORS,
        avx = const AVX,
        programs_rights = sym PROGRAMS_RIGHTS,
    )
}

/// Which vector registers this CPU has, and the kernel keeps: [`SSE`], [`AVX`] or [`AVX512`].
static VECTORS: AtomicU8 = AtomicU8::new(SSE);
const SSE: u8 = 0;
const AVX: u8 = 1;
/// With its short forms (`avx512vl`): the longest would slow the core down.
const AVX512: u8 = 2;

/// Before the first call.
pub(in crate::mpk) fn learn_vectors() {
    let has_all = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl");
    let vectors = if has_all { AVX512 } else { SSE + u8::from(is_x86_feature_detected!("avx")) };
    VECTORS.store(vectors, Ordering::Relaxed);
}

/// Error summary and exception flags of the x87 status word: what the next x87 instruction would raise, in the program, or would
/// once the program's control word does not mask it (Intel SDM volume 1, 8.1.3). `emms` empties the x87 stack.
const X87_PENDING: u8 = 1 << 7 | 0x3f;

/// Direction flag and alignment check (Intel SDM volume 1, 3.4.3).
const BAD_FLAGS: i32 = 1 << 10 | 1 << 18;

unsafe extern "C" {
    safe fn __isolate_rt_rewind();
    safe fn __isolate_rt_out();
}

/// Where the signal handler sends a thread whose call is over.
pub(in crate::mpk) fn rewind() -> usize {
    // The label is defined by the assembly of `enter`. This mention makes the linker keep it where nothing calls it, as in this
    // crate's own unit tests.
    std::hint::black_box(enter as *const ());
    (__isolate_rt_rewind as *const ()).addr()
}

/// Where what was called inside returns to.
pub(in crate::mpk) fn way_out() -> usize {
    (__isolate_rt_out as *const ()).addr()
}
