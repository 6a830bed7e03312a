//! The program's own signal handlers: who they are, and how they are entered.
//!
//! Every handler that the program installs is kept here, and the kernel is given [`enter`] instead. For the signals of a
//! fault it is given [`super::signal`]'s entry, once a domain exists, which comes here for faults that are not a domain's.
//!
//! Once a domain exists the kernel starts all of them on the alternate stack, whatever the program said (`SA_ONSTACK`): the
//! stack pointer may be the domain's, which can have made it any address of the program, and Linux from 6.12 on writes its
//! frame there with every key open. Where no call was interrupted, [`handle`] then goes back to the interrupted stack, with
//! the frame, for a handler that is to run there.

use super::{deadline, signal};
use crate::fault::Unsupported;
use crate::machine::cpu;
use crate::machine::kernel::{Frame, kernel_setting};
use crate::machine::pkey::{PROGRAMS_RIGHTS, open_keys};
use crate::mpk::crossing::thread::Thread;
use libc::{c_int, c_void, siginfo_t};
use std::arch::naked_asm;
use std::sync::atomic::{AtomicU64, Ordering};

/// What can end a call.
pub(super) const FAULTS: [c_int; 7] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGABRT, libc::SIGSYS];

/// Signal numbers that Linux has, and the unused 0.
const COUNT: usize = 65;

/// A setting of the program's, as a signal handler can read it.
struct Setting {
    /// Handler, [`FLAGS`] and [`KNOWN`] in one word: a handler that runs while another thread changes them is called as one of
    /// the two settings says.
    how: AtomicU64,
    mask: AtomicU64,
}

/// The setting is what the program wants. (What the kernel has is one of our entries, or was put there past us.)
const KNOWN: u64 = 1 << 63;
/// Where a handler's address ends and its flags begin: user space ends below.
const FLAGS: u32 = 48;
/// All flags that libc's `sigaction` has are the lowest three and the highest six of the word (Linux `asm-generic/signal-defs.h`):
/// nine in a row, turned by this many.
const TURN: u32 = 6;
const ALL_FLAGS: u32 = (1 << 9) - 1;

static SETTINGS: [Setting; COUNT] = [const { Setting { how: AtomicU64::new(0), mask: AtomicU64::new(0) } }; COUNT];

/// `sigaction` as the program means it: what there was, or `None` and libc's error in `errno`.
///
/// # Safety
///
/// A handler in `new` is one.
pub(crate) unsafe fn change(number: c_int, new: Option<&libc::sigaction>) -> Option<libc::sigaction> {
    let setting = usize::try_from(number).ok().and_then(|number| SETTINGS.get(number));
    let before = setting.and_then(Setting::load);
    let was = match (setting, new) {
        (Some(_), Some(_)) if deadline::signal() == Some(number) => {
            // The runtime's, as 32 and 33 are glibc's.
            // SAFETY: `errno` of this thread.
            unsafe { *libc::__errno_location() = libc::EINVAL };
            return None;
        }
        // SAFETY: by this function's contract.
        (Some(setting), Some(new)) => unsafe { tell_kernel(number, new, setting, before.as_ref()) }?,
        // SAFETY: only asks. libc refuses a number that is none.
        _ => unsafe { kernel_setting(number, None) }.ok()?,
    };
    Some(before.filter(|_| is_ours(was.sa_sigaction)).unwrap_or(was))
}

/// What the kernel had. Where libc refuses, everything is as it was.
///
/// # Safety
///
/// As [`change`].
unsafe fn tell_kernel(
    number: c_int,
    new: &libc::sigaction,
    setting: &Setting,
    before: Option<&libc::sigaction>,
) -> Option<libc::sigaction> {
    let (installed, is_fault) = (signal::installed(), FAULTS.contains(&number));
    // Before the kernel is told: the handler may run at once.
    if is_fault || is_handler(new) {
        setting.store(new);
    }
    let kernel = for_kernel(new);
    // The runtime's entry stays where it is.
    let kernel = Some(&kernel).filter(|_| !(is_fault && installed));
    // SAFETY: our own entry, or none.
    let Ok(was) = (unsafe { kernel_setting(number, kernel) }) else {
        match before {
            Some(before) => setting.store(before),
            None => setting.forget(),
        }
        return None;
    };
    if !is_fault && !is_handler(new) {
        setting.forget();
    }
    if signal::installed() != installed {
        // The first domain was made meanwhile. What it has asked of the kernel has worked before: so it does now.
        let _ = if is_fault { signal::claim(number) } else { renew(number) };
    }
    Some(was)
}

fn is_handler(setting: &libc::sigaction) -> bool {
    setting.sa_sigaction != libc::SIG_DFL && setting.sa_sigaction != libc::SIG_IGN
}

