//! Moments in which no signal from elsewhere reaches a thread.

/// The signals that a thread causes by what it does. They are never blocked: a fault whose signal is blocked ends the process. SIGSYS is
/// among them because a filter of system calls may have a handler of the program carry them out (`SECCOMP_RET_TRAP`).
const OWN: [libc::c_int; 6] = [libc::SIGSYS, libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP];

/// While it lives, signals of the calling thread wait, but for those that it causes itself. For changes that a signal handler must not
/// find half done.
pub(in crate::mpk) struct Undisturbed(u64);

impl Undisturbed {
    pub(in crate::mpk) fn begin() -> Self {
        Self(set_mask(OWN.iter().fold(u64::MAX, |mask, signal| mask & !(1 << (signal - 1)))))
    }
}

impl Drop for Undisturbed {
    fn drop(&mut self) {
        set_mask(self.0);
    }
}

/// Sets the mask and gives the former one. By a system call: libc's functions leave out signals that libc uses, and the runtime's own
/// leave out those of faults.
fn set_mask(mask: u64) -> u64 {
    let mut before = 0u64;
    // SAFETY: this thread's mask, as the kernel has it (rt_sigprocmask(2)).
    unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const mask, &raw mut before, size_of::<u64>());
    }
    before
}
