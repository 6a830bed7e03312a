//! What the gate and a rewind cost, beside the least that the hardware asks for. Ratios from one run:
//!
//! ```text
//! cargo bench --package isolate-rt --bench gate
//! ```
//!
//! The floor of a call is a naked function of two WRPKRU and two WRFSBASE; the floor of a fault is a SIGSEGV handler that
//! moves the instruction pointer. Emulated machines (`ISOLATE_EMULATED`) are refused: their cycles mean nothing. On a machine
//! without protection keys `benches/without-keys/run gate` times the rest.

mod support;

use isolate_rt::{Callbacks, Domain, HeapKind};
use std::arch::{asm, naked_asm};
use std::ptr;
use std::sync::atomic::AtomicU32;
use std::time::Duration;
use support::{SAMPLES, cycles, cycles_once, description, is_measurable, median};

static DOMAIN: Domain = Domain::new("bench");
static HURRIED: Domain = Domain::new("hurried").deadline(Duration::from_secs(1));
static HARDENED: Domain = Domain::new("hardened").heap(HeapKind::Hardened);
static WATCHED: Domain = Domain::new("watched").deadline(Duration::from_secs(1)).shared_timer();

/// In a row within one timing: the counter of some CPUs advances in steps as long as a whole call.
const TURNS: u32 = 32;

fn main() {
    if !is_measurable() {
        return;
    }
    println!("{}; medians of {SAMPLES} times {TURNS}, time-stamp cycles\n", description());
    println!("| what | cycles | ratio | to |\n|---|---:|---:|---|");
    let row = |what: &str, cycles: f64, floor: f64, to: &str| {
        println!("| {what} | {cycles:.0} | {:.2} | {to} |", cycles / floor);
    };
    // Before the first domain, while nobody else handles the signal.
    let bare_fault = cycles::<1, _>(bare_fault);
    let step = |step: unsafe extern "C" fn()| {
        let rights = rights();
        // SAFETY: rewrites FS with what it holds, and the registers of the steps with what they held.
        let cycles = cycles::<TURNS, _>(|| unsafe { step() });
        set_rights(rights);
        cycles
    };
    let floor = step(floor);
    row("two WRPKRU", step(two_wrpkru), floor, "the floor");
    row("two WRPKRU, two WRFSBASE", floor, floor, "itself");
    // The last one clears vectors as CPUs with AVX do.
    let steps = &STEPS[..STEPS.len() - usize::from(!is_x86_feature_detected!("avx"))];
    for (what, steps) in steps {
        row(what, step(*steps), floor, "the floor");
    }
    let empty = |domain: &'static Domain| {
        move || {
            let mut call = domain.call("empty").unwrap();
            // SAFETY: does nothing.
            unsafe { call.run(|| ()) }.unwrap();
        }
    };
    empty(&DOMAIN)();
    empty(&HURRIED)();
    empty(&HARDENED)();
    empty(&WATCHED)();
    row("a `Call` begun and dropped", cycles::<TURNS, _>(|| DOMAIN.call("none").unwrap()), floor, "the floor");
    row("empty call", cycles::<TURNS, _>(empty(&DOMAIN)), floor, "the floor");
    row("… with a hardened heap, nothing new in it", cycles::<TURNS, _>(empty(&HARDENED)), floor, "the floor");
    let with_output = || {
        let mut call = DOMAIN.call("output").unwrap();
        let room = call.output::<u8>(64).unwrap();
        // SAFETY: does nothing.
        unsafe { call.run(|| ()) }.unwrap();
        room.len()
    };
    row(
        "… with room for an output of 64 bytes, and a canary behind it",
        cycles::<TURNS, _>(with_output),
        floor,
        "the floor",
    );
    row("empty call with a deadline", cycles::<TURNS, _>(empty(&HURRIED)), floor, "the floor");
    row("… with the timer that all share", cycles::<TURNS, _>(empty(&WATCHED)), floor, "the floor");
    let mut callbacks = Callbacks::new();
    let nothing = callbacks.add(|| ());
    let with_callback = || {
        let mut call = DOMAIN.call("callback").unwrap();
        // SAFETY: calls back, and returns nothing.
        unsafe { call.run_with(&mut callbacks, || nothing()) }.unwrap();
    };
    row("empty call with one callback", cycles::<TURNS, _>(with_callback), floor, "the floor");
    // SAFETY: asks for a number.
    row("getppid", cycles::<TURNS, _>(|| unsafe { libc::syscall(libc::SYS_getppid) }), floor, "the floor");
    row("SIGSEGV, handler, sigreturn", bare_fault, bare_fault, "itself");
    let fault = cycles::<1, _>(|| {
        let mut call = DOMAIN.call("fault").unwrap();
        // SAFETY: ends the call.
        unsafe { call.run(|| asm!("mov byte ptr [8], 0")) }.unwrap_err()
    });
    row("fault to `Err`, clean heap", fault, bare_fault, "the bare handler");
    rewinds_of_a_dirty_heap(bare_fault, row);
    first_times(row);
}

