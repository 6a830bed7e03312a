//! The program around domains goes on as if there were none: fork, setuid, dlopen, threads of every kind, signal handlers,
//! preemption; and state that belongs to the caller comes back as it was.

mod support;

use isolate_rt::{Domain, FaultKind, Handle};
use std::arch::asm;
use std::ffi::CString;
use std::process::Command;
use std::ptr;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::time::{Duration, Instant};
use support::{End, child, isolation, role};

static DOMAIN: Domain = Domain::new("shared");

/// A good call, and a fault, and a good call.
fn exercise(domain: &'static Domain) {
    for _ in 0..2 {
        assert_eq!(in_domain(domain, || 6 * 7).expect("a good call"), 42);
        let fault = in_domain(domain, || {
            // SAFETY: ends the call.
            unsafe { asm!("ud2") }
        });
        assert_eq!(fault.expect_err("a fault").kind(), &FaultKind::IllegalInstruction);
    }
}

/// Tries again when another test's fault ended the instance.
fn in_domain<R: Copy>(domain: &'static Domain, f: impl FnOnce() -> R + Copy) -> Result<R, isolate_rt::Fault> {
    loop {
        // SAFETY: the closures of this file return numbers and addresses only.
        match unsafe { domain.call("test")?.run(f) } {
            Err(fault) if fault.kind() == &FaultKind::DomainLost => {}
            result => return result,
        }
    }
}

/// Runs `f` on a thread that has never been inside a domain, while others have.
fn beside_a_domain<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    exercise(&DOMAIN);
    std::thread::scope(|scope| scope.spawn(f).join().expect("the thread ends well"))
}

#[test]
fn setuid_in_root() {
    if isolation() {
        // SAFETY: to the user that we are. glibc signals every thread that it knows to do the same.
        assert_eq!(beside_a_domain(|| unsafe { libc::setuid(libc::getuid()) }), 0);
        exercise(&DOMAIN);
    }
}

/// glibc asks every thread to change its user, too, by a signal that is its own: one inside a domain answers when it is out.
#[test]
fn setuid_beside_a_long_call() {
    static LONG: Domain = Domain::new("long");
    if !isolation() {
        return;
    }
    let began = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let long = scope.spawn(|| {
            let mut call = LONG.call("compute").unwrap();
            began.store(true, Ordering::Release);
            // SAFETY: returns a number.
            unsafe {
                call.run(|| {
                    let start = Instant::now();
                    let mut turns = 0u64;
                    while start.elapsed() < Duration::from_millis(500) {
                        turns += 1;
                    }
                    // What the domain has of its own is still its own.
                    libc::free(libc::malloc(100));
                    turns.min(1)
                })
            }
        });
        while !began.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(100));
        // SAFETY: to the user that we are.
        assert_eq!(unsafe { libc::setuid(libc::getuid()) }, 0);
        assert_eq!(long.join().unwrap(), Ok(1));
    });
    exercise(&DOMAIN);
}

#[test]
fn fork_in_root_and_call_in_the_child() {
    if isolation() {
        let status = beside_a_domain(|| forked(|| exercise(&DOMAIN)));
        assert_eq!(status, End::Status(0));
        exercise(&DOMAIN);
        // And from a thread that has been inside.
        assert_eq!(forked(|| exercise(&DOMAIN)), End::Status(0));
    }
}

