//! The audit for people.

use super::{
    audit::{Audit, Finding, Problem, ProblemKind, Source, What},
    draw::draw,
    summary,
};
use crate::graph::{GapKind, Graph, Role};
use codespan_reporting::{
    diagnostic::{Diagnostic, Label},
    files::SimpleFiles,
};
use isolate_lints::facts::{Span, UnsafeKind};
use std::{
    collections::HashMap,
    io::{self, Write},
};

/// Prints findings and the table; of the dependencies, findings only `with_dependencies`.
pub(crate) fn print(out: &mut dyn Write, graph: &Graph, audit: &Audit, with_dependencies: bool) -> io::Result<()> {
    let mut files = Files::new(graph);
    let shown: Vec<&Finding> = audit
        .findings
        .iter()
        .filter(|finding| graph.packages[finding.source.package].member || with_dependencies)
        // The policy is what to read of them; the table says how many there are.
        .filter(|finding| finding.role != Role::Generated)
        .collect();
    let blocks = blocks_by_operation(&shown);
    let mut calls: HashMap<Key, Vec<&Finding>> = HashMap::new();
    for call in shown.iter().filter(|finding| drawn_in_block(finding, &blocks)) {
        calls.entry(blocks[&key(call)]).or_default().push(call);
    }
    for finding in shown {
        if drawn_in_block(finding, &blocks) {
            continue;
        }
        let file = files.add(finding.source, finding.path.as_str())?;
        let mut diagnostic = finding_diagnostic(finding, file);
        for call in calls.get(&key(finding)).into_iter().flatten() {
            let label = Label::secondary(file, range(call.span)).with_message(call_label(&call.what));
            diagnostic.labels.push(label);
        }
        draw(out, &files.files, &diagnostic)?;
    }
    for problem in &audit.problems {
        if problem.reported || with_dependencies || problem.kind.is_incomplete() {
            print_problem(out, &mut files, problem)?;
        }
    }
    summary::print(out, audit)
}

type Key = (Source, u32);

fn key(finding: &Finding) -> Key {
    (finding.source, finding.span.start)
}

/// The unsafe block that each operation stands in.
fn blocks_by_operation(findings: &[&Finding]) -> HashMap<Key, Key> {
    let mut blocks = HashMap::new();
    for finding in findings {
        if let What::Unsafe { operations, .. } = &finding.what {
            blocks.extend(operations.iter().map(|operation| ((finding.source, operation.span.start), key(finding))));
        }
    }
    blocks
}

/// Whether a finding is a foreign call in an unsafe block: a label there says it all.
fn drawn_in_block(finding: &Finding, blocks: &HashMap<Key, Key>) -> bool {
    matches!(finding.what, What::ForeignCall { .. }) && blocks.contains_key(&key(finding))
}

/// What a foreign call is called, in a label.
fn call_label(what: &What) -> String {
    match what {
        What::ForeignCall { symbol, library, declared_in, mention, .. } => {
            let verb = if *mention { "mentions" } else { "calls" };
            let library = library.as_ref().map_or_else(String::new, |library| format!(" of library `{library}`"));
            format!("{verb} foreign `{symbol}`{library}, declared in {declared_in}")
        }
        _ => String::new(),
    }
}

/// Prints why the audit is incomplete, where it is.
pub(crate) fn print_problems(
    out: &mut dyn Write,
    graph: &Graph,
    audit: &Audit,
    syntax_of_members: bool,
) -> io::Result<()> {
    let mut files = Files::new(graph);
    for problem in audit.problems.iter().filter(|problem| problem.kind.is_incomplete()) {
        let known = problem.reported && matches!(problem.kind, ProblemKind::Syntax(_));
        if !known || syntax_of_members {
            print_problem(out, &mut files, problem)?;
        }
    }
    Ok(())
}

/// Files as codespan wants them, each added when first drawn.
pub(crate) struct Files<'g> {
    graph: &'g Graph,
    pub(crate) files: SimpleFiles<String, &'g str>,
    ids: HashMap<(usize, usize), usize>,
}

