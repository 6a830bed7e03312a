//! Where the C code of a package is, and its headers.

use camino::{Utf8Path, Utf8PathBuf};
use std::{collections::BTreeSet, fs};

/// Directories that headers are looked for in.
const INCLUDED: usize = 64;
/// Larger C files take clang longer than anybody waits: SQLite is 9 MB and is compiled.
const LARGEST: u64 = 16 << 20;

/// C code of a package.
#[derive(Default)]
pub(super) struct Files {
    sources: Vec<Utf8PathBuf>,
    /// With headers in them.
    folders: BTreeSet<Utf8PathBuf>,
}

impl Files {
    pub(super) fn walk(&mut self, folder: &Utf8Path, depth: usize) {
        const DEEPEST: usize = 8;
        let entries = folder.read_dir_utf8().into_iter().flatten().filter_map(Result::ok);
        let mut entries: Vec<_> = entries.map(|entry| entry.into_path()).collect();
        entries.sort();
        for path in entries {
            let Ok(metadata) = path.symlink_metadata() else { continue };
            let is_hidden = path.file_name().is_some_and(|name| name.starts_with('.'));
            match path.extension() {
                _ if is_hidden => {}
                _ if metadata.is_dir() && depth < DEEPEST => self.walk(&path, depth + 1),
                Some("c") if metadata.is_file() && metadata.len() <= LARGEST => self.sources.push(path),
                Some("h") if metadata.is_file() => {
                    self.folders.insert(folder.to_owned());
                }
                _ => {}
            }
        }
    }

    /// Files in which a line that begins in the first column names the function before a parenthesis and is no declaration.
    pub(super) fn defining(&self, symbol: &str) -> Vec<Utf8PathBuf> {
        let defines = |path: &&Utf8PathBuf| {
            let text = fs::read(path).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let is_it = |line: &str| {
                let begins = line.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
                begins && !line.trim_end().ends_with(';') && names(line, symbol)
            };
            text.lines().any(is_it)
        };
        self.sources.iter().filter(defines).cloned().collect()
    }

    /// `include` for `<zlib.h>`, and its parent for `<openssl/ssl.h>`.
    pub(super) fn included(&self) -> Vec<&Utf8Path> {
        let all = self.folders.iter().flat_map(|folder| [Some(&**folder), folder.parent()]).flatten();
        let mut seen = BTreeSet::new();
        let mut all: Vec<_> = all.filter(|folder| seen.insert(*folder)).collect();
        all.sort_by_key(|folder| folder.components().count());
        all.truncate(INCLUDED);
        all
    }
}

/// The word `symbol`, and a parenthesis behind it.
fn names(line: &str, symbol: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(symbol).any(|(at, _)| {
        let (before, after) = (&line[..at], line[at + symbol.len()..].trim_start());
        !before.ends_with(is_word) && (after.starts_with('(') || after.starts_with("PNGARG"))
    })
}
