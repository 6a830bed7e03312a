//! From target roots through `mod` items and `include!` to every source file, scanned on all cores.
//!
//! The tree is walked in rounds: one round scans in parallel what the round before found. What a round finds is sorted
//! out on one thread, so the result does not depend on timing.

use super::{
    cache::{Cache, Files},
    include,
    metadata::{Loaded, Target},
    module_path::{Candidate, Place},
    unreached,
};
use crate::{
    graph::{Gap, GapKind, Package, SourceFile},
    progress::Progress,
    text::{self, Text},
};
use camino::{Utf8Path, Utf8PathBuf};
use isolate_lints::{
    Edition,
    cfg::Presence,
    facts::{FileFacts, ModuleDecl, Span},
};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Fills in [`Package::files`] and [`Package::gaps`] of all packages but those that are `restored`.
pub(super) fn scan(loaded: &mut Loaded, restored: &BTreeSet<usize>, cache: &Cache, progress: &Progress) {
    let Loaded { graph, targets, identities, .. } = loaded;
    let files = cache.files(graph);
    let mut walk = Walk::new(&graph.packages, targets, identities);
    walk.frontier
        .values_mut()
        .for_each(|round| round.retain(|entry| !restored.contains(&targets[entry.target].package)));
    while let Some((_, round)) = walk.frontier.pop_first() {
        progress.done(walk.finished(&round));
        walk.round(round, &files, progress);
    }
    for (package, found) in walk.finish() {
        graph.packages[package].files = found.files;
        graph.packages[package].gaps = found.gaps;
    }
    let reached = graph.packages.iter().flat_map(|package| &package.files).map(|file| file.path.clone()).collect();
    for package in graph.packages.iter_mut().filter(|package| package.member) {
        let edition = package.files.first().map_or(Edition::E2024, |file| file.edition);
        let unreached = unreached::scan(package, edition, &reached, &files);
        package.files.extend(unreached);
    }
    files.keep();
}

/// A file that belongs to a crate.
struct Entry {
    /// Index in [`Walk::targets`].
    target: usize,
    /// Position in the module tree: which child of which child.
    order: Vec<usize>,
    module: Vec<String>,
    path: Utf8PathBuf,
    place: Place,
    how: How,
    /// The item that asked for it.
    from: Option<(Utf8PathBuf, Span)>,
    /// Predicates of the items that lead to it, outermost first.
    cfgs: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// The root of a target, or by a `mod` item.
    Module,
    /// By `include!`, which may hold an expression just as well as items.
    Include,
}

/// One file may be in several crates, even with several editions.
type Key = (Utf8PathBuf, Edition);

/// A file read and scanned, or why not.
type Scanned = Result<(Text, FileFacts), String>;

struct Walk<'g> {
    packages: &'g [Package],
    targets: &'g [Target],
    /// As in [`Loaded::identities`].
    identities: &'g [Option<String>],
    /// What is to be scanned next: code of the build first, then what may be of it, then the rest, so that a file that is
    /// reached in several ways counts as what it is by the best of them.
    frontier: BTreeMap<Presence, Vec<Entry>>,
    done: Vec<Entry>,
    gaps: Vec<(usize, Gap)>,
    scanned: HashMap<Key, Scanned>,
    /// Files that each target has, so that a file that names itself ends the walk.
    seen: HashSet<(usize, Utf8PathBuf)>,
    /// Places of `include!` whose file was found: no longer unexpanded.
    included: HashSet<(Utf8PathBuf, Span)>,
}

/// What a package's targets reach.
#[derive(Default)]
struct Found {
    files: Vec<SourceFile>,
    gaps: Vec<Gap>,
}

