extern "C" {
    fn deflate(stream: *mut u8) -> i32;
    fn inflate(stream: *mut u8) -> i32;
}

mod again {
    extern "C" {
        #[link_name = "deflate"]
        pub fn pack(stream: *mut u8) -> i32;
    }
}

fn past(stream: *mut u8) {
    // SAFETY: hit.
    unsafe { deflate(stream) };
    // SAFETY: hit, by its symbol.
    unsafe { again::pack(stream) };
    // A hit: somebody calls it later.
    let f: unsafe extern "C" fn(*mut u8) -> i32 = deflate;
    // SAFETY: not isolated.
    unsafe { inflate(stream) };
}

mod isolated {
    fn deflate(stream: *mut u8) -> i32 {
        // SAFETY: a hit: where it stands makes no wrapper of it, and generated files nobody asks about.
        unsafe { super::deflate(stream) }
    }
}

macro_rules! call {
    ($f:ident($($a:expr),*)) => {
        // SAFETY: the caller's.
        unsafe { crate::$f($($a),*) }
    };
}

fn by_macro(stream: *mut u8) {
    // A hit at the name.
    call!(deflate(stream));
    call!(inflate(stream));
}
