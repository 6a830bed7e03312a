//! The self-check over real code: every `unsafe` keyword of every source file below a directory belongs to one fact.
//!
//! Needs sources that are not part of this repository, so it is ignored unless asked for:
//! `ISOLATE_SOURCES=~/.cargo/registry/src cargo test -p isolate-lints --test registry -- --ignored --nocapture`.

use isolate_lints::{Edition, scan};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[test]
#[ignore = "needs ISOLATE_SOURCES, a directory with Rust sources"]
fn every_unsafe_keyword_is_explained() {
    let root = std::env::var_os("ISOLATE_SOURCES").expect("ISOLATE_SOURCES names a directory with Rust sources");
    let mut files = Vec::new();
    collect(Path::new(&root), Edition::E2021, &mut files);
    assert!(!files.is_empty(), "no .rs file below {}", root.display());

    let (mut bytes, mut tokens, mut foreign, mut calls, mut mentions, mut broken) = (0, 0, 0, 0, 0, 0);
    let mut unexplained = Vec::new();
    let mut time = Duration::ZERO;
    for (path, edition) in &files {
        let Ok(text) = std::fs::read_to_string(path) else {
            continue;
        };
        let start = Instant::now();
        let facts = scan(&text, *edition);
        time += start.elapsed();
        bytes += text.len();
        tokens += facts.unsafe_tokens;
        foreign += facts.foreign.len();
        calls += facts.calls.len();
        mentions += facts.mentions.len();
        broken += usize::from(!facts.errors.is_empty());
        if facts.unexplained() != 0 {
            unexplained.push(format!("{}: {} of {}", path.display(), facts.unexplained(), facts.unsafe_tokens));
        }
    }
    println!(
        "{} files, {bytes} bytes, {time:?}: {tokens} unsafe keywords, {foreign} foreign items, {calls} calls, {mentions} mentions, {broken} files with errors",
        files.len()
    );
    assert!(unexplained.is_empty(), "{} files:\n{}", unexplained.len(), unexplained.join("\n"));
}

/// Files below a directory, with the edition of the nearest manifest above them.
fn collect(directory: &Path, edition: Edition, files: &mut Vec<(PathBuf, Edition)>) {
    let edition = edition_of(directory).unwrap_or(edition);
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, edition, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push((path, edition));
        }
    }
}

fn edition_of(directory: &Path) -> Option<Edition> {
    let manifest = std::fs::read_to_string(directory.join("Cargo.toml")).ok()?;
    let line = manifest.lines().find(|line| line.starts_with("edition"));
    let value = line.and_then(|line| line.split('"').nth(1)).unwrap_or("2015");
    value.parse().ok()
}
