//! Dates and times of day, which libc works out under a lock, with the rules of the time zone that it keeps: the program does it
//! for the domain. What passes are numbers, and the name of the zone, which the domain can read where it is.

use super::asks::CALENDAR;
use super::gate::call_back;
use libc::{c_int, time_t, tm};
use std::ptr;

/// What is asked for: the first word.
const UTC: usize = 1;
const LOCAL: usize = 2;
const FROM_UTC: usize = 3;
const FROM_LOCAL: usize = 4;
const ZONE: usize = 5;

const PARTS: usize = size_of::<tm>() / size_of::<usize>();
/// What it is, or an `errno` in an answer; a time; a `struct tm`.
pub(super) type Words = [usize; 2 + PARTS];

const _: () = assert!(PARTS * size_of::<usize>() == size_of::<tm>() && align_of::<tm>() == align_of::<usize>());

/// gmtime_r(3), or localtime_r(3), from inside.
///
/// # Safety
///
/// There is room for the parts.
pub(crate) unsafe fn to_parts(is_local: bool, time: time_t, parts: *mut tm) -> Result<(), c_int> {
    let mut words = [0; _];
    words[0] = if is_local { LOCAL } else { UTC };
    words[1] = time as usize;
    let words = ask(words)?;
    // SAFETY: by this function's contract.
    unsafe { parts.cast::<[usize; PARTS]>().write_unaligned(parts_of(&words)) };
    Ok(())
}

/// timegm(3), or mktime(3), from inside.
///
/// # Safety
///
/// There are parts, which may be changed.
pub(crate) unsafe fn from_parts(is_local: bool, parts: *mut tm) -> Result<time_t, c_int> {
    let mut words = [0; _];
    words[0] = if is_local { FROM_LOCAL } else { FROM_UTC };
    // SAFETY: by this function's contract.
    let given = unsafe { parts.cast::<[usize; PARTS]>().read_unaligned() };
    words[2..].copy_from_slice(&given);
    let words = ask(words)?;
    // SAFETY: as above.
    unsafe { parts.cast::<[usize; PARTS]>().write_unaligned(parts_of(&words)) };
    Ok(words[1] as time_t)
}

/// tzset(3), from inside.
pub(crate) fn look_for_zone() {
    let mut words = [0; _];
    words[0] = ZONE;
    let _ = ask(words);
}

fn ask(words: Words) -> Result<Words, c_int> {
    let mut answer: Words = [0; _];
    // SAFETY: asked for inside; there are the words, and room for as many.
    unsafe { call_back(CALENDAR, (&raw const words).cast(), (&raw mut answer).cast()) };
    match answer[0] {
        0 => Ok(answer),
        errno => Err(errno as c_int),
    }
}

fn parts_of(words: &Words) -> [usize; PARTS] {
    std::array::from_fn(|at| words[2 + at])
}

/// In the program: what the domain has asked for. Its words are any.
pub(super) fn answer(mut words: Words) -> Words {
    let [what, time] = [words[0], words[1]];
    let mut time = time as time_t;
    let parts = (&raw mut words[2]).cast::<tm>();
    // SAFETY: `errno` of this thread.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let before = unsafe { errno.read() };
    // SAFETY: a time, and a `struct tm` of any numbers, which may be written; the zone in it is written only.
    let is_done = unsafe {
        errno.write(0);
        match what {
            UTC => !libc::gmtime_r(&time, parts).is_null(),
            LOCAL => !libc::localtime_r(&time, parts).is_null(),
            ZONE => {
                tzset();
                true
            }
            FROM_UTC | FROM_LOCAL => {
                time = if what == FROM_UTC { libc::timegm(parts) } else { libc::mktime(parts) };
                // -1 is a time as well.
                time != -1 || errno.read() == 0
            }
            _ => false,
        }
    };
    // SAFETY: as above.
    let failed = unsafe { ptr::replace(errno, before) };
    words[0] = if is_done { 0 } else { failed.max(1) as usize };
    words[1] = time as usize;
    words
}

unsafe extern "C" {
    // tzset(3).
    safe fn tzset();
}
