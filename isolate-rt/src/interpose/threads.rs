//! Threads of a library: inside, `pthread_create` asks the program for one, where that is allowed ([`Domain::threads_inside`]).
//!
//! What a thread and who joins it know of each other lies in the domain's heap; its address is the `pthread_t`. All of this but the
//! thread itself is the domain's own affair, done with its rights.
//!
//! [`Domain::threads_inside`]: crate::Domain::threads_inside

use super::keys;
use super::real::real;
use crate::heap;
use crate::mpk::{self, Reason};
use libc::{c_int, c_void, pthread_attr_t, pthread_t};
use std::arch::naked_asm;
use std::cell::Cell;
use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// `thrd_error` of threads.h.
pub(super) const THRD_ERROR: c_int = 2;

type Start = extern "C" fn(*mut c_void) -> *mut c_void;

unsafe extern "C" {
    /// pthread_attr_getdetachstate(3): reads.
    fn pthread_attr_getdetachstate(attributes: *const pthread_attr_t, state: *mut c_int) -> c_int;
    // What `pthread_cleanup_push` of C is made of: where pthread_exit(3) goes on (Linux Standard Base, and pthread.h of glibc).
    fn __sigsetjmp(buffer: *mut c_void, with_mask: c_int) -> c_int;
    fn __pthread_register_cancel(buffer: *mut c_void);
    fn __pthread_unregister_cancel(buffer: *mut c_void);
}

struct Thread {
    start: Start,
    argument: *mut c_void,
    /// What `start` has returned, or pthread_exit(3) was given.
    value: AtomicPtr<c_void>,
    /// One of the following, for futex(2).
    state: AtomicU32,
}

const RUNS: u32 = 0;
const ENDED: u32 = 1;
/// Nobody waits for it: it goes when it ends.
const DETACHED: u32 = 2;

thread_local! {
    /// What the calling thread is, if a domain has started it.
    static OWN: Cell<*mut Thread> = const { Cell::new(ptr::null_mut()) };
}

/// # Safety
///
/// What pthread_create(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut pthread_t,
    attributes: *const pthread_attr_t,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    if !heap::is_inside() {
        // SAFETY: passed on to libc.
        return unsafe { real::pthread_create()(thread, attributes, start, argument) };
    }
    let mut detached = libc::PTHREAD_CREATE_JOINABLE;
    // SAFETY: attributes or NULL, says our caller; a block is written before it is used, and known to nobody else until the thread
    // is there. (All of it is the domain's.)
    unsafe {
        if !attributes.is_null() {
            pthread_attr_getdetachstate(attributes, &mut detached);
        }
        let new = libc::malloc(size_of::<Thread>()).cast::<Thread>();
        if new.is_null() {
            return libc::EAGAIN;
        }
        let state = AtomicU32::new(if detached == libc::PTHREAD_CREATE_DETACHED { DETACHED } else { RUNS });
        new.write(Thread { start, argument, value: AtomicPtr::new(ptr::null_mut()), state });
        // First: the new thread may look there.
        thread.write(new.addr() as pthread_t);
        match mpk::start_thread(run, new.cast()) {
            Some(0) => 0,
            Some(errno) => {
                libc::free(new.cast());
                errno
            }
            None => mpk::leave(Reason::ThreadStarted, 0),
        }
    }
}

/// What the new thread runs, inside.
///
/// # Safety
///
/// `thread` is what `pthread_create` has made.
unsafe extern "C" fn run(thread: *mut c_void) {
    let thread = thread.cast::<Thread>();
    OWN.set(thread);
    // SAFETY: nobody frees it while it runs.
    unsafe {
        until_exit(thread, (*thread).start, (*thread).argument);
        keys::destroy_values();
        OWN.set(ptr::null_mut());
        mpk::thread_ends();
        let state = &raw const (*thread).state;
        if (*state).swap(ENDED, Ordering::AcqRel) == DETACHED {
            libc::free(thread.cast());
        } else {
            // It may be freed by now. Then nobody waits there, or somebody who looks again when woken.
            mpk::wake(state.cast());
        }
    }
}

