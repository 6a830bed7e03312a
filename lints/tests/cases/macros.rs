// edition: 2021
macro_rules! abi_compat {
    ($(pub fn $name:ident($($arg:ident: $t:ty),*) -> $ret:ty,)*) => {
        #[cfg(windows)]
        extern "system" {
            $(pub fn $name($($arg: $t),*) -> $ret;)*
        }
        #[cfg(not(windows))]
        extern {
            $(pub fn $name($($arg: $t),*) -> $ret;)*
        }
    }
}

abi_compat! {
    pub fn BZ2_bzCompressInit(stream: *mut bz_stream,
                              blockSize100k: c_int) -> c_int,
    pub fn BZ2_bzCompress(stream: *mut bz_stream, action: c_int) -> c_int,
}

#[cfg(not(zng))]
macro_rules! if_zng {
    ($_zng:tt, $not_zng:tt) => {
        $not_zng
    };
}
#[cfg(zng)]
macro_rules! if_zng {
    ($zng:tt, $_not_zng:tt) => {
        $zng
    };
}
type z_size = if_zng!(usize, c_ulong);

cfg_if::cfg_if! {
    if #[cfg(unix)] {
        extern "C" { fn getpid() -> i32; }
        mod unix;
    } else if #[cfg(all(windows, feature = "x"))] {
        fn id() -> u32 { unsafe { GetCurrentProcessId() } }
    } else {
        fn id() -> u32 { 0 }
    }
}

macro_rules! call {
    ($name:path) => { unsafe { $name(1, ffi::fixed()) } };
    (safe) => {
        // SAFETY: nothing to hold.
        unsafe { noop() }
    };
}

fn run(p: *const u8) {
    println!("{}", unsafe { ffi::crc32(0, p, 1) });
    assert_eq!(unsafe { *p }, helper::<u8>(p));
    call!(ffi::adler32);
    let x = vec![local(p); 3];
    tokens! { a => ffi::deflate(p), unsafe { b } };
    quote::quote! { unsafe { ffi::ignored() } }
}
include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
