//! The program's signal handlers run as the program's whatever they interrupt, and a domain cannot disarm the runtime.

mod support;

use isolate_rt::{Domain, FaultKind, HeapKind};
use std::arch::asm;
use std::cell::Cell;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use support::{End, child, isolation, role};

static DOMAIN: Domain = Domain::new("interrupted");
static INNER: Domain = Domain::new("inner");
/// Signal settings are the process's, and a fault ends the calls of other tests: one at a time.
static ALONE: Mutex<()> = Mutex::new(());

thread_local! {
    static MINE: Cell<usize> = const { Cell::new(0) };
}
static SEEN: AtomicUsize = AtomicUsize::new(0);
static WRONG: AtomicUsize = AtomicUsize::new(0);

fn in_domain<R: Copy>(domain: &'static Domain, f: impl FnOnce() -> R + Copy) -> Result<R, isolate_rt::Fault> {
    // SAFETY: the closures of this file return numbers only.
    unsafe { domain.call("test")?.run(f) }
}

/// Uses everything that would be the domain's if nobody had put it right: thread-locals, errno, the stack, the heap, and
/// another domain.
extern "C" fn handler(_: i32) {
    let local = 0u8;
    let stack_of_domain = in_domain_memory((&raw const local).addr());
    // SAFETY: a block of the program's, given back; not what a handler should do, but it shows whose heap it is.
    let heap_of_domain = unsafe {
        let block = libc::malloc(64);
        libc::free(block);
        in_domain_memory(block.addr())
    };
    // From inside a call no domain can be entered, and says so. (The signal may come just before the call, or just after.)
    let nested = match in_domain(&INNER, || 5) {
        Ok(five) => five != 5,
        Err(fault) => fault.kind() != &FaultKind::InSignalHandler,
    };
    WRONG.fetch_add(usize::from(MINE.get() != 7 || stack_of_domain || heap_of_domain || nested), Ordering::Relaxed);
    SEEN.fetch_add(1, Ordering::Relaxed);
}

/// Whether an address is in a private mapping of some key: asked of the kernel, without allocating.
fn in_domain_memory(address: usize) -> bool {
    // The domain's stack is far away from everything else: what `test` saw from inside tells.
    address.abs_diff(INSIDE.load(Ordering::Relaxed)) < 8 << 30
}
static INSIDE: AtomicUsize = AtomicUsize::new(0);

fn check_handler(flags: i32) {
    if !isolation() {
        return;
    }
    let _alone = ALONE.lock();
    MINE.set(7);
    let inside = in_domain(&DOMAIN, || {
        let local = 0u8;
        (&raw const local).addr()
    });
    INSIDE.store(inside.unwrap(), Ordering::Relaxed);
    assert_eq!(in_domain(&INNER, || 5), Ok(5));
    SEEN.store(0, Ordering::Relaxed);
    WRONG.store(0, Ordering::Relaxed);
    // SAFETY: a handler for a signal of this thread, from a timer that only this thread gets.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = (handler as *const ()).addr();
        action.sa_flags = flags | libc::SA_RESTART;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &action, ptr::null_mut()), 0);
        let mut now: libc::sigaction = std::mem::zeroed();
        assert_eq!(libc::sigaction(libc::SIGUSR1, ptr::null(), &mut now), 0);
        assert_eq!(
            (now.sa_sigaction, now.sa_flags & libc::SA_SIGINFO),
            (action.sa_sigaction, 0),
            "programs see their own"
        );
    }
    let turns = interrupted(Duration::from_millis(5), || {
        in_domain(&DOMAIN, || {
            let start = Instant::now();
            let mut turns = 0u64;
            while start.elapsed() < Duration::from_millis(500) {
                turns += 1;
            }
            turns
        })
    });
    assert!(turns.expect("the domain goes on after each signal") > 0);
    assert!(SEEN.load(Ordering::Relaxed) > 5, "the handler ran {} times", SEEN.load(Ordering::Relaxed));
    assert_eq!(WRONG.load(Ordering::Relaxed), 0, "of {} runs", SEEN.load(Ordering::Relaxed));
}

