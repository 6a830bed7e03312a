//! Each attack, with the defence on (an `Err` of the right kind, nothing written, the next call works) and off (the attack
//! succeeds, or ends the process, in a child). A test whose control does not succeed proves nothing, so it fails.

mod accidents;
mod corruption;
mod instructions;
mod jumps;
mod leftovers;
mod registers;
#[path = "../support/mod.rs"]
mod support;
mod table;

use isolate_rt::{Backend, Domain, FaultKind};
use std::arch::asm;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU8, Ordering};
use support::{End, child, isolation, role};

static DOMAIN: Domain = Domain::new("attacked").heap_limit(1 << 20).stack_size(256 << 10);
static UNPROTECTED: Domain = Domain::new("unprotected").backend(Backend::None);
static OTHER: Domain = Domain::new("other");

/// Status of a control that survived its attack with the victim overwritten.
const OVERWRITTEN: i32 = 77;
/// Status of a control that survived its attack for nothing.
const UNHARMED: i32 = 78;

const BEFORE: u8 = 0x5a;
static STATIC_VICTIM: AtomicU8 = AtomicU8::new(BEFORE);
thread_local! {
    static TLS_VICTIM: AtomicU8 = const { AtomicU8::new(BEFORE) };
}

/// Attacks by the row of the matrix that they belong to. Each becomes a test `row::name`, and a line of the table in
/// `docs/attacks.md`.
macro_rules! attacks {
    ($($row:ident { $($name:ident: $victim:expr, $attack:expr => $kind:ident $fields:tt, control $control:ident($($value:expr)?);)* })*) => {
        $(mod $row {
            use super::*;
            $(
                #[test]
                fn $name() {
                    let name = concat!(stringify!($row), "::", stringify!($name));
                    check(name, $victim, $attack, |kind| matches!(kind, pattern!($kind $fields)), End::from(Control::$control($($value)?)));
                }
            )*
        })*
        /// Row, test, what the call gives, what happens without the defence.
        const DONE: &[(&str, &str, &str, Control)] =
            &[$($((stringify!($row), stringify!($name), stringify!($kind), Control::$control($($value)?)),)*)*];
    };
}

macro_rules! pattern {
    ($kind:ident { $($fields:tt)* }) => { FaultKind::$kind { $($fields)* } };
    ($kind:ident ()) => { FaultKind::$kind };
}

/// What an attack does with the defence off.
#[derive(Clone, Copy, Debug)]
enum Control {
    /// It has overwritten its victim.
    Overwritten(),
    /// It reads or does what it may not, unnoticed.
    Unnoticed(),
    /// It ends the process with this status.
    Exit(i32),
    /// It ends the process by this signal.
    Killed(i32),
}

impl From<Control> for End {
    fn from(control: Control) -> Self {
        match control {
            Control::Overwritten() => Self::Status(OVERWRITTEN),
            Control::Unnoticed() => Self::Status(UNHARMED),
            Control::Exit(status) => Self::Status(status),
            Control::Killed(signal) => Self::Signal(signal),
        }
    }
}

