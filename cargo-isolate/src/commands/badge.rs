//! `cargo isolate badge`: a summary of the workspace as a badge or a single line.

use super::{diff::snapshot, failure::Failure};
use crate::{
    exit::Exit,
    sources::{self, Request},
    terminal::streams,
    trend::{BadgeFormat, badge},
};
use std::io::Write;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    /// What to print
    #[arg(long, value_enum, default_value_t)]
    format: BadgeFormat,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let snapshot = snapshot(sources::load(&args.request)?)?;
    writeln!(streams::stdout(), "{}", badge(&snapshot, args.format))?;
    Ok(Exit::Clean.with_scan(snapshot.is_complete()))
}
