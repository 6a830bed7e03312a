//! Whatever libc has beside `sigaction` and `sigprocmask` to set handlers, masks and signal stacks: the program's do what they did
//! without the runtime, and disarm nothing.

mod support;

use isolate_rt::{Domain, Fault, FaultKind};
use std::arch::asm;
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{mem, ptr, thread};
use support::{__sysv_signal, End, bsd_signal, child, isolation, of_libc, role, sigset, ssignal, sysv_signal};

static DOMAIN: Domain = Domain::new("disarmed");
static INNER: Domain = Domain::new("inner");

thread_local! {
    static MINE: Cell<usize> = const { Cell::new(0) };
}
static SEEN: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" {
    fn siginterrupt(number: i32, interrupts: i32) -> i32;
    fn sighold(number: i32) -> i32;
    fn sigrelse(number: i32) -> i32;
    fn sigblock(mask: i32) -> i32;
    fn sigsetmask(mask: i32) -> i32;
}

/// Signal settings are the process's: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn in_domain<R: Copy>(domain: &'static Domain, f: impl FnOnce() -> R + Copy) -> Result<R, Fault> {
    // SAFETY: the closures of this file return numbers only.
    unsafe { domain.call("test")?.run(f) }
}

fn fails_and_comes_back() {
    // SAFETY: ends the call.
    let fault = in_domain(&DOMAIN, || unsafe { asm!("mov byte ptr [8], 0") }).unwrap_err();
    assert_eq!(fault.address(), Some(8), "{fault}");
}

fn setting(number: i32) -> libc::sigaction {
    // SAFETY: asks.
    unsafe {
        let mut now = mem::zeroed();
        assert_eq!(libc::sigaction(number, ptr::null(), &mut now), 0);
        now
    }
}

/// Sends this thread a signal.
fn send(number: i32) {
    // SAFETY: a signal that the program handles.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), libc::gettid(), number) };
}

/// What C programs call as `signal` is one of two functions, by the standard that they are compiled for, and there are others. Each
/// handler runs as the program's where it interrupts a domain, and programs see their own.
#[test]
fn handlers_by_every_name_of_signal() {
    extern "C" fn look(_: i32) {
        SEEN.fetch_add(if MINE.get() == 7 { 1 } else { 1000 }, Ordering::Relaxed);
    }
    const RESETS: i32 = libc::SA_RESETHAND | libc::SA_NODEFER;
    type Signal = unsafe extern "C" fn(i32, usize) -> usize;
    let names: [(&str, Signal, i32); 5] = [
        ("__sysv_signal", __sysv_signal, RESETS),
        ("sysv_signal", sysv_signal, RESETS),
        ("bsd_signal", bsd_signal, libc::SA_RESTART),
        ("ssignal", ssignal, libc::SA_RESTART),
        ("sigset", sigset, 0),
    ];
    if !isolation() {
        return;
    }
    let _alone = alone();
    MINE.set(7);
    assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
    for (name, install, flags) in names {
        SEEN.store(0, Ordering::Relaxed);
        // SAFETY: a handler for a signal that no other test of this file uses.
        let before = unsafe { install(libc::SIGUSR2, look as *const () as usize) };
        assert_eq!(before, libc::SIG_DFL, "{name}");
        let now = setting(libc::SIGUSR2);
        assert_eq!((now.sa_sigaction, now.sa_flags & !0x0400_0000), (look as *const () as usize, flags), "{name}");
        assert_eq!(in_domain(&DOMAIN, || send(libc::SIGUSR2)), Ok(()), "{name}");
        assert_eq!(SEEN.load(Ordering::Relaxed), 1, "{name}");
        let after = if flags == RESETS { libc::SIG_DFL } else { now.sa_sigaction };
        assert_eq!(setting(libc::SIGUSR2).sa_sigaction, after, "{name}");
        // SAFETY: no handler.
        assert_ne!(unsafe { libc::signal(libc::SIGUSR2, libc::SIG_DFL) }, libc::SIG_ERR);
    }
    // SAFETY: no handler; then one, whose system calls are to be interrupted.
    unsafe {
        assert_eq!(siginterrupt(libc::SIGUSR2, 1), 0);
        libc::signal(libc::SIGUSR2, look as *const () as usize);
        assert_eq!(setting(libc::SIGUSR2).sa_flags & libc::SA_RESTART, 0);
        assert_eq!(siginterrupt(libc::SIGUSR2, 0), 0);
        assert_ne!(setting(libc::SIGUSR2).sa_flags & libc::SA_RESTART, 0);
        assert_eq!(sigset(libc::SIGUSR2, 2), look as *const () as usize, "held from now on");
        assert_eq!(sigset(libc::SIGUSR2, libc::SIG_DFL), 2, "it was held");
    }
}

