//! An exception, of C++ or whatever language, that nothing inside a domain catches.
//!
//! Whoever throws looks first for somebody who catches, frame by frame, and undoes nothing yet (Itanium C++ ABI: exception
//! handling, 1.3). The last frame is the gate's, whose unwinding table names [`uncaught`]: being asked is the end of the call,
//! with the stack as it was at the throw.

use super::message::Message;
use crate::mpk::areas::image;
use crate::mpk::crossing::leave::{self, Reason, Stop};
use crate::mpk::loaded::symbols;
use libc::{c_char, c_int, c_void};
use std::ffi::CStr;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// What precedes the exception that the unwinder knows, in C++: behind its type come nine words (ABI, 2.2.1; the same in
/// libstdc++ and libc++abi).
const TYPE_BEFORE: usize = 80;
/// Size of what the unwinder knows; the object that was thrown follows.
const HEADER: usize = 32;

/// `typeid(std::exception)`, where a C++ library was loaded before the first domain.
static STD_EXCEPTION: AtomicPtr<TypeInfo> = AtomicPtr::new(ptr::null_mut());

/// `std::type_info`.
#[repr(C)]
struct TypeInfo {
    functions: *const TypeInfoFunctions,
    name: *const c_char,
}

/// The virtual functions of `std::type_info` in libstdc++, in their order. libc++ has others, and no [`DoCatch`].
#[repr(C)]
struct TypeInfoFunctions {
    destructors: [*const c_void; 2],
    is_pointer: *const c_void,
    is_function: *const c_void,
    /// Whether a handler of this type catches that type; moves the pointer to the part of the object that it catches.
    do_catch: DoCatch,
}

type DoCatch = unsafe extern "C-unwind" fn(*const TypeInfo, *const TypeInfo, *mut *mut c_void, u32) -> bool;

/// `std::exception`, seen from its virtual functions.
#[repr(C)]
struct Exception {
    functions: *const ExceptionFunctions,
}

#[repr(C)]
struct ExceptionFunctions {
    destructors: [*const c_void; 2],
    what: unsafe extern "C-unwind" fn(*const Exception) -> *const c_char,
}

/// Finds what [`uncaught`] needs of C++, and calls it once, since it may be bound when it is first called, which a domain
/// cannot do.
pub(super) fn warm_up() {
    // SAFETY: the names are those of type descriptions, which the C++ ABI fixes; `do_catch` of libstdc++ may be asked about any
    // two, and any pointer that it only adds to.
    unsafe {
        let find = |name: &CStr| libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()).cast::<TypeInfo>();
        // Only in libstdc++.
        let is_gnu = !libc::dlsym(libc::RTLD_DEFAULT, c"_ZNKSt9type_info10__do_catchEPKS_PPvj".as_ptr()).is_null();
        let (base, derived) = (find(c"_ZTISt9exception"), find(c"_ZTISt11logic_error"));
        if is_gnu && !base.is_null() && !derived.is_null() {
            let mut object = ptr::null_mut();
            ((*(*base).functions).do_catch)(base, derived, &mut object, 1);
            STD_EXCEPTION.store(base, Ordering::Relaxed);
        }
    }
}

/// The personality of the gate's frame: what the unwinder asks whether there is somebody who catches. Runs in the domain.
///
/// # Safety
///
/// To be called by an unwinder (Itanium C++ ABI: exception handling, 1.5.1).
pub(in crate::mpk) unsafe extern "C" fn uncaught(
    _version: c_int,
    _actions: c_int,
    class: u64,
    exception: *const c_void,
    _frame: *mut c_void,
) -> c_int {
    // As std writes it, unlike C++, whose class is a number.
    const RUST: u64 = u64::from_ne_bytes(*b"MOZ\0RUST");
    if class == RUST {
        // One that brought no message: `resume_unwind`.
        super::panics::end()
    }
    let mut message = Message::new();
    let mut name = ptr::null();
    if class as u32 == u32::from_be_bytes(*b"C++\0") {
        // SAFETY: a C++ exception, says its class. Where it is not, the domain faults, or says something else.
        unsafe {
            let thrown_type = exception.byte_sub(TYPE_BEFORE).cast::<*const TypeInfo>().read();
            name = (*thrown_type).name;
            if let Some(text) = what(thrown_type, exception.byte_add(HEADER).cast_mut()) {
                message.text(text);
            }
        }
    }
    leave::leave_with(Reason::Uncaught, [ptr::from_ref(&message).addr(), name.addr(), 0])
}

/// `what()`, if the object is a `std::exception`.
///
/// # Safety
///
/// `object` was thrown as of this type.
unsafe fn what(thrown_type: *const TypeInfo, mut object: *mut c_void) -> Option<*const c_char> {
    let base = STD_EXCEPTION.load(Ordering::Relaxed);
    // SAFETY: by this function's contract; `base` is what `warm_up` found.
    unsafe {
        if base.is_null() || !((*(*base).functions).do_catch)(base, thrown_type, &mut object, 1) {
            return None;
        }
        let object = object.cast::<Exception>();
        Some(((*(*object).functions).what)(object))
    }
}

/// Where the name of its type stands, if the call ended by an exception: as the domain says, so anywhere.
pub(in crate::mpk) fn type_name(stop: &Stop) -> Option<usize> {
    stop.left.filter(|left| left.reason == Reason::Uncaught as usize).map(|left| left.words[1])
}

/// What was thrown, with its type where that is a name that the domain cannot have written: `std::logic_error: too long`.
pub(in crate::mpk) fn told(name: usize, message: &str) -> Box<str> {
    const LONGEST: usize = 1024;
    let type_name = image::with_read_only(name, |readable| {
        if readable == 0 {
            return None;
        }
        // SAFETY: read-only data of a loaded object, which is not unloaded meanwhile.
        let bytes =
            unsafe { std::slice::from_raw_parts(ptr::with_exposed_provenance::<u8>(name), readable.min(LONGEST)) };
        let text = CStr::from_bytes_until_nul(bytes).ok()?.to_str().ok()?;
        // A star marks a name that is no proof of identity.
        let text = text.strip_prefix('*').unwrap_or(text);
        Some(symbols::demangled_by_cxx(text).unwrap_or_else(|| text.to_owned()))
    });
    match (type_name, message) {
        (Some(name), "") => name.into(),
        (Some(name), message) => format!("{name}: {message}").into(),
        (None, message) => message.into(),
    }
}
