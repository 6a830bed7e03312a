//! The committed wrappers of `tests/libraries` are what the tool writes today.

use std::path::Path;
use std::process::Command;

#[test]
fn committed_wrappers_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"))
        .args(["isolate", "wrap", "--check", "--policy", "tests/libraries/isolation.toml"])
        .current_dir(root)
        .output()
        .unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{stdout}{stderr}");
}
