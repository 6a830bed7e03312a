//! Threads that a library starts, where its domain allows that.

mod support;

use isolate_rt::{Backend, Domain, Fault, FaultKind};
use libc::{c_void, pthread_t};
use std::arch::asm;
use std::ptr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::{End, child, isolation, role};

fn in_domain<R: Copy>(domain: &'static Domain, f: impl FnOnce() -> R + Copy) -> Result<R, Fault> {
    // SAFETY: the closures of this file return numbers only.
    unsafe { domain.call("test")?.run(f) }
}

type Start = extern "C" fn(*mut c_void) -> *mut c_void;

/// Starts a thread as C does, or gives the error.
fn start(start: Start, argument: usize) -> Result<pthread_t, i32> {
    let mut thread = 0;
    // SAFETY: the functions of this file take numbers.
    match unsafe { libc::pthread_create(&mut thread, ptr::null(), start, ptr::without_provenance_mut(argument)) } {
        0 => Ok(thread),
        errno => Err(errno),
    }
}

fn join(thread: pthread_t) -> usize {
    let mut value = ptr::null_mut();
    // SAFETY: of a thread that nobody else waits for.
    assert_eq!(unsafe { libc::pthread_join(thread, &mut value) }, 0);
    value.addr()
}

/// Sum of the numbers below, each in a block of its own for a while.
extern "C" fn sum(below: *mut c_void) -> *mut c_void {
    let sum = (0..below.addr()).map(|number| {
        // SAFETY: a block that is there until it is freed.
        unsafe {
            let block = libc::malloc(8 + number).cast::<usize>();
            block.write_volatile(number);
            let number = block.read_volatile();
            libc::free(block.cast());
            number
        }
    });
    ptr::without_provenance_mut(sum.sum())
}

extern "C" fn fail(_: *mut c_void) -> *mut c_void {
    // SAFETY: ends the call.
    unsafe { asm!("ud2") }
    ptr::null_mut()
}

extern "C" fn spin(_: *mut c_void) -> *mut c_void {
    loop {
        std::hint::spin_loop();
    }
}

extern "C" fn sleep(_: *mut c_void) -> *mut c_void {
    // SAFETY: waits for a signal that has a handler.
    unsafe { libc::pause() };
    ptr::null_mut()
}

/// Writes to the address.
extern "C" fn write(address: *mut c_void) -> *mut c_void {
    // SAFETY: none; that is the attack.
    unsafe { address.cast::<u8>().write_volatile(1) };
    ptr::null_mut()
}

/// What the thread is by its own account.
extern "C" fn itself(_: *mut c_void) -> *mut c_void {
    // SAFETY: asks; a signal that does nothing is sent to nobody but itself.
    unsafe {
        let this = libc::pthread_self();
        let is_known = libc::pthread_kill(this, 0) == 0 && libc::pthread_join(this, ptr::null_mut()) == libc::EDEADLK;
        ptr::without_provenance_mut(if is_known { this as usize } else { 0 })
    }
}

