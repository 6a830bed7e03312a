//! Moments in which no signal handler runs on a thread.

/// While it lives, signals of the calling thread wait: also those of faults, so that one that the thread causes itself is the end of the
/// process. For what a handler must not find half done.
pub(super) struct Undisturbed(u64);

impl Undisturbed {
    pub(super) fn begin() -> Self {
        Self(set_mask(u64::MAX))
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
