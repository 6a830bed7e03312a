//! Accidents that do not fit the one shape of `main.rs`: they need setting up, or end well.

use super::{DOMAIN, OVERWRITTEN, UNHARMED, child_ends, heap, in_domain, next_call_works, recurse, without};
use crate::support::{End, child, isolation, role};
use isolate_rt::{Domain, FaultKind};
use std::arch::asm;
use std::ffi::CString;
use std::fs;
use std::process::Command;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The part of its heap that the domain has not asked for yet is closed to it.
#[test]
fn a1_unopened_heap() {
    static ROOMY: Domain = Domain::new("roomy");
    if !isolation() {
        return;
    }
    // SAFETY: writes 30 MiB behind a small block; that is the attack.
    let wild = || unsafe {
        ROOMY.call("wild").unwrap().run(|| libc::malloc(100).cast::<u8>().add(30 << 20).write_volatile(1))
    };
    assert!(matches!(wild().unwrap_err().kind(), FaultKind::Unmapped { .. }));
    // Once it has asked for it, it is its own, also after a fault.
    // SAFETY: allocates, writes, frees.
    let large = || unsafe {
        ROOMY.call("large").unwrap().run(|| {
            let block = libc::malloc(50 << 20).cast::<u8>();
            (0..50).for_each(|at| block.add(at << 20).write_volatile(1));
            libc::free(block.cast());
        })
    };
    assert_eq!(large(), Ok(()));
    // SAFETY: ends the call.
    let _: Result<(), _> = unsafe { ROOMY.call("fail").unwrap().run(|| asm!("ud2")) };
    assert_eq!(large(), Ok(()));
}

#[test]
fn a2_double_free() {
    // SAFETY: none; that is the attack.
    let twice = || unsafe {
        let blocks = [(); 4].map(|()| libc::malloc(100));
        for block in blocks {
            libc::free(block);
            libc::free(block);
            block.cast::<usize>().write_volatile(usize::MAX);
        }
        libc::malloc(100).addr()
    };
    if role().is_some() {
        without(twice);
    }
    if !isolation() {
        return;
    }
    // glibc looks, and ends the process.
    child_ends("accidents::a2_double_free", "control", End::Signal(libc::SIGABRT));
    for _ in 0..200 {
        let result = in_domain("double free", twice);
        // Whatever came of it stayed inside.
        drop(result);
        // SAFETY: a heap that is ruined is dropped by the next fault.
        let _ = in_domain("end", || unsafe { asm!("ud2") });
        next_call_works(&DOMAIN);
    }
}

#[test]
fn a4_recursion_on_another_thread() {
    if role().is_some() {
        std::thread::spawn(|| without(|| recurse(1))).join().unwrap();
    }
    if isolation() {
        child_ends("accidents::a4_recursion_on_another_thread", "control", End::Signal(libc::SIGABRT));
        let overflow = std::thread::spawn(|| in_domain("recurse", || recurse(1))).join().unwrap();
        assert!(matches!(overflow.unwrap_err().kind(), FaultKind::StackOverflow { .. }));
    }
}

#[test]
fn a7_kill_is_not_held() {
    if role().is_some() {
        // SAFETY: ends the process, from inside.
        let _ = in_domain("kill", || unsafe { libc::kill(libc::getpid(), libc::SIGKILL) });
        std::process::exit(1);
    }
    if isolation() {
        child_ends("accidents::a7_kill_is_not_held", "inside", End::Signal(libc::SIGKILL));
    }
}

/// A panic writes std's own statics first, which are the program's.
#[test]
fn a9_panic_inside() {
    let panic = || {
        if std::hint::black_box(true) {
            std::panic::resume_unwind(Box::new(1));
        }
    };
    if role().is_some() {
        let passed = std::panic::catch_unwind(|| without(panic));
        std::process::exit(if passed.is_err_and(|it| it.is::<i32>()) { OVERWRITTEN } else { UNHARMED });
    }
    if !isolation() {
        return;
    }
    child_ends("accidents::a9_panic_inside", "control", End::Status(OVERWRITTEN));
    // A domain of its own: it allocates first, and other tests ruin the heap of the one they share.
    static PANICKING: Domain = Domain::new("panicking");
    // SAFETY: ends the call.
    let fault = unsafe { PANICKING.call("panic").unwrap().run(panic) }.unwrap_err();
    assert!(matches!(fault.kind(), FaultKind::Panicked { message } if message.is_empty()), "{fault}");
    next_call_works(&PANICKING);
    assert!(
        std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(2))).is_err(),
        "the program can still panic"
    );
}

