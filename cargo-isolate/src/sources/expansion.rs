//! The output of procedural macros: compares the compiler's expanded text of a crate with what the scan found in its
//! source.
//!
//! A construct is attributed to a macro only if the scan found fewer constructs of its kind in that place than the text
//! contains. So code that a macro takes and returns is not attributed to it. The output of `macro_rules!` macros is
//! left out: those of the graph are reported by their definitions and uses, and those of the standard library are not
//! the user's.

mod text;

use crate::{
    graph::{Expansion, Graph, Role, SourceFile},
    names::Names,
};
use camino::Utf8PathBuf;
use isolate_lints::{
    cfg::Presence,
    facts::{MacroFact, MacroKind, Operation, Scope, UnsafeFact, UnsafeKind},
    resolve::MacroSort,
};
use std::{collections::HashMap, fs, sync::Arc};
use text::Text;

/// A crate of the workspace that the compiler expanded.
pub(super) struct Expanded {
    /// Index in [`Graph::packages`].
    pub(super) package: usize,
    pub(super) role: Role,
    pub(super) krate: String,
    /// The file of its expanded text.
    pub(super) text: Utf8PathBuf,
}

/// Sets [`SourceFile::expansions`].
pub(super) fn attach(graph: &mut Graph, crates: &[Expanded]) {
    if crates.is_empty() {
        return;
    }
    let found: Vec<_> = {
        let names = Names::new(graph);
        let uses = uses(graph, &names);
        crates.iter().flat_map(|krate| of_crate(graph, krate, &uses)).collect()
    };
    for (package, file, expansion) in found {
        let expansions = &mut graph.packages[package].files[file].expansions;
        // A module that a library and a binary share is expanded twice, but is a single file.
        if !expansions.iter().any(|other| other.span == expansion.span) {
            expansions.push(expansion);
        }
    }
}

/// A use of a macro in live code.
struct Use<'g> {
    package: usize,
    file: usize,
    fact: &'g MacroFact,
    /// The module path from the crate root.
    module: Vec<String>,
    what: MacroSort,
}

fn uses<'g>(graph: &'g Graph, names: &Names<'g>) -> Vec<Use<'g>> {
    let place = |used: isolate_lints::resolve::MacroUse<'g>| {
        let (package, file) = names.origin(used.user);
        let source = &graph.packages[package].files[file];
        let live = source.presence(&used.fact.scope.cfgs) != Presence::Dormant;
        let module = module(source, &used.fact.scope);
        live.then_some(Use { package, file, fact: used.fact, module, what: used.what })
    };
    names.resolver().macro_uses().into_iter().chain(names.foreign_calls().hidden.clone()).filter_map(place).collect()
}

fn of_crate(graph: &Graph, krate: &Expanded, uses: &[Use<'_>]) -> Vec<(usize, usize, Expansion)> {
    let files = &graph.packages[krate.package].files;
    let belongs = |file: &SourceFile| (file.role, &file.krate) == (krate.role, &krate.krate);
    let Some(first) = files.iter().find(|file| belongs(file)) else { return Vec::new() };
    let Some(text) = fs::read_to_string(&krate.text).ok().and_then(|text| Text::read(text, first.edition)) else {
        return Vec::new();
    };
    let uses: Vec<&Use<'_>> =
        uses.iter().filter(|used| used.package == krate.package && belongs(&files[used.file])).collect();
    let seen = uses.iter().filter(|used| used.what == MacroSort::Procedural && text.expands(used.fact));
    let mut found: Vec<(&Use<'_>, Vec<UnsafeFact>)> = seen.map(|used| (*used, Vec::new())).collect();
    for fact in written(files.iter().filter(|file| belongs(file)), &text) {
        let candidates = found.iter().map(|(used, _)| *used);
        let Some(writer) = writer(fact, &text, candidates, &uses) else { continue };
        let file = &files[found[writer].0.file];
        let moved = moved(fact, found[writer].0, file);
        found[writer].1.push(moved);
    }
    let expansion = |(used, unsafes): (&Use<'_>, Vec<UnsafeFact>)| {
        let (path, kind) = (&used.fact.path, used.fact.kind);
        let from = match kind {
            MacroKind::Call => format!("{path}!"),
            MacroKind::Attribute => format!("#[{path}]"),
            MacroKind::Derive => format!("#[derive({path})]"),
        };
        (used.package, used.file, Expansion { from, span: used.fact.span, unsafes })
    };
    found.into_iter().map(expansion).collect()
}

/// Constructs of the expanded text that do not match any in the crate's files.
fn written<'t>(files: impl Iterator<Item = &'t SourceFile>, text: &'t Text) -> Vec<&'t UnsafeFact> {
    let in_source = |file: &'t SourceFile| {
        let facts = file.facts.unsafes.iter().filter(|fact| !fact.scope.in_definition);
        let live = facts.filter(|fact| file.presence(&fact.scope.cfgs) != Presence::Dormant);
        live.map(|fact| (module(file, &fact.scope), fact))
    };
    let mut source: Vec<(Vec<String>, &UnsafeFact)> = files.flat_map(in_source).collect();
    // Constructs with tokens of a procedural macro are matched last, so that the source's constructs match others
    // first.
    let mut facts: Vec<&UnsafeFact> = text.facts.unsafes.iter().filter(|fact| !fact.scope.in_definition).collect();
    facts.sort_by_key(|fact| text.writers(fact).next().is_some());
    for alike in [Alike { function: true, tokens: true }, TOKENS, PLACE] {
        let mut left: HashMap<Key<'_>, Vec<usize>> = HashMap::new();
        for (at, (module, fact)) in source.iter().enumerate().rev() {
            left.entry(alike.key(module, fact)).or_default().push(at);
        }
        let mut accounted = vec![false; source.len()];
        facts.retain(|fact| {
            let one = left.get_mut(&alike.key(&fact.scope.modules, fact)).and_then(Vec::pop);
            one.map(|at| accounted[at] = true).is_none()
        });
        drop(left);
        let mut accounted = accounted.into_iter();
        source.retain(|_| accounted.next() == Some(false));
    }
    facts.sort_by_key(|fact| fact.span);
    facts
}

/// The criteria, besides module and kind, for a construct of the text to match one of a file.
struct Alike {
    function: bool,
    tokens: bool,
}

/// Ignores the function: a macro may have put another one around it.
const TOKENS: Alike = Alike { function: false, tokens: true };

/// Ignores the tokens: the text has nested macros expanded, and the compiler formats some code anew.
const PLACE: Alike = Alike { function: true, tokens: false };

/// Module, function, kind, tokens, and without tokens the name, whitespace removed.
type Key<'f> = (Vec<String>, Option<Option<&'f str>>, UnsafeKind, Option<u64>, Option<String>);

