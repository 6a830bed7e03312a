//! The report as text.

use super::{
    diagnostic::{Detail, Diagnostic, Level, Origin, Source},
    model::{Command, Dependencies, Problem, ProblemKind, Report, Totals},
    summary,
    unseen::UnseenCalls,
    words,
};
use crate::{
    graph::Graph,
    policy::Texts,
    terminal::{
        draw::{Sources, draw},
        words::some,
    },
};
use codespan_reporting::diagnostic::{self as codespan, Label, Severity};
use isolate_lints::facts::Span;
use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    io::{self, Write},
};

/// How much of a report to print.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shown {
    /// Of an audit only the table and the problems that make it incomplete, of a check only the findings.
    pub(crate) quiet: bool,
    /// Width of the terminal; `None` if lines may have any length.
    pub(crate) width: Option<usize>,
}

/// Prints a report.
pub(crate) fn print(out: &mut dyn Write, graph: &Graph, report: &Report, shown: Shown) -> io::Result<()> {
    match report.command {
        Command::Audit | Command::Counts => print_audit(out, graph, report, shown),
        Command::Check => print_check(out, graph, report, shown),
    }
}

fn print_audit(out: &mut dyn Write, graph: &Graph, report: &Report, shown: Shown) -> io::Result<()> {
    let mut files = Files::new(graph, report);
    if !shown.quiet {
        print_findings(out, &mut files, &report.diagnostics.iter().collect::<Vec<_>>())?;
    }
    let problems = report.problems.iter().filter(|problem| !shown.quiet || problem.kind.is_incomplete());
    print_folded(out, &mut files, report, problems)?;
    if !shown.quiet {
        for unseen in &report.unseen_calls {
            let note = codespan::Diagnostic::note().with_message(unseen.message());
            draw(out, &files.files, &note.with_notes(vec![UnseenCalls::HELP.to_owned()]))?;
        }
    }
    summary::print(out, report, shown.width)
}

