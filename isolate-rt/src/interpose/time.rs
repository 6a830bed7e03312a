//! Dates: libc works them out under a lock of the program's, so inside the program is asked ([`calendar`]). What libc returns in memory
//! of its own lies among the domain's thread-locals.

use super::failed;
use super::real::real;
use crate::heap;
use crate::mpk::crossing::calendar;
use libc::{c_char, time_t, tm};
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ptr;

/// What asctime_r(3) needs, in bytes.
const TEXT: usize = 26;

thread_local! {
    static PARTS: UnsafeCell<MaybeUninit<tm>> = const { UnsafeCell::new(MaybeUninit::zeroed()) };
    static WRITTEN: UnsafeCell<[c_char; TEXT]> = const { UnsafeCell::new([0; TEXT]) };
}

fn own_parts() -> *mut tm {
    PARTS.with(UnsafeCell::get).cast()
}

fn own_text() -> *mut c_char {
    WRITTEN.with(UnsafeCell::get).cast()
}

unsafe extern "C" {
    fn asctime_r(parts: *const tm, to: *mut c_char) -> *mut c_char;
}

/// # Safety
///
/// There is a time, and room for its parts.
unsafe fn parts_of(is_local: bool, time: *const time_t, parts: *mut tm) -> *mut tm {
    // SAFETY: by this function's contract.
    match unsafe { calendar::to_parts(is_local, time.read(), parts) } {
        Ok(()) => parts,
        Err(errno) => {
            failed(errno);
            ptr::null_mut()
        }
    }
}

/// # Safety
///
/// There is a time, and room for a text.
unsafe fn text_of(time: *const time_t, to: *mut c_char) -> *mut c_char {
    let mut parts = MaybeUninit::<tm>::uninit();
    // SAFETY: by this function's contract; parts that were written.
    unsafe {
        match parts_of(true, time, parts.as_mut_ptr()) {
            none if none.is_null() => ptr::null_mut(),
            parts => asctime_r(parts, to),
        }
    }
}

macro_rules! inside {
    ($($name:ident($($argument:ident: $ty:ty),*) -> $result:ty, $inside:expr;)*) => { $(
        /// # Safety
        ///
        /// What ctime(3) asks of its caller.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($($argument: $ty),*) -> $result {
            // SAFETY: by this function's contract, or passed on to libc.
            unsafe { if heap::is_inside() { $inside } else { real::$name()($($argument),*) } }
        }
    )* };
}
inside! {
    gmtime_r(time: *const time_t, parts: *mut tm) -> *mut tm, parts_of(false, time, parts);
    localtime_r(time: *const time_t, parts: *mut tm) -> *mut tm, parts_of(true, time, parts);
    gmtime(time: *const time_t) -> *mut tm, parts_of(false, time, own_parts());
    localtime(time: *const time_t) -> *mut tm, {
        calendar::look_for_zone();
        parts_of(true, time, own_parts())
    };
    timegm(parts: *mut tm) -> time_t, calendar::from_parts(false, parts).unwrap_or_else(|errno| failed(errno).into());
    mktime(parts: *mut tm) -> time_t, calendar::from_parts(true, parts).unwrap_or_else(|errno| failed(errno).into());
    timelocal(parts: *mut tm) -> time_t, calendar::from_parts(true, parts).unwrap_or_else(|errno| failed(errno).into());
    asctime(parts: *const tm) -> *mut c_char, asctime_r(parts, own_text());
    ctime(time: *const time_t) -> *mut c_char, {
        calendar::look_for_zone();
        text_of(time, own_text())
    };
    ctime_r(time: *const time_t, to: *mut c_char) -> *mut c_char, text_of(time, to);
    tzset() -> (), calendar::look_for_zone();
}
