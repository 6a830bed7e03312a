use std::ffi::{c_int, c_void, CString};
use std::num::NonZeroU32;
use std::ptr::NonNull;

struct Plain {
    a: u8,
    b: u32,
}

#[repr(C)]
struct Stated {
    a: u8,
    b: u32,
}

enum Tagged {
    A(u32),
    B,
}

enum Opaque {}

type Text = str;

extern "C" {
    // Hits:
    fn text(a: &str);
    fn slice(a: &mut [u8]);
    fn raw_slice(a: *const [u8]);
    fn object(a: &dyn Fn());
    fn alias(a: *const Text);
    fn tuple() -> (c_int, c_int);
    fn owned(a: String, b: Vec<u8>);
    fn option(a: Option<c_int>);
    fn rust_function(a: fn(c_int));
    fn plain(a: Plain);
    fn tagged() -> Tagged;
    fn scalar(a: char);
    static table: Vec<u8>;

    // None:
    fn stated(a: Stated, b: *const Stated);
    fn opaque(a: *mut Opaque, b: *mut Plain);
    fn callback(a: Option<unsafe extern "C" fn(*mut c_void) -> c_int>);
    fn references(a: &c_int, b: Option<&mut Stated>, c: Option<NonNull<c_void>>);
    fn numbers(a: Option<NonZeroU32>, b: [u8; 4], c: bool);
    fn unknown(a: elsewhere::Type);
    fn never() -> !;
    #[cfg(windows)]
    fn elsewhere(a: &str);
}

// What the macro makes of it is not known.
#[wasm_bindgen(js_namespace = Array)]
extern "C" {
    fn from_script(a: &str);
}

extern "C" fn defined(items: &[u8]) {}

extern "C" fn fine(items: *const u8, length: usize) {}

fn rust(a: &str) -> (c_int, c_int) {
    (0, 0)
}

extern "Rust" {
    fn same_language(a: &str);
}
