//! The map of foreign symbols: which code calls which symbol of which library, and how often.

use super::diagnostic::{Detail, Diagnostic};
use serde::Serialize;
use std::collections::BTreeMap;

/// A foreign item that somebody uses.
#[derive(Debug, Serialize)]
pub(crate) struct Symbol {
    /// What the linker resolves.
    pub(crate) name: String,
    /// Native library of the extern block or of the declaring package's `links`.
    pub(crate) library: Option<String>,
    /// Package that declares it: `name@version`.
    pub(crate) declared_in: String,
    /// By package and place.
    pub(crate) callers: Vec<Caller>,
}

/// A function, or a module outside its functions, that uses a symbol.
#[derive(Debug, Serialize)]
pub(crate) struct Caller {
    /// `name@version`.
    pub(crate) package: String,
    /// `crate::module::function`.
    pub(crate) at: String,
    pub(crate) calls: usize,
    /// Its address taken, or a static used.
    pub(crate) mentions: usize,
    /// How many of both no chosen target compiles.
    pub(crate) dormant: usize,
}

/// The map that the foreign calls among an audit's diagnostics draw.
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
