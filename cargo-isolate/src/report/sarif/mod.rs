//! SARIF 2.1.0: diagnostics become results, and problems of the scan become tool notifications.

mod model;
mod uri;

use super::{
    codes::{self, Code},
    diagnostic::{Diagnostic, Level, Origin, Source},
    model::{Command, Problem, Report},
};
use crate::graph::Graph;
use isolate_lints::{facts::Span, lines::Lines, rules::Basis};
use model::*;
use std::{
    collections::{BTreeMap, HashMap},
    io,
};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The base of relative paths: the root of the workspace.
const ROOT: &str = "%SRCROOT%";

/// A report as a SARIF log.
///
/// # Errors
///
/// If a source file has changed since it was scanned.
pub(super) fn log(graph: &Graph, report: &Report) -> io::Result<Log> {
    let mut places = Places { graph, report, lines: HashMap::new() };
    let rules = codes::of(report.diagnostics.iter().map(|diagnostic| diagnostic.code));
    let problems = codes::of(report.problems.iter().map(|problem| problem.kind.code()));
    let results: io::Result<Vec<_>> =
        report.diagnostics.iter().map(|diagnostic| result(diagnostic, &rules, &mut places)).collect();
    let notifications: io::Result<Vec<_>> =
        report.problems.iter().map(|problem| notification(problem, &problems, &mut places)).collect();
    let root = format!("{}/", uri::of(&report.workspace_root).trim_end_matches('/'));
    let run = Run {
        tool: Tool {
            driver: Driver {
                name: "cargo-isolate",
                semantic_version: report.tool,
                information_uri: env!("CARGO_PKG_REPOSITORY"),
                rules: rules.iter().map(descriptor).collect(),
                notifications: problems.iter().map(descriptor).collect(),
            },
        },
        automation_details: AutomationDetails {
            id: match report.command {
                Command::Audit | Command::Counts => "cargo-isolate/audit/",
                Command::Check => "cargo-isolate/check/",
            },
        },
        invocations: [Invocation {
            execution_successful: report.complete,
            tool_execution_notifications: notifications?,
        }],
        original_uri_base_ids: BTreeMap::from([(ROOT, UriBase { uri: root })]),
        column_kind: "unicodeCodePoints",
        results: results?,
        properties: report.generated().map(|generated_wrappers| RunProperties { generated_wrappers }),
    };
    Ok(Log { schema: SCHEMA, version: "2.1.0", runs: [run] })
}

fn descriptor(code: &Code) -> Descriptor {
    Descriptor {
        id: code.name,
        short_description: message(code.summary),
        full_description: message(code.summary),
        help: Help { text: code.help.to_owned(), markdown: code.help.to_owned() },
        default_configuration: Configuration { level: level(code.level) },
        properties: DescriptorProperties {
            precision: match code.basis {
                Basis::Exact => "very-high",
                Basis::Heuristic => "high",
            },
            tags: ["security"],
        },
    }
}

fn result(diagnostic: &Diagnostic, rules: &[Code], places: &mut Places<'_>) -> io::Result<Result> {
    let fingerprint = diagnostic.fingerprint.to_string();
    let kind = if diagnostic.function.is_some() { "function" } else { "module" };
    let name = LogicalLocation { fully_qualified_name: diagnostic.at.clone(), kind };
    Ok(Result {
        rule_id: diagnostic.code,
        rule_index: index(rules, diagnostic.code),
        level: level(diagnostic.level),
        message: message(&text(diagnostic)),
        locations: [Location {
            physical_location: places.of(diagnostic.origin, &diagnostic.path, diagnostic.span)?,
            logical_locations: if diagnostic.at.is_empty() { Vec::new() } else { vec![name] },
        }],
        // GitHub's code scanning uses the second one.
        partial_fingerprints: BTreeMap::from([
            ("cargoIsolate/v1", fingerprint.clone()),
            ("primaryLocationLineHash", format!("{fingerprint}:1")),
        ]),
        properties: ResultProperties {
            package: diagnostic.package.clone(),
            role: diagnostic.role,
            dormant: diagnostic.dormant.clone(),
        },
    })
}

/// The message, label and notes as one text.
fn text(diagnostic: &Diagnostic) -> String {
    let label = diagnostic.label.iter().map(|label| format!(": {label}"));
    let notes = diagnostic.notes.iter().map(|note| format!("\n{note}"));
    let dormant = diagnostic.dormant.iter().map(|why| format!("\ndormant: {why}"));
    [diagnostic.message.clone()].into_iter().chain(label).chain(notes).chain(dormant).collect()
}

fn notification(problem: &Problem, codes: &[Code], places: &mut Places<'_>) -> io::Result<Notification> {
    let code = problem.kind.code();
    let physical_location = match (problem.source, problem.span, &problem.from) {
        (Some(source), Some(span), _) => places.of(Origin::Source(source), &problem.path, span)?,
        _ => places.file(&problem.path),
    };
    Ok(Notification {
        descriptor: Reference { id: code, index: index(codes, code) },
        level: if problem.kind.is_incomplete() { "error" } else { "note" },
        message: message(&problem.message()),
        locations: [Location { physical_location, logical_locations: Vec::new() }],
    })
}

/// Converts positions in files to SARIF locations.
struct Places<'g> {
    graph: &'g Graph,
    report: &'g Report,
    lines: HashMap<Origin, Lines<'g>>,
}

impl Places<'_> {
    fn of(&mut self, origin: Origin, path: &camino::Utf8Path, span: Span) -> io::Result<PhysicalLocation> {
        if !self.lines.contains_key(&origin) {
            let text = match origin {
                Origin::Source(Source { package, file }) => self.graph.packages[package].files[file].text()?,
                Origin::Policy(file) => self.report.policy.as_ref().map_or("", |policy| &policy.file(file).text),
            };
            self.lines.insert(origin, Lines::new(text));
        }
        let end = self.lines[&origin].span(span.end as usize..span.end as usize);
        let region =
            Region { start_line: span.line, start_column: span.column, end_line: end.line, end_column: end.column };
        Ok(PhysicalLocation { region: Some(region), ..self.file(path) })
    }

    fn file(&self, path: &camino::Utf8Path) -> PhysicalLocation {
        let artifact_location =
            ArtifactLocation { uri: uri::of(path), uri_base_id: path.is_relative().then_some(ROOT) };
        PhysicalLocation { artifact_location, region: None }
    }
}

fn index(codes: &[Code], name: &str) -> usize {
    codes.iter().position(|code| code.name == name).expect("every code is listed")
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}

fn message(text: &str) -> Message {
    Message { text: text.to_owned() }
}
