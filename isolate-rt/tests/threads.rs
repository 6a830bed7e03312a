//! Several threads in one instance: a fault of one sends the others out of it, and nobody else.

mod support;

use isolate_rt::{Domain, Fault, FaultKind, Hint, Object};
use std::arch::asm;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use support::{End, child, give_up_membarrier, isolation, role};

fn in_domain<R: Copy>(domain: &'static Domain, f: impl FnOnce() -> R + Copy) -> Result<R, Fault> {
    // SAFETY: the closures of this file return numbers only.
    unsafe { domain.call("test")?.run(f) }
}

fn fail() {
    // SAFETY: ends the call.
    unsafe { asm!("ud2") }
}

/// What a call has left in the domain's heap is gone when another thread fails, and what took its place is not touched.
#[test]
fn a_fault_takes_what_a_call_has_left() {
    static SHARED: Domain = Domain::new("left behind");
    if !isolation() {
        return;
    }
    let mut object = SHARED.object::<[u64; 2]>("make", |_, _| Ok(())).unwrap();
    let mut call = SHARED.call("write").unwrap();
    // SAFETY: a block of four bytes, filled.
    let text = unsafe {
        call.run(|| {
            let block = libc::malloc(4).cast::<u8>();
            block.copy_from_nonoverlapping(c"abc".as_ptr().cast(), 4);
            block
        })
    };
    let text = text.unwrap();
    // SAFETY: with isolation nothing is owed.
    assert_eq!(unsafe { call.string(text.cast()) }.unwrap().as_deref(), Some(c"abc"));
    // SAFETY: as above.
    unsafe { call.set(&mut object, 8, 5u64) }.unwrap();
    assert_eq!(call.get::<_, u64>(&object, 8), Ok(5));
    std::thread::scope(|scope| scope.spawn(|| in_domain(&SHARED, fail)).join().unwrap()).unwrap_err();
    let lost = |fault: Fault| fault.kind() == &FaultKind::DomainLost;
    // SAFETY: as above.
    unsafe {
        assert!(lost(call.string(text.cast()).unwrap_err()));
        assert!(lost(call.values(text, 4).unwrap_err()));
    }
    // SAFETY: as above.
    assert!(lost(unsafe { call.set(&mut object, 8, 6u64) }.unwrap_err()));
    assert!(lost(call.get::<_, u64>(&object, 8).unwrap_err()));
}

/// Far longer than anything here should take.
const FOREVER: Duration = Duration::from_secs(60);

fn spin(until: Duration) -> u64 {
    let start = Instant::now();
    let mut turns = 0;
    while start.elapsed() < until {
        turns += 1;
    }
    turns
}

/// Who did nothing wrong hears of what did, and of what would have spared it.
#[track_caller]
fn is_told(fault: &Fault) {
    let cause = fault.cause().expect("it is known");
    assert_eq!((fault.kind(), cause.kind()), (&FaultKind::DomainLost, &FaultKind::IllegalInstruction));
    assert_eq!(fault.hint(), Some(Hint::Shared));
    let text = fault.to_string();
    let begin = format!(
        "`{}` in domain `shared`: another call failed in the same instance: `test`: illegal instruction (",
        fault.function()
    );
    assert!(text.starts_with(&begin) && text.contains("`instances = \"thread\"`"), "{text}");
    assert!(format!("{fault:#}").contains("threads::fail"), "{fault:#}");
}