/// What another thread had begun in a domain at the moment of a fork nobody will finish: in the child the domain is a new one.
#[test]
fn fork_while_another_thread_is_inside() {
    static BUSY: Domain = Domain::new("busy");
    if !isolation() {
        return;
    }
    let stop = AtomicBool::new(false);
    let (running, pointer) = (AtomicBool::new(false), AtomicPtr::new(ptr::null_mut()));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // One call that is being staged, and one that runs, in memory that the domain shares with the program: a block
            // of its own heap.
            let staging = BUSY.call("stage").unwrap();
            // SAFETY: allocates.
            let flag = in_domain(&BUSY, || unsafe { libc::calloc(1, 1).cast::<AtomicBool>() }).unwrap();
            pointer.store(flag, Ordering::Release);
            running.store(true, Ordering::Release);
            // SAFETY: an atomic in a live block; the program sets it.
            in_domain(&BUSY, || while !unsafe { &*flag }.load(Ordering::Relaxed) {}).unwrap();
            drop(staging);
            stop.store(true, Ordering::Release);
        });
        while !running.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(50));
        let status = forked(|| exercise(&BUSY));
        // SAFETY: a live block of the domain, which the program may write.
        unsafe { &*pointer.load(Ordering::Acquire) }.store(true, Ordering::Relaxed);
        assert_eq!(status, End::Status(0));
    });
    assert!(stop.into_inner());
    exercise(&BUSY);
}

/// In the child it is as it was where others have been inside, and are not now.
#[test]
fn fork_while_another_thread_rests() {
    static RESTING: Domain = Domain::new("resting");
    if !isolation() {
        return;
    }
    exercise(&RESTING);
    let lend = RESTING.boxed(7u32).unwrap();
    let (start, end) = (Barrier::new(2), Barrier::new(2));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            in_domain(&RESTING, || 1).unwrap();
            start.wait();
            end.wait();
            // Its seat was taken from it, or not: it makes no difference.
            assert_eq!(in_domain(&RESTING, || 2), Ok(2));
        });
        start.wait();
        let status = forked(|| {
            assert_eq!(lend.get(), Ok(7), "made before the fork");
            exercise(&RESTING);
            assert!(lend.get().is_err(), "there was a fault");
        });
        assert_eq!(lend.get(), Ok(7));
        end.wait();
        assert_eq!(status, End::Status(0));
    });
}

/// How a forked child that runs `f` ends: status 0 if `f` returned.
fn forked(f: impl FnOnce()) -> End {
    // SAFETY: the child uses only domains and ends at once. A panic in it must not run the parent's test harness.
    unsafe {
        match libc::fork() {
            0 => {
                let well = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).is_ok();
                libc::_exit(i32::from(!well));
            }
            child => {
                let mut status = 0;
                assert_eq!(libc::waitpid(child, &mut status, 0), child);
                if libc::WIFEXITED(status) {
                    End::Status(libc::WEXITSTATUS(status))
                } else {
                    End::Signal(libc::WTERMSIG(status))
                }
            }
        }
    }
}

#[test]
fn dlopen_of_a_library_with_tls_in_root() {
    if isolation() {
        let loaded = beside_a_domain(|| {
            // SAFETY: both have thread-local variables and harmless constructors.
            unsafe {
                [c"libstdc++.so.6", c"libm.so.6"].map(|name| !libc::dlopen(name.as_ptr(), libc::RTLD_NOW).is_null())
            }
        });
        assert!(loaded[1], "libm can be loaded anywhere");
        if !loaded[0] {
            eprintln!("no libstdc++ here: only libm was loaded");
        }
        exercise(&DOMAIN);
    }
}

