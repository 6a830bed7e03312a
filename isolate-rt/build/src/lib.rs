//! Build-script helper of `isolate-rt`.
//!
//! `cargo isolate wrap` writes a linker fragment beside the wrappers. It gathers the writable globals of each isolated
//! library on pages of their own and defines the symbols that the wrappers name; [`link!`] hands it to the linker of every
//! program that links the crate.

use std::path::PathBuf;
use std::{env, fs};

/// Gives the linker fragment at a path (relative to the package) to the linker, wherever this crate ends up.
///
/// Call it from `build.rs`. Plain link arguments of a dependency never reach the final link; a "library" that is a linker
/// script does, and rust-lld (the default linker of x86-64 Linux since Rust 1.90) reads it as one. Other linkers do not.
/// A flag in `RUSTFLAGS` that chooses one (`-fuse-ld=mold`) is an error; a `linker` set in cargo's configuration is not seen,
/// and linking then fails with undefined symbols `__isolate_…`.
///
/// On platforms without domains it does nothing but warn: the wrappers compile there, and their calls return errors.
///
/// When the build script runs again stays as it was: cargo compiles and runs it anew when the fragment changes, for that is
/// a part of it. A `rerun-if-changed` from here would end cargo's rule for scripts that print none, to run them whenever a
/// file of the package changes.
///
/// # Panics
///
/// Outside a build script, and when the fragment cannot be written: the build cannot go on then, and a panic is how a build
/// script says so.
#[macro_export]
macro_rules! link {
    ($path:literal) => {
        $crate::hand_over($path, ::core::include_str!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", $path)))
    };
}

/// What [`link!`] does with the text of the fragment at a path.
#[doc(hidden)]
pub fn hand_over(path: &str, fragment: &str) {
    // With one colon: cargo takes two from no package that says it builds with a Rust before 1.77.
    if !has_domains() {
        let target = variable("TARGET");
        println!("cargo:warning=isolated calls return errors on {target}: domains need x86_64-unknown-linux-gnu");
        return;
    }
    if let Some(flag) = other_linker(&env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default()) {
        eprintln!(
            "error: `{flag}` chooses a linker that does not read the fragment {path}: domains need rust-lld, \
             the default linker of x86_64-unknown-linux-gnu"
        );
        std::process::exit(1);
    }
    let folder = PathBuf::from(variable("OUT_DIR"));
    // All fragments of a program are found by name, so the name is the package's.
    let name = format!("{}-{}-isolate.ld", variable("CARGO_PKG_NAME"), variable("CARGO_PKG_VERSION"));
    let copy = folder.join(&name);
    fs::write(&copy, fragment).unwrap_or_else(|error| panic!("cannot write {}: {error}", copy.display()));
    println!("cargo:rustc-link-search=native={}", folder.display());
    println!("cargo:rustc-link-lib=dylib:+verbatim={name}");
}

/// The platform for which wrappers name the fragment's symbols.
fn has_domains() -> bool {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ARCH", "x86_64") && is("CARGO_CFG_TARGET_ENV", "gnu")
}

/// The flag that chooses a linker other than lld, if there is one.
fn other_linker(encoded_rustflags: &str) -> Option<&str> {
    encoded_rustflags.split('\u{1f}').find(|flag| {
        let flag = flag.trim_start_matches("-C").trim_start();
        let other = |name: &str| flag.strip_prefix("link-arg=-fuse-ld=").is_some_and(|linker| linker.starts_with(name));
        matches!(flag, "linker-features=-lld" | "link-self-contained=-linker" | "link-self-contained=no")
            || ["bfd", "gold", "mold", "ld"].into_iter().any(other)
    })
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("`{name}` is not set: this runs in a build script, started by cargo"))
}

#[cfg(test)]
mod tests {
    use super::other_linker;

    #[track_caller]
    fn check(flags: &[&str], expected: Option<&str>) {
        assert_eq!(other_linker(&flags.join("\u{1f}")), expected);
    }

    #[test]
    fn finds_the_flag_that_chooses_another_linker() {
        check(&[], None);
        check(&["-Copt-level=3", "-Clink-arg=-fuse-ld=lld"], None);
        check(&["-Clinker-features=-lld"], Some("-Clinker-features=-lld"));
        check(&["-C", "linker-features=-lld"], Some("linker-features=-lld"));
        check(&["-Clink-arg=-fuse-ld=bfd", "-g"], Some("-Clink-arg=-fuse-ld=bfd"));
        check(&["-Clink-arg=-fuse-ld=mold"], Some("-Clink-arg=-fuse-ld=mold"));
    }
}
