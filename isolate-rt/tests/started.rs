//! Threads that a library starts, where its domain allows that.

mod support;

use isolate_rt::{Backend, Domain, Fault, FaultKind, Hint};
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

unsafe extern "C-unwind" {
    fn pthread_exit(value: *mut c_void) -> !;
}

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

/// Ends by pthread_exit(3) some calls deeper, with the number that it was given and one more.
extern "C-unwind" fn exits(value: *mut c_void) -> *mut c_void {
    extern "C-unwind" fn deeper(depth: usize, value: usize) -> usize {
        if depth > 0 {
            return deeper(depth - 1, value) + std::hint::black_box(1);
        }
        // SAFETY: nothing on the way has anything to drop.
        unsafe { pthread_exit(ptr::without_provenance_mut(value + 1)) }
    }
    ptr::without_provenance_mut(deeper(20, value.addr()))
}

fn exits_as_start() -> Start {
    // SAFETY: it takes and gives the same; what unwinds through it stops before its caller.
    unsafe { std::mem::transmute::<extern "C-unwind" fn(*mut c_void) -> *mut c_void, Start>(exits) }
}

extern "C" fn recurse(_: *mut c_void) -> *mut c_void {
    #[inline(never)]
    fn deeper(depth: usize) -> usize {
        let frame = std::hint::black_box([depth; 64]);
        if frame[3] == usize::MAX { 0 } else { deeper(depth + 1) + frame[7] }
    }
    ptr::without_provenance_mut(deeper(0))
}

/// Takes all of the heap, and gives it back: how many blocks that were.
extern "C" fn exhaust(_: *mut c_void) -> *mut c_void {
    let mut last = ptr::null_mut::<*mut c_void>();
    let mut count = 0usize;
    // SAFETY: a list of blocks, each of which holds the address of the one before.
    unsafe {
        loop {
            let block = libc::malloc(64 << 10).cast::<*mut c_void>();
            if block.is_null() {
                break;
            }
            block.write(last.cast());
            (last, count) = (block, count + 1);
        }
        while !last.is_null() {
            let before = last.read();
            libc::free(last.cast());
            last = before.cast();
        }
    }
    ptr::without_provenance_mut(count)
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

/// A thread may start others, which are as many as it.
#[test]
fn threads_start_threads() {
    static DOMAIN: Domain = Domain::new("nested").threads_inside(3);
    extern "C" fn spread(depth: *mut c_void) -> *mut c_void {
        let below = match depth.addr() {
            0 => Err(libc::EAGAIN),
            depth => start(spread, depth - 1),
        };
        ptr::without_provenance_mut(1 + below.map_or(0, join))
    }
    check("threads_start_threads", || {
        let before = running();
        for _ in 0..20 {
            // The fourth is one too many.
            assert_eq!(in_domain(&DOMAIN, || join(start(spread, 9).unwrap())), Ok(3));
            threads_end(before);
        }
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
            is_told(&result.unwrap_err(), &FaultKind::DomainLost, &FaultKind::IllegalInstruction);
            threads_end(before);
        }
        // … also while nobody is inside.
        let object = DOMAIN.boxed(1u64).unwrap();
        in_domain(&DOMAIN, || _ = start(fail, 0).unwrap()).ok();
        threads_end(before);
        is_told(&object.get().unwrap_err(), &FaultKind::StaleHandle, &FaultKind::IllegalInstruction);
        let last = DOMAIN.last_fault().unwrap();
        assert_eq!((last.kind(), last.domain()), (&FaultKind::IllegalInstruction, "fault"));
        let text = format!("{last:#}");
        assert!(text.contains("started::fail") && text.contains("`(a thread of its own)` in domain `fault`"), "{text}");
    });
}

#[track_caller]
fn is_told(fault: &Fault, kind: &FaultKind, cause: &FaultKind) {
    assert_eq!(fault.kind(), kind);
    let told = fault.cause().unwrap_or_else(|| panic!("no cause: {fault:#}"));
    assert_eq!((told.kind(), told.function()), (cause, "(a thread of its own)"));
    // Nobody can have an instance without the threads of the library.
    assert_ne!(fault.hint(), Some(Hint::Shared));
    assert!(fault.to_string().contains(&format!(": `(a thread of its own)`: {cause}")), "{fault}");
    assert!(format!("{fault:#}").contains("\n  on thread "), "{fault:#}");
}

