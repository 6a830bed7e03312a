//! Calls that do not end by themselves: computing, or waiting in the kernel.

mod support;

use isolate_rt::{Call, Callbacks, Domain, FaultKind};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use support::{End, child, isolation, role};

static HURRIED: Domain = Domain::new("hurried").deadline(Duration::from_millis(50));

/// The same, looked after by the watchdog.
static WATCHED: Domain = Domain::new("watched").deadline(Duration::from_millis(50)).shared_timer();

/// Far longer than the deadline, far shorter than forever: machines are slow and shared.
const SOON: Duration = Duration::from_secs(5);

fn check(name: &'static str, endless: fn()) {
    // The control waits for a second, in a child: without a deadline it is still at it.
    if role().is_some() {
        static PATIENT: Domain = Domain::new("patient");
        std::thread::spawn(|| {
            std::thread::sleep(Duration::from_secs(1));
            std::process::exit(77);
        });
        // SAFETY: the closures of this file return nothing.
        let _ = unsafe { PATIENT.call(name).unwrap().run(endless) };
        std::process::exit(0);
    }
    if !isolation() {
        return;
    }
    for domain in [&HURRIED, &WATCHED] {
        let start = Instant::now();
        // SAFETY: as above.
        let ended = || unsafe { domain.call(name).unwrap().run(endless) }.expect_err("the call has no end");
        let mut fault = ended();
        // Other tests of this file fail in the same domain.
        while fault.kind() == &FaultKind::DomainLost {
            fault = ended();
        }
        assert_eq!(fault.kind(), &FaultKind::Timeout);
        let took = start.elapsed();
        assert!((Duration::from_millis(50)..SOON).contains(&took), "{took:?}");
        // The next call has its own time.
        // SAFETY: as above.
        let next = || unsafe { domain.call(name).unwrap().run(|| 1) };
        assert_eq!(next().or_else(|_| next()), Ok(1));
    }
    let output = child(name, "control");
    assert_eq!(End::from(&output), End::Status(77), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a5_endless_loop() {
    check("a5_endless_loop", spin_for_ever);
}

/// The signal that has ended a call is not seen by what the program waits for afterwards.
#[test]
fn a_wait_after_a_timeout_is_not_interrupted() {
    if !isolation() {
        return;
    }
    for domain in [&HURRIED, &WATCHED] {
        for _ in 0..5 {
            // SAFETY: returns nothing.
            let ended = unsafe { domain.call("loop").unwrap().run(spin_for_ever) };
            assert!(matches!(ended.unwrap_err().kind(), FaultKind::Timeout | FaultKind::DomainLost));
            let (start, wait) = (Instant::now(), Duration::from_millis(60));
            // SAFETY: waits for nothing but the time.
            let polled = unsafe { libc::poll(ptr::null_mut(), 0, wait.as_millis() as i32) };
            assert_eq!(polled, 0, "{}", std::io::Error::last_os_error());
            assert!(start.elapsed() >= wait);
        }
    }
}

/// What docs/policy.md says of `timer`: on time to a millisecond, or late by a quarter. The best of ten: a machine may be busy.
#[test]
fn deadlines_are_kept() {
    const DEADLINE: Duration = Duration::from_millis(80);
    static OWN: Domain = Domain::new("own timer").deadline(DEADLINE);
    static SHARED: Domain = Domain::new("shared timer").deadline(DEADLINE).shared_timer();
    if !isolation() {
        return;
    }
    // Where every instruction takes ten times as long, coming back takes some of it.
    let emulated = Duration::from_millis(if std::env::var_os("ISOLATE_EMULATED").is_some() { 10 } else { 0 });
    for (domain, bound) in [(&OWN, Duration::from_millis(1)), (&SHARED, DEADLINE / 4)] {
        let late = (0..10).map(|_| {
            let mut call = domain.call("loop").unwrap();
            let start = Instant::now();
            // SAFETY: returns nothing.
            let ended = unsafe { call.run(spin_for_ever) };
            let took = start.elapsed();
            assert_eq!(ended.unwrap_err().kind(), &FaultKind::Timeout);
            took.checked_sub(DEADLINE).expect("no earlier than said")
        });
        let late = late.min().unwrap();
        assert!(late <= bound + emulated, "{domain:?}: late by {late:?}");
    }
}

fn spin_for_ever() {
    loop {
        std::hint::spin_loop();
    }
}

#[test]
fn a5_sleeping() {
    check("a5_sleeping", || {
        let long = libc::timespec { tv_sec: 3600, tv_nsec: 0 };
        // SAFETY: a valid time.
        unsafe { libc::nanosleep(&long, ptr::null_mut()) };
    });
}

#[test]
fn a5_waiting_on_a_futex() {
    check("a5_waiting_on_a_futex", || {
        let word = 0u32;
        // SAFETY: waits for a word of its own stack that nobody changes.
        unsafe { libc::syscall(libc::SYS_futex, &word, libc::FUTEX_WAIT, 0, ptr::null::<libc::timespec>()) };
    });
}

#[test]
fn a5_reading_an_empty_pipe() {
    check("a5_reading_an_empty_pipe", || {
        // SAFETY: a pipe whose other end stays open.
        unsafe {
            let mut ends = [0; 2];
            libc::pipe(ends.as_mut_ptr());
            let mut byte = 0u8;
            libc::read(ends[0], (&raw mut byte).cast(), 1);
        }
    });
}

/// A deadline that passes between two calls, or at the very end of one, ends nothing else.
#[test]
fn short_calls_around_the_deadline() {
    static BRISK: Domain = Domain::new("brisk").deadline(Duration::from_millis(2));
    static SHARED: Domain = Domain::new("brisk and watched").deadline(Duration::from_millis(2)).shared_timer();
    if !isolation() {
        return;
    }
    // Some calls last 2.9 ms, and for the watchdog 8.7.
    short_calls(&BRISK, 1);
    short_calls(&SHARED, 3);
}

fn short_calls(domain: &'static Domain, times: u64) {
    let mut timeouts = 0;
    for round in 0..300u64 {
        let spin = Duration::from_micros(round % 30 * 100 * times);
        let began = Instant::now();
        // SAFETY: returns a number.
        let result = unsafe {
            domain.call("spin").unwrap().run(|| {
                let start = Instant::now();
                while start.elapsed() < spin {}
                7
            })
        };
        match result {
            Ok(value) => assert_eq!(value, 7),
            Err(fault) => {
                assert_eq!(fault.kind(), &FaultKind::Timeout);
                let took = began.elapsed();
                assert!(took >= Duration::from_millis(2), "ended early, after {took:?}");
                timeouts += 1;
            }
        }
    }
    assert!(timeouts > 0);
}

#[test]
fn a_child_of_a_fork_has_deadlines_too() {
    if !isolation() {
        return;
    }
    static OWN: Domain = Domain::new("forking").deadline(Duration::from_millis(50));
    static SHARED: Domain = Domain::new("forking, watched").deadline(Duration::from_millis(50)).shared_timer();
    for domain in [&OWN, &SHARED] {
        // SAFETY: the child makes one call and ends.
        unsafe {
            assert_eq!(domain.call("warm").unwrap().run(|| 1), Ok(1));
            match libc::fork() {
                0 => {
                    let spun: Result<(), _> = domain.call("spin").unwrap().run(spin);
                    libc::_exit(i32::from(spun.is_ok_and(|()| true)));
                }
                pid => {
                    let mut status = 0;
                    assert_eq!(libc::waitpid(pid, &mut status, 0), pid);
                    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "{status:#x}");
                }
            }
        }
    }
}

/// A closure forks: in the child the call around it still has its time.
#[test]
fn a_call_that_a_fork_has_copied_ends_too() {
    if !isolation() {
        return;
    }
    static OWN: Domain = Domain::new("copied").deadline(Duration::from_millis(300));
    static SHARED: Domain = Domain::new("copied, watched").deadline(Duration::from_millis(300)).shared_timer();
    for domain in [&OWN, &SHARED] {
        let pid = Cell::new(-1);
        let mut callbacks = Callbacks::new();
        let fork = callbacks.add(|| {
            // SAFETY: the child goes back to its call, and ends after it; whatever happens, in half a minute.
            unsafe {
                pid.set(libc::fork());
                if pid.get() == 0 {
                    libc::alarm(30);
                }
            }
            pid.get()
        });
        // SAFETY: calls a registered closure.
        let call = || unsafe {
            if fork() == 0 {
                spin();
            }
        };
        // SAFETY: as above.
        let ended = unsafe { domain.call("fork").unwrap().run_with(&mut callbacks, call) };
        // SAFETY: ends the child; waits for it.
        unsafe {
            if pid.get() == 0 {
                libc::_exit(i32::from(!ended.is_err_and(|fault| fault.kind() == &FaultKind::Timeout)));
            }
            let mut status = 0;
            assert_eq!(libc::waitpid(pid.get(), &mut status, 0), pid.get());
            assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "{status:#x}");
        }
    }
}

