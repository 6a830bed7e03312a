//! Follows `mod` items and `include!` from the target roots to every source file, scanning on all cores.
//!
//! The walk proceeds in rounds: each scans in parallel the files that the previous one found. The findings of a round
//! are processed on a single thread, so the result does not depend on timing.

use super::{
    cache::{Cache, Files, Read, Shape},
    include,
    metadata::{Loaded, Target},
    module_path::{Candidate, Place},
    places::{Inline, MOST_PLACES, candidates, is_there},
    unreached,
};
use crate::{
    graph::{Gap, GapKind, Package, Reach, SourceFile},
    terminal::progress::Progress,
    text::{self, Text},
};
use camino::{Utf8Path, Utf8PathBuf};
use isolate_lints::{
    Edition,
    cfg::Presence,
    facts::{FileFacts, Span},
};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Sets [`Package::files`] and [`Package::gaps`] of all packages that are not `restored`.
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

/// A file as part of a crate.
struct Entry {
    /// Index in [`Walk::targets`].
    target: usize,
    /// Position in the module tree: the child indices from the root down.
    order: Vec<usize>,
    module: Vec<String>,
    path: Utf8PathBuf,
    place: Place,
    shape: Shape,
    /// The item that refers to it.
    from: Option<(Utf8PathBuf, Span)>,
    /// Index in [`Walk::done`] of the entry that refers to it.
    parent: Option<usize>,
    /// The number of other modules that the target had already loaded the file as.
    nth: usize,
    /// Predicates of the items that lead to it, outermost first.
    cfgs: Vec<String>,
}

/// A file may be in several crates, with different editions, and be included in several places.
type Key = (Utf8PathBuf, Read);

/// The scanned file, or why it could not be read.
type Scanned = Result<(Text, FileFacts), String>;

struct Walk<'g> {
    packages: &'g [Package],
    targets: &'g [Target],
    /// Like [`Loaded::identities`].
    identities: &'g [Option<String>],
    /// What to scan next: live code first, then code that may be live, then the rest. So a file that is reached several
    /// times is listed under its most live module.
    frontier: BTreeMap<Presence, Vec<Entry>>,
    done: Vec<Entry>,
    gaps: Vec<(usize, Gap)>,
    scanned: HashMap<Key, Scanned>,
    /// The modules that each target has loaded a file as.
    seen: HashMap<(usize, Utf8PathBuf), Vec<Vec<String>>>,
    /// `include!`s whose file was found, and which are therefore no longer unexpanded.
    included: HashSet<(Utf8PathBuf, Span)>,
}

