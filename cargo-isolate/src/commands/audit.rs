//! `cargo isolate audit`, and `cargo isolate` without a command.

mod symbol;

use super::failure::Failure;
use crate::{
    exit::Exit,
    glob::Glob,
    graph::Graph,
    names::Names,
    policy::{self, Loaded, PolicyFile, model},
    report::{self, Dependencies, Output},
    settle::settle,
    sources::{self, Request},
    symbol::symbols,
};

/// What `audit` takes.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    /// Also list findings in dependencies, not only their totals; `[audit] dependencies = "full"` in the policy makes
    /// this the default
    #[arg(long)]
    deps: bool,
    /// Hide findings in dormant code, which no chosen target compiles; the table still counts them
    #[arg(long, conflicts_with_all = ["symbol", "counts"])]
    live: bool,
    /// Show the callers of a C symbol instead of the audit; `*` and `?` are wildcards
    #[arg(long, value_name = "NAME", value_parser = Glob::new)]
    symbol: Option<Glob>,
    /// Print counts only, without resolving calls (faster)
    #[arg(long, conflicts_with_all = ["symbol", "deps"])]
    counts: bool,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    args.output.check()?;
    let mut graph = match args.counts {
        true => sources::load_counts(&args.request)?,
        false => sources::load(&args.request)?,
    };
    let policy = own_policy(&graph)?;
    if let (Some(policy), false) = (&policy, args.counts) {
        settle(&mut graph, policy);
    }
    if let Some(pattern) = &args.symbol {
        return who_calls(&Names::new(&graph), pattern, &args.output);
    }
    let stated = policy.and_then(|policy| policy.policy.audit.dependencies);
    let dependencies = match stated.map(|stated| *stated.get_ref()) {
        _ if args.deps => Dependencies::Full,
        None | Some(model::Dependencies::Summary) => Dependencies::Summary,
        Some(model::Dependencies::None) => Dependencies::None,
        Some(model::Dependencies::Full) => Dependencies::Full,
    };
    let names = Names::new(&graph);
    let mut report = match args.counts {
        true => report::counts(&graph, dependencies),
        false => report::audit_with(&names, dependencies)?,
    };
    if args.live {
        report.retain(|diagnostic| diagnostic.dormant.is_none());
    }
    args.output.print(&names, &report, args.request.quiet)?;
    // The process ends here, and dropping hundreds of thousands of facts one by one would take a tenth of a second.
    std::mem::forget(names);
    std::mem::forget(graph);
    Ok(Exit::Clean.with_scan(report.complete))
}

fn who_calls(names: &Names<'_>, pattern: &Glob, output: &Output) -> Result<Exit, Failure> {
    let graph = names.graph;
    let found = symbols(names, pattern)?;
    output.answer(|out, json| symbol::print(out, graph, &found, json))?;
    Ok(Exit::Clean.with_scan(graph.is_complete()))
}

/// The workspace's policy, if it has one.
fn own_policy(graph: &Graph) -> Result<Option<Loaded>, Failure> {
    let policy = PolicyFile::default();
    match policy.path(graph).is_file() {
        true => Ok(Some(policy::load(&policy, graph)?)),
        false => Ok(None),
    }
}
