//! The policy's `[[isolate]]` against what the graph declares.

use super::{
    Declared,
    candidates::{Agreed, Candidate, agreed, functions, items, main_files},
};
use crate::{
    contract::{
        shape::TypePath,
        sight::{Viewer, shown},
    },
    glob::Glob,
    graph::Graph,
    policy::{PolicyError, Spanned, model},
};
use isolate_lints::facts::ForeignItem;
use std::collections::BTreeSet;

/// A function that some domain isolates.
pub(super) struct Selected<'g> {
    pub(super) domain: String,
    pub(super) item: &'g ForeignItem,
    pub(super) declared: Declared,
    /// Declarations of the same name say different things, and no `cfg` decides.
    pub(super) disputed: bool,
}

/// Resolves every `[[isolate]]`, in the order of the declarations within each domain.
pub(super) fn select<'g>(graph: &'g Graph, policy: &model::Policy, errors: &mut Vec<PolicyError>) -> Vec<Selected<'g>> {
    let mut chosen: Vec<Selected<'g>> = Vec::new();
    for isolate in &policy.isolate {
        let isolate = isolate.get_ref();
        let name = isolate.domain.get_ref();
        let Some(domain) = policy.domain.get(&**name) else {
            let names = policy.domain.keys().map(|name| &**name.get_ref());
            let error = PolicyError::new(isolate.domain.span(), format!("there is no `[domain.{name}]`"));
            errors.push(error.help("add one that names its library").did_you_mean(name, names));
            continue;
        };
        let Some(library) = graph.named(domain.library.get_ref()) else { continue };
        let mut except = Exceptions::new(&isolate.except);
        for pattern in &isolate.externs {
            let found = matching(graph, library, pattern, errors);
            let (any, mut left, before) = (!found.is_empty(), 0, chosen.len());
            let of_others = errors.len();
            for candidate in found {
                if except.takes(&candidate.item.item.name) {
                    continue;
                }
                left += 1;
                match chosen.iter().find(|other| other.item.name == candidate.item.item.name) {
                    Some(other) if other.domain == *name => {}
                    Some(other) => {
                        let message =
                            format!("`{}` runs in the domain `{}` already", candidate.item.item.name, other.domain);
                        errors.push(PolicyError::new(pattern.span(), message).help("isolate it once"));
                    }
                    None => chosen.push(Selected {
                        domain: name.clone(),
                        item: candidate.item.item,
                        declared: candidate.item.declared,
                        disputed: candidate.disputed,
                    }),
                }
            }
            if left > 0 && chosen.len() == before && errors.len() == of_others {
                let message =
                    format!("`{}` adds nothing: all that it names runs in `{name}` already", pattern.get_ref().text());
                errors.push(PolicyError::new(pattern.span(), message).help("remove it"));
            }
            if any && left == 0 {
                let message = format!("`except` takes out all that `{}` names", pattern.get_ref().text());
                errors.push(PolicyError::new(pattern.span(), message).help("remove it here, or from `except`"));
            }
        }
        except.unused(errors);
    }
    chosen.sort_by(|a, b| {
        // The package first: where its folder lies differs between machines.
        let place = |selected: &Selected<'_>| {
            (selected.declared.index, selected.declared.file.clone(), selected.item.span.start)
        };
        (&a.domain, place(a)).cmp(&(&b.domain, place(b)))
    });
    chosen
}

/// The `except` of one `[[isolate]]`.
struct Exceptions<'p> {
    /// With whether it took anything out.
    patterns: Vec<(&'p Spanned<Glob>, bool)>,
    /// Every name it was held against.
    names: BTreeSet<String>,
}

