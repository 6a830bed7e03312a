//! Numbers that are as good as random: inside, a domain has sequences of its own, the ones that libc begins with. They are made by
//! those functions of libc that are given the state.

use super::real::real;
use crate::heap;
use libc::{c_double, c_int, c_long, c_uint, c_ushort};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering};

unsafe extern "C" {
    fn initstate_r(seed: c_uint, table: *mut i32, size: usize, state: *mut Additive) -> c_int;
    fn srandom_r(seed: c_uint, state: *mut Additive) -> c_int;
    fn random_r(state: *mut Additive, to: *mut i32) -> c_int;
    fn srand48_r(seed: c_long, state: *mut Linear) -> c_int;
    fn drand48_r(state: *mut Linear, to: *mut c_double) -> c_int;
    fn erand48_r(last: *mut c_ushort, state: *mut Linear, to: *mut c_double) -> c_int;
    fn lrand48_r(state: *mut Linear, to: *mut c_long) -> c_int;
    fn nrand48_r(last: *mut c_ushort, state: *mut Linear, to: *mut c_long) -> c_int;
    fn mrand48_r(state: *mut Linear, to: *mut c_long) -> c_int;
    fn jrand48_r(last: *mut c_ushort, state: *mut Linear, to: *mut c_long) -> c_int;
}

/// A `struct random_data`.
type Additive = [u64; 6];
/// A `struct drand48_data`.
type Linear = [u64; 3];
/// Numbers that [`Additive`] remembers: as many as libc's own.
const TABLE: usize = 32;

/// What a domain has of them, in its heap.
pub(crate) struct Random {
    /// Threads of the domain take turns. (With whoever is sent out while it is taken, it goes.)
    taken: AtomicBool,
    sequences: UnsafeCell<Sequences>,
}

struct Sequences {
    is_seeded: bool,
    additive: Additive,
    table: [i32; TABLE],
    linear: Linear,
}

impl Random {
    pub(crate) const fn new() -> Self {
        let sequences = Sequences { is_seeded: false, additive: [0; 6], table: [0; TABLE], linear: [0; 3] };
        Self { taken: AtomicBool::new(false), sequences: UnsafeCell::new(sequences) }
    }
}

/// The sequences of the domain that this runs in; `None` outside.
fn with<R>(f: impl FnOnce(&mut Sequences) -> R) -> Option<R> {
    let random = &heap::state()?.random;
    while random.taken.swap(true, Ordering::Acquire) {
        std::thread::yield_now();
    }
    // SAFETY: taken, and nothing of the below asks for them again.
    let result = f(unsafe { &mut *random.sequences.get() });
    random.taken.store(false, Ordering::Release);
    Some(result)
}

impl Sequences {
    fn additive(&mut self) -> &mut Additive {
        if !self.is_seeded {
            // SAFETY: a table of this size, which lies where the state remembers it as long as that is used.
            unsafe { initstate_r(1, self.table.as_mut_ptr(), size_of_val(&self.table), &mut self.additive) };
            self.is_seeded = true;
        }
        &mut self.additive
    }
}

macro_rules! inside {
    ($($name:ident($($argument:ident: $ty:ty),*) $(-> $result:ty)?, $sequences:ident => $inside:expr;)*) => { $(
        /// # Safety
        ///
        /// What rand(3) and drand48(3) ask of their callers.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($($argument: $ty),*) $(-> $result)? {
            // SAFETY: states of libc, in memory of the domain's; the argument by this function's contract; or passed on to libc.
            with(|$sequences| unsafe { $inside }).unwrap_or_else(|| unsafe { real::$name()($($argument),*) })
        }
    )* };
}
inside! {
    rand() -> c_int, own => taken(|to| random_r(own.additive(), to));
    srand(seed: c_uint), own => _ = srandom_r(seed, own.additive());
    random() -> c_long, own => taken(|to| random_r(own.additive(), to)).into();
    srandom(seed: c_uint), own => _ = srandom_r(seed, own.additive());
    srand48(seed: c_long), own => _ = srand48_r(seed, &mut own.linear);
    drand48() -> c_double, own => taken(|to| drand48_r(&mut own.linear, to));
    erand48(last: *mut c_ushort) -> c_double, own => taken(|to| erand48_r(last, &mut own.linear, to));
    lrand48() -> c_long, own => taken(|to| lrand48_r(&mut own.linear, to));
    nrand48(last: *mut c_ushort) -> c_long, own => taken(|to| nrand48_r(last, &mut own.linear, to));
    mrand48() -> c_long, own => taken(|to| mrand48_r(&mut own.linear, to));
    jrand48(last: *mut c_ushort) -> c_long, own => taken(|to| jrand48_r(last, &mut own.linear, to));
}

/// The number that is written there.
fn taken<T: Default>(write: impl FnOnce(&mut T) -> c_int) -> T {
    let mut number = T::default();
    write(&mut number);
    number
}
