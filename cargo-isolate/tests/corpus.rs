//! The audit of real packages: `tests/corpus`, 132 packages with bundled C, `cfg`'d modules and modules in macros.
//!
//! Needs crates.io once, to fetch them; without it the test says that it skips. Its page is opened by a Chromium on the path.

mod browser;
mod needs;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

#[test]
fn real_packages_are_audited_whole() {
    let Some(corpus) = needs::crates("corpus") else { return };
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let page = directory.path().join("corpus.html");
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"))
        .args([
            "isolate",
            "--deps",
            "--locked",
            "--offline",
            "--target",
            "x86_64-unknown-linux-gnu",
            "--format",
            "json",
        ])
        .arg(format!("--format=html={}", page.display()))
        .current_dir(&corpus)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let audit: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(audit["complete"], true, "{}", audit["problems"]);
    // Modules that are declared and not there, under a `cfg` or in a macro, would each be worth a look.
    assert_eq!(audit["problems"].as_array().unwrap().len(), 0, "{}", audit["problems"]);

    insta::assert_snapshot!("corpus_unread", unread(&audit).join("\n"));
    insta::assert_snapshot!("corpus_totals", totals(&audit));

    let size = std::fs::metadata(&page).unwrap().len();
    assert!(size < 3_000_000, "{size} bytes");
    if let Some(chromium) = browser::chromium() {
        let page = std::fs::read_to_string(&page).unwrap();
        assert_eq!(browser::said(&chromium, &page, include_str!("page/large.js"), 1400, false), ["fine"]);
    }
}

/// Files below `src/` that no target of their package reaches, as `package/path`: each belongs to a binary of a dependency
/// or to nobody, which a review of this list has to confirm.
fn unread(audit: &serde_json::Value) -> Vec<String> {
    let mut unread = Vec::new();
    for package in audit["packages"].as_array().unwrap() {
        let root = Path::new(package["root"].as_str().unwrap());
        let read: BTreeSet<PathBuf> =
            package["files"].as_array().unwrap().iter().map(|file| root.join(file.as_str().unwrap())).collect();
        for file in rust_files(&root.join("src")) {
            if package["member"] == false && !read.contains(&file) {
                let name = package["name"].as_str().unwrap();
                unread.push(format!("{name}/{}", file.strip_prefix(root).unwrap().display()));
            }
        }
    }
    unread.sort();
    unread
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.to_str().is_some_and(|path| path.ends_with(".rs") && !path.ends_with(".expected.rs")) {
            files.push(path);
        }
    }
    files
}

/// Numbers that a change of the scanner should not change unnoticed.
fn totals(audit: &serde_json::Value) -> String {
    let packages = audit["packages"].as_array().unwrap();
    let files: usize = packages.iter().map(|package| package["files"].as_array().unwrap().len()).sum();
    let mut sums = std::collections::BTreeMap::<&str, [u64; 2]>::new();
    for (index, key) in ["counts", "dormant"].into_iter().enumerate() {
        for counts in packages.iter().flat_map(|package| package[key].as_object().unwrap().values()) {
            for (name, count) in counts.as_object().unwrap() {
                sums.entry(name).or_default()[index] += count.as_u64().unwrap();
            }
        }
    }
    let sums: Vec<String> = sums.iter().map(|(name, [live, dormant])| format!("{name} {live} + {dormant}")).collect();
    format!("packages {}\nfiles {files}\n{}", packages.len(), sums.join("\n"))
}
