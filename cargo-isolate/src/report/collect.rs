//! Graph → report of an audit: facts become diagnostics and counts.

use super::{
    diagnostic::{Detail, Diagnostic, Level, Origin, Source},
    fingerprint::{self, Fingerprint, own_text, plain_text},
    macros,
    model::{Command, Counts, Dependencies, PackageRow, Place, Problem, ProblemKind, Report, SCHEMA, Totals},
    symbols::symbols,
    unseen::{self, Unseen},
    words,
};
use crate::{
    decide,
    graph::{Graph, Package, Role, SourceFile},
    names::Names,
    policy::Texts,
};
use camino::{Utf8Path, Utf8PathBuf};
use isolate_lints::{
    cfg::Presence,
    facts::{CallFact, MacroFact, Scope, Span},
    resolve::ForeignCalls,
};
use std::{collections::BTreeMap, io, sync::Arc};

/// Everything that the selected members and the dependencies hold.
///
/// # Errors
///
/// A source file is not any more what was scanned.
pub(crate) fn audit(names: &Names<'_>) -> io::Result<Report> {
    audit_with(names, Dependencies::Full)
}

/// The same with as much of dependencies as is wanted: making tens of thousands of diagnostics only to count them would be
/// a third of an audit's memory.
///
/// # Errors
///
/// A source file is not any more what was scanned.
pub(crate) fn audit_with(names: &Names<'_>, dependencies: Dependencies) -> io::Result<Report> {
    let graph = names.graph;
    let foreign = names.foreign_calls();
    let calls = foreign_calls(names, foreign);
    let macros = macros::uses(graph, names, foreign);
    let unseen = unseen::calls(names);
    let mut report = empty(graph, Command::Audit);
    for (index, package) in graph.packages.iter().enumerate() {
        if package.selected || !package.member {
            let shown = package.member || dependencies == Dependencies::Full;
            collect_package(names, index, package, shown, &calls, &macros, &unseen, &mut report);
        }
    }
    report.complete = report.packages.iter().all(|package| package.complete);
    report.symbols = symbols(&report.diagnostics);
    report.leave(dependencies);
    assign_fingerprints(graph, None, &mut report.diagnostics)?;
    report.totals = Totals::of(&report.diagnostics);
    Ok(report)
}

/// The numbers alone, but for calls: from a graph that may know nothing of those.
pub(crate) fn counts(graph: &Graph, dependencies: Dependencies) -> Report {
    let mut report = empty(graph, Command::Counts);
    let reported = graph.packages.iter().enumerate().filter(|(_, package)| package.selected || !package.member);
    for (index, package) in reported {
        let mut sums = Sums::default();
        package.files.iter().for_each(|file| sums.count_facts(package, file));
        let first_problem = report.problems.len();
        for (file, source) in package.files.iter().enumerate() {
            report.problems.extend(file_problems(graph, package, source, Source { package: index, file }));
        }
        report.problems.extend(gap_problems(graph, package));
        let row = row(graph, package, &report.problems[first_problem..], sums);
        report.packages.push(row);
    }
    report.complete = report.packages.iter().all(|package| package.complete);
    report.leave(dependencies);
    report
}

/// Fingerprints of diagnostics, which must be in source order.
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

/// Of a package that is not `shown`, makes no diagnostics but those of foreign calls, which the map of symbols is drawn from.
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
    let first_problem = report.problems.len();
    let mut sums = Sums::default();
    let mut live_unseen = BTreeMap::<usize, usize>::new();
    for (position, file) in package.files.iter().enumerate() {
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
    let row = row(graph, package, &report.problems[first_problem..], sums);
    report.packages.push(row);
}

fn row(graph: &Graph, package: &Package, problems: &[Problem], sums: Sums) -> PackageRow {
    PackageRow {
        name: package.name.clone(),
        version: package.version.clone(),
        member: package.member,
        root: package.root.clone(),
        files: package
            .files
            .iter()
            .filter(|file| file.role != Role::Unreached)
            .map(|file| graph.relative(&file.path))
            .collect(),
        complete: problems.iter().all(|problem| !problem.kind.is_incomplete()),
        counts: sums.live,
        dormant: sums.dormant,
    }
}

