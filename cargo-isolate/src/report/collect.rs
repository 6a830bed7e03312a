//! Graph → report of an audit: facts become diagnostics and counts.

mod problems;
mod sums;

use super::{
    diagnostic::{Detail, Diagnostic, Level, Origin, Source},
    fingerprint::{self, Fingerprint, own_text, plain_text},
    macros,
    model::{Command, Dependencies, PackageRow, Report, SCHEMA, Totals},
    symbols::symbols,
    unseen::{self, Unseen},
    words,
};
use crate::{
    graph::{Graph, Package, Role, SourceFile},
    names::Names,
    policy::Texts,
};
use isolate_lints::{
    facts::{CallFact, MacroFact, Scope, Span},
    resolve::ForeignCalls,
    rules::owes_section,
};
use problems::{file_problems, gap_problems};
use std::{collections::BTreeMap, io};
pub(super) use sums::Counted;
use sums::Sums;
pub(crate) use sums::dormant;

/// All findings in the selected members and their dependencies.
///
/// # Errors
///
/// If a source file has changed since it was scanned.
pub(crate) fn audit(names: &Names<'_>) -> io::Result<Report> {
    audit_with(names, Dependencies::Full)
}

/// Like [`audit`], with as many findings in dependencies as wanted: creating tens of thousands of diagnostics only to
/// count them would take a third of an audit's memory.
///
/// # Errors
///
/// If a source file has changed since it was scanned.
pub(crate) fn audit_with(names: &Names<'_>, dependencies: Dependencies) -> io::Result<Report> {
    let graph = names.graph;
    let foreign = names.foreign_calls();
    let calls = foreign_calls(names, foreign);
    let macros = macros::uses(graph, names, foreign);
    let unseen = unseen::calls(names);
    let mut report = empty(graph, Command::Audit);
    for (index, package) in reported(graph) {
        let shown = package.selected || dependencies == Dependencies::Full;
        collect_package(names, index, package, shown, &calls, &macros, &unseen, &mut report);
    }
    report.complete = report.packages.iter().all(|package| package.complete);
    report.symbols = symbols(&report.diagnostics);
    report.leave(dependencies);
    assign_fingerprints(graph, None, &mut report.diagnostics)?;
    report.diagnostics.retain(|diagnostic| diagnostic.role != Some(Role::Generated));
    report.totals = Totals::of(&report.diagnostics);
    Ok(report)
}

/// Only the counts, and no calls: the graph may have been loaded without them.
pub(crate) fn counts(graph: &Graph, dependencies: Dependencies) -> Report {
    let mut report = empty(graph, Command::Counts);
    for (index, package) in reported(graph) {
        let mut sums = Sums::default();
        for (file, source) in reported_files(package) {
            sums.count_facts(package, source);
            report.problems.extend(file_problems(graph, package, source, Source { package: index, file }));
        }
        report.problems.extend(gap_problems(graph, package));
        let row = row(graph, package, sums);
        report.packages.push(row);
    }
    report.complete = report.packages.iter().all(|package| package.complete);
    report.leave(dependencies);
    report
}

/// The packages that a report covers, the selected ones first. Their dependencies follow, which may include other
/// members; packages that they do not depend on are left out.
fn reported(graph: &Graph) -> impl Iterator<Item = (usize, &Package)> {
    let concerned = graph.concerned();
    let packages = graph.packages.iter().enumerate().filter(move |(index, _)| concerned[*index]);
    let (chosen, others): (Vec<_>, Vec<_>) = packages.partition(|(_, package)| package.selected);
    chosen.into_iter().chain(others)
}

/// The files of a package that a report covers, with their indices in [`Package::files`].
fn reported_files(package: &Package) -> impl Iterator<Item = (usize, &SourceFile)> {
    package.files.iter().enumerate().filter(|(_, file)| package.is_reported(file.role))
}