/// Thread-locals of a library that is loaded when the domain is long there: refused once to a thread that has been inside
/// before, since the loader writes its data, and then the domain's own, as others are.
#[test]
fn thread_locals_of_a_library_that_is_loaded_later() {
    static LATE: Domain = Domain::new("late");
    if !isolation() {
        return;
    }
    assert_eq!(in_domain(&LATE, || 1), Ok(1));
    let directory = env!("CARGO_TARGET_TMPDIR");
    let (source, object) = (format!("{directory}/late_tls.c"), format!("{directory}/late_tls.so"));
    std::fs::write(&source, "static __thread int count = 40; int next(void) { return ++count; }\n").unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o", &object, &source]).status();
    assert!(built.expect("a C compiler").success());
    let path = CString::new(object).unwrap();
    // SAFETY: a library without constructors, whose function has this type; bound at once.
    let next = unsafe {
        let library = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
        assert!(!library.is_null());
        std::mem::transmute::<*mut libc::c_void, extern "C" fn() -> i32>(libc::dlsym(library, c"next".as_ptr()))
    };
    let call = move || in_domain(&LATE, || next());
    let refused = call().unwrap_err();
    assert_eq!(refused.hint(), Some(isolate_rt::Hint::Loader), "{refused}");
    assert_eq!((call(), call()), (Ok(41), Ok(42)));
    // Another thread's are its own, there and here; and a fault takes the domain's.
    assert_eq!(std::thread::spawn(move || (call(), call(), next())).join().unwrap(), (Ok(41), Ok(42), 41));
    in_domain(&LATE, || {
        // SAFETY: ends the call.
        unsafe { asm!("ud2") }
    })
    .unwrap_err();
    assert_eq!((call(), next()), (Ok(41), 41));
}

/// Libraries with thread-locals come and go while threads are new to domains, and domains are made.
#[test]
fn libraries_that_come_and_go() {
    static MADE: [Domain; 4] = [const { Domain::new("made meanwhile") }; 4];
    const NAME: &str = "libraries_that_come_and_go";
    if role().is_none() {
        if isolation() {
            let output = child(NAME, "coming and going");
            assert_eq!(End::from(&output), End::Status(0), "{}", String::from_utf8_lossy(&output.stderr));
        }
        return;
    }
    let directory = env!("CARGO_TARGET_TMPDIR");
    let (source, object) = (format!("{directory}/coming_tls.c"), format!("{directory}/coming_tls.so"));
    std::fs::write(&source, "__thread int counts[500] = { 40 }; int *where(void) { return counts; }\n").unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o", &object, &source]).status();
    assert!(built.expect("a C compiler").success());
    let path = CString::new(object).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                // SAFETY: a library without constructors.
                unsafe {
                    let library = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
                    assert!(!library.is_null());
                    assert_eq!(libc::dlclose(library), 0);
                }
            }
        });
        for domain in &MADE {
            for _ in 0..20 {
                let called = std::thread::spawn(|| in_domain(domain, || 1)).join().unwrap();
                assert_eq!(called, Ok(1));
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn thread_with_a_stack_of_its_own_in_root() {
    extern "C" fn body(_: *mut libc::c_void) -> *mut libc::c_void {
        exercise(&DOMAIN);
        ptr::without_provenance_mut(42)
    }
    if isolation() {
        let result = beside_a_domain(|| {
            const SIZE: usize = 1 << 20;
            // SAFETY: a stack that outlives the thread on it.
            unsafe {
                let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
                let stack = libc::mmap(ptr::null_mut(), SIZE, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
                let mut attributes = std::mem::zeroed();
                libc::pthread_attr_init(&mut attributes);
                libc::pthread_attr_setstack(&mut attributes, stack, SIZE);
                let (mut thread, mut result) = (std::mem::zeroed(), ptr::null_mut());
                assert_eq!(libc::pthread_create(&mut thread, &attributes, body, ptr::null_mut()), 0);
                libc::pthread_join(thread, &mut result);
                libc::munmap(stack, SIZE);
                result.addr()
            }
        });
        assert_eq!(result, 42);
    }
}

/// Every preemption is a chance for the kernel to write where a domain may not.
#[test]
fn two_seconds_inside_beside_a_busy_competitor() {
    if !isolation() {
        return;
    }
    // SAFETY: moves this process to its first CPU, from a thread of its own so that other tests keep theirs.
    let pin = || unsafe {
        let mut cpus: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(0, &mut cpus);
        libc::sched_setaffinity(0, size_of_val(&cpus), &cpus);
    };
    let end = Instant::now() + Duration::from_secs(3);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            pin();
            while Instant::now() < end {
                std::hint::spin_loop();
            }
        });
        let spun = scope.spawn(move || {
            pin();
            // In the domain `clock_gettime` works without a system call.
            in_domain(&DOMAIN, || {
                let start = Instant::now();
                let mut turns = 0u64;
                while start.elapsed() < Duration::from_secs(2) {
                    turns += 1;
                }
                turns
            })
        });
        assert!(spun.join().unwrap().expect("survives preemption") > 0);
    });
}