/// Calls `start(argument)`, until it returns or pthread_exit(3) ends it: that is libc's, which does on the way here what
/// pthread_cleanup_push(3) has asked for, as it does on its way out of a thread of its own. What becomes of it is the thread's value.
///
/// # Safety
///
/// `thread` is the one that runs, and `start` may be called with this argument.
#[unsafe(naked)]
unsafe extern "C" fn until_exit(thread: *mut Thread, start: Start, argument: *mut c_void) {
    naked_asm!(
        ".cfi_startproc",
        "push rbx",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbx, -16",
        // The buffer at `rsp`, and behind it what is needed after it was filled.
        "sub rsp, {buffer} + 32",
        ".cfi_def_cfa_offset {buffer} + 48",
        "mov [rsp + {buffer}], rdi",
        "mov [rsp + {buffer} + 8], rsi",
        "mov [rsp + {buffer} + 16], rdx",
        "mov rdi, rsp",
        "xor esi, esi",
        "call {setjmp}",
        "test eax, eax",
        "jnz 2f",
        "mov rdi, rsp",
        "call {register}",
        "mov rdi, [rsp + {buffer} + 16]",
        "call [rsp + {buffer} + 8]",
        "mov rcx, [rsp + {buffer}]",
        "mov [rcx + {value}], rax",
        "mov rdi, rsp",
        "call {unregister}",
        "2:",
        "add rsp, {buffer} + 32",
        ".cfi_def_cfa_offset 16",
        "pop rbx",
        ".cfi_def_cfa_offset 8",
        "ret",
        ".cfi_endproc",
        buffer = const BUFFER,
        value = const offset_of!(Thread, value),
        setjmp = sym __sigsetjmp,
        register = sym __pthread_register_cancel,
        unregister = sym __pthread_unregister_cancel,
    )
}

/// More than a `__pthread_unwind_buf_t`, in bytes, and than a `jmp_buf`.
const BUFFER: usize = 208;

/// Leaves nothing on the stack, through which libc's unwinds.
///
/// # Safety
///
/// What pthread_exit(3) asks of its caller.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_exit(value: *mut c_void) -> ! {
    naked_asm!("push rdi", "call {real}", "pop rdi", "jmp rax", real = sym real_exit)
}

/// libc's function, for a thread of the program or one that a domain has started; another has come into the domain by a call.
extern "C" fn real_exit(value: *mut c_void) -> unsafe extern "C" fn(*mut c_void) -> ! {
    if heap::is_inside() {
        let own = OWN.get();
        if own.is_null() {
            mpk::leave(Reason::ThreadExited, 0);
        }
        // SAFETY: nobody frees it while it runs.
        unsafe { (*own).value.store(value, Ordering::Relaxed) };
    }
    real::pthread_exit()
}

/// Called once outside: libc's pthread_exit(3) loads and binds what it unwinds with when it is first called, which a domain could not.
pub(crate) fn warm_up() -> Result<(), c_int> {
    // SAFETY: it never returns; the transmuted type promises a result that nobody reads.
    let exit = unsafe { std::mem::transmute::<unsafe extern "C" fn(*mut c_void) -> !, Start>(real::pthread_exit()) };
    // SAFETY: a thread that ends at once, and is waited for.
    unsafe {
        let mut thread = 0;
        match real::pthread_create()(&mut thread, ptr::null(), exit, ptr::null_mut()) {
            0 => real::pthread_join()(thread, ptr::null_mut()),
            errno => return Err(errno),
        };
    }
    Ok(())
}

/// # Safety
///
/// What pthread_join(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_join(thread: pthread_t, value: *mut *mut c_void) -> c_int {
    if !heap::is_inside() {
        // SAFETY: passed on to libc.
        return unsafe { real::pthread_join()(thread, value) };
    }
    // SAFETY: asks.
    if thread == unsafe { pthread_self() } {
        return libc::EDEADLK;
    }
    let thread = ptr::with_exposed_provenance_mut::<Thread>(thread as usize);
    // SAFETY: a thread of this domain that nobody else waits for, says our caller.
    unsafe {
        loop {
            match (*thread).state.load(Ordering::Acquire) {
                ENDED => break,
                RUNS => mpk::wait((*thread).state.as_ptr(), RUNS, None),
                _ => return libc::EINVAL,
            }
        }
        if !value.is_null() {
            value.write((*thread).value.load(Ordering::Relaxed));
        }
        libc::free(thread.cast());
    }
    0
}

/// # Safety
///
/// What pthread_detach(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_detach(thread: pthread_t) -> c_int {
    if !heap::is_inside() {
        // SAFETY: passed on to libc.
        return unsafe { real::pthread_detach()(thread) };
    }
    // SAFETY: asks.
    if OWN.get().is_null() && thread == unsafe { pthread_self() } {
        // The program's: not the library's to wait for, nor to say that nobody does.
        return libc::EINVAL;
    }
    let thread = ptr::with_exposed_provenance_mut::<Thread>(thread as usize);
    // SAFETY: a thread of this domain that nobody waits for, says our caller.
    unsafe {
        match (*thread).state.compare_exchange(RUNS, DETACHED, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => 0,
            Err(ENDED) => {
                libc::free(thread.cast());
                0
            }
            Err(_) => libc::EINVAL,
        }
    }
}

/// # Safety
///
/// None owed.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_self() -> pthread_t {
    let own = OWN.get();
    if own.is_null() {
        // SAFETY: passed on to libc.
        unsafe { real::pthread_self()() }
    } else {
        own.addr() as pthread_t
    }
}
