//! The files of the cache: named by a key, written atomically, and only used if their checksum is right.

use crate::{files, text::describe};
use camino::{Utf8Path, Utf8PathBuf};
use std::{
    fs,
    io::{self, Write as _},
    sync::Mutex,
    time::{Duration, SystemTime},
};

/// A directory of files. Each consists of `MAGIC`, the build that wrote it, a hash of the contents, and the contents.
pub(super) struct Store {
    dir: Utf8PathBuf,
    notes: Mutex<Vec<String>>,
}

const MAGIC: &[u8] = b"cargo-isolate\0";

/// The environment variable that names the directory.
const VARIABLE: &str = "CARGO_ISOLATE_CACHE_DIR";

/// When the directory exceeds the first size, the oldest files are deleted until it is below the second.
const MOST_BYTES: u64 = 512 << 20;
const KEPT_BYTES: u64 = 256 << 20;

/// How often the time of a file's last use is updated: often enough to recognise unused files.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The file name for everything that determines a file's contents.
pub(super) fn key(parts: &[impl AsRef<str>]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        let part = part.as_ref().as_bytes();
        hasher.update(&part.len().to_le_bytes()).update(part);
    }
    hasher.finalize().to_hex().to_string()
}

/// Identifies the build of this program by its source.
fn build() -> [u8; 32] {
    let parts = [env!("CARGO_PKG_VERSION"), env!("ISOLATE_SOURCES_FINGERPRINT"), isolate_lints::FINGERPRINT];
    let mut hasher = blake3::Hasher::new();
    parts.iter().for_each(|part| {
        hasher.update(part.as_bytes()).update(b"\0");
    });
    hasher.finalize().into()
}

impl Store {
    /// The store in the directory that the environment names, or in the user's cache directory; `None` if neither is
    /// known.
    pub(super) fn of_user() -> Option<Store> {
        let absolute = |name| {
            let path = Utf8PathBuf::from(std::env::var(name).ok()?);
            path.is_absolute().then_some(path)
        };
        let of_home = || Some(Utf8PathBuf::from_path_buf(std::env::home_dir()?).ok()?.join(".cache"));
        let dir =
            absolute(VARIABLE).or_else(|| Some(absolute("XDG_CACHE_HOME").or_else(of_home)?.join("cargo-isolate")))?;
        Some(Store { dir, notes: Mutex::default() })
    }

    /// A subdirectory, created if necessary.
    pub(super) fn subdirectory(&self, name: &str) -> Option<Utf8PathBuf> {
        let path = self.dir.join(name);
        // Cargo interprets a brace as the start of a variable.
        let is_plain = !path.as_str().contains(['{', '}']);
        (is_plain && fs::create_dir_all(&path).is_ok()).then_some(path)
    }

    /// The contents under a key, if they are intact and this build wrote them.
    pub(super) fn read(&self, key: &str) -> Option<Vec<u8>> {
        let path = self.dir.join(key);
        match self.checked(&path) {
            Ok(Ok(rest)) => Some(rest),
            Ok(Err(why)) => {
                self.note(format!("`{path}` {why}; scanned again"));
                None
            }
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    self.note(format!("cannot read `{path}`: {}; scanned again", describe(&error)));
                }
                None
            }
        }
    }

    fn checked(&self, path: &Utf8Path) -> io::Result<Result<Vec<u8>, &'static str>> {
        let (file, mut bytes) = files::read(path, MOST_BYTES)?;
        let Some(rest) = bytes.strip_prefix(MAGIC) else { return Ok(Err("is not a file of this cache")) };
        let Some((by, rest)) = rest.split_first_chunk::<32>() else { return Ok(Err("is cut short")) };
        if *by != build() {
            return Ok(Err("was written by another version of cargo-isolate"));
        }
        let Some((hash, rest)) = rest.split_first_chunk::<32>() else { return Ok(Err("is cut short")) };
        if blake3::hash(rest) != *hash {
            return Ok(Err("is damaged or cut short"));
        }
        let start = bytes.len() - rest.len();
        if file.metadata()?.modified().ok().and_then(|time| time.elapsed().ok()).is_some_and(|age| age > DAY) {
            // This only marks the file as used. If that fails, the file is merely deleted a little early.
            let _ = file.set_modified(SystemTime::now());
        }
        bytes.drain(..start);
        Ok(Ok(bytes))
    }

    /// Writes to a temporary file first, so that other processes see either all of the file or nothing. The last writer
    /// wins, with the same contents for the same key.
    pub(super) fn write(&self, key: &str, rest: &[u8]) {
        let write = || -> io::Result<()> {
            fs::create_dir_all(&self.dir)?;
            let mut file = tempfile::NamedTempFile::new_in(&self.dir)?;
            for part in [MAGIC, &build(), blake3::hash(rest).as_bytes(), rest] {
                file.write_all(part)?;
            }
            file.persist(self.dir.join(key))?;
            Ok(())
        };
        if let Err(error) = write() {
            self.note(format!("cannot write the cache `{}`: {}", self.dir, describe(&error)));
        }
    }

    /// Deletes the least recently used files if the directory is too large.
    pub(super) fn prune(&self) {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries
            .filter_map(|entry| {
                let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
                Some((metadata.modified().ok()?, entry.path(), metadata.len()))
            })
            .collect();
        let mut size: u64 = files.iter().map(|(.., size)| size).sum();
        if size <= MOST_BYTES {
            return;
        }
        files.sort();
        for (_, path, bytes) in files {
            if size <= KEPT_BYTES {
                break;
            }
            // Another process may have deleted it already.
            let _ = fs::remove_file(path);
            size -= bytes;
        }
    }

    fn note(&self, note: String) {
        let mut notes = self.notes.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if !notes.contains(&note) {
            notes.push(note);
        }
    }

    /// Sorted, so that the order does not depend on timing.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = self.notes.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone();
        notes.sort();
        notes
    }
}