/// Waits until the process has no more threads than that.
fn threads_end(most: usize) {
    let begun = Instant::now();
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    while threads() > most {
        assert!(begun.elapsed() < Duration::from_secs(60), "{} threads", threads());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Each of these is run in a process of its own, which has as many threads as it has started.
#[track_caller]
fn check(name: &str, test: impl FnOnce()) {
    if role().is_some() {
        test();
        std::process::exit(7);
    }
    if isolation() {
        let output = child(name, "alone");
        assert_eq!(End::from(&output), End::Status(7), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn running() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
fn two_compute_and_are_joined() {
    static DOMAIN: Domain = Domain::new("two").threads_inside(2);
    check("two_compute_and_are_joined", || {
        let before = running();
        for _ in 0..20 {
            let results = in_domain(&DOMAIN, || {
                let threads = [1000, 2000].map(|below| start(sum, below).unwrap());
                threads.map(join)
            });
            assert_eq!(results.unwrap(), [499_500, 1_999_000]);
            threads_end(before);
        }
    });
}

#[test]
fn a_thread_knows_itself() {
    static DOMAIN: Domain = Domain::new("itself").threads_inside(1);
    check("a_thread_knows_itself", || {
        let is_itself = in_domain(&DOMAIN, || {
            let thread = start(itself, 0).unwrap();
            join(thread) == thread as usize
        });
        assert_eq!(is_itself, Ok(true));
    });
}

/// It goes on when the call is over, and a later one may wait for it.
#[test]
fn a_thread_outlives_the_call_that_started_it() {
    static DOMAIN: Domain =
        Domain::new("outlives").threads_inside(1).deadline(Duration::from_millis(100)).shared_timer();
    /// 0 until it may end.
    extern "C" fn wait(word: *mut c_void) -> *mut c_void {
        // SAFETY: of the domain's heap.
        while unsafe { AtomicU64::from_ptr(word.cast()) }.load(Ordering::Relaxed) == 0 {
            std::thread::yield_now();
        }
        ptr::without_provenance_mut(5)
    }
    check("a_thread_outlives_the_call_that_started_it", || {
        // SAFETY: a word.
        let word = in_domain(&DOMAIN, || unsafe { libc::calloc(1, 8) }.expose_provenance()).unwrap();
        let thread = in_domain(&DOMAIN, || start(wait, word).unwrap()).unwrap();
        // Longer than a call may take: nobody looks at a clock for it.
        std::thread::sleep(Duration::from_millis(400));
        let value = in_domain(&DOMAIN, || {
            // SAFETY: as above.
            unsafe { AtomicU64::from_ptr(ptr::with_exposed_provenance_mut(word)) }.store(1, Ordering::Relaxed);
            join(thread)
        });
        assert_eq!(value, Ok(5));
    });
}

#[test]
fn detached() {
    static DOMAIN: Domain = Domain::new("detached").threads_inside(1);
    check("detached", || {
        let before = running();
        in_domain(&DOMAIN, || {
            let thread = start(sum, 10).unwrap();
            // SAFETY: nobody waits for it.
            assert_eq!(unsafe { libc::pthread_detach(thread) }, 0);
        })
        .unwrap();
        threads_end(before);
        assert_eq!(in_domain(&DOMAIN, || join(start(sum, 10).unwrap())), Ok(45));
    });
}

#[test]
fn no_more_than_allowed() {
    static DOMAIN: Domain = Domain::new("no more").threads_inside(2);
    check("no_more_than_allowed", || {
        let before = running();
        let errors = in_domain(&DOMAIN, || [spin as Start, sleep, sum].map(|body| start(body, 0).err().unwrap_or(0)));
        assert_eq!(errors, Ok([0, 0, libc::EAGAIN]));
        // What ends them: busy ones, and those that wait in the kernel.
        assert!(in_domain(&DOMAIN, || _ = fail(ptr::null_mut())).is_err());
        threads_end(before);
        assert_eq!(in_domain(&DOMAIN, || join(start(sum, 10).unwrap())), Ok(45));
    });
}

/// A fault of a thread is the end of the instance, and of the calls in it.
#[test]
fn a_fault_of_a_thread() {
    static DOMAIN: Domain = Domain::new("fault").threads_inside(2);
    check("a_fault_of_a_thread", || {
        let before = running();
        for _ in 0..20 {
            let result = in_domain(&DOMAIN, || {
                start(spin, 0).unwrap();
                join(start(fail, 0).unwrap())
            });
            assert_eq!(result.unwrap_err().kind(), &FaultKind::DomainLost);
            threads_end(before);
        }
        // … also while nobody is inside.
        let object = DOMAIN.boxed(1u64).unwrap();
        in_domain(&DOMAIN, || _ = start(fail, 0).unwrap()).ok();
        threads_end(before);
        assert_eq!(object.get().unwrap_err().kind(), &FaultKind::StaleHandle);
    });
}

/// With the rights of its domain, and no others.
#[test]
fn a_thread_cannot_write_the_program() {
    static DOMAIN: Domain = Domain::new("cannot write").threads_inside(1);
    static DIRECT: Domain = Domain::new("direct").backend(Backend::None);
    static VICTIM: AtomicU8 = AtomicU8::new(0);
    check("a_thread_cannot_write_the_program", || {
        let attack = || join(start(write, VICTIM.as_ptr().addr()).unwrap());
        assert_eq!(in_domain(&DOMAIN, attack).unwrap_err().kind(), &FaultKind::DomainLost);
        assert_eq!(VICTIM.load(Ordering::Relaxed), 0);
        // The control.
        assert_eq!(in_domain(&DIRECT, attack), Ok(0));
        assert_eq!(VICTIM.load(Ordering::Relaxed), 1);
    });
}

/// A child has no such threads: its domain starts anew.
#[test]
fn forks() {
    static DOMAIN: Domain = Domain::new("forks").threads_inside(1);
    check("forks", || {
        in_domain(&DOMAIN, || _ = start(spin, 0).unwrap()).unwrap();
        // SAFETY: the child calls the domain, and ends.
        unsafe {
            match libc::fork() {
                0 => {
                    libc::alarm(60);
                    let again = in_domain(&DOMAIN, || join(start(sum, 10).unwrap()));
                    libc::_exit(if again == Ok(45) { 0 } else { 1 });
                }
                child => {
                    let mut status = 0;
                    assert_eq!(libc::waitpid(child, &mut status, 0), child);
                    assert_eq!(status, 0);
                }
            }
        }
    });
}

/// None of the program's signals is theirs.
#[test]
fn signals_go_to_the_program() {
    static DOMAIN: Domain = Domain::new("signals").threads_inside(1);
    static HANDLED: AtomicU64 = AtomicU64::new(0);
    extern "C" fn handler(_: i32) {
        HANDLED.fetch_add(1, Ordering::Relaxed);
    }
    check("signals_go_to_the_program", || {
        // SAFETY: a handler that counts, a signal that only a thread inside could get now.
        unsafe {
            libc::signal(libc::SIGUSR1, handler as *const () as usize);
            in_domain(&DOMAIN, || _ = start(spin, 0).unwrap()).unwrap();
            let (mut set, mut old) = (std::mem::zeroed(), std::mem::zeroed());
            libc::sigaddset(&mut set, libc::SIGUSR1);
            libc::pthread_sigmask(libc::SIG_BLOCK, &set, &mut old);
            // The harness's first thread waits with what it was given.
            let others = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path().join("status"));
            let blocks = |status: &str| {
                let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:\t")).unwrap();
                u64::from_str_radix(mask, 16).unwrap() >> (libc::SIGUSR1 - 1) & 1
            };
            let blocking: u64 = others.map(|path| blocks(&std::fs::read_to_string(path).unwrap())).sum();
            assert_eq!(blocking, 2, "this thread, and the one inside");
        }
    });
}

#[test]
fn not_where_one_thread_is_let_in_at_a_time() {
    static DOMAIN: Domain = Domain::new("one").threads_inside(1).one_at_a_time();
    if isolation() {
        let fault = DOMAIN.call("any").map(drop).unwrap_err();
        assert!(fault.to_string().contains("one thread at a time"), "{fault}");
    }
}
