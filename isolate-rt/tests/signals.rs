//! The program's signal handlers run as the program's whatever they interrupt, and a domain cannot disarm the runtime.

mod support;

use isolate_rt::{Domain, FaultKind, HeapKind};
use std::arch::asm;
use std::cell::Cell;
use std::os::unix::thread::JoinHandleExt as _;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};
use support::{End, child, give_to_the_kernel, isolation, role};

static DOMAIN: Domain = Domain::new("interrupted");
/// Calls of tests beside these do not fail in there.
static CALM: Domain = Domain::new("calm");
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
    let inside = in_domain(&CALM, || {
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
        in_domain(&CALM, || {
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

/// One that was installed past the runtime, before the first domain, is entered like any other. After it, it would run with the
/// domain's thread-locals, so it does not get the rights that it needs there.
#[test]
fn a11_handler_started_on_the_stack_of_the_domain() {
    const NAME: &str = "a11_handler_started_on_the_stack_of_the_domain";
    /// Whether the thread-locals are the program's.
    extern "C" fn look(_: i32) {
        // SAFETY: ends the child.
        unsafe { libc::syscall(libc::SYS_exit_group, if MINE.get() == 7 { 78 } else { 77 }) };
    }
    if let Some(role) = role() {
        MINE.set(7);
        if role == "after" {
            assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
        }
        give_to_the_kernel(libc::SIGUSR1, look, 0);
        let _ = in_domain(&DOMAIN, || {
            // SAFETY: sends this thread a signal.
            unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), libc::gettid(), libc::SIGUSR1) }
        });
        std::process::exit(1);
    }
    check_handler(0);
    if isolation() {
        for (role, expected) in [("before", End::Status(78)), ("after", End::Signal(libc::SIGSEGV))] {
            let output = child(NAME, role);
            assert_eq!(End::from(&output), expected, "{role}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// The thread that signals of the process are for, in a child.
static TESTER: AtomicI32 = AtomicI32::new(0);

/// On whichever thread the kernel chose: as if it had chosen that one.
extern "C" fn on_the_tester(signal: i32) {
    let tester = TESTER.load(Ordering::Relaxed);
    // SAFETY: asks, and sends a signal to a thread of this process.
    unsafe {
        if libc::gettid() == tester {
            handler(signal);
        } else {
            libc::syscall(libc::SYS_tgkill, libc::getpid(), tester, signal);
        }
    }
}

/// What comes from outside while a domain computes: two timers, and the end of a child.
#[test]
fn a11_alarms_profiles_and_children() {
    const NAME: &str = "a11_alarms_profiles_and_children";
    if role().is_none() {
        if isolation() {
            // Alone in its process, which these signals are sent to.
            let output = child(NAME, "alone");
            assert_eq!(End::from(&output), End::Status(0), "{}", String::from_utf8_lossy(&output.stdout));
        }
        return;
    }
    MINE.set(7);
    // SAFETY: asks for a number.
    TESTER.store(unsafe { libc::gettid() }, Ordering::Relaxed);
    let inside = in_domain(&DOMAIN, || {
        let local = 0u8;
        (&raw const local).addr()
    });
    INSIDE.store(inside.unwrap(), Ordering::Relaxed);
    assert_eq!(in_domain(&INNER, || 5), Ok(5));
    let timer = |which: i32, micros| {
        let every = libc::timeval { tv_sec: 0, tv_usec: micros };
        let timer = libc::itimerval { it_interval: every, it_value: every };
        // SAFETY: a timer of this process.
        assert_eq!(unsafe { libc::syscall(libc::SYS_setitimer, which, &timer, ptr::null_mut::<u8>()) }, 0);
    };
    for signal in [libc::SIGALRM, libc::SIGPROF, libc::SIGCHLD] {
        SEEN.store(0, Ordering::Relaxed);
        // SAFETY: a handler of this process.
        unsafe { assert_ne!(libc::signal(signal, on_the_tester as *const () as usize), libc::SIG_ERR) };
        let wanted = match signal {
            libc::SIGALRM => {
                timer(libc::ITIMER_REAL, 5_000);
                3
            }
            libc::SIGPROF => {
                timer(libc::ITIMER_PROF, 5_000);
                3
            }
            _ => {
                // SAFETY: a child that waits, and ends past everything.
                unsafe {
                    if libc::fork() == 0 {
                        libc::usleep(300_000);
                        libc::_exit(0);
                    }
                }
                1
            }
        };
        // Reads what the handlers write, and goes on until they have: they come while it is inside.
        let seen = in_domain(&DOMAIN, || {
            while SEEN.load(Ordering::Relaxed) < wanted {
                std::hint::spin_loop();
            }
            SEEN.load(Ordering::Relaxed)
        });
        timer(libc::ITIMER_REAL, 0);
        timer(libc::ITIMER_PROF, 0);
        assert!(seen.unwrap() >= wanted);
        assert_eq!(WRONG.load(Ordering::Relaxed), 0, "signal {signal}");
    }
}

/// Data alone can make a domain's stack pointer any address of the program (a saved `rbp` overwritten, then `leave`). A signal that
/// comes before the next push must not make the kernel write there.
#[test]
fn a_signal_at_a_stack_pointer_of_the_program() {
    const SIZE: usize = 256 << 10;
    extern "C" fn count(_: i32) {
        SEEN.fetch_add(1, Ordering::Relaxed);
    }
    if !isolation() {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let victim = vec![0x5au8; SIZE];
    // SAFETY: asks for numbers.
    let (process, thread) = unsafe { (libc::getpid(), libc::gettid()) };
    let end = victim.as_ptr_range().end.addr() & !63;
    let interrupted_there = || {
        SEEN.store(0, Ordering::Relaxed);
        let result = in_domain(&DOMAIN, || {
            // SAFETY: sends this thread the signal (tgkill(2)); the stack pointer is what it was afterwards.
            unsafe {
                asm!(
                    "mov r12, rsp", "mov rsp, r13", "syscall", "mov rsp, r12",
                    inout("rax") libc::SYS_tgkill => _, in("rdi") process, in("rsi") thread, in("rdx") libc::SIGWINCH,
                    in("r13") end, out("r12") _, out("rcx") _, out("r11") _,
                )
            }
        });
        assert_eq!((result, SEEN.load(Ordering::Relaxed)), (Ok(()), 1));
        victim.iter().any(|byte| std::hint::black_box(*byte) != 0x5a)
    };
    // SAFETY: a handler for a signal that no other test of this file uses.
    unsafe { assert_ne!(libc::signal(libc::SIGWINCH, count as *const () as usize), libc::SIG_ERR) };
    assert!(!interrupted_there());
    // The control: past the runtime.
    give_to_the_kernel(libc::SIGWINCH, count, 0);
    assert!(interrupted_there());
}

/// A raw system call makes a process that shares the memory, and that the runtime does not know. A fault of it must not give it
/// the rights of the program.
#[test]
fn a_fault_of_a_child_of_a_raw_system_call() {
    static VICTIM: AtomicUsize = AtomicUsize::new(0);
    if !isolation() {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // SAFETY: a block of another domain, with a number in it.
    let block = in_domain(&INNER, || unsafe { libc::calloc(1, 8).cast::<u64>() }).unwrap().addr();
    let ends = |read: usize, write: usize| {
        let child = in_domain(&DOMAIN, || {
            let child: usize;
            // SAFETY: a child on a stack of its own in the domain, which reads, writes and exits.
            unsafe {
                let stack = (libc::malloc(128 << 10).addr() + (127 << 10)) & !15;
                asm!(
                    "syscall", "test eax, eax", "jnz 2f",
                    "mov rax, [r12]", "mov qword ptr [r13], 1", "xor edi, edi", "mov eax, {exit}", "syscall",
                    "2:",
                    exit = const libc::SYS_exit_group,
                    inout("rax") libc::SYS_clone as usize => child,
                    in("rdi") libc::CLONE_VM | libc::SIGCHLD, in("rsi") stack, in("rdx") 0, in("r10") 0, in("r8") 0,
                    in("r12") read, in("r13") write, out("rcx") _, out("r11") _,
                )
            }
            child
        });
        let (child, mut status) = (child.unwrap() as i32, 0);
        // SAFETY: waits for the child.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        if libc::WIFSIGNALED(status) { End::Signal(libc::WTERMSIG(status)) } else { End::Status(status) }
    };
    assert_eq!(ends(block, VICTIM.as_ptr().addr()), End::Signal(libc::SIGSEGV));
    assert_eq!(VICTIM.load(Ordering::Relaxed), 0);
    // SAFETY: as above. The control: what it may read and write.
    let own = in_domain(&DOMAIN, || unsafe { libc::calloc(1, 8).addr() }).unwrap();
    assert_eq!(ends(own, own), End::Status(0));
}

/// Where no domain was interrupted, a handler that asks for no other stack runs on the interrupted one: with all its room, also on
/// threads whose alternate stack is std's, from where it may call domains, and within another one.
#[test]
fn a_handler_runs_on_the_stack_that_it_interrupts() {
    const DEPTH: usize = 300 << 10;
    static FAR: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn deep(number: i32) {
        let room = [number as u8; DEPTH];
        let distance = HERE.get().abs_diff(std::hint::black_box(&room).as_ptr().addr());
        if distance > 3 * DEPTH {
            FAR.fetch_add(1, Ordering::Relaxed);
        }
        if number == libc::SIGUSR1 {
            // SAFETY: sends this thread another one.
            unsafe { libc::raise(libc::SIGUSR2) };
        } else if in_domain(&INNER, || 5) != Ok(5) {
            WRONG.fetch_add(1, Ordering::Relaxed);
        }
        SEEN.fetch_add(1, Ordering::Relaxed);
    }
    thread_local! {
        static HERE: Cell<usize> = const { Cell::new(0) };
    }
    if !isolation() {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let install = |flags: i32| {
        // SAFETY: a handler for signals of this thread.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = (deep as *const ()).addr();
            action.sa_flags = flags;
            assert_eq!(libc::sigaction(libc::SIGUSR1, &action, ptr::null_mut()), 0);
            assert_eq!(libc::sigaction(libc::SIGUSR2, &action, ptr::null_mut()), 0);
        }
    };
    // Before the first domain, where this test is the first.
    install(0);
    assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
    for is_new in [false, true] {
        let run = move || {
            SEEN.store(0, Ordering::Relaxed);
            WRONG.store(0, Ordering::Relaxed);
            FAR.store(0, Ordering::Relaxed);
            let local = 0u8;
            HERE.set((&raw const local).addr());
            let sum = || (1..700_000).fold((0u64, 0f64), |(n, x), i| (n ^ i, (x + i as f64) * 0.5));
            let expected = std::hint::black_box(sum());
            // What was interrupted goes on with all its registers.
            assert_eq!(
                interrupted(Duration::from_millis(7), || (0..3).map(|_| sum()).collect::<Vec<_>>()),
                [expected; 3]
            );
            let [seen, wrong, far] = [&SEEN, &WRONG, &FAR].map(|it| it.load(Ordering::Relaxed));
            assert!(seen > 4 && seen.is_multiple_of(2), "{seen} of two each");
            assert_eq!((wrong, far), (0, 0), "of {seen}");
        };
        if is_new { std::thread::spawn(run).join().unwrap() } else { run() }
    }
    // The control: one that asks for the alternate stack is far away, and can make no call there; nor is there so much room.
    extern "C" fn shallow(_: i32) {
        let local = 0u8;
        FAR.fetch_add(usize::from(HERE.get().abs_diff((&raw const local).addr()) > 2 * DEPTH), Ordering::Relaxed);
        WRONG.fetch_add(usize::from(in_domain(&INNER, || 5).is_err()), Ordering::Relaxed);
    }
    // SAFETY: as above.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = (shallow as *const ()).addr();
        action.sa_flags = libc::SA_ONSTACK;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &action, ptr::null_mut()), 0);
        let local = 0u8;
        HERE.set((&raw const local).addr());
        libc::raise(libc::SIGUSR1);
    }
    assert_eq!([&WRONG, &FAR].map(|it| it.load(Ordering::Relaxed)), [1, 1]);
}

/// Who looks from a handler at what was interrupted finds it, on whichever stack the handler runs.
#[test]
fn backtraces_of_handlers() {
    static SEEN: Mutex<String> = Mutex::new(String::new());
    extern "C" fn look(_: i32) {
        *SEEN.lock().unwrap() = std::backtrace::Backtrace::force_capture().to_string();
    }
    #[inline(never)]
    extern "C" fn interrupted_by_itself() -> i32 {
        // SAFETY: sends this thread a signal, whose handler uses nothing that is in use.
        unsafe { libc::raise(libc::SIGUSR2) }
    }
    if !isolation() {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
    for flags in [0, libc::SA_ONSTACK] {
        // SAFETY: a handler for a signal of this thread.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = (look as *const ()).addr();
            action.sa_flags = flags;
            assert_eq!(libc::sigaction(libc::SIGUSR2, &action, ptr::null_mut()), 0);
        }
        assert_eq!(interrupted_by_itself(), 0);
        let seen = std::mem::take(&mut *SEEN.lock().unwrap());
        assert!(seen.contains("interrupted_by_itself"), "{flags}: {seen}");
    }
    // Also one that interrupts a domain: as far as the gate.
    let _ = in_domain(&DOMAIN, || interrupted_by_itself());
    let seen = std::mem::take(&mut *SEEN.lock().unwrap());
    assert!(seen.contains("interrupted_by_itself"), "{seen}");
}

/// Whatever a handler was installed with before the first domain: a fault of a call that it makes ends that call.
#[test]
fn a_handler_installed_before_the_first_domain_with_every_signal_blocked() {
    const NAME: &str = "a_handler_installed_before_the_first_domain_with_every_signal_blocked";
    static HURRIED: Domain = Domain::new("hurried").deadline(Duration::from_millis(20));
    extern "C" fn fail(_: i32) {
        // SAFETY: ends the call.
        let fault = in_domain(&INNER, || unsafe { asm!("ud2") }).unwrap_err();
        let late: Result<(), _> = in_domain(&HURRIED, || {
            loop {
                std::hint::spin_loop();
            }
        });
        SEEN.fetch_add(
            usize::from(
                fault.kind() == &FaultKind::IllegalInstruction && late.unwrap_err().kind() == &FaultKind::Timeout,
            ),
            Ordering::Relaxed,
        );
    }
    if !isolation() {
        return;
    }
    if role().is_none() {
        let output = child(NAME, "before");
        assert_eq!(End::from(&output), End::Status(78), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    // SAFETY: a handler for a signal of this process.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = (fail as *const ()).addr();
        libc::sigfillset(&mut action.sa_mask);
        assert_eq!(libc::sigaction(libc::SIGTERM, &action, ptr::null_mut()), 0);
        assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
        libc::raise(libc::SIGTERM);
        let mut now = std::mem::zeroed();
        assert_eq!(libc::sigaction(libc::SIGTERM, ptr::null(), &mut now), 0);
        assert_eq!((now.sa_sigaction, now.sa_flags), (action.sa_sigaction, 0), "programs see their own");
        assert_eq!(libc::sigismember(&now.sa_mask, libc::SIGSEGV), 1);
    }
    std::process::exit(if SEEN.load(Ordering::Relaxed) == 1 { 78 } else { 77 });
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
/// An ordinary mask and `errno` are after a fault what they were before the call.
#[test]
fn mask_and_errno_after_a_fault() {
    if !isolation() {
        return;
    }
    // On a thread of its own, whose mask nobody else looks at.
    let seen = std::thread::spawn(|| {
        // Its first call makes it ready.
        in_domain(&DOMAIN, || ()).unwrap();
        // SAFETY: settings of this thread.
        unsafe {
            let (mut set, mut now) = std::mem::zeroed::<(libc::sigset_t, libc::sigset_t)>();
            for signal in [libc::SIGUSR1, libc::SIGTERM, libc::SIGWINCH] {
                libc::sigaddset(&mut set, signal);
            }
            libc::pthread_sigmask(libc::SIG_SETMASK, &set, ptr::null_mut());
            let mask = |now: &mut libc::sigset_t| {
                libc::pthread_sigmask(libc::SIG_SETMASK, ptr::null(), now);
                (1..libc::SIGRTMIN()).filter(|&signal| libc::sigismember(now, signal) == 1).collect::<Vec<_>>()
            };
            let ends: [fn(); 3] = [|| asm!("ud2"), || libc::abort(), || *libc::__errno_location() = 5];
            ends.map(|end| {
                let before = mask(&mut now);
                *libc::__errno_location() = 77;
                let result = in_domain(&DOMAIN, end);
                (result.is_err(), *libc::__errno_location(), mask(&mut now) == before, before.len())
            })
        }
    });
    assert_eq!(seen.join().unwrap(), [(true, 77, true, 3), (true, 77, true, 3), (false, 77, true, 3)]);
}

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

/// A call of another thread, from when it is inside until this is dropped.
struct Inside {
    thread: Option<std::thread::JoinHandle<()>>,
    is_over: &'static AtomicBool,
}

impl Inside {
    fn begin(domain: &'static Domain) -> Self {
        let is_over: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(false)));
        let mut pipe = [0; 2];
        // SAFETY: room for two descriptors.
        assert_eq!(unsafe { libc::pipe(pipe.as_mut_ptr()) }, 0);
        let [from, to] = pipe;
        let thread = std::thread::spawn(move || {
            let call = || {
                // SAFETY: a byte of its own stack.
                unsafe { libc::write(to, [1u8].as_ptr().cast(), 1) };
                while !is_over.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            };
            in_domain(domain, call).unwrap();
        });
        // SAFETY: room for a byte.
        assert_eq!(unsafe { libc::read(from, [0u8].as_mut_ptr().cast(), 1) }, 1);
        // SAFETY: nobody uses them any more.
        unsafe { [libc::close(from), libc::close(to)] };
        Self { thread: Some(thread), is_over }
    }

    fn interrupt(&self, signal: i32) {
        // SAFETY: a thread that was not joined.
        assert_eq!(unsafe { libc::pthread_kill(self.thread.as_ref().unwrap().as_pthread_t(), signal) }, 0);
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// A fork of such a thread, which is older than the domain's key: its child lays out anew what another thread was in.
#[test]
fn a_child_of_a_thread_that_blocks_every_signal() {
    static NEWER: Domain = Domain::new("newer than the thread");
    const FINE: i32 = 7;
    if !isolation() {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (go, may_go) = mpsc::channel();
    let forks = std::thread::spawn(move || {
        may_go.recv().unwrap();
        let (every, mut status) = (u64::MAX, 0);
        // SAFETY: this thread's own mask, past libc. The child ends, and is waited for.
        unsafe {
            libc::syscall(
                libc::SYS_rt_sigprocmask,
                libc::SIG_SETMASK,
                &every,
                ptr::null_mut::<u64>(),
                size_of::<u64>(),
            );
            let child = libc::fork();
            if child == 0 {
                libc::_exit(FINE);
            }
            assert_eq!(libc::waitpid(child, &mut status, 0), child);
        }
        if libc::WIFSIGNALED(status) {
            End::Signal(libc::WTERMSIG(status))
        } else {
            End::Status(libc::WEXITSTATUS(status))
        }
    });
    let _inside = Inside::begin(&NEWER);
    go.send(()).unwrap();
    assert_eq!(forks.join().unwrap(), End::Status(FINE));
}

/// A handler that interrupted a call has the rights that there were when it began. It is told that it cannot call a domain that another
/// thread has made since, as it is of others.
#[test]
fn a_handler_in_a_call_and_a_newer_domain() {
    static NEWER: Domain = Domain::new("newer than the handler");
    static RUNS: AtomicBool = AtomicBool::new(false);
    static IS_MADE: AtomicBool = AtomicBool::new(false);
    static IS_TOLD: AtomicBool = AtomicBool::new(false);
    extern "C" fn call(_: i32) {
        RUNS.store(true, Ordering::Relaxed);
        while !IS_MADE.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        let called = in_domain(&NEWER, || ());
        IS_TOLD.store(called.is_err_and(|fault| fault.kind() == &FaultKind::InSignalHandler), Ordering::Relaxed);
    }
    if !isolation() {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    // SAFETY: a handler.
    let before = unsafe { libc::signal(libc::SIGUSR1, call as extern "C" fn(i32) as usize) };
    let inside = Inside::begin(&DOMAIN);
    inside.interrupt(libc::SIGUSR1);
    while !RUNS.load(Ordering::Relaxed) {
        std::thread::yield_now();
    }
    in_domain(&NEWER, || ()).unwrap();
    IS_MADE.store(true, Ordering::Relaxed);
    drop(inside);
    assert!(IS_TOLD.load(Ordering::Relaxed));
    // SAFETY: what there was.
    unsafe { libc::signal(libc::SIGUSR1, before) };
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
fn a21_the_programs_own_fault_handler_still_works() {
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

/// What the program asked for besides: that its handler is called once, with these signals blocked, and interrupted by its own.
#[test]
fn flags_of_the_programs_fault_handler() {
    const NAME: &str = "flags_of_the_programs_fault_handler";
    extern "C" fn return_to_the_fault(_: i32) {
        if SEEN.fetch_add(1, Ordering::Relaxed) > 0 {
            // SAFETY: ends the child.
            unsafe { libc::_exit(77) };
        }
    }
    extern "C" fn look(number: i32) {
        // SAFETY: asks for this thread's mask.
        unsafe {
            let mut mask = std::mem::zeroed();
            libc::pthread_sigmask(libc::SIG_SETMASK, ptr::null(), &mut mask);
            let blocked = [libc::SIGTERM, number, libc::SIGILL, libc::SIGHUP].map(|it| libc::sigismember(&mask, it));
            libc::_exit(if blocked == [1, 0, 0, 0] { 78 } else { 77 });
        }
    }
    let install_and_fault = |handler: extern "C" fn(i32), flags: i32| {
        // SAFETY: a handler of this child, and a fault of the program.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as *const () as usize;
            action.sa_flags = flags | libc::SA_ONSTACK;
            libc::sigaddset(&mut action.sa_mask, libc::SIGTERM);
            libc::sigaddset(&mut action.sa_mask, libc::SIGILL);
            assert_eq!(libc::sigaction(libc::SIGSEGV, &action, ptr::null_mut()), 0);
            assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
            asm!("mov byte ptr [8], 0")
        }
    };
    match role().as_deref() {
        Some("reset") => install_and_fault(return_to_the_fault, libc::SA_RESETHAND),
        Some("nodefer") => install_and_fault(look, libc::SA_NODEFER),
        _ if !isolation() => {}
        _ => {
            assert_eq!(End::from(&child(NAME, "reset")), End::Signal(libc::SIGSEGV));
            assert_eq!(End::from(&child(NAME, "nodefer")), End::Status(78));
        }
    }
}
