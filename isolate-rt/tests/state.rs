//! What libc keeps for the whole program, and a domain has for itself.

mod support;

use isolate_rt::{Domain, Fault, FaultKind};
use libc::{c_char, c_int, c_void, pthread_key_t};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use support::isolation;

static DOMAIN: Domain = Domain::new("state");
static THREADS: Domain = Domain::new("with threads").threads_inside(4);

unsafe extern "C" {
    fn pthread_key_create(key: *mut pthread_key_t, destructor: Option<unsafe extern "C" fn(*mut c_void)>) -> c_int;
    fn strsignal(number: c_int) -> *const c_char;
    #[link_name = "strerror_r"]
    fn gnu_strerror_r(number: c_int, to: *mut c_char, room: usize) -> *const c_char;
}

fn in_domain<R: Copy>(domain: &'static Domain, f: impl FnOnce() -> R + Copy) -> Result<R, Fault> {
    loop {
        // SAFETY: the closures of this file return numbers only.
        match unsafe { domain.call("test").expect("a domain can be made").run(f) } {
            Err(fault) if fault.kind() == &FaultKind::DomainLost => {}
            result => return result,
        }
    }
}

/// What `f` gives inside, whatever it is outside.
#[track_caller]
fn check<R: Copy + PartialEq + std::fmt::Debug>(f: fn() -> R, expected: R) {
    if isolation() {
        assert_eq!(in_domain(&DOMAIN, f), Ok(expected));
    }
}

fn key(destructor: Option<unsafe extern "C" fn(*mut c_void)>) -> Result<pthread_key_t, c_int> {
    let mut key = 0;
    // SAFETY: room for a key.
    match unsafe { pthread_key_create(&mut key, destructor) } {
        0 => Ok(key),
        errno => Err(errno),
    }
}

fn set(key: pthread_key_t, value: usize) -> c_int {
    // SAFETY: a number.
    unsafe { libc::pthread_setspecific(key, ptr::without_provenance(value)) }
}

fn get(key: pthread_key_t) -> usize {
    // SAFETY: asks.
    unsafe { libc::pthread_getspecific(key) }.addr()
}

fn delete(key: pthread_key_t) -> c_int {
    // SAFETY: a number.
    unsafe { libc::pthread_key_delete(key) }
}

#[test]
fn keys_are_made_and_deleted() {
    check(
        || {
            let (first, second) = (key(None).unwrap(), key(None).unwrap());
            let was = (get(first), set(first, 1), set(second, 2), get(first), get(second));
            let deleted = (delete(first), delete(first), get(first), set(first, 1));
            // A new one in its place knows nothing of its value.
            let again = key(None).unwrap();
            let empty = get(again);
            (was, deleted, empty, delete(again), delete(second))
        },
        ((0, 0, 0, 1, 2), (0, libc::EINVAL, 0, libc::EINVAL), 0, 0, 0),
    );
}

#[test]
fn keys_have_an_end() {
    static MANY: Domain = Domain::new("many keys");
    if isolation() {
        let made = in_domain(&MANY, || (0..2000).map_while(|_| key(None).ok()).count()).unwrap();
        assert_eq!(in_domain(&MANY, || key(None)), Ok(Err(libc::EAGAIN)));
        assert_eq!(made, 128);
    }
}

/// Values stay from call to call of a thread, are another's in another thread, and go with the instance.
#[test]
fn values_of_threads() {
    static VALUES: Domain = Domain::new("values");
    if !isolation() {
        return;
    }
    let of_program = key(None).unwrap();
    assert_eq!(set(of_program, 77), 0);
    let made = in_domain(&VALUES, || {
        let made = key(None).unwrap();
        set(made, 5);
        made
    })
    .unwrap();
    assert_ne!(made, of_program);
    assert_eq!(in_domain(&VALUES, move || get(made)), Ok(5));
    std::thread::scope(|scope| {
        scope
            .spawn(move || assert_eq!(in_domain(&VALUES, move || (get(made), set(made, 6), get(made))), Ok((0, 0, 6))));
    });
    assert_eq!(in_domain(&VALUES, move || get(made)), Ok(5));
    // Not of another domain, and not of the program.
    assert_eq!(in_domain(&DOMAIN, move || (set(made + 50, 1), get(made + 50))), Ok((libc::EINVAL, 0)));
    assert_eq!((get(made), set(made, 1), get(of_program)), (0, libc::EINVAL, 77));
    // SAFETY: ends the call.
    let fault = in_domain(&VALUES, || unsafe { std::arch::asm!("ud2") }).unwrap_err();
    assert!(fault.discarded_instance());
    assert_eq!(in_domain(&VALUES, move || (get(made), set(made, 1))), Ok((0, libc::EINVAL)));
}

