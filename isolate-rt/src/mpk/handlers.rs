//! The program's own signal handlers: who they are, and how they are entered.
//!
//! Every handler that the program installs is kept here, and the kernel is given [`enter`] instead. For the signals of a
//! fault it is given [`super::signal`]'s entry, once a domain exists, which comes here for faults that are not a domain's.

use super::pkey::open_keys;
use super::signal;
use super::thread::Thread;
use super::{cpu, deadline, layout};
use crate::fault::Unsupported;
use crate::machine::kernel::kernel_setting;
use libc::{c_int, c_void, siginfo_t};
use std::arch::naked_asm;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, AtomicUsize, Ordering};

/// What can end a call.
pub(super) const FAULTS: [c_int; 7] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGABRT, libc::SIGSYS];

/// Signal numbers that Linux has, and the unused 0.
const COUNT: usize = 65;

type Real = unsafe extern "C" fn(c_int, *const libc::sigaction, *mut libc::sigaction) -> c_int;

/// A setting of the program's, in parts that can be read from a signal handler.
struct Setting {
    handler: AtomicUsize,
    flags: AtomicI32,
    mask: AtomicU64,
    /// The kernel has one of our entries for this signal, and the setting above is the program's.
    known: AtomicBool,
}

static SETTINGS: [Setting; COUNT] = [const {
    Setting {
        handler: AtomicUsize::new(libc::SIG_DFL),
        flags: AtomicI32::new(0),
        mask: AtomicU64::new(0),
        known: AtomicBool::new(false),
    }
}; COUNT];

/// `sigaction` as the program means it.
///
/// # Safety
///
/// `real` is libc's `sigaction`; a handler in `new` is one.
pub(crate) unsafe fn change(
    number: c_int,
    new: Option<&libc::sigaction>,
    old: Option<&mut libc::sigaction>,
    real: Real,
) -> c_int {
    let Some(setting) = usize::try_from(number).ok().and_then(|number| SETTINGS.get(number)) else {
        // SAFETY: libc refuses a number that is none.
        return unsafe { real(number, std::ptr::null(), std::ptr::null_mut()) };
    };
    if new.is_some() && deadline::signal() == Some(number) {
        // The runtime's, as 32 and 33 are glibc's.
        // SAFETY: `errno` of this thread.
        unsafe { *libc::__errno_location() = libc::EINVAL };
        return -1;
    }
    let before = setting.load();
    let is_handler = new.is_some_and(|new| new.sa_sigaction != libc::SIG_DFL && new.sa_sigaction != libc::SIG_IGN);
    let held_by_runtime = FAULTS.contains(&number) && signal::installed();
    let mut kernel = new.copied();
    if let Some(kernel) = kernel.as_mut().filter(|_| is_handler && !held_by_runtime) {
        kernel.sa_sigaction = (enter as *const ()).addr();
        // Our entry takes three arguments whatever the program's handler takes.
        kernel.sa_flags |= libc::SA_SIGINFO;
        allow(&mut kernel.sa_mask);
    }
    // Before the kernel is told: the handler may run at once.
    if let Some(new) = new.filter(|_| is_handler || held_by_runtime) {
        setting.store(new);
    }
    let mut was = MaybeUninit::<libc::sigaction>::uninit();
    let pointer = match &kernel {
        Some(kernel) if !held_by_runtime => std::ptr::from_ref(kernel),
        _ => std::ptr::null(),
    };
    // SAFETY: pointers to settings of ours, or NULL.
    let done = unsafe { real(number, pointer, was.as_mut_ptr()) };
    if done != 0 {
        if let Some(before) = before {
            setting.store(&before);
        }
        return done;
    }
    if new.is_some() && !is_handler && !held_by_runtime {
        setting.known.store(false, Ordering::Relaxed);
    }
    if let Some(old) = old {
        // SAFETY: written by the successful call.
        let kernel = unsafe { was.assume_init() };
        *old = before.filter(|_| is_ours(kernel.sa_sigaction)).unwrap_or(kernel);
    }
    0
}

/// What the kernel had for `number` when the runtime put its own entry there: the program's setting from now on.
pub(super) fn adopt(number: c_int, kernel: &libc::sigaction) {
    if kernel.sa_sigaction != (enter as *const ()).addr() {
        SETTINGS[number as usize].store(kernel);
    }
}

/// The program's setting for `number`.
pub(super) fn of_program(number: c_int) -> Option<libc::sigaction> {
    SETTINGS[number as usize].load()
}

/// Whether nobody handles or ignores `number`.
pub(super) fn is_unused(number: c_int) -> Result<bool, Unsupported> {
    // SAFETY: only asks.
    let now = unsafe { kernel_setting(number, None)? };
    Ok(now.sa_sigaction == libc::SIG_DFL)
}

/// Takes out of a mask the signals that end calls, once there are any.
pub(crate) fn allow(mask: &mut libc::sigset_t) {
    if signal::installed() {
        for number in FAULTS.into_iter().chain(deadline::signal()) {
            // SAFETY: a signal set.
            unsafe { libc::sigdelset(mask, number) };
        }
    }
}

