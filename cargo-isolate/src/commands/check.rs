//! `cargo isolate check`: enforces the policy.

use super::{
    baseline::{self, BaselineFile},
    failure::Failure,
    stage::Workspace,
};
use crate::{
    decide,
    exit::Exit,
    graph::Graph,
    names::Names,
    policy::{
        Loaded, PolicyFile,
        day::{Day, Today},
    },
    ratchet::{
        self, Before, Earlier, Known,
        base::{self, Base},
        git::Repository,
    },
    report::{
        self, Output, Report, UNSAFE_LIMIT,
        diagnostic::{Diagnostic, Level, Origin, Source},
    },
    sources::Request,
    wrap,
};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    policy: PolicyFile,
    #[command(flatten)]
    baseline: BaselineFile,
    /// Report only what is new or changed since the merge base of HEAD and this commit
    #[arg(long, value_name = "REF")]
    diff_base: Option<String>,
    #[command(flatten)]
    today: Today,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    args.output.check()?;
    // The plan is discarded, but making it reports mistakes in the policy's domains to whoever changed the policy.
    let (Workspace { graph, mut policy }, _) = Workspace::planned(&args.request, &args.policy)?;
    let today = args.today.day();
    let earlier = Earlier {
        baseline: read_baseline(args, &graph, &mut policy)?,
        base: match &args.diff_base {
            Some(name) => Some(Before::new(diff_base(args, name, &graph)?, &policy, today)?),
            None => None,
        },
    };
    let names = Names::new(&graph);
    let stale = wrap::stale(&graph)?;
    let mut report = check(&names, &policy, today, &earlier, &stale)?;
    if args.request.quiet {
        report.retain(|diagnostic| diagnostic.level == Level::Error);
    }
    note_stale_wrappers(&graph, &policy, &stale, &mut report);
    args.output.print(&names, &report, args.request.quiet)?;
    let exit = if report.totals.errors > 0 { Exit::Violation } else { Exit::Clean };
    Ok(exit.with_scan(report.complete))
}

/// Checks the code against the policy, without findings that an earlier state already had.
fn check(
    names: &Names<'_>,
    policy: &Loaded,
    today: Day,
    earlier: &Earlier,
    stale: &[(usize, usize)],
) -> Result<Report, Failure> {
    let graph = names.graph;
    let audit = report::audit(names)?;
    let mut findings = decide::findings(names, &policy.policy);
    decide::stale_wrappers(graph, &policy.policy, stale, &mut findings);
    if earlier.baseline.is_none() && earlier.base.is_none() {
        let verdict = decide::decide(graph, policy, findings, today, false);
        return Ok(report::check(graph, policy, &verdict, audit)?);
    }
    let constructs = earlier.compare(graph, ratchet::constructs(graph, &audit.diagnostics));
    findings.extend(ratchet::new_unsafe(graph, &audit.diagnostics, &constructs));
    let verdict = decide::decide(graph, policy, findings, today, true);
    let mut report = report::check(graph, policy, &verdict, audit)?;
    let rules = earlier.compare(graph, ratchet::rule_findings(&report));
    report.diagnostics.iter_mut().for_each(|diagnostic| earlier.judge_remark(graph, diagnostic));
    if let Some(remark) = earlier.remark(&constructs, &rules) {
        report.diagnostics.push(report::remark(graph, policy, &remark)?);
    }
    report.retain(|diagnostic| rules.judge(diagnostic));
    ratchet::say_once(&mut report);
    report.known = Some(earlier.known(graph, &constructs, &rules));
    Ok(report)
}

/// Adds a note to the first finding in each stale wrapper, and to a maximum that is exceeded because of one:
/// regenerating the file is enough, its code need not be reviewed.
fn note_stale_wrappers(graph: &Graph, policy: &Loaded, stale: &[(usize, usize)], report: &mut Report) {
    let wrap = format!("cargo isolate wrap{}", policy.option());
    for &(package, file) in stale {
        let id = graph.packages[package].id();
        let path = graph.relative(&graph.packages[package].files[file].path);
        let notes = [
            format!("`{path}` begins as a wrapper that `cargo isolate wrap` writes, and is not what it writes today"),
            format!("help: run `{wrap}`, which writes it anew; `{wrap} --check` tells this in CI"),
        ];
        let in_file = |one: &Diagnostic| one.origin == Origin::Source(Source { package, file });
        let excess = |one: &Diagnostic| one.code == UNSAFE_LIMIT && one.package == id;
        let first = report.diagnostics.iter().position(in_file);
        let limit = report.diagnostics.iter().position(excess);
        for index in first.into_iter().chain(limit) {
            report.diagnostics[index].notes.extend(notes.clone());
        }
    }
}

/// Reads the baseline and adds its text to those of the policy, so that diagnostics can show its lines.
fn read_baseline(args: &Args, graph: &Graph, policy: &mut Loaded) -> Result<Option<Known>, Failure> {
    let Some(path) = args.baseline.path(graph, policy) else { return Ok(None) };
    let (text, mut baseline) = baseline::read(graph, &path)?;
    let shown = graph.relative(&path);
    let start = policy.texts.add(shown.clone(), text);
    for (_, span) in &mut baseline.lines {
        *span = start + span.start..start + span.end;
    }
    Ok(Some(Known { path: shown, baseline }))
}

/// The workspace at the merge base of HEAD and the commit `name`.
fn diff_base(args: &Args, name: &str, graph: &Graph) -> Result<Base, Failure> {
    let repository = Repository::around(&graph.root)?;
    let commit = repository.merge_base(&repository.commit(name)?, "HEAD")?;
    Ok(base::load(&repository, commit, &args.request, graph)?)
}
