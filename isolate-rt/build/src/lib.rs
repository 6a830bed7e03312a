//! Build-script helper of `isolate-rt`.
//!
//! `cargo isolate wrap` writes a linker fragment beside the wrappers. It gathers the writable globals of each isolated
//! library on pages of their own and defines the symbols that the wrappers name; [`link`] hands it to the linker of every
//! program that links the crate.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Gives the linker fragment at `path` (relative to the package) to the linker, wherever this crate ends up.
///
/// Call it from `build.rs`. Plain link arguments of a dependency never reach the final link; a "library" that is a linker
/// script does, and rust-lld (the default linker of x86-64 Linux since Rust 1.90) reads it as one.
///
/// # Panics
///
/// Outside a build script, and when the fragment cannot be read or copied: the build cannot go on then, and a panic is how
/// a build script says so.
pub fn link(path: impl AsRef<Path>) {
    let path = path.as_ref();
    println!("cargo::rerun-if-changed={}", path.display());
    if variable("CARGO_CFG_TARGET_OS") != "linux" || variable("CARGO_CFG_TARGET_ARCH") != "x86_64" {
        return; // wrappers compile there, without domains
    }
    let folder = PathBuf::from(variable("OUT_DIR"));
    // All fragments of a program are found by name, so the name is the package's.
    let name = format!("{}-{}-isolate.ld", variable("CARGO_PKG_NAME"), variable("CARGO_PKG_VERSION"));
    fs::copy(path, folder.join(&name))
        .unwrap_or_else(|error| panic!("cannot copy the linker fragment {}: {error}", path.display()));
    println!("cargo::rustc-link-search=native={}", folder.display());
    println!("cargo::rustc-link-lib=dylib:+verbatim={name}");
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("`{name}` is not set: this runs in a build script, started by cargo"))
}
