//! Packages of a few files in folders of their own, and what the audit says of them.

use std::{fs, path::PathBuf, process::Command};
use tempfile::TempDir;

pub(crate) struct Workspace {
    folder: TempDir,
}

/// Of a package `app`.
pub(crate) const MANIFEST: &str = "[package]\nname = \"app\"\nedition = \"2024\"\n[workspace]\n";

impl Workspace {
    /// A package whose library holds this.
    pub(crate) fn new(library: impl AsRef<[u8]>) -> Workspace {
        let workspace = Workspace { folder: tempfile::tempdir().unwrap() };
        workspace.put("Cargo.toml", MANIFEST);
        workspace.put("src/lib.rs", library);
        workspace
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(path)
    }

    pub(crate) fn put(&self, path: &str, contents: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    /// Status and everything that an audit prints, with the folder's name left out.
    pub(crate) fn audit(&self, arguments: &[&str]) -> String {
        self.run(&[&["audit"], arguments].concat())
    }

    /// The same for any command.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"))
            .arg("isolate")
            .args(arguments)
            .arg("--offline")
            .current_dir(self.path(""))
            .env("CARGO_ISOLATE_CACHE_DIR", self.folder.path().join("cache"))
            .env("CARGO_TERM_COLOR", "never")
            .env_remove("COLUMNS")
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        let all = format!("status {:?}\n--- stdout\n{stdout}--- stderr\n{stderr}", output.status.code());
        all.replace(self.path("").to_str().unwrap().trim_end_matches('/'), "[DIR]")
    }
}