fn print_check(out: &mut dyn Write, graph: &Graph, report: &Report, shown: Shown) -> io::Result<()> {
    let mut files = Files::new(graph, report);
    for diagnostic in &report.diagnostics {
        let drawn = files.diagnostic(diagnostic)?;
        draw(out, &files.files, &drawn)?;
    }
    print_problems(out, graph, report)?;
    if let (Some(policy), false) = (&report.policy, shown.quiet) {
        print_sums(out, report)?;
        let Totals { errors, warnings, .. } = report.totals;
        let (violations, warnings) = (some(errors, "violation"), some(warnings, "warning"));
        write!(out, "{violations} and {warnings} (policy: `{}`)", policy.workspace())?;
        if let Some(known) = &report.known {
            write!(out, "; {}", words::known(known))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Prints the number of findings of each code, if there are more than one can count at a glance.
fn print_sums(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    const FEW: usize = 10;
    if report.diagnostics.len() <= FEW {
        return Ok(());
    }
    let mut sums: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for diagnostic in &report.diagnostics {
        let [errors, others] = sums.entry(diagnostic.code).or_default();
        *if diagnostic.level == Level::Error { errors } else { others } += 1;
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by_key(|(code, counts)| (counts.map(std::cmp::Reverse), *code));
    let bold = anstyle::Style::new().bold();
    let width = sums.iter().map(|(code, _)| code.len()).max().unwrap_or_default();
    writeln!(out, "{bold}{:width$}  violations  warnings{bold:#}", "")?;
    for (code, counts) in sums {
        let [errors, warnings] = counts.map(|count| if count == 0 { "-".to_owned() } else { count.to_string() });
        writeln!(out, "{code:width$}  {errors:>10}  {warnings:>8}")?;
    }
    writeln!(out)
}

/// Prints findings. A foreign call in an unsafe block becomes a label of the block.
fn print_findings(out: &mut dyn Write, files: &mut Files<'_>, findings: &[&Diagnostic]) -> io::Result<()> {
    let blocks = blocks_by_operation(findings);
    let mut calls: HashMap<Key, Vec<&Diagnostic>> = HashMap::new();
    for call in findings.iter().filter(|finding| drawn_in_block(finding, &blocks)) {
        calls.entry(blocks[&key(call)]).or_default().push(call);
    }
    for finding in findings {
        if drawn_in_block(finding, &blocks) {
            continue;
        }
        let file = files.add(finding)?;
        let mut diagnostic = files.diagnostic(finding)?;
        for call in calls.get(&key(finding)).into_iter().flatten() {
            let label =
                Label::secondary(file, range(call.span)).with_message(call.label.as_deref().unwrap_or_default());
            diagnostic.labels.push(label);
        }
        draw(out, &files.files, &diagnostic)?;
    }
    Ok(())
}

type Key = (Origin, u32);

fn key(finding: &Diagnostic) -> Key {
    (finding.origin, finding.span.start)
}

/// The unsafe block that contains each operation.
fn blocks_by_operation(findings: &[&Diagnostic]) -> HashMap<Key, Key> {
    let mut blocks = HashMap::new();
    for finding in findings {
        if let Some(Detail::Unsafe { operations, .. }) = &finding.detail {
            blocks.extend(operations.iter().map(|operation| ((finding.origin, operation.span.start), key(finding))));
        }
    }
    blocks
}

/// Whether a finding is a foreign call in an unsafe block, which is drawn as a label there.
fn drawn_in_block(finding: &Diagnostic, blocks: &HashMap<Key, Key>) -> bool {
    matches!(finding.detail, Some(Detail::ForeignCall { .. })) && blocks.contains_key(&key(finding))
}

/// Prints the problems that make the scan incomplete, unless a diagnostic already covers them.
pub(crate) fn print_problems(out: &mut dyn Write, graph: &Graph, report: &Report) -> io::Result<()> {
    let mut files = Files::new(graph, report);
    let incomplete = report.unsaid_problems().filter(|problem| problem.kind.is_incomplete());
    print_folded(out, &mut files, report, incomplete)
}

/// Prints problems. Of a dependency, only the first of each kind is printed unless its findings were requested: it
/// cannot be fixed here, and would hide the rest of the output.
fn print_folded<'r>(
    out: &mut dyn Write,
    files: &mut Files<'_>,
    report: &Report,
    problems: impl Iterator<Item = &'r Problem>,
) -> io::Result<()> {
    let each = report.command == Command::Audit && report.dependencies == Dependencies::Full;
    let mut kinds: HashMap<(&str, &str), usize> = HashMap::new();
    let mut shown: Vec<(&Problem, usize)> = Vec::new();
    for problem in problems {
        if each || problem.reported {
            shown.push((problem, 0));
            continue;
        }
        match kinds.entry((&problem.package, problem.kind.code())) {
            Entry::Occupied(first) => shown[*first.get()].1 += 1,
            Entry::Vacant(kind) => {
                kind.insert(shown.len());
                shown.push((problem, 0));
            }
        }
    }
    shown.into_iter().try_for_each(|(problem, more)| print_problem(out, files, problem, more))
}

/// The files that diagnostics refer to, added to codespan's collection when first needed.
struct Files<'g> {
    graph: &'g Graph,
    policy: Option<&'g Texts>,
    files: Sources<'g>,
    ids: HashMap<Origin, usize>,
}

impl<'g> Files<'g> {
    fn new(graph: &'g Graph, report: &'g Report) -> Files<'g> {
        Files { graph, policy: report.policy.as_ref(), files: Sources::default(), ids: HashMap::new() }
    }

    fn add(&mut self, diagnostic: &Diagnostic) -> io::Result<usize> {
        self.add_file(diagnostic.origin, diagnostic.path.as_str())
    }

    fn add_file(&mut self, origin: Origin, name: &str) -> io::Result<usize> {
        if let Some(id) = self.ids.get(&origin) {
            return Ok(*id);
        }
        let text = match origin {
            Origin::Source(Source { package, file }) => self.graph.packages[package].files[file].text()?,
            Origin::Policy(file) => self.policy.map_or("", |policy| &policy.file(file).text),
        };
        let id = self.files.add(name.to_owned(), text);
        self.ids.insert(origin, id);
        Ok(id)
    }

    /// Converts a diagnostic to codespan's.
    fn diagnostic(&mut self, diagnostic: &Diagnostic) -> io::Result<codespan::Diagnostic<usize>> {
        let file = self.add(diagnostic)?;
        let (severity, named) = match diagnostic.level {
            Level::Error => (Severity::Error, true),
            Level::Warning => (Severity::Warning, true),
            Level::Note => (Severity::Note, false),
        };
        let mut drawn = codespan::Diagnostic::new(severity).with_message(&diagnostic.message);
        if named && matches!(diagnostic.origin, Origin::Source(_)) {
            drawn = drawn.with_code(diagnostic.code);
        }
        let label = diagnostic.label.as_deref().unwrap_or_default();
        let label = Label::primary(file, range(diagnostic.span)).with_message(label);
        let mut notes = diagnostic.notes.clone();
        match (diagnostic.detail.is_some(), diagnostic.origin) {
            (true, _) => notes.push(diagnostic.place()),
            (false, Origin::Source(_)) => notes.push(diagnostic.path()),
            (false, Origin::Policy(_)) => {}
        }
        Ok(drawn.with_label(label).with_notes(notes))
    }
}

/// Prints a problem that represents `more` others like it.
fn print_problem(out: &mut dyn Write, files: &mut Files<'_>, problem: &Problem, more: usize) -> io::Result<()> {
    let severity = match &problem.kind {
        ProblemKind::Unexplained(_) => Severity::Bug,
        kind if kind.is_incomplete() => Severity::Error,
        _ => Severity::Note,
    };
    let mut diagnostic = codespan::Diagnostic::new(severity);
    match (&problem.kind, problem.source, problem.span) {
        (ProblemKind::Syntax(message), Some(source), Some(span)) => {
            let file = files.add_file(Origin::Source(source), problem.path.as_str())?;
            let label = Label::primary(file, range(span)).with_message(message);
            diagnostic = diagnostic.with_message("does not parse").with_label(label);
        }
        _ => diagnostic = diagnostic.with_message(problem.message()),
    }
    if let Some(from) = &problem.from {
        diagnostic.notes.push(format!("asked for at {}:{}:{}", from.path, from.span.line, from.span.column));
    }
    if problem.kind.is_incomplete() {
        diagnostic.notes.push(format!("the audit of `{}` is incomplete", problem.package));
    }
    if more > 0 {
        diagnostic.notes.push(format!("and {more} more like it; `cargo isolate audit --deps` shows each"));
    }
    draw(out, &files.files, &diagnostic)
}

/// The byte range of a span.
fn range(span: Span) -> std::ops::Range<usize> {
    span.start as usize..span.end.max(span.start) as usize
}
