//! `cargo isolate check`: the policy, enforced.

use crate::{
    decide,
    exit::Exit,
    policy::{self, PolicyFile, day::Day},
    report::{self, Format, Shown},
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
    let verdict = decide::decide(&graph, &policy, decide::findings(&graph), today);
    let report = report::check(&graph, &policy, &verdict)?;
    let shown = Shown { dependencies: true, quiet: args.quiet };
    report::print(&mut anstream::stdout().lock(), &graph, &report, args.format, shown)?;
    Ok(match (report.totals.errors > 0, report.complete) {
        (false, true) => Exit::Clean,
        (true, true) => Exit::Violation,
        (false, false) => Exit::Incomplete,
        (true, false) => Exit::ViolationIncomplete,
    })
}