/// What a thread runs out of is its own affair, or the end of the instance.
#[test]
fn stack_and_heap_have_their_ends() {
    static DOMAIN: Domain = Domain::new("ends").threads_inside(3).heap_limit(4 << 20).stack_size(64 << 10);
    check("stack_and_heap_have_their_ends", || {
        let taken = in_domain(&DOMAIN, || [(); 3].map(|()| start(exhaust, 0).unwrap()).map(join)).unwrap();
        assert!(taken.iter().sum::<usize>() >= 40, "{taken:?}");
        assert_eq!(in_domain(&DOMAIN, || join(start(sum, 10).unwrap())), Ok(45));
        let fault = in_domain(&DOMAIN, || join(start(recurse, 0).unwrap())).unwrap_err();
        let overflow = fault.cause().unwrap();
        assert!(matches!(overflow.kind(), FaultKind::StackOverflow { .. }), "{fault}");
        assert_eq!(in_domain(&DOMAIN, || join(start(sum, 10).unwrap())), Ok(45));
    });
}

/// As C has it: the thread is over, and who joins it gets the value.
#[test]
fn a_thread_may_exit() {
    static DOMAIN: Domain = Domain::new("exits").threads_inside(2);
    check("a_thread_may_exit", || {
        let before = running();
        for round in 0..20 {
            let values =
                in_domain(&DOMAIN, || [round, 100].map(|value| start(exits_as_start(), value).unwrap()).map(join));
            assert_eq!(values, Ok([round + 1, 101]));
            threads_end(before);
        }
        // Not who has come by a call.
        // SAFETY: ends the call.
        let fault = in_domain(&DOMAIN, || unsafe { libc::pthread_exit(ptr::null_mut()) }).unwrap_err();
        assert_eq!(fault.kind(), &FaultKind::ThreadExited);
        assert_eq!(in_domain(&DOMAIN, || join(start(exits_as_start(), 1).unwrap())), Ok(2));
    });
}

/// Who has waited for one may start another, as in C, though the first may still be on its way out.
#[test]
fn as_many_again_after_a_join() {
    static DOMAIN: Domain = Domain::new("joined").threads_inside(1);
    check("as_many_again_after_a_join", || {
        let sums = in_domain(&DOMAIN, || {
            let mut sums = 0;
            for _ in 0..300 {
                sums += join(start(sum, 10).unwrap());
            }
            sums
        });
        assert_eq!(sums, Ok(300 * 45));
        // Two at once are more than it may have.
        let errors = in_domain(&DOMAIN, || [sleep as Start, sum].map(|body| start(body, 0).err().unwrap_or(0)));
        assert_eq!(errors, Ok([0, libc::EAGAIN]));
    });
}

/// Those of an instance that is gone do not count, though they may not have ended.
#[test]
fn as_many_again_after_a_fault() {
    static DOMAIN: Domain = Domain::new("again").threads_inside(2);
    check("as_many_again_after_a_fault", || {
        for _ in 0..100 {
            let errors =
                in_domain(&DOMAIN, || [spin as Start, sleep, sum].map(|body| start(body, 0).err().unwrap_or(0)));
            assert_eq!(errors, Ok([0, 0, libc::EAGAIN]));
            assert!(in_domain(&DOMAIN, || _ = fail(ptr::null_mut())).is_err());
        }
    });
}

/// Threads that begin, and some that fail, while the calls that have started them end.
#[test]
fn calls_that_end_while_their_threads_begin() {
    static DOMAIN: Domain = Domain::new("end").threads_inside(8);
    check("calls_that_end_while_their_threads_begin", || {
        let before = running();
        let [mut good, mut lost] = [0, 0];
        std::thread::scope(|scope| {
            let caller = |seed: usize| {
                move || {
                    let results = (0..200).map(|round: usize| {
                        in_domain(&DOMAIN, || {
                            let body = if (round + seed).is_multiple_of(16) { fail } else { sum };
                            let Ok(thread) = start(body, 5) else { return };
                            // SAFETY: nobody waits for it.
                            unsafe { libc::pthread_detach(thread) };
                        })
                    });
                    results.collect::<Vec<_>>()
                }
            };
            for thread in [scope.spawn(caller(0)), scope.spawn(caller(5))] {
                for result in thread.join().unwrap() {
                    match result {
                        Ok(()) => good += 1,
                        Err(fault) if fault.kind() == &FaultKind::DomainLost => lost += 1,
                        Err(fault) => panic!("{fault:#}"),
                    }
                }
            }
        });
        threads_end(before);
        assert!(good > 100, "{good} good, {lost} lost");
        assert!((0..20).any(|_| in_domain(&DOMAIN, || join(start(sum, 10).unwrap())) == Ok(45)));
    });
}

