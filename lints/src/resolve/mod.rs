//! Path resolution across files and crates: which calls are calls of foreign functions.
//!
//! Follows `use` with renames, glob imports and re-exports, `extern crate`, `self`, `super` and `crate`. Items of a
//! block shadow items of the same name outside it. Resolution errs on the side of reporting: an ambiguous name resolves
//! to all of its candidates, and a declaration that this build excludes is used where there is no other.

mod callers;
mod macros;
mod names;
mod operations;
mod templates;
#[cfg(test)]
mod tests;
mod unseen;

use crate::cfg::{Configs, Presence};
use crate::facts::{CallFact, Ends, FileFacts, ForeignItem, Scope, TypeItem, last};
use crate::syntax::Edition;
pub use callers::FunctionCall;
pub use macros::{MacroSort, MacroUse};
use names::{Names, Position, Target};
use operations::Known;
use rustc_hash::FxHashSet as HashSet;
use std::collections::BTreeMap;
pub use unseen::UnseenCall;

/// A crate of the graph, as seen by path resolution. The library and binaries of a package may be one crate here if
/// they share a directory.
#[derive(Debug)]
pub struct Crate<'a> {
    /// The name by which the package's own binaries and tests refer to it.
    pub name: &'a str,
    /// The edition, which decides where the paths of `use` start.
    pub edition: Edition,
    /// Crates that its code can name, with renames applied: name → index in the list of crates.
    pub externs: BTreeMap<&'a str, usize>,
    /// Whether it is a procedural macro crate.
    pub proc_macro: bool,
    /// Its files.
    pub files: Vec<File<'a>>,
}

/// A file of a crate. If several `mod` items load it, it is listed once, under the first of them.
#[derive(Debug)]
pub struct File<'a> {
    /// Module path of the file within its crate; empty for a crate root.
    pub module: &'a [String],
    /// The facts of the file.
    pub facts: &'a FileFacts,
    /// The `cfg` predicates on the `mod` items that lead to the file.
    pub cfgs: &'a [String],
    /// How its crate is compiled.
    pub configs: &'a Configs,
    /// Further modules that the file is loaded as: under another path of this crate, or in other crates.
    pub also: Vec<Mount<'a>>,
}

/// A further module that a file is loaded as. The file's items are declared there, too, and its own paths start there.
#[derive(Clone, Copy, Debug)]
pub struct Mount<'a> {
    /// Index of the crate.
    pub krate: usize,
    /// As [`File::module`].
    pub module: &'a [String],
    /// As [`File::cfgs`].
    pub cfgs: &'a [String],
    /// As [`File::configs`].
    pub configs: &'a Configs,
}

impl<'a> Crate<'a> {
    fn facts(&self) -> impl Iterator<Item = &'a FileFacts> {
        self.files.iter().map(|file| file.facts)
    }
}

impl File<'_> {
    /// Whether code of the file under these predicates may be compiled. A `cfg` that only an unseen build script could
    /// set counts as not set.
    pub(crate) fn may_hold(&self, cfgs: &[String]) -> bool {
        self.mounts().any(|(configs, around)| configs.likely(around.iter().chain(cfgs)) != Presence::Dormant)
    }

    /// Like [`File::may_hold`], except that a `cfg` which an unseen build script could set may be set.
    fn is_possible(&self, cfgs: &[String]) -> bool {
        self.mounts().any(|(configs, around)| configs.presence(around.iter().chain(cfgs)) != Presence::Dormant)
    }

    fn mounts(&self) -> impl Iterator<Item = (&Configs, &[String])> {
        let others = self.also.iter().map(|mount| (mount.configs, mount.cfgs));
        [(self.configs, self.cfgs)].into_iter().chain(others)
    }
}

/// A file's position in the list of crates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Index of the crate.
    pub krate: usize,
    /// Index of the file in its crate.
    pub file: usize,
}

/// A call or mention of a foreign item.
#[derive(Clone, Debug)]
pub struct ForeignCall<'a> {
    /// The file of the caller.
    pub caller: Place,
    /// Module path of the caller within its crate, including the file's own.
    pub module: Vec<String>,
    /// The call, with its path, span and enclosing function.
    pub call: &'a CallFact,
    /// The file that declares the callee.
    pub callee: Place,
    /// The declaration.
    pub item: &'a ForeignItem,
    /// Whether the item is named without being called: its address is taken, or a static is used.
    pub mention: bool,
}

