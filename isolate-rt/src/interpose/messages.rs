//! Texts for error and signal numbers. libc's functions ask for a translation, under a lock of the program's; inside, they say what
//! they say in the C locale.

use super::output::write_all;
use super::real::real;
use crate::heap;
use libc::{c_char, c_int, locale_t, size_t};
use std::cell::UnsafeCell;
use std::ffi::CStr;
use std::fmt::{self, Write};

/// More than the longest of what is made here.
const ROOM: usize = 64;

thread_local! {
    /// What stands for a number without a text, until the next.
    static UNKNOWN: UnsafeCell<[u8; ROOM]> = const { UnsafeCell::new([0; ROOM]) };
}

/// Writes as much as there is room for, and leaves some for the end of the string.
struct Text<'a> {
    room: &'a mut [u8],
    len: usize,
}

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let rest = &mut self.room[self.len..];
        let count = text.len().min(rest.len().saturating_sub(1));
        rest[..count].copy_from_slice(&text.as_bytes()[..count]);
        self.len += count;
        Ok(())
    }
}

/// A string in `room`, cut off where that ends.
fn write_into(room: &mut [u8], what: fmt::Arguments<'_>) {
    let mut text = Text { room, len: 0 };
    // It never fails.
    let _ = text.write_fmt(what);
    let len = text.len;
    if let Some(end) = room.get_mut(len) {
        *end = 0;
    }
}

fn unknown(what: fmt::Arguments<'_>) -> *mut c_char {
    UNKNOWN.with(|unknown| {
        // SAFETY: of this thread, which is in here once: nothing below calls back.
        write_into(unsafe { &mut *unknown.get() }, what);
        unknown.get().cast()
    })
}

/// The text of an error number: a constant of libc, which looks nothing else up. `None` where libc is to answer: outside, and where it is
/// older than the question.
fn description(number: c_int) -> Option<Option<&'static CStr>> {
    let describe = real::strerrordesc_np().filter(|_| heap::is_inside())?;
    // SAFETY: takes any number, and gives a constant string or NULL.
    unsafe { Some(describe(number).as_ref().map(|text| CStr::from_ptr(text))) }
}

fn error(number: c_int) -> Option<*mut c_char> {
    let text = description(number)?;
    Some(text.map_or_else(|| unknown(format_args!("Unknown error {number}")), |text| text.as_ptr().cast_mut()))
}

/// # Safety
///
/// None owed.
#[unsafe(no_mangle)]
unsafe extern "C" fn strerror(number: c_int) -> *mut c_char {
    // SAFETY: passed on to libc.
    error(number).unwrap_or_else(|| unsafe { real::strerror()(number) })
}

/// # Safety
///
/// What strerror_l(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn strerror_l(number: c_int, locale: locale_t) -> *mut c_char {
    // SAFETY: passed on to libc.
    error(number).unwrap_or_else(|| unsafe { real::strerror_l()(number, locale) })
}

/// GNU's.
///
/// # Safety
///
/// What strerror_r(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn strerror_r(number: c_int, to: *mut c_char, room: size_t) -> *mut c_char {
    match description(number) {
        // SAFETY: passed on to libc.
        None => unsafe { real::strerror_r()(number, to, room) },
        Some(Some(text)) => text.as_ptr().cast_mut(),
        Some(None) => {
            // SAFETY: so much room, says our caller.
            unsafe { write_unknown(number, to, room) };
            to
        }
    }
}

/// That of POSIX.
///
/// # Safety
///
/// What strerror_r(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn __xpg_strerror_r(number: c_int, to: *mut c_char, room: size_t) -> c_int {
    match description(number) {
        // SAFETY: passed on to libc.
        None => unsafe { real::__xpg_strerror_r()(number, to, room) },
        Some(None) => {
            // SAFETY: so much room, says our caller.
            unsafe { write_unknown(number, to, room) };
            libc::EINVAL
        }
        Some(Some(text)) => {
            let text = text.to_bytes();
            if let Some(most) = room.checked_sub(1) {
                let len = text.len().min(most);
                // SAFETY: as above.
                unsafe {
                    to.copy_from_nonoverlapping(text.as_ptr().cast(), len);
                    to.add(len).write(0);
                }
            }
            if room > text.len() { 0 } else { libc::ERANGE }
        }
    }
}

