//! The workspace as an earlier commit had it, scanned like the present one.

use super::git::{Commit, GitError, Repository};
use crate::{
    graph::Graph,
    sources::{self, LoadError, Request},
};
use camino::{Utf8Path, Utf8PathBuf};
use std::io;

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

/// Writes the files of a commit into cargo's target folder, and scans the workspace in there.
///
/// # Errors
///
/// Git does not give the files, or cargo cannot resolve what they are.
pub(crate) fn load(
    repository: &Repository,
    commit: Commit,
    request: &Request,
    root: &Utf8Path,
    target: &Utf8Path,
) -> Result<Base, BaseError> {
    let failed = |error| GitError::Write(commit.short().to_owned(), error);
    let folder = make_folder(target).map_err(failed)?;
    // Cargo looks for a workspace in the folders above a package, and stops at one that ends like this: else it would take
    // the present workspace for that of the earlier commit.
    let tree = Utf8PathBuf::from_path_buf(folder.path().join("target/package/tree"))
        .map_err(|path| failed(io::Error::other(format!("`{}` is not UTF-8", path.display()))))?;
    std::fs::create_dir_all(&tree).map_err(failed)?;
    repository.write_files(&commit, &tree)?;
    let within = tree.join(repository.path_within(root).unwrap_or_default());
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

fn make_folder(target: &Utf8Path) -> io::Result<tempfile::TempDir> {
    let parent = target.join("isolate");
    std::fs::create_dir_all(&parent)?;
    tempfile::Builder::new().prefix("base-").tempdir_in(parent)
}