/// Runs `f` while this thread gets a `SIGUSR1` so often.
fn interrupted<R>(every: Duration, f: impl FnOnce() -> R) -> R {
    // SAFETY: a timer that only this thread gets, gone before its handler is.
    unsafe {
        let mut event: libc::sigevent = std::mem::zeroed();
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = libc::SIGUSR1;
        event.sigev_notify_thread_id = libc::gettid();
        let mut timer = std::mem::zeroed();
        assert_eq!(libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, &mut timer), 0);
        let every = libc::timespec { tv_sec: 0, tv_nsec: every.subsec_nanos().into() };
        let setting = libc::itimerspec { it_interval: every, it_value: every };
        assert_eq!(libc::timer_settime(timer, 0, &setting, ptr::null_mut()), 0);
        let result = f();
        libc::timer_delete(timer);
        result
    }
}

/// What the allocator of a domain asks of the program is part of the call: the heap is locked meanwhile, by this very thread.
#[test]
fn a_handler_that_interrupts_the_allocator_enters_nothing() {
    static ROOMS: Domain = Domain::new("rooms").heap(HeapKind::Hardened).deadline(Duration::from_secs(10));
    fn allocate() -> bool {
        // SAFETY: a block that is large enough for a room of its own, given back.
        unsafe {
            let block = std::hint::black_box(libc::malloc(256 << 10));
            libc::free(block);
            !block.is_null()
        }
    }
    extern "C" fn allocate_too(_: i32) {
        match in_domain(&ROOMS, allocate) {
            Ok(true) => {}
            Err(fault) if fault.kind() == &FaultKind::InSignalHandler => _ = SEEN.fetch_add(1, Ordering::Relaxed),
            _ => _ = WRONG.fetch_add(1, Ordering::Relaxed),
        }
    }
    if !isolation() {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    assert_eq!(in_domain(&ROOMS, allocate), Ok(true));
    SEEN.store(0, Ordering::Relaxed);
    WRONG.store(0, Ordering::Relaxed);
    // SAFETY: a handler for a signal of this thread.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = (allocate_too as *const ()).addr();
        action.sa_flags = libc::SA_RESTART;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &action, ptr::null_mut()), 0);
    }
    let all = interrupted(Duration::from_millis(3), || {
        in_domain(&ROOMS, || {
            let start = Instant::now();
            let mut all = true;
            while start.elapsed() < Duration::from_secs(1) {
                all &= allocate();
            }
            all
        })
    });
    assert_eq!(all, Ok(true));
    assert!(SEEN.load(Ordering::Relaxed) > 5);
    assert_eq!(WRONG.load(Ordering::Relaxed), 0, "of {}", SEEN.load(Ordering::Relaxed));
}

#[test]
fn handler_on_its_own_stack() {
    check_handler(libc::SA_ONSTACK);
}

