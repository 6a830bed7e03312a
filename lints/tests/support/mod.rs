//! A crate of one file, for the tests of rules.

use isolate_lints::{
    Edition,
    cfg::Configs,
    facts::FileFacts,
    project::{IsolatedIn, Project, Settings},
    resolve::{Crate, File, Place, Resolver},
    rules::{self, Finding},
};
use std::collections::{BTreeMap, BTreeSet};

/// What every rule says of a file that is a crate of its own, where the symbol `deflate` is isolated.
pub(crate) fn findings(facts: &FileFacts, configs: &Configs) -> Vec<Finding> {
    let file = File { module: &[], facts, cfgs: &[], configs, also: Vec::new() };
    let resolver = Resolver::new(vec![Crate {
        name: "fixture",
        edition: Edition::E2021,
        proc_macro: false,
        externs: BTreeMap::new(),
        files: vec![file],
    }]);
    let foreign = resolver.foreign_calls();
    let zlib = IsolatedIn { domain: "zlib".to_owned(), crates: BTreeSet::from([0]) };
    let isolated = BTreeMap::from([("deflate".to_owned(), zlib)]);
    let project = Project::new(&resolver, &foreign, Settings { isolated, ..Settings::default() });
    rules::check(&project, Place { krate: 0, file: 0 })
}