/// The signals that end calls, as the kernel has them in a mask.
pub(super) fn needed() -> u64 {
    FAULTS.into_iter().chain(deadline::signal()).fold(0, |signals, number| signals | 1 << (number - 1))
}

/// Makes sure that the calling thread blocks none of the signals that end calls.
pub(super) fn unblock() {
    // SAFETY: a set of our own; glibc's function, past our own that only filters.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for number in FAULTS.into_iter().chain(deadline::signal()) {
            libc::sigaddset(&mut set, number);
        }
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
    }
}

/// Calls the program's handler as the kernel would have.
///
/// # Safety
///
/// The arguments are a running signal handler's, FS is the program's and every key is open.
pub(super) unsafe fn call(setting: &libc::sigaction, number: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: what the program installed for this signal, with the flags that say what it takes.
    unsafe {
        if setting.sa_flags & libc::SA_SIGINFO != 0 {
            type Full = unsafe extern "C" fn(c_int, *mut siginfo_t, *mut c_void);
            std::mem::transmute::<usize, Full>(setting.sa_sigaction)(number, info, context);
        } else {
            std::mem::transmute::<usize, unsafe extern "C" fn(c_int)>(setting.sa_sigaction)(number);
        }
    }
}

fn is_ours(handler: usize) -> bool {
    handler == (enter as *const ()).addr() || signal::is_entry(handler)
}

impl Setting {
    fn load(&self) -> Option<libc::sigaction> {
        self.known.load(Ordering::Acquire).then(|| {
            // SAFETY: a setting of zeros is one; the fields are filled in below.
            let mut setting: libc::sigaction = unsafe { std::mem::zeroed() };
            setting.sa_sigaction = self.handler.load(Ordering::Relaxed);
            setting.sa_flags = self.flags.load(Ordering::Relaxed);
            // SAFETY: a signal set starts with the 64 bits that the kernel knows.
            unsafe { (&raw mut setting.sa_mask).cast::<u64>().write(self.mask.load(Ordering::Relaxed)) };
            setting
        })
    }

    fn store(&self, setting: &libc::sigaction) {
        self.handler.store(setting.sa_sigaction, Ordering::Relaxed);
        self.flags.store(setting.sa_flags, Ordering::Relaxed);
        // SAFETY: as in `load`.
        self.mask.store(unsafe { (&raw const setting.sa_mask).cast::<u64>().read() }, Ordering::Relaxed);
        self.known.store(true, Ordering::Release);
    }
}

/// What the kernel calls for signals that the program handles. On a CPU without protection keys (`wrpkru` does not exist
/// there) it is entered by way of [`plain`].
///
/// # Safety
///
/// To be called by the kernel, as a `SA_SIGINFO` handler.
#[unsafe(naked)]
unsafe extern "C" fn enter(number: c_int, info: *mut siginfo_t, context: *mut c_void) {
    naked_asm!(
        // No domain was ever made: nothing to put right, and perhaps no PKU.
        "cmp byte ptr [rip + {installed}], 0",
        "je {plain}",
        open_keys!(),
        cpu::allow_unaligned!(),
        "jmp {handle}",
        installed = sym signal::INSTALLED,
        plain = sym plain,
        handle = sym handle,
    )
}

/// # Safety
///
/// The arguments are a running signal handler's, outside any domain.
unsafe extern "C" fn plain(number: c_int, info: *mut siginfo_t, context: *mut c_void) {
    if let Some(setting) = of_program(number) {
        // SAFETY: by this function's contract.
        unsafe { call(&setting, number, info, context) };
    }
}

/// # Safety
///
/// The arguments are a running signal handler's. Until FS is put back, nothing here may use thread-local storage.
unsafe extern "C" fn handle(number: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let fs = cpu::read_fs();
    let stack = Thread::running().and_then(|thread| {
        // SAFETY: the call that this very thread is in; it is suspended while we run.
        unsafe { thread.active().as_ref() }?;
        // SAFETY: what the thread's FS was when it entered.
        unsafe { cpu::write_fs(thread.fs()) };
        // Started on the domain's stack: the program's code runs on one of its own.
        layout::in_arena((&raw const fs).addr()).then(|| thread.signal_stack())
    });
    match stack {
        // SAFETY: the thread's own signal stack. Nobody is on it: no domain is entered from there (`Thread::is_free`), and
        // we are on the domain's stack.
        Some(stack) => unsafe { on_stack(number, info, context, stack) },
        // SAFETY: by this function's contract.
        None => unsafe { plain(number, info, context) },
    }
    // SAFETY: what it was when we came.
    unsafe { cpu::write_fs(fs) };
}

/// Calls [`plain`] on another stack.
///
/// # Safety
///
/// As [`plain`]; `stack` is the aligned end of a stack that is free.
#[unsafe(naked)]
unsafe extern "C" fn on_stack(number: c_int, info: *mut siginfo_t, context: *mut c_void, stack: usize) {
    naked_asm!("push rbp", "mov rbp, rsp", "mov rsp, rcx", "call {plain}", "mov rsp, rbp", "pop rbp", "ret", plain = sym plain)
}