/// The control: what happens when the kernel is given a handler past the runtime.
#[test]
fn handler_started_on_the_stack_of_the_domain() {
    /// Whether the thread-locals are the program's.
    extern "C" fn look(_: i32) {
        // SAFETY: ends the child.
        unsafe { libc::syscall(libc::SYS_exit_group, if MINE.get() == 7 { 78 } else { 77 }) };
    }
    if role().is_some() {
        MINE.set(7);
        give_to_the_kernel(libc::SIGUSR1, look, 0);
        let _ = in_domain(&DOMAIN, || {
            // SAFETY: sends this thread a signal.
            unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), libc::gettid(), libc::SIGUSR1) }
        });
        std::process::exit(1);
    }
    check_handler(0);
    if isolation() {
        let output = child("handler_started_on_the_stack_of_the_domain", "control");
        assert_eq!(End::from(&output), End::Status(77), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Installs a handler past the runtime, which otherwise enters it.
fn give_to_the_kernel(signal: i32, handler: extern "C" fn(i32), flags: i32) {
    unsafe extern "C" {
        fn __sigaction(signal: i32, new: *const libc::sigaction, old: *mut libc::sigaction) -> i32;
    }
    // SAFETY: a handler for a signal that no other test uses meanwhile.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = flags;
        assert_eq!(__sigaction(signal, &action, ptr::null_mut()), 0);
    }
}

#[test]
fn a_domain_cannot_change_handlers_or_the_signal_stack() {
    if !isolation() {
        return;
    }
    let _alone = ALONE.lock();
    let refused = in_domain(&DOMAIN, || {
        // SAFETY: settings that would end every later fault in the death of the process.
        unsafe {
            let mut default: libc::sigaction = std::mem::zeroed();
            default.sa_sigaction = libc::SIG_DFL;
            let off = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
            let results = (
                libc::sigaction(libc::SIGSEGV, &default, ptr::null_mut()),
                libc::signal(libc::SIGILL, libc::SIG_IGN) == libc::SIG_ERR,
                libc::sigaltstack(&off, ptr::null_mut()),
                *libc::__errno_location(),
            );
            let mut all = std::mem::zeroed();
            libc::sigfillset(&mut all);
            libc::sigprocmask(libc::SIG_SETMASK, &all, ptr::null_mut());
            libc::pthread_sigmask(libc::SIG_BLOCK, &all, ptr::null_mut());
            assert_eq!(sighold(libc::SIGSEGV), -1);
            assert_eq!(sigignore(libc::SIGSEGV), -1);
            results
        }
    });
    assert_eq!(refused, Ok((-1, true, -1, libc::EPERM)));
    let fault = in_domain(&DOMAIN, || {
        // SAFETY: ends the call.
        unsafe { asm!("ud2") }
    });
    assert_eq!(fault.unwrap_err().kind(), &FaultKind::IllegalInstruction);
    // SAFETY: asks for this thread's mask, which the domain could not change.
    unsafe {
        let mut mask = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_SETMASK, ptr::null(), &mut mask);
        assert_eq!(libc::sigismember(&mask, libc::SIGTERM), 0);
    }
}

/// A domain that has changed mask and signal stack by raw system calls, and fails: what the runtime needs of them is as it was, and
/// the next faults are found, those that need the signal stack too.
#[test]
fn a_fault_puts_mask_and_signal_stack_right() {
    const NAME: &str = "a_fault_puts_mask_and_signal_stack_right";
    static DOMAIN: Domain = Domain::new("raw").stack_size(64 << 10).deadline(Duration::from_millis(200));
    /// All but those of the fault that follows, and no signal stack.
    fn change() {
        let most = !(1u64 << (libc::SIGSEGV - 1));
        // SAFETY: a set of 8 bytes, as the kernel has them, and no stack.
        unsafe {
            let none = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
            libc::syscall(libc::SYS_sigaltstack, &raw const none, 0);
            libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_BLOCK, &raw const most, 0, 8);
        };
    }
    fn recurse(depth: usize) -> usize {
        let frame = std::hint::black_box([depth; 64]);
        if frame[3] == usize::MAX { 0 } else { recurse(depth + 1) + frame[7] }
    }
    // SAFETY: none; that is the attack.
    let write_null = || unsafe { std::arch::asm!("mov byte ptr [8], 0") };
    let role = role();
    if let Some(role) = role.as_deref() {
        let first = in_domain(&DOMAIN, || {
            change();
            write_null();
        });
        assert!(matches!(first.unwrap_err().kind(), FaultKind::Unmapped { address: 8 }));
        if role == "without a fault" {
            in_domain(&DOMAIN, change).unwrap();
        }
        // SAFETY: none; that is the attack.
        let second = in_domain(&DOMAIN, || unsafe { std::arch::asm!("ud2") });
        assert_eq!(second.unwrap_err().kind(), &FaultKind::IllegalInstruction);
        let third = in_domain(&DOMAIN, || recurse(0));
        assert!(matches!(third.unwrap_err().kind(), FaultKind::StackOverflow { .. }));
        let fourth = in_domain(&DOMAIN, || {
            loop {
                std::hint::spin_loop();
            }
        });
        assert!(fourth.is_err_and(|fault| fault.kind() == &FaultKind::Timeout));
        std::process::exit(7);
    }
    if isolation() {
        let output = child(NAME, "after a fault");
        assert_eq!(End::from(&output), End::Status(7), "{}", String::from_utf8_lossy(&output.stderr));
        // The control: as the domain has left them.
        assert_eq!(End::from(&child(NAME, "without a fault")), End::Signal(libc::SIGILL));
    }
}

