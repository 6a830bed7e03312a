//! Threads of the runtime's own, which none of the program's signals reach.

use libc::{c_int, c_void};

/// While it lives, the calling thread gets none of the program's signals. A thread that is [started](Quiet::start) meanwhile inherits
/// that, and never gets any.
pub(in crate::mpk) struct Quiet(libc::sigset_t);

impl Quiet {
    pub(in crate::mpk) fn begin() -> Self {
        // SAFETY: this thread's mask, and sets of our own.
        unsafe {
            let (mut all, mut before) = (std::mem::zeroed(), std::mem::zeroed());
            libc::sigfillset(&mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
            Self(before)
        }
    }

    /// Starts a thread that nobody waits for, on a stack of so many bytes. The error is an `errno`.
    ///
    /// Not by way of std, whose new threads take a lock before they run. If another thread of the parent was just starting when the
    /// process forked, that lock stays taken in the child for ever.
    ///
    /// # Safety
    ///
    /// `body` may be called with `argument`, on another thread.
    pub(in crate::mpk) unsafe fn start(
        &self,
        stack: usize,
        body: extern "C" fn(*mut c_void) -> *mut c_void,
        argument: *mut c_void,
    ) -> Result<(), c_int> {
        // SAFETY: attributes that live as long as they are used; the rest by this function's contract.
        let errno = unsafe {
            let (mut attributes, mut thread) = (std::mem::zeroed(), std::mem::zeroed());
            libc::pthread_attr_init(&mut attributes);
            libc::pthread_attr_setstacksize(&mut attributes, stack);
            libc::pthread_attr_setdetachstate(&mut attributes, libc::PTHREAD_CREATE_DETACHED);
            let errno = libc::pthread_create(&mut thread, &attributes, body, argument);
            libc::pthread_attr_destroy(&mut attributes);
            errno
        };
        if errno == 0 { Ok(()) } else { Err(errno) }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // SAFETY: what it was.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, std::ptr::null_mut()) };
    }
}
