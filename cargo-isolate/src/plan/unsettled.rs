//! Functions that an `[[isolate]]` names and that are there if a build script says so, which nobody has asked.
//!
//! What a script sets by `cargo::rustc-cfg` is known once it ran. Until then the plan takes it as not set, and a library that is
//! called by other functions where it is set, as for a processor that has more instructions, would run in the program.

use super::{Plan, candidates::main_files};
use crate::{
    glob::Glob,
    graph::{Graph, SourceFile},
    policy::{Spanned, model::Policy},
    terminal::words::few,
};
use isolate_lints::cfg::Presence;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Functions of a domain that one predicate decides on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unsettled {
    domain: String,
    cfg: String,
    functions: Vec<String>,
}

/// All that the policy names and the plan is without.
pub(crate) fn unsettled(graph: &Graph, policy: &Policy, plan: &Plan) -> Vec<Unsettled> {
    let planned: BTreeSet<_> =
        plan.domains.iter().flat_map(|domain| &domain.functions).map(|function| &*function.name).collect();
    let mut found: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for isolate in policy.isolate.iter().map(|isolate| isolate.get_ref()) {
        let is_named = |name: &str| {
            let matches = |globs: &[Spanned<Glob>]| globs.iter().any(|glob| glob.get_ref().is_match(name));
            matches(&isolate.externs) && !matches(&isolate.except) && !planned.contains(name)
        };
        let domain = isolate.domain.get_ref();
        let library = policy.domain.get(&**domain).and_then(|domain| graph.named(domain.library.get_ref()));
        let members =
            (0..graph.packages.len()).filter(|index| graph.packages[*index].member && Some(*index) != library);
        for file in library.into_iter().chain(members).flat_map(|index| main_files(&graph.packages[index])) {
            for item in file.facts.foreign.iter().filter(|item| is_named(&item.name)) {
                if let Some(cfg) = decided_by_script(file, &item.scope.cfgs) {
                    found.entry((domain, cfg)).or_default().insert(&item.name);
                }
            }
        }
    }
    let found = found.into_iter().map(|((domain, cfg), functions)| Unsettled {
        domain: domain.to_owned(),
        cfg: cfg.to_owned(),
        functions: functions.into_iter().map(str::to_owned).collect(),
    });
    found.collect()
}

/// The predicate around an item that holds if a build script sets something.
fn decided_by_script<'f>(file: &'f SourceFile, cfgs: &'f [String]) -> Option<&'f str> {
    let is_open = |cfgs: &[String]| file.likely(cfgs) == Presence::Dormant && file.presence(cfgs) == Presence::Unknown;
    if !is_open(cfgs) {
        return None;
    }
    let own = cfgs.iter().find(|cfg| is_open(std::slice::from_ref(*cfg)));
    own.or(file.cfgs.first()).map(String::as_str)
}

impl fmt::Display for Unsettled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unsettled { domain, cfg, functions } = self;
        let (are, them) = if functions.len() == 1 { ("is", "it") } else { ("are", "them") };
        write!(
            f,
            "{} of [domain.{domain}] {are} there if a build script sets `{cfg}`, which was not asked, and calls of {them} would run in the \
             program: `expand = true` in the policy, above its tables, or `--expand` asks it",
            few(functions)
        )
    }
}
