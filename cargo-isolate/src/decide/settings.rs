//! The rules' settings, taken from the policy.

use crate::{graph::Role, names::Names, plan::Isolated, policy::model::Policy};
use isolate_lints::{
    project::{IsolatedIn, Settings, Wrapped},
    resolve::Place,
};
use std::collections::BTreeMap;

pub(super) fn settings(names: &Names<'_>, policy: &Policy) -> Settings {
    Settings { isolated: isolated(names, policy), contained: contained(names, policy), wrapped: wrapped(names) }
}

/// Symbols that run in domains, with the crates whose declarations mean the isolated function.
fn isolated(names: &Names<'_>, policy: &Policy) -> BTreeMap<String, IsolatedIn> {
    let functions = Isolated::of_policy(names.graph, policy).into_functions();
    let isolated = functions.map(|(symbol, function)| {
        let means_it = |krate: &usize| function.packages.contains(&names.package(*krate));
        let crates = (0..names.resolver().crates().len()).filter(means_it).collect();
        (symbol, IsolatedIn { domain: function.domain, crates })
    });
    isolated.collect()
}

/// Crates of the libraries that have a domain. Members are left out, since they may declare functions of several
/// libraries.
fn contained(names: &Names<'_>, policy: &Policy) -> BTreeMap<usize, String> {
    let of = |krate: usize| {
        let package = &names.graph.packages[names.package(krate)];
        let mut domains = policy.domain.iter().filter(|_| !package.member);
        let (name, _) = domains.find(|(_, domain)| *domain.library.get_ref() == package.name)?;
        Some((krate, name.get_ref().clone()))
    };
    (0..names.resolver().crates().len()).filter_map(of).collect()
}

/// The location of each domain's wrappers.
fn wrapped(names: &Names<'_>) -> BTreeMap<String, Wrapped> {
    let mut wrapped: BTreeMap<String, Wrapped> = BTreeMap::new();
    for (krate, of_crate) in names.resolver().crates().iter().enumerate() {
        for file in 0..of_crate.files.len() {
            let (package, file) = names.origin(Place { krate, file });
            let package = &names.graph.packages[package];
            let file = &package.files[file];
            if let Some(domain) = file.path.file_stem().filter(|_| file.role == Role::Generated) {
                let of_domain = wrapped.entry(domain.to_owned()).or_default();
                of_domain.package.clone_from(&package.name);
                of_domain.crates.insert(krate);
            }
        }
    }
    wrapped
}