fn spin() {
    loop {
        std::hint::spin_loop();
    }
}

/// The watchdog sleeps while nobody is inside, and wakes for the next call; also while others are inside elsewhere.
#[test]
fn the_watchdog_wakes() {
    static LONE: Domain = Domain::new("lone").deadline(Duration::from_millis(20)).shared_timer();
    if role().is_none() {
        if isolation() {
            let output = child("the_watchdog_wakes", "child");
            assert_eq!(End::from(&output), End::Status(0), "{}", String::from_utf8_lossy(&output.stdout));
        }
        return;
    }
    for pause in [0, 1500, 0, 2500] {
        std::thread::sleep(Duration::from_millis(pause));
        // SAFETY: returns nothing.
        let fault = unsafe { LONE.call("spin").unwrap().run(spin) }.expect_err("the call has no end");
        assert_eq!(fault.kind(), &FaultKind::Timeout);
    }
    // Asleep it uses no processor: it waits in the kernel, for a futex (number 202) and for no time.
    let name = |task: &std::path::Path| std::fs::read_to_string(task.join("comm")).unwrap();
    let mut tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    let watchdog = tasks.find(|task| name(task) == "isolate-watchdo\n").expect("it is there");
    let is_asleep = || {
        let state = std::fs::read_to_string(watchdog.join("syscall")).unwrap();
        let arguments: Vec<_> = state.split_whitespace().collect();
        arguments[0] == "202" && arguments[4] == "0x0"
    };
    let start = Instant::now();
    while !is_asleep() {
        assert!(start.elapsed() < 6 * SOON, "it looks for ever");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A call whose time passes while it waits for a closure of the program ends when that is over; calls of the closure have
/// their own time.
#[test]
fn watched_calls_nest() {
    static OUTER: Domain = Domain::new("outer").deadline(Duration::from_millis(40)).shared_timer();
    static INNER: Domain = Domain::new("inner").deadline(Duration::from_millis(400)).shared_timer();
    if !isolation() {
        return;
    }
    let mut slow = Callbacks::new();
    let wait = slow.add(|| {
        // SAFETY: returns a number.
        let inner = unsafe {
            INNER.call("sleep").unwrap().run(|| {
                let long = libc::timespec { tv_sec: 0, tv_nsec: 150_000_000 };
                libc::nanosleep(&long, ptr::null_mut())
            })
        };
        assert_eq!(inner, Ok(0));
    });
    // SAFETY: calls a registered closure.
    let ended = unsafe {
        OUTER.call("wait").unwrap().run_with(&mut slow, || {
            wait();
            spin();
        })
    };
    assert_eq!(ended.unwrap_err().kind(), &FaultKind::Timeout);
    // A call that comes back before anybody looks is not late.
    let mut slow = Callbacks::new();
    let brief = slow.add(|| ());
    let is_good = |_: &u32| {
        // SAFETY: calls a registered closure.
        let ended = unsafe { OUTER.call("brief").unwrap().run_with(&mut slow, || brief()) };
        // On a busy machine even such a call may be.
        ended.map_err(|fault| assert_eq!(fault.kind(), &FaultKind::Timeout)).is_ok()
    };
    assert!((0..1000).filter(is_good).count() > 800);
}

/// A function that ends an object is not called where there is no timer to be had: the object is still there, and ends with its owner.
#[test]
fn end_that_was_refused() {
    static DOMAIN: Domain = Domain::new("refused").deadline(SOON);
    static ENDED: AtomicU32 = AtomicU32::new(0);
    if role().is_none() {
        if isolation() {
            // The limit on timers is the process's.
            let output = child("end_that_was_refused", "limited");
            assert_eq!(End::from(&output), End::Status(0), "{}", String::from_utf8_lossy(&output.stderr));
        }
        return;
    }
    let mut object = {
        let mut call = DOMAIN.call("make").unwrap();
        // SAFETY: allocates in the domain.
        let memory = unsafe { call.run(|| libc::malloc(8)) }.unwrap();
        let end = |_: &mut Call<'_>, _: *mut u64| {
            ENDED.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        // SAFETY: `end` may be called with it.
        unsafe { call.own::<u64>(&DOMAIN, memory.cast(), end) }.unwrap().unwrap()
    };
    let timers = |most| {
        let limit = libc::rlimit { rlim_cur: most, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: reads a limit that lives across the call.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_SIGPENDING, &limit) }, 0);
    };
    // A thread that has no timer yet.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            timers(0);
            let mut call = DOMAIN.call("free").unwrap();
            let pointer = call.ending(&mut object).unwrap();
            // SAFETY: frees what `malloc` gave, were it called.
            let fault = unsafe { call.run(move || libc::free(pointer.cast())) }.unwrap_err();
            assert!(matches!(fault.kind(), FaultKind::Unsupported(_)), "{fault}");
            assert!(call.was_refused());
            timers(libc::RLIM_INFINITY);
        });
    });
    assert_eq!(ENDED.load(Ordering::Relaxed), 0);
    drop(object);
    assert_eq!(ENDED.load(Ordering::Relaxed), 1);
}
