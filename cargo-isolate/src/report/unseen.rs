//! Calls of bindings that a build script generates: what the audit of an unbuilt package knows that it cannot see.

use super::diagnostic::Source;
use crate::{graph::Graph, names::Names, terminal::words::some};
use isolate_lints::facts::CallFact;
use serde::Serialize;
use std::collections::BTreeMap;

/// One package's calls of what the build script of another package, or its own, generates.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct UnseenCalls {
    /// The caller: `name@version`.
    pub(crate) package: String,
    /// The package with the build script: `name@version`.
    pub(crate) written_for: String,
    /// Number of calls, without dormant ones.
    pub(crate) calls: usize,
}

impl UnseenCalls {
    /// What was not seen.
    pub(crate) fn message(&self) -> String {
        let UnseenCalls { package, written_for, calls } = self;
        let whose = match package == written_for {
            true => "its own build script".to_owned(),
            false => format!("the build script of `{written_for}`"),
        };
        format!("{} of `{package}` into what {whose} writes not seen", some(*calls, "call"))
    }

    /// How to make the calls visible.
    pub(crate) const HELP: &str = "`--expand` runs build scripts and reads what they write";
}

/// Calls by file, each with the index of the package whose build script generates the callee.
pub(super) type Unseen<'g> = BTreeMap<Source, Vec<(&'g CallFact, usize)>>;

pub(super) fn calls<'g>(names: &Names<'g>) -> Unseen<'g> {
    let mut calls = Unseen::new();
    for found in names.resolver().unseen_calls() {
        let (package, file) = names.origin(found.caller);
        calls.entry(Source { package, file }).or_default().push((found.call, names.package(found.krate)));
    }
    calls
}

/// The sums of a package's live calls, by the package with the build script.
pub(super) fn sums(graph: &Graph, package: usize, live: &BTreeMap<usize, usize>) -> Vec<UnseenCalls> {
    let sums = live.iter().map(|(written_for, calls)| UnseenCalls {
        package: graph.packages[package].id(),
        written_for: graph.packages[*written_for].id(),
        calls: *calls,
    });
    sums.collect()
}
