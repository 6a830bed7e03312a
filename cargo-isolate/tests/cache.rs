//! The cache of scanned facts: the same bytes with it and without it, and nothing believed that is damaged.

mod needs;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// A workspace of its own with an empty cache.
struct Workspace {
    folder: TempDir,
}

struct Output {
    stdout: String,
    stderr: String,
}

const SOURCE: &str = "unsafe extern \"C\" { fn crc32(); }\npub fn sum() { unsafe { crc32() } }\n";

impl Workspace {
    fn new() -> Workspace {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace { folder };
        workspace.put("Cargo.toml", "[package]\nname = \"app\"\nedition = \"2024\"\n[workspace]\n");
        workspace.put("src/lib.rs", SOURCE);
        workspace
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    #[track_caller]
    fn audit(&self, arguments: &[&str]) -> Output {
        audit(self.folder.path(), &self.cache(), arguments)
    }

    /// The one file of its cache that holds facts.
    #[track_caller]
    fn kept(&self) -> PathBuf {
        let files: Vec<_> = self.files().into_iter().filter(|path| !is_answer(path)).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }

    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.cache()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| !path.is_dir()).collect()
    }
}

/// Whether a file of the cache holds what the compiler said.
fn is_answer(path: &Path) -> bool {
    path.file_name().unwrap().to_str().unwrap().starts_with("rustc-")
}

#[track_caller]
fn audit(directory: &Path, cache: &Path, arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"))
        .args(["isolate", "--offline", "--format", "json", "--verbose"])
        .args(arguments)
        .current_dir(directory)
        .env("CARGO_ISOLATE_CACHE_DIR", cache)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    Output { stdout, stderr }
}

/// Damages what the first audit kept: the second must say so, and find the same.
#[track_caller]
fn check(damage: impl FnOnce(&mut Vec<u8>), note: &str) {
    let workspace = Workspace::new();
    let first = workspace.audit(&[]);
    let mut bytes = fs::read(workspace.kept()).unwrap();
    damage(&mut bytes);
    fs::write(workspace.kept(), bytes).unwrap();
    let second = workspace.audit(&[]);
    assert_eq!(first.stdout, second.stdout);
    assert!(second.stderr.contains(note), "{}", second.stderr);
    // Written anew, and believed again.
    let third = workspace.audit(&[]);
    assert_eq!((first.stdout, String::new()), (third.stdout, third.stderr));
}

#[test]
fn damage_is_noticed() {
    check(|bytes| bytes.truncate(bytes.len() - 1), "is damaged or cut short");
    check(|bytes| bytes.truncate(60), "is cut short");
    check(|bytes| bytes.truncate(20), "is cut short");
    check(|bytes| bytes.clear(), "is not a file of this cache");
    check(|bytes| *bytes.last_mut().unwrap() ^= 1, "is damaged or cut short");
    check(|bytes| bytes.push(0), "is damaged or cut short");
    // The build that wrote it stands behind the magic.
    check(|bytes| bytes[20] ^= 1, "was written by another version of cargo-isolate");
}