#[test]
fn eight_threads_in_the_same_and_in_different_domains() {
    static DOMAINS: [Domain; 4] = [Domain::new("a"), Domain::new("b"), Domain::new("c"), Domain::new("d")];
    if !isolation() {
        return;
    }
    // Older than the keys of these domains: the kernel opens a new key only for the thread that takes it.
    let start = Barrier::new(8);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                for round in 0..20 {
                    exercise(&DOMAINS[(thread + round) % DOMAINS.len()]);
                }
            });
        }
    });
}

/// A thread may look at a domain's memory without ever entering: rights to keys that are younger than it come on demand.
#[test]
fn old_thread_reads_domain_memory() {
    static YOUNG: Domain = Domain::new("young");
    if !isolation() {
        return;
    }
    let (sender, receiver) = std::sync::mpsc::channel::<usize>();
    let old = std::thread::spawn(move || {
        let address = receiver.recv().unwrap();
        // SAFETY: an allocated block of a domain, which the program may read.
        unsafe { ptr::with_exposed_provenance::<u8>(address).read_volatile() }
    });
    let address = in_domain(&YOUNG, || {
        // SAFETY: a block, and its first byte.
        unsafe {
            let block = libc::malloc(16).cast::<u8>();
            block.write(9);
            block.expose_provenance()
        }
    });
    sender.send(address.unwrap()).unwrap();
    assert_eq!(old.join().expect("the thread reads"), 9);
}

#[test]
fn handles_outlive_calls_but_not_faults() {
    static OBJECTS: Domain = Domain::new("objects");
    if !isolation() {
        return;
    }
    let make = || -> Handle<u64> {
        let mut call = OBJECTS.call("make").unwrap();
        // SAFETY: allocates.
        let object = unsafe { call.run(|| libc::calloc(1, 8).cast::<u64>()) }.unwrap();
        // SAFETY: as above.
        unsafe { call.adopt(object) }.unwrap().expect("calloc gave a block")
    };
    let handle = make();
    // On another thread.
    let used = std::thread::spawn(move || {
        let mut call = OBJECTS.call("use").unwrap();
        let object = call.handle(&handle).unwrap();
        // SAFETY: a live object of 8 bytes.
        let value = unsafe {
            call.run(|| {
                *object += 1;
                *object
            })
        };
        assert_eq!(value, Ok(1));
        handle
    });
    let handle = used.join().unwrap();
    exercise(&OBJECTS);
    assert_eq!(OBJECTS.call("use").unwrap().handle(&handle).unwrap_err().kind(), &FaultKind::StaleHandle);
    assert_eq!(DOMAIN.call("use").unwrap().handle(&make()).unwrap_err().kind(), &FaultKind::StaleHandle);
    let mut local = 0u64;
    // SAFETY: with isolation nothing is owed.
    let stray = unsafe { OBJECTS.call("make").unwrap().adopt(&raw mut local) }.map(|_| ());
    assert!(matches!(stray.unwrap_err().kind(), FaultKind::InvalidValue { .. }));
}

/// A thread may prepare several calls; each has a seat of its own.
#[test]
fn calls_side_by_side_on_one_thread() {
    if isolation() {
        let mut outer = DOMAIN.call("outer").unwrap();
        let number = outer.inout(&[41u32]).unwrap();
        assert_eq!(in_domain(&DOMAIN, || 1), Ok(1));
        // SAFETY: one number was staged.
        unsafe { outer.run(|| *number.as_mut_ptr() += 1) }.unwrap();
        assert_eq!(outer.read(number), 42);
    }
}