attacks! {
    // Whose memory it may not write.
    a1 {
        write_root_heap: heap(), write => Protection { key: 0, write: true, .. }, control Overwritten();
        write_root_stack: stack(), write => Protection { key: 0, write: true, .. }, control Overwritten();
        write_root_static: STATIC_VICTIM.as_ptr(), write => Protection { key: 0, write: true, .. }, control Overwritten();
        write_root_tls: tls(), write => Protection { key: 0, write: true, .. }, control Overwritten();
        write_libc_data: libc_data(), write => Protection { key: 0, write: true, .. }, control Overwritten();
        write_other_domain: other_domain(), write => Protection { key: 1.., write: true, .. }, control Overwritten();
        read_other_domain: other_domain(), read => Protection { key: 1.., write: false, .. }, control Unnoticed();
        overflow_buffer_to_root: heap(), overflow => Protection { key: 0, write: true, .. }, control Overwritten();
        write_null: none(), |_| store(ptr::without_provenance_mut(8)) => Unmapped { address: 8 }, control Killed(libc::SIGSEGV);
        write_read_only: none(), |_| store(b"constant".as_ptr().cast_mut()) => Protection { key: 0, .. }, control Killed(libc::SIGSEGV);
        write_got: none(), |_| store(got()) => Protection { key: 0, write: true, .. }, control Killed(libc::SIGSEGV);
        read_non_canonical: none(), |_| load(ptr::without_provenance(1 << 63)) => NonCanonical (), control Killed(libc::SIGSEGV);
        jump_wild: none(), |_| jump(0x1234) => Unmapped { address: 0x1234 }, control Killed(libc::SIGSEGV);
    }
    a3 {
        smash_canary: none(), |_| smash() => StackSmashed (), control Killed(libc::SIGABRT);
    }
    a4 {
        recurse_forever: none(), |_| { recurse(1); } => StackOverflow { .. }, control Killed(libc::SIGABRT);
    }
    a6 {
        illegal_instruction: none(), |_| instruction_ud2() => IllegalInstruction (), control Killed(libc::SIGILL);
        divide_by_zero: none(), |_| divide(0) => Arithmetic (), control Killed(libc::SIGFPE);
        breakpoint: none(), |_| instruction_int3() => Trap (), control Killed(libc::SIGTRAP);
        truncated_mapping: none(), |_| truncated_mapping_read() => Bus { .. }, control Killed(libc::SIGBUS);
    }
    // The message is asserted in `faults.rs`.
    a9 {
        panic: none(), |_| std::hint::black_box(panicking as fn())() => Panicked { .. }, control Exit(101);
    }
    // What would end the process.
    a7 {
        abort: none(), |_| libc_abort() => Abort (), control Killed(libc::SIGABRT);
        raise_abort: none(), |_| raise(libc::SIGABRT) => Abort (), control Killed(libc::SIGABRT);
        failed_assert: none(), |_| assert_fail() => AssertionFailed { .. }, control Killed(libc::SIGABRT);
        exit: none(), |_| libc_exit(3) => Exit { status: 3 }, control Exit(3);
        exit_at_once: none(), |_| exit_now(4) => Exit { status: 4 }, control Exit(4);
        exit_quickly: none(), |_| libc_quick_exit(5) => Exit { status: 5 }, control Exit(5);
    }
    // The caller's frame, without the way out: everything there is closed.
    a8 {
        longjmp_to_the_caller: jump_target(), longjmp => Protection { key: 0, write: true, .. }, control Overwritten();
    }
    a15 {
        start_thread: none(), |_| start_thread_inside() => ThreadStarted (), control Unnoticed();
        end_thread: none(), |_| end_thread_inside() => ThreadExited (), control Killed(libc::SIGABRT);
    }
    a16 {
        fork_inside: none(), |_| libc_fork() => ProcessStarted (), control Unnoticed();
        fork_inside_without_handlers: none(), |_| fork_without_handlers() => ProcessStarted (), control Unnoticed();
    }
    a18 {
        free_root_block: heap(), free_block => ForeignFree { .. }, control Overwritten();
        free_middle_of_nothing: none(), |_| free_block(ptr::without_provenance_mut(0x1000)) => ForeignFree { address: 0x1000 }, control Killed(libc::SIGSEGV);
    }
    b4 {
        return_into_nowhere: none(), |_| return_into(0x4321) => Unmapped { address: 0x4321 }, control Killed(libc::SIGSEGV);
    }
    // Where the handler must not look.
    b15 {
        stack_pointer_forgotten: none(), |_| wreck_stack_pointer(8) => Unmapped { .. }, control Killed(libc::SIGSEGV);
        stack_pointer_into_the_kernel: none(), |_| wreck_stack_pointer(0xffff_8000_0000_1000) => Unmapped { .. }, control Killed(libc::SIGSEGV);
        stack_pointer_into_root: STATIC_VICTIM.as_ptr(), |victim| wreck_stack_pointer(victim.addr() & !7) => Protection { key: 0, write: true, .. }, control Overwritten();
        stack_pointer_into_another_domain: other_domain(), |victim| wreck_stack_pointer(victim.addr() & !7) => Protection { key: 1.., write: true, .. }, control Overwritten();
    }
}

