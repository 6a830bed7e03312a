//! Finds and reads the policy of a workspace, and checks it against the packages that exist.

use super::{
    PolicyError, Spanned, member,
    model::Policy,
    read::{read, sorted},
    shipped,
    text::Texts,
};
use crate::{
    glob::Glob,
    graph::{Graph, Package},
    sources::{self, LoadError, Request},
    terminal::{
        draw::{Sources, draw},
        words::some,
    },
};
use camino::{Utf8Path, Utf8PathBuf};
use codespan_reporting::diagnostic::{Diagnostic, Label};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, io,
};

/// The policy that a command uses.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct PolicyFile {
    /// Policy file to use instead of `policy.toml` at the workspace root
    #[arg(long, value_name = "PATH")]
    pub(crate) policy: Option<Utf8PathBuf>,
}

/// The policies of a workspace with their texts, so that later stages can report mistakes in them.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) texts: Texts,
    /// The policy of the workspace.
    pub(crate) policy: Policy,
    /// The members' own policies by package name: only `rules` and `crates`.
    pub(crate) members: BTreeMap<String, Policy>,
}

impl Loaded {
    /// A workspace's policy without any of members.
    #[cfg(test)]
    pub(crate) fn of_workspace(text: &str) -> Loaded {
        let policy = crate::fixture::policy(text);
        Loaded { texts: Texts::new("policy.toml".into(), text.to_owned()), policy, members: BTreeMap::new() }
    }

    /// The path of the workspace's policy, as reports show it.
    pub(crate) fn path(&self) -> &Utf8Path {
        self.texts.workspace()
    }

    /// The command line option that selects this policy, with a leading space; empty for the default policy.
    pub(crate) fn option(&self) -> String {
        match self.path().as_str() {
            "policy.toml" => String::new(),
            path => format!(" --policy {path}"),
        }
    }

    /// The path for generated files, which is the same on every machine.
    pub(crate) fn shown(&self) -> &str {
        let path = self.path();
        match path.is_absolute() {
            true => path.file_name().unwrap_or(path.as_str()),
            false => path.as_str(),
        }
    }

    /// Turns mistakes found by a later stage into an error.
    pub(crate) fn mistakes(&self, errors: Vec<PolicyError>) -> Mistakes {
        Mistakes::new("policy", self.texts.clone(), errors)
    }
}

/// A policy or baseline file with mistakes, which is a usage error.
#[derive(Debug)]
pub(crate) struct Mistakes {
    /// What kind of file it is.
    what: &'static str,
    texts: Texts,
    errors: Vec<PolicyError>,
}

/// A policy that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the policy `{path}`: {why}{}", self.hint())]
pub(crate) struct Unreadable {
    path: Utf8PathBuf,
    why: String,
    missing: bool,
}

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unusable {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error(transparent)]
    Mistakes(#[from] Mistakes),
}

impl PolicyFile {
    /// The path of the policy, whether or not it exists.
    pub(crate) fn path(&self, graph: &Graph) -> Utf8PathBuf {
        self.within(&graph.root)
    }

    fn within(&self, root: &Utf8Path) -> Utf8PathBuf {
        self.policy.clone().unwrap_or_else(|| root.join("policy.toml"))
    }

    /// Scans a workspace, building it first if its policy says so.
    ///
    /// # Errors
    ///
    /// Those of [`sources::load`]. A policy that cannot be read is ignored here; [`load`] reports it.
    pub(crate) fn graph(&self, request: &Request) -> Result<Graph, LoadError> {
        sources::load_expanded_if(request, &|root| {
            let text = read_file(&self.within(root)).unwrap_or_default();
            read(&text).policy.and_then(|policy| policy.expand).is_some_and(|expand| *expand.get_ref())
        })
    }
}

