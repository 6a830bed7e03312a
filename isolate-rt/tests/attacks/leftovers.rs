//! What the program must not find changed, gone or shared after an attack, and does without the defence.

use super::corruption::mappings;
use super::{DOMAIN, OVERWRITTEN, STATIC_VICTIM, UNHARMED, UNPROTECTED, child_ends, in_domain, without};
use crate::support::{__sysv_signal, End, bsd_signal, isolation, of_libc, role, sigset, ssignal, sysv_signal};
use isolate_rt::{Backend, Callbacks, Domain, FaultKind};
use std::arch::{asm, naked_asm};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a10_handlers_changed() {
    extern "C" fn own(_: i32) {}
    // SAFETY: a setting of this process.
    let attack = || unsafe { libc::signal(libc::SIGUSR2, libc::SIG_IGN) };
    let is_own = || {
        // SAFETY: asks.
        unsafe {
            let mut now: libc::sigaction = std::mem::zeroed();
            libc::sigaction(libc::SIGUSR2, ptr::null(), &mut now);
            now.sa_sigaction == own as *const () as usize
        }
    };
    if role().is_none() && !isolation() {
        return;
    }
    // SAFETY: a handler that does nothing.
    unsafe { libc::signal(libc::SIGUSR2, own as *const () as usize) };
    if role().is_some() {
        // SAFETY: as above.
        let _ = unsafe { UNPROTECTED.call("signal").unwrap().run(attack) };
        std::process::exit(if is_own() { UNHARMED } else { OVERWRITTEN });
    }
    child_ends("leftovers::a10_handlers_changed", "control", End::Status(OVERWRITTEN));
    assert_eq!(in_domain("signal", attack), Ok(libc::SIG_ERR));
    assert!(is_own());
}

/// The names that libc has for the same: which of them a C compiler calls as `signal` depends on the standard that it was given.
#[test]
fn a10_handlers_changed_by_other_names() {
    type Signal = unsafe extern "C" fn(i32, usize) -> usize;
    /// As 4.2BSD had it: handler, mask, flags.
    #[repr(C)]
    struct Vector(usize, i32, i32);
    unsafe extern "C" {
        fn sigignore(number: i32) -> i32;
        fn __sigaction(number: i32, new: *const libc::sigaction, old: *mut libc::sigaction) -> i32;
        fn sigvec(number: i32, new: *const Vector, old: *mut Vector) -> i32;
    }
    extern "C" fn own(_: i32) {}
    /// # Safety
    ///
    /// None owed.
    unsafe extern "C" fn ignore(number: i32, _: usize) -> usize {
        // SAFETY: no handler.
        if unsafe { sigignore(number) } == -1 { libc::SIG_ERR } else { 0 }
    }
    /// # Safety
    ///
    /// `handler` is one.
    unsafe extern "C" fn by_sigaction(number: i32, handler: usize) -> usize {
        // SAFETY: a complete setting.
        unsafe {
            let mut new: libc::sigaction = std::mem::zeroed();
            new.sa_sigaction = handler;
            if __sigaction(number, &new, ptr::null_mut()) == -1 { libc::SIG_ERR } else { 0 }
        }
    }
    /// # Safety
    ///
    /// `handler` is one.
    unsafe extern "C" fn by_vector(number: i32, handler: usize) -> usize {
        // SAFETY: a complete setting.
        if unsafe { sigvec(number, &Vector(handler, 0, 0), ptr::null_mut()) } == -1 { libc::SIG_ERR } else { 0 }
    }
    let names: [Signal; 8] = [__sysv_signal, sysv_signal, bsd_signal, ssignal, sigset, ignore, by_sigaction, by_vector];
    let is_own = || {
        // SAFETY: asks.
        unsafe {
            let mut now: libc::sigaction = std::mem::zeroed();
            libc::sigaction(libc::SIGURG, ptr::null(), &mut now);
            now.sa_sigaction == own as *const () as usize
        }
    };
    if role().is_none() && !isolation() {
        return;
    }
    // What each call gives, and whether the handler is still the program's after it.
    let attack = |name: Signal| {
        // SAFETY: a handler that does nothing, and then none.
        unsafe {
            libc::signal(libc::SIGURG, own as *const () as usize);
            if role().is_some() {
                let _ = UNPROTECTED.call("signal").unwrap().run(|| name(libc::SIGURG, libc::SIG_IGN));
                return (0, is_own());
            }
            (in_domain("signal", || name(libc::SIGURG, libc::SIG_IGN)).unwrap(), is_own())
        }
    };
    let outcomes = names.map(attack);
    if role().is_some() {
        std::process::exit(if outcomes == [(0, false); 8] { OVERWRITTEN } else { UNHARMED });
    }
    child_ends("leftovers::a10_handlers_changed_by_other_names", "control", End::Status(OVERWRITTEN));
    assert_eq!(outcomes, [(libc::SIG_ERR, true); 8]);
}

