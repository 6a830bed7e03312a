//! Access to git: finds an earlier commit, and writes its files.
//!
//! Git runs as a subprocess. Apart from one command that writes files into our own folder, all commands only read: no
//! hook runs, and the index and work tree of the repository stay unchanged. Files are written as the user's checkout
//! would write them, including filters (such as LFS) of the user's configuration.

use camino::{Utf8Path, Utf8PathBuf};
use std::{
    io,
    process::{Command, Output},
};

/// A commit, with the name by which it was requested.
#[derive(Clone, Debug)]
pub(crate) struct Commit {
    /// The name as given: `origin/main`.
    pub(crate) name: String,
    /// Its full hash.
    pub(crate) hash: String,
}

impl Commit {
    /// The abbreviated hash.
    pub(crate) fn short(&self) -> &str {
        self.hash.get(..9).unwrap_or(&self.hash)
    }
}

/// A git repository.
#[derive(Clone, Debug)]
pub(crate) struct Repository {
    /// Its work tree.
    root: Utf8PathBuf,
}

/// Why an earlier commit is not available.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    #[error("could not run `git`: {0}")]
    Missing(String),
    #[error("`{0}` is in no git repository: there is nothing to compare with")]
    NoRepository(Utf8PathBuf),
    #[error("git knows no commit `{name}`{}", if *.shallow { SHALLOW } else { "; `git fetch` may bring it, `git branch --all` lists what there is" })]
    NoCommit { name: String, shallow: bool },
    #[error("`{name}` and what it is compared with have no common ancestor{}", if *.shallow { SHALLOW } else { "; name a commit that the other came from" })]
    NoMergeBase { name: String, shallow: bool },
    #[error("the submodule `{path}` does not have its earlier commit {commit}; `git -C {path} fetch` may bring it")]
    NoSubmodule { path: Utf8PathBuf, commit: String },
    /// Any other failure, in git's own words.
    #[error("`git {command}` failed\n{stderr}")]
    Failed { command: String, stderr: String },
    #[error("cannot write the files of commit {0}: {1}")]
    Write(String, io::Error),
}

const SHALLOW: &str = " in this shallow clone; `git fetch --unshallow` brings the whole history \
                       (of `actions/checkout`: `fetch-depth: 0`)";

impl Repository {
    /// The repository that contains a folder.
    pub(crate) fn around(folder: &Utf8Path) -> Result<Repository, GitError> {
        let output = ask(folder, &["rev-parse", "--show-toplevel"])?;
        match output.status.success() {
            true => Ok(Repository { root: text(&output.stdout).into() }),
            false if text(&output.stderr).contains("not a git repository") => {
                Err(GitError::NoRepository(folder.to_owned()))
            }
            false => Err(GitError::Failed { command: "rev-parse".to_owned(), stderr: text(&output.stderr) }),
        }
    }

    /// The root of the work tree.
    pub(crate) fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The default branch: the remote's, or else one with a usual name, or else the current branch.
    pub(crate) fn default_branch(&self) -> Option<String> {
        let ask = |arguments: &[&str]| {
            let output = run(&mut self.git(arguments)).ok()?;
            output.status.success().then(|| text(&output.stdout)).filter(|answer| !answer.is_empty())
        };
        let of_remote = || {
            let head = ask(&["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"])?;
            head.strip_prefix("origin/").map(str::to_owned)
        };
        let usual = || {
            let is_there =
                |name: &&str| ask(&["rev-parse", "--verify", "--quiet", &format!("refs/heads/{name}")]).is_some();
            ["main", "master", "trunk"].into_iter().find(is_there).map(str::to_owned)
        };
        of_remote().or_else(usual).or_else(|| ask(&["symbolic-ref", "--quiet", "--short", "HEAD"]))
    }