const DIRTY: usize = 1 << 20;

/// A fault whose domain has used 1 MiB, beside a handler and the `madvise` that drops as much: the use itself is in both.
fn rewinds_of_a_dirty_heap(bare_fault: f64, row: impl Fn(&str, f64, f64, &str)) {
    /// # Safety
    ///
    /// So many bytes from there may be written.
    unsafe fn dirty(start: *mut u8) {
        for at in (0..DIRTY).step_by(4096) {
            // SAFETY: by this function's contract.
            unsafe { start.add(at).write_volatile(1) };
        }
    }
    let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: fresh memory, used as long as it is.
    let memory = unsafe { libc::mmap(ptr::null_mut(), DIRTY, access, flags, -1, 0) };
    let dropped = cycles_once(|| unsafe {
        // SAFETY: as above.
        dirty(memory.cast());
        libc::madvise(memory, DIRTY, libc::MADV_DONTNEED)
    });
    let fault = cycles_once(|| {
        let mut call = DOMAIN.call("dirty").unwrap();
        // SAFETY: allocates, writes what it got, and ends the call.
        unsafe {
            call.run(|| {
                dirty(libc::malloc(DIRTY).cast());
                asm!("mov byte ptr [8], 0");
            })
        }
        .unwrap_err()
    });
    row("1 MiB written and dropped by `madvise`", dropped, dropped, "itself");
    row("1 MiB written inside, and a fault", fault, dropped + bare_fault, "that and the bare handler");
}

/// What is paid for once: for each domain, and each thread.
fn first_times(row: impl Fn(&str, f64, f64, &str)) {
    static NEW: [Domain; 9] = [const { Domain::new("new") }; 9];
    let made = median(NEW.iter().map(|domain| support::timed(|| enter(domain))).collect());
    let thread = |f: fn() -> u64| std::thread::spawn(f).join().unwrap();
    let first = median((0..501).map(|_| thread(|| support::timed(|| enter(&DOMAIN)))).collect());
    let second = median(
        (0..501)
            .map(|_| {
                thread(|| {
                    enter(&DOMAIN);
                    support::timed(|| enter(&NEW[0]))
                })
            })
            .collect(),
    );
    let started = median((0..501).map(|_| support::timed(|| thread(|| 0))).collect());
    row("a thread started and joined", started, started, "itself");
    row("first call of a domain", made, started, "a thread");
    row("first call on a new thread", first, started, "a thread");
    row("… where it has been in another domain", second, started, "a thread");
}

fn enter(domain: &'static Domain) {
    let mut call = domain.call("first").unwrap();
    // SAFETY: does nothing.
    unsafe { call.run(|| ()) }.unwrap();
}

/// What the steps write to PKRU: from memory, as the way out of a domain.
static RIGHTS: AtomicU32 = AtomicU32::new(0);

macro_rules! steps {
    ($($name:ident: $what:literal = [$($before:literal),*] [$($after:literal),*];)*) => {
        /// The floor with steps of the gate around it, as `src/mpk/crossing/gate.rs` has them: each row has those of the rows before.
        const STEPS: &[(&str, unsafe extern "C" fn())] = &[$(($what, $name)),*];
        $(
            /// # Safety
            ///
            /// As [`floor`].
            #[unsafe(naked)]
            unsafe extern "C" fn $name() {
                naked_asm!(
                    $($before,)*
                    "rdfsbase r8", "mov eax, [rip + {rights}]", "xor ecx, ecx", "xor edx, edx",
                    "wrfsbase r8",
                    "wrpkru",
                    "wrpkru",
                    "wrfsbase r8",
                    $($after,)*
                    "ret",
                    rights = sym RIGHTS,
                )
            }
        )*
    };
}

