//! What a fault tells: what was tried, whose memory it was, who called whom.

mod support;

use isolate_rt::{Access, Domain, Fault, FaultKind, HeapKind, Memory, Part};
use std::arch::asm;
use std::ffi::CString;
use std::fs;
use std::process::Command;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};
use support::{End, child, give_up, isolation, role};

static DOMAIN: Domain = Domain::new("told").stack_size(256 << 10);
static OTHER: Domain = Domain::new("another");

static STATIC_VICTIM: AtomicU8 = AtomicU8::new(7);
static CONSTANT: [u8; 64] = [9; 64];
thread_local! {
    static TLS_VICTIM: AtomicU8 = const { AtomicU8::new(7) };
}

/// The fault of `f`, which ends its call. One at a time: faults here would end each other's calls.
fn fault_of(f: impl FnOnce() + Copy) -> Fault {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock();
    // SAFETY: whatever `f` does is what the domain is for.
    unsafe { DOMAIN.call("attack").unwrap().run(f) }.expect_err("it ends the call")
}

fn write(to: *mut u8) -> Fault {
    // SAFETY: none; that is the attack.
    fault_of(|| unsafe { asm!("mov byte ptr [{}], 1", in(reg) to) })
}

fn read(from: *const u8) -> Fault {
    // SAFETY: none; that is the attack.
    fault_of(|| unsafe { asm!("mov {:r}, [{}]", out(reg) _, in(reg) from) })
}

fn jump(to: *const u8) -> Fault {
    // SAFETY: none; that is the attack.
    fault_of(|| unsafe { asm!("call {}", in(reg) to) })
}

/// `expected` is whose memory it is, and how that is said.
#[track_caller]
fn check(fault: &Fault, access: Access, expected: impl Fn(&Memory) -> bool, said: &str) {
    let memory = fault.memory().expect("the fault has an address");
    assert!(expected(memory), "{memory:?}");
    assert_eq!(fault.access(), Some(access));
    let text = fault.to_string();
    assert!(text.contains(said), "`{said}` in: {text}");
    assert!(!text.contains('\n'), "{text}");
}

fn map(protection: i32) -> *mut u8 {
    // SAFETY: fresh memory.
    unsafe { libc::mmap(ptr::null_mut(), 4096, protection, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0) }.cast()
}

#[test]
fn memory_of_the_program() {
    if !isolation() {
        return;
    }
    let heap = Box::leak(Box::new([1u8; 64])).as_mut_ptr();
    check(&write(heap), Access::Write, |memory| matches!(memory, Memory::Heap), "write to 0x");
    check(&write(heap), Access::Write, |memory| matches!(memory, Memory::Heap), ", the program's heap (key 0)");
    let large = map(libc::PROT_READ | libc::PROT_WRITE);
    check(&write(large), Access::Write, |memory| matches!(memory, Memory::Heap), "heap");
    // Data is not code.
    check(&jump(large), Access::Execute, |memory| matches!(memory, Memory::Heap), "jump to 0x");

    let guard = map(libc::PROT_NONE);
    check(&read(guard), Access::Read, |memory| matches!(memory, Memory::Guard), "read of 0x");
    check(&write(guard), Access::Write, |memory| matches!(memory, Memory::Guard), ", a guard page");
    check(
        &write(ptr::without_provenance_mut(8)),
        Access::Write,
        |memory| matches!(memory, Memory::Nothing),
        "write to 0x8, where nothing is mapped",
    );
    check(
        &jump(ptr::without_provenance(0x1234)),
        Access::Execute,
        |memory| matches!(memory, Memory::Nothing),
        "jump to 0x1234",
    );

    let is_static = |memory: &Memory| matches!(memory, Memory::Static { symbol: Some(symbol), .. } if symbol.name.ends_with("faults::STATIC_VICTIM") && symbol.offset == 0);
    check(&write(STATIC_VICTIM.as_ptr()), Access::Write, is_static, "the static `faults::STATIC_VICTIM` of faults-");
    let is_constant = |memory: &Memory| matches!(memory, Memory::ReadOnly { symbol: Some(symbol), .. } if symbol.name == "faults::CONSTANT" && symbol.offset == 3);
    check(
        &write((&raw const CONSTANT).cast_mut().cast::<u8>().wrapping_add(3)),
        Access::Write,
        is_constant,
        "`faults::CONSTANT+0x3` of faults-",
    );
    assert_eq!(STATIC_VICTIM.load(Ordering::Relaxed) + CONSTANT[5], 16);

    let mut now = libc::stack_t { ss_sp: ptr::null_mut(), ss_flags: 0, ss_size: 0 };
    // SAFETY: only asks.
    unsafe { libc::sigaltstack(ptr::null(), &mut now) };
    check(&write(now.ss_sp.cast()), Access::Write, |memory| matches!(memory, Memory::Runtime), "memory of the runtime");
}

