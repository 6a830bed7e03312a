//! Small workspaces in temporary folders, and the real binary run in them.

use std::{path::PathBuf, process::Command};

/// A folder that goes away with it.
pub(crate) struct Workspace {
    _folder: Option<tempfile::TempDir>,
    pub(crate) path: PathBuf,
}

impl Workspace {
    pub(crate) fn new(files: &[(&str, &str)]) -> Workspace {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        let workspace = Workspace { _folder: Some(folder), path };
        for (path, text) in files {
            workspace.write(path, text);
        }
        workspace
    }

    /// One that is there, in the folder of another.
    pub(crate) fn at(path: PathBuf) -> Workspace {
        Workspace { _folder: None, path }
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path.join(path)).unwrap()
    }

    /// Runs git in it, as somebody without a configuration, on a day that never changes.
    #[track_caller]
    pub(crate) fn git(&self, arguments: &[&str]) {
        let output = Command::new("git")
            .args(arguments)
            .current_dir(&self.path)
            .envs(["AUTHOR", "COMMITTER"].into_iter().flat_map(|who| {
                [("NAME", "A"), ("EMAIL", "a@example.org"), ("DATE", "2026-01-31T12:00:00Z")]
                    .map(|(what, value)| (format!("GIT_{who}_{what}"), value))
            }))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs `cargo isolate ARGUMENTS` in it, offline; gives the status and what was printed, without the folder's name.
    pub(crate) fn isolate(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"))
            .arg("isolate")
            .args(arguments)
            .current_dir(&self.path)
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TERM_COLOR", "never")
            .env_remove("SOURCE_DATE_EPOCH")
            .env_remove("CARGO_TARGET_DIR")
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        let all = format!("status {}\n--- stdout\n{stdout}--- stderr\n{stderr}", output.status.code().unwrap());
        all.replace(self.path.to_str().unwrap(), "[DIR]")
    }
}
