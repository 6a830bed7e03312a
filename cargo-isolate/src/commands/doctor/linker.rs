//! Which linker cargo uses here: only LLD reads the linker fragment that comes with the wrappers.
//!
//! A small program is built to find out. It is built in the current folder, whose cargo configuration may choose
//! another linker.

use super::Need;
use crate::process;
use object::{Object, ObjectSection};
use std::{fs, path::Path, process::Output};

/// The target that domains exist on.
const TARGET: &str = "x86_64-unknown-linux-gnu";

pub(super) fn linker() -> Need {
    let (met, found) = match comment() {
        Ok(comment) => match lld(&comment) {
            Some(version) => (true, version.to_owned()),
            None => (false, "no LLD".to_owned()),
        },
        Err(why) => (false, why),
    };
    Need {
        name: "linker",
        met,
        found,
        remedy: format!(
            "use Rust 1.90 or newer, whose rust-lld links {TARGET}, and take `linker`, `-fuse-ld` and `linker-features` out of cargo's configuration and RUSTFLAGS"
        ),
    }
}

/// The `.comment` section of a small program, in which compilers and linkers record their versions.
fn comment() -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().map_err(|error| format!("no folder to try it in: {error}"))?;
    let output = build(folder.path()).map_err(|error| format!("cargo does not start: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let error = said.lines().find_map(|line| line.strip_prefix("error")).unwrap_or_default();
        let error = error.trim_start_matches([':', ' ']);
        return Err(format!("a program for {TARGET} cannot be built: {error}"));
    }
    let program = folder.path().join("target").join(TARGET).join("debug/tried");
    let bytes = fs::read(&program).map_err(|error| format!("{}: {error}", program.display()))?;
    let section = object::File::parse(&*bytes).ok().and_then(|file| {
        let section = file.section_by_name(".comment")?;
        Some(section.data().ok()?.to_owned())
    });
    Ok(section.unwrap_or_default())
}

fn build(folder: &Path) -> std::io::Result<Output> {
    fs::create_dir(folder.join("src"))?;
    fs::write(folder.join("src/main.rs"), "fn main() {}\n")?;
    let manifest = folder.join("Cargo.toml");
    fs::write(&manifest, "[package]\nname = \"tried\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n")?;
    let mut cargo = process::cargo();
    // Stripping would remove the section.
    cargo.args(["build", "--offline", "--quiet", "--config", "profile.dev.strip=false", "--target", TARGET]);
    cargo.arg("--manifest-path").arg(manifest);
    cargo.arg("--target-dir").arg(folder.join("target")).output()
}

/// Extracts `LLD 22.1.2` from `rustc version 1.95.0\0Linker: LLD 22.1.2 (/checkout/src/llvm-project …)\0`.
fn lld(comment: &[u8]) -> Option<&str> {
    let mut notes = comment.split(|byte| *byte == 0).filter_map(|note| std::str::from_utf8(note).ok());
    let linker = notes.find_map(|note| note.strip_prefix("Linker: "))?;
    let version = linker.split(" (").next().unwrap_or(linker);
    version.starts_with("LLD").then_some(version)
}

#[cfg(test)]
mod tests {
    use super::lld;

    #[test]
    fn who_has_linked() {
        let found = |text: &[u8]| lld(text).map(str::to_owned);
        assert_eq!(found(b"\0rustc version 1.95.0\0Linker: LLD 22.1.2 (/checkout 8)\0"), Some("LLD 22.1.2".to_owned()));
        assert_eq!(found(b"mold 2.40.0 (compatible with GNU ld)\0rustc version 1.95.0\0"), None);
        assert_eq!(found(b""), None);
    }
}
