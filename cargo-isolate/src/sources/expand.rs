//! Runs `cargo check` into a folder of our own, to see the output of build scripts and the expansions of macros. This
//! is the only part of loading that runs code of the scanned tree, and it only runs on request.

use super::{LoadError, Request, rustc};
use camino::Utf8PathBuf;
use cargo_metadata::{Message, Metadata, PackageId, Target};
use std::{
    collections::{BTreeSet, HashMap},
    io::BufReader,
    process::Stdio,
};

/// The result of a build.
#[derive(Default)]
pub(super) struct Build {
    pub(super) scripts: HashMap<PackageId, Script>,
    /// Crates of the workspace, each with the file of its expanded text if the compiler provided one.
    pub(super) crates: Vec<(PackageId, Target, Utf8PathBuf)>,
}

/// The result of a package's build script.
pub(super) struct Script {
    pub(super) out_dir: Utf8PathBuf,
    /// `name` or `name="value"`.
    pub(super) cfgs: BTreeSet<String>,
}

/// Checks the selected members and returns the results. With several platforms, those of the first.
pub(super) fn run(request: &Request, metadata: &Metadata, selected: &BTreeSet<&PackageId>) -> Result<Build, LoadError> {
    if selected.is_empty() {
        return Ok(Build::default());
    }
    let chosen = (selected.len() < metadata.workspace_members.len()).then(|| selected.iter().copied());
    let mut cargo = request.compiles("check", &metadata.workspace_root, chosen);
    cargo.args(["--message-format=json", "--target-dir"]).arg(metadata.target_directory.join("isolate/expand"));
    rustc::wrap(&mut cargo).map_err(LoadError::NoCheck)?;
    let mut child = cargo.stdout(Stdio::piped()).spawn().map_err(LoadError::NoCheck)?;
    let mut build = Build::default();
    let messages = child.stdout.take().map(BufReader::new);
    for message in messages.into_iter().flat_map(Message::parse_stream) {
        let message = message.or_else(|error| {
            // Cargo would wait for ever for a reader of its output, and keep the folder locked.
            child.kill().and_then(|()| child.wait()).map_err(LoadError::NoCheck)?;
            Err(LoadError::NoCheck(error))
        })?;
        match message {
            Message::BuildScriptExecuted(script) => {
                let cfgs = script.cfgs.into_iter().collect();
                build.scripts.entry(script.package_id).or_insert(Script { out_dir: script.out_dir, cfgs });
            }
            Message::CompilerArtifact(artifact) if metadata.workspace_members.contains(&artifact.package_id) => {
                let text = artifact.filenames.first().and_then(|file| rustc::text_of(file));
                let known = build
                    .crates
                    .iter_mut()
                    .find(|(id, target, _)| *id == artifact.package_id && target.src_path == artifact.target.src_path);
                match (text, known) {
                    // Cargo builds for several platforms in any order.
                    (Some(text), Some((.., known))) => *known = text.min(known.clone()),
                    (Some(text), None) => build.crates.push((artifact.package_id, artifact.target, text)),
                    (None, _) => {}
                }
            }
            _ => {}
        }
    }
    match child.wait().map_err(LoadError::NoCheck)?.success() {
        true => Ok(build),
        false => Err(LoadError::Unbuildable),
    }
}
