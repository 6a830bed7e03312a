//! `data/libc-symbols.txt`, which the rule `shadowed-libc-symbol` believes: made from this machine's C library, and held against it.
//!
//! To make it anew: `ISOLATE_WRITE=1 cargo test -p isolate-lints --test libc_symbols`.

use object::{Object, ObjectSymbol};
use std::collections::BTreeSet;
use std::path::Path;

const LIBRARIES: [&str; 2] = ["libc.so.6", "libm.so.6"];
const DIRECTORIES: [&str; 3] = ["/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib"];

fn list() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/libc-symbols.txt")
}

/// What the machine's libraries export, and the version that `libc.so.6` says it is; `None` without glibc for x86-64.
fn exported() -> Option<(BTreeSet<String>, String)> {
    let directory =
        DIRECTORIES.iter().map(Path::new).find(|path| LIBRARIES.iter().all(|name| path.join(name).exists()))?;
    let (mut symbols, mut version) = (BTreeSet::new(), None);
    for name in LIBRARIES {
        let data = std::fs::read(directory.join(name)).unwrap();
        let file = object::File::parse(&*data).unwrap();
        if file.architecture() != object::Architecture::X86_64 {
            return None;
        }
        // `sin` and others are resolved at load time, which `is_definition` does not count.
        let defined = file.dynamic_symbols().filter(|symbol| !symbol.is_undefined() && symbol.is_global());
        let names = defined.filter_map(|symbol| symbol.name().ok().map(str::to_owned));
        // `GLIBC_2.2.5` and the like are the versions themselves.
        symbols.extend(names.filter(|name| !name.starts_with("GLIBC_") && !name.is_empty()));
        let text = String::from_utf8_lossy(&data);
        version = version.or_else(|| {
            let (_, rest) = text.split_once("stable release version ")?;
            Some(
                rest.split_once(['.', '\n', ','])
                    .and_then(|_| rest.split(". ").next())?
                    .lines()
                    .next()?
                    .trim_end_matches('.')
                    .to_owned(),
            )
        });
    }
    Some((symbols, version?))
}

#[test]
fn the_c_library_has_every_symbol_of_the_list() {
    let Some((exported, version)) = exported() else {
        eprintln!("SKIPPED: no glibc for x86-64 in {DIRECTORIES:?}");
        return;
    };
    if std::env::var_os("ISOLATE_WRITE").is_some() {
        let lines: Vec<&str> = exported.iter().map(String::as_str).collect();
        let text = format!(
            "# Symbols that {} of glibc {version} define on x86-64, sorted. Made by tests/libc_symbols.rs.\n{}\n",
            LIBRARIES.join(" and "),
            lines.join("\n")
        );
        std::fs::write(list(), text).unwrap();
    }
    let text = std::fs::read_to_string(list()).unwrap();
    let listed: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(listed.is_sorted_by(|one, next| one < next), "the list is sorted and names each once");
    for name in ["malloc", "read", "sin", "memcpy", "pthread_create", "dlopen", "environ"] {
        assert!(listed.binary_search(&name).is_ok(), "{name}");
    }
    // A symbol is never taken out of glibc, so an older list holds for every newer library.
    let made_from = text.split("glibc ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    let number = |version: &str| version.split('.').filter_map(|part| part.parse().ok()).collect::<Vec<u32>>();
    if number(&version) < number(made_from) {
        eprintln!("SKIPPED: this machine's glibc {version} is older than the list's {made_from}");
        return;
    }
    let gone: Vec<&&str> = listed.iter().filter(|name| !exported.contains(**name)).collect();
    assert!(gone.is_empty(), "not in glibc {version}: {gone:?}");
}
