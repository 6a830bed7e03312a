//! `cargo isolate check`: the policy, enforced.

use crate::{
    decide::{self, Decision, Excess, Verdict},
    exit::Exit,
    graph::Graph,
    policy::{self, Loaded, PolicyFile, day::Day},
    report::{self, Files, Format, Source, draw::draw, range},
    sources::{self, Request},
    words::some,
    wrap::mark_generated,
};
use codespan_reporting::{
    diagnostic::{Diagnostic, Label, Severity as Mark},
    files::SimpleFile,
};
use isolate_lints::rules::Severity;
use std::io::{self, Write};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    policy: PolicyFile,
    /// Day to hold `until` of exceptions against, as 2027-01-31
    #[arg(long, value_name = "DATE")]
    today: Option<Day>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Print violations only: no warnings, no last line
    #[arg(long, short)]
    quiet: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut graph = sources::load(&args.request)?;
    let policy = policy::load(&args.policy, &graph)?;
    mark_generated(&mut graph, &policy);
    let today = args.today.unwrap_or_else(Day::today);
    let verdict = decide::decide(&graph, &policy.policy, decide::findings(&graph), today);
    let audit = report::audit(&graph);
    let mut out = anstream::stdout().lock();
    match args.format {
        Format::Text => {
            print(&mut out, &graph, &policy, &verdict, args.quiet)?;
            // Members' own are findings of the rule `parse-error` already, unless the policy allows them.
            let drawn = verdict.decisions.iter().any(|decision| decision.found.finding.rule == "parse-error");
            report::print_problems(&mut out, &graph, &audit, !drawn)?;
        }
        Format::Json => writeln!(out, "{}", json(&graph, &policy, &verdict, audit.complete)?)?,
    }
    let violations = verdict.violations();
    if args.format == Format::Text && !args.quiet {
        let warnings = verdict.decisions.len() + verdict.excesses.len() + verdict.remarks.len() - violations;
        writeln!(
            out,
            "{} and {} of the policy `{}`",
            some(violations, "violation"),
            some(warnings, "warning"),
            policy.path
        )?;
    }
    Ok(match (violations > 0, audit.complete) {
        (false, true) => Exit::Clean,
        (true, true) => Exit::Violation,
        (false, false) => Exit::Incomplete,
        (true, false) => Exit::ViolationIncomplete,
    })
}

impl Verdict {
    /// How many things make the check fail.
    fn violations(&self) -> usize {
        self.decisions.iter().filter(|decision| decision.severity == Severity::Deny).count() + self.excesses.len()
    }
}

fn print(out: &mut dyn Write, graph: &Graph, policy: &Loaded, verdict: &Verdict, quiet: bool) -> io::Result<()> {
    let mut files = Files::new(graph);
    for decision in &verdict.decisions {
        if decision.severity == Severity::Deny || !quiet {
            print_decision(out, graph, &mut files, decision)?;
        }
    }
    let policy_file = SimpleFile::new(policy.path.as_str(), policy.text.as_str());
    for Excess { package, count, max, span } in &verdict.excesses {
        let package = &graph.packages[*package];
        let message = format!("{} of `{}`, {max} allowed", some(*count, "unsafe construct"), package.id());
        let label = Label::primary((), span.clone()).with_message("this limit");
        let help = format!("help: `cargo isolate -p {}` shows them", package.name);
        let help = if package.member { help } else { "help: `cargo isolate --deps` shows them".to_owned() };
        draw(out, &policy_file, &Diagnostic::error().with_message(message).with_label(label).with_notes(vec![help]))?;
    }
    for remark in verdict.remarks.iter().filter(|_| !quiet) {
        let label = Label::primary((), remark.span.clone());
        let notes = remark.help.iter().map(|help| format!("help: {help}")).collect();
        draw(
            out,
            &policy_file,
            &Diagnostic::warning().with_message(&remark.message).with_label(label).with_notes(notes),
        )?;
    }
    Ok(())
}

fn print_decision(out: &mut dyn Write, graph: &Graph, files: &mut Files<'_>, decision: &Decision) -> io::Result<()> {
    let (found, finding) = (&decision.found, &decision.found.finding);
    let package = &graph.packages[found.package];
    let source = &package.files[found.file];
    let file = files.add(Source { package: found.package, file: found.file }, graph.relative(&source.path).as_str())?;
    let mark = if decision.severity == Severity::Deny { Mark::Error } else { Mark::Warning };
    let mut notes = finding.notes.clone();
    notes.push(format!("in `{}`", decide::place(package, source, finding)));
    let diagnostic = Diagnostic::new(mark)
        .with_code(finding.rule)
        .with_message(&finding.message)
        .with_label(Label::primary(file, range(finding.span)))
        .with_notes(notes);
    draw(out, &files.files, &diagnostic)
}

fn json(graph: &Graph, policy: &Loaded, verdict: &Verdict, complete: bool) -> serde_json::Result<String> {
    let findings: Vec<_> = verdict
        .decisions
        .iter()
        .map(|Decision { found, severity }| {
            let package = &graph.packages[found.package];
            let file = &package.files[found.file];
            serde_json::json!({
                "rule": found.finding.rule,
                "severity": severity,
                "message": found.finding.message,
                "package": package.id(),
                "role": file.role,
                "path": graph.relative(&file.path),
                "span": found.finding.span,
                "at": decide::place(package, file, &found.finding),
                "notes": found.finding.notes,
            })
        })
        .collect();
    let excesses: Vec<_> = verdict
        .excesses
        .iter()
        .map(|excess| {
            let package = &graph.packages[excess.package];
            serde_json::json!({ "package": package.id(), "unsafe": excess.count, "max": excess.max })
        })
        .collect();
    let remarks: Vec<_> = verdict.remarks.iter().map(|remark| &remark.message).collect();
    serde_json::to_string_pretty(&serde_json::json!({
        "schema": report::SCHEMA,
        "tool": env!("CARGO_PKG_VERSION"),
        "workspace_root": graph.root,
        "policy": policy.path,
        "complete": complete,
        "violations": verdict.violations(),
        "findings": findings,
        "limits": excesses,
        "policy_warnings": remarks,
    }))
}
