//! Thread-specific data: inside, a domain has keys of its own. They lie in its heap, values among its thread-locals, and both go the
//! way of those. Keys that the library was given outside (by a constructor) are libc's, and work as ever.

use super::real::real;
use super::threads;
use crate::heap;
use libc::{c_int, c_void, pthread_key_t};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// As many as POSIX asks for at least.
const COUNT: usize = 128;
/// What a domain's keys are counted from: behind libc's.
const FIRST: pthread_key_t = 1024;
/// How often destructors may set new values, as in glibc.
const ROUNDS: usize = 4;

type Destructor = unsafe extern "C" fn(*mut c_void);

/// The keys of a domain, in its heap.
pub(crate) struct Keys([Key; COUNT]);

struct Key {
    /// Odd while the key is there; another number for each that is made.
    made: AtomicUsize,
    /// Address of a [`Destructor`]; 0 for none.
    destructor: AtomicUsize,
}

/// A value, and [`Key::made`] of the key that it was set for.
#[derive(Clone, Copy)]
struct Value {
    made: usize,
    value: *mut c_void,
}

thread_local! {
    static VALUES: [Cell<Value>; COUNT] =
        const { [const { Cell::new(Value { made: 0, value: ptr::null_mut() }) }; COUNT] };
}

impl Keys {
    pub(crate) const fn none() -> Self {
        Self([const { Key { made: AtomicUsize::new(0), destructor: AtomicUsize::new(0) } }; COUNT])
    }

    fn make(&self, destructor: Option<Destructor>) -> Option<pthread_key_t> {
        let index = self.0.iter().position(|key| {
            let made = key.made.load(Ordering::Relaxed);
            let next = made.wrapping_add(1);
            let order = (Ordering::Acquire, Ordering::Relaxed);
            made % 2 == 0 && key.made.compare_exchange(made, next, order.0, order.1).is_ok()
        })?;
        let destructor = destructor.map_or(0, |function| function as *const () as usize);
        self.0[index].destructor.store(destructor, Ordering::Release);
        Some(FIRST + index as pthread_key_t)
    }

    /// Its place among the others, and [`Key::made`]; of a key that is there.
    fn find(&self, key: pthread_key_t) -> Option<(usize, usize)> {
        let index = key.checked_sub(FIRST)? as usize;
        let made = self.0.get(index)?.made.load(Ordering::Relaxed);
        (made % 2 == 1).then_some((index, made))
    }
}

/// The keys of the domain that this runs in, if `key` can be one of them.
fn own(key: pthread_key_t) -> Option<&'static Keys> {
    if key < FIRST { None } else { heap::state().map(|state| &state.keys) }
}

/// When a thread that a domain has started ends, inside: destructors of what it has set.
pub(super) fn destroy_values() {
    let Some(keys) = heap::state().map(|state| &state.keys) else { return };
    for _ in 0..ROUNDS {
        let mut is_done = true;
        for (index, key) in keys.0.iter().enumerate() {
            let Value { made, value } = VALUES.with(|values| values[index].get());
            let destructor = key.destructor.load(Ordering::Acquire);
            if value.is_null() || made != key.made.load(Ordering::Relaxed) || destructor == 0 {
                continue;
            }
            VALUES.with(|values| values[index].set(Value { made, value: ptr::null_mut() }));
            // SAFETY: what pthread_key_create(3) was given, or any word that the domain has put there; called inside.
            unsafe { std::mem::transmute::<usize, Destructor>(destructor)(value) };
            is_done = false;
        }
        if is_done {
            return;
        }
    }
}

macro_rules! create {
    ($($name:ident, $full:expr;)*) => { $(
        /// # Safety
        ///
        /// What pthread_key_create(3) asks of its caller.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(key: *mut pthread_key_t, destructor: Option<Destructor>) -> c_int {
            let Some(state) = heap::state() else {
                // SAFETY: passed on to libc.
                return unsafe { real::$name()(key, destructor) };
            };
            match state.keys.make(destructor) {
                Some(made) => {
                    // SAFETY: room for a key, says our caller.
                    unsafe { key.write(made) };
                    0
                }
                None => $full,
            }
        }
    )* };
}
create! {
    pthread_key_create, libc::EAGAIN;
    tss_create, threads::THRD_ERROR;
}

macro_rules! set {
    ($($name:ident, $unknown:expr;)*) => { $(
        /// # Safety
        ///
        /// What pthread_setspecific(3) asks of its caller.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(key: pthread_key_t, value: *mut c_void) -> c_int {
            let Some(keys) = own(key) else {
                // SAFETY: passed on to libc.
                return unsafe { real::$name()(key, value) };
            };
            match keys.find(key) {
                Some((index, made)) => {
                    VALUES.with(|values| values[index].set(Value { made, value }));
                    0
                }
                None => $unknown,
            }
        }
    )* };
}
set! {
    pthread_setspecific, libc::EINVAL;
    tss_set, threads::THRD_ERROR;
}

macro_rules! get {
    ($($name:ident)*) => { $(
        /// # Safety
        ///
        /// What pthread_getspecific(3) asks of its caller.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name(key: pthread_key_t) -> *mut c_void {
            let Some(keys) = own(key) else {
                // SAFETY: passed on to libc.
                return unsafe { real::$name()(key) };
            };
            let Some((index, made)) = keys.find(key) else { return ptr::null_mut() };
            let value = VALUES.with(|values| values[index].get());
            if value.made == made { value.value } else { ptr::null_mut() }
        }
    )* };
}
get!(pthread_getspecific tss_get);

fn delete(keys: &Keys, key: pthread_key_t) -> bool {
    keys.find(key).is_some_and(|(index, made)| {
        let next = made.wrapping_add(1);
        keys.0[index].made.compare_exchange(made, next, Ordering::Release, Ordering::Relaxed).is_ok()
    })
}

/// # Safety
///
/// What pthread_key_delete(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_key_delete(key: pthread_key_t) -> c_int {
    match own(key) {
        Some(keys) if delete(keys, key) => 0,
        Some(_) => libc::EINVAL,
        // SAFETY: passed on to libc.
        None => unsafe { real::pthread_key_delete()(key) },
    }
}

/// # Safety
///
/// What tss_delete(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn tss_delete(key: pthread_key_t) {
    match own(key) {
        Some(keys) => _ = delete(keys, key),
        // SAFETY: passed on to libc.
        None => unsafe { real::tss_delete()(key) },
    }
}