/// Assigns fingerprints to diagnostics, which must be in source order.
pub(super) fn assign_fingerprints(
    graph: &Graph,
    policy: Option<&Texts>,
    diagnostics: &mut [Diagnostic],
) -> io::Result<()> {
    fingerprint::assign(diagnostics, |diagnostic| match diagnostic.origin {
        Origin::Source(Source { package, file }) => own_text(&graph.packages[package].files[file], diagnostic.span),
        Origin::Policy(file) => {
            Ok(policy.map_or_else(String::new, |policy| plain_text(&policy.file(file).text, diagnostic.span)))
        }
    })
}

/// Adds a package to the report. If it is not `shown`, the only diagnostics are those of foreign calls, which the
/// symbol map is made from.
#[expect(clippy::too_many_arguments, reason = "what an audit knows, and where it goes")]
fn collect_package(
    names: &Names<'_>,
    index: usize,
    package: &Package,
    shown: bool,
    calls: &Calls<'_>,
    macros: &Macros<'_>,
    unseen: &Unseen<'_>,
    report: &mut Report,
) {
    let graph = names.graph;
    let mut sums = Sums::default();
    let mut live_unseen = BTreeMap::<usize, usize>::new();
    for (position, file) in reported_files(package) {
        let source = Source { package: index, file: position };
        let calls = calls.get(&source).map_or(&[][..], Vec::as_slice);
        let macros = macros.get(&source).map_or(&[][..], Vec::as_slice);
        sums.count_facts(package, file);
        let written = file.expansions.iter().flat_map(|seen| &seen.unsafes);
        written.for_each(|fact| sums.of(Counted::of(package, file, &fact.scope)).add(fact.kind));
        for (call, _) in calls {
            sums.of(Counted::of(package, file, &call.scope)).foreign_calls += 1;
        }
        for (used, detail) in macros {
            let counts = sums.of(Counted::of(package, file, &used.scope));
            match detail {
                Detail::MacroUse { .. } => counts.macro_uses += 1,
                _ => counts.unexpanded += 1,
            }
        }
        for (call, written_for) in unseen.get(&source).into_iter().flatten() {
            let standing = Counted::of(package, file, &call.scope);
            sums.of(standing).unseen_calls += 1;
            if !standing.dormant {
                *live_unseen.entry(*written_for).or_default() += 1;
            }
        }
        let first = report.diagnostics.len();
        file_diagnostics(names, package, file, source, shown, calls, macros, &mut report.diagnostics);
        report.diagnostics[first..].sort_by_key(|diagnostic| diagnostic.span);
        report.problems.extend(file_problems(graph, package, file, source));
    }
    report.problems.extend(gap_problems(graph, package));
    report.unseen_calls.extend(unseen::sums(graph, index, &live_unseen));
    let row = row(graph, package, sums);
    report.packages.push(row);
}

fn row(graph: &Graph, package: &Package, mut sums: Sums) -> PackageRow {
    PackageRow {
        name: package.name.clone(),
        version: package.version.clone(),
        member: package.selected,
        sibling: package.member && !package.selected,
        root: package.root.clone(),
        files: reported_files(package)
            .filter(|(_, file)| file.role != Role::Unreached)
            .map(|(_, file)| graph.relative(&file.path))
            .collect(),
        complete: package.is_complete(),
        generated: sums.live.remove(&Role::Generated),
        counts: sums.live,
        dormant: sums.dormant,
    }
}

fn empty(graph: &Graph, command: Command) -> Report {
    Report {
        schema: SCHEMA,
        tool: env!("CARGO_PKG_VERSION"),
        command,
        workspace_root: graph.root.clone(),
        policy: None,
        known: None,
        dependencies: Dependencies::Full,
        complete: true,
        totals: Totals::default(),
        packages: Vec::new(),
        diagnostics: Vec::new(),
        symbols: Vec::new(),
        unseen_calls: Vec::new(),
        problems: Vec::new(),
    }
}

/// Keyed by the file of the use.
type Macros<'g> = BTreeMap<Source, Vec<(&'g MacroFact, Detail)>>;

