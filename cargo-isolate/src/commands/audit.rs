//! `cargo isolate audit`, and `cargo isolate` without a command.

use crate::{
    exit::Exit,
    report::{self, Format},
    sources::{self, Request},
};
use std::io::Write;

/// What `audit` takes.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    /// Draw the findings of dependencies too, not only sum them up
    #[arg(long)]
    deps: bool,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let graph = sources::load(&args.request)?;
    let audit = report::audit(&graph);
    let mut out = anstream::stdout().lock();
    match args.format {
        Format::Text => report::print_audit(&mut out, &graph, &audit, args.deps)?,
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&audit)?)?,
    }
    Ok(match audit.complete {
        true => Exit::Clean,
        false => Exit::Incomplete,
    })
}
