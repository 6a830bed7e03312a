//! Verdict → report of a check.

use super::{
    collect::{assign_fingerprints, at_place},
    diagnostic::{Diagnostic, Level, Origin, Source},
    fingerprint::Fingerprint,
    model::{Command, Dependencies, Report, Totals},
};
use crate::{
    decide::{Decision, Excess, Remark, Verdict},
    graph::Graph,
    policy::{Loaded, Text},
};
use isolate_lints::{lines::Lines, rules::Severity};
use std::{io, ops::Range};

/// The code for an exceeded maximum.
pub(crate) const UNSAFE_LIMIT: &str = "unsafe-limit";

/// The report of a check: the counts of the `audit`, with the verdict in place of its findings.
///
/// # Errors
///
/// If a source file has changed since it was scanned.
pub(crate) fn check(graph: &Graph, policy: &Loaded, verdict: &Verdict, mut audit: Report) -> io::Result<Report> {
    let about_policy = |span: &Range<usize>| {
        let (file, text, span) = policy.texts.find(span);
        about_policy(file, text, span)
    };
    let findings = verdict.decisions.iter().map(|decision| of_decision(graph, decision));
    let limits = verdict.excesses.iter().map(|excess| of_excess(graph, excess, about_policy(&excess.span)));
    let remarks = verdict.remarks.iter().map(|remark| of_remark(remark, about_policy(&remark.error.span)));
    let mut diagnostics: Vec<Diagnostic> = findings.chain(limits).chain(remarks).collect();
    assign_fingerprints(graph, Some(&policy.texts), &mut diagnostics)?;
    audit.problems.retain(|problem| problem.kind.is_incomplete());
    Ok(Report {
        command: Command::Check,
        policy: Some(policy.texts.clone()),
        dependencies: Dependencies::Summary,
        totals: Totals::of(&diagnostics),
        diagnostics,
        ..audit
    })
}

/// A diagnostic about a position in one of the policy's files.
fn about_policy(file: usize, text: &Text, span: Range<usize>) -> Diagnostic {
    Diagnostic {
        code: "policy",
        level: Level::Warning,
        message: String::new(),
        label: None,
        package: String::new(),
        member: true,
        role: None,
        path: text.path.clone(),
        span: Lines::new(&text.text).span(span),
        at: String::new(),
        module: String::new(),
        function: None,
        cfgs: Vec::new(),
        dormant: None,
        in_macro: None,
        notes: Vec::new(),
        fingerprint: Fingerprint::default(),
        content: Fingerprint::default(),
        detail: None,
        origin: Origin::Policy(file),
    }
}

fn of_decision(graph: &Graph, Decision { found, severity }: &Decision) -> Diagnostic {
    let package = &graph.packages[found.package];
    let file = &package.files[found.file];
    let source = Source { package: found.package, file: found.file };
    let finding = &found.finding;
    let place = at_place(graph, package, file, source, finding.span, &finding.scope);
    Diagnostic {
        code: finding.rule,
        level: level(*severity),
        message: finding.message.clone(),
        notes: finding.notes.clone(),
        ..place
    }
}

fn of_excess(graph: &Graph, excess: &Excess, place: Diagnostic) -> Diagnostic {
    let package = &graph.packages[excess.package];
    let constructs = if excess.count == 1 { "construct" } else { "constructs" };
    let shown_by = match package.member {
        true => format!("cargo isolate -p {}", package.name),
        false => "cargo isolate --deps".to_owned(),
    };
    Diagnostic {
        code: UNSAFE_LIMIT,
        level: Level::Error,
        message: format!("{} unsafe {constructs} of `{}`, {} allowed", excess.count, package.id(), excess.max),
        package: package.id(),
        member: package.member,
        notes: vec![format!("help: `{shown_by}` shows them")],
        ..place
    }
}

/// The diagnostic for a remark about the policy.
///
/// # Errors
///
/// If a source file has changed since it was scanned.
pub(crate) fn remark(graph: &Graph, policy: &Loaded, remark: &Remark) -> io::Result<Diagnostic> {
    let (file, text, span) = policy.texts.find(&remark.error.span);
    let mut diagnostic = [of_remark(remark, about_policy(file, text, span))];
    assign_fingerprints(graph, Some(&policy.texts), &mut diagnostic)?;
    let [diagnostic] = diagnostic;
    Ok(diagnostic)
}

fn level(severity: Severity) -> Level {
    match severity {
        Severity::Deny => Level::Error,
        Severity::Warn => Level::Warning,
        Severity::Allow => Level::Note,
    }
}

fn of_remark(Remark { severity, error }: &Remark, place: Diagnostic) -> Diagnostic {
    Diagnostic {
        level: level(*severity),
        message: error.message.clone(),
        label: error.label.clone(),
        notes: error.all_notes(),
        ..place
    }
}
