//! The policy's `[[isolate]]` and `[domain.*]` against what the graph declares.

use super::{Declared, Library};
use crate::{
    glob::Glob,
    graph::{Graph, Package, Role, SourceFile},
    policy::{PolicyError, Spanned, model},
};
use isolate_lints::{
    cfg::Presence,
    facts::{ForeignItem, ForeignKind},
};
use std::collections::{BTreeMap, BTreeSet};

/// A function that some domain isolates.
pub(super) struct Selected<'g> {
    pub(super) domain: String,
    pub(super) item: &'g ForeignItem,
    pub(super) declared: Declared,
    /// Declarations of the same name say different things, and no `cfg` decides.
    pub(super) disputed: bool,
}

/// One declaration.
#[derive(Clone)]
pub(super) struct Candidate<'g> {
    pub(super) item: &'g ForeignItem,
    presence: Presence,
    pub(super) declared: Declared,
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
        let Some(library) = package(graph, domain.library.get_ref()) else { continue };
        let mut except = Exceptions::new(&isolate.except);
        for pattern in &isolate.externs {
            let found = matching(graph, library, pattern, errors);
            let (any, mut left) = (!found.is_empty(), 0);
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
            let message = format!("`{text}` takes nothing out: no function that `extern` names is called so");
            let error = PolicyError::new(pattern.span(), message).help("remove it");
            errors.push(error.did_you_mean(text, self.names.iter().map(|name| &**name)));
        }
    }
}

#[derive(Clone)]
struct Agreed<'g> {
    item: Candidate<'g>,
    disputed: bool,
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
        let is_it = |other: &&Agreed<'g>| other.item.item.name == *name && !other.item.item.visibility.is_empty();
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

/// One declaration per name, preferring what surely holds over what may.
fn agreed<'g>(candidates: impl Iterator<Item = Candidate<'g>>, wanted: &dyn Fn(&str) -> bool) -> Vec<Agreed<'g>> {
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

fn main_files(package: &Package) -> impl Iterator<Item = &SourceFile> {
    package.files.iter().filter(|file| file.role == Role::Main)
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

fn items(graph: &Graph, index: usize) -> impl Iterator<Item = Candidate<'_>> {
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

/// Mistakes in `[domain.*]` that only all of them together show, and names that cannot name a module.
pub(super) fn domains(graph: &Graph, policy: &model::Policy, errors: &mut Vec<PolicyError>) {
    // Which domain holds the globals of an archive: they lie between one pair of symbols.
    let mut holders: BTreeMap<String, &str> = BTreeMap::new();
    for (name, domain) in &policy.domain {
        let word = name.get_ref();
        // `gen` is a word since the edition 2024, which the parser does not know.
        let is_raw = word.starts_with("r#") || word == "gen";
        if !word.is_ascii() || is_raw || syn::parse_str::<syn::Ident>(word).is_err() {
            let error = PolicyError::new(name.span(), format!("`{word}` cannot name a domain"));
            errors.push(
                error.help("it becomes a module and part of linker symbols: letters, digits and `_`, no keyword"),
            );
        }
        let krate = package(graph, domain.library.get_ref()).and_then(|index| graph.packages[index].lib.as_ref());
        let library = krate.map(|_| (domain.library.get_ref(), domain.library.span()));
        let archives = domain.archives.iter().map(|archive| (archive.get_ref(), archive.span()));
        for (archive, span) in library.into_iter().chain(archives) {
            match holders.insert(archive.clone(), word) {
                Some(other) if other != word => {
                    let message = format!("the domain `{other}` holds the globals of `{archive}` already");
                    errors.push(
                        PolicyError::new(span, message).help("a library's globals exist once: use one domain for it"),
                    );
                }
                _ => {}
            }
        }
    }
}

/// The package that serves a domain's symbols.
pub(super) fn library(graph: &Graph, domain: &model::Domain, errors: &mut Vec<PolicyError>) -> Option<Library> {
    let wanted = domain.library.get_ref();
    let Some(index) = package(graph, wanted) else {
        let names: BTreeSet<_> = graph.packages.iter().map(|package| &*package.name).collect();
        let error =
            PolicyError::new(domain.library.span(), format!("no package `{wanted}` is in this workspace's graph"));
        errors.push(
            error.help("`library` names the package that compiles or links the C code").did_you_mean(wanted, names),
        );
        return None;
    };
    let package = &graph.packages[index];
    if package.lib.is_none() && domain.archives.is_empty() {
        let message = format!("`{wanted}` has no library, so nothing says which archive holds its C code");
        errors.push(PolicyError::new(domain.library.span(), message).help("add `archives = [\"lib….a\"]`"));
    }
    if let Some(wanted) = domain.version.as_ref().filter(|wanted| !wanted.get_ref().hold(&package.version)) {
        let message =
            format!("`{}` is {} here: not what these contracts were written for", package.name, package.version);
        let help = "read what changed in its header and manual, mend the contracts, then widen this";
        errors.push(PolicyError::new(wanted.span(), message).help(help));
    }
    for archive in &domain.archives {
        let name = archive.get_ref();
        let is_safe = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+'));
        if !is_safe || !(name.ends_with(".a") || name.ends_with(".so") || name.contains(".so.")) {
            let message = format!("`{name}` is not the file name of a static archive or shared object");
            errors.push(
                PolicyError::new(archive.span(), message).help("like `libfoo.a` or `libfoo.so.1`, without a path"),
            );
        }
    }
    Some(Library {
        package: index,
        name: package.name.clone(),
        version: package.version.clone(),
        krate: package.lib.clone(),
    })
}

/// A member first; of several versions, the last.
fn package(graph: &Graph, name: &str) -> Option<usize> {
    let named = |index: &usize| graph.packages[*index].name == name;
    let all: Vec<_> = (0..graph.packages.len()).filter(named).collect();
    all.iter().copied().find(|index| graph.packages[*index].member).or(all.last().copied())
}

/// A contract that applies to nothing was meant for something.
pub(super) fn unused_contracts(
    graph: &Graph,
    policy: &model::Policy,
    selected: &[Selected<'_>],
    errors: &mut Vec<PolicyError>,
) {
    let isolated: BTreeSet<_> = selected.iter().map(|selected| &*selected.item.name).collect();
    let libraries: Vec<_> =
        policy.domain.values().filter_map(|domain| package(graph, domain.library.get_ref())).collect();
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
