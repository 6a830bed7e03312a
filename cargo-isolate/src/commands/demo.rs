//! `cargo isolate demo`.

use crate::exit::Exit;

#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> anyhow::Result<Exit> {
    Ok(Exit::Environment)
}
