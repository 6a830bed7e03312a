//! Rust functions that a library calls by their exported symbols. They run inside the domain then, with the domain's
//! rights.

use super::{File, archive, own};
use crate::{
    graph::{Graph, Package, Role, SourceFile},
    plan::{DomainPlan, FunctionPlan},
    terminal::words::few,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Functions that a crate exports and the library of a domain imports.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Inside {
    pub(crate) domain: String,
    /// The package that exports them.
    pub(crate) package: String,
    pub(crate) symbols: Vec<String>,
}

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inside { domain, package, symbols } = self;
        let (symbols, these) = (few(symbols), if symbols.len() == 1 { "this runs" } else { "these run" });
        write!(
            f,
            "the library of the domain `{domain}` calls {symbols} of the crate `{package}`: {these} inside the domain too, where the \
             program's statics cannot be written (a lock, what is made at its first use, `dlsym`): such a call ends with `Protection`"
        )
    }
}

/// The exported symbols of Rust code, each with its package. Those of the runtime are excluded, since they are meant to
/// run inside domains.
pub(super) fn exported(graph: &Graph) -> BTreeMap<&str, &str> {
    let is_its_own = |package: &Package, file: &SourceFile| package.name != "isolate-rt" && file.role == Role::Main;
    let exports = graph.exports().filter(|(package, file, _)| is_its_own(package, file));
    exports.map(|(package, _, symbol)| (symbol, &*package.name)).collect()
}

/// The exported symbols that the library of a domain imports.
pub(super) fn inside<'f>(
    domain: &DomainPlan,
    files: impl Iterator<Item = &'f File> + Clone,
    exported: &BTreeMap<&str, &str>,
) -> Vec<Inside> {
    let members: Vec<_> = own(domain, files).flat_map(|file| &file.archive.members).collect();
    let reached = archive::reached(&members, domain.functions.iter().map(FunctionPlan::symbol));
    let mut by_package: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for symbol in reached.iter().flatten() {
        if let Some(package) = exported.get(symbol) {
            by_package.entry(package).or_default().insert(symbol);
        }
    }
    let by_package = by_package.into_iter();
    let inside = by_package.map(|(package, symbols)| Inside {
        domain: domain.name.clone(),
        package: package.to_owned(),
        symbols: symbols.into_iter().map(str::to_owned).collect(),
    });
    inside.collect()
}
