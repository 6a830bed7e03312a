//! The foreign items that packages declare, and of several declarations of one name the one that holds.

use super::Declared;
use crate::graph::{Graph, Package, Role, SourceFile};
use isolate_lints::{
    cfg::Presence,
    facts::{ForeignItem, ForeignKind},
};
use std::collections::{BTreeMap, BTreeSet};

/// One declaration.
#[derive(Clone)]
pub(super) struct Candidate<'g> {
    pub(super) item: &'g ForeignItem,
    pub(super) presence: Presence,
    pub(super) declared: Declared,
}

#[derive(Clone)]
pub(super) struct Agreed<'g> {
    pub(super) item: Candidate<'g>,
    pub(super) disputed: bool,
}

/// One declaration per name, preferring what surely holds over what may.
pub(super) fn agreed<'g>(
    candidates: impl Iterator<Item = Candidate<'g>>,
    wanted: &dyn Fn(&str) -> bool,
) -> Vec<Agreed<'g>> {
    let mut by_name: BTreeMap<&str, Vec<Candidate<'g>>> = BTreeMap::new();
    for candidate in candidates.filter(|candidate| wanted(&candidate.item.name)) {
        by_name.entry(&candidate.item.name).or_default().push(candidate);
    }
    let agreed = by_name.into_values().map(|same| {
        let mut same = merged(same);
        if same.iter().any(|one| one.presence == Presence::Live) {
            same.retain(|one| one.presence == Presence::Live);
        } else if same.iter().any(|one| !one.declared.dormant) {
            same.retain(|one| !one.declared.dormant);
        }
        let disputed = same.iter().any(|one| one.item.item != same[0].item.item);
        Agreed { item: same.swap_remove(0), disputed }
    });
    agreed.collect()
}

/// One of those in a module that say the same under different predicates: it is there under any of them.
fn merged(same: Vec<Candidate<'_>>) -> Vec<Candidate<'_>> {
    let mut merged: Vec<(Candidate<'_>, Vec<Vec<String>>)> = Vec::new();
    for one in same {
        let twin = merged.iter_mut().find(|(other, _)| {
            let place = |candidate: &Candidate<'_>| (candidate.declared.index, candidate.declared.module.clone());
            (&other.item.item, &other.item.visibility, place(other))
                == (&one.item.item, &one.item.visibility, place(&one))
        });
        match twin {
            Some((other, ways)) => {
                ways.push(one.declared.cfgs);
                other.presence = other.presence.min(one.presence);
                other.declared.dormant &= one.declared.dormant;
            }
            None => {
                let ways = vec![one.declared.cfgs.clone()];
                merged.push((one, ways));
            }
        }
    }
    let joined = merged.into_iter().map(|(mut one, ways)| {
        one.declared.cfgs = any_of(ways);
        one
    });
    joined.collect()
}

/// Predicates that hold where all those of some way hold.
pub(crate) fn any_of(mut ways: Vec<Vec<String>>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    ways.retain(|way| seen.insert(way.clone()));
    match &ways[..] {
        [one] => one.clone(),
        ways if ways.iter().any(Vec::is_empty) => Vec::new(),
        ways => {
            let all = ways.iter().map(|way| match &way[..] {
                [one] => one.clone(),
                several => format!("all({})", several.join(", ")),
            });
            vec![format!("any({})", all.collect::<Vec<_>>().join(", "))]
        }
    }
}

/// The functions that a package declares and that may be there.
pub(super) fn functions(graph: &Graph, package: usize) -> impl Iterator<Item = Candidate<'_>> {
    items(graph, package).filter(|candidate| matches!(candidate.item.item, ForeignKind::Function { .. }))
}

pub(super) fn items(graph: &Graph, index: usize) -> impl Iterator<Item = Candidate<'_>> {
    let package = &graph.packages[index];
    let for_all = package.member && calls_its_own(package);
    main_files(package).flat_map(move |file| {
        let all = file.facts.foreign.iter().map(|item| (item, file.likely(&item.scope.cfgs)));
        let dormant = move |item: &ForeignItem| for_all && file.needs_features(&item.scope.cfgs);
        let possible = all.filter(move |(item, presence)| *presence != Presence::Dormant || dormant(item));
        possible.map(move |(item, presence)| Candidate {
            item,
            presence,
            declared: Declared {
                index,
                package: package.name.clone(),
                module: [&*file.module, &*item.scope.modules].concat(),
                file: graph.relative(&file.path),
                line: item.span.line,
                column: item.span.column,
                cfgs: match package.member {
                    true => file.cfgs.iter().chain(&item.scope.cfgs).cloned().collect(),
                    false => Vec::new(),
                },
                dormant: presence == Presence::Dormant,
            },
        })
    })
}

/// A package whose own code calls what it declares has the wrappers, or will: they can stand under its features. Those of what
/// another package declares are for the features of the build at hand.
fn calls_its_own(package: &Package) -> bool {
    let declared: BTreeSet<&str> =
        main_files(package).flat_map(|file| &file.facts.foreign).map(|item| &*item.name).collect();
    let mut calls = main_files(package).flat_map(|file| &file.facts.calls);
    let last = |path: &str| path.rsplit("::").next().is_some_and(|name| declared.contains(name));
    !declared.is_empty() && calls.any(|call| last(&call.path))
}

pub(super) fn main_files(package: &Package) -> impl Iterator<Item = &SourceFile> {
    package.files.iter().filter(|file| file.role == Role::Main)
}
