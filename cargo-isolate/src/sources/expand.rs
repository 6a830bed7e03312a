//! What build scripts write and set, from a `cargo check` into a folder of our own. The one part of loading that runs code
//! of the scanned tree, and only when it is asked for.

use super::{LoadError, Request};
use crate::process;
use camino::Utf8PathBuf;
use cargo_metadata::{Message, Metadata, PackageId};
use std::{
    collections::{BTreeSet, HashMap},
    io::BufReader,
    process::Stdio,
};

/// What one package's build script did.
pub(super) struct Script {
    pub(super) out_dir: Utf8PathBuf,
    /// `name` or `name="value"`.
    pub(super) cfgs: BTreeSet<String>,
}

/// Checks the workspace, and gives what the build scripts said; of several platforms, the first.
pub(super) fn run(request: &Request, metadata: &Metadata) -> Result<HashMap<PackageId, Script>, LoadError> {
    let mut cargo = process::cargo();
    cargo.args(["check", "--workspace", "--message-format=json", "--target-dir"]);
    cargo.arg(metadata.target_directory.join("isolate/expand"));
    cargo.arg("--manifest-path").arg(metadata.workspace_root.join("Cargo.toml"));
    let features = &request.features;
    let flags = [
        (request.locked, "--locked"),
        (request.offline, "--offline"),
        (request.frozen, "--frozen"),
        (features.all_features, "--all-features"),
        (features.no_default_features, "--no-default-features"),
    ];
    cargo.args(flags.iter().filter(|(wanted, _)| *wanted).map(|(_, flag)| flag));
    if !features.features.is_empty() {
        cargo.args(["--features", &features.features.join(",")]);
    }
    for target in request.target.iter().filter(|target| *target != "all") {
        cargo.args(["--target", target]);
    }
    let mut child = cargo.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(LoadError::NoCheck)?;
    let mut scripts = HashMap::new();
    let messages = child.stdout.take().map(BufReader::new);
    for message in messages.into_iter().flat_map(Message::parse_stream) {
        if let Message::BuildScriptExecuted(script) = message.map_err(LoadError::NoCheck)? {
            let cfgs = script.cfgs.into_iter().collect();
            scripts.entry(script.package_id).or_insert(Script { out_dir: script.out_dir, cfgs });
        }
    }
    match child.wait().map_err(LoadError::NoCheck)?.success() {
        true => Ok(scripts),
        false => Err(LoadError::Unbuildable),
    }
}