/// With rseq registered, the kernel writes its area (the program's) at the next preemption, with the rights of the domain.
#[test]
fn a12_rseq() {
    static SPINNING: Domain = Domain::new("spinning").deadline(Duration::from_secs(1));
    fn spin() {
        loop {
            std::hint::spin_loop();
        }
    }
    if role().is_some() {
        #[repr(align(32))]
        struct Area(#[expect(dead_code, reason = "the kernel's")] [u8; 32]);
        let area = Box::leak(Box::new(Area([0; 32])));
        // SAFETY: what glibc had registered for this thread, undone by the runtime when it first entered; now done again.
        unsafe {
            let mut call = SPINNING.call("spin").unwrap();
            const SIGNATURE: u32 = 0x5305_3053;
            assert_eq!(libc::syscall(libc::SYS_rseq, area, 32, 0, SIGNATURE), 0);
            let _ = call.run(spin);
        }
        std::process::exit(1);
    }
    if isolation() {
        // SAFETY: returns nothing.
        let spun = unsafe { SPINNING.call("spin").unwrap().run(spin) };
        assert_eq!(spun.unwrap_err().kind(), &FaultKind::Timeout);
        child_ends("accidents::a12_rseq", "registered", End::Signal(libc::SIGSEGV));
    }
}

/// Allocates and frees until it is ended; blocks that are too large for what glibc keeps for each thread.
fn allocate_forever() {
    let mut size = 1;
    loop {
        // SAFETY: a block that is had, resized and freed.
        unsafe {
            let block = libc::malloc(size % 5000);
            libc::free(libc::realloc(block, size % 7000 + 1));
        }
        size += 13;
    }
}

/// Without domains: threads that are stopped for good at some point inside glibc's `malloc`, as a rewind would, until the
/// program's own next `malloc` waits for a lock that nobody will release. The alarm ends that.
fn abandoned_locks() -> ! {
    extern "C" fn stay(_: i32) {
        loop {
            // SAFETY: waits.
            unsafe { libc::pause() };
        }
    }
    // SAFETY: settings of this process, and signals to a thread of its own.
    unsafe {
        libc::signal(libc::SIGUSR1, stay as *const () as usize);
        assert_eq!(libc::mallopt(libc::M_ARENA_MAX, 1), 1);
        // Usually a few rounds are enough; on a busy machine most threads are hit before they allocate.
        for _ in 0..4_000 {
            libc::alarm(5);
            let thread = std::thread::spawn(allocate_forever);
            std::thread::sleep(Duration::from_micros(500));
            libc::pthread_kill(std::os::unix::thread::JoinHandleExt::as_pthread_t(&thread), libc::SIGUSR1);
            std::thread::sleep(Duration::from_micros(500));
            libc::free(libc::malloc(50_000));
        }
        libc::_exit(UNHARMED)
    }
}

/// `ISOLATE_ROUNDS` makes it longer.
#[test]
fn a13_deadlines_inside_malloc() {
    static HURRIED: Domain = Domain::new("allocating").deadline(Duration::from_micros(500));
    if role().is_some() {
        abandoned_locks();
    }
    if !isolation() {
        return;
    }
    child_ends("accidents::a13_deadlines_inside_malloc", "control", End::Signal(libc::SIGALRM));
    let rounds = std::env::var("ISOLATE_ROUNDS").map_or(200, |rounds| rounds.parse().unwrap());
    for round in 0..rounds {
        // SAFETY: returns nothing.
        let endless: Result<(), _> = unsafe { HURRIED.call("allocate").unwrap().run(allocate_forever) };
        assert_eq!(endless.unwrap_err().kind(), &FaultKind::Timeout, "round {round}");
        if round % 50 == 0 {
            // SAFETY: returns a number.
            let good = (0..20).find_map(|_| unsafe {
                HURRIED
                    .call("good")
                    .unwrap()
                    .run(|| {
                        let block = libc::malloc(100);
                        libc::free(block);
                        usize::from(!block.is_null())
                    })
                    .ok()
            });
            assert_eq!(good, Some(1), "the heap's lock is free again");
        }
    }
}

#[test]
fn a14_descriptors_stay_open() {
    if !isolation() {
        return;
    }
    static OPENED: AtomicUsize = AtomicUsize::new(0);
    // SAFETY: opens a file and fails. The number gets out by way of the fault: as an address.
    let fault = in_domain("open", || unsafe {
        let file = libc::memfd_create(c"left".as_ptr(), 0);
        asm!("mov byte ptr [{}], 1", in(reg) file as usize);
    });
    let file = fault.unwrap_err().address().unwrap();
    OPENED.store(file, Ordering::Relaxed);
    // SAFETY: closes what the domain has left open, which shows that it was.
    assert_eq!(unsafe { libc::close(file as i32) }, 0);
}

/// The child is told apart by its number: it stops at its first write to the program, then ends.
#[test]
fn a16_raw_clone_is_not_held() {
    if !isolation() {
        return;
    }
    let victim = heap();
    // SAFETY: none; that is the attack. The child can do nothing but what it does here.
    let child = in_domain("clone", || unsafe {
        let child = libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0);
        if child == 0 {
            // The kernel refuses to write where the domain may not: no signal, no way back into the program.
            let mut random = libc::syscall(libc::SYS_getrandom, victim, 1, 0);
            random = if random == -1 { 0 } else { 1 };
            libc::syscall(libc::SYS_exit_group, random);
        }
        child
    })
    .unwrap();
    let mut status = 0;
    // SAFETY: waits for the child.
    assert_eq!(unsafe { libc::waitpid(child as i32, &mut status, 0) }, child as i32);
    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "the child wrote to the program: {status:#x}");
}

