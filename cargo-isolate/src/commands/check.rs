//! `cargo isolate check`: the policy, enforced.

use crate::{
    decide,
    exit::Exit,
    policy::{self, PolicyFile, day::Day},
    report::{self, Output, Shown, diagnostic::Level},
    sources::{self, Request},
    wrap::mark_generated,
};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    policy: PolicyFile,
    /// Day to hold `until` of exceptions against, as 2027-01-31
    #[arg(long, value_name = "DATE")]
    today: Option<Day>,
    #[command(flatten)]
    output: Output,
    /// Print violations only: no warnings, no last line
    #[arg(long, short)]
    quiet: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    args.output.check()?;
    let mut graph = sources::load(&args.request)?;
    let policy = policy::load(&args.policy, &graph)?;
    mark_generated(&mut graph, &policy);
    let today = args.today.unwrap_or_else(Day::today);
    let verdict = decide::decide(&graph, &policy, decide::findings(&graph), today);
    let mut report = report::check(&graph, &policy, &verdict)?;
    if args.quiet {
        report.retain(|diagnostic| diagnostic.level == Level::Error);
    }
    args.output.print(&graph, &report, Shown { quiet: args.quiet })?;
    Ok(match (report.totals.errors > 0, report.complete) {
        (false, true) => Exit::Clean,
        (true, true) => Exit::Violation,
        (false, false) => Exit::Incomplete,
        (true, false) => Exit::ViolationIncomplete,
    })
}