/// A panic's message and place come out; no hook runs for it, and the program can panic as before.
#[test]
fn panics() {
    if !isolation() {
        return;
    }
    #[track_caller]
    fn check(fault: &Fault, expected: &str) {
        let FaultKind::Panicked { message } = fault.kind() else { panic!("{fault:#}") };
        let at = std::panic::Location::caller();
        assert!(message.starts_with(&format!("{}:", at.file())), "{message}");
        assert!(message.ends_with(expected), "{message}");
        assert!(fault.to_string().contains(" panicked at "), "{fault}");
    }
    for _ in 0..3 {
        let number = std::hint::black_box(5);
        check(&fault_of(|| panic!("it is {number}\nand not 6")), ": it is 5\nand not 6");
        check(&fault_of(|| _ = std::hint::black_box([1u8, 2][std::hint::black_box(2)])), "but the index is 2");
        check(&fault_of(|| _ = std::hint::black_box(None::<u8>).expect("there is one")), ": there is one");
        let said = std::panic::catch_unwind(|| panic!("the program's own")).unwrap_err();
        assert_eq!(said.downcast_ref::<&str>(), Some(&"the program's own"));
    }
    // No longer than there is room.
    let long = [b'x'; 2000];
    let fault = fault_of(|| panic!("{}", str::from_utf8(&long).unwrap_or_default()));
    assert!(matches!(fault.kind(), FaultKind::Panicked { message } if message.ends_with("xxxx")), "{fault}");
}

#[test]
fn stacks_and_thread_locals() {
    if !isolation() {
        return;
    }
    // SAFETY: a getter.
    let here = unsafe { libc::gettid() };
    let mut local = 7u8;
    let own_stack = |memory: &Memory| *memory == Memory::Stack { thread: here };
    check(&write(&raw mut local), Access::Write, own_stack, &format!("the stack of thread {here}"));
    let own = TLS_VICTIM.with(AtomicU8::as_ptr);
    check(
        &write(own),
        Access::Write,
        |memory| *memory == Memory::ThreadLocal { thread: here },
        "a thread-local of thread",
    );

    // One that has never been inside, and sleeps; and the first of the process, which has not either.
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut local = 7u8;
        // SAFETY: a getter.
        sender.send(((&raw mut local).addr(), unsafe { libc::gettid() })).unwrap();
        loop {
            std::thread::park();
        }
    });
    let (sleeping, number) = receiver.recv().unwrap();
    // It has sent, and is about to sleep.
    while !fs::read_to_string(format!("/proc/self/task/{number}/syscall")).unwrap().starts_with("202 ") {
        std::thread::yield_now();
    }
    let fault = write(ptr::with_exposed_provenance_mut(sleeping));
    check(&fault, Access::Write, |memory| *memory == Memory::Stack { thread: number }, "the stack of thread");

    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let first = maps.lines().find(|line| line.ends_with("[stack]")).unwrap();
    let end = first.split(['-', ' ']).nth(1).unwrap();
    let top = usize::from_str_radix(end, 16).unwrap() - 64;
    let process = std::process::id().cast_signed();
    let fault = write(ptr::without_provenance_mut(top));
    check(&fault, Access::Write, |memory| *memory == Memory::Stack { thread: process }, "the stack of thread");
}