#[test]
fn registers_of_the_caller_survive() {
    if !isolation() {
        return;
    }
    let wreck = || {
        // SAFETY: none of this is allowed to code that returns; here it must not matter.
        unsafe {
            let control = [0u32, 0];
            asm!("ldmxcsr [{0}]", "fldcw [{0} + 4]", "std", "fld1", "fld1", in(reg) &control, options(readonly));
            // 1 / 0 with every exception unmasked: pending until the next x87 instruction that waits.
            asm!("fldz", "fdivp st(1), st");
            asm!("pushfq", "or dword ptr [rsp], 0x40000", "popfq");
        }
    };
    let state = || {
        let (mut mxcsr, mut x87) = (0u32, 0u16);
        // SAFETY: stores two control registers, and reads the flags.
        unsafe {
            asm!("stmxcsr [{}]", "fnstcw [{}]", in(reg) &raw mut mxcsr, in(reg) &raw mut x87);
            let flags: u64;
            asm!("pushfq", "pop {}", out(reg) flags);
            // But for the sticky exception flags of MXCSR, which are the callee's to set. (Those of the x87 unit wait for a control
            // word that does not mask them.)
            let status: u16;
            asm!("fnstsw ax", out("ax") status);
            assert_eq!(status & 0x38bf, 0, "the x87 stack is empty and no exception waits");
            (mxcsr & !0x3f, x87, flags & (1 << 10 | 1 << 18))
        }
    };
    let before = state();
    in_domain(&DOMAIN, wreck).expect("returns");
    assert_eq!(state(), before);
    // With every exception masked: its flag is all that there is of it.
    let divide = || {
        // SAFETY: as above.
        unsafe { asm!("fninit", "fld1", "fldz", "fdivp st(1), st", "fstp st(0)") }
    };
    in_domain(&DOMAIN, divide).expect("returns");
    assert_eq!(state(), before);
    let fault = in_domain(&DOMAIN, move || {
        wreck();
        // SAFETY: ends the call.
        unsafe { asm!("ud2") }
    });
    fault.expect_err("a fault");
    assert_eq!(state(), before);
    // The control: what of it can be left so while Rust runs.
    let (mxcsr, x87) = (before.0 | 0x8040, before.1 ^ 0xc00);
    let control = [mxcsr, x87.into()];
    static DIRECT: Domain = Domain::new("direct").backend(isolate_rt::Backend::None);
    // SAFETY: rounding and flushing to zero, put back at once: this function computes nothing.
    let after = unsafe {
        let mut call = DIRECT.call("control").unwrap();
        call.run(|| asm!("ldmxcsr [{0}]", "fldcw [{0} + 4]", in(reg) &control, options(readonly))).unwrap();
        let after = state();
        asm!("ldmxcsr [{0}]", "fldcw [{0} + 4]", in(reg) &[before.0, before.1.into()], options(readonly));
        after
    };
    assert_ne!((after.0, after.1), (before.0, before.1));
    assert_eq!(state(), before);
}

#[test]
fn errno_and_thread_locals_are_the_domains_own() {
    if !isolation() {
        return;
    }
    // SAFETY: this thread's errno.
    let root = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    unsafe { *root = 7 };
    let mut call = DOMAIN.call("errno").unwrap();
    // SAFETY: the domain's errno.
    let inside = unsafe {
        call.run(|| {
            *libc::__errno_location() = 42;
            libc::__errno_location().addr()
        })
    };
    assert_eq!(call.errno(), 42);
    assert_ne!(inside.unwrap(), root.addr());
    // SAFETY: as above.
    assert_eq!(unsafe { *root }, 7);
}

