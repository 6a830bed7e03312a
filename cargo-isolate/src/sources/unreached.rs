//! Files below a member's `src` that no `mod` item leads to. They are part of no build, but visible to readers of the
//! tree.

use super::cache::{Files, Read, Shape};
use crate::{
    graph::{Package, Role, SourceFile},
    text::{self, Text},
};
use camino::{Utf8Path, Utf8PathBuf};
use isolate_lints::{Edition, cfg::Configs};
use std::{collections::HashSet, sync::Arc};

/// Reads and scans the unreached files, in the order of their paths. `reached` are the files of all packages.
/// Unreadable files are skipped, since nothing refers to them.
pub(super) fn scan(
    package: &Package,
    edition: Edition,
    reached: &HashSet<Utf8PathBuf>,
    known: &Files<'_>,
) -> Vec<SourceFile> {
    let source = package.root.join("src");
    let files = rust_files(&source).into_iter().filter(|path| !reached.contains(path)).filter_map(|path| {
        let text = text::read(&path).ok()?;
        let digest = text::digest(&text);
        let facts = known.facts(&text, digest, Read { edition, shape: Shape::Items });
        let module = path.strip_prefix(&source).ok()?.with_extension("");
        let module = module.components().map(|part| part.as_str().to_owned()).filter(|part| part != "mod").collect();
        Some(SourceFile {
            path,
            text: Text::known(digest),
            role: Role::Unreached,
            krate: package.lib.clone().unwrap_or_else(|| package.name.replace('-', "_")),
            edition,
            module,
            cfgs: Vec::new(),
            configs: Arc::new(Configs::default()),
            facts,
            also: Vec::new(),
            expansions: Vec::new(),
        })
    });
    files.collect()
}

/// Does not follow links to directories, which may lead anywhere, including back.
fn rust_files(directory: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut open = vec![directory.to_owned()];
    let mut found = Vec::new();
    while let Some(directory) = open.pop() {
        for entry in directory.read_dir_utf8().into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            let path = entry.into_path();
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() && path.extension() == Some("rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