#[test]
fn memory_of_domains() {
    if !isolation() {
        return;
    }
    let is = |part: Part| move |memory: &Memory| *memory == Memory::Domain { name: "another", part: part.clone() };
    let mut call = OTHER.call("allocate").unwrap();
    let staged = call.output::<u8>(100).unwrap().as_mut_ptr();
    let inside = || {
        let local = 0u8;
        // SAFETY: allocates; the address of `errno` is one.
        unsafe { [libc::malloc(100).addr(), (&raw const local).addr(), libc::__errno_location().addr()] }
    };
    // SAFETY: returns numbers.
    let [heap, stack, local] = unsafe { call.run(inside) }.unwrap().map(ptr::with_exposed_provenance_mut::<u8>);
    check(&read(heap), Access::Read, is(Part::Heap), "read of 0x");
    check(&write(heap), Access::Write, is(Part::Heap), ", the heap of domain `another` (key ");
    check(&write(stack), Access::Write, is(Part::Stack), "a stack of domain `another`");
    check(&write(local), Access::Write, is(Part::ThreadLocal), "a thread-local of domain `another`");
    check(&read(staged), Access::Read, is(Part::Staged), "arguments of domain `another`");
    static HARDENED: Domain = Domain::new("another").heap(HeapKind::Hardened);
    // SAFETY: allocates; returns an address.
    let large = unsafe { HARDENED.call("allocate").unwrap().run(|| libc::malloc(1 << 20).cast::<u8>()) }.unwrap();
    check(&read(large), Access::Read, is(Part::Heap), ", the heap of domain `another` (key ");
    check(&read(large.wrapping_add(8 << 20)), Access::Read, is(Part::UnusedHeap), "`another` has not asked for");
    check(&read(heap.wrapping_add(20 << 20)), Access::Read, is(Part::UnusedHeap), "`another` has not asked for");
    check(&read(stack.wrapping_sub(2 << 20)), Access::Read, is(Part::Guard), "a guard of domain `another`");
}