/// By a raw system call a domain can block every signal of its thread. They stay blocked, and what faults then is killed: nothing
/// of the program is written.
#[test]
fn signals_blocked_past_libc() {
    const NAME: &str = "signals_blocked_past_libc";
    const WRITTEN: i32 = 77;
    const STAY_BLOCKED: i32 = 78;
    static VICTIM: AtomicUsize = AtomicUsize::new(0);
    let block_all = || {
        let all = u64::MAX;
        // SAFETY: a set of 8 bytes, as the kernel has them.
        unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_BLOCK, &raw const all, 0, 8) };
    };
    let write = |blocked: bool| {
        move || {
            if blocked {
                block_all();
            }
            VICTIM.store(1, Ordering::Relaxed);
        }
    };
    match role().as_deref() {
        Some("write") => {
            let _ = in_domain(&DOMAIN, write(true));
            std::process::exit(WRITTEN);
        }
        Some("return") => {
            in_domain(&DOMAIN, block_all).unwrap();
            // SAFETY: asks for this thread's mask.
            let blocked = unsafe {
                let mut mask = std::mem::zeroed();
                libc::pthread_sigmask(libc::SIG_SETMASK, ptr::null(), &mut mask);
                libc::sigismember(&mask, libc::SIGTERM) == 1
            };
            std::process::exit(if blocked { STAY_BLOCKED } else { 0 });
        }
        _ => {}
    }
    if !isolation() {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    assert_eq!(End::from(&child(NAME, "write")), End::Signal(libc::SIGSEGV));
    assert_eq!(End::from(&child(NAME, "return")), End::Status(STAY_BLOCKED));
    // The control: without the system call it is a fault of the call.
    let fault = in_domain(&DOMAIN, write(false)).unwrap_err();
    assert!(matches!(fault.kind(), FaultKind::Protection { .. }), "{fault}");
}

unsafe extern "C" {
    fn sighold(number: i32) -> i32;
    fn sigignore(number: i32) -> i32;
}

/// A domain leaves alignment checks on, which the kernel passes on to handlers: theirs and the runtime's rely on having none.
#[test]
fn alignment_checks_stay_in_the_domain() {
    static FLAGS: AtomicUsize = AtomicUsize::new(0);
    const ALIGNMENT_CHECK: usize = 1 << 18;
    extern "C" fn look(_: i32) {
        let flags: usize;
        // SAFETY: reads the flags.
        unsafe { asm!("pushfq", "pop {}", out(reg) flags) };
        FLAGS.store(flags, Ordering::Relaxed);
    }
    if !isolation() {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // SAFETY: asks for numbers.
    let (process, thread) = unsafe { (libc::getpid(), libc::gettid()) };
    let seen_with_checks_on = || {
        let result: Result<(), _> = in_domain(&DOMAIN, || {
            // SAFETY: turns alignment checks on, sends this thread the signal (tgkill(2)), and fails.
            unsafe {
                asm!(
                    "pushfq", "or dword ptr [rsp], {check}", "popfq", "syscall", "ud2",
                    check = const ALIGNMENT_CHECK,
                    in("rax") libc::SYS_tgkill, in("rdi") process, in("rsi") thread, in("rdx") libc::SIGURG,
                    options(noreturn),
                )
            }
        });
        assert_eq!(result.unwrap_err().kind(), &FaultKind::IllegalInstruction);
        let flags = FLAGS.swap(0, Ordering::Relaxed);
        assert_ne!(flags, 0, "the handler ran");
        flags & ALIGNMENT_CHECK != 0
    };
    // The control: past the runtime.
    give_to_the_kernel(libc::SIGURG, look, libc::SA_ONSTACK);
    assert!(seen_with_checks_on());
    // SAFETY: a handler for a signal that no other test of this file uses.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = look as *const () as usize;
        action.sa_flags = libc::SA_ONSTACK;
        assert_eq!(libc::sigaction(libc::SIGURG, &action, ptr::null_mut()), 0);
    }
    assert!(!seen_with_checks_on());
}

