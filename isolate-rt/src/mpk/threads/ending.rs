//! When a thread ends: what the runtime has of it is given back last of all.
//!
//! That has to happen after all thread-locals were dropped, because a thread-local may own something in a domain, and make a call
//! when it is dropped. glibc runs the destructors of pthread keys after those of thread-locals. Where a key's destructor sets a key
//! anew, glibc runs them again, up to four times: so what a call made by another key's destructor has taken is given back, too.

use crate::fault::Unsupported;
use libc::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

/// The number of the pthread key, plus one: 0 means that there is no key yet.
static KEY: AtomicU32 = AtomicU32::new(0);

/// Makes the key by which `give_back` is called when a thread ends that [asked for it](remember). To be called before `main`: later
/// all 1024 keys may be taken, or the thread be in a signal handler.
pub(in crate::mpk) fn make_key(give_back: unsafe extern "C" fn(*mut c_void)) {
    let mut key = 0;
    // SAFETY: room for the key, and a function that takes any value.
    if unsafe { libc::pthread_key_create(&mut key, Some(give_back)) } == 0 {
        KEY.store(key + 1, Ordering::Relaxed);
    }
}

/// Has what the runtime keeps for the calling thread given back when it ends.
pub(in crate::mpk) fn remember() -> Result<(), Unsupported> {
    let error = |call: &'static str, errno: c_int| Unsupported::System { call, errno };
    let key = KEY.load(Ordering::Relaxed).checked_sub(1).ok_or_else(|| error("pthread_key_create", libc::EAGAIN))?;
    // SAFETY: our key; destructors are called where there is anything but NULL.
    match unsafe { libc::pthread_setspecific(key, ptr::without_provenance(1)) } {
        0 => Ok(()),
        errno => Err(error("pthread_setspecific", errno)),
    }
}