/// The numbers of one package, by what the code is for.
#[derive(Default)]
struct Sums {
    live: BTreeMap<Role, Counts>,
    dormant: BTreeMap<Role, Counts>,
}

impl Sums {
    /// What a file holds, as far as that file tells.
    fn count_facts(&mut self, package: &Package, file: &SourceFile) {
        // Facts beside one another share their scope most of the time.
        let mut last: Option<(*const Scope, Counted)> = None;
        let mut of = |scope: &Arc<Scope>| match last {
            Some((known, counted)) if known == Arc::as_ptr(scope) => counted,
            _ => last.insert((Arc::as_ptr(scope), Counted::of(package, file, scope))).1,
        };
        file.facts.foreign.iter().for_each(|item| self.of(of(&item.scope)).foreign_items += 1);
        file.facts.unsafes.iter().for_each(|fact| self.of(of(&fact.scope)).add(fact.kind));
        file.facts.unexpanded.iter().for_each(|unseen| self.of(of(&unseen.scope)).unexpanded += 1);
    }

    fn of(&mut self, Counted { role, dormant }: Counted) -> &mut Counts {
        let counts = if dormant { &mut self.dormant } else { &mut self.live };
        counts.entry(role).or_default()
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

/// By the file that the use stands in.
type Macros<'g> = BTreeMap<Source, Vec<(&'g MacroFact, Detail)>>;

/// By the file that the caller stands in.
type Calls<'g> = BTreeMap<Source, Vec<(&'g CallFact, Detail)>>;

fn foreign_calls<'g>(names: &Names<'g>, foreign: &ForeignCalls<'g>) -> Calls<'g> {
    let graph = names.graph;
    let mut calls = Calls::new();
    for found in &foreign.calls {
        let (package, file) = names.origin(found.caller);
        let declaring = &graph.packages[names.origin(found.callee).0];
        let item = found.item;
        let what = Detail::ForeignCall {
            path: found.call.path.clone(),
            symbol: item.link_name.as_ref().unwrap_or(&item.name).clone(),
            library: item.library.as_ref().or(declaring.links.as_ref()).cloned(),
            declared_in: declaring.id(),
            mention: found.mention,
        };
        let calls = calls.entry(Source { package, file }).or_default();
        // One call is one finding, however many declarations it may mean: bindings for several platforms or versions.
        let is_it = |(call, other): &(&CallFact, Detail)| {
            std::ptr::eq(*call, found.call) || (call.span == found.call.span && *other == what)
        };
        if !calls.iter().any(is_it) {
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
            name: fact.name.clone(),
            safety: fact.safety.clone(),
            operations,
            expanded_from: from.cloned(),
        };
        diagnostics.push(diagnostic(detail, fact.span, &fact.scope));
    }
    for (call, detail) in calls {
        diagnostics.push(diagnostic(detail.clone(), call.span, &call.scope));
    }
    for (used, detail) in macros {
        diagnostics.push(diagnostic(detail.clone(), used.span, &used.scope));
    }
    for unseen in &file.facts.unexpanded {
        let (name, argument) = (unseen.name.clone(), unseen.argument.clone());
        let detail = Detail::Unexpanded { name, kind: None, argument, defined_in: None };
        diagnostics.push(diagnostic(detail, unseen.span, &unseen.scope));
    }
}

/// A diagnostic that knows its place and says nothing yet.
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
        member: package.member,
        role: Some(Counted::of(package, file, scope).role),
        path: graph.relative(&file.path),
        span,
        at: decide::place(package, file, scope),
        module: file.module_path(scope),
        function: scope.function.clone(),
        cfgs: file.cfgs.iter().chain(&scope.cfgs).cloned().collect(),
        dormant: dormant(package, file, scope),
        in_macro: scope.in_macro.clone(),
        notes: Vec::new(),
        fingerprint: Fingerprint::default(),
        content: Fingerprint::default(),
        detail: None,
        origin: Origin::Source(source),
    }
}

/// Where something counts.
#[derive(Clone, Copy)]
pub(super) struct Counted {
    pub(super) role: Role,
    /// No chosen target compiles it.
    pub(super) dormant: bool,
}

