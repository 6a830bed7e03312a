//! Who may be in a domain when: seats that threads keep, lose to others, leak, and give back; and attempts that failed for
//! a reason that passes.

mod support;

use isolate_rt::{Domain, Fault, FaultKind, Unsupported};
use std::arch::asm;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, Ordering};
use std::sync::{Barrier, mpsc};
use std::time::Duration;
use support::{End, child, give_up_membarrier, isolation, role};

fn in_domain<R: Copy>(domain: &'static Domain, f: impl FnOnce() -> R + Copy) -> Result<R, Fault> {
    // SAFETY: the closures of this file return numbers only.
    unsafe { domain.call("test")?.run(f) }
}

/// Sixty threads that stay, and forty seats: who calls takes a seat from somebody who keeps one without using it. Each finds
/// in its staged memory and on its stack what it has put there itself.
#[test]
fn idle_threads_lose_their_seats_to_others() {
    static CROWDED: Domain = Domain::new("crowded").stack_size(64 << 10);
    const THREADS: usize = 60;
    if !isolation() {
        return;
    }
    if role().is_some() {
        // SAFETY: returns a number.
        assert_eq!(unsafe { CROWDED.call("first").unwrap().run(|| 1) }, Ok(1));
        give_up_membarrier();
    } else {
        let output = child("idle_threads_lose_their_seats_to_others", "without membarrier");
        assert_eq!(End::from(&output), End::Status(0), "{}", String::from_utf8_lossy(&output.stdout));
    }
    let barrier = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for number in 0..THREADS {
            let barrier = &barrier;
            scope.spawn(move || {
                for _ in 0..4 {
                    barrier.wait();
                    let mut call = CROWDED.call("sum").unwrap();
                    let staged = call.inout(&[number; 50]).unwrap();
                    let start = staged.as_ptr();
                    // SAFETY: reads the 50 staged numbers.
                    let sum = unsafe { call.run(|| (0..50).map(|at| start.add(at).read_volatile()).sum::<usize>()) };
                    assert_eq!(sum, Ok(50 * number));
                    let mut back = [0; 50];
                    assert_eq!(call.take(staged, 50, &mut back), 50);
                    assert_eq!(back, [number; 50]);
                }
            });
        }
    });
}

/// Threads that come, make a call and end, while others take the seats that they keep: each has its seat to itself.
#[test]
fn seats_of_ending_threads_go_to_one_thread_each() {
    static CHURNED: Domain = Domain::new("churned").stack_size(64 << 10);
    if !isolation() {
        return;
    }
    // Returns how often the domain found another thread's number where it had put its own.
    let stay = |number: usize| {
        let mut call = CHURNED.call("stay").unwrap();
        let staged = call.output::<usize>(1).unwrap();
        let mine = staged.as_mut_ptr();
        // SAFETY: writes and reads the staged number.
        let wrong = unsafe {
            call.run(|| {
                (0..200)
                    .filter(|_| {
                        mine.write_volatile(number);
                        libc::syscall(libc::SYS_sched_yield);
                        mine.read_volatile() != number
                    })
                    .count()
            })
        };
        assert_eq!(wrong, Ok(0), "two threads on one seat");
    };
    std::thread::scope(|scope| {
        for number in 0..70 {
            scope.spawn(move || {
                for round in 0..10 {
                    std::thread::spawn(move || stay(100 * number + round)).join().unwrap();
                }
            });
        }
    });
}

/// A call that nobody ends keeps its seat, but not for longer than its thread.
#[test]
fn leaked_calls_end_with_their_threads() {
    static LEAKY: Domain = Domain::new("leaky").stack_size(64 << 10);
    if !isolation() {
        return;
    }
    for _ in 0..3 {
        let leak = || {
            for _ in 0..15 {
                std::mem::forget(LEAKY.call("leaked").unwrap());
            }
        };
        std::thread::spawn(leak).join().unwrap();
    }
    let (sender, receiver) = mpsc::channel();
    // By itself: were no seat left, it would wait for ever.
    std::thread::spawn(move || sender.send(in_domain(&LEAKY, || 1)));
    assert_eq!(receiver.recv_timeout(Duration::from_secs(20)), Ok(Ok(1)), "45 leaked calls, 40 seats");
}

