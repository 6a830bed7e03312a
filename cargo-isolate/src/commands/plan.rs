//! `cargo isolate plan`.

use crate::{
    exit::Exit,
    plan,
    policy::{self, PolicyFile},
    report::Format,
    sources::{self, Request},
};
use std::io::Write;

/// What `plan` takes.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    policy: PolicyFile,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let graph = sources::load(&args.request)?;
    let policy = policy::load(&args.policy, &graph)?;
    let plan = plan::plan(&graph, &policy.policy).map_err(|errors| policy.mistakes(errors))?;
    let mut out = anstream::stdout().lock();
    match args.format {
        Format::Text => plan::print(&mut out, &plan)?,
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&plan)?)?,
    }
    Ok(match plan.refused().next() {
        None => Exit::Clean,
        Some(_) => Exit::Violation,
    })
}
