//! From a fault to a rewind.
//!
//! The handler runs on the thread's alternate stack, in memory of key 0, with the rights that the kernel gives every
//! handler (key 0 open, all others closed) and with whatever FS the domain had. It opens the runtime's keys before it touches memory,
//! finds its thread through GS, puts FS back, and only then runs code that may use thread-local storage.
//!
//! A fault inside a domain is noted in the activation, and the frame is changed to return to the gate's way out: the kernel's
//! own `sigreturn` puts the signal mask back. A fault anywhere else goes to whoever handled the signal before, untouched.

use super::deadline;
use super::handlers::{self, FAULTS};
use crate::fault::Unsupported;
use crate::machine::cpu;
use crate::machine::kernel::{Frame, SEGV_PKUERR, kernel_setting};
use crate::machine::pkey::{PROGRAMS_RIGHTS, Pkey, open_keys};
use crate::mpk::areas::layout;
use crate::mpk::crossing::gate::{self, Activation};
use crate::mpk::crossing::leave::{self, Left, Stop};
use crate::mpk::crossing::thread::Thread;
use crate::mpk::endings::panics;
use crate::mpk::instances::instance;
use crate::mpk::loaded::objects;
use crate::mpk::loaded::unwind::Registers;
use libc::{c_int, c_void, siginfo_t};
use std::arch::naked_asm;
use std::cell::Cell;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Set by the first [`install`], never cleared. A byte, for the assembly of [`handlers`].
pub(super) static INSTALLED: AtomicU8 = AtomicU8::new(0);

/// Whether the fault signals are the runtime's.
pub(super) fn installed() -> bool {
    INSTALLED.load(Ordering::SeqCst) != 0
}

/// Whether `handler` is what [`install`] gives to the kernel.
pub(super) fn is_entry(handler: usize) -> bool {
    handler == (enter as *const ()).addr()
}

/// Puts our handler first for every fault signal, and for that of deadlines; again, where somebody has gone past libc and put
/// theirs in its place.
pub(in crate::mpk) fn install() -> Result<(), Unsupported> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    // It guards nothing that a panic could leave half changed.
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    learn_libc();
    FAULTS.into_iter().try_for_each(claim)?;
    deadline::prepare()?;
    INSTALLED.store(1, Ordering::SeqCst);
    // Again: who has asked for one of them since, and saw no domain, has put theirs there.
    FAULTS.into_iter().try_for_each(claim)?;
    handlers::renew_all()
}

/// Gives the kernel our entry for the signal of a fault, where it has another one.
pub(super) fn claim(signal: c_int) -> Result<(), Unsupported> {
    // SAFETY: only asks. No fault of a domain can come in between: this thread is in none.
    let now = unsafe { kernel_setting(signal, None)? };
    if is_entry(now.sa_sigaction) {
        return Ok(());
    }
    handlers::adopt(signal, &now);
    install_entry(signal)
}

/// Gives the kernel our entry for `signal`.
pub(super) fn install_entry(signal: c_int) -> Result<(), Unsupported> {
    // SAFETY: settings of our own; the handler is prepared for any state of the thread.
    unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        now.sa_sigaction = (enter as *const ()).addr();
        // SA_SIGINFO: the address and the key are in there. SA_ONSTACK: the stack may be what failed, or the domain's.
        // No SA_NODEFER: a fault of the handler itself must end the process, not start over.
        // SA_RESTART: one that comes late must not be seen as EINTR by the program.
        now.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
        libc::sigemptyset(&mut now.sa_mask);
        kernel_setting(signal, Some(&now))?;
    }
    Ok(())
}

/// What the kernel calls. Opens the runtime's keys before the first access to memory; `sigreturn` closes them again, and puts the
/// flags back.
///
/// # Safety
///
/// To be called by the kernel, as a `SA_SIGINFO` handler.
#[unsafe(naked)]
unsafe extern "C" fn enter(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    naked_asm!(
        open_keys!(),
        cpu::allow_unaligned!(),
        "jmp {handle}",
        handle = sym handle,
        programs_rights = sym PROGRAMS_RIGHTS,
    )
}