/// Reads the policies of a workspace and its members.
///
/// # Errors
///
/// If one of the files cannot be read or has mistakes.
pub(crate) fn load(file: &PolicyFile, graph: &Graph) -> Result<Loaded, Unusable> {
    let path = file.path(graph);
    let text = read_file(&path)?;
    let read = read(&text);
    let mut texts = Texts::new(graph.relative(&path), text);
    let mut errors = read.errors;
    let mut policy = read.policy.unwrap_or_default();
    let complained: Vec<_> = errors.iter().map(|error| error.span.clone()).collect();
    let unknown = unknown_packages(&policy, graph).into_iter().chain(unknown_crates(&policy, graph));
    errors.extend(unknown.filter(|error| !complained.contains(&error.span)));
    let members = member::load(graph, &path, &policy, &mut texts, &mut errors)?;
    policy.shipped = shipped::load(graph, &policy, &mut texts);
    match errors.is_empty() {
        true => Ok(Loaded { texts, policy, members }),
        false => Err(Mistakes::new("policy", texts, sorted(errors)).into()),
    }
}

pub(super) fn read_file(path: &Utf8Path) -> Result<String, Unreadable> {
    crate::files::read_text(path).map_err(|error| Unreadable {
        path: path.to_owned(),
        why: crate::text::describe(&error),
        missing: error.kind() == io::ErrorKind::NotFound,
    })
}

/// Mistakes for packages that do not exist. An entry for one has no effect, and is most likely misspelt.
fn unknown_packages(policy: &Policy, graph: &Graph) -> Vec<PolicyError> {
    // `Cargo.lock` covers all platforms, and a policy may name packages that this one does not need.
    let Some(locked) = sources::locked(&graph.root) else { return Vec::new() };
    let known: BTreeSet<&str> = graph
        .packages
        .iter()
        .map(|package| package.name.as_str())
        .chain(locked.iter().map(|locked| &*locked.name))
        .collect();
    let crates = policy.crates.keys().filter(|name| name.get_ref() != "*");
    let libraries = policy.domain.values().map(|domain| &domain.library);
    crates
        .chain(libraries)
        .filter(|name| !known.contains(name.get_ref().as_str()))
        .map(|name: &Spanned<String>| {
            let error = PolicyError::new(
                name.span(),
                format!("no package `{}` in this workspace or among its dependencies", name.get_ref()),
            );
            error.did_you_mean(name.get_ref(), known.iter().copied())
        })
        .collect()
}

/// Mistakes for exceptions whose crate does not exist, since they can never cover anything.
fn unknown_crates(policy: &Policy, graph: &Graph) -> Vec<PolicyError> {
    let crates: BTreeSet<&str> = graph.packages.iter().flat_map(Package::names).collect();
    let mut errors = Vec::new();
    for at in policy.exception.iter().map(|exception| &exception.get_ref().at) {
        let Some(name) = crate_of(at.get_ref()) else { continue };
        if !crates.contains(name) {
            let message = format!("no crate or package `{name}` in this workspace");
            errors.push(PolicyError::new(at.span(), message).did_you_mean(name, crates.iter().copied()));
        }
    }
    errors
}

/// The crate or package that the place of an exception begins with, unless it begins with a wildcard.
pub(crate) fn crate_of(at: &Glob) -> Option<&str> {
    let prefix = at.prefix();
    let first = prefix.find(['/', ':']).map(|end| &prefix[..end]);
    first.or((prefix == at.text()).then_some(prefix))
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
    pub(crate) fn new(what: &'static str, texts: Texts, errors: Vec<PolicyError>) -> Mistakes {
        Mistakes { what, texts, errors }
    }

    /// Prints each mistake with its line.
    pub(crate) fn draw(&self, out: &mut dyn io::Write) -> io::Result<()> {
        for error in &self.errors {
            let (_, text, span) = self.texts.find(&error.span);
            let mut sources = Sources::default();
            let file = sources.add(text.path.to_string(), &text.text);
            let mut label = Label::primary(file, span);
            label.message = error.label.clone().unwrap_or_default();
            let drawn = Diagnostic::error().with_message(&error.message).with_label(label);
            draw(out, &sources, &drawn.with_notes(error.all_notes()))?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: BTreeSet<_> = self.errors.iter().map(|error| self.texts.find(&error.span).1.path.as_str()).collect();
        let paths = paths.into_iter().collect::<Vec<_>>().join("` and `");
        write!(f, "{} in the {} `{paths}`", some(self.errors.len(), "mistake"), self.what)
    }
}
