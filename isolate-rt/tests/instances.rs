//! A domain with an instance for each thread: what one thread does there concerns no other.

mod support;

use isolate_rt::{Call, Domain, Fault, FaultKind, Globals, Inside, Unsupported};
use std::arch::asm;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, mpsc};
use std::time::{Duration, Instant};
use support::{End, child, isolation, role};

static EACH: Domain = Domain::new("each").instance_per_thread();

fn in_domain<R: Copy>(domain: &'static Domain, f: impl FnOnce() -> R + Copy) -> Result<R, Fault> {
    // SAFETY: the closures of this file return numbers only.
    unsafe { domain.call("test")?.run(f) }
}

fn fail(domain: &'static Domain) -> FaultKind {
    // SAFETY: ends the call.
    in_domain(domain, || unsafe { asm!("ud2") }).unwrap_err().kind().clone()
}

/// A block of the calling thread's instance.
fn block(domain: &'static Domain) -> usize {
    // SAFETY: allocates.
    in_domain(domain, || unsafe { libc::calloc(1, 8) }.expose_provenance()).unwrap()
}

/// Writes from the calling thread's instance.
fn write_to(domain: &'static Domain, address: usize) -> Result<(), Fault> {
    // SAFETY: memory of a domain.
    in_domain(domain, || unsafe { std::ptr::with_exposed_provenance_mut::<u8>(address).write_volatile(1) })
}

#[test]
fn a_fault_leaves_the_other_threads_alone() {
    if !isolation() {
        return;
    }
    let (started, ready) = mpsc::channel();
    std::thread::scope(|scope| {
        let other = scope.spawn(move || {
            let kept = EACH.boxed(7u64).unwrap();
            // SAFETY: allocates.
            let flag = in_domain(&EACH, || unsafe { libc::calloc(1, 1).cast::<AtomicBool>() }).unwrap();
            started.send(flag.expose_provenance()).unwrap();
            // SAFETY: an atomic in a live block of this instance, which the program sets.
            let ended = in_domain(&EACH, || while !unsafe { &*flag }.load(Ordering::Relaxed) {});
            (ended, kept.get())
        });
        let flag = ready.recv().unwrap();
        std::thread::sleep(Duration::from_millis(50));
        let mine = EACH.boxed(1u64).unwrap();
        assert_eq!(fail(&EACH), FaultKind::IllegalInstruction);
        assert_eq!(mine.get().unwrap_err().kind(), &FaultKind::StaleHandle, "it was in the instance that failed");
        // Nor can it be reached from here.
        let fault = write_to(&EACH, flag).unwrap_err();
        assert!(matches!(fault.kind(), FaultKind::Protection { key: 1.., .. }), "{fault}");
        // SAFETY: a live block of a domain, which the program may write.
        unsafe { &*std::ptr::with_exposed_provenance::<AtomicBool>(flag) }.store(true, Ordering::Relaxed);
        assert_eq!(other.join().unwrap(), (Ok(()), Ok(7)));
    });
}

/// The control: where there is one instance for all, both go the other way.
#[test]
fn one_instance_is_one_for_all() {
    static ONE: Domain = Domain::new("one");
    if isolation() {
        let kept = std::thread::spawn(|| ONE.boxed(7u64).unwrap()).join().unwrap();
        let flag = std::thread::spawn(|| block(&ONE)).join().unwrap();
        assert_eq!(write_to(&ONE, flag), Ok(()));
        fail(&ONE);
        assert_eq!(kept.get().unwrap_err().kind(), &FaultKind::StaleHandle);
    }
}

#[test]
fn objects_go_from_thread_to_thread() {
    if !isolation() {
        return;
    }
    block(&EACH);
    let (give, take) = mpsc::channel();
    let end = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut call = EACH.call("make").unwrap();
            // SAFETY: allocates.
            let object = unsafe { call.run(|| libc::calloc(1, 8).cast::<u64>()) }.unwrap();
            // SAFETY: as above.
            let handle = unsafe { call.adopt(object) }.unwrap().unwrap();
            drop(call);
            give.send((EACH.boxed(5u64).unwrap(), handle)).unwrap();
            end.wait();
        });
        let (mut one, handle) = take.recv().unwrap();
        assert_eq!(one.get(), Ok(5));
        one.set(6).unwrap();
        let mut call = EACH.call("use").unwrap();
        let lent = call.lend_box(&mut one).unwrap();
        let object = call.handle(&handle).unwrap();
        // SAFETY: live blocks of the instance that the call went to.
        let sum = unsafe {
            call.run(move || {
                lent.as_mut_ptr().write(*lent.as_ptr() + 1);
                *lent.as_ptr() + *object
            })
        };
        assert_eq!(sum, Ok(7));
        drop(call);
        assert_eq!(one.get(), Ok(7));
        // Where something was staged the call stays.
        let mut call = EACH.call("use").unwrap();
        call.output::<u8>(1).unwrap();
        assert_eq!(call.handle(&handle).unwrap_err().kind(), &FaultKind::StaleHandle);
        drop(call);
        end.wait();
    });
}