#[test]
fn a_fault_sends_the_other_threads_of_the_instance_out() {
    static SHARED: Domain = Domain::new("shared");
    static APART: Domain = Domain::new("apart");
    if !isolation() {
        return;
    }
    // Each thread says from inside, in a block of the domain, that it is there.
    let (sender, arrivals) = std::sync::mpsc::channel::<usize>();
    let spin_visibly = |domain: &'static Domain, until: Duration, sender: std::sync::mpsc::Sender<usize>| {
        // SAFETY: allocates.
        let flag = in_domain(domain, || unsafe { libc::calloc(1, 1).cast::<AtomicBool>() }).unwrap();
        sender.send(flag.expose_provenance()).unwrap();
        in_domain(domain, || {
            // SAFETY: an atomic in a live block of this domain.
            unsafe { &*flag }.store(true, Ordering::Release);
            spin(until)
        })
    };
    std::thread::scope(|scope| {
        let spinning: Vec<_> = (0..3)
            .map(|_| {
                let sender = sender.clone();
                scope.spawn(move || spin_visibly(&SHARED, FOREVER, sender))
            })
            .collect();
        let apart = scope.spawn(move || spin_visibly(&APART, Duration::from_millis(500), sender));
        for flag in arrivals.iter().take(4) {
            // SAFETY: a live block of a domain, which the program may read; nobody has failed yet.
            while !unsafe { &*std::ptr::with_exposed_provenance::<AtomicBool>(flag) }.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
        }
        // In the middle of a call, between staging and running.
        let mut prepared = SHARED.call("prepared").unwrap();
        let staged = prepared.inout(&[1u8; 100]).unwrap();
        assert_eq!(in_domain(&SHARED, fail).unwrap_err().kind(), &FaultKind::IllegalInstruction);
        for thread in spinning {
            is_told(&thread.join().unwrap().unwrap_err());
        }
        // SAFETY: does nothing.
        let late = unsafe { prepared.run(|| ()) };
        let late = late.unwrap_err();
        // By this thread's own fault.
        assert_eq!((late.kind(), late.cause().is_some(), late.hint()), (&FaultKind::DomainLost, true, None));
        assert_eq!(prepared.take(staged, 100, &mut [0; 100]), 100);
        assert!(apart.join().unwrap().is_ok());
    });
    assert_eq!(in_domain(&SHARED, || 2), Ok(2));
}

/// A program that sandboxes itself once it is up: what it made still works, without the barrier.
#[test]
fn without_membarrier() {
    if isolation() {
        let output = child("threads_that_fail_at_random", "without membarrier");
        assert_eq!(End::from(&output), End::Status(0), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

/// Eight threads that allocate, compute and fail at random: every call gives its own result, its own fault, or is told that
/// another one failed.
#[test]
fn threads_that_fail_at_random() {
    static BUSY: Domain = Domain::new("busy");
    const ROUNDS: u32 = 150;
    if !isolation() {
        return;
    }
    if role().is_some() {
        assert_eq!(in_domain(&BUSY, || 1), Ok(1));
        give_up_membarrier();
    }
    let (good, failed, lost) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for thread in 0..8u32 {
            let (good, failed, lost) = (&good, &failed, &lost);
            scope.spawn(move || {
                let mut random = thread * 7919 + 1;
                for _ in 0..ROUNDS {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let (size, wild) = ((random >> 16) as usize % 5000 + 8, random >> 28 == 0);
                    let result = in_domain(&BUSY, || {
                        // SAFETY: blocks of this size, filled, checked and freed.
                        unsafe {
                            let blocks = [(); 8].map(|()| libc::malloc(size).cast::<u8>());
                            for (fill, block) in blocks.iter().enumerate() {
                                block.write_bytes(fill as u8, size);
                            }
                            if wild {
                                fail();
                            }
                            let sum: usize = blocks.iter().map(|block| block.add(size - 1).read() as usize).sum();
                            for block in blocks {
                                libc::free(block.cast());
                            }
                            sum
                        }
                    });
                    match result {
                        Ok(sum) => {
                            assert_eq!(sum, 28);
                            good.fetch_add(1, Ordering::Relaxed)
                        }
                        Err(fault) => match fault.kind() {
                            FaultKind::IllegalInstruction if wild => failed.fetch_add(1, Ordering::Relaxed),
                            FaultKind::DomainLost => lost.fetch_add(1, Ordering::Relaxed),
                            _ => panic!("{fault}"),
                        },
                    };
                }
            });
        }
    });
    let [good, failed, lost] = [good, failed, lost].map(AtomicU32::into_inner);
    assert_eq!(good + failed + lost, 8 * ROUNDS);
    assert!(good > 0 && failed > 0, "{good} good, {failed} failed, {lost} lost");
    assert_eq!(in_domain(&BUSY, || 2), Ok(2));
}

/// What a thread-local owns in a domain is dropped there when the thread ends, and a fault of that is one like any other: on
/// whichever side of the thread's first call it was made.
#[test]
fn a_stack_overflow_when_a_thread_ends() {
    static ENDING: Domain = Domain::new("ending");
    static OVERFLOWS: AtomicU32 = AtomicU32::new(0);
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            let overflow = in_domain(&ENDING, || recurse(1)).unwrap_err();
            OVERFLOWS
                .fetch_add(u32::from(matches!(overflow.kind(), FaultKind::StackOverflow { .. })), Ordering::Relaxed);
        }
    }
    thread_local! {
        static LAST: Last = const { Last };
    }
    #[expect(unconditional_recursion, reason = "that is what it is for")]
    fn recurse(n: u64) -> u64 {
        let frame = [n; 32];
        recurse(std::hint::black_box(&frame)[7] + 1) + std::hint::black_box(&frame)[3]
    }
    if !isolation() {
        return;
    }
    for call_first in [true, false] {
        let run = move || {
            if call_first {
                assert_eq!(in_domain(&ENDING, || 1), Ok(1));
            }
            LAST.with(|_| ());
            assert_eq!(in_domain(&ENDING, || 2), Ok(2));
        };
        std::thread::spawn(run).join().unwrap();
    }
    assert_eq!(OVERFLOWS.load(Ordering::Relaxed), 2);
}

