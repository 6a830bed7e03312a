//! The libraries of the demo project behind wrappers that `cargo isolate wrap` generated from `isolation.toml` beside this folder.
//!
//! Here they are called on real data: what the isolated and the direct call return must be equal, and input made to break
//! the library must end in an `Err`. `tests/` holds the tests; this crate only exports.

#[path = "../../../templates/demo/src/ffi.rs"]
#[allow(missing_docs, reason = "the demo project's own text")]
pub mod ffi;
pub mod isolated;
#[allow(non_camel_case_types, non_snake_case, missing_docs, reason = "the names are C's, and its manual explains them")]
pub mod sqlite;
#[allow(missing_docs, reason = "csrc/told.c explains them")]
pub mod told;

// The archive with SQLite.
use libsqlite3_sys as _;

/// What the `-sys` crates leave out.
pub mod left_out {
    use libz_sys::{Bytef, uInt, z_streamp};
    use std::ffi::{c_char, c_int};

    unsafe extern "C" {
        /// zlib's text for an error code, from `zutil.h`.
        pub fn zError(code: c_int) -> *const c_char;
        /// The last bytes that a stream has given, from `zlib.h`.
        pub fn inflateGetDictionary(strm: z_streamp, dictionary: *mut Bytef, dictLength: *mut uInt) -> c_int;
    }
}