/// Keyed by the file of the caller.
type Calls<'g> = BTreeMap<Source, Vec<(&'g CallFact, Detail)>>;

fn foreign_calls<'g>(names: &Names<'g>, foreign: &ForeignCalls<'g>) -> Calls<'g> {
    let graph = names.graph;
    let mut calls = Calls::new();
    for found in &foreign.calls {
        let (package, file) = names.origin(found.caller);
        let (declaring, declared) = names.origin(found.callee);
        let item = found.item;
        let what = Detail::ForeignCall {
            path: found.call.path.to_string(),
            symbol: item.symbol().to_owned(),
            library: graph.library(declaring, declared, item).map(str::to_owned),
            declared_in: graph.packages[declaring].id(),
            mention: found.mention,
        };
        let calls = calls.entry(Source { package, file }).or_default();
        // A call that may resolve to several declarations, in bindings for several platforms or versions, is a single
        // finding.
        let is_it = |(call, other): &(&CallFact, Detail)| {
            std::ptr::eq(*call, found.call) || (call.span == found.call.span && *other == what)
        };
        // Calls come in source order.
        let here = calls.iter().rev().take_while(|(call, _)| call.span.start == found.call.span.start);
        if !here.into_iter().any(is_it) {
            calls.push((found.call, what));
        }
    }
    calls
}

#[expect(clippy::too_many_arguments, reason = "what an audit knows of a file, and where it goes")]
fn file_diagnostics(
    names: &Names<'_>,
    package: &Package,
    file: &SourceFile,
    source: Source,
    shown: bool,
    calls: &[(&CallFact, Detail)],
    macros: &[(&MacroFact, Detail)],
    diagnostics: &mut Vec<Diagnostic>,
) {
    let diagnostic = |detail: Detail, span, scope: &Scope| Diagnostic {
        code: detail.code(),
        level: Level::Note,
        message: words::message(&detail),
        label: words::label(&detail),
        detail: Some(detail),
        ..at_place(names.graph, package, file, source, span, scope)
    };
    if !shown {
        diagnostics.extend(calls.iter().map(|(call, detail)| diagnostic(detail.clone(), call.span, &call.scope)));
        return;
    }
    let own = file.facts.unsafes.iter().zip(names.operations(source.package, source.file));
    let own = own.map(|(fact, operations)| (fact, operations, None));
    let written = file.expansions.iter().flat_map(|seen| seen.unsafes.iter().map(|fact| (fact, Some(&seen.from))));
    let written = written.map(|(fact, from)| (fact, fact.operations.clone(), from));
    for (fact, operations, from) in own.chain(written) {
        let detail = Detail::Unsafe {
            kind: fact.kind,
            name: fact.name.as_deref().map(str::to_owned),
            safety: fact.safety.clone(),
            operations,
            expanded_from: from.cloned(),
        };
        let mut found = diagnostic(detail, fact.span, &fact.scope);
        if found.label.is_none() && fact.safety.is_none() && owes_section(fact, &file.facts).is_some() {
            found.label = Some(words::NO_SECTION.to_owned());
        }
        diagnostics.push(found);
    }
    for (call, detail) in calls {
        diagnostics.push(diagnostic(detail.clone(), call.span, &call.scope));
    }
    for (used, detail) in macros {
        diagnostics.push(diagnostic(detail.clone(), used.span, &used.scope));
    }
    for unseen in &file.facts.unexpanded {
        let (name, argument) = (unseen.name.to_string(), unseen.argument.clone());
        let detail = Detail::Unexpanded { name, kind: None, argument, defined_in: None };
        diagnostics.push(diagnostic(detail, unseen.span, &unseen.scope));
    }
}

