//! What the gate and a rewind cost, beside the least that the hardware asks for. Ratios of medians from one run:
//!
//! ```text
//! cargo bench --package isolate-rt --bench gate
//! ```
//!
//! The floor of a call is a naked function of two WRPKRU and two WRFSBASE; the floor of a fault is a SIGSEGV handler that
//! moves the instruction pointer. Emulated machines (`ISOLATE_EMULATED`) are refused: their cycles mean nothing.

use isolate_rt::Domain;
use std::arch::x86_64::{_mm_lfence, _rdtsc};
use std::arch::{asm, naked_asm};
use std::hint::black_box;
use std::ptr;

/// Samples per figure; odd, so that the median is one of them.
const SAMPLES: usize = 20_001;

static DOMAIN: Domain = Domain::new("bench");

fn main() {
    let machine = isolate_rt::probe();
    if !machine.supported() {
        eprintln!("nothing measured: isolation is not possible here:\n{machine}");
        return;
    }
    if std::env::var_os("ISOLATE_EMULATED").is_some() && std::env::var_os("ISOLATE_BENCH_ANYWAY").is_none() {
        eprintln!("nothing measured: the CPU is emulated, its cycles mean nothing");
        return;
    }
    println!("{}\n", description());
    let timer = median(|| ());
    // Before the first domain, while nobody else handles the signal.
    let bare_fault = median(bare_fault) - timer;
    let empty = |domain: &'static Domain| {
        let mut call = domain.call("empty").unwrap();
        // SAFETY: does nothing.
        unsafe { call.run(|| ()) }.unwrap();
    };
    empty(&DOMAIN);
    // SAFETY: rewrites FS and PKRU with what they hold.
    let floor = median(|| unsafe { floor() }) - timer;
    let call = median(|| empty(&DOMAIN)) - timer;
    // SAFETY: asks for a number.
    let syscall = median(|| unsafe { libc::syscall(libc::SYS_getppid) }) - timer;
    let fault = median(|| {
        let mut call = DOMAIN.call("fault").unwrap();
        // SAFETY: ends the call.
        unsafe { call.run(|| asm!("mov byte ptr [8], 0")) }.unwrap_err()
    }) - timer;

    println!("| what | cycles | ratio | to |\n|---|---:|---:|---|");
    let row = |what: &str, cycles: u64, floor: u64, to: &str| {
        println!("| {what} | {cycles} | {:.2} | {to} |", cycles as f64 / floor as f64);
    };
    row("two WRPKRU, two WRFSBASE", floor, floor, "itself");
    row("empty call", call, floor, "the floor");
    row("getppid", syscall, floor, "the floor");
    row("SIGSEGV, handler, sigreturn", bare_fault, bare_fault, "itself");
    row("fault to `Err`, clean heap", fault, bare_fault, "the bare handler");
}

fn median<T>(mut f: impl FnMut() -> T) -> u64 {
    let mut samples: Vec<u64> = (0..SAMPLES)
        .map(|_| {
            let start = now();
            black_box(f());
            now() - start
        })
        .collect();
    *samples.select_nth_unstable(SAMPLES / 2).1
}

fn now() -> u64 {
    // SAFETY: reads the time-stamp counter, after everything before it.
    unsafe {
        _mm_lfence();
        let now = _rdtsc();
        _mm_lfence();
        now
    }
}

/// # Safety
///
/// None owed: FS stays what it is, and PKRU 0 is what the program runs with.
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

fn description() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model =
        cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("").trim_start_matches(['\t', ' ', ':']);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{model}, Linux {}, medians of {SAMPLES}, time-stamp cycles", kernel.trim())
}