/// Threads that end leave nothing behind, though what their thread-locals own is dropped by a call.
#[test]
fn threads_that_own_something_until_they_end() {
    const NAME: &str = "threads_that_own_something_until_they_end";
    static OWNED: Domain = Domain::new("owned").deadline(FOREVER);
    static APART: Domain = Domain::new("owned, one each").instance_per_thread();
    thread_local! {
        static OBJECTS: RefCell<Vec<Object<[u64; 4]>>> = const { RefCell::new(Vec::new()) };
    }
    if !isolation() {
        return;
    }
    if role().is_none() {
        let output = child(NAME, "alone");
        assert_eq!(End::from(&output), End::Status(0), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let lines = |file: &str| std::fs::read_to_string(file).unwrap().lines().count();
    let run = || {
        let own = || {
            OBJECTS.with_borrow_mut(|objects| {
                objects.extend([&OWNED, &APART].map(|domain| domain.object("make", |_, _| Ok(())).unwrap()));
            });
            // SAFETY: a block, given back.
            let block = in_domain(&APART, || unsafe {
                let block = libc::malloc(16);
                libc::free(block);
                block.addr()
            });
            block.unwrap()
        };
        std::thread::spawn(own).join().unwrap()
    };
    let home = run();
    let before = [lines("/proc/self/maps"), lines("/proc/self/timers")];
    for _ in 0..500 {
        assert!(home.abs_diff(run()) < 64 << 20, "each thread has the instance of the one before");
    }
    let after = [lines("/proc/self/maps"), lines("/proc/self/timers")];
    assert!(after[0] <= before[0] + 4 && after[1] == before[1], "{before:?}, {after:?}");
}

#[test]
fn one_at_a_time() {
    static ALONE: Domain = Domain::new("alone").one_at_a_time();
    static INSIDE: AtomicUsize = AtomicUsize::new(0);
    if !isolation() {
        return;
    }
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let mut call = ALONE.call("turn").unwrap();
                    assert_eq!(INSIDE.fetch_add(1, Ordering::SeqCst), 0);
                    // SAFETY: returns a number.
                    unsafe { call.run(|| spin(Duration::from_micros(200))) }.unwrap();
                    INSIDE.fetch_sub(1, Ordering::SeqCst);
                }
            });
        }
    });
}

/// Where threads take turns, a library's thread-locals are there at the next call of the same thread, until another has called.
#[test]
fn thread_locals_of_who_calls_again() {
    static TURNS: Domain = Domain::new("turns").one_at_a_time();
    static MANY: Domain = Domain::new("many");
    // SAFETY: `errno` is a number of the thread.
    let put = |domain| in_domain(domain, || unsafe { *libc::__errno_location() = 77 }).unwrap();
    // SAFETY: as above.
    let get = |domain| in_domain(domain, || unsafe { *libc::__errno_location() }).unwrap();
    if !isolation() {
        return;
    }
    for (domain, after_others) in [(&TURNS, 0), (&MANY, 77)] {
        put(domain);
        assert_eq!(get(domain), 77);
        std::thread::spawn(move || assert_eq!(get(domain), 0)).join().unwrap();
        assert_eq!(get(domain), after_others);
    }
}

/// More threads than seats: everybody gets a turn.
#[test]
fn a_hundred_threads() {
    static CROWDED: Domain = Domain::new("crowded").stack_size(64 << 10);
    if !isolation() {
        return;
    }
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..100)
            .map(|n| scope.spawn(move || in_domain(&CROWDED, || (spin(Duration::from_millis(5)), n))))
            .collect();
        for (n, thread) in threads.into_iter().enumerate() {
            assert_eq!(thread.join().unwrap().unwrap().1, n);
        }
    });
}
