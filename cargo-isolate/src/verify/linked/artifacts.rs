//! The outputs of a workspace build: programs, crates, and static archives from build scripts.

use crate::graph::Graph;
use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Artifact, Message, PackageId, TargetKind};
use std::collections::{BTreeMap, BTreeSet};

/// Files that a build produced or found up to date.
#[derive(Debug, Default)]
pub(crate) struct Built {
    /// Ordered by path.
    pub(super) programs: Vec<Program>,
    /// Library crates: path → package.
    pub(super) crates: BTreeMap<Utf8PathBuf, String>,
    /// Static archives in the directories that build scripts pass to the linker: path → package.
    pub(super) archives: BTreeMap<Utf8PathBuf, String>,
    /// The crate names of each package, as in Rust paths.
    pub(super) names: BTreeMap<String, BTreeSet<String>>,
    /// Libraries other than static ones that build scripts pass to the linker: `z`, `dylib=z`.
    pub(super) told: BTreeSet<String>,
}

/// Cargo's output directories for the platform of domains: if that is the host, and if it is passed as `--target`.
const FOLDERS: [&str; 2] = ["debug", "x86_64-unknown-linux-gnu/debug"];

/// The newest entry of cargo's output directories that is called `name` plus a hash: a file that ends with `suffix`, or
/// a directory that contains such a file.
fn newest(target: &Utf8Path, within: &str, name: &str, suffix: &str) -> Option<Utf8PathBuf> {
    let folders = FOLDERS.iter().filter_map(|folder| target.join(folder).join(within).read_dir_utf8().ok());
    let entries = folders.flatten().filter_map(Result::ok);
    // `lz4-0123…` and not `lz4-sys-0123…`.
    let is_it = |entry: &str| {
        let rest = entry.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'));
        rest.is_some_and(|rest| rest.split('.').next().is_some_and(|hash| hash.bytes().all(|c| c.is_ascii_hexdigit())))
    };
    let named = entries.filter(|entry| is_it(entry.file_name())).map(|entry| entry.into_path());
    let dated = named.filter_map(|path| {
        let file = match suffix.strip_prefix('/') {
            Some(name) => path.join(name),
            None => path.clone(),
        };
        let date = file.metadata().ok()?.modified().ok()?;
        file.as_str().ends_with(suffix).then_some((date, path))
    });
    dated.max().map(|(_, path)| path)
}

/// A linked program.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) path: Utf8PathBuf,
    /// Its name in messages: `app`, `app (unit tests)`.
    pub(super) name: String,
    /// Compiled with tests or benchmarks, which may call foreign functions directly.
    pub(super) test: bool,
    /// A shared library for a program that is not built here. It runs code of its own, and cannot create domains.
    pub(super) shared: bool,
}

impl Built {
    /// Reads what `cargo build --message-format json-render-diagnostics` prints. Packages that the graph does not have
    /// are build dependencies of other platforms, and of no interest.
    pub(crate) fn read(stdout: &[u8], graph: &Graph) -> Built {
        let package = |key: &PackageId| {
            let found = graph.packages.iter().find(|package| package.key == *key)?;
            Some(found.name.clone())
        };
        let mut built = Built::default();
        for message in Message::parse_stream(stdout).filter_map(Result::ok) {
            match message {
                Message::CompilerArtifact(artifact) => {
                    if let Some(package) = package(&artifact.package_id) {
                        built.artifact(artifact, package);
                    }
                }
                Message::BuildScriptExecuted(script) => {
                    if let Some(package) = package(&script.package_id) {
                        built.folders(&script.linked_paths, &package);
                    }
                }
                _ => {}
            }
        }
        built.programs.sort_by(|a, b| a.path.cmp(&b.path));
        built
    }

