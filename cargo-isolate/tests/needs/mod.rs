//! What some tests cannot do without. Where it is not to be had they skip, and say so; unless `ISOLATE_REQUIRE` names it
//! (`crates,browser`), as a machine does that has it: a line of a test that passes is shown to nobody.

#![allow(dead_code, reason = "each test program needs some of it")]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Says that a test skips for want of this.
///
/// # Panics
///
/// It is required.
pub(crate) fn skip(what: &str, why: &str) {
    let required = std::env::var("ISOLATE_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name == what), "ISOLATE_REQUIRE has `{what}`, but {why}");
    eprintln!("SKIPPED: {why}");
}

/// The folder in `tests/` of a workspace, once cargo has its packages.
pub(crate) fn crates(folder: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(folder).canonicalize().unwrap();
    let fetched = Command::new(env!("CARGO")).args(["fetch", "--locked"]).current_dir(&folder).output().unwrap();
    if fetched.status.success() {
        return Some(folder);
    }
    skip("crates", &format!("crates.io is needed once:\n{}", String::from_utf8_lossy(&fetched.stderr)));
    None
}