/// The foreign calls of a graph.
#[derive(Clone, Debug, Default)]
pub struct ForeignCalls<'a> {
    /// Every call and mention of a foreign item, ordered by crate, file and position.
    pub calls: Vec<ForeignCall<'a>>,
    /// Uses of macros that make a call which could not be resolved.
    pub hidden: Vec<MacroUse<'a>>,
}

/// The name tables of a graph, built once for any number of queries.
pub struct Resolver<'a> {
    crates: Vec<Crate<'a>>,
    guests: Guests,
    names: Names<'a>,
    renames: Renames<'a>,
    known: Known<'a>,
}

/// By crate: files of other crates that are loaded as modules of it, too.
struct Guests(Vec<Vec<Place>>);

/// The renames of all imports: old name and new name.
struct Renames<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Resolver<'a> {
    /// Indexes all declarations.
    pub fn new(crates: Vec<Crate<'a>>) -> Resolver<'a> {
        let names = Names::new(&crates);
        let renames = Renames::new(&crates);
        let guests = Guests::new(&crates);
        let known = Known::new(&crates, &guests, &renames);
        Resolver { crates, guests, names, renames, known }
    }

    /// The crates in their original order.
    pub fn crates(&self) -> &[Crate<'a>] {
        &self.crates
    }

    /// Every call and mention of a foreign item.
    pub fn foreign_calls(&self) -> ForeignCalls<'a> {
        let interesting = self.interesting();
        let mut found = Vec::new();
        for (krate, of_crate) in self.crates.iter().enumerate() {
            for (file, of_file) in of_crate.files.iter().enumerate() {
                let calls = of_file.facts.calls.ending_in(&interesting).map(|call| (call, false));
                let mentions = of_file.facts.mentions.ending_in(&interesting).map(|mention| (mention, true));
                let mut both: Vec<_> = calls.chain(mentions).collect();
                both.sort_by_key(|(call, _)| call.span.start);
                for (call, mention) in both {
                    self.foreign(Place { krate, file }, call, mention, &mut found);
                }
            }
        }
        let known: HashSet<_> = found.iter().map(|call| (call.caller, call.call.span.start)).collect();
        let written = self.template_calls(&interesting);
        let before = found.len();
        found.extend(written.calls.into_iter().filter(|call| !known.contains(&(call.caller, call.call.span.start))));
        if found.len() > before {
            found.sort_by_key(|call| (call.caller, call.call.span.start));
        }
        ForeignCalls { calls: found, hidden: written.hidden }
    }

    /// The types that a path resolves to in a module of a crate; several if `cfg` selects among them.
    pub fn types(&self, krate: usize, module: &[String], path: &str) -> Vec<(Place, &'a TypeItem)> {
        let targets = self.names.resolve(self.names.find(krate, module).into_iter(), Position::default(), path);
        let types = targets.into_iter().filter_map(|target| match target {
            Target::Type(place, item) => Some((place, item)),
            _ => None,
        });
        types.collect()
    }

    /// The crates that a file is a module of, starting with the one that lists it.
    pub fn crates_of(&self, place: Place) -> Vec<usize> {
        let mut crates = vec![place.krate];
        for mount in &self.crates[place.krate].files[place.file].also {
            if !crates.contains(&mount.krate) {
                crates.push(mount.krate);
            }
        }
        crates
    }

    /// The seen declarations that a path resolves to in a scope of a file, at a byte of it. Considers every module that
    /// the file is loaded as.
    fn resolved(&self, place: Place, scope: &Scope, at: u32, path: &str) -> Vec<Target<'a>> {
        let position = self.names.position(place, self.facts(place), at, &scope.cfgs);
        self.names.resolve(self.names.within(place, &scope.modules), position, path)
    }

    fn facts(&self, place: Place) -> &'a FileFacts {
        self.crates[place.krate].files[place.file].facts
    }

    /// The module path of a scope of a file within its crate.
    fn module_path(&self, place: Place, scope: &Scope) -> Vec<String> {
        self.crates[place.krate].files[place.file].module.iter().chain(&scope.modules).cloned().collect()
    }

    fn foreign(&self, caller: Place, call: &'a CallFact, mention: bool, found: &mut Vec<ForeignCall<'a>>) {
        let mut seen = HashSet::default();
        for (callee, item) in self.declared(self.resolved(caller, &call.scope, call.span.start, &call.path)) {
            // With `declare![name]`, a macro makes the declaration from this very name, which is therefore no use of
            // it.
            if callee == caller && item.span == call.span {
                continue;
            }
            // A call outside `unsafe` cannot be of an unsafe foreign function; a local variable or an inner function
            // has its name.
            let facts = self.facts(caller);
            if !mention
                && !item.safe
                && !item.rewritten
                && call.scope.in_macro.is_none()
                && !unseen::is_unsafe(facts, call)
            {
                continue;
            }
            if seen.insert((callee, &item.name, &item.scope.modules)) {
                let module = self.module_path(caller, &call.scope);
                found.push(ForeignCall { caller, module, call, callee, item, mention });
            }
        }
    }

    /// The foreign items among these targets. Declarations that no build of this graph includes only count if there is
    /// no other.
    fn declared(&self, targets: Vec<Target<'a>>) -> Vec<(Place, &'a ForeignItem)> {
        let items = targets.into_iter().filter_map(|target| match target {
            Target::Foreign(place, item) => Some((place, item)),
            _ => None,
        });
        let mut items: Vec<_> = items.collect();
        let is_possible = |(place, item): &(Place, &ForeignItem)| {
            self.crates[place.krate].files[place.file].is_possible(&item.scope.cfgs)
        };
        if items.iter().any(is_possible) {
            items.retain(is_possible);
        }
        items
    }

    /// The last segments of paths that may resolve to a foreign item, renames included.
    fn interesting(&self) -> Ends<'a> {
        let foreign = self.files().flat_map(|facts| &facts.foreign).map(|item| item.name.as_str());
        Ends::new(self.renames.called(foreign.collect()))
    }

    fn files(&self) -> impl Iterator<Item = &'a FileFacts> {
        self.crates.iter().flat_map(Crate::facts)
    }

    /// The files that are modules of a crate, guests from other crates included.
    fn modules_of(&self, krate: usize) -> impl Iterator<Item = (Place, &File<'a>)> {
        self.guests.files(&self.crates, krate)
    }
}