steps! {
    registers: "… and callee-saved registers" =
        ["push rbp", "push rbx", "push r12", "push r13", "push r14", "push r15", "sub rsp, 8"]
        ["add rsp, 8", "pop r15", "pop r14", "pop r13", "pop r12", "pop rbx", "pop rbp"];
    control: "… and MXCSR and the x87 control word" =
        ["push rbp", "push rbx", "push r12", "push r13", "push r14", "push r15", "sub rsp, 8", "stmxcsr [rsp]", "fnstcw [rsp + 4]"]
        ["ldmxcsr [rsp]", "fldcw [rsp + 4]", "add rsp, 8", "pop r15", "pop r14", "pop r13", "pop r12", "pop rbx", "pop rbp"];
    flags: "… and PKRU, flags and x87 state checked" =
        ["push rbp", "push rbx", "push r12", "push r13", "push r14", "push r15", "sub rsp, 8", "stmxcsr [rsp]", "fnstcw [rsp + 4]"]
        ["cmp eax, [rip + {rights}]", "jne 2f", "fnstsw ax", "pushfq", "ldmxcsr [rsp + 8]", "test al, 0x80", "jnz 2f", "pop rcx",
         "test ecx, 0x40400", "jnz 2f", "2:", "emms", "fldcw [rsp + 4]", "add rsp, 8", "pop r15", "pop r14", "pop r13", "pop r12", "pop rbx",
         "pop rbp"];
    cleared: "… and registers cleared on the way in" =
        ["push rbp", "push rbx", "push r12", "push r13", "push r14", "push r15", "sub rsp, 8", "stmxcsr [rsp]", "fnstcw [rsp + 4]",
         "xor ebx, ebx", "xor ebp, ebp", "xor r9d, r9d", "xor r11d, r11d", "xor r12d, r12d", "xor r13d, r13d", "xor r14d, r14d",
         "xor r15d, r15d", "vzeroall"]
        ["cmp eax, [rip + {rights}]", "jne 2f", "fnstsw ax", "pushfq", "ldmxcsr [rsp + 8]", "test al, 0x80", "jnz 2f", "pop rcx",
         "test ecx, 0x40400", "jnz 2f", "2:", "emms", "fldcw [rsp + 4]", "add rsp, 8", "pop r15", "pop r14", "pop r13", "pop r12", "pop rbx",
         "pop rbp"];
}

/// PKRU of this thread.
fn rights() -> u32 {
    let rights: u32;
    // SAFETY: reads a register.
    unsafe { asm!("rdpkru", inout("eax") 0 => rights, in("ecx") 0, inout("edx") 0 => _) };
    rights
}

/// A thread whose rights are its own would have them given back by every call.
fn set_rights(rights: u32) {
    // SAFETY: what the thread had.
    unsafe { asm!("wrpkru", in("eax") rights, in("ecx") 0, in("edx") 0) };
}

/// # Safety
///
/// None owed: PKRU 0 opens every page.
#[unsafe(naked)]
unsafe extern "C" fn two_wrpkru() {
    naked_asm!("xor eax, eax", "xor ecx, ecx", "xor edx, edx", "wrpkru", "wrpkru", "ret")
}

/// # Safety
///
/// None owed: FS stays what it is, and PKRU 0 opens every page.
#[unsafe(naked)]
unsafe extern "C" fn floor() {
    naked_asm!(
        "rdfsbase r8",
        "xor eax, eax",
        "xor ecx, ecx",
        "xor edx, edx",
        "wrfsbase r8",
        "wrpkru",
        "wrpkru",
        "wrfsbase r8",
        "ret"
    )
}

/// One fault whose handler continues behind it.
fn bare_fault() {
    extern "C" fn skip(_: i32, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
        // SAFETY: the kernel's frame; the faulting instruction below is 8 bytes long.
        unsafe { (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs[libc::REG_RIP as usize] += 8 };
    }
    thread_local!(static ONCE: () = {
        // SAFETY: handles the one fault of this function, on the stack that std gave this thread for signals.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = (skip as *const ()).addr();
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigaction(libc::SIGSEGV, &action, ptr::null_mut());
        }
    });
    ONCE.with(|()| ());
    // SAFETY: `mov byte ptr [8], 0` with a 32-bit displacement: c6 04 25 disp32 imm8.
    unsafe { asm!(".byte 0xc6, 0x04, 0x25, 8, 0, 0, 0, 0") };
}