/// # Safety
///
/// The arguments are a signal handler's. Until FS is put back, nothing here may use thread-local storage.
unsafe extern "C" fn handle(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let fs = cpu::read_fs();
    // SAFETY: the kernel's frame for this handler.
    let mut frame = unsafe { Frame::new(context) };
    let is_deadline = deadline::signal() == Some(signal);
    // Whether this is code of a domain on a thread that the runtime does not know: one that the domain has made by a raw system call, or
    // whose GS it has changed.
    let mut is_stray = !frame.is_of_program();
    if let Some(thread) = Thread::running() {
        // SAFETY: the call that this very thread is in; it is suspended while we run.
        if let Some(activation) = unsafe { thread.active().as_mut() } {
            is_stray = false;
            // SAFETY: what the thread's FS was when it entered.
            unsafe { cpu::write_fs(thread.fs()) };
            // SAFETY: the kernel's.
            let own = frame.rights() == activation.rights() && unsafe { is_own(info) };
            // SAFETY: the kernel's; of this signal, the address.
            let address = unsafe { (*info).si_addr().addr() };
            if own && signal == libc::SIGSEGV && panics::step_over(thread, &mut frame, address) {
                // SAFETY: what it was when we came.
                unsafe { cpu::write_fs(fs) };
                return;
            }
            if own && (!is_deadline || activation.is_late() || activation.is_lost()) {
                // SAFETY: as above.
                unsafe { rewind(thread, activation, &mut frame, signal, info) };
                return;
            }
        }
    }
    // SAFETY: the kernel's arguments, passed on.
    if !is_deadline && !unsafe { heal(&mut frame, signal, info) || heal_mapping(&frame, signal, info) } {
        // SAFETY: as above, with FS of the program, or said not to be.
        unsafe {
            if !is_stray {
                forget_who_left(&frame);
            }
            chain(signal, info, context, is_stray);
        }
    }
    // SAFETY: what it was when we came.
    unsafe { cpu::write_fs(fs) };
}

/// Whether the thread caused the signal itself, or a thread of the process sent it to this one. Signals that are sent to the process,
/// queued, or sent from elsewhere are the program's.
///
/// # Safety
///
/// `info` is the kernel's.
unsafe fn is_own(info: *const siginfo_t) -> bool {
    // SAFETY: by this function's contract.
    match unsafe { (*info).si_code } {
        1.. | libc::SI_TIMER => true,
        // `raise`, `abort`, and what the runtime sends.
        // SAFETY: a sent signal says who sent it.
        libc::SI_TKILL => unsafe { (*info).si_pid() == libc::getpid() },
        _ => false,
    }
}

/// Signal mask and signal stack come from the frame, too, as the domain has left them, which a raw system call may have changed: what
/// the runtime needs of them is put right on the way.
///
/// # Safety
///
/// `thread` and `activation` are the running thread's, `frame` and `info` the kernel's.
unsafe fn rewind(
    thread: &Thread,
    activation: &mut Activation,
    frame: &mut Frame,
    signal: c_int,
    info: *const siginfo_t,
) {
    // SAFETY: by this function's contract; which of the fields mean something depends on the signal, all may be read.
    let (code, address, key) = unsafe { ((*info).si_code, (*info).si_addr().addr(), (*info).si_pkey()) };
    let at_leave = signal == libc::SIGILL && frame.instruction() == leave::site();
    activation.stop = Some(Stop {
        signal,
        code,
        address,
        key,
        evicted: deadline::signal() == Some(signal) && !activation.is_late(),
        access: frame.access().filter(|_| matches!(signal, libc::SIGSEGV | libc::SIGBUS) && code > 0),
        left: at_leave.then(|| Left {
            reason: frame.register(libc::REG_RDI),
            words: [libc::REG_RSI, libc::REG_RDX, libc::REG_RCX].map(|which| frame.register(which)),
        }),
        registers: Some(Registers { general: frame.general(), instruction: frame.instruction() }),
    });
    frame.unblock(handlers::needed());
    // If the program has installed a signal stack of its own, that one stays.
    if frame.signal_stack().is_none_or(layout::in_arena) {
        let (start, len) = thread.kernels_stack();
        frame.set_signal_stack(start, len);
    }
    frame.go_to(gate::rewind());
    // The gate loads its stack pointer itself. But a signal may come before it does, and the kernel would put that signal's frame at
    // whatever address the domain has left there.
    frame.set_stack(activation.root_stack());
}

/// A thread that is older than a key, or a handler of libc's own that the kernel started with closed keys, met memory of
/// a domain. The program may read it: give the thread its rights, once. (Code of a domain stays without: it never has the right to
/// write key 0. So does a handler on a domain's stack: it came past us, perhaps from inside, and runs with the domain's thread-locals.)
///
/// # Safety
///
/// `frame` and `info` are the kernel's.
unsafe fn heal(frame: &mut Frame, signal: c_int, info: *const siginfo_t) -> bool {
    // SAFETY: by this function's contract.
    let closed =
        signal == libc::SIGSEGV && unsafe { (*info).si_code == SEGV_PKUERR && Pkey::is_ours((*info).si_pkey()) };
    let is_expected = !layout::in_arena(frame.stack_pointer()) || is_of_libc(frame.instruction());
    closed && frame.is_of_program() && is_expected && frame.open_rights()
}

