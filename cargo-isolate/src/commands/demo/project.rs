//! The example project's folder.

use super::shell::ToolFailed;
use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use isolate_templates::demo::{CALLS, PROJECT, hostile_archive};
use similar::TextDiff;
use std::fs;

/// A folder for the project; removed when dropped, unless it was asked for by name or kept.
pub(super) struct Project {
    root: Utf8PathBuf,
    temporary: Option<tempfile::TempDir>,
}

impl Project {
    pub(super) fn create(folder: Option<&Utf8Path>) -> anyhow::Result<Self> {
        if let Some(folder) = folder {
            fs::create_dir_all(folder).with_context(|| format!("cannot create {folder}"))?;
            if folder.read_dir_utf8().with_context(|| format!("cannot read {folder}"))?.next().is_some() {
                bail!("{folder} is not empty; name a folder that is, or that does not exist yet");
            }
            let root = folder.canonicalize_utf8().with_context(|| format!("cannot resolve {folder}"))?;
            return Ok(Self { root, temporary: None });
        }
        let temporary = tempfile::Builder::new()
            .prefix("cargo-isolate-demo-")
            .tempdir()
            .context("cannot create a temporary folder")?;
        let root = Utf8PathBuf::try_from(temporary.path().canonicalize()?)?;
        Ok(Self { root, temporary: Some(temporary) })
    }

    pub(super) fn root(&self) -> &Utf8Path {
        &self.root
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &'static str> {
        PROJECT.iter().map(|file| file.path)
    }

    pub(super) fn write(&self) -> anyhow::Result<()> {
        for file in PROJECT {
            self.put(file.path, file.text.as_bytes())?;
        }
        Ok(())
    }

    pub(super) fn write_hostile_archive(&self) -> anyhow::Result<()> {
        self.put("hostile.unpack", &hostile_archive())
    }

    /// The one file that makes foreign calls.
    pub(super) fn calls(&self) -> anyhow::Result<String> {
        let path = self.root.join(CALLS);
        fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))
    }

    /// What changed in it.
    pub(super) fn calls_since(&self, before: &str) -> anyhow::Result<String> {
        let now = self.calls()?;
        let diff = TextDiff::from_lines(before, &now);
        Ok(diff.unified_diff().context_radius(1).header(CALLS, CALLS).to_string())
    }

    /// Files that were packed, against what was unpacked into the folder.
    pub(super) fn check_unpacked(&self, files: &[&str]) -> anyhow::Result<()> {
        for file in files {
            let packed = self.root.join(file);
            let unpacked = self.root.join(packed.file_name().context("a file without a name")?);
            if fs::read(&packed).ok() != fs::read(&unpacked).ok() {
                return Err(ToolFailed(format!("{unpacked} is not what was packed from {packed}")).into());
            }
        }
        Ok(())
    }

    /// The program as cargo builds it.
    pub(super) fn binary(&self) -> Utf8PathBuf {
        self.root.join("target/debug/unpack")
    }

    /// The program from before anything was isolated.
    pub(super) fn unisolated(&self) -> Utf8PathBuf {
        self.root.join("unpack-unisolated")
    }

    /// Leaves the folder where it is, and returns it.
    pub(super) fn keep(self) -> Utf8PathBuf {
        if let Some(temporary) = self.temporary {
            // The path was converted at creation; this only forgets to remove it.
            let _ = temporary.keep();
        }
        self.root
    }

    fn put(&self, path: &str, content: &[u8]) -> anyhow::Result<()> {
        let path = self.root.join(path);
        let folder = path.parent().expect("a file of the project lies in its folder");
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, content))
            .with_context(|| format!("cannot write {path}"))
    }
}