/// Two calls of one thread at once: the second takes a seat that is not kept.
#[test]
fn calls_of_one_thread_overlap() {
    static TWICE: Domain = Domain::new("twice");
    if !isolation() {
        return;
    }
    let mut outer = TWICE.call("outer").unwrap();
    let staged = outer.inout(&[7u8; 100]).unwrap();
    let mut inner = TWICE.call("inner").unwrap();
    let scratch = inner.output::<u8>(100).unwrap();
    let into = scratch.as_mut_ptr();
    // SAFETY: fills the inner call's 100 bytes.
    unsafe { inner.run(|| into.write_bytes(9, 100)) }.unwrap();
    // SAFETY: does nothing.
    unsafe { outer.run(|| ()) }.unwrap();
    let (mut of_outer, mut of_inner) = ([0; 100], [0; 100]);
    outer.take(staged, 100, &mut of_outer);
    inner.take(scratch, 100, &mut of_inner);
    assert_eq!((of_outer, of_inner), ([7; 100], [9; 100]));
}

/// A signal handler that calls the domain which its own thread is just discarding: it cannot wait for itself.
#[test]
fn a_handler_does_not_wait_for_its_own_thread() {
    static FAILING: Domain = Domain::new("failing");
    // Threads: `HELD` is inside and in a handler of the program, so that it cannot be sent out; the other fails.
    static IN_HANDLER: AtomicBool = AtomicBool::new(false);
    static GO_ON: AtomicBool = AtomicBool::new(false);
    static ANSWER: AtomicU8 = AtomicU8::new(0);
    static FAILER: AtomicI32 = AtomicI32::new(0);
    extern "C" fn hold(_: i32) {
        IN_HANDLER.store(true, Ordering::Release);
        while !GO_ON.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    extern "C" fn ask(_: i32) {
        let answer = match in_domain(&FAILING, || 1) {
            Err(fault) if fault.kind() == &FaultKind::InSignalHandler => 1,
            _ => 2,
        };
        ANSWER.store(answer, Ordering::Release);
    }
    if !isolation() {
        return;
    }
    assert_eq!(in_domain(&FAILING, || 1), Ok(1));
    let handle = |signal: i32, handler: extern "C" fn(i32)| {
        // SAFETY: a handler for a signal that no other test of this file uses.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as *const () as usize;
            action.sa_flags = libc::SA_RESTART;
            assert_eq!(libc::sigaction(signal, &action, ptr::null_mut()), 0);
        }
    };
    handle(libc::SIGUSR1, hold);
    handle(libc::SIGUSR2, ask);
    std::thread::scope(|scope| {
        let held = scope.spawn(|| {
            // SAFETY: asks for a number.
            let tid = unsafe { libc::gettid() };
            in_domain(&FAILING, || {
                // SAFETY: sends this thread a signal.
                unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, libc::SIGUSR1) }
            })
        });
        while !IN_HANDLER.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        let failer = scope.spawn(|| {
            // SAFETY: asks for a number.
            FAILER.store(unsafe { libc::gettid() }, Ordering::Release);
            in_domain(&FAILING, || {
                // SAFETY: ends the call.
                unsafe { asm!("ud2") }
            })
        });
        // It will be at it for as long as the other is held. A signal that comes too early finds the domain in order.
        for _ in 0..1000 {
            std::thread::sleep(Duration::from_millis(20));
            let tid = FAILER.load(Ordering::Acquire);
            // SAFETY: sends a signal to a thread that is not joined yet.
            unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, libc::SIGUSR2) };
            if ANSWER.load(Ordering::Acquire) == 1 {
                break;
            }
        }
        GO_ON.store(true, Ordering::Release);
        assert_eq!(ANSWER.load(Ordering::Acquire), 1, "the handler got no answer");
        assert_eq!(failer.join().unwrap().unwrap_err().kind(), &FaultKind::IllegalInstruction);
        // It may have been on its way out.
        let held = held.join().unwrap();
        assert!(held.is_ok() || held.unwrap_err().kind() == &FaultKind::DomainLost);
    });
    assert_eq!(in_domain(&FAILING, || 2), Ok(2));
}