impl Guests {
    fn new(crates: &[Crate<'_>]) -> Guests {
        let mut guests = vec![Vec::new(); crates.len()];
        for (krate, of_crate) in crates.iter().enumerate() {
            for (file, of_file) in of_crate.files.iter().enumerate() {
                for mount in of_file.also.iter().filter(|mount| mount.krate != krate) {
                    let place = Place { krate, file };
                    if guests[mount.krate].last() != Some(&place) {
                        guests[mount.krate].push(place);
                    }
                }
            }
        }
        Guests(guests)
    }

    fn files<'s, 'a>(&'s self, crates: &'s [Crate<'a>], krate: usize) -> impl Iterator<Item = (Place, &'s File<'a>)> {
        let own = crates[krate].files.iter().enumerate().map(move |(file, of_file)| (Place { krate, file }, of_file));
        own.chain(self.0[krate].iter().map(|place| (*place, &crates[place.krate].files[place.file])))
    }
}

impl<'a> Renames<'a> {
    fn new(crates: &[Crate<'a>]) -> Renames<'a> {
        let imports = crates.iter().flat_map(Crate::facts).flat_map(|facts| &facts.imports);
        let named = imports.filter_map(|import| Some((last(&import.path), import.name.as_deref()?)));
        Renames(named.filter(|(from, to)| from != to).collect())
    }

    /// Extends a set of names by the aliases that imports give them.
    fn called<'n>(&self, mut names: HashSet<&'n str>) -> HashSet<&'n str>
    where
        'a: 'n,
    {
        // An alias may be renamed again, which needs another round.
        loop {
            let before = names.len();
            for (from, to) in &self.0 {
                if names.contains(from) {
                    names.insert(to);
                }
            }
            if names.len() == before {
                return names;
            }
        }
    }
}