impl Alike {
    fn key<'f>(&self, module: &[String], fact: &'f UnsafeFact) -> Key<'f> {
        let function = self.function.then_some(fact.scope.function.as_deref());
        let name = fact.name.as_ref().filter(|_| !self.tokens);
        let name = name.map(|name| name.split_whitespace().collect());
        (module.to_vec(), function, fact.kind, self.tokens.then_some(fact.digest), name)
    }
}

/// The procedural macro that generated a construct, as an index among the candidates.
fn writer<'u>(
    fact: &UnsafeFact,
    text: &Text,
    candidates: impl Iterator<Item = &'u Use<'u>> + Clone,
    uses: &[&Use<'_>],
) -> Option<usize> {
    let around = |used: &Use<'_>| fact.scope.modules.starts_with(&used.module);
    let here = |used: &Use<'_>| used.fact.scope.function.is_none() || used.fact.scope.function == fact.scope.function;
    let nearness = |at: usize, used: &Use<'_>| {
        (used.module.len(), used.fact.scope.function == fact.scope.function, std::cmp::Reverse(at))
    };
    let mut marked = false;
    for writer in text.writers(fact) {
        marked = true;
        let of_it = candidates.clone().enumerate().filter(|(_, used)| around(used) && writer.is(used.fact));
        // Of several uses of the same macro, the nearest.
        let nearest = of_it.max_by_key(|(at, used)| nearness(*at, used));
        if let Some((at, _)) = nearest {
            return Some(at);
        }
    }
    // None of the construct's tokens comes from a macro's definition, so a macro assembled it from its arguments.
    let by_example = || uses.iter().any(|used| used.what == MacroSort::Unsafe && around(used) && here(used));
    if marked || by_example() {
        return None;
    }
    let at_hand = candidates.enumerate().filter(|(_, used)| around(used) && here(used));
    at_hand.max_by_key(|(at, used)| nearness(*at, used)).map(|(at, _)| at)
}

/// The construct, moved to the use of the macro that generated it.
fn moved(fact: &UnsafeFact, used: &Use<'_>, file: &SourceFile) -> UnsafeFact {
    let span = used.fact.span;
    let modules = fact.scope.modules.get(file.module.len()..).unwrap_or_default().to_vec();
    let scope = Scope { modules, function: fact.scope.function.clone(), ..(*used.fact.scope).clone() };
    let operations = fact.operations.iter().map(|operation| Operation { span, ..operation.clone() }).collect();
    // The keyword is in no source file.
    UnsafeFact { span, end: span.end, scope: Arc::new(scope), operations, keyword: false, ..fact.clone() }
}

fn module(file: &SourceFile, scope: &Scope) -> Vec<String> {
    file.module.iter().chain(&scope.modules).cloned().collect()
}