/// Programs that install one handler for everything also ask for signals that libc refuses.
#[test]
fn a_handler_for_signals_that_libc_refuses() {
    extern "C" fn nothing(_: i32) {}
    if role().is_some() {
        let refused = (0..70).filter(|number| {
            // SAFETY: a handler that does nothing.
            let before = unsafe { libc::signal(*number, nothing as *const () as usize) };
            before == libc::SIG_ERR
        });
        assert_eq!(refused.collect::<Vec<_>>(), [0, 9, 19, 32, 33, 65, 66, 67, 68, 69]);
        // The last real-time signal is to be the runtime's.
        // SAFETY: no handler.
        assert_ne!(unsafe { libc::signal(64, libc::SIG_DFL) }, libc::SIG_ERR);
        assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
        fails_and_comes_back();
        std::process::exit(7);
    }
    if isolation() {
        let output = child("a_handler_for_signals_that_libc_refuses", "before");
        assert_eq!(End::from(&output), End::Status(7), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Whether this thread blocks the signals of faults, and others.
fn blocked() -> (bool, bool) {
    // SAFETY: asks.
    unsafe {
        let mut mask = mem::zeroed();
        assert_eq!(libc::pthread_sigmask(libc::SIG_SETMASK, ptr::null(), &mut mask), 0);
        (libc::sigismember(&mask, libc::SIGSEGV) == 1, libc::sigismember(&mask, libc::SIGTERM) == 1)
    }
}

type OfNumber = unsafe extern "C" fn(i32) -> i32;

/// No function of libc that changes a mask blocks the signals of faults, outside; inside, none changes it at all.
#[test]
fn masks_by_every_name() {
    if !isolation() {
        return;
    }
    let _alone = alone();
    assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
    extern "C" fn hold(number: i32) -> i32 {
        // SAFETY: no handler.
        i32::from(unsafe { sigset(number, 2) } == libc::SIG_ERR)
    }
    let libcs = |name| {
        // SAFETY: a function of libc with this type.
        unsafe { mem::transmute::<*mut libc::c_void, OfNumber>(of_libc(name)) }
    };
    let check = move |change: OfNumber, argument: i32, expected: (bool, bool)| {
        // On a thread of its own, which ends with its mask.
        thread::spawn(move || {
            assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
            // SAFETY: this thread's mask.
            in_domain(&DOMAIN, || unsafe { change(argument) }).unwrap();
            let inside = blocked();
            // SAFETY: as above.
            unsafe { change(argument) };
            (inside, blocked())
        })
        .join()
        .map(|(inside, outside)| assert_eq!((inside, outside), ((false, false), expected)))
        .unwrap();
    };
    check(sighold, libc::SIGSEGV, (false, false));
    check(sighold, libc::SIGTERM, (false, true));
    check(hold, libc::SIGSEGV, (false, false));
    check(hold, libc::SIGTERM, (false, true));
    check(sigblock, !0, (false, true));
    check(sigsetmask, !0, (false, true));
    // The control: libc's own.
    for (change, argument) in [(c"sighold", libc::SIGSEGV), (c"sigblock", !0), (c"sigsetmask", !0)] {
        let change = libcs(change);
        let blocked = thread::spawn(move || {
            assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
            // SAFETY: this thread's mask.
            unsafe { change(argument) };
            blocked().0
        });
        assert!(blocked.join().unwrap());
    }
    thread::spawn(|| {
        assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
        // SAFETY: this thread's mask.
        unsafe { (sigblock(!0), sighold(libc::SIGSEGV), sigrelse(libc::SIGTERM)) };
        assert_eq!(blocked(), (false, false));
        fails_and_comes_back();
    })
    .join()
    .unwrap();
}

/// Functions that wait with another mask leave the signals of faults out of it: what they call meanwhile may make calls.
#[test]
fn masks_while_waiting() {
    const BRIEFLY: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 400_000_000 };
    type PpollChk =
        unsafe extern "C" fn(*mut libc::pollfd, u64, *const libc::timespec, *const libc::sigset_t, usize) -> i32;
    type EpollPwait2 =
        unsafe extern "C" fn(i32, *mut libc::epoll_event, i32, *const libc::timespec, *const libc::sigset_t) -> i32;
    unsafe extern "C" {
        fn __ppoll_chk(
            fds: *mut libc::pollfd,
            count: u64,
            timeout: *const libc::timespec,
            set: *const libc::sigset_t,
            bytes: usize,
        ) -> i32;
    }
    if !isolation() {
        return;
    }
    let _alone = alone();
    assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
    /// Whether the thread blocks `SIGSEGV` while it waits so.
    fn blocks(wait: impl FnOnce(&libc::sigset_t) + Send + 'static) -> bool {
        let (send, receive) = std::sync::mpsc::channel();
        let waiting = thread::spawn(move || {
            // SAFETY: asks; a set of our own.
            unsafe {
                let mut all = mem::zeroed();
                libc::sigfillset(&mut all);
                send.send(libc::gettid()).unwrap();
                wait(&all);
            }
        });
        let status = format!("/proc/self/task/{}/status", receive.recv().unwrap());
        thread::sleep(Duration::from_millis(200));
        let status = std::fs::read_to_string(status).unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:\t")).unwrap();
        waiting.join().unwrap();
        let mask = u64::from_str_radix(mask, 16).unwrap();
        assert_ne!(mask & 1 << (libc::SIGTERM - 1), 0, "it waits with that mask");
        mask & 1 << (libc::SIGSEGV - 1) != 0
    }
    // SAFETY: functions of libc with these types; nothing is waited for.
    unsafe {
        assert!(!blocks(|all| _ = __ppoll_chk(ptr::null_mut(), 0, &BRIEFLY, all, 0)));
        let libcs = mem::transmute::<*mut libc::c_void, PpollChk>(of_libc(c"__ppoll_chk"));
        assert!(blocks(move |all| _ = libcs(ptr::null_mut(), 0, &BRIEFLY, all, 0)));
        // Since glibc 2.35.
        let ours = libc::dlsym(libc::RTLD_DEFAULT, c"epoll_pwait2".as_ptr());
        if !ours.is_null() {
            let waits = |function: *mut libc::c_void| {
                let function = mem::transmute::<*mut libc::c_void, EpollPwait2>(function);
                blocks(move |all| {
                    let epoll = libc::epoll_create1(0);
                    function(epoll, &mut libc::epoll_event { events: 0, u64: 0 }, 1, &BRIEFLY, all);
                    libc::close(epoll);
                })
            };
            assert!(!waits(ours));
            assert!(waits(of_libc(c"epoll_pwait2")));
        }
    }
}

/// A handler may not be on a signal stack and call a domain: the next signal would go over it. That holds for stacks of the program's
/// own, too, as far as it asks libc for them.
#[test]
fn a_call_from_the_programs_own_signal_stack() {
    const NAME: &str = "a_call_from_the_programs_own_signal_stack";
    const SIZE: usize = 128 << 10;
    extern "C" fn call(_: i32) {
        // SAFETY: ends the call.
        let fault = in_domain(&INNER, || unsafe { asm!("ud2") }).unwrap_err();
        SEEN.store(usize::from(fault.kind() == &FaultKind::InSignalHandler), Ordering::Relaxed);
    }
    if let Some(role) = role() {
        assert_eq!(in_domain(&INNER, || 1), Ok(1));
        let stack = Box::leak(vec![0u8; SIZE].into_boxed_slice());
        // SAFETY: a stack that stays, and a handler that is prepared for it.
        unsafe {
            let own = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: SIZE };
            let mut of_runtime = mem::zeroed();
            let done = match role.as_str() {
                "libc" => libc::sigaltstack(&own, &mut of_runtime),
                _ => libc::syscall(libc::SYS_sigaltstack, &raw const own, &raw mut of_runtime) as i32,
            };
            assert_eq!(done, 0);
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = call as *const () as usize;
            action.sa_flags = libc::SA_ONSTACK;
            assert_eq!(libc::sigaction(libc::SIGUSR1, &action, ptr::null_mut()), 0);
            send(libc::SIGUSR1);
            // A call from elsewhere is what it always was; and so it is where the runtime's is back.
            fails_and_comes_back();
            assert_eq!(libc::sigaltstack(&of_runtime, ptr::null_mut()), 0);
            fails_and_comes_back();
        }
        std::process::exit(if SEEN.load(Ordering::Relaxed) == 1 { 7 } else { 1 });
    }
    if isolation() {
        // The control: the runtime does not know of it, and the fault's frame goes over the handler.
        for (role, expected) in [("libc", End::Status(7)), ("raw", End::Signal(libc::SIGSEGV))] {
            let output = child(NAME, role);
            assert_eq!(End::from(&output), expected, "{role}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
}

/// A signal that is sent to the process, or by another one, is the program's, whichever it is. One that a thread sends itself, as
/// `abort` does, ends the call.
#[test]
fn abort_signals_that_are_sent() {
    extern "C" fn count(_: i32) {
        SEEN.fetch_add(1, Ordering::Relaxed);
    }
    if !isolation() {
        return;
    }
    let _alone = alone();
    assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
    SEEN.store(0, Ordering::Relaxed);
    // SAFETY: a handler that counts.
    let before = unsafe { libc::signal(libc::SIGABRT, count as *const () as usize) };
    let sent = |code: i32| {
        in_domain(&DOMAIN, || {
            // SAFETY: sends this thread a signal, with the code that `kill`, `sigqueue` or `raise` give it.
            unsafe {
                let (process, thread) = (libc::getpid(), libc::gettid());
                let mut info: libc::siginfo_t = mem::zeroed();
                info.si_signo = libc::SIGABRT;
                info.si_code = code;
                // The number of the sender, behind the head of three numbers and the gap.
                (&raw mut info).cast::<i32>().add(4).write(process);
                libc::syscall(libc::SYS_rt_tgsigqueueinfo, process, thread, libc::SIGABRT, &raw const info)
            }
        })
    };
    assert_eq!((sent(libc::SI_USER), SEEN.load(Ordering::Relaxed)), (Ok(0), 1));
    assert_eq!((sent(libc::SI_QUEUE), SEEN.load(Ordering::Relaxed)), (Ok(0), 2));
    let fault = sent(libc::SI_TKILL).unwrap_err();
    assert_eq!((fault.kind(), SEEN.load(Ordering::Relaxed)), (&FaultKind::Abort, 2));
    // SAFETY: what there was.
    assert_ne!(unsafe { libc::signal(libc::SIGABRT, before) }, libc::SIG_ERR);
}

/// The program's handler for a fault may leave by `siglongjmp`. The next fault, wherever it is, is answered like the first.
#[test]
fn a_handler_that_jumps_out_is_called_again() {
    const NAME: &str = "a_handler_that_jumps_out_is_called_again";
    /// Where to go on: stack pointer, instruction, frame pointer, and the register that inline assembly cannot name.
    static BACK: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];
    extern "C" fn jump_out(number: i32) {
        SEEN.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as `siglongjmp`: the mask of then, and back to where `fault` is.
        unsafe {
            let mut itself = mem::zeroed();
            libc::sigaddset(&mut itself, number);
            libc::pthread_sigmask(libc::SIG_UNBLOCK, &itself, ptr::null_mut());
            asm!(
                "mov rsp, [{0}]", "mov rbp, [{0} + 16]", "mov rbx, [{0} + 24]", "jmp [{0} + 8]",
                in(reg) BACK.as_ptr(), options(noreturn),
            )
        }
    }
    /// Faults, and comes back when the handler has jumped out.
    #[inline(never)]
    fn fault() {
        // SAFETY: every register that may have changed is said to have, or is put back by `jump_out`.
        unsafe {
            asm!(
                "mov [rdi], rsp", "lea rax, [rip + 2f]", "mov [rdi + 8], rax", "mov [rdi + 16], rbp",
                "mov [rdi + 24], rbx", "mov byte ptr [8], 0", "2:",
                in("rdi") BACK.as_ptr(),
                out("r12") _, out("r13") _, out("r14") _, out("r15") _, clobber_abi("C"),
            )
        }
    }
    extern "C" fn fault_here(_: i32) {
        fault();
    }
    if role().is_some() {
        assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
        // SAFETY: handlers of this child.
        unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_flags = libc::SA_ONSTACK;
            action.sa_sigaction = jump_out as *const () as usize;
            assert_eq!(libc::sigaction(libc::SIGSEGV, &action, ptr::null_mut()), 0);
            action.sa_sigaction = fault_here as *const () as usize;
            assert_eq!(libc::sigaction(libc::SIGUSR1, &action, ptr::null_mut()), 0);
        }
        fault();
        send(libc::SIGUSR1);
        fault();
        fails_and_comes_back();
        std::process::exit(if SEEN.load(Ordering::Relaxed) == 3 { 7 } else { 1 });
    }
    if isolation() {
        let output = child(NAME, "jump");
        assert_eq!(End::from(&output), End::Status(7), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Who changes the handler of a fault while the first domain is made does not take the runtime's away.
#[test]
fn a_fault_handler_changed_while_the_first_domain_is_made() {
    const NAME: &str = "a_fault_handler_changed_while_the_first_domain_is_made";
    const ROUNDS: usize = 4;
    extern "C" fn wrong(_: i32) {
        // SAFETY: ends the child: no fault of the program's.
        unsafe { libc::_exit(77) };
    }
    if role().is_some() {
        let (stop, turns) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                while stop.load(Ordering::Relaxed) == 0 {
                    for handler in [wrong as *const () as usize, libc::SIG_DFL, libc::SIG_IGN] {
                        for number in [libc::SIGSEGV, libc::SIGILL, libc::SIGFPE, libc::SIGSYS] {
                            // SAFETY: a handler, or none.
                            unsafe { libc::signal(number, handler) };
                        }
                    }
                    turns.fetch_add(1, Ordering::Relaxed);
                }
            });
            while turns.load(Ordering::Relaxed) < 10 {
                thread::yield_now();
            }
            assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
            stop.store(1, Ordering::Relaxed);
        });
        fails_and_comes_back();
        // SAFETY: ends the call.
        let fault = in_domain(&DOMAIN, || unsafe { asm!("ud2") }).unwrap_err();
        assert_eq!(fault.kind(), &FaultKind::IllegalInstruction);
        std::process::exit(7);
    }
    if isolation() {
        for _ in 0..ROUNDS {
            let output = child(NAME, "race");
            assert_eq!(End::from(&output), End::Status(7), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}