/// The files and gaps of a package.
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
            shape: Shape::Items,
            from: None,
            parent: None,
            nth: 0,
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
            seen: HashMap::new(),
            included: HashSet::new(),
        }
    }

    /// The number of packages with nothing left to scan, neither in this round nor later.
    fn finished(&self, round: &[Entry]) -> usize {
        let open: HashSet<usize> =
            self.frontier.values().flatten().chain(round).map(|entry| self.targets[entry.target].package).collect();
        self.packages.len() - open.len()
    }

    fn round(&mut self, mut round: Vec<Entry>, files: &Files<'_>, progress: &Progress) {
        round.retain_mut(|entry| self.is_new(entry));
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
        for (index, entry) in round.iter().enumerate() {
            // Removed while its children are collected, which needs the rest of `self`.
            let key = self.key(entry);
            if let Some(scanned) = self.scanned.remove(&key) {
                if let Ok((_, facts)) = &scanned {
                    self.children(entry, self.done.len() + index, facts);
                }
                self.scanned.insert(key, scanned);
            }
        }
        self.done.extend(round);
    }

    /// Whether a target has not loaded the file as this module yet. The walk ends at a file that includes itself, and
    /// at a limit on the modules per file: files that refer to each other repeatedly would otherwise make it endless.
    fn is_new(&mut self, entry: &mut Entry) -> bool {
        let around = std::iter::successors(entry.parent, |parent| self.done[*parent].parent);
        if around.into_iter().any(|around| self.done[around].path == entry.path) {
            return false;
        }
        let modules = self.seen.entry((entry.target, entry.path.clone())).or_default();
        let new = modules.len() < MOST_PLACES && !modules.contains(&entry.module);
        if new {
            entry.nth = modules.len();
            modules.push(entry.module.clone());
        }
        new
    }

    /// Queues the files that `entry` refers to. `parent` will be its index among the finished entries.
    fn children(&mut self, entry: &Entry, parent: usize, facts: &FileFacts) {
        let inline = Inline::new(&facts.modules);
        for (index, decl) in facts.modules.iter().enumerate() {
            if decl.inline {
                continue;
            }
            let (places, all) = inline.places(&entry.place, &decl.parents);
            if !all || decl.paths.len() > MOST_PLACES {
                let why = format!("`mod {}` stands for more files than are tried: too many `#[path]`s", decl.name);
                let (path, role) = (entry.path.clone(), self.targets[entry.target].role);
                let from = Some((path.clone(), decl.span));
                self.gaps.push((entry.target, Gap { path, from, why: GapKind::Unreadable(why), role }));
            }
            let mut module = entry.module.clone();
            module.extend(decl.parents.iter().chain([&decl.name]).cloned());
            let here = places.iter().map(|place| (place.clone(), module.clone()));
            // A `mod` in a macro takes effect where the macro is called, which may be the crate root.
            let root = Place::of_mod_rs(&self.targets[entry.target].root);
            let at_call = decl.in_macro.is_some().then(|| (root, vec![decl.name.clone()]));
            let candidates = here.chain(at_call).flat_map(|(place, module)| {
                self::candidates(&place, decl).into_iter().map(move |(file, cfgs)| (file, module.clone(), cfgs))
            });
            let candidates = candidates.collect();
            self.follow((entry, parent), index, candidates, decl.span, Shape::Items, decl.in_macro.is_none());
        }
        let package = &self.packages[self.targets[entry.target].package];
        for (index, unseen) in facts.unexpanded.iter().enumerate() {
            if unseen.name != "include" {
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
            let shape = if unseen.item { Shape::Items } else { Shape::Expression };
            self.follow((entry, parent), index, candidates, unseen.span, shape, certain);
        }
    }

    /// Queues each candidate that exists, with the predicates that select it. One `mod` item may refer to several
    /// files, by `#[cfg_attr(…, path = "…")]`. If none exists, this is a gap; a certain one, if the build needs one of
    /// the files.
    fn follow(
        &mut self,
        (entry, parent): (&Entry, usize),
        index: usize,
        candidates: Vec<(Candidate, Vec<String>, Vec<String>)>,
        span: Span,
        shape: Shape,
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
            let (target, parent) = (entry.target, Some(parent));
            round.push(Entry { target, order, module, path, place, shape, from, parent, nth: 0, cfgs });
        }
    }

    fn key(&self, entry: &Entry) -> Key {
        (entry.path.clone(), Read { edition: self.targets[entry.target].edition, shape: entry.shape })
    }

    /// The result by package, with each file once, under the first target that compiles it, in module-tree order.
    fn finish(mut self) -> HashMap<usize, Found> {
        let mut done = std::mem::take(&mut self.done);
        done.sort_by(|a, b| (a.target, &a.order).cmp(&(b.target, &b.order)));
        let mut shared = self.shared(&done);
        let others: HashSet<usize> = shared.values().flatten().copied().collect();
        let mut also: Vec<Vec<Reach>> = (0..done.len()).map(|_| Vec::new()).collect();
        for (index, others) in &mut shared {
            also[*index] = others.iter().map(|other| self.reach(&done[*other])).collect();
        }
        let mut indices = 0..;
        let mut also = also.into_iter().enumerate().filter(|(index, _)| !others.contains(index)).map(|(_, also)| also);
        done.retain(|_| indices.next().is_some_and(|index| !others.contains(&index)));
        let mut uses: HashMap<Key, usize> = HashMap::new();
        for entry in &done {
            *uses.entry(self.key(entry)).or_default() += 1;
        }

        let mut found: HashMap<usize, Found> = HashMap::new();
        for entry in done {
            let also = also.next().unwrap_or_default();
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
                        also,
                        expansions: Vec::new(),
                    };
                    file.facts.settle(&file.configs);
                    let included = |span| self.included.contains(&(file.path.clone(), span));
                    file.facts.unexpanded.retain(|unseen| !included(unseen.span));
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
            // Targets that share a file also share its missing modules.
            if !gaps.iter().any(|other| (&other.path, &other.from) == (&gap.path, &gap.from)) {
                gaps.push(gap);
            }
        }
        for found in found.values_mut() {
            found.gaps.sort_by(|a, b| (&a.path, &a.from).cmp(&(&b.path, &b.from)));
        }
        found
    }

    /// The scanned file. Its last use moves it out, to avoid copying the facts of a large graph.
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

    /// Files that belong to several targets of a package or are loaded as several modules: the index of the entry in
    /// which most of the file is compiled, and those of the other entries.
    fn shared(&self, done: &[Entry]) -> HashMap<usize, Vec<usize>> {
        let mut by_path: HashMap<(usize, &Utf8Path), Vec<usize>> = HashMap::new();
        for (index, entry) in done.iter().enumerate() {
            by_path.entry((self.targets[entry.target].package, &entry.path)).or_default().push(index);
        }
        let presence = |index: &usize| self.targets[done[*index].target].configs.presence(&done[*index].cfgs);
        let several = by_path.into_values().filter(|indices| indices.len() > 1);
        let split = several.filter_map(|indices| {
            let rank = |index: &usize| (presence(index), done[*index].target, done[*index].nth);
            let first = indices.iter().copied().min_by_key(rank)?;
            Some((first, indices.into_iter().filter(|index| *index != first).collect()))
        });
        split.collect()
    }

    fn reach(&self, entry: &Entry) -> Reach {
        let Target { role, krate, configs, .. } = &self.targets[entry.target];
        let (role, krate, configs) = (*role, krate.clone(), configs.clone());
        Reach { role, krate, module: entry.module.clone(), cfgs: entry.cfgs.clone(), configs }
    }
}