#[test]
fn sizes() {
    static SMALL: Domain = Domain::new("small").heap_limit(1 << 20);
    static HUGE: Domain = Domain::new("huge").stack_size(2 << 30);
    if !isolation() {
        return;
    }
    for len in [0, 1, 4095, 4096, 4097, 64 << 20] {
        let data: Vec<u8> = (0..len).map(|i| i as u8).collect();
        let mut call = SMALL.call("copy").unwrap();
        let from = call.input(&data).unwrap();
        let to = call.output::<u8>(len).unwrap();
        // SAFETY: both have `len` bytes.
        unsafe { call.run(|| ptr::copy_nonoverlapping(from, to.as_mut_ptr(), len)) }.unwrap();
        let mut copy = vec![0; len];
        assert_eq!(call.take(to, len, &mut copy), len);
        assert!(copy == data, "{len} bytes came back changed");
    }
    let mut call = SMALL.call("stage").unwrap();
    let too_large = call.output::<u8>(5 << 30).unwrap_err();
    assert!(matches!(too_large.kind(), FaultKind::TooLarge { requested, .. } if *requested == 5 << 30));
    assert!(call.output::<u64>(usize::MAX / 4).is_err());
    assert!(call.length::<u16>(70_000).is_err());
    // A length that lies is no length; the room of the caller ends the copy.
    let room = call.output::<u8>(10).unwrap();
    for lie in [11, usize::MAX] {
        let refused = call.within(lie, room.len()).unwrap_err();
        assert!(matches!(refused.kind(), FaultKind::InvalidValue { .. }), "{refused}");
        assert_eq!(call.take(room, lie, &mut [0; 20]), 10);
    }
    assert_eq!(call.within(10, room.len()), Ok(10));
    assert_eq!(call.take(room, 10, &mut [0; 20]), 10);
    assert_eq!(call.take(room, 10, &mut [0; 5]), 5);
    assert_eq!(call.count(-1i32), 0);
    drop(call);
    // A bomb ends at the limit, and the next call has the whole heap.
    for _ in 0..3 {
        let blocks = in_domain(&SMALL, || {
            // SAFETY: allocates until there is no more, and frees none of it. (The compiler knows `malloc`: without the
            // black box it takes the blocks for unused.)
            unsafe {
                let mut blocks = 0;
                while !std::hint::black_box(libc::malloc(10_000)).is_null() {
                    blocks += 1;
                }
                assert_eq!(*libc::__errno_location(), libc::ENOMEM);
                blocks
            }
        });
        let blocks = blocks.unwrap();
        assert!((80..=104).contains(&blocks), "{blocks} blocks of 10,000 bytes in 1 MiB");
        in_domain(&SMALL, || {
            // SAFETY: ends the call.
            unsafe { asm!("ud2") }
        })
        .unwrap_err();
    }
    assert!(matches!(HUGE.call("any").unwrap_err().kind(), FaultKind::Unsupported(_)));
}

#[test]
fn strings_must_lie_in_the_domain_or_in_constants() {
    if !isolation() {
        return;
    }
    let mut call = DOMAIN.call("strings").unwrap();
    // SAFETY: a string of the domain's heap.
    let own = unsafe { call.run(|| libc::strdup(c"from the heap".as_ptr())) }.unwrap();
    // SAFETY: this domain is isolated: whatever the pointer is, it is checked.
    let string = |call: &isolate_rt::Call<'_>, text| unsafe { call.string(text) };
    assert_eq!(string(&call, own).unwrap().unwrap().as_c_str(), c"from the heap");
    assert_eq!(string(&call, c"constant".as_ptr()).unwrap().unwrap().as_c_str(), c"constant");
    assert_eq!(string(&call, ptr::null()).unwrap(), None);
    let secret = std::ffi::CString::new("secret").unwrap();
    let stray = string(&call, secret.as_ptr()).unwrap_err();
    assert!(matches!(stray.kind(), FaultKind::InvalidValue { .. }));
    drop(call);
    // A string without an end: up to where what was staged stops.
    let mut call = DOMAIN.call("strings").unwrap();
    let endless = call.output::<u8>(10_000).unwrap();
    // SAFETY: the domain may write what is its own.
    unsafe { call.run(|| endless.as_mut_ptr().write_bytes(b'x', 10_000)) }.unwrap();
    assert!(matches!(string(&call, endless.as_ptr().cast()).unwrap_err().kind(), FaultKind::InvalidValue { .. }));
}

