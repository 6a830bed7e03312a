extern "C" {
    fn fine(callback: extern "C" fn());
    // A hit: whoever wrote this believes that it unwinds.
    fn wrong(callback: Option<unsafe extern "C-unwind" fn(i32)>);
}

extern "C-unwind" {
    fn right(callback: extern "C-unwind" fn());
}

// Hits:
pub extern "C" fn unwraps(value: Option<i32>) -> i32 {
    value.unwrap()
}

#[no_mangle]
pub unsafe extern "system" fn asserts(value: i32) {
    assert!(value > 0);
}

struct Type;

impl Type {
    extern "C" fn method(&self) {
        unreachable!()
    }
}

// None:
pub extern "C" fn guarded(value: Option<i32>) -> i32 {
    std::panic::catch_unwind(|| value.unwrap()).unwrap_or(-1)
}

pub extern "C-unwind" fn unwinds(value: Option<i32>) -> i32 {
    value.unwrap()
}

pub extern "C" fn index(values: &[i32; 4]) -> i32 {
    values[0]
}

pub extern "C" fn nested() {
    fn inner() {
        panic!()
    }
}

pub extern "C" fn other(value: Option<i32>) -> i32 {
    debug_assert!(value.is_some());
    value.unwrap_or(0)
}

#[no_mangle]
pub fn rust(value: Option<i32>) -> i32 {
    value.unwrap()
}

mod panic {
    pub fn wrap<T>(f: impl FnOnce() -> T) -> Option<T> {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)).ok()
    }
}

pub extern "C" fn of_its_own(value: Option<i32>) -> i32 {
    panic::wrap(|| value.unwrap()).unwrap_or(-1)
}
