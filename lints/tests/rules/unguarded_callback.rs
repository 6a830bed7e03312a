use std::ffi::{c_int, c_void};

extern "C" {
    fn sort(data: *mut c_void, compare: Option<extern "C" fn(*const c_void) -> c_int>);
    fn each(visit: extern "C" fn(*mut c_void), data: *mut c_void);
}

extern "C" fn compare(item: *const c_void) -> c_int {
    lookup(item).expect("an item")
}

extern "C" fn visit<F: FnMut()>(data: *mut c_void) {
    // SAFETY: it is the closure.
    let handler = unsafe { &mut *data.cast::<F>() };
    (*handler)()
}

extern "C" fn guarded<F: FnMut()>(data: *mut c_void) {
    // SAFETY: it is the closure.
    let handler = unsafe { &mut *data.cast::<F>() };
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| handler()));
}

extern "C" fn aborts(data: *mut c_void) {
    abort_on_panic(|| lookup(data).unwrap());
}

extern "C" fn quiet(data: *mut c_void) {}

extern "C-unwind" fn unwinds(item: *const c_void) -> c_int {
    panic!()
}

struct Visitor;

impl Visitor {
    extern "C" fn call(data: *mut c_void) {
        assert!(!data.is_null());
    }

    fn run<F: FnMut()>(data: *mut c_void) {
        // SAFETY: hits.
        unsafe {
            sort(data, Some(compare));
            sort(data, Some(compare as extern "C" fn(*const c_void) -> c_int));
            each(visit::<F>, data);
            each(Self::call, data);
        }
        // SAFETY: none.
        unsafe {
            each(guarded::<F>, data);
            each(aborts, data);
            each(quiet, data);
            sort(data, Some(unwinds));
        }
        // Not C's to call.
        local(visit::<F>);
    }
}

fn local(visit: extern "C" fn(*mut c_void)) {}