/// Worker threads like to block everything. That must not make the next fault the last one.
#[test]
fn a_thread_that_blocks_every_signal_is_still_rewound() {
    static HURRIED: Domain = Domain::new("hurried").deadline(Duration::from_millis(20));
    if !isolation() {
        return;
    }
    let _alone = ALONE.lock();
    let block_all = || {
        // SAFETY: this thread's own mask.
        unsafe {
            let mut all = std::mem::zeroed();
            libc::sigfillset(&mut all);
            assert_eq!(libc::pthread_sigmask(libc::SIG_SETMASK, &all, ptr::null_mut()), 0);
        }
    };
    // Before the thread's first call, and after it.
    for first in [true, false] {
        std::thread::spawn(move || {
            if first {
                block_all();
            }
            assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
            if !first {
                block_all();
            }
            let fault = in_domain(&DOMAIN, || {
                // SAFETY: ends the call.
                unsafe { asm!("mov byte ptr [8], 0") }
            });
            assert_eq!(fault.unwrap_err().address(), Some(8));
            let timeout = in_domain(&HURRIED, || {
                loop {
                    std::hint::spin_loop();
                }
            });
            let timeout: Result<(), _> = timeout;
            assert_eq!(timeout.unwrap_err().kind(), &FaultKind::Timeout);
        })
        .join()
        .unwrap();
    }
}

/// The signal that ends late calls is the runtime's: nobody else gets it.
#[test]
fn the_runtimes_signal_cannot_be_taken() {
    if !isolation() {
        return;
    }
    let _alone = ALONE.lock();
    assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
    // SAFETY: asks to reset every real-time signal, as programs do before they execute another.
    let refused = unsafe {
        let mut default: libc::sigaction = std::mem::zeroed();
        default.sa_sigaction = libc::SIG_DFL;
        (libc::SIGRTMIN()..=libc::SIGRTMAX())
            .filter(|&number| libc::sigaction(number, &default, ptr::null_mut()) != 0)
            .count()
    };
    assert_eq!(refused, 1);
}

/// A program that handles faults itself goes on doing so, whether it asked before or after the first domain.
#[test]
fn the_programs_own_fault_handler_still_works() {
    static HANDLED: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn skip(_: i32, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
        HANDLED.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the kernel's frame; the faulting instruction below is 8 bytes long.
        unsafe { (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs[libc::REG_RIP as usize] += 8 };
    }
    let fault_in_root = || {
        // SAFETY: `mov byte ptr [8], 0` with a 32-bit displacement: handled and skipped.
        unsafe { asm!(".byte 0xc6, 0x04, 0x25, 8, 0, 0, 0, 0") }
    };
    if !isolation() {
        return;
    }
    let _alone = ALONE.lock();
    assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
    // SAFETY: replaces std's handler for the time of this test.
    unsafe {
        let (mut action, mut before): (libc::sigaction, libc::sigaction) = (std::mem::zeroed(), std::mem::zeroed());
        action.sa_sigaction = (skip as *const ()).addr();
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        assert_eq!(libc::sigaction(libc::SIGSEGV, &action, &mut before), 0);
        fault_in_root();
        let fault = in_domain(&DOMAIN, || asm!("mov byte ptr [8], 0"));
        assert_eq!(fault.unwrap_err().address(), Some(8));
        fault_in_root();
        assert_eq!(HANDLED.load(Ordering::Relaxed), 2);
        assert_eq!(libc::sigaction(libc::SIGSEGV, &before, &mut action), 0);
        assert_eq!(action.sa_sigaction, (skip as *const ()).addr());
    }
}
