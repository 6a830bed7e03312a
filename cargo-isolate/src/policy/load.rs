//! The policy file of a workspace: found, read, and checked against the packages that are there.

use super::{
    PolicyError,
    model::Policy,
    read::{parse, sorted},
    validate,
};
use crate::{graph::Graph, report::draw::draw};
use camino::Utf8PathBuf;
use codespan_reporting::{
    diagnostic::{Diagnostic, Label},
    files::SimpleFile,
};
use std::{collections::BTreeSet, fmt, io};
use toml::Spanned;

/// Which policy a command follows.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct PolicyFile {
    /// Policy to follow, instead of `policy.toml` at the workspace root
    #[arg(long, value_name = "PATH")]
    pub(crate) policy: Option<Utf8PathBuf>,
}

/// A policy with its text, so that later mistakes can be drawn too.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) path: Utf8PathBuf,
    pub(crate) text: String,
    pub(crate) policy: Policy,
}

impl Loaded {
    /// What generated files call it: the same on every machine.
    pub(crate) fn shown(&self) -> &str {
        match self.path.is_absolute() {
            true => self.path.file_name().unwrap_or(self.path.as_str()),
            false => self.path.as_str(),
        }
    }

    /// Mistakes that a later stage found in it, as an error to return.
    pub(crate) fn mistakes(&self, errors: Vec<PolicyError>) -> Mistakes {
        Mistakes::new(self.path.clone(), self.text.clone(), errors)
    }
}

/// A policy file that is wrong. The command ends with status 2.
#[derive(Debug)]
pub(crate) struct Mistakes {
    path: Utf8PathBuf,
    text: String,
    errors: Vec<PolicyError>,
}

/// No policy to read. The command ends with status 2.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the policy `{path}`: {why}{}", self.hint())]
pub(crate) struct Unreadable {
    path: Utf8PathBuf,
    why: String,
    missing: bool,
}

impl PolicyFile {
    /// Where the policy is, or would be.
    pub(crate) fn path(&self, graph: &Graph) -> Utf8PathBuf {
        self.policy.clone().unwrap_or_else(|| graph.root.join("policy.toml"))
    }
}

/// Reads the policy of a workspace.
///
/// # Errors
///
/// [`Unreadable`] or [`Mistakes`], for `main` to print.
pub(crate) fn load(file: &PolicyFile, graph: &Graph) -> anyhow::Result<Loaded> {
    let path = file.path(graph);
    let text = std::fs::read_to_string(&path).map_err(|error| Unreadable {
        path: path.clone(),
        why: crate::text::describe(&error),
        missing: error.kind() == io::ErrorKind::NotFound,
    })?;
    let mistakes = |errors, text| Mistakes::new(graph.relative(&path), text, errors);
    let policy = match parse(&text) {
        Ok(policy) => policy,
        Err(errors) => return Err(mistakes(errors, text).into()),
    };
    let mut errors = validate::check(&policy);
    errors.extend(unknown_packages(&policy, graph));
    match errors.is_empty() {
        true => Ok(Loaded { path: graph.relative(&path), text, policy }),
        false => Err(mistakes(sorted(errors), text).into()),
    }
}

/// A rule for a package that is not there protects nothing, and is most likely misspelt.
fn unknown_packages(policy: &Policy, graph: &Graph) -> Vec<PolicyError> {
    let locked = locked_packages(graph);
    let known: BTreeSet<&str> =
        graph.packages.iter().map(|package| package.name.as_str()).chain(locked.iter().map(String::as_str)).collect();
    let crates = policy.crates.keys().filter(|name| name.get_ref() != "*");
    let libraries = policy.domain.values().map(|domain| &domain.library);
    crates
        .chain(libraries)
        .filter(|name| !known.contains(name.get_ref().as_str()))
        .map(|name: &Spanned<String>| {
            let error = PolicyError::new(name.span(), format!("no package `{}` in this workspace", name.get_ref()));
            error.did_you_mean(name.get_ref(), known.iter().copied())
        })
        .collect()
}

/// Packages of all platforms: a policy may speak of those that this machine does not need.
fn locked_packages(graph: &Graph) -> Vec<String> {
    #[derive(serde::Deserialize)]
    struct Lock {
        #[serde(default)]
        package: Vec<Locked>,
    }
    #[derive(serde::Deserialize)]
    struct Locked {
        name: String,
    }
    let text = std::fs::read_to_string(graph.root.join("Cargo.lock")).unwrap_or_default();
    let lock: Option<Lock> = toml::from_str(&text).ok();
    lock.into_iter().flat_map(|lock| lock.package).map(|package| package.name).collect()
}

impl Unreadable {
    fn hint(&self) -> &'static str {
        match self.missing {
            true => "; `cargo isolate init` writes one",
            false => "",
        }
    }
}

impl Mistakes {
    pub(super) fn new(path: Utf8PathBuf, text: String, errors: Vec<PolicyError>) -> Mistakes {
        Mistakes { path, text, errors }
    }

    /// Draws each mistake at its line.
    pub(crate) fn draw(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let file = SimpleFile::new(self.path.as_str(), self.text.as_str());
        for error in &self.errors {
            let mut label = Label::primary((), error.span.clone());
            label.message = error.label.clone().unwrap_or_default();
            let notes = error.help.iter().map(|help| format!("help: {help}")).collect();
            draw(out, &file, &Diagnostic::error().with_message(&error.message).with_label(label).with_notes(notes))?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, count) = (&self.path, self.errors.len());
        let mistakes = if count == 1 { "mistake" } else { "mistakes" };
        write!(f, "{count} {mistakes} in the policy `{path}`")
    }
}
