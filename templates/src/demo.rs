//! The example project of `cargo isolate demo`: a small unpacking tool over four C libraries, one of them with a bug.

/// One file of the project.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its path in the project.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! files {
    ($($path:literal from $source:literal,)*) => {
        &[$(File { path: $path, text: include_str!(concat!("../demo/", $source)) }),*]
    };
}

/// The project before anything is isolated, including `policy.toml`.
pub const PROJECT: &[File] = files! {
    "Cargo.toml" from "Cargo.toml.in", // a `Cargo.toml` here would make it a package of its own, which cargo does not ship
    "build.rs" from "build.rs",
    "policy.toml" from "policy.toml",
    "csrc/tlv.c" from "csrc/tlv.c",
    "csrc/tlv.h" from "csrc/tlv.h",
    "src/main.rs" from "src/main.rs",
    "src/archive.rs" from "src/archive.rs",
    "src/codec.rs" from "src/codec.rs",
    "src/ffi.rs" from "src/ffi.rs",
};

/// The file that makes the foreign calls.
pub const CALLS: &str = "src/codec.rs";

/// An archive whose first metadata record fits the archive, but not the 24-byte stack buffer in `csrc/tlv.c`.
pub fn hostile_archive() -> Vec<u8> {
    const MODE: u8 = 2;
    let number = [b'A'; 32 << 10]; // far past the end of any stack frame that is there
    let mut metadata = vec![MODE];
    metadata.extend((number.len() as u16).to_le_bytes());
    metadata.extend(number);

    let mut archive = b"unpack1\n".to_vec();
    archive.push(1); // packed by zlib; nothing gets that far
    archive.extend((metadata.len() as u32).to_le_bytes());
    archive.extend(metadata);
    archive
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeSet, fs, path::Path};

    /// An unlisted file would be missing from the project that the demo writes.
    #[test]
    fn every_file_is_listed() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
        let mut found = BTreeSet::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.insert(fs::read_to_string(path).unwrap());
                }
            }
        }
        let listed = PROJECT.iter().map(|file| file.text.to_owned()).collect();
        assert_eq!(found, listed);
    }
}
