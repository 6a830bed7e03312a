use std::ffi::{c_char, c_int, c_long, c_ulong, c_void};

type Size = usize;
type Handle = *mut c_void;

#[repr(transparent)]
struct Id(u32);

#[repr(C)]
struct Opaque {
    _private: [u8; 0],
}

mod one {
    use super::*;
    extern "C" {
        // Each of these has a hit.
        fn count(a: c_int);
        fn width(a: c_int);
        fn float(a: f32) -> c_int;
        fn pointer(a: c_long);
        fn returned() -> c_int;
        fn variadic(a: *const c_char, ...);
        static thing: c_int;
        #[link_name = "renamed"]
        fn alias(a: u8);

        // None of these has.
        fn size(a: usize, b: c_ulong) -> Handle;
        fn sign(a: u32, b: *const u8);
        fn id(a: Id) -> Option<extern "C" fn()>;
        fn unknown(a: elsewhere::Type);
        fn opaque(a: *mut Opaque, b: &Opaque);
        #[cfg(windows)]
        fn elsewhere(a: c_int);
        #[cfg(feature = "old")]
        fn chosen(a: c_int);
        fn only(a: c_int);
        fn unit() -> ();
    }
}

mod two {
    use super::*;
    extern "C" {
        fn count(a: c_int, b: c_int);
        fn width(a: c_long);
        fn float(a: f64) -> c_int;
        fn pointer(a: *mut c_void);
        fn returned();
        fn variadic(a: *const c_char);
        fn thing() -> c_int;
        fn renamed(a: u64);

        fn size(a: Size, b: u64) -> *mut c_void;
        fn sign(a: i32, b: *const c_char);
        fn id(a: u32) -> *mut c_void;
        fn unknown(a: c_int);
        fn opaque(a: *mut c_void, b: *const c_char);
        fn elsewhere(a: c_long);
        #[cfg(not(feature = "old"))]
        fn chosen(a: c_long);
        fn unit();
    }
}
