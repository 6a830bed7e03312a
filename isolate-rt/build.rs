//! Says with `cfg(mpk)` whether the back end on protection keys is compiled: on its one platform, and only where `malloc` may
//! be defined, since without that no domain can be made.

use std::env::var_os;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(mpk)");
    let is = |name: &str, value: &str| var_os(format!("CARGO_CFG_TARGET_{name}")).is_some_and(|found| found == value);
    let platform = is("ARCH", "x86_64") && is("OS", "linux") && is("ENV", "gnu") && is("POINTER_WIDTH", "64");
    if platform && var_os("CARGO_FEATURE_INTERPOSE").is_some() {
        println!("cargo::rustc-cfg=mpk");
    }
}