/// Threads that come later live where earlier ones have; more at once than there are keys share, and leave some for others.
#[test]
fn more_threads_than_keys() {
    static MANY: Domain = Domain::new("many").instance_per_thread();
    static LATER: [Domain; 4] = [const { Domain::new("later") }; 4];
    const NAME: &str = "more_threads_than_keys";
    if role().is_none() {
        if isolation() {
            assert_eq!(End::from(&child(NAME, "all keys")), End::Status(0));
        }
        return;
    }
    let in_turn: Vec<usize> = (0..30).map(|_| std::thread::spawn(|| block(&MANY) >> 30).join().unwrap()).collect();
    assert!(in_turn.iter().all(|&heap| heap == in_turn[0]), "{in_turn:?}");
    let together = Barrier::new(20);
    let at_once: Vec<(usize, FaultKind)> = std::thread::scope(|scope| {
        let each = |_| {
            scope.spawn(|| {
                let heap = block(&MANY) >> 30;
                together.wait();
                (heap, fail(&MANY))
            })
        };
        let threads: Vec<_> = (0..20).map(each).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut instances: BTreeMap<usize, Vec<FaultKind>> = BTreeMap::new();
    for (heap, kind) in at_once {
        instances.entry(heap).or_default().push(kind);
    }
    assert_eq!(instances.len(), 11, "{instances:?}");
    for kinds in instances.values() {
        // Who shares an instance may be inside when it is the other's turn to fail.
        let lost = kinds.iter().filter(|&kind| kind == &FaultKind::DomainLost).count();
        let failed = kinds.iter().filter(|&kind| kind == &FaultKind::IllegalInstruction).count();
        assert!(failed > 0 && failed + lost == kinds.len(), "{instances:?}");
    }
    for domain in &LATER {
        assert_eq!(in_domain(domain, || 1), Ok(1));
    }
}

#[test]
fn a_library_with_globals_is_refused() {
    // SAFETY: not given away in the end.
    const GLOBALS: &[Globals] = unsafe { &[Globals::shared("libc.so.6")] };
    static SHARED: Domain = Domain::new("shared").globals(GLOBALS).instance_per_thread();
    const NAME: &str = "a_library_with_globals_is_refused";
    if role().is_none() {
        if isolation() {
            assert_eq!(End::from(&child(NAME, "globals")), End::Status(0));
        }
        return;
    }
    let error = in_domain(&SHARED, || 1).unwrap_err();
    assert!(error.to_string().contains("an instance for each thread would have to share"), "{error}");
    // And not by having given them to the domain.
    assert_eq!(in_domain(&EACH, || 1), Ok(1));
}

#[test]
fn a_child_of_a_fork_has_them_too() {
    if !isolation() {
        return;
    }
    let kept = EACH.boxed(3u32).unwrap();
    std::thread::scope(|scope| {
        let (started, ready) = mpsc::channel();
        scope.spawn(move || {
            block(&EACH);
            started.send(()).unwrap();
            let start = Instant::now();
            in_domain(&EACH, || while start.elapsed() < Duration::from_millis(300) {}).unwrap();
        });
        ready.recv().unwrap();
        std::thread::sleep(Duration::from_millis(20));
        // SAFETY: the child makes calls and ends; it is waited for.
        let status = unsafe {
            let child = libc::fork();
            if child == 0 {
                libc::alarm(60);
                let good = kept.get() == Ok(3)
                    && fail(&EACH) == FaultKind::IllegalInstruction
                    && std::thread::spawn(|| in_domain(&EACH, || 1)).join().is_ok_and(|one| one == Ok(1));
                libc::_exit(i32::from(!good));
            }
            let mut status = 0;
            assert_eq!(libc::waitpid(child, &mut status, 0), child);
            status
        };
        assert_eq!(status, 0, "what the child did");
    });
    assert_eq!(kept.get(), Ok(3));
}

/// A call that was given something of where it is goes nowhere else: not with an object of the calling thread's, not with room for
/// no bytes, not with a view for its closures.
#[test]
fn calls_settle_with_what_they_are_given_first() {
    static SETTLED: Domain = Domain::new("settled").instance_per_thread();
    if !isolation() {
        return;
    }
    let object = || {
        let mut call = SETTLED.call("make").unwrap();
        // SAFETY: allocates.
        let object = unsafe { call.run(|| libc::calloc(1, 8).cast::<u64>()) }.unwrap();
        // SAFETY: as above.
        unsafe { call.adopt(object) }.unwrap().unwrap()
    };
    let mine = object();
    let (give, take) = mpsc::channel();
    let end = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            give.send(object()).unwrap();
            end.wait();
        });
        let theirs = take.recv().unwrap();
        let check = |first: &dyn Fn(&mut Call<'_>), expected: Result<(), FaultKind>| {
            let mut call = SETTLED.call("test").unwrap();
            first(&mut call);
            assert_eq!(call.handle(&theirs).map(drop).map_err(|fault| fault.kind().clone()), expected);
        };
        check(&|_| {}, Ok(()));
        check(&|call| _ = call.handle(&mine).unwrap(), Err(FaultKind::StaleHandle));
        check(&|call| _ = call.output::<u8>(0).unwrap(), Err(FaultKind::StaleHandle));
        check(&|call| _ = call.inside(), Err(FaultKind::StaleHandle));
        check(&|call| drop(call.keep(|_: Inside<'_>, number: i32| Ok(number)).unwrap()), Err(FaultKind::StaleHandle));
        end.wait();
    });
}

/// A call that went to another thread's object would wait for that thread, and that thread for ours.
#[test]
fn not_for_libraries_of_one_thread() {
    static ALONE: Domain = Domain::new("alone").instance_per_thread().one_at_a_time();
    if isolation() {
        let fault = in_domain(&ALONE, || ()).unwrap_err();
        assert!(matches!(fault.kind(), FaultKind::Unsupported(Unsupported::Setting { .. })), "{fault}");
    }
}

/// Two instances with all their seats taken, by calls that go on in the other one: none waits for one that waits for it.
#[test]
fn crowds_that_change_places() {
    static PLACES: Domain = Domain::new("places").stack_size(64 << 10).instance_per_thread();
    const NAME: &str = "crowds_that_change_places";
    // As many as there are seats.
    const EACH: usize = 40;
    if role().is_none() {
        if isolation() {
            let output = child(NAME, "two keys");
            assert_eq!(End::from(&output), End::Status(0), "{}", String::from_utf8_lossy(&output.stderr));
        }
        return;
    }
    // SAFETY: takes keys for good, and ends the process where the crowds are stuck.
    unsafe {
        for _ in 0..13 {
            assert!(libc::syscall(libc::SYS_pkey_alloc, 0, 0) > 0);
        }
        libc::alarm(60);
    }
    // Of each instance something, and a thread that is at home there.
    let (give, take) = mpsc::channel();
    let (ready, moved) = (Barrier::new(2 * EACH), Barrier::new(2 * EACH + 2));
    let home = |handle: &isolate_rt::Handle<u64>| {
        let mut call = PLACES.call("home").unwrap();
        call.output::<u8>(1).unwrap();
        call.handle(handle).is_ok()
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let (give, moved) = (give.clone(), &moved);
            scope.spawn(move || {
                let make = || {
                    let mut call = PLACES.call("make").unwrap();
                    // SAFETY: allocates.
                    let object = unsafe { call.run(|| libc::calloc(1, 8).cast::<u64>()) }.unwrap();
                    // SAFETY: as above.
                    unsafe { call.adopt(object) }.unwrap().unwrap()
                };
                give.send((0..2 * EACH).map(|_| make()).collect::<Vec<_>>()).unwrap();
                moved.wait();
            });
        }
        let (firsts, seconds) = (take.recv().unwrap(), take.recv().unwrap());
        for (first, second) in firsts.into_iter().zip(seconds) {
            let (ready, moved) = (&ready, &moved);
            scope.spawn(move || {
                let other = if home(&first) { second } else { first };
                assert!(!home(&other), "in another instance than mine");
                let mut call = PLACES.call("visit").unwrap();
                ready.wait();
                let object = call.handle(&other).unwrap();
                // SAFETY: a live block of the instance that the call went to.
                assert_eq!(unsafe { call.run(move || *object) }, Ok(0));
                drop(call);
                moved.wait();
            });
        }
    });
}