#[track_caller]
fn check(name: &'static str, victim: *mut u8, attack: fn(*mut u8), expected: fn(&FaultKind) -> bool, control: End) {
    if role().is_some() {
        let mut call = UNPROTECTED.call(name).expect("a domain without isolation can be made anywhere");
        // SAFETY: not sound, on purpose: this is the control, in a child of its own.
        unsafe { call.run(|| attack(victim)) }.expect("nothing here can end the call but the end of the process");
        // SAFETY: all victims stay allocated.
        let overwritten = unsafe { !victim.is_null() && victim.read_volatile() != BEFORE };
        // SAFETY: ends the child without its destructors, which the attack may have ruined.
        unsafe { libc::_exit(if overwritten { OVERWRITTEN } else { UNHARMED }) }
    }
    if !isolation() {
        return;
    }
    let fault = in_domain(name, || attack(victim)).expect_err("the attack must end the call");
    assert!(expected(fault.kind()), "{fault}");
    assert_eq!((fault.domain(), fault.function()), ("attacked", name));
    assert!(format!("{fault:#}").starts_with(&format!("`{name}` in domain `attacked`: ")), "and can be told in full");
    // SAFETY: all victims stay allocated.
    assert!(victim.is_null() || unsafe { victim.read_volatile() } == BEFORE, "the victim was overwritten");

    // SAFETY: allocates, uses and frees in the domain.
    let sum = in_domain(name, || unsafe {
        let block = libc::malloc(100_000).cast::<u8>();
        block.write_bytes(1, 100_000);
        let sum: usize = (0..100_000).map(|i| block.add(i).read_volatile() as usize).sum();
        libc::free(block.cast());
        sum
    });
    assert_eq!(sum.expect("the next call works"), 100_000);

    let output = child(name, "control");
    assert_eq!(End::from(&output), control, "with the defence off:\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Tries again when the attack of another test ended the instance.
fn in_domain<R: Copy>(name: &'static str, f: impl FnOnce() -> R + Copy) -> Result<R, isolate_rt::Fault> {
    loop {
        // SAFETY: whatever `f` does is what the domain is for; it returns a number or nothing.
        match unsafe { DOMAIN.call(name).expect("a domain can be made").run(f) } {
            Err(fault) if fault.kind() == &FaultKind::DomainLost => {}
            result => return result,
        }
    }
}

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

/// The same attack in a call that is not isolated. Ends the process, if nothing else does.
fn without<R: Copy>(attack: impl FnOnce() -> R + Copy) -> ! {
    let mut call = UNPROTECTED.call("control").expect("a domain without isolation can be made anywhere");
    // SAFETY: not sound, on purpose: this is the control, in a child of its own.
    let _ = unsafe { call.run(attack) };
    // SAFETY: ends the child without its destructors, which the attack may have ruined.
    unsafe { libc::_exit(UNHARMED) }
}

fn none() -> *mut u8 {
    ptr::null_mut()
}

fn heap() -> *mut u8 {
    Box::leak(Box::new([BEFORE; 64])).as_mut_ptr()
}

/// A byte of a live stack of this process: of a thread that sleeps until the end.
fn stack() -> *mut u8 {
    static ADDRESS: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut victim = BEFORE;
        ADDRESS.store(&raw mut victim, Ordering::Release);
        sender.send(()).unwrap();
        loop {
            std::thread::park();
        }
    });
    receiver.recv().unwrap();
    ADDRESS.load(Ordering::Acquire)
}

fn tls() -> *mut u8 {
    TLS_VICTIM.with(AtomicU8::as_ptr)
}

/// A byte of libc's own writable data that nothing else uses: a name that `getopt` would set.
fn libc_data() -> *mut u8 {
    unsafe extern "C" {
        static mut optopt: i32;
    }
    let byte = (&raw mut optopt).cast::<u8>();
    // SAFETY: a number that this program never uses otherwise.
    unsafe { byte.write(BEFORE) };
    byte
}

fn other_domain() -> *mut u8 {
    if !isolate_rt::probe().supported() {
        return heap();
    }
    let mut call = OTHER.call("allocate").unwrap();
    // SAFETY: allocates in the other domain.
    let block = unsafe { call.run(|| libc::malloc(64).cast::<u8>()) }.unwrap();
    // SAFETY: the program may write a domain's memory.
    unsafe { block.write(BEFORE) };
    block
}

/// Where the program keeps the address of a function of libc, for its calls.
fn got() -> *mut u8 {
    let entry: *mut u8;
    // SAFETY: computes an address.
    unsafe { asm!("lea {}, [rip + getppid@GOTPCREL]", out(reg) entry) };
    entry
}

fn write(victim: *mut u8) {
    store(victim);
}

fn read(victim: *mut u8) {
    load(victim);
}

fn store(to: *mut u8) {
    // SAFETY: none; that is the attack.
    unsafe { asm!("mov byte ptr [{}], 1", in(reg) to) };
}

fn load(from: *const u8) {
    // SAFETY: none; that is the attack.
    unsafe { asm!("mov {:r}, [{}]", out(reg) _, in(reg) from) };
}

/// A copy that believes a length: from the start of the victim's block over its end.
fn overflow(victim: *mut u8) {
    for i in 0..64 {
        store(victim.wrapping_add(i));
    }
}

fn jump(to: usize) {
    // SAFETY: none; that is the attack.
    unsafe { asm!("jmp {}", in(reg) to, options(noreturn)) };
}

#[inline(never)]
fn recurse(depth: usize) -> usize {
    let frame = std::hint::black_box([depth; 64]);
    if frame[3] == 0 { 0 } else { recurse(depth + 1) + frame[7] }
}

fn smash() {
    unsafe extern "C" {
        fn __stack_chk_fail() -> !;
    }
    // SAFETY: what compiled code calls when it finds its canary changed.
    unsafe { __stack_chk_fail() }
}

