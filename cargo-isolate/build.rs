//! Names this build by the source that decides which files are read and what is kept of them: caches of another are void.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::Path,
};

fn main() {
    let mut hasher = DefaultHasher::new();
    for path in ["src/files.rs", "src/graph.rs", "src/sources", "src/text.rs"] {
        println!("cargo::rerun-if-changed={path}");
        hash(Path::new(path), &mut hasher);
    }
    println!("cargo::rustc-env=ISOLATE_SOURCES_FINGERPRINT={:016x}", hasher.finish());
}

fn hash(path: &Path, hasher: &mut DefaultHasher) {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("the package's own source");
        let mut paths: Vec<_> = entries.map(|entry| entry.expect("the package's own source").path()).collect();
        paths.sort();
        paths.iter().for_each(|path| hash(path, hasher));
    } else {
        path.hash(hasher);
        fs::read(path).expect("the package's own source").hash(hasher);
    }
}