/// The first call of an imported function makes the loader write its own data and the library's table.
#[test]
fn a17_lazy_binding() {
    if role().is_none() && !isolation() {
        return;
    }
    let directory = env!("CARGO_TARGET_TMPDIR");
    let name = format!("{directory}/isolate_lazy{}", role().unwrap_or_default());
    let (source, object) = (format!("{name}.c"), format!("{name}.so"));
    fs::write(
        &source,
        "#include <stdlib.h>\nint lazy(const char *s) { return atoi(s); }\n\
         int nowhere(void);\nint lost(void) { return nowhere(); }\n",
    )
    .unwrap();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O0", "-fno-builtin", "-Wl,-z,lazy", "-o", &object, &source])
        .status();
    assert!(built.expect("a C compiler").success());
    let path = CString::new(object).unwrap();
    // SAFETY: a library without constructors, whose functions have these types.
    let (lazy, lost) = unsafe {
        let library = libc::dlopen(path.as_ptr(), libc::RTLD_LAZY);
        assert!(!library.is_null());
        let [lazy, lost] = [c"lazy", c"lost"].map(|name| libc::dlsym(library, name.as_ptr()));
        (
            std::mem::transmute::<*mut libc::c_void, unsafe extern "C" fn(*const i8) -> i32>(lazy),
            std::mem::transmute::<*mut libc::c_void, unsafe extern "C" fn() -> i32>(lost),
        )
    };
    if role().is_some() {
        // SAFETY: calls what nobody defines: the loader ends the process.
        without(|| _ = unsafe { lost() });
    }
    child_ends("accidents::a17_lazy_binding", "control", End::Status(127));
    // SAFETY: reads a C string. Bound before the call.
    assert_eq!(in_domain("lazy", || unsafe { lazy(c"42".as_ptr()) }), Ok(42));
    // SAFETY: as the control.
    let fault = in_domain("lost", || unsafe { lost() }).unwrap_err();
    assert!(matches!(fault.kind(), FaultKind::Protection { key: 0, write: true, .. }), "{fault}");
    assert!(fault.to_string().contains("by the dynamic loader"), "{fault}");
}

#[test]
fn a18_domain_block_freed_by_the_program() {
    if role().is_some() {
        // SAFETY: allocates.
        let block = in_domain("allocate", || unsafe { libc::malloc(64) }).unwrap();
        // SAFETY: none; that is the mistake.
        unsafe { libc::free(block) };
        std::process::exit(1);
    }
    if isolation() {
        let output = child("accidents::a18_domain_block_freed_by_the_program", "free");
        assert_eq!(End::from(&output), End::Signal(libc::SIGABRT));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("belongs to a domain"), "{said}");
    }
}

/// A handler of the program's that interrupts a domain, and is wrong itself.
#[test]
fn a20_fault_in_a_handler() {
    extern "C" fn wrong(_: i32) {
        super::store(ptr::without_provenance_mut(8));
    }
    if role().is_some() {
        // SAFETY: a handler for a signal that nobody else uses here; then the signal, sent from inside.
        unsafe {
            libc::signal(libc::SIGUSR1, wrong as *const () as usize);
            let tid = libc::gettid();
            let _ = in_domain("signal", || libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, libc::SIGUSR1));
        }
        std::process::exit(1);
    }
    if isolation() {
        child_ends("accidents::a20_fault_in_a_handler", "fault", End::Signal(libc::SIGSEGV));
    }
}