/// By a raw system call a domain can install a handler, which the kernel then starts with the right to write the program, and without
/// that to use the domain's own stack.
#[test]
fn a10_a_handler_past_libc() {
    extern "C" fn write_the_program(_: i32) {
        // SAFETY: as any compiled code does, though perhaps later.
        unsafe { asm!("push rax", "pop rax") };
        STATIC_VICTIM.store(1, Ordering::Relaxed);
        // SAFETY: ends the child.
        unsafe { libc::syscall(libc::SYS_exit_group, OVERWRITTEN) };
    }
    #[unsafe(naked)]
    extern "C" fn write_without_a_stack(_: i32) {
        naked_asm!(
            "mov byte ptr [rip + {victim}], 1",
            "mov edi, {status}",
            "mov eax, {exit}",
            "syscall",
            victim = sym STATIC_VICTIM,
            status = const OVERWRITTEN,
            exit = const libc::SYS_exit_group,
        )
    }
    const NAME: &str = "leftovers::a10_a_handler_past_libc";
    if let Some(role) = role() {
        type Sigaction = unsafe extern "C" fn(i32, *const libc::sigaction, *mut libc::sigaction) -> i32;
        // SAFETY: libc's own function.
        let sigaction = unsafe { std::mem::transmute::<*mut libc::c_void, Sigaction>(of_libc(c"sigaction")) };
        let flags = if role == "signal stack" { libc::SA_ONSTACK } else { 0 };
        let handler = if role == "no stack" { write_without_a_stack } else { write_the_program } as extern "C" fn(i32);
        // SAFETY: none; that is the attack.
        let attack = || unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as usize;
            action.sa_flags = flags;
            sigaction(libc::SIGFPE, &action, ptr::null_mut());
            asm!("div {zero:e}", zero = in(reg) 0, inout("eax") 1 => _, inout("edx") 0 => _);
        };
        if role == "control" {
            without(attack);
        }
        let _ = in_domain("signal", attack);
        std::process::exit(UNHARMED);
    }
    if isolation() {
        child_ends(NAME, "own stack", End::Signal(libc::SIGSEGV));
        child_ends(NAME, "no stack", End::Status(OVERWRITTEN));
        child_ends(NAME, "signal stack", End::Status(OVERWRITTEN));
        child_ends(NAME, "control", End::Status(OVERWRITTEN));
    }
}

/// The kernel starts handlers below the stack pointer where that is on the signal stack already, whose address the domain can ask for.
#[test]
fn b15_stack_pointer_into_the_signal_stack() {
    const NAME: &str = "leftovers::b15_stack_pointer_into_the_signal_stack";
    /// Fails with the stack pointer so far from the lower end of the thread's signal stack.
    fn attack(from_its_end: usize) {
        // SAFETY: none; that is the attack.
        unsafe {
            let mut now: libc::stack_t = std::mem::zeroed();
            libc::sigaltstack(ptr::null(), &mut now);
            asm!("mov rsp, {}", "ud2", in(reg) now.ss_sp.addr() + from_its_end, options(noreturn));
        }
    }
    if let Some(role) = role() {
        let from_its_end = role.parse().unwrap();
        let fault = in_domain("stack", || attack(from_its_end)).unwrap_err();
        assert_eq!(fault.kind(), &FaultKind::IllegalInstruction);
        std::process::exit(UNHARMED);
    }
    if isolation() {
        child_ends(NAME, "32768", End::Status(UNHARMED));
        child_ends(NAME, "256", End::Signal(libc::SIGSEGV));
    }
}

/// A pointer that is no handle finds what somebody else has put there.
#[test]
fn a19_stale_pointer() {
    static AGAIN: Domain = Domain::new("again");
    if !isolation() {
        return;
    }
    let make = |fill: u8| {
        let mut call = AGAIN.call("make").unwrap();
        // SAFETY: a block of 64 bytes.
        let block = unsafe {
            call.run(|| {
                let block = libc::malloc(64).cast::<u8>();
                block.write_bytes(fill, 64);
                block
            })
        };
        // SAFETY: `malloc` gave it out.
        unsafe { call.adopt(block.unwrap()) }.unwrap().unwrap()
    };
    let stale = make(7);
    let pointer = AGAIN.call("use").unwrap().handle(&stale).unwrap();
    // SAFETY: ends the call.
    unsafe { AGAIN.call("fail").unwrap().run(|| asm!("ud2")) }.unwrap_err();
    let _other = make(9);
    let mut call = AGAIN.call("use").unwrap();
    assert_eq!(call.handle(&stale).unwrap_err().kind(), &FaultKind::StaleHandle);
    // SAFETY: none; that is the control: what a handle is there for.
    assert_eq!(unsafe { call.run(|| *pointer) }, Ok(9), "the pointer finds another object");
}

