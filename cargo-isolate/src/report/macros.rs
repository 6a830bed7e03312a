//! Uses of macros whose definition contains unsafe code, and of procedural macros, whose output is not visible.

use super::diagnostic::{Detail, Source};
use crate::{graph::Graph, names::Names};
use isolate_lints::{
    facts::MacroFact,
    resolve::{ForeignCalls, MacroSort},
};
use std::collections::{BTreeMap, BTreeSet};

/// The uses, by file. Each procedural macro is reported once per package, at its first use.
pub(super) fn uses<'g>(
    graph: &Graph,
    names: &Names<'g>,
    foreign: &ForeignCalls<'g>,
) -> BTreeMap<Source, Vec<(&'g MacroFact, Detail)>> {
    let mut found = BTreeMap::<Source, Vec<_>>::new();
    let mut procedural = BTreeSet::new();
    for used in names.resolver().macro_uses().iter().chain(&foreign.hidden) {
        let (package, file) = names.origin(used.user);
        let source = Source { package, file };
        let (name, kind) = (used.fact.path.to_string(), used.fact.kind);
        let defining = names.package(used.krate);
        let defined_in = graph.packages[defining].id();
        let detail = match used.what {
            MacroSort::Hidden => {
                Detail::Unexpanded { name, kind: Some(kind), argument: String::new(), defined_in: Some(defined_in) }
            }
            MacroSort::Unsafe => Detail::MacroUse { name, defined_in },
            MacroSort::Procedural => {
                let user = &graph.packages[package].files[file];
                if user.expansions.iter().any(|seen| seen.span == used.fact.span) {
                    continue;
                }
                let role = user.role;
                if !procedural.insert((package, role, defining, used.fact.path.rsplit("::").next())) {
                    continue;
                }
                Detail::Unexpanded { name, kind: Some(kind), argument: String::new(), defined_in: Some(defined_in) }
            }
        };
        found.entry(source).or_default().push((used.fact, detail));
    }
    found
}