fn for_kernel(setting: &libc::sigaction) -> libc::sigaction {
    if is_handler(setting) { entered(setting) } else { *setting }
}

/// What the kernel is given for a handler of the program's.
fn entered(setting: &libc::sigaction) -> libc::sigaction {
    let mut kernel = *setting;
    kernel.sa_sigaction = (enter as *const ()).addr();
    // Our entry takes three arguments whatever the program's handler takes.
    kernel.sa_flags |= libc::SA_SIGINFO;
    if signal::installed() {
        kernel.sa_flags |= libc::SA_ONSTACK;
    }
    allow(&mut kernel.sa_mask);
    kernel
}

/// Once a domain is made: what the kernel was given before is made what it would be given now, and handlers that it was given past
/// us are kept and entered like others.
pub(super) fn renew_all() -> Result<(), Unsupported> {
    (1..COUNT as c_int).filter(|number| !FAULTS.contains(number)).try_for_each(renew)
}

fn renew(number: c_int) -> Result<(), Unsupported> {
    // SAFETY: only asks.
    let Ok(mut wanted) = (unsafe { kernel_setting(number, None) }) else {
        // One of those that libc keeps for itself.
        return Ok(());
    };
    if !is_handler(&wanted) || signal::is_entry(wanted.sa_sigaction) {
        return Ok(());
    }
    loop {
        if is_handler(&wanted) {
            adopt(number, &wanted);
        }
        let new = for_kernel(&wanted);
        // SAFETY: our entry, or what was there.
        let was = unsafe { kernel_setting(number, Some(&new))? };
        if is_same(&was, &wanted) || is_same(&was, &new) {
            return Ok(());
        }
        // Another thread has changed it in between: its setting it is.
        wanted = was;
    }
}

fn is_same(one: &libc::sigaction, other: &libc::sigaction) -> bool {
    let words = |setting: &libc::sigaction| (setting.sa_sigaction, setting.sa_flags, mask(setting));
    words(one) == words(other)
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

/// Unblocks, for the calling thread, all signals that end calls. Gives the mask that the thread had before.
pub(in crate::mpk) fn unblock() -> libc::sigset_t {
    // SAFETY: sets of our own; glibc's function, past our own that only filters.
    unsafe {
        let (mut set, mut before) = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for number in FAULTS.into_iter().chain(deadline::signal()) {
            libc::sigaddset(&mut set, number);
        }
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, &mut before);
        before
    }
}

/// Runs `action` with the signals of faults unblocked. A thread that is older than a key is given the rights to it by the handler of the
/// fault that its first access makes; with that signal blocked, the access would end the process.
pub(in crate::mpk) fn with_faults<R>(action: impl FnOnce() -> R) -> R {
    let before = unblock();
    let result = action();
    // SAFETY: as above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut()) };
    result
}

