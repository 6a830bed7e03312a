//! Attacks that do not fit the one shape of `main.rs`: they need setting up, or end well.

use super::{BEFORE, DOMAIN, OVERWRITTEN, STATIC_VICTIM, UNPROTECTED, heap, in_domain, recurse};
use crate::support::{End, child, isolation, role};
use isolate_rt::{Domain, FaultKind};
use std::arch::asm;
use std::ffi::CString;
use std::fs;
use std::process::Command;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::time::Duration;

/// Faults of the tests here end each other's calls in [`DOMAIN`]: these have their own.
static OWN: Domain = Domain::new("own").heap_limit(1 << 20).stack_size(256 << 10);

/// A block of 100,000 bytes in the domain can be had, filled and freed.
#[track_caller]
fn next_call_works(domain: &'static Domain) {
    let filled = move || {
        // SAFETY: allocates, uses and frees in the domain.
        unsafe {
            let block = libc::malloc(100_000).cast::<u8>();
            block.write_bytes(1, 100_000);
            let last = block.add(99_999).read_volatile();
            libc::free(block.cast());
            last
        }
    };
    // SAFETY: returns a number.
    let next = || unsafe { domain.call("next").unwrap().run(filled) };
    assert_eq!(next().or_else(|_| next()), Ok(1), "the next call works");
}

/// Runs the test `name` in a child of `role`, whose output says what went wrong.
#[track_caller]
fn child_ends(name: &str, role: &str, expected: End) {
    let output = child(name, role);
    assert_eq!(End::from(&output), expected, "{role}:\n{}", String::from_utf8_lossy(&output.stderr));
}

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
    if !isolation() {
        return;
    }
    for _ in 0..200 {
        // SAFETY: none; that is the attack.
        let result = in_domain("double free", || unsafe {
            let blocks = [(); 4].map(|()| libc::malloc(100));
            for block in blocks {
                libc::free(block);
                libc::free(block);
                block.cast::<usize>().write_volatile(usize::MAX);
            }
            libc::malloc(100).addr()
        });
        // Whatever came of it stayed inside.
        drop(result);
        // SAFETY: a heap that is ruined is dropped by the next fault.
        let _ = in_domain("end", || unsafe { asm!("ud2") });
        next_call_works(&DOMAIN);
    }
}

#[test]
fn a4_recursion_on_another_thread() {
    if isolation() {
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
        child_ends("others::a7_kill_is_not_held", "inside", End::Signal(libc::SIGKILL));
    }
}

/// A panic writes std's own statics first, which are the program's.
#[test]
fn a9_panic_inside() {
    if !isolation() {
        return;
    }
    let fault = in_domain("panic", || {
        if std::hint::black_box(true) {
            std::panic::resume_unwind(Box::new(1));
        }
    });
    assert!(matches!(fault.unwrap_err().kind(), FaultKind::Protection { key: 0, write: true, .. }));
    next_call_works(&DOMAIN);
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
        child_ends("others::a12_rseq", "registered", End::Signal(libc::SIGSEGV));
    }
}

/// `ISOLATE_ROUNDS` makes it longer.
#[test]
fn a13_deadlines_inside_malloc() {
    static HURRIED: Domain = Domain::new("allocating").deadline(Duration::from_micros(500));
    if !isolation() {
        return;
    }
    let rounds = std::env::var("ISOLATE_ROUNDS").map_or(200, |rounds| rounds.parse().unwrap());
    for round in 0..rounds {
        // SAFETY: allocates and frees until it is ended.
        let endless: Result<(), _> = unsafe {
            HURRIED.call("allocate").unwrap().run(|| {
                let mut size = 1;
                loop {
                    let block = libc::malloc(size % 5000);
                    libc::free(libc::realloc(block, size % 7000 + 1));
                    size += 13;
                }
            })
        };
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
    if !isolation() {
        return;
    }
    let directory = env!("CARGO_TARGET_TMPDIR");
    let (source, object) = (format!("{directory}/lazy.c"), format!("{directory}/libisolate_lazy.so"));
    fs::write(&source, "#include <stdlib.h>\nint lazy(const char *s) { return atoi(s); }\n").unwrap();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O0", "-fno-builtin", "-Wl,-z,lazy", "-o", &object, &source])
        .status();
    assert!(built.expect("a C compiler").success());
    let path = CString::new(object).unwrap();
    // SAFETY: a library without constructors, whose function has this type.
    let lazy = unsafe {
        let library = libc::dlopen(path.as_ptr(), libc::RTLD_LAZY);
        assert!(!library.is_null());
        std::mem::transmute::<*mut libc::c_void, unsafe extern "C" fn(*const i8) -> i32>(libc::dlsym(
            library,
            c"lazy".as_ptr(),
        ))
    };
    // SAFETY: reads a C string.
    let call = || in_domain("lazy", || unsafe { lazy(c"42".as_ptr()) });
    assert!(matches!(call().unwrap_err().kind(), FaultKind::Protection { key: 0, write: true, .. }));
    // SAFETY: as above. Once bound, by the program, it works.
    assert_eq!(unsafe { lazy(c"41".as_ptr()) }, 41);
    assert_eq!(call(), Ok(42));
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
        let output = child("others::a18_domain_block_freed_by_the_program", "free");
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
        child_ends("others::a20_fault_in_a_handler", "fault", End::Signal(libc::SIGSEGV));
    }
}

