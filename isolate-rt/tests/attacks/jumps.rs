//! `longjmp` out of a call: to where `setjmp` was called by somebody else.

use super::{OVERWRITTEN, UNHARMED, UNPROTECTED, child_ends, next_call_works};
use crate::support::{End, isolation, role};
use isolate_rt::{Callbacks, Domain, Fault, FaultKind};
use std::arch::naked_asm;
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// In children: the process of the tests has no key to spare for one more domain.
static JUMPING: Domain = Domain::new("jumping");
const ISOLATED: &str = "isolated";

/// Whether this is the child that a test here runs in; starts it where it is not.
#[track_caller]
fn is_isolated(name: &str) -> bool {
    if role().is_none() && isolation() {
        child_ends(name, ISOLATED, End::Status(0));
    }
    role().as_deref() == Some(ISOLATED)
}

type Buffer = *mut usize;
type Jump = unsafe extern "C" fn(Buffer, i32) -> !;

/// Words of a `jmp_buf`, and more.
const WORDS: usize = 32;

unsafe extern "C" {
    fn _setjmp(buffer: Buffer) -> i32;
    fn longjmp(buffer: Buffer, value: i32) -> !;
    fn _longjmp(buffer: Buffer, value: i32) -> !;
    fn siglongjmp(buffer: Buffer, value: i32) -> !;
    fn __longjmp_chk(buffer: Buffer, value: i32) -> !;
}

/// What compilers make of `if (setjmp(buffer) == 0) { call(argument); return 10; } return 20;`.
///
/// # Safety
///
/// There is room in the buffer, and the function may be called.
#[unsafe(naked)]
unsafe extern "C" fn catch(buffer: Buffer, call: unsafe extern "C" fn(Buffer), argument: Buffer) -> i32 {
    naked_asm!(
        "push rbx", "push r12", "sub rsp, 8",
        "mov rbx, rsi",
        "mov r12, rdx",
        "call {setjmp}",
        "test eax, eax",
        "mov eax, 20",
        "jnz 2f",
        "mov rdi, r12",
        "call rbx",
        "mov eax, 10",
        "2:", "add rsp, 8", "pop r12", "pop rbx", "ret",
        setjmp = sym _setjmp,
    )
}

/// As `longjmp`, without calling it: what `__builtin_longjmp` of compilers does, and exceptions do that somebody catches. Of the
/// buffer it reads what glibc has put there: see `interpose::jumps`.
///
/// # Safety
///
/// None; that is the attack.
#[unsafe(naked)]
unsafe extern "C" fn jump_past_libc(_buffer: Buffer, _value: i32) -> ! {
    naked_asm!(
        "mov rbx, [rdi]",
        "mov r12, [rdi + 16]",
        "mov r13, [rdi + 24]",
        "mov r14, [rdi + 32]",
        "mov r15, [rdi + 40]",
        "mov rbp, [rdi + 8]",
        "ror rbp, 17",
        "xor rbp, fs:[0x30]",
        "mov rcx, [rdi + 48]",
        "ror rcx, 17",
        "xor rcx, fs:[0x30]",
        "mov rdx, [rdi + 56]",
        "ror rdx, 17",
        "xor rdx, fs:[0x30]",
        "mov eax, esi",
        "mov rsp, rcx",
        "jmp rdx",
    )
}

/// A call whose function sets a buffer and calls back; the closure makes another call, whose function jumps there. What the two give,
/// and whether the closure came to its end.
fn nested(domain: &'static Domain, jump: Jump) -> (Result<i32, Fault>, Option<Result<i32, Fault>>) {
    let inner = Cell::new(None);
    let mut callbacks = Callbacks::new();
    let closure = callbacks.add(|buffer: Buffer| {
        // What the call before has left as its result is not that of this one.
        // SAFETY: returns a number.
        let before = unsafe { domain.call("before").unwrap().run(|| 0x1234) };
        assert_eq!(before, Ok(0x1234));
        // SAFETY: none; that is the attack.
        inner.set(Some(unsafe { domain.call("inner").unwrap().run(|| -> i32 { jump(buffer, 1) }) }));
    });
    // SAFETY: a buffer of the domain's; the closure takes an address.
    let outer = unsafe {
        domain.call("outer").unwrap().run_with(&mut callbacks, || {
            let buffer = libc::calloc(WORDS, size_of::<usize>()).cast();
            catch(buffer, closure, buffer)
        })
    };
    drop(callbacks);
    (outer, inner.into_inner())
}

/// As a Lua error does, or a `longjmp` of libpng, where the call that catches it is around another one.
#[test]
fn a8_longjmp_into_an_outer_call() {
    const NAME: &str = "jumps::a8_longjmp_into_an_outer_call";
    if role().as_deref() == Some("control") {
        let (outer, inner) = nested(&UNPROTECTED, longjmp);
        let is_cut_off = outer == Ok(20) && inner.is_none();
        // SAFETY: ends the child, whose frames were jumped over.
        unsafe { libc::_exit(if is_cut_off { OVERWRITTEN } else { UNHARMED }) }
    }
    if !is_isolated(NAME) {
        return;
    }
    child_ends(NAME, "control", End::Status(OVERWRITTEN));
    for jump in [longjmp, _longjmp, siglongjmp, __longjmp_chk, jump_past_libc] {
        let (outer, inner) = nested(&JUMPING, jump);
        assert_eq!(inner.unwrap().unwrap_err().kind(), &FaultKind::JumpedOut);
        let fault = outer.unwrap_err();
        assert_eq!(fault.kind(), &FaultKind::DomainLost);
        assert_eq!(fault.cause().map(Fault::kind), Some(&FaultKind::JumpedOut));
        next_call_works(&JUMPING);
    }
}