/// Calls the program's handler as the kernel would have.
///
/// # Safety
///
/// The arguments are a running signal handler's, FS is the program's and every key is open.
unsafe fn call(setting: &libc::sigaction, number: c_int, info: *mut siginfo_t, context: *mut c_void) {
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

/// As [`call`], from the runtime's own entry: what the kernel would have done for the program's setting before.
///
/// # Safety
///
/// As [`call`].
pub(super) unsafe fn call_for_kernel(
    setting: &libc::sigaction,
    number: c_int,
    info: *mut siginfo_t,
    context: *mut c_void,
) {
    if setting.sa_flags & libc::SA_RESETHAND != 0 {
        let mut default = *setting;
        default.sa_sigaction = libc::SIG_DFL;
        SETTINGS[number as usize].store(&default);
    }
    // SAFETY: sets of our own; `sigreturn` puts the mask back. The rest by this function's contract.
    unsafe {
        let mut blocked = setting.sa_mask;
        allow(&mut blocked);
        libc::pthread_sigmask(libc::SIG_BLOCK, &blocked, std::ptr::null_mut());
        if setting.sa_flags & libc::SA_NODEFER != 0 {
            let mut itself = std::mem::zeroed();
            libc::sigaddset(&mut itself, number);
            libc::pthread_sigmask(libc::SIG_UNBLOCK, &itself, std::ptr::null_mut());
        }
        call(setting, number, info, context);
    }
}

fn is_ours(handler: usize) -> bool {
    handler == (enter as *const ()).addr() || signal::is_entry(handler)
}

impl Setting {
    fn load(&self) -> Option<libc::sigaction> {
        let how = self.how.load(Ordering::Acquire);
        (how & KNOWN != 0).then(|| {
            // SAFETY: a setting of zeros is one; the fields are filled in below.
            let mut setting: libc::sigaction = unsafe { std::mem::zeroed() };
            setting.sa_sigaction = (how & ((1 << FLAGS) - 1)) as usize;
            setting.sa_flags = (((how & !KNOWN) >> FLAGS) as c_int).rotate_right(TURN);
            // SAFETY: a signal set starts with the 64 bits that the kernel knows.
            unsafe { (&raw mut setting.sa_mask).cast::<u64>().write(self.mask.load(Ordering::Relaxed)) };
            setting
        })
    }

    fn store(&self, setting: &libc::sigaction) {
        let flags = u64::from(setting.sa_flags.cast_unsigned().rotate_left(TURN) & ALL_FLAGS);
        let handler = setting.sa_sigaction as u64 & ((1 << FLAGS) - 1);
        self.mask.store(mask(setting), Ordering::Relaxed);
        self.how.store(KNOWN | flags << FLAGS | handler, Ordering::Release);
    }

    /// The kernel has what the program wants.
    fn forget(&self) {
        self.how.fetch_and(!KNOWN, Ordering::Relaxed);
    }
}

/// The signals that are blocked while the handler runs.
fn mask(setting: &libc::sigaction) -> u64 {
    // SAFETY: a signal set starts with the 64 bits that the kernel knows.
    unsafe { (&raw const setting.sa_mask).cast::<u64>().read() }
}

/// What the kernel calls for signals that the program handles. On a CPU without protection keys (`wrpkru` does not exist
/// there) it is entered by way of [`plain`].
///
/// The kernel's frame, which begins at the stack pointer, is where the handler returns to: once it has been moved, both
/// arguments that point into it and the stack pointer go along. (The unwinding table is for backtraces of handlers.)
///
/// # Safety
///
/// To be called by the kernel, as a `SA_SIGINFO` handler.
#[unsafe(naked)]
unsafe extern "C" fn enter(number: c_int, info: *mut siginfo_t, context: *mut c_void) {
    naked_asm!(
        ".cfi_startproc",
        // No domain was ever made: nothing to put right, and perhaps no PKU.
        "cmp byte ptr [rip + {installed}], 0",
        "je {plain}",
        open_keys!(),
        cpu::allow_unaligned!(),
        "mov rcx, rsp",
        "push rdi", "push rsi", "push rdx",
        ".cfi_adjust_cfa_offset 24",
        "call {handle}",
        "pop rdx", "pop rsi", "pop rdi",
        ".cfi_adjust_cfa_offset -24",
        "test rax, rax",
        "jnz 2f",
        "ret",
        "2:",
        "add rsi, rax", "add rdx, rax", "add rsp, rax",
        "jmp {plain}",
        ".cfi_endproc",
        installed = sym signal::INSTALLED,
        plain = sym plain,
        handle = sym handle,
        programs_rights = sym PROGRAMS_RIGHTS,
    )
}

/// # Safety
///
/// The arguments are a running signal handler's, outside any domain.
unsafe extern "C" fn plain(number: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // A setting that has changed since the kernel started us may have no handler.
    if let Some(setting) = of_program(number).filter(is_handler) {
        // SAFETY: by this function's contract.
        unsafe { call(&setting, number, info, context) };
    }
}

/// Calls the program's handler, or says how far the frame was moved that begins at `start`: [`plain`] is to be called there.
///
/// # Safety
///
/// The first three arguments are a running signal handler's. Until FS is put back, nothing here may use thread-local storage.
unsafe extern "C" fn handle(number: c_int, info: *mut siginfo_t, context: *mut c_void, start: usize) -> usize {
    // SAFETY: the kernel's frame for this handler.
    let frame = unsafe { Frame::new(context) };
    let inside = Thread::running().filter(|thread| !thread.active().is_null());
    if let Some(thread) = inside {
        let fs = cpu::read_fs();
        // SAFETY: what the thread's FS was when it entered, then the arguments, then what it was when we came.
        unsafe {
            cpu::write_fs(thread.fs());
            signal::forget_who_left(&frame);
            plain(number, info, context);
            cpu::write_fs(fs);
        }
    } else if frame.is_of_program() {
        // SAFETY: no call was interrupted: FS is the program's.
        unsafe { signal::forget_who_left(&frame) };
        let on_stack = of_program(number).is_none_or(|setting| setting.sa_flags & libc::SA_ONSTACK != 0);
        // SAFETY: the frame begins there, and no call was interrupted: the stack pointer is the program's.
        if let Some(distance) = unsafe { (!on_stack).then(|| frame.move_to_interrupted_stack(start)) }.flatten() {
            return distance;
        }
        // SAFETY: by this function's contract.
        unsafe { plain(number, info, context) };
    }
    // Else a domain's code on no thread that is known: one that it has made by a raw system call. It is not the program's to
    // answer there.
    0
}