/// A sibling in the domain changes a staged length all the time: what is read is one of its values, and `take` clamps it.
#[test]
fn b2_length_flipped_by_a_sibling() {
    static SHARED: Domain = Domain::new("flipped").deadline(Duration::from_millis(500));
    static LENGTH: AtomicPtr<usize> = AtomicPtr::new(ptr::null_mut());
    if !isolation() {
        return;
    }
    let mut call = SHARED.call("lengths").unwrap();
    let (length, buffer) = (call.inout(&[8usize]).unwrap(), call.inout(&[1u8; 8]).unwrap());
    LENGTH.store(length.as_mut_ptr(), Ordering::Release);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let length = LENGTH.load(Ordering::Acquire);
            // SAFETY: writes another call's staged memory, until the deadline.
            let flips: Result<(), _> = unsafe {
                SHARED.call("flip").unwrap().run(|| {
                    loop {
                        length.write_volatile(usize::MAX);
                        length.write_volatile(8);
                    }
                })
            };
            assert_eq!(flips.unwrap_err().kind(), &FaultKind::Timeout);
        });
        let mut seen = [false; 2];
        for _ in 0..20_000 {
            let claimed = call.read(length);
            assert!(claimed == 8 || claimed == usize::MAX);
            seen[usize::from(claimed == 8)] = true;
            let mut into = [0; 4];
            assert_eq!(call.take(buffer, claimed, &mut into), 4);
        }
        assert!(seen[1]);
    });
}

/// What was taken is what stays: the compiler makes no copy of it from the domain's memory, which it takes to be unchanged.
/// (In builds with optimisation.)
#[test]
fn b2_copies_of_what_was_taken() {
    static SHARED: Domain = Domain::new("copied").deadline(Duration::from_millis(500));
    static BYTES: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
    let sum = |bytes: &[u8; 256]| bytes.iter().fold(0u8, |sum, &byte| sum.wrapping_add(byte));
    if !isolation() {
        return;
    }
    let mut call = SHARED.call("bytes").unwrap();
    let staged = call.inout(&[0u8; 256]).unwrap();
    BYTES.store(staged.as_mut_ptr(), Ordering::Release);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let bytes = BYTES.load(Ordering::Acquire);
            // SAFETY: writes another call's staged memory, until the deadline.
            let flips: Result<(), _> = unsafe {
                SHARED.call("flip").unwrap().run(|| {
                    loop {
                        bytes.add(200).write_volatile(bytes.add(200).read_volatile().wrapping_add(1));
                    }
                })
            };
            assert_eq!(flips.unwrap_err().kind(), &FaultKind::Timeout);
        });
        for _ in 0..200_000 {
            let (mut checked, mut used) = ([0; 256], [0; 256]);
            let used = std::hint::black_box(&mut used);
            // A constant, for the compiler, as in a wrapper that staged an array.
            assert_eq!(staged.len(), 256);
            call.take(staged, 256, &mut checked);
            let check = sum(&checked);
            used.copy_from_slice(&checked);
            assert_eq!(sum(std::hint::black_box(used)), check, "copied from the domain after it was checked");
        }
    });
}

/// All of its own stack from here on up, the way back included.
#[test]
fn b4_overwrite_own_stack() {
    if !isolation() {
        return;
    }
    let before = [1u64, 2, 3, 4].map(std::hint::black_box);
    let fault = in_domain("fill", || {
        // SAFETY: none; that is the attack.
        unsafe { asm!("2:", "mov qword ptr [rsp], -1", "add rsp, 8", "jmp 2b", options(noreturn)) }
    });
    assert!(matches!(fault.unwrap_err().kind(), FaultKind::Unmapped { .. } | FaultKind::Protection { key: 0, .. }));
    assert_eq!(before, [1, 2, 3, 4]);
    next_call_works(&DOMAIN);
}