impl<'p> Exceptions<'p> {
    fn new(patterns: &'p [Spanned<Glob>]) -> Exceptions<'p> {
        Exceptions { patterns: patterns.iter().map(|pattern| (pattern, false)).collect(), names: BTreeSet::new() }
    }

    fn takes(&mut self, name: &str) -> bool {
        self.names.insert(name.to_owned());
        let mut taken = false;
        for (pattern, used) in &mut self.patterns {
            let matches = pattern.get_ref().is_match(name);
            *used |= matches;
            taken |= matches;
        }
        taken
    }

    /// What takes out nothing was meant for something.
    fn unused(&self, errors: &mut Vec<PolicyError>) {
        for (pattern, ..) in self.patterns.iter().filter(|(.., used)| !used) {
            let text = pattern.get_ref().text();
            let message = format!("`{text}` excludes nothing: it matches no function that `extern` selects");
            let error = PolicyError::new(pattern.span(), message).help("remove it");
            errors.push(error.did_you_mean(text, self.names.iter().map(|name| &**name)));
        }
    }
}

/// The functions that a pattern names: those that the library's package declares, else those that members declare themselves.
fn matching<'g>(
    graph: &'g Graph,
    library: usize,
    pattern: &Spanned<Glob>,
    errors: &mut Vec<PolicyError>,
) -> Vec<Agreed<'g>> {
    let text = pattern.get_ref().text();
    let members = (0..graph.packages.len()).filter(|index| graph.packages[*index].member && *index != library);
    let groups: [Vec<usize>; 2] = [vec![library], members.collect()];
    let [mut found, own] = groups.each_ref().map(|group| {
        agreed(group.iter().flat_map(|package| functions(graph, *package)), &|name| pattern.get_ref().is_match(name))
    });
    // Who declares again what the library declares cannot reach it there, or has a better signature.
    for function in &mut found {
        let name = &function.item.item.name;
        let is_it = |other: &&Agreed<'g>| {
            let Candidate { item, declared, .. } = &other.item;
            let path =
                || TypePath { package: declared.index, module: declared.module.clone(), name: item.name.clone() };
            item.name == *name && !item.visibility.is_empty() && shown(graph, &path(), Viewer::Same).is_ok()
        };
        if let Some(own) = own.iter().find(is_it) {
            *function = own.clone();
        }
    }
    let found = if found.is_empty() { own } else { found };
    if !found.is_empty() {
        return found;
    }
    if let Some(error) = dormant(graph, groups.iter().flatten(), pattern) {
        errors.push(error);
        return Vec::new();
    }
    let all: Vec<_> = groups.iter().flatten().flat_map(|package| items(graph, *package)).collect();
    let unseen = graph.packages[library].has_unseen_items();
    let unread = groups.iter().flatten().any(|index| !graph.packages[*index].is_written_completely());
    let library = &graph.packages[library].name;
    let is_static = all.iter().any(|candidate| candidate.item.name == text);
    errors.push(if is_static {
        PolicyError::new(pattern.span(), format!("`{text}` is a static: only functions run in a domain"))
    } else {
        let message = format!("no foreign function is called `{text}` in `{library}` or the workspace's own code");
        let error = PolicyError::new(pattern.span(), message);
        match unseen {
            _ if unread => error.help(UNREAD),
            true => error.help(UNSEEN),
            false => {
                // Symbols that wrappers make of the linker are nobody's to isolate.
                let names = all.iter().map(|one| &*one.item.name).filter(|name| !name.starts_with("__isolate_"));
                let names: BTreeSet<&str> = names.collect();
                let error = error.did_you_mean(text, names.iter().copied());
                if error.help.is_some() { error } else { error.help(declared(&names)) }
            }
        }
    });
    Vec::new()
}

const UNREAD: &str = "not every file of it was read: `cargo isolate` shows which";

const UNSEEN: &str = "the library's build script writes declarations, which were not seen: `expand = true` in the policy, above its \
     tables, or `--expand` runs it and reads what it writes";

/// The mistake of naming what this build leaves out.
fn dormant<'i>(
    graph: &Graph,
    mut packages: impl Iterator<Item = &'i usize>,
    pattern: &Spanned<Glob>,
) -> Option<PolicyError> {
    let (package, file, item) = packages.find_map(|index| {
        let package = &graph.packages[*index];
        let mut all = main_files(package).flat_map(|file| file.facts.foreign.iter().map(move |item| (file, item)));
        let (file, item) = all.find(|(_, item)| pattern.get_ref().is_match(&item.name))?;
        Some((package, file, item))
    })?;
    let hidden = file.hidden_by(&item.scope.cfgs)?;
    let message = format!("`{}` is not in this build: `{}` declares it under `{hidden}`", item.name, package.name);
    let error = PolicyError::new(pattern.span(), message);
    Some(error.help(match file.needs_features(&item.scope.cfgs) {
        true => "features of another package are those of the build: give the same `--features` to every command",
        false => "take it out",
    }))
}

/// What there is to choose from, the first few by name.
fn declared(names: &BTreeSet<&str>) -> String {
    const FEW: usize = 5;
    let few: Vec<String> = names.iter().take(FEW).map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => "neither has an `extern` block: `library` names the package that has".to_owned(),
        count if count > FEW => format!("declared there: {}, and {} more", few.join(", "), count - FEW),
        _ => format!("declared there: {}", few.join(", ")),
    }
}

/// A contract that applies to nothing was meant for something.
pub(super) fn unused_contracts(
    graph: &Graph,
    policy: &model::Policy,
    selected: &[Selected<'_>],
    errors: &mut Vec<PolicyError>,
) {
    let isolated: BTreeSet<_> = selected.iter().map(|selected| &*selected.item.name).collect();
    let libraries: Vec<_> = policy.domain.values().filter_map(|domain| graph.named(domain.library.get_ref())).collect();
    for name in policy.functions.keys().filter(|name| !isolated.contains(&**name.get_ref())) {
        let word = name.get_ref();
        let declared = || (0..graph.packages.len()).flat_map(|package| functions(graph, package));
        errors.push(match declared().find(|candidate| candidate.item.name == *word) {
            Some(candidate) => PolicyError::new(name.span(), format!("`{word}` runs in no domain")).help(format!(
                "`{}` declares it: add it to an `[[isolate]]`, or remove this",
                candidate.declared.package
            )),
            None => {
                let error = PolicyError::new(name.span(), format!("no foreign function is called `{word}`"));
                match libraries.iter().any(|library| graph.packages[*library].has_unseen_items()) {
                    true => error.help(UNSEEN),
                    false => error.did_you_mean(word, isolated.iter().copied()),
                }
            }
        });
    }
}
