//! What each crate is compiled with: the compiler says what it sets for a target, cargo which features are on.
//!
//! `rustc --print cfg` runs no code of the scanned tree. Flags of `RUSTFLAGS` are passed on, so that `--cfg` and
//! `-C target-feature` count.

use super::{LoadError, Request};
use crate::graph::Role;
use isolate_lints::cfg::{CompilerCfg, Config, Configs, Script};
use rayon::prelude::*;
use std::{collections::BTreeSet, env, process::Command, sync::Arc};

/// The compiler's answers for the platforms that code runs on.
pub(super) struct Platforms {
    /// One for each chosen target; `None` for all there are.
    chosen: Vec<Option<Arc<CompilerCfg>>>,
    /// Where build scripts and proc macros run.
    host: Arc<CompilerCfg>,
}

/// What is known of a package's builds before any.
pub(super) struct Package {
    pub(super) features: Arc<BTreeSet<String>>,
    /// What its build script sets.
    pub(super) script: Script,
    /// A build script or a proc macro depends on it: it is compiled for the host as well.
    pub(super) for_host: bool,
}

impl Platforms {
    pub(super) fn ask(request: &Request) -> Result<Platforms, LoadError> {
        let named: Vec<&str> = request.target.iter().map(String::as_str).collect();
        if named.is_empty() || named == ["host-tuple"] {
            // Without `--target`, cargo passes its flags to everything it compiles.
            let host = Arc::new(print(None, true)?);
            return Ok(Platforms { chosen: vec![Some(host.clone())], host });
        }
        let targets = named.par_iter().map(|target| match *target {
            "all" => Ok(None),
            "host-tuple" => print(None, true).map(Arc::new).map(Some),
            triple => print(Some(triple), true).map(Arc::new).map(Some),
        });
        let (chosen, host) = rayon::join(|| targets.collect::<Result<_, _>>(), || print(None, false));
        Ok(Platforms { chosen: chosen?, host: Arc::new(host?) })
    }

    /// How a crate of a package is compiled.
    pub(super) fn configs(&self, package: &Package, role: Role) -> Configs {
        let host = Some(self.host.clone());
        let platforms = match role {
            Role::BuildScript | Role::ProcMacro => vec![host],
            _ if package.for_host && !self.chosen.contains(&host) => {
                self.chosen.iter().cloned().chain([host]).collect()
            }
            _ => self.chosen.clone(),
        };
        let config = |compiler| Config {
            compiler,
            features: Some(package.features.clone()),
            test: matches!(role, Role::Test | Role::Bench),
            // What a build script sets is for the other crates of its package.
            script: if role == Role::BuildScript { Script::None } else { package.script.clone() },
        };
        Configs(platforms.into_iter().map(config).collect())
    }
}

/// What the compiler sets for a target, or for this machine.
fn print(target: Option<&str>, flags: bool) -> Result<CompilerCfg, LoadError> {
    let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.args(["--print", "cfg"]);
    if let Some(target) = target {
        command.args(["--target", target]);
    }
    if flags {
        command.args(rustflags());
    }
    let output = command.output().map_err(LoadError::NoCompiler)?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(LoadError::Compiler { target: target.map(str::to_owned), stderr });
    }
    Ok(CompilerCfg::parse(&String::from_utf8_lossy(&output.stdout)))
}

/// The flags that cargo takes from the environment.
fn rustflags() -> Vec<String> {
    let words = |text: String, separator: &[char]| {
        text.split(separator).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    match (env::var("CARGO_ENCODED_RUSTFLAGS"), env::var("RUSTFLAGS")) {
        (Ok(encoded), _) => words(encoded, &['\x1f']),
        (_, Ok(plain)) => words(plain, &[' ', '\t', '\n']),
        _ => Vec::new(),
    }
}
