//! Moments in which no signal from elsewhere reaches a thread.

/// Of what a thread does itself: these do not wait, blocked they are the end of the process. A filter for system calls may have a
/// handler of the program carry those out (`SECCOMP_RET_TRAP`).
const OWN: [libc::c_int; 6] = [libc::SIGSYS, libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP];

/// While it lives, signals of the calling thread wait, but for its own. For what a handler must not find half done.
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

/// Gives the former one. Past libc, whose functions leave out signals of its own, and past ours, which leave out those of faults.
fn set_mask(mask: u64) -> u64 {
    let mut before = 0u64;
    // SAFETY: this thread's mask, as the kernel has it (rt_sigprocmask(2)).
    unsafe {
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const mask, &raw mut before, size_of::<u64>());
    }
    before
}
