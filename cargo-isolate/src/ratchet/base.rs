//! The workspace as an earlier commit had it, scanned like the present one.

use super::git::{Commit, GitError, Repository};
use crate::{
    graph::{Graph, Package},
    sources::{self, LoadError, Request},
};
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use std::{io, time::Duration};

/// An earlier state of a workspace. Its files go away with it.
pub(crate) struct Base {
    pub(crate) commit: Commit,
    /// `None` if there was no workspace at that place then.
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

/// Writes the files of a commit into cargo's target folder, and scans the workspace in there, as `now` is scanned at present.
///
/// # Errors
///
/// Git does not give the files, or cargo cannot resolve what they are.
pub(crate) fn load(repository: &Repository, commit: Commit, request: &Request, now: &Graph) -> Result<Base, BaseError> {
    let root = &now.root;
    let failed = |error| GitError::Write(commit.short().to_owned(), error);
    let folder = make_folder(&now.target).map_err(failed)?;
    // Cargo looks for a workspace in the folders above a package, and stops at one that ends like this: else it would take
    // the present workspace for that of the earlier commit.
    let folder_path = Utf8PathBuf::from_path_buf(folder.path().to_owned())
        .map_err(|path| failed(io::Error::other(format!("`{}` is not UTF-8", path.display()))))?;
    // As deep as the repository lies, so that paths to packages outside of it lead to some place in here.
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
        // Not committed: the present one is the best guess at what it was.
        std::fs::copy(root.join("Cargo.lock"), lock).map_err(failed)?;
    }
    let mut request = request.clone();
    // What the present policy had built is not new because it was not seen before.
    request.expand = now.expanded;
    request.manifest.manifest_path = Some(manifest.into());
    // What is new in a package shows beside all that there was: it may have had another name.
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

/// Has what lies outside of the repository, which no commit of it has, found beside the earlier files as it is now: by a link
/// for the first folder on the way to it that is not there.
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

/// Needs rights that people seldom have; cargo then says what it does not find.
#[cfg(not(unix))]
fn symlink(_: &Utf8Path, _: &Utf8Path) -> io::Result<()> {
    Ok(())
}

/// What the folders of earlier commits begin with.
const PREFIX: &str = "base-";

/// No run takes as long: whoever made the folder was ended before it could remove it.
const ABANDONED: Duration = Duration::from_secs(24 * 60 * 60);

fn make_folder(target: &Utf8Path) -> io::Result<tempfile::TempDir> {
    let parent = target.join("isolate");
    std::fs::create_dir_all(&parent)?;
    for entry in parent.read_dir_utf8()?.filter_map(Result::ok) {
        let made = entry.metadata().and_then(|metadata| metadata.modified());
        let is_abandoned = made.is_ok_and(|made| made.elapsed().is_ok_and(|age| age > ABANDONED));
        if entry.file_name().starts_with(PREFIX) && is_abandoned {
            // It is in nobody's way if it stays.
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
