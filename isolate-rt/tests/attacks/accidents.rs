//! Accidents that do not fit the one shape of `main.rs`: they need setting up, or end well.

use super::{
    DOMAIN, OVERWRITTEN, UNHARMED, UNPROTECTED, child_ends, heap, in_domain, next_call_works, recurse, without,
};
use crate::support::{End, child, isolation, role};
use isolate_rt::{Domain, FaultKind};
use std::arch::asm;
use std::ffi::{CStr, CString};
use std::fs;
use std::process::Command;
use std::ptr;
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

/// A C function, compiled with these options, that writes over the end of a local buffer to where it returns to.
fn smashing(name: &str, options: &[&str]) -> unsafe extern "C" fn(i32) {
    let function = library(name, "#include <string.h>\nvoid smash(int n) { char b[8]; memset(b, 'A', n); }", options);
    // SAFETY: of this type; a library without constructors.
    unsafe { std::mem::transmute::<*mut libc::c_void, unsafe extern "C" fn(i32)>(function(c"smash")) }
}

#[test]
fn a3_smashed_with_a_canary() {
    check_smashed("a3_smashed_with_a_canary", "-fstack-protector-all", libc::SIGABRT, |kind| {
        matches!(kind, FaultKind::StackSmashed)
    });
}

#[test]
fn a3_smashed_without_a_canary() {
    check_smashed("a3_smashed_without_a_canary", "-fno-stack-protector", libc::SIGSEGV, |kind| {
        matches!(kind, FaultKind::NonCanonical)
    });
}

fn check_smashed(test: &str, option: &str, signal: i32, expected: fn(&FaultKind) -> bool) {
    if role().is_none() && !isolation() {
        return;
    }
    let smash = smashing(&format!("isolate_{test}{}", role().unwrap_or_default()), &["-O0", option]);
    // SAFETY: none; that is the accident.
    let smash = || unsafe { smash(64) };
    if role().is_some() {
        without(smash);
    }
    child_ends(&format!("accidents::{test}"), "control", End::Signal(signal));
    let fault = in_domain("smash", smash).unwrap_err();
    assert!(expected(fault.kind()), "{fault}");
    next_call_works(&DOMAIN);
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
        // On a busy machine the deadline may come before it is through.
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
        assert_eq!(good, Some(1), "round {round}: the heap's lock is free again");
    }
}

#[test]
fn a14_descriptors_stay_open() {
    // SAFETY: closes what was left open, which shows that it was.
    let was_open = |file: i32| unsafe { libc::close(file) } == 0;
    if role().is_some() {
        // SAFETY: opens a file.
        let file = unsafe { UNPROTECTED.call("open").unwrap().run(|| libc::memfd_create(c"left".as_ptr(), 0)) };
        std::process::exit(if was_open(file.unwrap()) { OVERWRITTEN } else { UNHARMED });
    }
    if !isolation() {
        return;
    }
    child_ends("accidents::a14_descriptors_stay_open", "control", End::Status(OVERWRITTEN));
    // SAFETY: opens a file and fails. The number gets out by way of the fault: as an address.
    let fault = in_domain("open", || unsafe {
        let file = libc::memfd_create(c"left".as_ptr(), 0);
        asm!("mov byte ptr [{}], 1", in(reg) file as usize);
    });
    assert!(was_open(fault.unwrap_err().address().unwrap() as i32));
}

/// The child is told apart by its number: it stops at its first write to the program, then ends.
#[test]
fn a16_raw_clone_is_not_held() {
    if role().is_none() && !isolation() {
        return;
    }
    let victim = heap();
    // SAFETY: none; that is the attack. The child can do nothing but what it does here.
    let clone = || unsafe {
        let child = libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0);
        if child == 0 {
            // The kernel refuses to write where the domain may not: no signal, no way back into the program.
            let mut random = libc::syscall(libc::SYS_getrandom, victim, 1, 0);
            random = if random == -1 { 0 } else { 1 };
            libc::syscall(libc::SYS_exit_group, random);
        }
        child
    };
    let has_written = |child: i64| {
        let mut status = 0;
        // SAFETY: waits for the child.
        assert_eq!(unsafe { libc::waitpid(child as i32, &mut status, 0) }, child as i32);
        assert!(libc::WIFEXITED(status), "{status:#x}");
        libc::WEXITSTATUS(status) != 0
    };
    if role().is_some() {
        // SAFETY: as above.
        let child = unsafe { UNPROTECTED.call("clone").unwrap().run(clone) }.unwrap();
        std::process::exit(if has_written(child) { OVERWRITTEN } else { UNHARMED });
    }
    child_ends("accidents::a16_raw_clone_is_not_held", "control", End::Status(OVERWRITTEN));
    assert!(!has_written(in_domain("clone", clone).unwrap()), "the child wrote to the program");
}

/// Compiles a shared library without constructors, opens it, and gives what finds its functions.
fn library(name: &str, source: &str, options: &[&str]) -> impl Fn(&CStr) -> *mut libc::c_void + use<> {
    let path = format!("{}/{name}", env!("CARGO_TARGET_TMPDIR"));
    let (text, object) = (format!("{path}.c"), format!("{path}.so"));
    fs::write(&text, source).unwrap();
    let built = Command::new("cc").args(["-shared", "-fPIC"]).args(options).args(["-o", &object, &text]).status();
    assert!(built.expect("a C compiler").success());
    let path = CString::new(object).unwrap();
    // SAFETY: it has no constructors.
    let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_LAZY) };
    assert!(!library.is_null());
    move |name| {
        // SAFETY: looks a name up.
        let function = unsafe { libc::dlsym(library, name.as_ptr()) };
        assert!(!function.is_null(), "{name:?}");
        function
    }
}

/// The first call of an imported function makes the loader write its own data and the library's table.
#[test]
fn a17_lazy_binding() {
    if role().is_none() && !isolation() {
        return;
    }
    let function = library(
        &format!("isolate_lazy{}", role().unwrap_or_default()),
        "#include <stdlib.h>\nint lazy(const char *s) { return atoi(s); }\n\
         int nowhere(void);\nint lost(void) { return nowhere(); }\n",
        &["-O0", "-fno-builtin", "-Wl,-z,lazy"],
    );
    // SAFETY: functions of these types.
    let (lazy, lost) = unsafe {
        let [lazy, lost] = [c"lazy", c"lost"].map(function);
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
    if let Some(role) = role() {
        // SAFETY: a handler for a signal that nobody else uses here; then the signal, sent from inside.
        unsafe {
            libc::signal(libc::SIGUSR1, wrong as *const () as usize);
            let tid = libc::gettid();
            let send = || libc::syscall(libc::SYS_tgkill, libc::getpid(), tid, libc::SIGUSR1);
            if role == "control" {
                without(send);
            }
            let _ = in_domain("signal", send);
        }
        std::process::exit(1);
    }
    if isolation() {
        for role in ["fault", "control"] {
            child_ends("accidents::a20_fault_in_a_handler", role, End::Signal(libc::SIGSEGV));
        }
    }
}
