//! Whether the files to edit have uncommitted changes, as `cargo fix` checks for all files.

use crate::ratchet::git;
use camino::{Utf8Path, Utf8PathBuf};

/// What may be edited all the same.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(super) struct Allow {
    /// With `--apply`: also where no version control was found
    #[arg(long, requires = "apply")]
    allow_no_vcs: bool,
    /// With `--apply`: also where files have changes that are not committed
    #[arg(long, requires = "apply")]
    allow_dirty: bool,
    /// With `--apply`: also where changes are staged
    #[arg(long, requires = "apply")]
    allow_staged: bool,
}

/// Why nothing was edited.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotClean {
    #[error(
        "`{0}` is under no version control, and `wrap --apply` edits sources\ncommit it to a git repository first, see the edits with `--dry-run`, or pass `--allow-no-vcs`"
    )]
    NoVcs(Utf8PathBuf),
    #[error(
        "files that `wrap --apply` edits have changes that are not committed\ncommit them first, see the edits with `--dry-run`, or pass `{flag}`:\n\n{files}"
    )]
    Dirty { flag: &'static str, files: String },
    #[error("could not ask git about `{root}`: {why}\npass `--allow-dirty` to edit without asking")]
    Git { root: Utf8PathBuf, why: String },
}

/// Checks the files that would be edited, in the work tree around a workspace. Other files may have changes: the policy
/// usually has, and wrappers can be regenerated.
pub(super) fn check(root: &Utf8Path, edited: &[&Utf8Path], allow: Allow) -> Result<(), NotClean> {
    if allow.allow_no_vcs {
        return Ok(());
    }
    let failed = |why: String| NotClean::Git { root: root.to_owned(), why };
    let git = |arguments: &[&str]| git::ask(root, arguments).map_err(|error| failed(error.to_string()));
    if !root.ancestors().any(|folder| folder.join(".git").exists())
        || git(&["check-ignore", "-q", "."])?.status.success()
    {
        // Other version control systems are not queried; their presence is enough.
        let is_other = |folder: &Utf8Path| {
            [".hg", ".pijul", ".fslckout", "_FOSSIL_"].iter().any(|name| folder.join(name).exists())
        };
        return match root.ancestors().any(is_other) {
            true => Ok(()),
            false => Err(NotClean::NoVcs(root.to_owned())),
        };
    }
    if allow.allow_dirty && allow.allow_staged || edited.is_empty() {
        return Ok(());
    }
    let asked = ["--literal-pathspecs", "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--"];
    let files = edited.iter().map(|file| file.as_str());
    let status = git(&asked.into_iter().chain(files).collect::<Vec<_>>())?;
    if !status.status.success() {
        return Err(failed(String::from_utf8_lossy(&status.stderr).trim().to_owned()));
    }
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    let (dirty, staged) = sorted(&status);
    let listed = |files: &[&str], state| files.iter().map(|file| format!("  {file} ({state})\n")).collect::<String>();
    let refuse = |flag, files| Err(NotClean::Dirty { flag, files });
    match (dirty.is_empty() || allow.allow_dirty, staged.is_empty() || allow.allow_staged || allow.allow_dirty) {
        (true, true) => Ok(()),
        (true, false) => refuse("--allow-staged", listed(&staged, "staged")),
        (false, _) => refuse("--allow-dirty", listed(&dirty, "dirty") + &listed(&staged, "staged")),
    }
}

/// Splits `git status --porcelain -z` into paths with unstaged changes and paths with only staged ones.
fn sorted(status: &str) -> (Vec<&str>, Vec<&str>) {
    let lines = status.split('\0').filter_map(|line| Some((line.get(..2)?.as_bytes(), line.get(3..)?)));
    let (staged, dirty): (Vec<_>, Vec<_>) = lines.partition(|(state, _)| state[1] == b' ');
    let paths = |lines: Vec<(&[u8], _)>| lines.into_iter().map(|(_, path)| path).collect();
    (paths(dirty), paths(staged))
}

#[cfg(test)]
mod tests {
    use super::sorted;

    #[test]
    fn what_is_only_staged_is_told_apart() {
        let (dirty, staged) = sorted(" M changed.rs\0M  staged.rs\0MM both.rs\0?? new file.rs\0A  added.rs\0");
        assert_eq!(dirty, ["changed.rs", "both.rs", "new file.rs"]);
        assert_eq!(staged, ["staged.rs", "added.rs"]);
    }
}
