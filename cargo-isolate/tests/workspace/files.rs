//! The files that an audit has read.

use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Each file of a report with `--format json`, and the edition that `cargo metadata` gives for its package.
pub(crate) fn with_editions(corpus: &Path, metadata: &Value, audit: &Value) -> Vec<(PathBuf, String)> {
    let packages = metadata["packages"].as_array().unwrap().iter();
    let editions: BTreeMap<&str, &str> = packages
        .map(|package| {
            let manifest = package["manifest_path"].as_str().unwrap();
            (manifest.strip_suffix("/Cargo.toml").unwrap(), package["edition"].as_str().unwrap())
        })
        .collect();
    let mut files = Vec::new();
    for package in audit["packages"].as_array().unwrap() {
        let edition = editions[package["root"].as_str().unwrap()];
        let paths = package["files"].as_array().unwrap().iter();
        files.extend(paths.map(|path| (corpus.join(path.as_str().unwrap()), edition.to_owned())));
    }
    files
}
