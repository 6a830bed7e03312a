//! Proof that this machine does what the runtime relies on, in a forked child, before the first domain is made.
//!
//! Kernel versions say too little: fixes were backported, and some CPUs lost the saved PKRU for a while. So the child does
//! the real thing: with key 0 closed for writing it takes timer signals on an alternate stack, goes on with the rights it
//! had, then faults, is handled, and is sent elsewhere.

use super::kernel::{Frame, SEGV_PKUERR, kernel_setting, system};
use super::pkey::{self, Pkey, wrpkru};
use super::{PAGE, cpu, rseq};
use crate::fault::Unsupported;
use libc::{c_int, c_void, siginfo_t};
use std::arch::naked_asm;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

/// Exit statuses of the child.
const PASSED: i32 = 0;
const NO_KEY: i32 = 1;
const RSEQ: i32 = 2;
const SETUP: i32 = 3;
const NOT_DENIED: i32 = 4;
const NO_TICKS: i32 = 5;
const NOT_GIVEN: i32 = 6;

/// Runs the test, which takes a few milliseconds: the child waits for timer signals.
pub(crate) fn run() -> Result<(), Unsupported> {
    if !pkey::has_pku() {
        return Err(Unsupported::NoPku);
    }
    if !cpu::has_fsgsbase() {
        return Err(Unsupported::NoFsgsbase);
    }
    // Before there is a child, which may not look names up.
    let _ = rseq::offset();
    judge(in_child(child))
}

/// By the child's exit status, or the signal that killed it.
fn judge(end: Result<i32, Option<c_int>>) -> Result<(), Unsupported> {
    let step = match end {
        Ok(PASSED) => return Ok(()),
        Ok(NO_KEY) => return Err(Unsupported::NoKey),
        Ok(NOT_GIVEN) => "the CPU says that it has protection keys, and the kernel gives none",
        Ok(RSEQ) => return Err(Unsupported::Rseq),
        Ok(NOT_DENIED) => "a write to closed memory was not denied",
        Ok(NO_TICKS) => "no timer signal arrived while memory was closed",
        Ok(_) => "the child could not set the test up",
        Err(None) => return Err(system("clone")),
        Err(Some(signal)) => killed_by(signal),
    };
    Err(Unsupported::SelfTest { step })
}

fn killed_by(signal: c_int) -> &'static str {
    match signal {
        libc::SIGILL => "the CPU says that it has protection keys, and does not know their instructions",
        libc::SIGSYS => "a filter of system calls forbids what protection keys need",
        _ => "a signal while memory was closed killed the child (Linux before 6.12, or rseq)",
    }
}

/// Runs `body` in a child that nobody else's `waitpid` or `SIGCHLD` handler sees. `Err` holds the signal that killed it.
fn in_child(body: fn() -> i32) -> Result<i32, Option<i32>> {
    // SAFETY: a fork without exit signal. The child runs only system calls (other threads may hold any lock) and ends with
    // one. The parent waits for exactly this child; `__WCLONE` is what finds children without an exit signal.
    unsafe {
        let child = libc::syscall(libc::SYS_clone, 0, 0, 0, 0, 0);
        match child {
            -1 => Err(None),
            0 => {
                libc::syscall(libc::SYS_exit_group, body());
                unreachable!("exit_group returned")
            }
            _ => {
                let mut status = 0;
                while libc::waitpid(child as i32, &mut status, libc::__WCLONE) == -1 {
                    if *libc::__errno_location() != libc::EINTR {
                        return Err(None);
                    }
                }
                if libc::WIFEXITED(status) { Ok(libc::WEXITSTATUS(status)) } else { Err(Some(libc::WTERMSIG(status))) }
            }
        }
    }
}

static TICKS: AtomicU32 = AtomicU32::new(0);
static VICTIM: AtomicU32 = AtomicU32::new(0);
/// In place of the record that GS leads to in a thread that enters domains, whose first word is the call that it is in.
static NO_CALL: usize = 0;

/// Follows each `wrpkru` here: the program has the code, too, and a domain could jump to it. Where a call is active that is what has
/// happened, and it goes no further.
macro_rules! in_no_call {
    () => {
        "cmp qword ptr gs:[0], 0; jne 14f"
    };
}

