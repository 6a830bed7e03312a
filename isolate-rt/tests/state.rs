//! What libc keeps for the whole program, and a domain has for itself.

mod support;

use isolate_rt::{Domain, Fault, FaultKind};
use libc::{c_char, c_int, c_void, pthread_key_t, tm};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use support::{End, child, isolation, role};

static DOMAIN: Domain = Domain::new("state");
static THREADS: Domain = Domain::new("with threads").threads_inside(4);

unsafe extern "C" {
    fn pthread_key_create(key: *mut pthread_key_t, destructor: Option<unsafe extern "C" fn(*mut c_void)>) -> c_int;
    fn strsignal(number: c_int) -> *const c_char;
    fn random() -> libc::c_long;
    fn srandom(seed: u32);
    fn mrand48() -> libc::c_long;
    fn jrand48(last: *mut u16) -> libc::c_long;
    fn nrand48(last: *mut u16) -> libc::c_long;
    fn erand48(last: *mut u16) -> f64;
    fn asctime(parts: *const tm) -> *const c_char;
    fn ctime(time: *const i64) -> *const c_char;
    fn strtok(text: *mut c_char, between: *const c_char) -> *mut c_char;
    fn tzset();
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

/// A `struct tm` as numbers, with the first letters of its zone.
fn numbers(parts: *const tm) -> ([i64; 10], [u8; 60]) {
    // SAFETY: parts that libc has written, or NULL.
    let Some(tm { tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst, tm_gmtoff, tm_zone }) =
        (unsafe { parts.as_ref() })
    else {
        return ([0; 10], [0; 60]);
    };
    let small =
        [tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday, tm_isdst].map(|&part| part.into());
    let mut numbers = [*tm_gmtoff; 10];
    numbers[..9].copy_from_slice(&small);
    (numbers, words(*tm_zone))
}

/// In days, or in years of 400 days, and one beyond all years.
fn times() -> impl Iterator<Item = c_int> {
    (-400..400).step_by(7).chain((-20_000..40_000).step_by(997)).chain([c_int::MAX])
}

fn time_of(days: c_int) -> i64 {
    if days == c_int::MAX { i64::MAX } else { i64::from(days) * 86_400 + i64::from(days) * 3607 }
}

/// The calendar of the program's time zone, and that of UTC.
#[test]
fn dates() {
    const NAME: &str = "dates";
    if role().is_none() {
        if isolation() {
            assert_eq!(End::from(&child(NAME, "child")), End::Status(0));
        }
        return;
    }
    // SAFETY: one thread, before anybody asks for the time.
    unsafe {
        std::env::set_var("TZ", "CET-1CEST,M3.5.0,M10.5.0/3");
        tzset();
    }
    // SAFETY: times, and room for parts.
    unsafe {
        let zone = |days| {
            let mut parts: tm = std::mem::zeroed();
            let given = libc::localtime_r(&time_of(days), &mut parts);
            (numbers(given), numbers(libc::localtime(&time_of(days))), words_or_none(ctime(&time_of(days))))
        };
        check_same(times(), zone);
        let summer = 1_751_000_000;
        let parts = in_domain(&DOMAIN, move || numbers(libc::localtime(&summer))).unwrap();
        assert_eq!((parts.0[8], parts.0[9], parts.1[..4] == *b"CEST"), (1, 7200, true));
        check_same(times(), |days| {
            let mut parts: tm = std::mem::zeroed();
            let given = libc::gmtime_r(&time_of(days), &mut parts);
            let written = words_or_none(if given.is_null() { ptr::null() } else { asctime(given) });
            (numbers(given), numbers(libc::gmtime(&time_of(days))), written)
        });
        // Back, with parts that are none of a date.
        check_same(times(), |days| {
            let mut parts: tm = std::mem::zeroed();
            (parts.tm_mday, parts.tm_sec, parts.tm_year, parts.tm_isdst) = (days, days, 70, -1);
            let time = libc::mktime(&mut parts);
            (time, numbers(&parts))
        });
        check_same(times(), |days| {
            let mut parts: tm = std::mem::zeroed();
            (parts.tm_mday, parts.tm_hour, parts.tm_year) = (days, days, 70);
            let time = libc::timegm(&mut parts);
            (time, numbers(&parts))
        });
        // The program's `errno` is its own affair.
        *libc::__errno_location() = 77;
        let failed = in_domain(&DOMAIN, || (libc::gmtime(&i64::MAX).is_null(), *libc::__errno_location()));
        assert_eq!((failed, *libc::__errno_location()), (Ok((true, libc::EOVERFLOW)), 77));
    }
}

fn words_or_none(text: *const c_char) -> [u8; 60] {
    if text.is_null() { [0; 60] } else { words(text) }
}

/// The numbers that libc begins with, and those after a seed; the program's own are not disturbed, and a fault begins anew.
#[test]
fn random_numbers() {
    const NAME: &str = "random_numbers";
    if role().is_none() {
        if isolation() {
            assert_eq!(End::from(&child(NAME, "child")), End::Status(0));
        }
        return;
    }
    type Numbers = [i64; 40];
    // SAFETY: these take numbers, and states that are there.
    let draw: fn() -> Numbers = || unsafe {
        let mut last = [1u16, 2, 3];
        std::array::from_fn(|at| match at % 8 {
            0 => libc::rand().into(),
            1 => random(),
            2 => libc::lrand48(),
            3 => mrand48(),
            4 => libc::drand48().to_bits().cast_signed(),
            5 => nrand48(last.as_mut_ptr()),
            6 => jrand48(last.as_mut_ptr()),
            _ => erand48(last.as_mut_ptr()).to_bits().cast_signed(),
        })
    };
    // SAFETY: as above.
    let seed: fn() -> Numbers = || unsafe {
        libc::srand(7);
        let first = libc::rand();
        srandom(8);
        libc::srand48(9);
        [i64::from(first) + random() + libc::lrand48(); 40]
    };
    let inside = |numbers: fn() -> Numbers| in_domain(&DOMAIN, numbers).unwrap();
    let first = inside(draw);
    assert_eq!(draw(), first);
    assert_eq!(draw(), inside(draw));
    assert_eq!(seed(), inside(seed));
    assert_eq!(draw(), inside(draw));
    // SAFETY: ends the call.
    assert!(in_domain(&DOMAIN, || unsafe { std::arch::asm!("ud2") }).is_err());
    assert_eq!(inside(draw), first);
}

#[test]
fn tokens() {
    check(
        || {
            let mut text = *b"a bc,d\0";
            let mut first = [0u8; 4];
            // SAFETY: a string.
            unsafe {
                let mut token = strtok(text.as_mut_ptr().cast(), c" ,".as_ptr());
                for slot in &mut first {
                    if token.is_null() {
                        break;
                    }
                    *slot = *token as u8;
                    token = strtok(ptr::null_mut(), c" ,".as_ptr());
                }
            }
            first
        },
        *b"abd\0",
    );
}
