//! `cargo isolate audit`, and `cargo isolate` without a command.

use crate::{
    exit::Exit,
    graph::Graph,
    policy::{self, PolicyFile, model::Dependencies},
    report::{self, Format},
    sources::{self, Request},
};
use std::io::Write;

/// What `audit` takes.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    /// Draw the findings of dependencies too, not only sum them up; `[audit]` of the policy sets it for good
    #[arg(long)]
    deps: bool,
    /// Print the table and what makes the audit incomplete, not each finding
    #[arg(long, short)]
    quiet: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let graph = sources::load(&args.request)?;
    let shown = dependencies(args, &graph)?;
    let mut audit = report::audit(&graph);
    if shown == Dependencies::None {
        audit.leave_out_dependencies();
    }
    if args.quiet && args.format == Format::Text {
        audit.findings.clear();
        audit.problems.retain(|problem| problem.kind.is_incomplete());
    }
    let mut out = anstream::stdout().lock();
    match args.format {
        Format::Text => report::print_audit(&mut out, &graph, &audit, shown == Dependencies::Full)?,
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&audit)?)?,
    }
    Ok(match audit.complete {
        true => Exit::Clean,
        false => Exit::Incomplete,
    })
}

/// How much of the dependencies to show: `--deps`, else what the workspace's policy says, where there is one.
fn dependencies(args: &Args, graph: &Graph) -> anyhow::Result<Dependencies> {
    let policy = PolicyFile::default();
    if args.deps {
        return Ok(Dependencies::Full);
    }
    if !policy.path(graph).is_file() {
        return Ok(Dependencies::Summary);
    }
    let policy = policy::load(&policy, graph)?.policy;
    Ok(policy.audit.dependencies.unwrap_or(Dependencies::Summary))
}