/// The program was looking at what a domain has mapped: the file ends before that, or another thread of the domain has unmapped it since
/// it was checked. It goes on with zeros, as far as it looks, and ends the instance then: see [`view::View::during`](crate::mpk::instances::view::View::during). (Not what
/// the program does at other times: a pointer that it has kept is its own affair.)
///
/// # Safety
///
/// As [`heal`].
unsafe fn heal_mapping(frame: &Frame, signal: c_int, info: *const siginfo_t) -> bool {
    // SAFETY: by this function's contract.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    let is_access = matches!(signal, libc::SIGSEGV | libc::SIGBUS) && code > 0 && code != SEGV_PKUERR;
    let is_looking = || Thread::running().is_some_and(|thread| thread.is_at_work() && thread.active().is_null());
    if !is_access || !layout::in_arena(address) || !frame.is_of_program() || !is_looking() {
        return false;
    }
    // SAFETY: of this thread, whose code between two system calls must not see another. What is replaced is of the area of an instance
    // that ends.
    unsafe {
        let errno = libc::__errno_location();
        let before = errno.read();
        let healed = instance::all().any(|instance| instance.mappings.heal(signal, address));
        errno.write(before);
        healed
    }
}

/// Where libc's code lies, and how much there is of it.
static LIBC: (AtomicUsize, AtomicUsize) = (AtomicUsize::new(0), AtomicUsize::new(0));

/// glibc installs two handlers by ways of its own, for `pthread_cancel` and `setuid`: they are told by where they lie.
fn learn_libc() {
    if LIBC.1.load(Ordering::Relaxed) != 0 {
        return;
    }
    // SAFETY: looks a name up: one that nobody else defines.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"gnu_get_libc_version".as_ptr()) }.addr();
    let code = objects::with(|objects| {
        objects.iter().find_map(|object| object.segment(address)).map_or(0..0, |segment| segment.range.clone())
    });
    LIBC.0.store(code.start, Ordering::Relaxed);
    LIBC.1.store(code.len(), Ordering::Relaxed);
}

pub(in crate::mpk) fn is_of_libc(address: usize) -> bool {
    address.wrapping_sub(LIBC.0.load(Ordering::Relaxed)) < LIBC.1.load(Ordering::Relaxed)
}

thread_local! {
    /// Where on the signal stack this thread is passing a signal on; 0 while it is not. A handler that calls us back, deeper down,
    /// gets the default action.
    static CHAINING: Cell<usize> = const { Cell::new(0) };
}

/// What a signal has interrupted tells whether a handler has left by `siglongjmp`: where that is no code of the signal stack, nobody is
/// passing anything on.
///
/// # Safety
///
/// FS is the program's. (`unsafe` for that: what is thread-local is found by it.)
pub(super) unsafe fn forget_who_left(frame: &Frame) {
    if !frame.is_of_signal_stack() {
        CHAINING.set(0);
    }
}

/// Does what would have happened without us; to what [is stray](handle), which no handler of the program's answers, the default.
///
/// # Safety
///
/// The first three arguments are the kernel's; FS is the program's, but in what is stray.
unsafe fn chain(signal: c_int, info: *mut siginfo_t, context: *mut c_void, is_stray: bool) {
    let Some(previous) = handlers::of_program(signal) else { return };
    // SAFETY: asks for numbers.
    let (process, tid, sent) = unsafe { (libc::getpid(), libc::gettid(), (*info).si_code <= 0) };
    let here = (&raw const sent).addr();
    let outer = if is_stray { 0 } else { CHAINING.get() };
    let recursive = outer != 0 && here < outer;
    match previous.sa_sigaction {
        libc::SIG_IGN if sent => {}
        handler if handler != libc::SIG_DFL && handler != libc::SIG_IGN && !recursive && !is_stray => {
            CHAINING.set(here);
            // SAFETY: the kernel's arguments; FS and keys are the program's by now.
            unsafe { handlers::call_for_kernel(&previous, signal, info, context) };
            CHAINING.set(outer);
        }
        // The default action, with the status that belongs to it: a fault happens again on return, a sent signal is sent
        // again and waits until the mask allows it.
        _ => unsafe {
            // SAFETY: plain system calls on our own process.
            let mut default: libc::sigaction = std::mem::zeroed();
            default.sa_sigaction = libc::SIG_DFL;
            let _ = kernel_setting(signal, Some(&default));
            if sent {
                libc::syscall(libc::SYS_tgkill, process, tid, signal);
            }
        },
    }
}
