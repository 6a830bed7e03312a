//! Files as they should be against files as they are, and the writer that changes all of them or none.

use super::GeneratedFile;
use crate::files;
use camino::{Utf8Path, Utf8PathBuf};
use similar::{DiffTag, TextDiff};
use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write},
};

/// A file that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) path: Utf8PathBuf,
    /// `None`: it does not exist yet.
    pub(crate) old: Option<String>,
    /// `None`: it should not exist any more.
    pub(crate) new: Option<String>,
}

/// A file could not be read or written, or must not be; what was changed before it is as it was, but for the `rest`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("cannot {what} `{path}`: {error}{}", .rest.as_deref().map(|rest| format!("; {rest}")).unwrap_or_default())]
    Io {
        what: &'static str,
        path: Utf8PathBuf,
        error: io::Error,
        /// What could not be undone.
        rest: Option<String>,
    },
    #[error(
        "`{path}` stands where a wrapper goes, and is not one that `cargo isolate wrap` wrote: move it, or give the domain another name"
    )]
    NotOurs { path: Utf8PathBuf },
    #[error("`{path}` was changed while this ran; nothing was written: run it again")]
    Changed { path: Utf8PathBuf },
}

impl WriteError {
    fn io(what: &'static str, path: &Utf8Path, error: io::Error) -> WriteError {
        WriteError::Io { what, path: path.to_owned(), error, rest: None }
    }
}

/// Every generated file says so, in the comment that it begins with.
pub(super) const MARK: &str = "Written by `cargo isolate wrap`";

/// Whether the text is of a file that [`changes`] may replace or remove: in the comment that it begins with, a line does as in
/// generated ones.
pub(super) fn is_ours(text: &str) -> bool {
    let comment =
        |line: &str| ["//!", "//", "/*", " *"].iter().find_map(|start| line.strip_prefix(start).map(str::to_owned));
    let mut lines = text.trim_start_matches('\u{feff}').lines().map_while(comment);
    lines.any(|line| line.trim_start().strip_prefix(MARK).is_some_and(|rest| rest.starts_with(" from `")))
}

/// What would have to change. `directory` is where generated files live: those there that nothing asks for any more go.
///
/// # Errors
///
/// An existing file cannot be read, or one in that directory was written by somebody else.
pub(crate) fn changes(files: Vec<GeneratedFile>, directory: &Utf8Path) -> Result<Vec<Change>, WriteError> {
    let module = directory.with_extension("rs");
    if module.exists() {
        return Err(WriteError::NotOurs { path: module });
    }
    let wanted: BTreeSet<_> = files.iter().map(|file| file.path.clone()).collect();
    let mut changes = Vec::new();
    for file in files {
        let old = read(&file.path)?;
        if old.as_deref() != Some(&*file.text) {
            if file.path.parent() == Some(directory) && old.as_ref().is_some_and(|old| !is_ours(old)) {
                return Err(WriteError::NotOurs { path: file.path });
            }
            changes.push(Change { path: file.path, old, new: Some(file.text) });
        }
    }
    for path in generated(directory)? {
        if !wanted.contains(&path)
            && let Some(old) = read(&path)?
            && is_ours(&old)
        {
            changes.push(Change { path, old: Some(old), new: None });
        }
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(changes)
}

fn generated(directory: &Utf8Path) -> Result<Vec<Utf8PathBuf>, WriteError> {
    let failed = |error| WriteError::io("list", directory, error);
    let entries = match directory.read_dir_utf8() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.into_path();
        if matches!(path.extension(), Some("rs" | "ld")) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn read(path: &Utf8Path) -> Result<Option<String>, WriteError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(WriteError::io("read", path, error)),
    }
}

