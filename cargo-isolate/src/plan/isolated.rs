//! Which declarations are those of isolated functions.

use super::{Plan, select::select};
use crate::{graph::Graph, policy::model};
use std::collections::{BTreeMap, BTreeSet};

/// Symbols that run in domains.
pub(crate) struct Isolated<'g> {
    graph: &'g Graph,
    by_symbol: BTreeMap<String, Function>,
    /// Package → itself and every one that depends on it.
    dependents: BTreeMap<usize, BTreeSet<usize>>,
}

/// One of them.
pub(crate) struct Function {
    pub(crate) domain: String,
    /// Packages whose declarations of it mean the library's: those that can link it.
    pub(crate) packages: BTreeSet<usize>,
}

impl<'g> Isolated<'g> {
    pub(crate) fn of_plan(graph: &'g Graph, plan: &Plan) -> Self {
        let mut isolated = Self::none(graph);
        for domain in &plan.domains {
            for function in &domain.functions {
                isolated.add(function.symbol(), &domain.name, domain.library.package, function.declared.index);
            }
        }
        isolated
    }

    /// Mistakes in the policy are [`plan`](super::plan)'s to report.
    pub(crate) fn of_policy(graph: &'g Graph, policy: &model::Policy) -> Self {
        let mut isolated = Self::none(graph);
        for selected in select(graph, policy, &mut Vec::new()) {
            let domain = policy.domain.get(&*selected.domain);
            if let Some(library) = domain.and_then(|domain| graph.named(domain.library.get_ref())) {
                isolated.add(selected.item.symbol(), &selected.domain, library, selected.declared.index);
            }
        }
        isolated
    }

    /// A package that has nothing to do with the library means another function by the same name: `libc` its own `open`.
    /// Should the linker see it differently, the check of the objects says so.
    pub(crate) fn is_declared(&self, symbol: &str, package: usize) -> bool {
        self.by_symbol.get(symbol).is_some_and(|function| function.packages.contains(&package))
    }

    pub(crate) fn into_functions(self) -> impl Iterator<Item = (String, Function)> {
        self.by_symbol.into_iter()
    }

    fn none(graph: &'g Graph) -> Self {
        Self { graph, by_symbol: BTreeMap::new(), dependents: BTreeMap::new() }
    }

    fn add(&mut self, symbol: &str, domain: &str, library: usize, declaring: usize) {
        let new = || Function { domain: domain.to_owned(), packages: BTreeSet::new() };
        let function = self.by_symbol.entry(symbol.to_owned()).or_insert_with(new);
        for package in [library, declaring] {
            let dependents = self.dependents.entry(package).or_insert_with(|| dependents(self.graph, package));
            function.packages.extend(&*dependents);
        }
    }
}

/// The package and every one that depends on it, however indirectly.
fn dependents(graph: &Graph, package: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::from([package]);
    loop {
        let depends =
            |index: &usize| graph.packages[*index].externs.values().any(|dependency| found.contains(dependency));
        let more: Vec<_> = (0..graph.packages.len()).filter(|index| !found.contains(index)).filter(depends).collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}