impl Counted {
    pub(super) fn of(package: &Package, file: &SourceFile, scope: &Scope) -> Counted {
        let role = match package.member {
            true => file.role_of(&scope.cfgs),
            // Tests among a dependency's code are no tests of this workspace.
            false => file.role,
        };
        // Code that only `cargo test` compiles has another role than its file, and is not dormant.
        Counted { role, dormant: role == file.role && file.presence(&scope.cfgs) == Presence::Dormant }
    }
}

/// What keeps something out of the builds for all chosen targets, such as `cfg(windows)`.
pub(crate) fn dormant(package: &Package, file: &SourceFile, scope: &Scope) -> Option<String> {
    Counted::of(package, file, scope).dormant.then(|| file.hidden_by(&scope.cfgs)).flatten()
}

fn file_problems(graph: &Graph, package: &Package, file: &SourceFile, source: Source) -> Vec<Problem> {
    let problem = |span, kind| Problem {
        package: package.id(),
        path: graph.relative(&file.path),
        span,
        from: None,
        kind,
        source: Some(source),
        reported: package.selected,
    };
    let errors = file.facts.errors.iter();
    let syntax = errors.map(|error| problem(Some(error.span), ProblemKind::Syntax(error.message.clone())));
    let unexplained = Some(file.facts.unexplained()).filter(|count| *count != 0);
    syntax.chain(unexplained.map(|count| problem(None, ProblemKind::Unexplained(count)))).collect()
}

fn gap_problems(graph: &Graph, package: &Package) -> Vec<Problem> {
    let gaps = package.gaps.iter();
    gaps.map(|gap| Problem {
        package: package.id(),
        path: graph.relative(&gap.path),
        span: None,
        from: gap
            .from
            .as_ref()
            .map(|(path, span): &(Utf8PathBuf, Span)| Place { path: graph.relative(path), span: *span }),
        kind: ProblemKind::Gap(gap.why.clone()),
        source: None,
        reported: package.selected,
    })
    .collect()
}

impl ProblemKind {
    /// Whether something may have been missed because of it.
    pub(crate) fn is_incomplete(&self) -> bool {
        match self {
            ProblemKind::Syntax(_) | ProblemKind::Unexplained(_) => true,
            ProblemKind::Gap(why) => why.is_incomplete(),
        }
    }
}

impl Graph {
    /// A path as reports show it: from the workspace root where it lies in there, else in full.
    pub(crate) fn relative(&self, path: &Utf8Path) -> Utf8PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }
}

impl Package {
    /// `name@version`, as cargo writes it.
    pub(crate) fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

impl SourceFile {
    /// `crate::module` of something in this file.
    pub(crate) fn module_path(&self, scope: &Scope) -> String {
        let mut path = self.krate.clone();
        for module in self.module.iter().chain(&scope.modules) {
            path.push_str("::");
            path.push_str(module);
        }
        path
    }

    /// The same with the function. An `impl crate::Stream` names its functions after where the type is, not where it stands.
    pub(crate) fn function_path(&self, scope: &Scope) -> String {
        let Some(mut function) = scope.function.as_deref() else { return self.module_path(scope) };
        let mut modules: Vec<&str> = self.module.iter().chain(&scope.modules).map(String::as_str).collect();
        while let Some((first, rest)) = function.split_once("::") {
            match first {
                "crate" => modules.clear(),
                "super" => drop(modules.pop()),
                "self" => {}
                _ => break,
            }
            function = rest;
        }
        let around = [self.krate.as_str()].into_iter().chain(modules);
        around.chain([function]).collect::<Vec<_>>().join("::")
    }
}

#[cfg(test)]
mod tests {
    use super::audit;
    use crate::{decide, fixture, names::Names};

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
        let sum = |counts: &std::collections::BTreeMap<_, super::Counts>| {
            counts.values().map(|counts| (counts.unseen_calls, counts.foreign_calls)).collect::<Vec<_>>()
        };
        assert_eq!((sum(&app.counts), sum(&app.dormant)), (vec![(2, 0)], vec![(1, 0)]));
        let notes: Vec<String> = report.unseen_calls.iter().map(|calls| calls.message()).collect();
        assert_eq!(notes, ["2 calls of `app@1.0.0` into what the build script of `sys@1.0.0` writes not seen"]);
    }

    /// Bindings for two versions of a library declare the symbol twice; somebody calls it once.
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
