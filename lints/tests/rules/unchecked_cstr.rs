use std::ffi::{c_char, CStr};

extern "C" {
    fn last_error() -> *const c_char;
    fn get_name(name: *mut *const c_char);
}

struct Entry {
    name: *const c_char,
}

fn unchecked(given: *const c_char) {
    // SAFETY: hits, all of them.
    unsafe {
        let a = CStr::from_ptr(last_error());
        let text = last_error();
        let b = CStr::from_ptr(text as *const c_char);
        let mut name = std::ptr::null();
        get_name(&mut name);
        let c = CStr::from_ptr(name);
        let d = std::ffi::CStr::from_ptr(given);
    }
}

fn checked(given: *const c_char, other: *const c_char) {
    // SAFETY: checked.
    unsafe {
        let text = last_error();
        if text.is_null() {
            return;
        }
        let a = CStr::from_ptr(text);
        assert!(!given.is_null());
        let b = CStr::from_ptr(given);
        if other != std::ptr::null() {
            let c = CStr::from_ptr(other);
        }
    }
}

/// # Safety
/// `given` points to a string.
unsafe fn promised(given: *const c_char, entry: &Entry) {
    let a = CStr::from_ptr(given);
    let b = CStr::from_ptr(entry.name);
    let c = CStr::from_ptr(c"text".as_ptr());
}
