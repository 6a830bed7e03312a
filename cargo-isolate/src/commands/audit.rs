//! `cargo isolate audit`, and `cargo isolate` without a command.

use crate::{
    exit::Exit,
    graph::Graph,
    policy::{self, Loaded, PolicyFile, model::Dependencies},
    report::{self, Output, Shown},
    sources::{self, Request},
    wrap::mark_generated,
};

/// What `audit` takes.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    /// Show the findings of dependencies too, not only their sums; `[audit]` of the policy sets it for good
    #[arg(long)]
    deps: bool,
    /// Print the table and what makes the audit incomplete, not each finding
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    args.output.check()?;
    let mut graph = sources::load(&args.request)?;
    let policy = own_policy(&graph)?;
    if let Some(policy) = &policy {
        mark_generated(&mut graph, policy);
    }
    let dependencies = match args.deps {
        true => Dependencies::Full,
        false => policy
            .and_then(|policy| policy.policy.audit.dependencies)
            .map_or(Dependencies::Summary, |stated| *stated.get_ref()),
    };
    let mut report = report::audit(&graph)?;
    match dependencies {
        Dependencies::None => report.leave_out_dependencies(),
        Dependencies::Summary => report.sum_up_dependencies(),
        Dependencies::Full => {}
    }
    args.output.print(&graph, &report, Shown { quiet: args.quiet })?;
    Ok(match report.complete {
        true => Exit::Clean,
        false => Exit::Incomplete,
    })
}

/// What the workspace's policy says, where there is one.
fn own_policy(graph: &Graph) -> anyhow::Result<Option<Loaded>> {
    let policy = PolicyFile::default();
    match policy.path(graph).is_file() {
        true => policy::load(&policy, graph).map(Some),
        false => Ok(None),
    }
}