#[test]
fn a2_ten_thousand_faults_leave_nothing_behind() {
    static FAULTY: Domain = Domain::new("faulty");
    const NAME: &str = "a2_ten_thousand_faults_leave_nothing_behind";
    // In a child: other tests of this process allocate too.
    if role().is_none() {
        if isolation() {
            let output = child(NAME, "child");
            assert_eq!(End::from(&output), End::Status(0), "{}", String::from_utf8_lossy(&output.stdout));
        }
        return;
    }
    let status = || {
        let read = |path| std::fs::read_to_string(path).unwrap();
        let resident: usize = read("/proc/self/statm").split(' ').nth(1).unwrap().parse().unwrap();
        let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().count();
        (resident, read("/proc/self/maps").lines().count(), descriptors, keys_left())
    };
    let fault = || {
        let fault = in_domain(&FAULTY, || {
            // SAFETY: dirties the heap, then writes outside.
            unsafe {
                libc::malloc(100_000).cast::<u8>().write_bytes(1, 100_000);
                asm!("mov byte ptr [8], 0")
            }
        });
        assert_eq!(fault.unwrap_err().address(), Some(8));
        assert_eq!(in_domain(&FAULTY, || 42), Ok(42));
    };
    (0..100).for_each(|_| fault());
    let before = status();
    (0..10_000).for_each(|_| fault());
    let after = status();
    assert!(after.0 < before.0 + 64, "resident pages: {before:?} became {after:?}");
    assert!(after.1 <= before.1 + 2, "mappings: {before:?} became {after:?}");
    assert_eq!(after.2, before.2, "descriptors");
    assert_eq!(after.3, before.3, "keys");
    exercise(&FAULTY);
}

/// How many protection keys the process can still have.
fn keys_left() -> usize {
    // SAFETY: takes keys that nobody has, and gives them back.
    unsafe {
        let take = || libc::syscall(libc::SYS_pkey_alloc, 0usize, 0usize);
        let taken: Vec<_> = std::iter::repeat_with(take).take_while(|key| *key >= 0).collect();
        taken.iter().for_each(|key| assert_eq!(libc::syscall(libc::SYS_pkey_free, *key), 0));
        taken.len()
    }
}

#[test]
fn a23_a_sixteenth_domain_has_no_key() {
    static DOMAINS: [Domain; 16] = [const { Domain::new("one of many") }; 16];
    // In a child: other tests of this process want keys too.
    if role().as_deref() == Some("control") {
        static UNPROTECTED: [Domain; 17] =
            [const { Domain::new("without a key").backend(isolate_rt::Backend::None) }; 17];
        assert!(UNPROTECTED.iter().all(|domain| in_domain(domain, || 1) == Ok(1)));
    } else if role().is_some() {
        let made = DOMAINS.iter().take_while(|domain| in_domain(domain, || 1) == Ok(1)).count();
        let refused = DOMAINS[15].call("any").unwrap_err();
        assert!(matches!(refused.kind(), FaultKind::Unsupported(isolate_rt::Unsupported::NoKey)), "{refused}");
        assert_eq!(made, 15);
    } else if isolation() {
        for role in ["child", "control"] {
            let output = child("a23_a_sixteenth_domain_has_no_key", role);
            assert_eq!(End::from(&output), End::Status(0), "{}", String::from_utf8_lossy(&output.stdout));
        }
    }
}