impl<'g> Files<'g> {
    pub(crate) fn new(graph: &'g Graph) -> Files<'g> {
        Files { graph, files: SimpleFiles::new(), ids: HashMap::new() }
    }

    pub(crate) fn add(&mut self, source: Source, name: &str) -> io::Result<usize> {
        let Source { package, file } = source;
        if let Some(id) = self.ids.get(&(package, file)) {
            return Ok(*id);
        }
        let id = self.files.add(name.to_owned(), self.graph.packages[package].files[file].text()?);
        self.ids.insert((package, file), id);
        Ok(id)
    }
}

fn finding_diagnostic(finding: &Finding, file: usize) -> Diagnostic<usize> {
    let (message, label) = match &finding.what {
        What::Unsafe { kind, name, safety, .. } => {
            let argued = match (kind, safety) {
                (UnsafeKind::Block | UnsafeKind::Impl, None) => "no `SAFETY` comment",
                (UnsafeKind::Function | UnsafeKind::Trait, None) => "no `# Safety` section",
                _ => "",
            };
            (construct(*kind, name.as_deref()), argued.to_owned())
        }
        What::ForeignCall { mention: false, .. } => {
            ("call of a foreign function".to_owned(), call_label(&finding.what))
        }
        What::ForeignCall { .. } => ("mention of a foreign item".to_owned(), call_label(&finding.what)),
        What::Unexpanded { name, .. } => {
            (format!("unknown: expansion of `{name}!` not seen"), "written when the package is built".to_owned())
        }
    };
    Diagnostic::note()
        .with_message(message)
        .with_label(Label::primary(file, range(finding.span)).with_message(label))
        .with_notes(vec![place(finding)])
}

/// `in `Stream::read`, module `zip::io`, only with cfg(windows)`.
fn place(finding: &Finding) -> String {
    let mut place = match &finding.function {
        Some(function) => format!("in `{function}` of module `{}`", finding.module),
        None => format!("in module `{}`", finding.module),
    };
    if let Some(name) = &finding.in_macro {
        place += &format!(", in the tokens of macro `{name}`");
    }
    if !finding.cfgs.is_empty() {
        place += &format!(", only with cfg({})", finding.cfgs.join("), cfg("));
    }
    place
}

fn construct(kind: UnsafeKind, name: Option<&str>) -> String {
    let what = kind.noun();
    match (kind, name) {
        (UnsafeKind::MacroToken, _) | (_, None) => what.to_owned(),
        (_, Some(name)) => format!("{what} `{name}`"),
    }
}

fn print_problem(out: &mut dyn Write, files: &mut Files<'_>, problem: &Problem) -> io::Result<()> {
    let (diagnostic, file) = match (&problem.kind, problem.source, problem.span) {
        (ProblemKind::Syntax(message), Some(source), Some(span)) => {
            let file = files.add(source, problem.path.as_str())?;
            let label = Label::primary(file, range(span)).with_message(message);
            (Diagnostic::error().with_message("does not parse").with_label(label), true)
        }
        (ProblemKind::Syntax(message), ..) => (Diagnostic::error().with_message(message), false),
        (ProblemKind::Unexplained(count), ..) => {
            let message =
                format!("{count} `unsafe` keywords of `{}` are unaccounted for; please report this", problem.path);
            (Diagnostic::bug().with_message(message), false)
        }
        (ProblemKind::Gap(GapKind::Unreadable(why)), ..) => {
            (Diagnostic::error().with_message(format!("cannot read `{}`: {why}", problem.path)), false)
        }
        (ProblemKind::Gap(GapKind::Missing), ..) => (
            Diagnostic::error().with_message(format!("no file for this module: `{}` does not exist", problem.path)),
            false,
        ),
        (ProblemKind::Gap(GapKind::MissingCfg), ..) => (
            Diagnostic::note().with_message(format!("module without a file, not needed here: `{}`", problem.path)),
            false,
        ),
    };
    let mut notes = Vec::new();
    if let (false, Some(from)) = (file, &problem.from) {
        notes.push(format!("asked for at {}:{}:{}", from.path, from.span.line, from.span.column));
    }
    if problem.kind.is_incomplete() {
        notes.push(format!("the audit of `{}` is incomplete", problem.package));
    }
    draw(out, &files.files, &diagnostic.with_notes(notes))
}

/// A place as bytes.
pub(crate) fn range(span: Span) -> std::ops::Range<usize> {
    span.start as usize..span.end.max(span.start) as usize
}