/// A thread that a domain starts by a raw system call is known to nobody: it stays when the call ends in a fault, with the domain's
/// rights and nothing else.
#[test]
fn a15_a_raw_thread_is_not_held() {
    const THREAD: i32 = libc::CLONE_VM
        | libc::CLONE_FS
        | libc::CLONE_FILES
        | libc::CLONE_SIGHAND
        | libc::CLONE_THREAD
        | libc::CLONE_SYSVSEM;
    // In a child, which ends with the thread.
    if role().is_none() {
        if isolation() {
            child_ends("leftovers::a15_a_raw_thread_is_not_held", "isolated", End::Status(UNHARMED));
        }
        return;
    }
    // It counts there, and tries to have the kernel write to the program. (Elsewhere in the heap the fault takes its memory away, and its
    // own fault then ends the process.)
    // SAFETY: a small block, of the first pages of the heap.
    let counter = in_domain("allocate", || unsafe { libc::calloc(1, 64).cast::<u64>() }).unwrap();
    let victim = STATIC_VICTIM.as_ptr();
    let fault = in_domain("start", || {
        // SAFETY: none; that is the attack.
        unsafe {
            asm!(
                "syscall",
                "test rax, rax", "jnz 3f",
                "2:", "lock inc qword ptr [{counter}]",
                "mov eax, {getrandom}", "mov rdi, {victim}", "mov esi, 1", "xor edx, edx", "syscall",
                "jmp 2b",
                "3:", "ud2",
                counter = in(reg) counter, victim = in(reg) victim, getrandom = const libc::SYS_getrandom,
                inout("rax") libc::SYS_clone => _, inout("rdi") THREAD as u64 => _, inout("rsi") counter.add(8) => _,
                inout("rdx") 0 => _, in("r10") 0, in("r8") 0, out("rcx") _, out("r11") _,
            );
        }
    });
    assert_eq!(fault.unwrap_err().kind(), &FaultKind::IllegalInstruction);
    assert_eq!(in_domain("next", || 42), Ok(42));
    let count = || {
        std::thread::sleep(std::time::Duration::from_millis(200));
        // SAFETY: of the domain's heap, which stays mapped.
        unsafe { counter.read_volatile() }
    };
    let (before, after) = (count(), count());
    assert!(after > before, "it has come to its end");
    let is_harmed = STATIC_VICTIM.load(Ordering::Relaxed) != super::BEFORE;
    // SAFETY: ends all threads.
    unsafe { libc::_exit(if is_harmed { OVERWRITTEN } else { UNHARMED }) }
}

/// A closure panics while the library waits for it.
#[test]
fn a22_panic_in_a_callback() {
    static WAITING: Domain = Domain::new("waiting");
    static DIRECT: Domain = Domain::new("direct").backend(Backend::None);
    struct Dropped<'a>(&'a Cell<bool>);
    impl Drop for Dropped<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let is_dropped = Cell::new(false);
    let panics = |domain: &'static Domain| {
        let mut callbacks = Callbacks::new();
        let closure = callbacks.add(|| -> u32 {
            let _local = Dropped(&is_dropped);
            panic!("in a closure");
        });
        let mut call = domain.call("wait").unwrap();
        // SAFETY: calls a registered closure.
        catch_unwind(AssertUnwindSafe(|| unsafe { call.run_with(&mut callbacks, || closure()) })).is_err()
    };
    if role().is_some() {
        panics(&DIRECT);
        std::process::exit(UNHARMED);
    }
    if isolation() {
        child_ends("leftovers::a22_panic_in_a_callback", "control", End::Signal(libc::SIGABRT));
        assert!(panics(&WAITING) && is_dropped.get());
    }
}

/// Memory of the program that is mapped a second time, as the domain's own: where there is such a mapping, the key holds nothing.
#[test]
fn b13_second_mapping() {
    // In children: tests beside this one map inside.
    if role().as_deref() == Some("look") {
        assert_eq!(in_domain("any", || 1), Ok(1));
        for (start, permissions, key) in mappings().into_iter().filter(|(.., key)| *key != 0) {
            assert!(permissions == "rw-p", "{start:#x} of key {key} in {DOMAIN:?}: {permissions}");
        }
        std::process::exit(UNHARMED);
    }
    if role().is_some() {
        assert_eq!(in_domain("any", || 1), Ok(1));
        let (.., key) = *mappings().iter().find(|(.., key)| *key != 0).expect("a domain has memory");
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: memory of its own, mapped twice.
        let (victim, alias) = unsafe {
            let file = libc::memfd_create(c"twice".as_ptr(), 0);
            assert_eq!(libc::ftruncate(file, 4096), 0);
            let map = || libc::mmap(ptr::null_mut(), 4096, access, libc::MAP_SHARED, file, 0);
            let (victim, alias) = (map(), map());
            assert_eq!(libc::syscall(libc::SYS_pkey_mprotect, alias, 4096, access, key), 0);
            (&*victim.cast::<AtomicBool>(), alias.cast::<u8>())
        };
        // SAFETY: of the domain, by its key.
        let written = in_domain("write", || unsafe { alias.write_volatile(1) });
        let is_harmed = written.is_ok() && victim.load(Ordering::Relaxed);
        std::process::exit(if is_harmed { OVERWRITTEN } else { UNHARMED });
    }
    if isolation() {
        child_ends("leftovers::b13_second_mapping", "control", End::Status(OVERWRITTEN));
        child_ends("leftovers::b13_second_mapping", "look", End::Status(UNHARMED));
    }
}