    /// The commit that a name refers to.
    pub(crate) fn commit(&self, name: &str) -> Result<Commit, GitError> {
        let wanted = format!("{name}^{{commit}}");
        let output = run(&mut self.git(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted]))?;
        match output.status.success() {
            true => Ok(Commit { name: name.to_owned(), hash: text(&output.stdout) }),
            false => Err(GitError::NoCommit { name: name.to_owned(), shallow: self.is_shallow() }),
        }
    }

    /// The merge base of `with` and `end`, under the name of `with`.
    pub(crate) fn merge_base(&self, with: &Commit, end: &str) -> Result<Commit, GitError> {
        let output = run(&mut self.git(&["merge-base", &with.hash, end]))?;
        match output.status.success() {
            true => Ok(Commit { hash: text(&output.stdout), ..with.clone() }),
            false => Err(GitError::NoMergeBase { name: with.name.clone(), shallow: self.is_shallow() }),
        }
    }

    fn is_shallow(&self) -> bool {
        let answer = run(&mut self.git(&["rev-parse", "--is-shallow-repository"]));
        answer.is_ok_and(|output| text(&output.stdout) == "true")
    }

    /// Writes all files of a commit to a folder, including those of submodules that are checked out at present, at the
    /// commits that it records for them. `index` is a temporary index file.
    pub(crate) fn write_files(&self, hash: &str, folder: &Utf8Path, index: &Utf8Path) -> Result<(), GitError> {
        let with_index = |arguments: &[&str]| {
            let output = run(self.git(arguments).env("GIT_INDEX_FILE", index))?;
            match output.status.success() {
                true => Ok(output.stdout),
                false => Err(GitError::Failed { command: arguments[0].to_owned(), stderr: text(&output.stderr) }),
            }
        };
        with_index(&["read-tree", hash])?;
        with_index(&["checkout-index", "--all", "--force", &format!("--prefix={folder}/")])?;
        let entries = String::from_utf8_lossy(&with_index(&["ls-files", "--stage", "-z"])?).into_owned();
        // An entry is `mode hash stage`, a tab, and the path.
        let submodules = entries.split('\0').filter_map(|entry| entry.strip_prefix("160000 ")?.split_once('\t'));
        for (hash_and_stage, path) in submodules {
            let submodule = Repository { root: self.root.join(path) };
            if !submodule.root.join(".git").exists() {
                continue;
            }
            let hash = hash_and_stage.split(' ').next().unwrap_or_default();
            let is_there = run(&mut submodule.git(&["cat-file", "-e", &format!("{hash}^{{commit}}")]))?;
            if !is_there.status.success() {
                let short = hash.get(..9).unwrap_or(hash).to_owned();
                return Err(GitError::NoSubmodule { path: path.into(), commit: short });
            }
            submodule.write_files(hash, &folder.join(path), index)?;
        }
        Ok(())
    }

    /// The path of a folder relative to the root of the work tree.
    pub(crate) fn path_within(&self, folder: &Utf8Path) -> Option<Utf8PathBuf> {
        let folder = folder.canonicalize_utf8().ok()?;
        Some(folder.strip_prefix(self.root.canonicalize_utf8().ok()?).ok()?.to_owned())
    }

    fn git(&self, arguments: &[&str]) -> Command {
        let mut command = git(&self.root);
        // A sparse checkout should not limit the files that are written.
        command.args(["-c", "core.sparseCheckout=false"]).args(arguments);
        command
    }
}

/// Runs a git command on a folder.
pub(crate) fn ask(folder: &Utf8Path, arguments: &[&str]) -> Result<Output, GitError> {
    run(git(folder).args(arguments))
}

/// A git command without hooks and file system monitors, which reading must not start. The folder determines the
/// repository, so the environment that git sets for hooks (`git rev-parse --local-env-vars`) is cleared, in case we run
/// in one.
fn git(folder: &Utf8Path) -> Command {
    const OF_A_HOOK: [&str; 8] = [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_PREFIX",
        "GIT_COMMON_DIR",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_NAMESPACE",
    ];
    let mut command = Command::new("git");
    for name in OF_A_HOOK {
        command.env_remove(name);
    }
    command.args(["-C", folder.as_str(), "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"]);
    command
}

fn run(command: &mut Command) -> Result<Output, GitError> {
    // The messages are inspected, so they must be in English.
    command.env("LC_ALL", "C").output().map_err(|error| GitError::Missing(crate::text::describe(&error)))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end().to_owned()
}