/// The frame goes on by calling the program: the closures are those of the call that has jumped away.
#[test]
fn a_frame_that_was_jumped_to_reaches_no_closure() {
    if !is_isolated("jumps::a_frame_that_was_jumped_to_reaches_no_closure") {
        return;
    }
    let (inner, entered) = (Cell::new(None), Cell::new(0));
    let mut callbacks = Callbacks::new();
    let closure = callbacks.add(|buffer: Buffer| {
        entered.set(entered.get() + 1);
        // SAFETY: none; that is the attack.
        inner.set(Some(unsafe { JUMPING.call("inner").unwrap().run(|| -> i32 { jump_past_libc(buffer, 1) }) }));
    });
    // SAFETY: as above.
    let outer = unsafe {
        JUMPING.call("outer").unwrap().run_with(&mut callbacks, || {
            let buffer = libc::calloc(WORDS, size_of::<usize>()).cast();
            catch(buffer, closure, buffer);
            closure(buffer);
        })
    };
    drop(callbacks);
    assert_eq!(inner.into_inner().unwrap().unwrap_err().kind(), &FaultKind::JumpedOut);
    assert_eq!((outer.unwrap_err().kind(), entered.get()), (&FaultKind::DomainLost, 1));
    next_call_works(&JUMPING);
}

/// The program has called `setjmp`, and the call jumps there: to code that may read for as long as it likes before it writes.
#[test]
fn a8_longjmp_to_the_program() {
    const NAME: &str = "jumps::a8_longjmp_to_the_program";
    static BUFFER: AtomicPtr<usize> = AtomicPtr::new(ptr::null_mut());
    fn jump_from(domain: &'static Domain) -> Result<i32, Fault> {
        // SAFETY: none; that is the attack.
        unsafe { domain.call("jump").unwrap().run(|| -> i32 { longjmp(BUFFER.load(Ordering::Relaxed), 1) }) }
    }
    /// # Safety
    ///
    /// None: it takes any pointer.
    unsafe extern "C" fn isolated(_: Buffer) {
        assert_eq!(jump_from(&JUMPING).unwrap_err().kind(), &FaultKind::JumpedOut);
    }
    /// # Safety
    ///
    /// None: it takes any pointer.
    unsafe extern "C" fn control(_: Buffer) {
        let _ = jump_from(&UNPROTECTED);
    }
    let buffer = Box::leak(Box::new([0; WORDS])).as_mut_ptr();
    BUFFER.store(buffer, Ordering::Relaxed);
    // SAFETY: room for a buffer, and functions that take anything.
    let catch = |function| unsafe { catch(buffer, function, ptr::null_mut()) };
    if role().as_deref() == Some("control") {
        let has_landed = catch(control) == 20;
        // SAFETY: ends the child, whose frames were jumped over.
        unsafe { libc::_exit(if has_landed { OVERWRITTEN } else { UNHARMED }) }
    }
    if is_isolated(NAME) {
        child_ends(NAME, "control", End::Status(OVERWRITTEN));
        assert_eq!(catch(isolated), 10);
        next_call_works(&JUMPING);
    }
}

/// Within a call a library jumps where it likes, also from a stack that it has made, and to one.
#[test]
fn jumps_within_a_call() {
    /// Calls a function on another stack.
    ///
    /// # Safety
    ///
    /// The stack ends at `top`, and the function may be called.
    #[unsafe(naked)]
    unsafe extern "C" fn on_stack(_top: usize, _function: unsafe extern "C" fn(Buffer), _argument: Buffer) {
        naked_asm!(
            "push rbx",
            "mov rbx, rsp",
            "mov rsp, rdi",
            "mov rdi, rdx",
            "call rsi",
            "mov rsp, rbx",
            "pop rbx",
            "ret"
        )
    }
    /// # Safety
    ///
    /// `setjmp` has filled the buffer.
    unsafe extern "C" fn jump(buffer: Buffer) {
        // SAFETY: filled by whoever calls this.
        unsafe { longjmp(buffer, 1) }
    }
    /// Sets the second buffer, and jumps there, then to the first.
    ///
    /// # Safety
    ///
    /// There is room for two buffers, and `setjmp` has filled the first.
    unsafe extern "C" fn within(buffer: Buffer) {
        // SAFETY: two buffers, the first of which is filled.
        unsafe {
            let second = buffer.add(WORDS);
            assert_eq!(catch(second, jump, second), 20);
            longjmp(buffer, 1)
        }
    }
    /// # Safety
    ///
    /// As for `within`.
    unsafe extern "C" fn elsewhere(buffer: Buffer) {
        // SAFETY: a stack in the heap.
        unsafe {
            let stack = libc::malloc(64 << 10).addr();
            on_stack((stack + (64 << 10)) & !15, within, buffer);
        }
    }
    if !is_isolated("jumps::jumps_within_a_call") {
        return;
    }
    // SAFETY: buffers of the domain's.
    let results = unsafe {
        JUMPING.call("within").unwrap().run(|| {
            let buffer: Buffer = libc::calloc(2 * WORDS, size_of::<usize>()).cast();
            [catch(buffer, jump, buffer), catch(buffer, elsewhere, buffer)]
        })
    };
    assert_eq!(results, Ok([20, 20]));
}