/// A library of C with these flags, and its function `parse`.
fn library(name: &str, flags: &[&str]) -> unsafe extern "C" fn(*mut u8, i32) -> i32 {
    const SOURCE: &str = "
        #include <assert.h>
        #include <stdio.h>
        #define APART __attribute__((noinline, noclone))
        static APART int put_pixel(unsigned char *to, int how) {
            if (how == 1) assert(!\"a pixel too many\");
            if (how == 3) return fopen(\"/dev/null\", \"r\") == 0;
            *to = 1;
            return how;
        }
        static APART int read_chunk(unsigned char *to, int how) {
            volatile char local[600];
            local[how] = 3;
            return put_pixel(to, how) + local[how];
        }
        int parse(unsigned char *to, int how) {
            if (how >= 100) return 1 + parse(to, how - 1);
            return 2 * read_chunk(to, how) + 1;
        }";
    let directory = env!("CARGO_TARGET_TMPDIR");
    let (source, object) = (format!("{directory}/{name}.c"), format!("{directory}/lib{name}.so"));
    fs::write(&source, SOURCE).unwrap();
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-O2", "-fno-optimize-sibling-calls", "-Wl,-z,now", "-o", &object, &source])
        .args(flags);
    assert!(cc.status().expect("a C compiler").success());
    let path = CString::new(object).unwrap();
    // SAFETY: a library without constructors, whose function has this type.
    unsafe {
        let library = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
        assert!(!library.is_null());
        let parse = libc::dlsym(library, c"parse".as_ptr());
        std::mem::transmute::<*mut libc::c_void, unsafe extern "C" fn(*mut u8, i32) -> i32>(parse)
    }
}

#[track_caller]
fn check_backtrace(fault: &Fault, expected: &[&str]) {
    let backtrace = fault.backtrace();
    let names: Vec<_> =
        backtrace.frames().iter().map(|frame| frame.symbol().map_or("?", |symbol| &symbol.name)).collect();
    assert!(names.starts_with(expected), "{fault:#}");
    assert!(backtrace.is_complete(), "{fault:#}");
    assert!(names.iter().any(|name| name.contains("faults::")), "up to the closure that the program ran: {fault:#}");
    assert!(!names.iter().any(|name| name.contains("isolate_rt::")), "{fault:#}");
}

#[test]
fn who_called_whom() {
    if !isolation() {
        return;
    }
    let victim = STATIC_VICTIM.as_ptr();
    let tables = library("isolate_tables", &["-fomit-frame-pointer"]);
    let pointers = library(
        "isolate_pointers",
        &[
            "-fno-omit-frame-pointer",
            "-mno-omit-leaf-frame-pointer",
            "-fno-shrink-wrap",
            "-fno-asynchronous-unwind-tables",
            "-fno-unwind-tables",
            "-fno-exceptions",
        ],
    );
    for parse in [tables, pointers] {
        // SAFETY: none; that is the attack.
        let fault = fault_of(|| unsafe { assert_ne!(parse(victim, 2), 0) });
        assert!(matches!(fault.kind(), FaultKind::Protection { write: true, .. }), "{fault:#}");
        check_backtrace(&fault, &["put_pixel", "read_chunk", "parse"]);
        let text = format!("{fault:#}");
        assert!(text.contains("put_pixel+0x") && text.contains(" (libisolate_"), "{text}");
        assert!(text.lines().next().is_some_and(|line| line.ends_with(" [Protection]")), "{text}");
    }
    // What ends the call by way of the runtime is seen from there on.
    // SAFETY: as above.
    let fault = fault_of(|| unsafe { assert_ne!(tables(victim, 1), 0) });
    check_backtrace(&fault, &["__assert_fail", "put_pixel", "read_chunk", "parse"]);
    match fault.kind() {
        FaultKind::AssertionFailed { message } => {
            assert!(
                message.ends_with(": put_pixel: !\"a pixel too many\"") && message.contains("isolate_tables.c:6"),
                "{message}"
            );
        }
        kind => panic!("{kind}"),
    }
    // Deeper than is kept.
    // SAFETY: as above; 1 MiB of frames.
    let fault = fault_of(|| unsafe { assert_ne!(tables(victim, 1_000_000), 0) });
    assert!(matches!(fault.kind(), FaultKind::StackOverflow { .. }), "{fault:#}");
    let names: Vec<_> = fault.backtrace().frames().iter().filter_map(|frame| frame.symbol()).collect();
    assert!(names.len() > 20 && names.iter().all(|symbol| symbol.name == "parse"), "{fault:#}");
    assert!(!fault.backtrace().is_complete());
}

/// What libc writes when it is called is named by the function, not only by whose it is.
#[test]
fn what_of_libc_was_called() {
    if !isolation() {
        return;
    }
    // SAFETY: none; that is the attack.
    let fault = fault_of(|| unsafe { _ = libc::fopen(c"/dev/null".as_ptr(), c"r".as_ptr()) });
    let said = fault.to_string();
    assert!(said.contains(", a static of libc.so.6 (key 0), by `fopen` of libc"), "{said}");
    // SAFETY: as above.
    let fault = fault_of(|| unsafe { _ = libc::atoi(std::hint::black_box(ptr::without_provenance(16))) });
    let said = fault.to_string();
    assert!(said.contains("read of 0x10, where nothing is mapped, by `"), "{said}");
    // Which of them is left to tell depends on how libc goes on.
    assert!(
        ["atoi", "strtol", "__isoc23_strtol"].iter().any(|it| said.ends_with(&format!("`{it}` of libc"))),
        "{said}"
    );
    // By way of the linker's stubs.
    let plain = library("isolate_plain", &[]);
    // SAFETY: as above.
    let said = fault_of(|| unsafe { assert_ne!(plain(ptr::null_mut(), 3), 0) }).to_string();
    assert!(said.ends_with(", by `fopen` of libc"), "{said}");
    // Its own mistakes are not libc's.
    assert!(!write(ptr::without_provenance_mut(8)).to_string().contains("libc"));
}

/// What a handle of something that is gone says has to be read without its source.
#[test]
fn what_a_stale_handle_says() {
    static GONE: Domain = Domain::new("gone");
    if !isolation() {
        return;
    }
    let numbers = GONE.vec::<u8>(4).unwrap();
    // SAFETY: ends the call.
    unsafe { GONE.call("fail").unwrap().run(|| asm!("ud2")) }.unwrap_err();
    let said = numbers.copy_to(0, &mut [0; 4]).unwrap_err().to_string();
    let expected =
        "stale handle: what it stands for is gone with its instance, which a fault took: `fail`: illegal instruction";
    assert!(said.ends_with(expected), "{said}");
    // Of another domain.
    // SAFETY: they lie there as long as the domain does.
    let handle = unsafe { OTHER.call("own").unwrap().adopt(numbers_of(&OTHER)) }.unwrap().unwrap();
    let said = DOMAIN.call("use").unwrap().handle(&handle).unwrap_err().to_string();
    assert!(
        said.ends_with("stale handle: what it stands for is gone with its instance, or lives in another one"),
        "{said}"
    );
}

fn numbers_of(domain: &'static Domain) -> *mut u64 {
    // SAFETY: allocates.
    unsafe { domain.call("allocate").unwrap().run(|| libc::malloc(8).cast()) }.unwrap()
}

/// A call through a wrong pointer: the caller is known.
#[test]
fn who_jumped() {
    if !isolation() {
        return;
    }
    let fault = jump(ptr::without_provenance(0x1234));
    let frames = fault.backtrace().frames();
    assert_eq!(frames[0].address(), 0x1234);
    assert!(frames[1].symbol().is_some_and(|symbol| symbol.name.contains("faults::jump")), "{fault:#}");
    assert!(fault.backtrace().is_complete(), "{fault:#}");
}

/// Stack pointers, frame pointers and return addresses that lead elsewhere: nothing of that is followed outside the stack of
/// the domain, and the text comes to an end.
#[test]
fn forged_stacks() {
    if !isolation() {
        return;
    }
    let mut secret = [0x5ec3_e75e_c3e7usize; 64];
    let code = forged_stacks as *const () as usize;
    let own = [0usize; 8];
    let elsewhere = [
        0,
        8,
        usize::MAX - 7,
        0xffff_8000_0000_1000,
        0x7fff_ffff_f000,
        secret.as_mut_ptr().addr(),
        own.as_ptr().addr(),
        code,
    ];
    for (at, stack) in elsewhere.into_iter().enumerate() {
        for frame in [stack, elsewhere[(at + 3) % elsewhere.len()]] {
            // SAFETY: none; that is the attack.
            let fault = fault_of(|| unsafe {
                asm!("mov rbp, {frame}", "mov rsp, {stack}", "ud2", frame = in(reg) frame, stack = in(reg) stack, options(noreturn))
            });
            assert_eq!(fault.kind(), &FaultKind::IllegalInstruction);
            let text = format!("{fault:#}");
            assert!(fault.backtrace().frames().len() <= 64 && !fault.backtrace().is_complete(), "{text}");
            assert!(!text.contains("5ec3e75ec3e7"), "what the program has is no return address: {text}");
        }
    }
    // A stack full of return addresses into code that exists, and frame pointers that go round in circles.
    for word in [code, code + 1, DOMAIN.name().as_ptr().addr(), usize::MAX] {
        // SAFETY: none; that is the attack.
        let fault = fault_of(|| unsafe {
            asm!(
                "lea rbp, [rsp - 4096]",
                "mov rsp, rbp",
                "mov rcx, 256",
                "mov rax, rbp",
                "2:",
                "mov [rax], rbp",
                "mov [rax + 8], {word}",
                "add rax, 16",
                "dec rcx",
                "jnz 2b",
                "ud2",
                word = in(reg) word,
                options(noreturn)
            )
        });
        assert_eq!(fault.kind(), &FaultKind::IllegalInstruction);
        let text = format!("{fault:#}");
        assert!(fault.backtrace().frames().len() <= 64, "{text}");
    }
    assert_eq!(std::hint::black_box(own), [0; 8]);
}

#[test]
fn what_an_assertion_says_is_bounded() {
    unsafe extern "C" {
        fn __assert_fail(what: *const i8, file: *const i8, line: u32, function: *const i8) -> !;
    }
    if !isolation() {
        return;
    }
    let long = CString::new(vec![b'x'; 10_000]).unwrap();
    // SAFETY: C strings, and a NULL.
    let fault = fault_of(|| unsafe { __assert_fail(long.as_ptr(), c"a\xff.c".as_ptr(), u32::MAX, ptr::null()) });
    let FaultKind::AssertionFailed { message } = fault.kind() else { panic!("{fault}") };
    assert!(message.starts_with("a\u{fffd}.c:4294967295: : xxx") && message.len() < 600, "{message}");
    // Its words cannot begin a line of a log, or take one away.
    let said = c"\"a\" != '\\'\n\x1b[2Kall is well\r";
    // SAFETY: C strings, and a NULL.
    let fault = fault_of(|| unsafe { __assert_fail(said.as_ptr(), c"a.c".as_ptr(), 1, ptr::null()) });
    let text = fault.to_string();
    assert!(text.ends_with(r#""a" != '\'\n\u{1b}[2Kall is well\r"#), "{text}");
    // A string that is none is the domain's own fault.
    // SAFETY: none; that is the attack.
    let fault = fault_of(|| unsafe { __assert_fail(ptr::without_provenance(16), c"a.c".as_ptr(), 1, ptr::null()) });
    assert!(matches!(fault.kind(), FaultKind::Unmapped { address: 16 }), "{fault}");
}

/// What the heap noticed when it looked is no access that the CPU told of.
#[test]
fn noticed_without_an_access() {
    if !isolation() {
        return;
    }
    let fault = fault_of(|| {
        let local = 0u128;
        // SAFETY: none; that is the misuse.
        unsafe { libc::free(std::hint::black_box((&raw const local).cast_mut()).cast()) }
    });
    assert!(matches!(fault.kind(), FaultKind::ForeignFree { .. }), "{fault}");
    assert!(fault.address().is_some() && fault.access().is_none(), "{:?}", fault.access());
    static HARDENED: Domain = Domain::new("looking").heap(HeapKind::Hardened);
    let overrun = |size: usize| {
        // SAFETY: none; that is the misuse.
        let misuse = move || unsafe {
            let block = std::hint::black_box(libc::malloc(size)).cast::<u8>();
            block.add(size).write_volatile(1);
            libc::free(block.cast());
        };
        // SAFETY: returns nothing.
        let fault = unsafe { HARDENED.call("overrun").unwrap().run(misuse) }.expect_err("it is noticed");
        assert!(matches!(fault.kind(), FaultKind::HeapOverflow { .. }), "{fault}");
        fault.access()
    };
    assert_eq!(overrun(64), None);
    // A room: the access itself is the fault.
    assert_eq!(overrun(256 << 10), Some(Access::Write));
}

/// What neither Rust nor C++ has thrown has no name that could be told.
#[test]
fn exceptions_of_another_language() {
    #[repr(C, align(16))]
    struct Exception([u64; 4]);
    unsafe extern "C-unwind" {
        fn _Unwind_RaiseException(exception: *mut Exception) -> i32;
    }
    if !isolation() {
        return;
    }
    let fault = fault_of(|| {
        let mut exception = Exception([u64::from_be_bytes(*b"GNUCOBJC"), 0, 0, 0]);
        // SAFETY: an exception as the ABI has it, of a class without a destructor.
        unsafe { _Unwind_RaiseException(&mut exception) };
    });
    assert_eq!(fault.kind(), &FaultKind::Exception { message: "".into() });
}

/// A call that had its time had it.
#[test]
fn calls_that_their_deadline_ended_are_not_made_again() {
    static ENDLESS: Domain = Domain::new("endless").deadline(std::time::Duration::from_millis(20));
    if !isolation() {
        return;
    }
    let mut made = 0;
    let result: Result<(), Fault> = isolate_rt::retry(3, || {
        made += 1;
        // SAFETY: returns nothing.
        unsafe {
            ENDLESS.call("spin")?.run(|| {
                loop {
                    std::hint::spin_loop();
                }
            })
        }
    });
    assert_eq!((result.unwrap_err().kind(), made), (&FaultKind::Timeout, 1));
}

#[test]
fn calls_that_may_be_made_again() {
    static RETRIED: Domain = Domain::new("retried");
    if !isolation() {
        return;
    }
    // SAFETY: returns a number, or ends the call.
    let attempt = |good: bool| unsafe {
        RETRIED.call("attempt")?.run(|| {
            if !good {
                asm!("ud2");
            }
            7
        })
    };
    let attempts = |times: u32, bad: u32| {
        let mut made = 0;
        let result = isolate_rt::retry(times, || {
            made += 1;
            attempt(made > bad)
        });
        (result.map_err(|fault| fault.kind().clone()), made)
    };
    assert_eq!(attempts(2, 0), (Ok(7), 1));
    assert_eq!(attempts(2, 2), (Ok(7), 3));
    assert_eq!(attempts(2, 3), (Err(FaultKind::IllegalInstruction), 3));
    assert_eq!(attempts(0, 1), (Err(FaultKind::IllegalInstruction), 1));
    // What another instance would not change is not tried again.
    let mut made = 0;
    let too_large = isolate_rt::retry(5, || {
        made += 1;
        RETRIED.call("attempt")?.output::<u8>(usize::MAX).map(drop)
    });
    assert!(matches!(too_large.unwrap_err().kind(), FaultKind::TooLarge { .. }) && made == 1);
}

/// Faults are compared by what happened, and can be kept, cloned and sent.
#[test]
fn faults_are_values() {
    fn is_value<T: Send + Sync + Clone + Eq + std::error::Error + 'static>(_: &T) {}
    if !isolation() {
        return;
    }
    let (first, second) = (write(ptr::without_provenance_mut(8)), write(ptr::without_provenance_mut(8)));
    is_value(&first);
    assert_eq!(first, second);
    assert_ne!(first, write(ptr::without_provenance_mut(9)));
    // SAFETY: a getter.
    assert_eq!(first.thread(), Some(unsafe { libc::gettid() }));
    let kept = std::thread::spawn({
        let first = first.clone();
        move || format!("{first:#}")
    });
    assert_eq!(kept.join().unwrap(), format!("{first:#}"));
}

/// A seccomp filter of the program's refuses a system call by a signal.
#[test]
fn a6_a_system_call_that_a_filter_refuses() {
    const NAME: &str = "a6_a_system_call_that_a_filter_refuses";
    static FILTERED: Domain = Domain::new("filtered");
    // SAFETY: a query.
    let ask = || unsafe { libc::syscall(libc::SYS_personality, 0xffff_ffffu32) };
    // In children: a filter stays.
    match role().as_deref() {
        Some("isolated") => {
            give_up(libc::SYS_personality, libc::SECCOMP_RET_TRAP);
            for _ in 0..2 {
                // SAFETY: returns a number.
                let fault = unsafe { FILTERED.call("ask").unwrap().run(ask) }.unwrap_err();
                assert_eq!(fault.kind(), &FaultKind::ForbiddenSyscall);
                // SAFETY: as above.
                assert_eq!(unsafe { FILTERED.call("next").unwrap().run(|| 1) }, Ok(1));
            }
        }
        Some(_) => {
            give_up(libc::SYS_personality, libc::SECCOMP_RET_TRAP);
            ask();
        }
        None if isolation() => {
            assert_eq!(End::from(&child(NAME, "isolated")), End::Status(0));
            assert_eq!(End::from(&child(NAME, "control")), End::Signal(libc::SIGSYS));
        }
        None => {}
    }
}
