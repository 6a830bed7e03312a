//! Files as they should be against files as they are, and the writer that changes all of them or none.

use super::GeneratedFile;
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

/// A file could not be read or written; none was changed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} `{path}`: {error}{}", .rest.as_deref().map(|rest| format!("; {rest}")).unwrap_or_default())]
pub(crate) struct WriteError {
    what: &'static str,
    path: Utf8PathBuf,
    error: io::Error,
    /// What could not be undone.
    rest: Option<String>,
}

/// Every generated file says so.
pub(super) const MARK: &str = "Written by `cargo isolate wrap`";

/// What would have to change. `directory` is where generated files live: those there that nothing asks for any more go.
///
/// # Errors
///
/// An existing file cannot be read.
pub(crate) fn changes(files: Vec<GeneratedFile>, directory: &Utf8Path) -> Result<Vec<Change>, WriteError> {
    let wanted: BTreeSet<_> = files.iter().map(|file| file.path.clone()).collect();
    let mut changes = Vec::new();
    for file in files {
        let old = read(&file.path)?;
        if old.as_deref() != Some(&*file.text) {
            changes.push(Change { path: file.path, old, new: Some(file.text) });
        }
    }
    for path in generated(directory)? {
        if !wanted.contains(&path)
            && let Some(old) = read(&path)?
            && old.contains(MARK)
        {
            changes.push(Change { path, old: Some(old), new: None });
        }
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(changes)
}

fn generated(directory: &Utf8Path) -> Result<Vec<Utf8PathBuf>, WriteError> {
    let failed = |error| WriteError { what: "list", path: directory.to_owned(), error, rest: None };
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
        Err(error) => Err(WriteError { what: "read", path: path.to_owned(), error, rest: None }),
    }
}

/// Makes all changes or none: every new text is on disk beside its file before the first file is replaced.
///
/// # Errors
///
/// The file that could not be written; every file is as before then.
pub(crate) fn write(changes: &[Change]) -> Result<(), WriteError> {
    let mut made = Vec::new();
    let staged = changes.iter().map(|change| stage(change, &mut made)).collect::<Result<Vec<_>, _>>();
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
            return Err(WriteError { what: "write", path: change.path.clone(), error, rest });
        }
    }
    Ok(())
}

/// The new text in a file of its own, in the directory of the one it will replace.
fn stage(change: &Change, made: &mut Vec<Utf8PathBuf>) -> Result<Option<tempfile::NamedTempFile>, WriteError> {
    let Some(text) = &change.new else { return Ok(None) };
    let failed = |error| WriteError { what: "write", path: change.path.clone(), error, rest: None };
    let directory = change.path.parent().unwrap_or(Utf8Path::new("."));
    make_directories(directory, made).map_err(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    // A temporary file is private; a source file is as readable as its neighbours.
    let permissions = match fs::metadata(&change.path) {
        Ok(old) => old.permissions(),
        Err(_) => new_file_permissions(),
    };
    file.as_file().set_permissions(permissions).map_err(failed)?;
    Ok(Some(file))
}

#[cfg(unix)]
fn new_file_permissions() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o644)
}

#[cfg(not(unix))]
fn new_file_permissions() -> fs::Permissions {
    fs::metadata(".").map(|here| here.permissions()).expect("the current directory exists")
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
        Some(file) => file.persist(&change.path).map(drop).map_err(|error| error.error),
        None => fs::remove_file(&change.path),
    }
}

/// Puts the old texts back. Says what could not be.
fn undo(done: &[Change]) -> Option<String> {
    let failed: Vec<_> = done
        .iter()
        .filter(|change| {
            let undone = match &change.old {
                Some(old) => fs::write(&change.path, old),
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
        // A rename cannot replace a folder: staging works for all, and the third replacement fails.
        fs::create_dir_all(folder.join("folder/full")).expect("a folder");
        let changes = [
            change(folder.join("a"), Some("old a"), Some("new a")),
            change(folder.join("gone"), Some("old gone"), None),
            change(folder.join("made/b"), None, Some("new b")),
            change(folder.join("folder"), None, Some("text")),
        ];
        let error = write(&changes).expect_err("a folder is in the way").to_string();
        assert!(error.starts_with(&format!("cannot write `{folder}/folder`: ")), "{error}");
        assert_eq!(fs::read_to_string(folder.join("a")).expect("still there"), "old a");
        assert_eq!(fs::read_to_string(folder.join("gone")).expect("still there"), "old gone");
        assert!(!folder.join("made").exists());
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 3, "no temporary file is left");
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
