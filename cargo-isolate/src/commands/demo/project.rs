//! The example project's folder.

use super::super::failure::{Failure, OrEnvironment as _};
use camino::{Utf8Path, Utf8PathBuf};
use isolate_templates::demo::{CALLS, PROJECT, hostile_archive};
use similar::TextDiff;
use std::{fs, io::ErrorKind};

/// A folder for the project. A temporary one is removed on drop, unless it is kept.
pub(super) struct Project {
    root: Utf8PathBuf,
    temporary: Option<tempfile::TempDir>,
}

impl Project {
    pub(super) fn create(folder: Option<&Utf8Path>) -> Result<Self, Failure> {
        if let Some(folder) = folder {
            match fs::create_dir_all(folder) {
                Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::NotADirectory) => {
                    return Err(Failure::usage(format_args!("{folder} is no folder; name one")));
                }
                created => created.or_environment(|| format!("cannot create {folder}"))?,
            }
            if folder.read_dir_utf8().or_environment(|| format!("cannot read {folder}"))?.next().is_some() {
                return Err(Failure::usage(format_args!(
                    "{folder} is not empty; name a folder that is, or that does not exist yet"
                )));
            }
            let root = folder.canonicalize_utf8().or_environment(|| format!("cannot resolve {folder}"))?;
            return Ok(Self { root, temporary: None });
        }
        let temporary = tempfile::Builder::new()
            .prefix("cargo-isolate-demo-")
            .tempdir()
            .or_environment(|| "cannot create a temporary folder")?;
        let root = Utf8PathBuf::try_from(temporary.path().canonicalize()?)
            .or_environment(|| "cannot use the temporary folder")?;
        Ok(Self { root, temporary: Some(temporary) })
    }

    pub(super) fn root(&self) -> &Utf8Path {
        &self.root
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &'static str> {
        PROJECT.iter().map(|file| file.path)
    }

    pub(super) fn write(&self) -> Result<(), Failure> {
        for file in PROJECT {
            self.put(file.path, file.text.as_bytes())?;
        }
        Ok(())
    }

    pub(super) fn write_hostile_archive(&self) -> Result<(), Failure> {
        self.put("hostile.unpack", &hostile_archive())
    }

    /// The text of the only file that makes foreign calls.
    pub(super) fn calls(&self) -> Result<String, Failure> {
        let path = self.root.join(CALLS);
        fs::read_to_string(&path).or_environment(|| format!("cannot read {path}"))
    }

    /// A diff of that file against an earlier text.
    pub(super) fn calls_since(&self, before: &str) -> Result<String, Failure> {
        let now = self.calls()?;
        let diff = TextDiff::from_lines(before, &now);
        Ok(diff.unified_diff().context_radius(1).header(CALLS, CALLS).to_string())
    }

    /// Compares packed files with what was unpacked into the folder.
    pub(super) fn check_unpacked(&self, files: &[&str]) -> Result<(), Failure> {
        for file in files {
            let packed = self.root.join(file);
            let unpacked = self.root.join(packed.file_name().expect("a file of the project has a name"));
            if fs::read(&packed).ok() != fs::read(&unpacked).ok() {
                return Err(Failure::code(format_args!("{unpacked} is not what was packed from {packed}")));
            }
        }
        Ok(())
    }

    /// The program that cargo builds.
    pub(super) fn binary(&self) -> Utf8PathBuf {
        self.root.join("target/debug/unpack")
    }

    /// A copy of the program from before anything was isolated.
    pub(super) fn unisolated(&self) -> Utf8PathBuf {
        self.root.join("unpack-unisolated")
    }

    /// Leaves the folder in place, and returns its path.
    pub(super) fn keep(self) -> Utf8PathBuf {
        if let Some(temporary) = self.temporary {
            // The path was converted on creation, so only the removal is disarmed here.
            let _ = temporary.keep();
        }
        self.root
    }

    fn put(&self, path: &str, content: &[u8]) -> Result<(), Failure> {
        let path = self.root.join(path);
        let folder = path.parent().expect("a file of the project lies in its folder");
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, content))
            .or_environment(|| format!("cannot write {path}"))
    }
}
