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
}

/// The map that the foreign calls among an audit's diagnostics draw.
pub(super) fn symbols(diagnostics: &[Diagnostic]) -> Vec<Symbol> {
    let mut symbols: BTreeMap<_, BTreeMap<_, (usize, usize)>> = BTreeMap::new();
    for diagnostic in diagnostics {
        if let Some(Detail::ForeignCall { symbol, library, declared_in, mention, .. }) = &diagnostic.detail {
            let callers = symbols.entry((symbol, library, declared_in)).or_default();
            let (calls, mentions) = callers.entry((&diagnostic.package, &diagnostic.at)).or_default();
            *if *mention { mentions } else { calls } += 1;
        }
    }
    let mut map = Vec::new();
    for ((name, library, declared_in), callers) in symbols {
        let callers = callers.into_iter().map(|((package, at), (calls, mentions)): ((&String, &String), _)| Caller {
            package: package.clone(),
            at: at.clone(),
            calls,
            mentions,
        });
        let (name, library, declared_in) = (name.clone(), library.clone(), declared_in.clone());
        map.push(Symbol { name, library, declared_in, callers: callers.collect() });
    }
    map
}