/// Makes all changes or none: every new text is on disk beside its file before the first file is replaced. Only who ends the
/// process between two of these renames sees some of each.
///
/// # Errors
///
/// The file that could not be written, or that is not any more what the change is of; every file is as before then.
pub(crate) fn write(changes: &[Change]) -> Result<(), WriteError> {
    let mut made = Vec::new();
    let staged = changes.iter().map(|change| stage(change, &mut made)).collect::<Result<Vec<_>, _>>();
    let staged = staged.and_then(|staged| unchanged(changes).map(|()| staged));
    let staged = match staged {
        Ok(staged) => staged,
        Err(error) => {
            remove_directories(&made);
            return Err(error);
        }
    };
    let mut pending = changes.iter().zip(staged).enumerate();
    while let Some((done, (change, file))) = pending.next() {
        if let Err(error) = replace(change, file) {
            // Their temporary files go before the folders that were made for them.
            drop(pending);
            let rest = undo(&changes[..done]);
            remove_directories(&made);
            return Err(WriteError::Io { what: "write", path: change.path.clone(), error, rest });
        }
    }
    Ok(())
}

/// The new text in a file of its own, in the directory of the one it will replace.
fn stage(change: &Change, made: &mut Vec<Utf8PathBuf>) -> Result<Option<tempfile::NamedTempFile>, WriteError> {
    let Some(text) = &change.new else { return Ok(None) };
    let failed = |error| WriteError::io("write", &change.path, error);
    let directory = change.path.parent().unwrap_or(Utf8Path::new("."));
    make_directories(directory, made).map_err(failed)?;
    let file = files::temporary(&files::place(&change.path), text.as_bytes()).map_err(failed)?;
    if let Ok(old) = fs::metadata(&change.path) {
        file.as_file().set_permissions(old.permissions()).map_err(failed)?;
    }
    Ok(Some(file))
}

/// An editor may have saved a file since it was read.
fn unchanged(changes: &[Change]) -> Result<(), WriteError> {
    changes.iter().try_for_each(|change| match read(&change.path)? == change.old {
        true => Ok(()),
        false => Err(WriteError::Changed { path: change.path.clone() }),
    })
}

fn make_directories(directory: &Utf8Path, made: &mut Vec<Utf8PathBuf>) -> io::Result<()> {
    if directory.as_str().is_empty() || directory.is_dir() {
        return Ok(());
    }
    make_directories(directory.parent().unwrap_or(Utf8Path::new("")), made)?;
    fs::create_dir(directory)?;
    made.push(directory.to_owned());
    Ok(())
}

fn remove_directories(made: &[Utf8PathBuf]) {
    for directory in made.iter().rev() {
        // Only empty ones go, and one that stays harms nobody.
        let _ = fs::remove_dir(directory);
    }
}

fn replace(change: &Change, file: Option<tempfile::NamedTempFile>) -> io::Result<()> {
    match file {
        // Where a link leads to: the link stays.
        Some(file) => file.persist(files::place(&change.path)).map(drop).map_err(|error| error.error),
        None => fs::remove_file(&change.path),
    }
}

/// Puts the old texts back. Says what could not be.
fn undo(done: &[Change]) -> Option<String> {
    let failed: Vec<_> = done
        .iter()
        .filter(|change| {
            let undone = match &change.old {
                Some(old) => files::write(&change.path, old.as_bytes()),
                None => fs::remove_file(&change.path),
            };
            undone.is_err()
        })
        .map(|change| change.path.as_str())
        .collect();
    (!failed.is_empty())
        .then(|| format!("and these were changed already and could not be restored: {}", failed.join(", ")))
}

impl Change {
    /// Where a line of the old text stands in the new one; among several that were replaced, as far down as there is.
    pub(crate) fn line_after(&self, line: u32) -> u32 {
        let (Some(old), Some(new)) = (&self.old, &self.new) else { return line };
        let index = (line as usize).saturating_sub(1);
        let diff = TextDiff::from_lines(old.as_str(), new.as_str());
        let at = diff.ops().iter().find(|op| op.old_range().contains(&index));
        let moved = at.map_or(index, |op| match op.tag() {
            DiffTag::Equal => op.new_range().start + (index - op.old_range().start),
            _ => op.new_range().start + (index - op.old_range().start).min(op.new_range().len().saturating_sub(1)),
        });
        u32::try_from(moved + 1).unwrap_or(line)
    }
}