#[test]
fn b5_every_word_of_the_heap() {
    // The lock is among what is overwritten: the next `malloc` waits for nobody.
    static RUINED: Domain = Domain::new("ruined").deadline(Duration::from_millis(300));
    if !isolation() {
        return;
    }
    // SAFETY: none; that is the attack: the header, every prefix, every free list.
    let result = unsafe {
        RUINED.call("ruin").unwrap().run(|| {
            let block = libc::malloc(64).cast::<u8>();
            let start = block.map_addr(|address| address & !0xffff).cast::<usize>();
            for word in 0..8192 {
                start.add(word).write_volatile(0x4141_4141_4141_4141);
            }
            libc::free(block.cast());
            libc::malloc(100).addr()
        })
    };
    if result.is_ok() {
        // SAFETY: ends the call: the ruined heap goes with it.
        let _: Result<(), _> = unsafe { RUINED.call("end").unwrap().run(|| asm!("ud2")) };
    }
    next_call_works(&RUINED);
}

/// A good function with a bad pointer: the kernel writes with the rights of who asks.
#[test]
fn b6_read_into_the_program() {
    fn ask(domain: &'static Domain, victim: *mut u8) -> Result<i64, isolate_rt::Fault> {
        // SAFETY: none; that is the attack.
        unsafe { domain.call("getrandom").unwrap().run(|| libc::syscall(libc::SYS_getrandom, victim, 16, 0)) }
    }
    let victim = heap();
    // SAFETY: a leaked block.
    let changed = || unsafe { std::slice::from_raw_parts(victim, 16) } != [BEFORE; 16];
    if role().is_some() {
        assert_eq!(ask(&UNPROTECTED, victim), Ok(16));
        std::process::exit(if changed() { OVERWRITTEN } else { 1 });
    }
    if isolation() {
        assert_eq!(ask(&OWN, victim), Ok(-1));
        assert!(!changed());
        child_ends("others::b6_read_into_the_program", "control", End::Status(OVERWRITTEN));
    }
}

/// Start, permissions, and key of every mapping, as the kernel tells.
fn mappings() -> Vec<(usize, String, u32)> {
    let smaps = fs::read_to_string("/proc/self/smaps").unwrap();
    let mut mappings: Vec<(usize, String, u32)> = Vec::new();
    for line in smaps.lines() {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap();
        if first == "ProtectionKey:" {
            mappings.last_mut().unwrap().2 = words.next().unwrap().parse().unwrap();
        } else if let Some((start, _)) = first.split_once('-') {
            let start = usize::from_str_radix(start, 16).unwrap();
            mappings.push((start, words.next().unwrap().to_string(), 0));
        }
    }
    mappings
}

#[test]
fn b9_pages_keep_their_key() {
    static KEYED: Domain = Domain::new("keyed");
    if !isolation() {
        return;
    }
    // SAFETY: allocates.
    let block = unsafe { KEYED.call("allocate").unwrap().run(|| libc::malloc(500_000).addr()) }.unwrap();
    let key_of = |address: usize| mappings().into_iter().rfind(|(start, ..)| *start <= address).unwrap().2;
    let key = key_of(block);
    assert_ne!(key, 0);
    for _ in 0..20 {
        // SAFETY: ends the call.
        let _: Result<(), _> = unsafe { KEYED.call("fail").unwrap().run(|| asm!("ud2")) };
    }
    assert_eq!(key_of(block), key);
    // And the program's own pages have none.
    let local = 0u8;
    for address in [STATIC_VICTIM.as_ptr().addr(), (&raw const local).addr(), heap().addr()] {
        assert_eq!(key_of(address), 0);
    }
}

/// The heap but for its first 64 KiB, which with the stack and the staging is not wiped.
#[test]
fn b11_stale_bytes() {
    static WIPED: Domain = Domain::new("stale");
    if !isolation() {
        return;
    }
    const MARK: u64 = 0x5ec3_e75e_c3e7_5ec3;
    const SIZE: usize = 400_000;
    // SAFETY: fills a block, says where it is by failing there.
    let filled = unsafe {
        WIPED.call("fill").unwrap().run(|| {
            let block = libc::malloc(SIZE).cast::<u64>();
            (0..SIZE / 8).for_each(|at| block.add(at).write_volatile(MARK));
            block.addr()
        })
    };
    let words = || {
        let start = ptr::with_exposed_provenance::<u64>(filled.clone().unwrap());
        // SAFETY: of the domain's heap, which the program may read; nobody is inside.
        (8192..SIZE / 8).filter(|&at| unsafe { start.add(at).read_volatile() } == MARK).count()
    };
    assert_eq!(words(), SIZE / 8 - 8192, "all there before the fault");
    // SAFETY: ends the call.
    let _: Result<(), _> = unsafe { WIPED.call("fail").unwrap().run(|| asm!("ud2")) };
    assert_eq!(words(), 0);
}

#[test]
fn b13_no_shared_mapping() {
    if !isolation() {
        return;
    }
    next_call_works(&OWN);
    let keyed: Vec<_> = mappings().into_iter().filter(|(.., key)| *key != 0).collect();
    assert!(!keyed.is_empty());
    for (start, permissions, key) in keyed {
        assert!(permissions == "rw-p", "{start:#x} of key {key}: {permissions}");
    }
}