    /// The outputs of some packages from the last build, identified by file names: good enough for information, not for
    /// verification.
    pub(super) fn left_over(graph: &Graph, packages: &BTreeSet<usize>) -> Built {
        let mut built = Built::default();
        for package in packages.iter().map(|index| &graph.packages[*index]) {
            let of = package.name.clone();
            if let Some(folder) = newest(&graph.target, "build", &package.name, "/output") {
                let output = std::fs::read_to_string(folder.join("output")).unwrap_or_default();
                let told = |key: &str| {
                    let lines = output
                        .lines()
                        .filter_map(|line| line.strip_prefix("cargo:"))
                        .map(|line| line.trim_start_matches(':'));
                    lines.filter_map(|line| line.strip_prefix(key).map(Utf8PathBuf::from)).collect::<Vec<_>>()
                };
                built.folders(&told("rustc-link-search="), &of);
                let libraries = told("rustc-link-lib=").into_iter().map(Utf8PathBuf::into_string);
                // The wrappers' linker fragment is passed like a library, but is none.
                let is_fragment = |library: &String| library.ends_with("-isolate.ld");
                built.told.extend(libraries.filter(|library| !library.starts_with("static") && !is_fragment(library)));
            }
            let krate =
                package.lib.as_ref().and_then(|lib| newest(&graph.target, "deps", &format!("lib{lib}"), ".rlib"));
            built.crates.extend(krate.map(|path| (path, of)));
        }
        built
    }

    fn artifact(&mut self, artifact: Artifact, package: String) {
        let is = |kind: TargetKind| artifact.target.kind.contains(&kind);
        if is(TargetKind::CustomBuild) || is(TargetKind::ProcMacro) {
            return;
        }
        self.names.entry(package.clone()).or_default().insert(artifact.target.name.replace('-', "_"));
        if let Some(path) = artifact.executable {
            let unit_tests = artifact.profile.test && !is(TargetKind::Test) && !is(TargetKind::Bench);
            let suffix = if unit_tests { " (unit tests)" } else { "" };
            let name = format!("{}{suffix}", artifact.target.name);
            let test = artifact.profile.test || is(TargetKind::Test) || is(TargetKind::Bench);
            self.programs.push(Program { path, name, test, shared: false });
            return;
        }
        for path in artifact.filenames {
            match path.extension() {
                Some("rlib") => _ = self.crates.insert(path, package.clone()),
                Some("so") => {
                    let name = format!("{} (shared library)", artifact.target.name);
                    self.programs.push(Program { path, name, test: artifact.profile.test, shared: true });
                }
                _ => {}
            }
        }
    }

    fn folders(&mut self, paths: &[Utf8PathBuf], package: &str) {
        for path in paths {
            // `native=/path`
            let folder = Utf8PathBuf::from(path.as_str().split_once('=').map_or(path.as_str(), |(_, path)| path));
            let entries = folder.read_dir_utf8().into_iter().flatten().filter_map(Result::ok);
            let archives = entries.map(|entry| entry.into_path()).filter(|path| path.extension() == Some("a"));
            self.archives.extend(archives.map(|path| (path, package.to_owned())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, time::Duration};

    /// Checks which of these files, ordered by age, is found.
    #[track_caller]
    fn check(files: &[&str], name: &str, found: Option<&str>) {
        let folder = tempfile::tempdir().unwrap();
        let target = Utf8Path::from_path(folder.path()).unwrap();
        for (age, file) in files.iter().rev().enumerate() {
            let path = target.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let made = fs::File::create(&path).unwrap();
            made.set_modified(made.metadata().unwrap().modified().unwrap() - Duration::from_secs(age as u64)).unwrap();
        }
        let expected = found.map(|file| target.join(file));
        assert_eq!(newest(target, "deps", name, ".rlib"), expected);
    }

    #[test]
    fn the_last_build_by_names_of_its_files() {
        check(&["debug/deps/liblz4-0a.rlib", "debug/deps/liblz4-0b.rlib"], "liblz4", Some("debug/deps/liblz4-0b.rlib"));
        check(
            &["debug/deps/liblz4-0a.rlib", "debug/deps/liblz4-sys-0b.rlib"],
            "liblz4",
            Some("debug/deps/liblz4-0a.rlib"),
        );
        let there = "x86_64-unknown-linux-gnu/debug/deps/liblz4-0b.rlib";
        check(&["debug/deps/liblz4-0a.rlib", there], "liblz4", Some(there));
        check(&[there, "debug/deps/liblz4-0a.rmeta"], "liblz4", Some(there));
        check(&["release/deps/liblz4-0a.rlib"], "liblz4", None);
    }
}