fn child() -> i32 {
    let key = match Pkey::allocate() {
        Ok(key) => key,
        Err(Unsupported::NoKey) => return NO_KEY,
        Err(_) => return NOT_GIVEN,
    };
    if rseq::unregister().is_err() {
        return RSEQ;
    }
    // SAFETY: memory and signal settings of this child alone, which ends soon.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let stack = libc::mmap(ptr::null_mut(), 64 * PAGE, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        let alternate = libc::stack_t { ss_sp: stack, ss_flags: 0, ss_size: 64 * PAGE };
        if stack == libc::MAP_FAILED || libc::sigaltstack(&alternate, ptr::null_mut()) != 0 {
            return SETUP;
        }
        for (signal, handler) in [(libc::SIGSEGV, fault as *const ()), (libc::SIGALRM, tick as *const ())] {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler.addr();
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            if kernel_setting(signal, Some(&action)).is_err() {
                return SETUP;
            }
        }
        let mut mask = std::mem::zeroed();
        libc::sigemptyset(&mut mask);
        libc::sigprocmask(libc::SIG_SETMASK, &mask, ptr::null_mut());
        let every = libc::timeval { tv_sec: 0, tv_usec: 1000 };
        let timer = libc::itimerval { it_interval: every, it_value: every };
        libc::syscall(libc::SYS_setitimer, libc::ITIMER_REAL, &timer, ptr::null_mut::<c_void>());
    }
    // SAFETY: both addresses are statics of ours; the key was just taken. GS is this child's, which makes no calls, and leads to a word
    // that says so.
    let denied = unsafe {
        cpu::write_gs((&raw const NO_CALL).addr());
        closed(key.domain_rights(), TICKS.as_ptr(), VICTIM.as_ptr())
    };
    if TICKS.load(Ordering::Relaxed) < ENOUGH_TICKS {
        NO_TICKS
    } else if denied == 0 || VICTIM.load(Ordering::Relaxed) != 0 {
        NOT_DENIED
    } else {
        PASSED
    }
}

/// Each is a preemption: what kills a thread with registered rseq.
const ENOUGH_TICKS: u32 = 3;
/// Gives up waiting for them, in time-stamp cycles: about ten seconds.
const PATIENCE: u64 = 30_000_000_000;

/// Closes memory, waits for timer signals without touching the stack, then writes to `victim`. Returns whether that was
/// denied: the handler continues at the label with 1 in `rax`.
///
/// # Safety
///
/// Both are addresses of live numbers, and GS leads to [`NO_CALL`].
#[unsafe(naked)]
unsafe extern "C" fn closed(rights: u32, ticks: *mut u32, victim: *mut u32) -> u64 {
    naked_asm!(
        "mov r8, rdx",
        "mov r9, {patience}",
        "rdtsc",
        "shl rdx, 32",
        "or rax, rdx",
        "add r9, rax",
        "mov eax, edi",
        "xor ecx, ecx",
        "xor edx, edx",
        wrpkru!(),
        in_no_call!(),
        "2:",
        "cmp dword ptr [rsi], {enough}",
        "jae 3f",
        "rdtsc",
        "shl rdx, 32",
        "or rax, rdx",
        "cmp rax, r9",
        "jb 2b",
        "3:",
        "mov dword ptr [r8], 1",
        "xor eax, eax",
        ".globl __isolate_rt_denied",
        ".hidden __isolate_rt_denied",
        "__isolate_rt_denied:",
        "mov r10, rax",
        "xor eax, eax",
        "xor ecx, ecx",
        "xor edx, edx",
        wrpkru!(),
        in_no_call!(),
        "mov rax, r10",
        "ret",
        "14:",
        "ud2",
        patience = const PATIENCE,
        enough = const ENOUGH_TICKS,
    )
}

unsafe extern "C" {
    safe fn __isolate_rt_denied();
}

extern "C" fn tick(_: c_int, _: *mut siginfo_t, _: *mut c_void) {
    TICKS.fetch_add(1, Ordering::Relaxed);
}

/// The number of the register for a function's result, in machine code.
const RAX: usize = 0;

extern "C" fn fault(_: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel's arguments. `exit_group` does not return.
    unsafe {
        if (*info).si_code != SEGV_PKUERR {
            libc::syscall(libc::SYS_exit_group, NOT_DENIED);
        }
        let mut frame = Frame::new(context);
        frame.go_to((__isolate_rt_denied as *const ()).addr());
        frame.set_register(RAX, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    /// A machine without protection keys raises what one raises whose CPU is said to have them, and has not.
    #[test]
    fn instructions_that_the_cpu_does_not_have() {
        if pkey::has_pku() {
            let _ = writeln!(std::io::stderr(), "skipped: this CPU has the instructions");
            return;
        }
        // SAFETY: two numbers; the child ends at the first instruction that is none.
        let by_write = || unsafe { closed(0, TICKS.as_ptr(), VICTIM.as_ptr()) as i32 };
        let by_read = || pkey::rights() as i32;
        for body in [by_write as fn() -> i32, by_read] {
            let error = judge(in_child(body)).unwrap_err().to_string();
            assert!(
                error.contains("says that it has protection keys, and does not know their instructions"),
                "{error}"
            );
        }
    }
}