/// Faults of the program itself still reach whoever handled them before: std's report of a stack overflow, the default action.
#[test]
fn a21_faults_outside_a_domain_are_untouched() {
    const NAME: &str = "a21_faults_outside_a_domain_are_untouched";
    match role().as_deref() {
        Some("null") => {
            exercise(&DOMAIN);
            // SAFETY: ends this child.
            unsafe { asm!("mov byte ptr [8], 0") }
        }
        Some("overflow") => {
            exercise(&DOMAIN);
            #[expect(unconditional_recursion, reason = "that is the test")]
            fn forever(n: u64) -> u64 {
                forever(std::hint::black_box(n + 1)) + std::hint::black_box(n)
            }
            forever(0);
        }
        Some("abort") => {
            exercise(&DOMAIN);
            std::process::abort();
        }
        Some(_) => unreachable!("no such role"),
        None if !isolation() => {}
        None => {
            assert_eq!(End::from(&child(NAME, "null")), End::Signal(libc::SIGSEGV));
            assert_eq!(End::from(&child(NAME, "abort")), End::Signal(libc::SIGABRT));
            let output = child(NAME, "overflow");
            assert_eq!(End::from(&output), End::Signal(libc::SIGABRT));
            let report = String::from_utf8_lossy(&output.stderr);
            assert!(report.contains("has overflowed its stack"), "std's own report is missing: {report}");
        }
    }
}

/// An empty buffer behind one that fills the room for small ones.
#[test]
fn staged_buffers_of_length_zero() {
    if !isolation() {
        return;
    }
    for len in [0, 1, 65_535, 65_536, 65_537] {
        let mut call = DOMAIN.call("empty").unwrap();
        let full = call.inout(&vec![7u8; len]).unwrap();
        let empty = call.output::<u64>(0).unwrap();
        // SAFETY: does nothing.
        unsafe { call.run(|| ()) }.unwrap();
        assert_eq!(call.take(empty, 0, &mut []), 0);
        assert_eq!(call.take(full, len, &mut vec![0; len]), len);
    }
}

/// Staged buffers name memory of one call. Without isolation it is freed when the call ends.
#[test]
fn staged_buffers_of_another_call_are_refused() {
    static UNPROTECTED: Domain = Domain::new("unprotected").backend(isolate_rt::Backend::None);
    let stray = {
        let mut call = UNPROTECTED.call("first").unwrap();
        let staged = call.inout(&[1u8; 100]).unwrap();
        assert_eq!(call.take(staged, 100, &mut [0; 100]), 100);
        staged
    };
    let call = UNPROTECTED.call("second").unwrap();
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call.read(stray)));
    assert!(read.is_err(), "a buffer of a call that is over was read");
    // Nor is a longer one, where a shorter one has got its place.
    let long = UNPROTECTED.call("long").unwrap().output::<u8>(4000).unwrap();
    let mut shorter = Vec::new();
    let call = loop {
        let mut call = UNPROTECTED.call("short").unwrap();
        if call.output::<u8>(100).unwrap().as_ptr() == long.as_ptr() {
            break call;
        }
        shorter.push(call);
        assert!(shorter.len() < 10_000, "the allocator does not use that place again");
    };
    let read = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call.take(long, 4000, &mut [0; 4000])));
    assert!(read.is_err(), "behind a buffer was read");
    #[derive(Clone, Copy)]
    #[repr(align(64))]
    struct Aligned(#[expect(dead_code, reason = "only its alignment counts")] [u8; 64]);
    let mut call = UNPROTECTED.call("aligned").unwrap();
    // SAFETY: every bit pattern is a valid array of bytes.
    let aligned = unsafe { call.output_any::<Aligned>(3) }.unwrap();
    assert!(aligned.as_ptr().is_aligned());
    assert!(matches!(call.output::<u64>(usize::MAX / 4).unwrap_err().kind(), FaultKind::TooLarge { .. }));
}

/// A domain that is made by a thread with hardly any stack.
#[test]
fn thread_with_a_tiny_stack() {
    static SMALL: Domain = Domain::new("made by a small thread");
    if isolation() {
        let small = std::thread::Builder::new().stack_size(48 << 10);
        small.spawn(|| assert!(in_domain(&SMALL, || 1).is_ok())).unwrap().join().unwrap();
    }
}
