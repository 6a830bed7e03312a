//! Calls that do not end by themselves: computing, or waiting in the kernel.

mod support;

use isolate_rt::{Domain, FaultKind};
use std::ptr;
use std::time::{Duration, Instant};
use support::{End, child, isolation, role};

static HURRIED: Domain = Domain::new("hurried").deadline(Duration::from_millis(50));

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
    let start = Instant::now();
    // SAFETY: as above.
    let fault = unsafe { HURRIED.call(name).unwrap().run(endless) }.expect_err("the call has no end");
    assert_eq!(fault.kind(), &FaultKind::Timeout);
    let took = start.elapsed();
    assert!((Duration::from_millis(50)..SOON).contains(&took), "{took:?}");
    // The next call has its own time.
    // SAFETY: as above.
    assert_eq!(unsafe { HURRIED.call(name).unwrap().run(|| 1) }, Ok(1));
    let output = child(name, "control");
    assert_eq!(End::from(&output), End::Status(77), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn endless_loop() {
    check("endless_loop", || {
        loop {
            std::hint::spin_loop();
        }
    });
}

#[test]
fn sleeping() {
    check("sleeping", || {
        let long = libc::timespec { tv_sec: 3600, tv_nsec: 0 };
        // SAFETY: a valid time.
        unsafe { libc::nanosleep(&long, ptr::null_mut()) };
    });
}

#[test]
fn waiting_on_a_futex() {
    check("waiting_on_a_futex", || {
        let word = 0u32;
        // SAFETY: waits for a word of its own stack that nobody changes.
        unsafe { libc::syscall(libc::SYS_futex, &word, libc::FUTEX_WAIT, 0, ptr::null::<libc::timespec>()) };
    });
}

#[test]
fn reading_an_empty_pipe() {
    check("reading_an_empty_pipe", || {
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
    if !isolation() {
        return;
    }
    let mut timeouts = 0;
    for round in 0..300u64 {
        let spin = Duration::from_micros(round % 30 * 100);
        // SAFETY: returns a number.
        let result = unsafe {
            BRISK.call("spin").unwrap().run(|| {
                let start = Instant::now();
                while start.elapsed() < spin {}
                7
            })
        };
        match result {
            Ok(value) => assert_eq!(value, 7),
            Err(fault) => {
                assert_eq!(fault.kind(), &FaultKind::Timeout);
                timeouts += 1;
            }
        }
    }
    assert!(timeouts > 0, "some calls last 2.9 ms");
}

#[test]
fn a_child_of_a_fork_has_deadlines_too() {
    if !isolation() {
        return;
    }
    // SAFETY: the child makes one call and ends.
    unsafe {
        assert_eq!(HURRIED.call("warm").unwrap().run(|| 1), Ok(1));
        match libc::fork() {
            0 => {
                let spun = HURRIED.call("spin").unwrap().run(|| {
                    loop {
                        std::hint::spin_loop();
                    }
                });
                let spun: Result<(), _> = spun;
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
