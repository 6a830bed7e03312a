#[path = "../outside/file.rs"]
mod outside;
#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod platform;
#[path = "elsewhere"]
mod inline {
    mod child;
    pub mod deeper {
        mod grandchild;
    }
}
pub use outside::call as alias;
pub use inline::{self, deeper::*, child::{self as kid, one, two as _}};
use ::std::io;
extern crate alloc;
extern crate self as me;
fn calls() {
    alias(1);
    <u8 as Trait>::qualified(1);
    Vec::<u8>::with_capacity(1);
    (alias)(2);
    let f: fn(u8) = alias;
    self::inline::deeper::call();
    crate::alias(3);
    object.method::<u8>(alias);
    Struct { field: outside::value };
    Some(alias(4));
}