/// The destructors of a thread that the library has started run when it ends, inside; they may set values again.
#[test]
fn destructors() {
    static KEY: AtomicU32 = AtomicU32::new(0);
    /// # Safety
    ///
    /// To be called with the cell of a thread that has one.
    unsafe extern "C" fn destroy(value: *mut c_void) {
        let cell = value.cast::<u32>();
        // SAFETY: of the domain's heap, where the thread has put it.
        let count = unsafe {
            cell.write(cell.read() + 1);
            cell.read()
        };
        if count < 3 {
            set(key_of(), value.addr());
        }
    }
    fn key_of() -> pthread_key_t {
        KEY.load(Ordering::Relaxed)
    }
    extern "C" fn body(cell: *mut c_void) -> *mut c_void {
        set(key_of(), cell.addr());
        ptr::null_mut()
    }
    if !isolation() {
        return;
    }
    KEY.store(in_domain(&THREADS, || key(Some(destroy)).unwrap()).unwrap(), Ordering::Relaxed);
    let destroyed = in_domain(&THREADS, || {
        // SAFETY: a number, which the thread has until it is joined.
        unsafe {
            let cell = libc::calloc(1, 4);
            let mut thread = 0;
            assert_eq!(libc::pthread_create(&mut thread, ptr::null(), body, cell), 0);
            assert_eq!(libc::pthread_join(thread, ptr::null_mut()), 0);
            cell.cast::<u32>().read()
        }
    });
    assert_eq!(destroyed, Ok(3));
    // Outside they are libc's affair, as ever.
    assert_eq!(key(Some(destroy)).map(delete), Ok(0));
}

/// What `f` gives for the number, in words: inside, where it may take no lock, as outside.
#[track_caller]
fn check_same<R: Copy + PartialEq + std::fmt::Debug>(numbers: impl IntoIterator<Item = c_int>, f: fn(c_int) -> R) {
    if !isolation() {
        return;
    }
    for number in numbers {
        let outside = f(number);
        assert_eq!(in_domain(&DOMAIN, move || f(number)), Ok(outside), "{number}");
    }
}

/// The first bytes of a string.
fn words(text: *const c_char) -> [u8; 60] {
    let mut words = [0; 60];
    // SAFETY: a string, from libc.
    let text = unsafe { std::ffi::CStr::from_ptr(text) }.to_bytes();
    let len = text.len().min(60);
    words[..len].copy_from_slice(&text[..len]);
    words
}

#[test]
fn texts_of_errors() {
    let numbers = || (-1..140).chain([41, 58, 12345, c_int::MAX, c_int::MIN]);
    // SAFETY: take any number, and give strings.
    check_same(numbers(), |number| words(unsafe { libc::strerror(number) }));
    check_same(numbers(), |number| {
        let mut room = [b'?' as c_char; 60];
        // SAFETY: so much room.
        let text = unsafe { gnu_strerror_r(number, room.as_mut_ptr(), 60) };
        (words(text), text == room.as_ptr())
    });
    for size in [0, 1, 2, 12, 60] {
        SIZE.store(size, Ordering::Relaxed);
        check_same(numbers(), |number| {
            let mut room = [b'?' as c_char; 60];
            // SAFETY: so much room, or less. (`libc` means that of POSIX.)
            let errno = unsafe { libc::strerror_r(number, room.as_mut_ptr(), SIZE.load(Ordering::Relaxed) as usize) };
            let len = room.iter().position(|&byte| byte == 0).unwrap_or(0);
            (errno, words_of(&room[..len]))
        });
    }
}

static SIZE: AtomicU32 = AtomicU32::new(0);

fn words_of(text: &[c_char]) -> [c_char; 60] {
    let mut words = [0; 60];
    words[..text.len()].copy_from_slice(text);
    words
}

#[test]
fn texts_of_signals_and_names() {
    // SAFETY: take any number, and give strings.
    check_same((-1..70).chain([12345, c_int::MAX]), |number| words(unsafe { strsignal(number) }));
    // SAFETY: as above.
    check_same((-120..10).chain([12345]), |number| words(unsafe { libc::gai_strerror(number) }));
}