/// The changes as a unified diff. Paths are shown from `root`.
pub(crate) fn print_diff(out: &mut dyn Write, changes: &[Change], root: &Utf8Path) -> io::Result<()> {
    for change in changes {
        let path = change.path.strip_prefix(root).unwrap_or(&change.path);
        let name = |text: &Option<String>, side: &str| match text {
            Some(_) => format!("{side}/{path}"),
            None => "/dev/null".to_owned(),
        };
        let (old, new) = (change.old.as_deref().unwrap_or(""), change.new.as_deref().unwrap_or(""));
        let diff = TextDiff::from_lines(old, new);
        write!(out, "{}", diff.unified_diff().header(&name(&change.old, "a"), &name(&change.new, "b")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Change, write};
    use camino::Utf8PathBuf;
    use std::fs;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("UTF-8");
        (folder, path)
    }

    fn change(path: Utf8PathBuf, old: Option<&str>, new: Option<&str>) -> Change {
        Change { path, old: old.map(str::to_owned), new: new.map(str::to_owned) }
    }

    #[test]
    fn a_failure_in_the_middle_is_undone() {
        let (_keep, folder) = folder();
        fs::write(folder.join("a"), "old a").expect("a file");
        fs::write(folder.join("gone"), "old gone").expect("a file");
        let changes = [
            change(folder.join("a"), Some("old a"), Some("new a")),
            change(folder.join("gone"), Some("old gone"), None),
            change(folder.join("made/b"), None, Some("new b")),
            // Staging works for all, and there is nothing to remove.
            change(folder.join("never"), None, None),
        ];
        let error = write(&changes).expect_err("a file is missing").to_string();
        assert!(error.starts_with(&format!("cannot write `{folder}/never`: ")), "{error}");
        assert_eq!(fs::read_to_string(folder.join("a")).expect("still there"), "old a");
        assert_eq!(fs::read_to_string(folder.join("gone")).expect("still there"), "old gone");
        assert!(!folder.join("made").exists());
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 2, "no temporary file is left");
    }

    #[test]
    fn what_somebody_saved_meanwhile_stays() {
        let (_keep, folder) = folder();
        fs::write(folder.join("a"), "old a").expect("a file");
        fs::write(folder.join("b"), "saved b").expect("a file");
        let changes = [
            change(folder.join("a"), Some("old a"), Some("new a")),
            change(folder.join("b"), Some("old b"), Some("new b")),
        ];
        let error = write(&changes).expect_err("it was changed").to_string();
        assert_eq!(error, format!("`{folder}/b` was changed while this ran; nothing was written: run it again"));
        assert_eq!(fs::read_to_string(folder.join("a")).expect("still there"), "old a");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one() {
        let (_keep, folder) = folder();
        fs::create_dir(folder.join("shared")).expect("a folder");
        fs::write(folder.join("shared/lib.rs"), "old").expect("a file");
        std::os::unix::fs::symlink("shared/lib.rs", folder.join("lib.rs")).expect("a link");
        write(&[change(folder.join("lib.rs"), Some("old"), Some("new"))]).expect("nothing is in the way");
        assert!(fs::symlink_metadata(folder.join("lib.rs")).expect("there").is_symlink());
        assert_eq!(fs::read_to_string(folder.join("shared/lib.rs")).expect("there"), "new");
    }

    #[test]
    fn all_changes_are_made() {
        let (_keep, folder) = folder();
        fs::write(folder.join("gone"), "old").expect("a file");
        let changes = [change(folder.join("x/y/z"), None, Some("new")), change(folder.join("gone"), Some("old"), None)];
        write(&changes).expect("nothing is in the way");
        assert_eq!(fs::read_to_string(folder.join("x/y/z")).expect("written"), "new");
        assert!(!folder.join("gone").exists());
    }
}