/// # Safety
///
/// There is so much room.
unsafe fn write_unknown(number: c_int, to: *mut c_char, room: usize) {
    let mut text = [0; ROOM];
    write_into(&mut text, format_args!("Unknown error {number}"));
    if let Some(most) = room.min(ROOM).checked_sub(1) {
        // SAFETY: by this function's contract.
        unsafe {
            to.copy_from_nonoverlapping(text.as_ptr().cast(), most);
            to.add(most).write(0);
        }
    }
}

/// # Safety
///
/// None owed.
#[unsafe(no_mangle)]
unsafe extern "C" fn strsignal(number: c_int) -> *mut c_char {
    let Some(describe) = real::sigdescr_np().filter(|_| heap::is_inside()) else {
        // SAFETY: passed on to libc.
        return unsafe { real::strsignal()(number) };
    };
    // SAFETY: takes any number, and gives a constant string or NULL.
    let text = unsafe { describe(number) };
    let (first, last) = (libc::SIGRTMIN(), libc::SIGRTMAX());
    match number {
        _ if !text.is_null() => text.cast_mut(),
        _ if (first..=last).contains(&number) => unknown(format_args!("Real-time signal {}", number - first)),
        _ => unknown(format_args!("Unknown signal {number}")),
    }
}

/// # Safety
///
/// None owed.
#[unsafe(no_mangle)]
unsafe extern "C" fn gai_strerror(number: c_int) -> *const c_char {
    if !heap::is_inside() {
        // SAFETY: passed on to libc.
        return unsafe { real::gai_strerror()(number) };
    }
    let text = match number {
        libc::EAI_BADFLAGS => c"Bad value for ai_flags",
        libc::EAI_NONAME => c"Name or service not known",
        libc::EAI_AGAIN => c"Temporary failure in name resolution",
        libc::EAI_FAIL => c"Non-recoverable failure in name resolution",
        libc::EAI_NODATA => c"No address associated with hostname",
        libc::EAI_FAMILY => c"ai_family not supported",
        libc::EAI_SOCKTYPE => c"ai_socktype not supported",
        libc::EAI_SERVICE => c"Servname not supported for ai_socktype",
        -9 => c"Address family for hostname not supported",
        libc::EAI_MEMORY => c"Memory allocation failure",
        libc::EAI_SYSTEM => c"System error",
        -100 => c"Processing request in progress",
        -101 => c"Request canceled",
        -102 => c"Request not canceled",
        -103 => c"All requests done",
        -104 => c"Interrupted by a signal",
        -105 => c"Parameter string not correctly encoded",
        _ => c"Unknown error",
    };
    text.as_ptr()
}

/// # Safety
///
/// What perror(3) asks of its caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn perror(prefix: *const c_char) {
    // SAFETY: `errno` of this thread, or of this domain.
    let Some(text) = error(unsafe { *libc::__errno_location() }) else {
        // SAFETY: passed on to libc.
        return unsafe { real::perror()(prefix) };
    };
    // SAFETY: strings, says our caller; ours is one.
    unsafe {
        let say = |text: *const c_char| write_all(libc::STDERR_FILENO, text, libc::strlen(text));
        let has_prefix = !prefix.is_null() && *prefix != 0;
        _ = (!has_prefix || (say(prefix) && say(c": ".as_ptr()))) && say(text) && say(c"\n".as_ptr());
    }
}

macro_rules! translations {
    ($($name:ident($($before:ident: $before_ty:ty,)* ; $($after:ident: $after_ty:ty)?))*) => { $(
        /// # Safety
        ///
        /// What gettext(3) asks of its caller.
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name($($before: $before_ty,)* text: *const c_char $(, $after: $after_ty)?) -> *mut c_char {
            if heap::is_inside() {
                return text.cast_mut();
            }
            // SAFETY: passed on to libc.
            unsafe { real::$name()($($before,)* text $(, $after)?) }
        }
    )* };
}
translations! {
    gettext(;)
    dgettext(domain: *const c_char,;)
    dcgettext(domain: *const c_char,; category: c_int)
}
