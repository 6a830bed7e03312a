//! Calls that go past the wrappers.

use crate::{
    graph::{Graph, Role},
    names::Crates,
    plan::Plan,
};
use camino::{Utf8Path, Utf8PathBuf};
use isolate_lints::resolve::ForeignCall;
use std::collections::BTreeSet;

/// A call of an isolated function that is not its wrapper's, or a place that takes its address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub(crate) struct Bypass {
    pub(crate) path: Utf8PathBuf,
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// `name@version` of the package it stands in.
    pub(crate) package: String,
    /// The function as the linker knows it.
    pub(crate) symbol: String,
    /// Enclosing function.
    pub(crate) function: Option<String>,
    /// Its address is taken; nobody can say where it is called.
    pub(crate) mention: bool,
    /// In tests or benchmarks, where a direct call is something to compare with.
    pub(crate) test: bool,
}

/// Every one of them, in the order of the graph. `wrappers` are the files whose calls are the wrappers' own.
pub(crate) fn bypasses(graph: &Graph, plan: &Plan, wrappers: &BTreeSet<&Utf8Path>) -> Vec<Bypass> {
    let functions = plan.domains.iter().flat_map(|domain| &domain.functions);
    let isolated: BTreeSet<&str> =
        functions.map(|function| function.symbol.as_deref().unwrap_or(&function.name)).collect();
    let crates = Crates::new(graph);
    let mut found = BTreeSet::new();
    let mut bypasses = Vec::new();
    for call in crates.foreign_calls() {
        let symbol = call.item.link_name.as_deref().unwrap_or(&call.item.name);
        let (package, file) = crates.origin(call.caller);
        let file = &graph.packages[package].files[file];
        // Several declarations of one symbol, chosen by `cfg`, make it one call.
        if isolated.contains(symbol) && !wrappers.contains(&*file.path) && found.insert((&file.path, call.call.span)) {
            bypasses.push(Bypass {
                path: graph.relative(&file.path),
                line: call.call.span.line,
                column: call.call.span.column,
                package: graph.packages[package].id(),
                symbol: symbol.to_owned(),
                function: call.call.scope.function.clone(),
                mention: call.mention,
                test: is_test(file.role, &call),
            });
        }
    }
    bypasses
}

fn is_test(role: Role, call: &ForeignCall<'_>) -> bool {
    matches!(role, Role::Test | Role::Bench) || call.call.scope.cfgs.iter().any(|cfg| cfg.trim() == "test")
}
