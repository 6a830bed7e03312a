//! What a build of the workspace made: programs, crates, and the static archives of build scripts.

use crate::graph::Graph;
use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Artifact, Message, PackageId, TargetKind};
use std::collections::{BTreeMap, BTreeSet};

/// Files that a build made, or found up to date.
#[derive(Debug, Default)]
pub(crate) struct Built {
    /// By path.
    pub(super) programs: Vec<Program>,
    /// Of libraries: path → package.
    pub(super) crates: BTreeMap<Utf8PathBuf, String>,
    /// Static archives where build scripts told the linker to look: path → package.
    pub(super) archives: BTreeMap<Utf8PathBuf, String>,
    /// What the crates of each package are called, in code.
    pub(super) names: BTreeMap<String, BTreeSet<String>>,
    /// Shared libraries that build scripts told the linker to look for: `z`, `dylib=z`.
    pub(super) told: BTreeSet<String>,
}

/// Where cargo builds for the platform of domains: on that platform, and where it is asked for by its name.
const FOLDERS: [&str; 2] = ["debug", "x86_64-unknown-linux-gnu/debug"];

/// The newest entry of cargo's folders for something with this name and a hash: a file that ends with `suffix`, or a folder with
/// such a file.
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
    /// As a person calls it: `app`, `app (unit tests)`.
    pub(super) name: String,
    /// Compiled with tests or benchmarks, which may call directly.
    pub(super) test: bool,
    /// A shared library, for a program that is not built here: code of its own runs in it, and domains cannot be made.
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

    /// What the last build left of some packages, as far as the names of its files say: for reading, not for proof.
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
                // The fragment of the wrappers goes to the linker as a library does, and is none.
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

    /// Of the files in this order of age, which one is found.
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