impl<'g> Walk<'g> {
    fn new(packages: &'g [Package], targets: &'g [Target], identities: &'g [Option<String>]) -> Walk<'g> {
        let roots = targets.iter().enumerate().map(|(index, target)| Entry {
            target: index,
            order: Vec::new(),
            module: Vec::new(),
            path: target.root.clone(),
            place: Place::of_mod_rs(&target.root),
            how: How::Module,
            from: None,
            cfgs: Vec::new(),
        });
        Walk {
            packages,
            targets,
            identities,
            frontier: BTreeMap::from([(Presence::Live, roots.collect())]),
            done: Vec::new(),
            gaps: Vec::new(),
            scanned: HashMap::new(),
            seen: HashSet::new(),
            included: HashSet::new(),
        }
    }

    /// Packages that nothing is left to be scanned of, when this is to be scanned next.
    fn finished(&self, round: &[Entry]) -> usize {
        let open: HashSet<usize> =
            self.frontier.values().flatten().chain(round).map(|entry| self.targets[entry.target].package).collect();
        self.packages.len() - open.len()
    }

    fn round(&mut self, mut round: Vec<Entry>, files: &Files<'_>, progress: &Progress) {
        round.retain(|entry| self.seen.insert((entry.target, entry.path.clone())));
        let new: HashMap<Key, usize> = round
            .iter()
            .map(|entry| (self.key(entry), self.targets[entry.target].package))
            .filter(|(key, _)| !self.scanned.contains_key(key))
            .collect();
        self.scanned.par_extend(new.into_par_iter().map(|(key, package)| {
            progress.at(&self.packages[package].name);
            let scanned = text::read(&key.0).map(|text| {
                let digest = text::digest(&text);
                let facts = match self.identities[package].is_some() {
                    true => files.wanted().scan(&text, key.1),
                    false => files.facts(&text, digest, key.1),
                };
                (Text::known(digest), facts)
            });
            (key, scanned)
        }));
        for entry in &round {
            // Taken out while its children are collected, which needs the rest of `self`.
            let key = self.key(entry);
            if let Some(scanned) = self.scanned.remove(&key) {
                if let Ok((_, facts)) = &scanned {
                    self.children(entry, facts);
                }
                self.scanned.insert(key, scanned);
            }
        }
        self.done.extend(round);
    }

    /// Queues the files that `entry` asks for.
    fn children(&mut self, entry: &Entry, facts: &FileFacts) {
        for (index, decl) in facts.modules.iter().enumerate() {
            if decl.inline {
                continue;
            }
            let places = inline_places(&entry.place, &decl.parents, &facts.modules);
            let mut module = entry.module.clone();
            module.extend(decl.parents.iter().chain([&decl.name]).cloned());
            let here = places.iter().map(|place| (place.clone(), module.clone()));
            // A macro's `mod` belongs where it is called, which may be the crate root.
            let root = Place::of_mod_rs(&self.targets[entry.target].root);
            let at_call = decl.in_macro.is_some().then(|| (root, vec![decl.name.clone()]));
            let candidates = here.chain(at_call).flat_map(|(place, module)| {
                self::candidates(&place, decl).into_iter().map(move |(file, cfgs)| (file, module.clone(), cfgs))
            });
            let candidates = candidates.collect();
            self.follow(entry, index, candidates, decl.span, How::Module, decl.in_macro.is_none());
        }
        let package = &self.packages[self.targets[entry.target].package];
        for (index, unseen) in facts.unexpanded.iter().enumerate() {
            if !matches!(unseen.name.as_str(), "include" | "std::include" | "core::include") {
                continue;
            }
            let Some(path) = include::path(&unseen.argument, package) else {
                continue;
            };
            let candidate = Place::of_mod_rs(&entry.path).at(path.as_str());
            if candidate.path.is_file() {
                self.included.insert((entry.path.clone(), unseen.span));
            }
            let mut module = entry.module.clone();
            module.extend(unseen.scope.modules.iter().cloned());
            let certain = unseen.scope.in_macro.is_none();
            let index = facts.modules.len() + index;
            let candidates = vec![(candidate, module, unseen.scope.cfgs.clone())];
            self.follow(entry, index, candidates, unseen.span, How::Include, certain);
        }
    }

    /// Queues each candidate that exists, with the predicates that choose it; one `mod` item may mean several files, by
    /// `#[cfg_attr(…, path = "…")]`. Where none exists, that is a gap; a certain one, if the build asks for one of them.
    fn follow(
        &mut self,
        entry: &Entry,
        index: usize,
        candidates: Vec<(Candidate, Vec<String>, Vec<String>)>,
        span: Span,
        how: How,
        certain: bool,
    ) {
        let from = Some((entry.path.clone(), span));
        let target = &self.targets[entry.target];
        let presence = |cfgs: &[String]| target.configs.presence(entry.cfgs.iter().chain(cfgs));
        let expected = candidates.first().map(|(candidate, ..)| candidate.path.clone());
        let wanted = candidates.iter().any(|(.., cfgs)| presence(cfgs) == Presence::Live);
        let existing: Vec<_> = candidates.into_iter().filter(|(candidate, ..)| is_there(&candidate.path)).collect();
        if existing.is_empty() {
            let why = if certain && wanted { GapKind::Missing } else { GapKind::MissingCfg };
            let role = self.targets[entry.target].role;
            let path = expected.unwrap_or_default();
            self.gaps.push((entry.target, Gap { path, from, why, role }));
            return;
        }
        for (choice, (Candidate { path, place }, module, cfgs)) in existing.into_iter().enumerate() {
            let mut order = entry.order.clone();
            order.extend([index, choice]);
            let from = from.clone();
            let round = self.frontier.entry(presence(&cfgs)).or_default();
            let cfgs = entry.cfgs.iter().cloned().chain(cfgs).collect();
            round.push(Entry { target: entry.target, order, module, path, place, how, from, cfgs });
        }
    }

    fn key(&self, entry: &Entry) -> Key {
        (entry.path.clone(), self.targets[entry.target].edition)
    }

    /// By package: each file once, for the first target that reaches it, in module-tree order.
    fn finish(mut self) -> HashMap<usize, Found> {
        let mut done = std::mem::take(&mut self.done);
        done.sort_by(|a, b| (a.target, &a.order).cmp(&(b.target, &b.order)));
        let mut listed = HashSet::new();
        done.retain(|entry| listed.insert((self.targets[entry.target].package, entry.path.clone())));
        let mut uses: HashMap<Key, usize> = HashMap::new();
        for entry in &done {
            *uses.entry(self.key(entry)).or_default() += 1;
        }

        let mut found: HashMap<usize, Found> = HashMap::new();
        for entry in done {
            let key = self.key(&entry);
            let target = &self.targets[entry.target];
            let found = found.entry(target.package).or_default();
            match self.take(&key, &mut uses) {
                Ok((text, facts)) => {
                    let mut file = SourceFile {
                        path: entry.path,
                        text,
                        role: target.role,
                        krate: target.krate.clone(),
                        edition: target.edition,
                        module: entry.module,
                        cfgs: entry.cfgs,
                        configs: target.configs.clone(),
                        facts,
                        expansions: Vec::new(),
                    };
                    file.facts.settle(&file.configs);
                    self.settle_includes(&mut file, entry.how);
                    found.files.push(file);
                }
                Err(why) => found.gaps.push(Gap {
                    path: entry.path,
                    from: entry.from,
                    why: GapKind::Unreadable(why),
                    role: target.role,
                }),
            }
        }
        for (target, gap) in self.gaps {
            let gaps = &mut found.entry(self.targets[target].package).or_default().gaps;
            // Targets that share a file miss the same modules.
            if !gaps.iter().any(|other| (&other.path, &other.from) == (&gap.path, &gap.from)) {
                gaps.push(gap);
            }
        }
        for found in found.values_mut() {
            found.gaps.sort_by(|a, b| (&a.path, &a.from).cmp(&(&b.path, &b.from)));
        }
        found
    }

    /// The scanned file, moved out for its last use: the facts of a large graph are worth not copying.
    fn take(&mut self, key: &Key, uses: &mut HashMap<Key, usize>) -> Scanned {
        let left = uses.get_mut(key).map_or(0, |left| {
            *left -= 1;
            *left
        });
        let scanned = match left {
            0 => self.scanned.remove(key),
            _ => self.scanned.get(key).cloned(),
        };
        scanned.unwrap_or_else(|| Err("not scanned".to_owned()))
    }

    fn settle_includes(&self, file: &mut SourceFile, how: How) {
        let facts = &mut file.facts;
        facts.unexpanded.retain(|unseen| !self.included.contains(&(file.path.clone(), unseen.span)));
        if how == How::Include && facts.unsafe_tokens == 0 {
            // An expression, then, rather than items, and one with nothing in it for the facts to tell.
            facts.errors.clear();
        }
    }
}

/// The files that `mod name;` may mean at a place, each with the predicates that choose it: what `#[path]` says, and where
/// none does, the places that its name stands for.
fn candidates(place: &Place, decl: &ModuleDecl) -> Vec<(Candidate, Vec<String>)> {
    let all = |cfgs: &[String]| match cfgs {
        [one] => one.clone(),
        several => format!("all({})", several.join(", ")),
    };
    let mut found = Vec::new();
    let mut before: Vec<String> = Vec::new();
    for path in &decl.paths {
        let cfgs = decl.cfgs.iter().chain(&before).chain(&path.cfgs);
        found.push((place.at(&path.value), cfgs.cloned().collect()));
        if path.cfgs.is_empty() {
            return found;
        }
        before.push(format!("not({})", all(&path.cfgs)));
    }
    let cfgs: Vec<String> = decl.cfgs.iter().chain(&before).cloned().collect();
    found.extend(place.named(&decl.name).map(|file| (file, cfgs.clone())));
    found
}

/// Whether there is a file, or a link that should lead to one: reading it will tell why it does not.
fn is_there(path: &Utf8Path) -> bool {
    match path.metadata() {
        Ok(metadata) => metadata.is_file(),
        Err(_) => path.symlink_metadata().is_ok(),
    }
}

/// Where code inside the inline modules `parents` stands; several places if one of them has several `#[path]`s.
fn inline_places(file: &Place, parents: &[String], modules: &[ModuleDecl]) -> Vec<Place> {
    let mut places = vec![file.clone()];
    for (depth, name) in parents.iter().enumerate() {
        let decl = modules.iter().find(|decl| decl.inline && decl.name == *name && decl.parents == parents[..depth]);
        let paths = decl.map_or(&[][..], |decl| &decl.paths);
        places = places
            .iter()
            .flat_map(|place| {
                let plain = std::iter::once(place.inline(name, None));
                plain.chain(paths.iter().map(|path| place.inline(name, Some(&path.value))))
            })
            .collect();
    }
    places
}