/// No address space when the domain is first called, and some later: what the machine cannot do now is asked again.
#[test]
fn a_passing_shortage_is_not_remembered() {
    const NAME: &str = "a_passing_shortage_is_not_remembered";
    static SHORT: Domain = Domain::new("short");
    if role().is_some() {
        let limit = |bytes| {
            let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
            // SAFETY: a limit of this process.
            assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
        };
        // Far less than the reservation of all domains, which is terabytes.
        limit(64 << 30);
        let short = SHORT.call("short").map(drop).unwrap_err();
        let is_shortage = |kind: &FaultKind| {
            matches!(kind, FaultKind::Unsupported(Unsupported::System { call: "mmap", errno: libc::ENOMEM }))
        };
        assert!(is_shortage(short.kind()), "{short}");
        assert!(is_shortage(SHORT.call("short").map(drop).unwrap_err().kind()));
        limit(libc::RLIM_INFINITY);
        assert_eq!(in_domain(&SHORT, || 3), Ok(3));
        std::process::exit(77);
    }
    if isolation() {
        let output = child(NAME, "short");
        assert_eq!(End::from(&output), End::Status(77), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// What looks around in a call is put away: when the call is over, it looks at nothing.
#[test]
fn nobody_looks_around_in_a_call_that_is_over() {
    static OVER: Domain = Domain::new("over");
    if !isolation() {
        return;
    }
    let mut call = OVER.call("first").unwrap();
    // SAFETY: allocates.
    let block = unsafe { call.run(|| libc::calloc(1, 8)) }.unwrap().cast::<u64>();
    let inside = call.inside();
    // SAFETY: `calloc` gave it out.
    assert!(unsafe { inside.adopt(block) }.unwrap().is_some());
    drop(call);
    // SAFETY: with isolation nothing is owed.
    assert_eq!(unsafe { inside.adopt(block) }.unwrap_err().kind(), &FaultKind::DomainLost);
    // Nor does it when another thread has been there.
    let elsewhere = std::thread::spawn(|| in_domain(&OVER, || 1));
    assert_eq!(elsewhere.join().unwrap(), Ok(1));
    // SAFETY: with isolation nothing is owed.
    assert_eq!(unsafe { inside.values(block, 1) }.unwrap_err().kind(), &FaultKind::DomainLost);
}

/// A first attempt that had laid out all but the first seat: the second goes on with it, and two threads in there have two seats.
#[test]
fn a_domain_whose_first_attempt_failed_half_way() {
    const NAME: &str = "a_domain_whose_first_attempt_failed_half_way";
    static DOMAIN: Domain = Domain::new("half way").stack_size(1 << 30);
    if !isolation() {
        return;
    }
    if role().is_none() {
        let output = child(NAME, "limited");
        assert_eq!(End::from(&output), End::Status(0), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let limit = |bytes: libc::rlim_t| {
        let limit = libc::rlimit { rlim_cur: bytes, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: a limit of this child. It counts writable memory, as a seat's stack is from its first call on.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_DATA, &limit) }, 0);
    };
    limit(1 << 29);
    for _ in 0..2 {
        let fault = DOMAIN.call("first").unwrap_err();
        assert!(
            matches!(fault.kind(), FaultKind::Unsupported(Unsupported::System { call: "pkey_mprotect", .. })),
            "{fault}"
        );
    }
    limit(libc::RLIM_INFINITY);
    let mut mine = DOMAIN.call("mine").unwrap();
    let staged = mine.inout(&[1u8; 100]).unwrap();
    let theirs = std::thread::spawn(|| DOMAIN.call("theirs").unwrap().inout(&[2u8; 100]).unwrap().as_ptr().addr());
    assert_ne!(theirs.join().unwrap(), staged.as_ptr().addr());
    // SAFETY: does nothing.
    unsafe { mine.run(|| ()) }.unwrap();
    let mut taken = [0; 100];
    mine.take(staged, 100, &mut taken);
    assert_eq!(taken, [1; 100]);
}
