//! Says with `cfg(platform)` whether this is the one platform of the back end on protection keys, and with `cfg(mpk)` whether it is
//! compiled: only where `malloc` may be defined, since without that no domain can be made.

use std::env::var_os;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(mpk, platform)");
    let is = |name: &str, value: &str| var_os(format!("CARGO_CFG_TARGET_{name}")).is_some_and(|found| found == value);
    let platform = is("ARCH", "x86_64") && is("OS", "linux") && is("ENV", "gnu") && is("POINTER_WIDTH", "64");
    if platform {
        println!("cargo::rustc-cfg=platform");
    }
    if platform && var_os("CARGO_FEATURE_INTERPOSE").is_some() {
        println!("cargo::rustc-cfg=mpk");
    }
}