/// The compiler is asked by the first audit alone, until it is another one. (What cargo asks, cargo remembers or does not.)
#[cfg(unix)]
#[test]
fn the_compiler_is_asked_once() {
    use std::os::unix::fs::PermissionsExt;
    let workspace = Workspace::new();
    let (compiler, log) = (workspace.folder.path().join("compiler"), workspace.folder.path().join("log"));
    let install = |comment: &str| {
        let text = format!("#!/bin/sh\n# {comment}\necho \"$@\" >> {}\nexec rustc \"$@\"\n", log.display());
        fs::write(&compiler, text).unwrap();
        fs::set_permissions(&compiler, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let starts = || {
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"))
            .args(["isolate", "--offline", "--format", "json"])
            .current_dir(workspace.folder.path())
            .env("CARGO_ISOLATE_CACHE_DIR", workspace.cache())
            .env("RUSTC", &compiler)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let log_text = fs::read_to_string(&log).unwrap_or_default();
        let _ = fs::remove_file(&log);
        (log_text.lines().filter(|arguments| arguments.starts_with("--print")).count(), output.stdout)
    };
    install("the first");
    let (first, expected) = starts();
    assert_eq!(first, 1);
    assert_eq!(starts(), (0, expected.clone()));
    install("and one that was installed later");
    assert_eq!(starts(), (1, expected.clone()));
    for answer in workspace.files().iter().filter(|path| is_answer(path)) {
        fs::write(answer, "nonsense").unwrap();
    }
    assert_eq!(starts(), (1, expected));
}

#[test]
fn what_changed_is_scanned_again() {
    let workspace = Workspace::new();
    workspace.audit(&[]);
    workspace.put("src/lib.rs", &format!("{SOURCE}pub fn other() {{ unsafe {{ crc32() }} }}\n"));
    let changed = workspace.audit(&[]);
    assert_eq!(changed.stdout, workspace.audit(&["--no-cache"]).stdout);
    assert_eq!(changed.stdout.matches("\"function\": \"other\"").count(), 2, "{}", changed.stdout);
}

/// A text read with another edition has other facts: `async` is a name in 2015.
#[test]
fn editions_are_told_apart() {
    let workspace = Workspace::new();
    workspace.put("src/lib.rs", "pub fn async() { unsafe { f() } }\n");
    let manifest = |edition| format!("[package]\nname = \"app\"\nedition = \"{edition}\"\n[workspace]\n");
    workspace.put("Cargo.toml", &manifest("2015"));
    let old = workspace.audit(&[]);
    assert!(old.stdout.contains("\"complete\": true"), "{}", old.stdout);
    workspace.put("src/lib.rs", SOURCE);
    workspace.put("Cargo.toml", &manifest("2024"));
    workspace.audit(&[]);
    assert_eq!(workspace.audit(&[]).stderr, "");
}

#[test]
fn a_cache_that_cannot_be_written_is_done_without() {
    let workspace = Workspace::new();
    let first = workspace.audit(&["--no-cache"]);
    assert!(!workspace.cache().exists());
    fs::write(workspace.cache(), "a file where the directory would be").unwrap();
    let second = workspace.audit(&[]);
    assert_eq!(first.stdout, second.stdout);
    assert!(second.stderr.contains("cannot write the cache"), "{}", second.stderr);
}

#[test]
fn runs_at_the_same_time_do_not_disturb_each_other() {
    let workspace = Workspace::new();
    let alone = workspace.audit(&["--no-cache"]).stdout;
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..6).map(|_| scope.spawn(|| workspace.audit(&[]))).collect();
        for run in runs {
            let run = run.join().unwrap();
            assert_eq!((run.stdout, run.stderr), (alone.clone(), String::new()));
        }
    });
    workspace.kept();
}

/// Over 132 packages: cold, warm, without a cache and on one thread, the same bytes.
#[test]
fn the_same_bytes_however_they_come() {
    let Some(corpus) = needs::crates("corpus") else { return };
    let cache = tempfile::tempdir().unwrap();
    let audit = |arguments: &[&str]| {
        let all: Vec<&str> =
            ["--locked", "--target", "x86_64-unknown-linux-gnu"].iter().chain(arguments).copied().collect();
        let output = audit(&corpus, cache.path(), &all);
        (blake3::hash(output.stdout.as_bytes()), output.stderr)
    };
    let cold = audit(&[]);
    assert!(fs::read_dir(cache.path()).unwrap().count() > 100);
    assert_eq!(cold, audit(&[]), "warm");
    assert_eq!(cold, audit(&["--no-cache", "--jobs", "1"]), "one thread");
}

/// Somebody put something endless in the place of a file of the cache.
#[test]
fn no_file_of_the_cache_exhausts_anybody() {
    let workspace = Workspace::new();
    let expected = workspace.audit(&[]).stdout;
    let kept = workspace.kept();
    fs::remove_file(&kept).unwrap();
    assert!(Command::new("mkfifo").arg(&kept).status().unwrap().success());
    let Output { stdout, stderr } = workspace.audit(&[]);
    assert_eq!(stdout, expected);
    assert!(stderr.contains("not a file; scanned again"), "{stderr}");

    let _ = fs::remove_file(&kept);
    fs::File::create(&kept).unwrap().set_len(1 << 43).unwrap();
    let Output { stdout, stderr } = workspace.audit(&[]);
    assert_eq!(stdout, expected);
    assert!(stderr.contains("longer than 512 MiB; scanned again"), "{stderr}");
}
