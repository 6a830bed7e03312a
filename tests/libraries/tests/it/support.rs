//! What the tests share: data to work on. Whether this machine isolates is asked as in `isolate-rt`.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// For tests of the library of our own, which count its records and fault it: a fault sends every thread out of the domain.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Named data of many sizes, the same in every run: nothing, bytes, text, noise, runs, and `largest` bytes of text.
pub(crate) fn samples(largest: usize) -> Vec<(String, Vec<u8>)> {
    let text = text();
    let mut samples = Vec::new();
    for size in [0, 1, 2, 15, 16, 17, 4095, 4096, 4097, 65_537, 900_001] {
        samples.push((format!("{size} bytes of text"), repeated(&text, size)));
        samples.push((format!("{size} bytes of noise"), noise(size)));
        samples.push((format!("{size} bytes of runs"), (0..size).map(|at| (at / 300) as u8).collect()));
    }
    samples.push((format!("{largest} bytes of text"), repeated(&text, largest)));
    samples
}

/// Sizes go up to this: 64 MiB.
pub(crate) const LARGEST: usize = 64 << 20;

/// Source text of this repository, in the order of its paths.
pub(crate) fn text() -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut text = Vec::new();
    for folder in ["cargo-isolate/src", "isolate-rt/src", "lints/src", "templates"] {
        append(&root.join(folder), &mut text);
    }
    assert!(text.len() > 100_000, "this repository's sources are where they were");
    text
}

fn append(folder: &Path, text: &mut Vec<u8>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            append(&path, text);
        } else {
            text.extend(fs::read(path).unwrap());
        }
    }
}

/// Exactly `size` bytes of `text`, each copy made a little different from the last.
fn repeated(text: &[u8], size: usize) -> Vec<u8> {
    let mut data = Vec::with_capacity(size + text.len());
    while data.len() < size {
        data.extend(format!("copy {}\n", data.len()).bytes());
        data.extend(text);
    }
    data.truncate(size);
    data
}

/// Bytes of a xorshift generator.
pub(crate) fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..size).map(|_| next()).collect()
}
