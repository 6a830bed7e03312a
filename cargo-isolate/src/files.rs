//! Files that people keep: written whole or not at all.

use camino::Utf8Path;
use std::io::{self, Write};

/// Writes a file, over one that is there.
pub(crate) fn write(path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    temporary(path, bytes)?.persist(path).map(drop).map_err(|error| error.error)
}

/// Writes a file where there is none; `false` if there is one, which is left alone.
pub(crate) fn write_new(path: &Utf8Path, bytes: &[u8]) -> io::Result<bool> {
    match temporary(path, bytes)?.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error.error),
    }
}

/// The whole file, beside where it is to stand.
fn temporary(path: &Utf8Path, bytes: &[u8]) -> io::Result<tempfile::NamedTempFile> {
    let directory = path.parent().filter(|directory| !directory.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    // A temporary file is its owner's alone; a report is as readable as any other file.
    #[cfg(unix)]
    file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    Ok(file)
}
