//! When a thread ends: what the runtime has of it is given back last of all.
//!
//! After every thread-local was dropped, that is: what is dropped there may own things in a domain, and make calls. glibc runs
//! the destructors of pthread keys after those of thread-locals, and up to four times where one of them sets a key anew: a call
//! that another key's destructor makes is undone, too.

use super::fork;
use crate::fault::Unsupported;
use crate::mpk::crossing::thread;
use libc::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

/// The key, and one; 0 before there is one.
static KEY: AtomicU32 = AtomicU32::new(0);

/// Run by the loader, before `main`: later all 1024 keys may be taken, or the thread be in a signal handler.
extern "C" fn make_key() {
    let mut key = 0;
    // SAFETY: room for the key, and a function that takes any value.
    if unsafe { libc::pthread_key_create(&mut key, Some(give_back)) } == 0 {
        KEY.store(key + 1, Ordering::Relaxed);
    }
}

#[used]
#[unsafe(link_section = ".init_array")]
static MAKE_KEY: extern "C" fn() = make_key;

/// Has [`give_back`] called when the calling thread ends.
pub(in crate::mpk) fn remember() -> Result<(), Unsupported> {
    let error = |call: &'static str, errno: c_int| Unsupported::System { call, errno };
    let key = KEY.load(Ordering::Relaxed).checked_sub(1).ok_or_else(|| error("pthread_key_create", libc::EAGAIN))?;
    // SAFETY: our key; destructors are called where there is anything but NULL.
    match unsafe { libc::pthread_setspecific(key, ptr::without_provenance(1)) } {
        0 => Ok(()),
        errno => Err(error("pthread_setspecific", errno)),
    }
}

/// # Safety
///
/// To be called by libc, when the calling thread ends.
unsafe extern "C" fn give_back(_: *mut c_void) {
    thread::retire();
    fork::retire();
}
