//! The graph to the resolver: crates with files, and the way back to packages.

use crate::graph::{Graph, Package, Role, SourceFile};
use isolate_lints::{
    Edition,
    facts::Operation,
    resolve::{Crate, File, ForeignCalls, Place, Resolver},
};
use std::{cell::OnceCell, collections::BTreeMap};

/// A graph and what its names mean: one table for all that a command asks, made when the first question is.
pub(crate) struct Names<'g> {
    pub(crate) graph: &'g Graph,
    table: OnceCell<Table<'g>>,
    foreign: OnceCell<ForeignCalls<'g>>,
}

/// The first crates of the resolver are the packages' libraries, in their order, so that an index in [`Package::externs`] is
/// an index there; binaries, build scripts and tests follow.
struct Table<'g> {
    resolver: Resolver<'g>,
    /// For each crate, the package and the positions of its files in there.
    origins: Vec<(usize, Vec<usize>)>,
    /// The way back, by package and file: `None` for a file of no crate.
    places: Vec<Vec<Option<Place>>>,
}

/// Crates being collected.
#[derive(Default)]
struct Crates<'g> {
    crates: Vec<Crate<'g>>,
    origins: Vec<(usize, Vec<usize>)>,
}

impl<'g> Names<'g> {
    /// Of a graph that will not change any more.
    pub(crate) fn new(graph: &'g Graph) -> Names<'g> {
        Names { graph, table: OnceCell::new(), foreign: OnceCell::new() }
    }

    fn table(&self) -> &Table<'g> {
        self.table.get_or_init(|| Table::new(self.graph))
    }

    pub(crate) fn resolver(&self) -> &Resolver<'g> {
        &self.table().resolver
    }

    /// Index of the package that a place lies in, and position of the file among the package's.
    pub(crate) fn origin(&self, place: Place) -> (usize, usize) {
        let (package, positions) = &self.table().origins[place.krate];
        (*package, positions[place.file])
    }

    /// Index of the package that a crate belongs to.
    pub(crate) fn package(&self, krate: usize) -> usize {
        self.table().origins[krate].0
    }

    /// Every call and mention of a foreign item.
    pub(crate) fn foreign_calls(&self) -> &ForeignCalls<'g> {
        self.foreign.get_or_init(|| self.resolver().foreign_calls())
    }

    /// What the unsafe code of a file does, for each of its constructs.
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
    /// Reads all declarations once.
    fn new(graph: &'g Graph) -> Table<'g> {
        let mut crates = Crates::default();
        for (index, package) in graph.packages.iter().enumerate() {
            crates.add(index, package, main_name(package), |file| is_main(package, file));
        }
        for (index, package) in graph.packages.iter().enumerate() {
            let mut others: Vec<(Role, &str)> = Vec::new();
            for file in package.files.iter().filter(|file| file.role != Role::Unreached && !is_main(package, file)) {
                if !others.contains(&(file.role, &file.krate)) {
                    others.push((file.role, &file.krate));
                }
            }
            for (role, name) in others {
                crates.add(index, package, name, |file| {
                    (file.role, file.krate.as_str()) == (role, name) && !is_main(package, file)
                });
            }
        }
        let mut places: Vec<_> = graph.packages.iter().map(|package| vec![None; package.files.len()]).collect();
        for (krate, (package, positions)) in crates.origins.iter().enumerate() {
            for (file, position) in positions.iter().enumerate() {
                places[*package][*position] = Some(Place { krate, file });
            }
        }
        Table { resolver: Resolver::new(crates.crates), origins: crates.origins, places }
    }
}

impl<'g> Crates<'g> {
    fn add(&mut self, index: usize, package: &'g Package, name: &'g str, belongs: impl Fn(&SourceFile) -> bool) {
        let positions: Vec<usize> =
            package.files.iter().enumerate().filter(|(_, file)| belongs(file)).map(|(position, _)| position).collect();
        let mut externs: BTreeMap<&str, usize> =
            package.externs.iter().map(|(name, index)| (name.as_str(), *index)).collect();
        if let Some(lib) = &package.lib {
            externs.insert(lib, index);
        }
        let files = positions.iter().map(|position| &package.files[*position]);
        self.crates.push(Crate {
            name,
            edition: files.clone().next().map_or(Edition::E2024, |file| file.edition),
            externs,
            proc_macro: package.files.iter().any(|file| file.role == Role::ProcMacro && file.krate == name),
            files: files
                .map(|file| File { module: &file.module, facts: &file.facts, cfgs: &file.cfgs, configs: &file.configs })
                .collect(),
        });
        self.origins.push((index, positions));
    }
}

/// Of the library, or of a binary that goes by the same name and shares its modules.
fn is_main(package: &Package, file: &SourceFile) -> bool {
    matches!(file.role, Role::Main | Role::Generated | Role::ProcMacro) && file.krate == main_name(package)
}

fn main_name(package: &Package) -> &str {
    let first = package.files.iter().find(|file| file.role == Role::Main).map(|file| file.krate.as_str());
    package.lib.as_deref().or(first).unwrap_or_default()
}
