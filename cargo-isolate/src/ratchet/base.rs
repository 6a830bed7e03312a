//! The workspace at an earlier commit, scanned like the present one.

use super::git::{Commit, GitError, Repository};
use crate::{
    graph::{Graph, Package},
    sources::{self, LoadError, Request},
};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use std::{io, time::Duration};

/// An earlier state of a workspace. Its files are removed on drop.
pub(crate) struct Base {
    pub(crate) commit: Commit,
    /// `None` if the commit has no workspace at this path.
    pub(crate) graph: Option<Graph>,
    _folder: tempfile::TempDir,
}

/// Why an earlier state cannot be scanned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BaseError {
    #[error(transparent)]
    Git(#[from] GitError),
    #[error("the workspace of commit {commit} (`{name}`)")]
    Load { commit: String, name: String, source: LoadError },
}

/// Writes the files of a commit to a folder in cargo's target directory and scans the workspace there, as `now` was
/// scanned.
///
/// # Errors
///
/// If git cannot provide the files, or cargo cannot resolve the workspace.
pub(crate) fn load(repository: &Repository, commit: Commit, request: &Request, now: &Graph) -> Result<Base, BaseError> {
    let root = &now.root;
    let failed = |error| GitError::Write(commit.short().to_owned(), error);
    let folder = make_folder(&now.target).map_err(failed)?;
    // Cargo searches parent folders for a workspace, and stops at a path that ends like this. Otherwise it would use
    // the present workspace instead of the earlier one.
    let folder_path = Utf8PathBuf::from_path_buf(folder.path().to_owned())
        .map_err(|path| failed(io::Error::other(format!("`{}` is not UTF-8", path.display()))))?;
    // As deep as the repository itself, so that relative paths to packages outside it stay within this folder.
    let top = folder_path.join("target/package");
    let tree = repository.root().components().filter(is_name).fold(top.clone(), |path, name| path.join(name));
    std::fs::create_dir_all(&tree).map_err(failed)?;
    repository.write_files(&commit.hash, &tree, &folder_path.join("index"))?;
    let within = tree.join(repository.path_within(root).unwrap_or_default());
    let outside = |package: &&Package| package.local && repository.path_within(&package.root).is_none();
    for package in now.packages.iter().filter(outside) {
        link(&package.root, root, &within, &top).map_err(failed)?;
    }
    let manifest = within.join("Cargo.toml");
    if !manifest.is_file() {
        return Ok(Base { commit, graph: None, _folder: folder });
    }
    let lock = within.join("Cargo.lock");
    if !lock.exists() && root.join("Cargo.lock").exists() {
        // The lock file is not committed, so the present one is the best approximation.
        std::fs::copy(root.join("Cargo.lock"), lock).map_err(failed)?;
    }
    let mut request = request.clone();
    // If the present code was built, build the earlier code as well. Otherwise all generated code would look new.
    request.expand = now.expanded;
    request.manifest.manifest_path = Some(manifest.into());
    // Scan all packages, since the code of a selected package may have been in another one.
    request.workspace = clap_cargo::Workspace::default();
    let graph = sources::load(&request).map_err(|source| BaseError::Load {
        commit: commit.short().to_owned(),
        name: commit.name.clone(),
        source,
    })?;
    Ok(Base { commit, graph: Some(graph), _folder: folder })
}

fn is_name(component: &Utf8Component<'_>) -> bool {
    matches!(component, Utf8Component::Normal(_))
}

/// Links a package outside the repository into the tree of earlier files, as it is at present, because no commit
/// contains it. The link replaces the first folder on the path to it that does not exist.
fn link(package: &Utf8Path, root: &Utf8Path, within: &Utf8Path, top: &Utf8Path) -> io::Result<()> {
    let shared = package.components().zip(root.components()).take_while(|(a, b)| a == b).count();
    let up = root.components().count() - shared;
    let Some(place) = within.ancestors().nth(up).filter(|place| place.starts_with(top)) else { return Ok(()) };
    let (mut place, mut original) = (place.to_owned(), package.components().take(shared).collect::<Utf8PathBuf>());
    for name in package.components().skip(shared) {
        place.push(name);
        original.push(name);
        if !place.exists() {
            return symlink(&original, &place);
        }
    }
    Ok(())
}

#[cfg(unix)]
fn symlink(original: &Utf8Path, place: &Utf8Path) -> io::Result<()> {
    std::os::unix::fs::symlink(original, place)
}

/// Symbolic links need privileges that users seldom have. Without the link, cargo reports what it does not find.
#[cfg(not(unix))]
fn symlink(_: &Utf8Path, _: &Utf8Path) -> io::Result<()> {
    Ok(())
}

/// Prefix of the folders for earlier commits.
const PREFIX: &str = "base-";

/// No run takes this long, so a folder of this age belongs to a process that was killed.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

fn make_folder(target: &Utf8Path) -> io::Result<tempfile::TempDir> {
    let parent = target.join("isolate");
    std::fs::create_dir_all(&parent)?;
    for entry in parent.read_dir_utf8()?.filter_map(Result::ok) {
        let made = entry.metadata().and_then(|metadata| metadata.modified());
        let is_abandoned = made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > ABANDONED));
        if entry.file_name().starts_with(PREFIX) && is_abandoned {
            // It does no harm if it cannot be removed.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, time::SystemTime};

    #[test]
    fn folders_of_runs_that_were_ended_go() {
        let target = tempfile::tempdir().unwrap();
        let target = Utf8Path::from_path(target.path()).unwrap();
        let isolate = target.join("isolate");
        for (name, days) in [("base-old", 2), ("base-new", 0), ("verify", 2)] {
            fs::create_dir_all(isolate.join(name).join("src")).unwrap();
            let age = Duration::from_secs(days * 24 * 60 * 60);
            fs::File::open(isolate.join(name)).unwrap().set_modified(SystemTime::now() - age).unwrap();
        }
        let made = make_folder(target).unwrap();
        let is_there = |name: &str| isolate.join(name).exists();
        assert_eq!(["base-old", "base-new", "verify"].map(is_there), [false, true, true]);
        assert!(made.path().exists());
    }
}