/// A closure that the library keeps is the program's wherever it is asked; what it panics with is told to who loses the instance.
#[test]
fn closures_that_are_kept() {
    static DOMAIN: Domain = Domain::new("kept").threads_inside(2);
    static ASKED: AtomicU64 = AtomicU64::new(0);
    extern "C" fn ask(closure: *mut c_void) -> *mut c_void {
        // SAFETY: the pointer that `keep` has given.
        let answer = unsafe { std::mem::transmute::<*mut c_void, extern "C" fn(u64) -> u64>(closure) }(20);
        ptr::without_provenance_mut(answer as usize)
    }
    check("closures_that_are_kept", || {
        let closure = |_: isolate_rt::Inside<'_>, number: u64| {
            // A thread of the program, made while its domain waits: not of the library.
            let own = std::thread::spawn(move || ASKED.fetch_add(number, Ordering::Relaxed));
            own.join().unwrap();
            if ASKED.load(Ordering::Relaxed) >= 60 {
                std::panic::panic_any(Unpleasant);
            }
            assert!(ASKED.load(Ordering::Relaxed) < 40, "asked too often");
            Ok(number + 1)
        };
        let call = DOMAIN.call("keep").unwrap();
        let (kept, pointer) = call.keep(closure).unwrap();
        drop(call);
        let pointer = pointer as *const () as usize;
        assert_eq!(in_domain(&DOMAIN, || join(start(ask, pointer).unwrap())), Ok(21));
        assert_eq!(ASKED.load(Ordering::Relaxed), 20);
        let fault = in_domain(&DOMAIN, || join(start(ask, pointer).unwrap())).unwrap_err();
        let message = "a closure of the program: asked too often".into();
        is_told(&fault, &FaultKind::DomainLost, &FaultKind::Panicked { message });
        drop(kept);
        // Nor does it matter what becomes of it.
        struct Unpleasant;
        impl Drop for Unpleasant {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        ASKED.store(60, Ordering::Relaxed);
        let (_kept, pointer) = DOMAIN.call("keep").unwrap().keep(closure).unwrap();
        let pointer = pointer as *const () as usize;
        let fault = in_domain(&DOMAIN, || join(start(ask, pointer).unwrap())).unwrap_err();
        assert_eq!(fault.kind(), &FaultKind::DomainLost);
        assert_eq!(in_domain(&DOMAIN, || join(start(sum, 10).unwrap())), Ok(45));
    });
}

/// A value that a thread of the library changes all the time is what it was when it was copied.
#[test]
fn what_a_thread_changes_is_read_once() {
    static DOMAIN: Domain = Domain::new("once").threads_inside(1);
    /// Ends a string here, and does not, all the time.
    extern "C" fn flip(text: *mut c_void) -> *mut c_void {
        // SAFETY: of the domain's heap.
        let byte = unsafe { AtomicU8::from_ptr(text.cast()) };
        loop {
            byte.store(0, Ordering::Relaxed);
            byte.store(b'x', Ordering::Relaxed);
        }
    }
    check("what_a_thread_changes_is_read_once", || {
        let text = in_domain(&DOMAIN, || {
            // SAFETY: a block of 64 bytes.
            let text = unsafe { libc::calloc(64, 1).cast::<u8>() };
            // SAFETY: as above.
            unsafe { text.write_bytes(b'x', 40) };
            start(flip, text.addr() + 20).unwrap();
            text.expose_provenance()
        });
        let (text, call) = (ptr::with_exposed_provenance(text.unwrap()), DOMAIN.call("look").unwrap());
        let mut seen = [false; 2];
        for _ in 0..2_000_000 {
            // SAFETY: with isolation nothing is owed.
            let string = unsafe { call.string(text) }.unwrap().unwrap();
            assert!([20, 40].contains(&string.as_bytes().len()), "{string:?}");
            seen[usize::from(string.as_bytes().len() == 40)] = true;
            if seen == [true; 2] {
                return;
            }
        }
        panic!("never changed while we looked: {seen:?}");
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