/// A diagnostic with everything that follows from its position, and no message yet.
pub(super) fn at_place(
    graph: &Graph,
    package: &Package,
    file: &SourceFile,
    source: Source,
    span: Span,
    scope: &Scope,
) -> Diagnostic {
    Diagnostic {
        code: "",
        level: Level::Note,
        message: String::new(),
        label: None,
        package: package.id(),
        member: package.selected,
        role: Some(Counted::of(package, file, scope).role),
        path: graph.relative(&file.path),
        span,
        at: package.place(file, scope),
        module: file.module_path(scope),
        function: scope.function.as_deref().map(str::to_owned),
        cfgs: file.cfgs.iter().chain(&scope.cfgs).cloned().collect(),
        dormant: dormant(package, file, scope),
        in_macro: scope.in_macro.as_deref().map(str::to_owned),
        notes: Vec::new(),
        fingerprint: Fingerprint::default(),
        content: Fingerprint::default(),
        detail: None,
        origin: Origin::Source(source),
    }
}

#[cfg(test)]
mod tests {
    use super::audit;
    use crate::{decide, fixture, graph::Role, names::Names, report::model::Counts};

    #[test]
    fn calls_of_unseen_bindings_are_counted_for_the_caller() {
        let graph = fixture::graph(
            "
//- app/src/main.rs
fn main() { unsafe { sys::open(); sys::close() }; }
#[cfg(windows)]
fn other() { unsafe { sys::open() } }
//- sys/src/lib.rs
mod bindings { include!(concat!(env!(\"OUT_DIR\"), \"/bindgen.rs\")); }
pub use bindings::*;
",
        );
        let report = audit(&Names::new(&graph)).unwrap();
        let app = &report.packages[0];
        let sum = |counts: &std::collections::BTreeMap<_, Counts>| {
            counts.values().map(|counts| (counts.unseen_calls, counts.foreign_calls)).collect::<Vec<_>>()
        };
        assert_eq!((sum(&app.counts), sum(&app.dormant)), (vec![(2, 0)], vec![(1, 0)]));
        let notes: Vec<String> = report.unseen_calls.iter().map(|calls| calls.message()).collect();
        assert_eq!(notes, ["2 calls of `app@1.0.0` into what the build script of `sys@1.0.0` writes not seen"]);
    }

    /// A symbol that a wrapper declares besides the wrapped functions comes from the linker, whatever library the
    /// package links.
    #[test]
    fn wrappers_declare_symbols_of_no_library() {
        let mut graph = fixture::graph(
            "
//- app/src/lib.rs
mod isolated;
unsafe extern \"C\" { fn z_sum(); }
pub fn sum() { unsafe { z_sum() }; isolated::start(); }
//- app/src/isolated.rs
unsafe extern \"C\" { fn __isolate_z_start(); }
pub fn start() { unsafe { __isolate_z_start() } }
",
        );
        graph.packages[0].links = Some("z".to_owned());
        graph.packages[0].files[1].role = Role::Generated;
        let report = audit(&Names::new(&graph)).unwrap();
        let libraries = report.symbols.iter().map(|symbol| (&*symbol.name, symbol.library.as_deref()));
        assert_eq!(libraries.collect::<Vec<_>>(), [("__isolate_z_start", None), ("z_sum", Some("z"))]);
    }

    /// Bindings for two versions of a library declare the symbol twice, but there is one call.
    #[test]
    fn one_call_of_two_declarations_is_one_finding() {
        let graph = fixture::graph(
            "
//- app/src/main.rs
fn main() { unsafe { z_sys::crc32(1, 2) }; }
//- z-sys/src/lib.rs
mod old;
mod new;
pub use old::*;
pub use new::*;
//- z-sys/src/old.rs
unsafe extern \"C\" { pub fn crc32(crc: u32, value: u32) -> u32; }
//- z-sys/src/new.rs
#[link(name = \"z\")]
unsafe extern \"C\" { pub fn crc32(crc: u32, value: u32) -> u32; }
",
        );
        let calls: usize =
            audit(&Names::new(&graph)).unwrap().packages[0].counts.values().map(|counts| counts.foreign_calls).sum();
        assert_eq!(calls, 1);
        let found = decide::findings(&Names::new(&graph), &Default::default());
        assert_eq!(found.iter().filter(|found| found.finding.rule == "foreign-call").count(), 1);
    }
}
