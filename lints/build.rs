//! Names this build of the scanner by its own source, so that no cache of facts outlives a change of what facts mean.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::Path,
};

fn main() {
    let mut hasher = DefaultHasher::new();
    // The workspace's manifest pins the parser, which has its part in the facts. A published package has that in its own.
    for path in ["Cargo.toml", "../Cargo.toml", "src"].into_iter().filter(|path| Path::new(path).exists()) {
        println!("cargo::rerun-if-changed={path}");
        hash(Path::new(path), &mut hasher);
    }
    println!("cargo::rustc-env=ISOLATE_LINTS_FINGERPRINT={:016x}", hasher.finish());
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
