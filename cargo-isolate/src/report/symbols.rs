//! The symbol map: which code calls which symbol of which library, and how often.

use super::diagnostic::{Detail, Diagnostic};
use serde::Serialize;
use std::collections::BTreeMap;

/// A foreign item that is used.
#[derive(Debug, Serialize)]
pub(crate) struct Symbol {
    /// The symbol that the linker resolves.
    pub(crate) name: String,
    /// Native library, from the extern block or the declaring package's `links`.
    pub(crate) library: Option<String>,
    /// The package that declares it: `name@version`.
    pub(crate) declared_in: String,
    /// Sorted by package and path.
    pub(crate) callers: Vec<Caller>,
}

/// A function, or the code of a module outside functions, that uses a symbol.
#[derive(Debug, Serialize)]
pub(crate) struct Caller {
    /// `name@version`.
    pub(crate) package: String,
    /// `crate::module::function`.
    pub(crate) at: String,
    pub(crate) calls: usize,
    /// Uses other than calls: an address taken, or a static used.
    pub(crate) mentions: usize,
    /// How many of both no chosen target compiles.
    pub(crate) dormant: usize,
}

/// The symbol map of the foreign calls among an audit's diagnostics.
pub(super) fn symbols(diagnostics: &[Diagnostic]) -> Vec<Symbol> {
    let mut symbols: BTreeMap<_, BTreeMap<_, Caller>> = BTreeMap::new();
    for diagnostic in diagnostics {
        if let Some(Detail::ForeignCall { symbol, library, declared_in, mention, .. }) = &diagnostic.detail {
            let Diagnostic { package, at, .. } = diagnostic;
            let callers = symbols.entry((symbol, library, declared_in)).or_default();
            let caller = callers.entry((package, at)).or_insert_with(|| Caller {
                package: package.clone(),
                at: at.clone(),
                calls: 0,
                mentions: 0,
                dormant: 0,
            });
            *if *mention { &mut caller.mentions } else { &mut caller.calls } += 1;
            caller.dormant += usize::from(diagnostic.dormant.is_some());
        }
    }
    let symbols = symbols.into_iter().map(|((name, library, declared_in), callers)| Symbol {
        name: name.clone(),
        library: library.clone(),
        declared_in: declared_in.clone(),
        callers: callers.into_values().collect(),
    });
    symbols.collect()
}
