//! The configuration of each crate: the compiler reports what it sets for a target, cargo which features are enabled.
//!
//! `rustc --print cfg` runs no code of the scanned tree. `RUSTFLAGS` are passed on, so that `--cfg` and
//! `-C target-feature` take effect.

use super::{LoadError, Request, cache::Cache, compiler};
use crate::graph::Role;
use isolate_lints::cfg::{CompilerCfg, Config, Configs, Script};
use rayon::prelude::*;
use std::{collections::BTreeSet, env, sync::Arc};

/// What the compiler sets for the platforms that code runs on.
pub(super) struct Platforms {
    /// One entry per chosen target; `None` stands for all targets.
    chosen: Vec<Option<Arc<CompilerCfg>>>,
    /// The host, where build scripts and procedural macros run.
    host: Arc<CompilerCfg>,
}

/// What is known about a package's configuration before it is built.
pub(super) struct Package {
    pub(super) features: Arc<BTreeSet<String>>,
    /// What its build script sets.
    pub(super) script: Script,
    /// Whether a build script or procedural macro depends on it, so that it is also compiled for the host.
    pub(super) for_host: bool,
}

impl Platforms {
    pub(super) fn ask(request: &Request, cache: &Cache) -> Result<Platforms, LoadError> {
        let named: Vec<&str> = request.target.iter().map(String::as_str).collect();
        if named.is_empty() || named == ["host-tuple"] {
            // Without `--target`, cargo passes the flags to everything it compiles.
            let host = ask(None, true, cache)?.sets;
            return Ok(Platforms { chosen: vec![Some(host.clone())], host });
        }
        let answers = named.par_iter().map(|target| match *target {
            "all" => Ok(None),
            "host-tuple" => ask(None, true, cache).map(Some),
            triple => ask(Some(triple), true, cache).map(Some),
        });
        let answers: Vec<Option<Answer>> = answers.collect::<Result<_, _>>()?;
        let told = named.iter().zip(&answers).find_map(|(name, answer)| {
            let answer = answer.as_ref()?;
            let is_host = *name == "host-tuple" || answer.host.as_deref() == Some(*name);
            (is_host && rustflags().is_empty()).then(|| answer.sets.clone())
        });
        let host = told.map_or_else(|| ask(None, false, cache).map(|answer| answer.sets), Ok)?;
        Ok(Platforms { chosen: answers.into_iter().map(|answer| answer.map(|answer| answer.sets)).collect(), host })
    }

    /// The names of the platforms; `all` if all targets are chosen.
    pub(super) fn names(&self) -> BTreeSet<String> {
        let name = |chosen: &Option<Arc<CompilerCfg>>| chosen.as_ref().map_or("all".to_owned(), |cfg| cfg.platform());
        self.chosen.iter().map(name).collect()
    }

    /// A description of the builds that a request covers: the platforms, and the flags that change what is compiled.
    pub(super) fn conditions(&self, request: &Request) -> String {
        let platforms = self.names();
        let flags = request.build_flags().into_iter().chain(cfg_flags(&rustflags()));
        [platforms.into_iter().collect::<Vec<_>>().join(",")].into_iter().chain(flags).collect::<Vec<_>>().join(" ")
    }

    /// The configurations of a crate.
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
            // A build script's settings apply to the other crates of its package.
            script: if role == Role::BuildScript { Script::None } else { package.script.clone() },
        };
        Configs(platforms.into_iter().map(config).collect())
    }
}

/// The compiler's answer about a target.
struct Answer {
    /// The host's triple; `None` for a compiler that is too old to print it.
    host: Option<String>,
    /// The `cfg` that it sets.
    sets: Arc<CompilerCfg>,
}

/// Asks the compiler about a target, or about the host.
fn ask(target: Option<&str>, flags: bool, cache: &Cache) -> Result<Answer, LoadError> {
    let flags = if flags { rustflags() } else { Vec::new() };
    // Starting the compiler takes a third as long as the `cargo metadata` that runs in parallel, so both are asked for
    // at once.
    if let Ok(text) = compiler::print(&["host-tuple", "cfg"], target, &flags, cache)? {
        let (host, cfg) = text.split_once('\n').unwrap_or_default();
        return Ok(Answer { host: Some(host.to_owned()), sets: Arc::new(CompilerCfg::parse(cfg)) });
    }
    match compiler::print(&["cfg"], target, &flags, cache)? {
        Ok(text) => Ok(Answer { host: None, sets: Arc::new(CompilerCfg::parse(&text)) }),
        Err(refusal) => {
            let stderr = String::from_utf8_lossy(&refusal.stderr).into_owned();
            Err(LoadError::Compiler { target: target.map(str::to_owned), stderr })
        }
    }
}

/// The `--cfg` options among the compiler's flags.
fn cfg_flags(flags: &[String]) -> BTreeSet<String> {
    let mut set = BTreeSet::new();
    for (index, flag) in flags.iter().enumerate() {
        let value = match flag.strip_prefix("--cfg") {
            Some("") => flags.get(index + 1).map(String::as_str),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        set.extend(value.map(|value| format!("--cfg={value}")));
    }
    set
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_name_what_changes_the_build() {
        let check = |request: Request, expected: &str| {
            let chosen = |text| Some(Arc::new(CompilerCfg::parse(text)));
            let linux = chosen("target_arch=\"x86_64\"\ntarget_env=\"gnu\"\ntarget_os=\"linux\"\n");
            let macos = chosen("target_arch=\"aarch64\"\ntarget_env=\"\"\ntarget_os=\"macos\"\n");
            let platforms = Platforms { host: linux.clone().unwrap(), chosen: vec![linux, macos, None] };
            assert_eq!(platforms.conditions(&request), expected);
        };
        check(Request::default(), "aarch64-macos,all,x86_64-linux-gnu");
        let mut request = Request { expand: true, ..Request::default() };
        request.features.features = vec!["b,a".to_owned(), "c".to_owned()];
        let flags = "--expand --features=a --features=b --features=c";
        check(request, &format!("aarch64-macos,all,x86_64-linux-gnu {flags}"));
        let flags = ["--cfg", "tokio_unstable", "-O", "--cfg=loom"].map(str::to_owned);
        assert_eq!(cfg_flags(&flags).into_iter().collect::<Vec<_>>(), ["--cfg=loom", "--cfg=tokio_unstable"]);
    }
}
