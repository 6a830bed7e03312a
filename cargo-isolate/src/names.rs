//! Adapts the graph to path resolution: packages become crates with files, and results are mapped back.

use crate::graph::{Graph, Package, Reach, Role, SourceFile};
use isolate_lints::{
    Edition,
    facts::Operation,
    resolve::{Crate, File, ForeignCalls, Mount, Place, Resolver},
};
use std::{cell::OnceCell, collections::BTreeMap};

/// A graph with its name tables, which are built once, on first use.
pub(crate) struct Names<'g> {
    pub(crate) graph: &'g Graph,
    table: OnceCell<Table<'g>>,
    foreign: OnceCell<ForeignCalls<'g>>,
}

/// The resolver's first crates are the libraries of the packages in their order, so that indices in
/// [`Package::externs`] are also indices of crates. Binaries, build scripts and tests follow.
struct Table<'g> {
    resolver: Resolver<'g>,
    /// For each crate, its package and the indices of its files there.
    origins: Vec<(usize, Vec<usize>)>,
    /// The inverse, by package and file; `None` for a file that belongs to no crate.
    places: Vec<Vec<Option<Place>>>,
}

impl<'g> Names<'g> {
    /// For a graph that no longer changes.
    pub(crate) fn new(graph: &'g Graph) -> Names<'g> {
        Names { graph, table: OnceCell::new(), foreign: OnceCell::new() }
    }

    fn table(&self) -> &Table<'g> {
        self.table.get_or_init(|| Table::new(self.graph))
    }

    pub(crate) fn resolver(&self) -> &Resolver<'g> {
        &self.table().resolver
    }

    /// Index of the package that contains a place, and of the file in the package.
    pub(crate) fn origin(&self, place: Place) -> (usize, usize) {
        let (package, positions) = &self.table().origins[place.krate];
        (*package, positions[place.file])
    }

    /// Index of the package that contains a crate.
    pub(crate) fn package(&self, krate: usize) -> usize {
        self.table().origins[krate].0
    }

    /// Every call and mention of a foreign item.
    pub(crate) fn foreign_calls(&self) -> &ForeignCalls<'g> {
        self.foreign.get_or_init(|| self.resolver().foreign_calls())
    }

    /// The operations of each unsafe construct in a file.
    pub(crate) fn operations(&self, package: usize, file: usize) -> Vec<Vec<Operation>> {
        match self.table().places[package][file] {
            Some(place) => self.resolver().operations(place),
            None => {
                let facts = &self.graph.packages[package].files[file].facts;
                facts.unsafes.iter().map(|fact| fact.operations.clone()).collect()
            }
        }
    }
}

impl<'g> Table<'g> {
    /// Indexes all declarations.
    fn new(graph: &'g Graph) -> Table<'g> {
        let keys = Keys::new(graph);
        let mut crates: Vec<Crate<'_>> = keys.list.iter().map(|(package, name)| empty(graph, *package, name)).collect();
        let mut origins: Vec<(usize, Vec<usize>)> =
            keys.list.iter().map(|(package, _)| (*package, Vec::new())).collect();
        let mut places: Vec<_> = graph.packages.iter().map(|package| vec![None; package.files.len()]).collect();
        for (index, package) in graph.packages.iter().enumerate() {
            for (position, file) in package.files.iter().enumerate().filter(|(_, file)| file.role != Role::Unreached) {
                let krate = keys.of(index, package, file.role, &file.krate);
                let of_crate = &mut crates[krate];
                if of_crate.files.is_empty() {
                    of_crate.edition = file.edition;
                }
                places[index][position] = Some(Place { krate, file: of_crate.files.len() });
                of_crate.files.push(keys.file(index, package, krate, file));
                origins[krate].1.push(position);
            }
        }
        Table { resolver: Resolver::new(crates), origins, places }
    }
}

/// The crates of the resolver.
struct Keys<'g> {
    /// The package and name of each crate.
    list: Vec<(usize, &'g str)>,
    /// Indices of the crates that are not main crates.
    others: BTreeMap<(usize, Role, &'g str), usize>,
}

impl<'g> Keys<'g> {
    fn new(graph: &'g Graph) -> Keys<'g> {
        let packages = || graph.packages.iter().enumerate();
        let main = packages().map(|(package, of)| (package, main_name(of)));
        let mut keys = Keys { list: main.collect(), others: BTreeMap::new() };
        for (package, of) in packages() {
            let own = of.files.iter().map(|file| (file.role, file.krate.as_str()));
            let also = of.files.iter().flat_map(|file| &file.also).map(|reach| (reach.role, reach.krate.as_str()));
            let all = own.chain(also).filter(|(role, name)| *role != Role::Unreached && !is_main(of, *role, name));
            for (role, name) in all {
                let new = keys.list.len();
                if *keys.others.entry((package, role, name)).or_insert(new) == new {
                    keys.list.push((package, name));
                }
            }
        }
        keys
    }

    /// The index of the crate that a target is, or is part of.
    fn of(&self, index: usize, package: &Package, role: Role, name: &'g str) -> usize {
        if is_main(package, role, name) { index } else { self.others[&(index, role, name)] }
    }

    fn file(&self, index: usize, package: &Package, krate: usize, file: &'g SourceFile) -> File<'g> {
        let SourceFile { module, facts, cfgs, configs, .. } = file;
        let mut also: Vec<Mount<'_>> = Vec::new();
        for reach in &file.also {
            let mount = self.of(index, package, reach.role, &reach.krate);
            // A library and a binary with the same name are one crate here.
            let is = |of: usize, module: &[String]| of == mount && *module == reach.module;
            if !is(krate, module) && !also.iter().any(|known| is(known.krate, known.module)) {
                let Reach { module, cfgs, configs, .. } = reach;
                also.push(Mount { krate: mount, module, cfgs, configs });
            }
        }
        File { module, facts, cfgs, configs, also }
    }
}

/// A crate without its files.
fn empty<'g>(graph: &'g Graph, index: usize, name: &'g str) -> Crate<'g> {
    let package = &graph.packages[index];
    let externs = package.externs.iter().map(|(name, index)| (name.as_str(), *index));
    let lib = package.lib.as_deref().map(|lib| (lib, index));
    Crate {
        name,
        edition: package.files.first().map_or(Edition::E2024, |file| file.edition),
        externs: externs.chain(lib).collect(),
        proc_macro: package.files.iter().any(|file| file.role == Role::ProcMacro && file.krate == name),
        files: Vec::new(),
    }
}

/// Whether a crate is the library, or a binary that has the same name and shares its modules.
fn is_main(package: &Package, role: Role, name: &str) -> bool {
    matches!(role, Role::Main | Role::Generated | Role::ProcMacro) && name == main_name(package)
}

fn main_name(package: &Package) -> &str {
    let first = package.files.iter().find(|file| file.role == Role::Main).map(|file| file.krate.as_str());
    package.lib.as_deref().or(first).unwrap_or_default()
}
