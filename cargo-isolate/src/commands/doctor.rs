//! `cargo isolate doctor`: what this machine can do, and why not.

use crate::{exit::Exit, streams};
use std::io::Write;

#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> anyhow::Result<Exit> {
    let machine = isolate_rt::probe();
    write!(streams::stdout(), "{machine}")?;
    Ok(match machine.supported() {
        true => Exit::Clean,
        false => Exit::Environment,
    })
}