fn wreck_stack_pointer(to: usize) {
    // SAFETY: none; that is the attack. Where the push succeeds, the stack comes back.
    unsafe {
        asm!("mov {old}, rsp", "mov rsp, {to}", "push 0", "mov rsp, {old}", old = out(reg) _, to = in(reg) to + 8)
    };
}

fn instruction_ud2() {
    // SAFETY: none; that is the attack.
    unsafe { asm!("ud2") };
}

fn instruction_int3() {
    // SAFETY: none; that is the attack.
    unsafe { asm!("int3") };
}

fn divide(by: u64) {
    // SAFETY: none; that is the attack.
    unsafe { asm!("div {}", in(reg) by, inout("rax") 1u64 => _, inout("rdx") 0u64 => _) };
}

fn truncated_mapping_read() {
    // SAFETY: maps an empty file of this process's own; the read behind its end is the attack.
    unsafe {
        let file = libc::memfd_create(c"empty".as_ptr(), 0);
        let map = libc::mmap(ptr::null_mut(), 4096, libc::PROT_READ, libc::MAP_SHARED, file, 0);
        libc::close(file);
        load(map.cast());
    }
}

fn panicking() {
    panic!("from inside");
}

fn libc_abort() {
    // SAFETY: ends the process, or the call.
    unsafe { libc::abort() }
}

fn raise(signal: i32) {
    // SAFETY: sends this thread a signal.
    unsafe { libc::raise(signal) };
}

fn assert_fail() {
    unsafe extern "C" {
        fn __assert_fail(what: *const i8, file: *const i8, line: u32, function: *const i8) -> !;
    }
    // SAFETY: C strings, as `assert` passes them.
    unsafe { __assert_fail(c"x > 0".as_ptr(), c"a.c".as_ptr(), 1, c"f".as_ptr()) }
}

fn libc_exit(status: i32) {
    // SAFETY: ends the process, or the call.
    unsafe { libc::exit(status) }
}

fn exit_now(status: i32) {
    // SAFETY: ends the process, or the call.
    unsafe { libc::_exit(status) }
}

fn start_thread_inside() {
    extern "C" fn nothing(_: *mut libc::c_void) -> *mut libc::c_void {
        ptr::null_mut()
    }
    // SAFETY: a thread that ends at once.
    unsafe {
        let mut thread = std::mem::zeroed();
        libc::pthread_create(&mut thread, ptr::null(), nothing, ptr::null_mut());
        libc::pthread_join(thread, ptr::null_mut());
    }
}

fn end_thread_inside() {
    // SAFETY: none; that is the attack. In the control glibc unwinds into Rust frames that stop it, and aborts.
    unsafe { libc::pthread_exit(ptr::null_mut()) }
}

fn free_block(block: *mut u8) {
    // SAFETY: none; that is the attack. (In the control the block is the program's own.)
    unsafe { libc::free(block.cast()) };
}

fn libc_quick_exit(status: i32) {
    unsafe extern "C" {
        fn quick_exit(status: i32) -> !;
    }
    // SAFETY: ends the process, or the call.
    unsafe { quick_exit(status) }
}

fn libc_fork() {
    // SAFETY: none; that is the attack. The child of the control ends at once.
    unsafe {
        if libc::fork() == 0 {
            libc::syscall(libc::SYS_exit_group, 0);
        }
    }
}

fn fork_without_handlers() {
    unsafe extern "C" {
        fn _Fork() -> libc::pid_t;
    }
    // SAFETY: as above.
    unsafe {
        if _Fork() == 0 {
            libc::syscall(libc::SYS_exit_group, 0);
        }
    }
}

/// Stack pointer of a frame of the caller's, as `setjmp` would keep it, and a byte for that frame to write.
static JUMP: [std::sync::atomic::AtomicUsize; 2] = [const { std::sync::atomic::AtomicUsize::new(0) }; 2];

fn jump_target() -> *mut u8 {
    // A stack of the program's, with room below.
    let victim = stack();
    JUMP[0].store((victim.addr() - 4096) & !15, Ordering::Relaxed);
    JUMP[1].store(victim.addr(), Ordering::Relaxed);
    victim
}

/// What `longjmp` does: stack pointer and instruction pointer of a function that has called us. That function goes on to
/// write what is its own; in the control it also comes back, which a real one would not.
fn longjmp(victim: *mut u8) {
    // SAFETY: none; that is the attack.
    unsafe {
        asm!(
            "mov {old}, rsp",
            "mov rsp, {frame}",
            "mov byte ptr [{victim}], 1",
            "push {old}",
            "pop rsp",
            old = out(reg) _,
            frame = in(reg) JUMP[0].load(Ordering::Relaxed),
            victim = in(reg) victim,
        )
    };
}

fn return_into(to: usize) {
    // SAFETY: none; that is the attack.
    unsafe { asm!("push {}", "ret", in(reg) to, options(noreturn)) };
}
