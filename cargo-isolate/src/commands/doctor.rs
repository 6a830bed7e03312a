//! `cargo isolate doctor`: what this machine can do, and why not.

use super::failure::Failure;
use crate::{exit::Exit, streams};
use std::io::Write;

#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_args: &Args) -> Result<Exit, Failure> {
    let machine = isolate_rt::probe();
    let mut out = streams::stdout();
    write!(out, "{machine}")?;
    if machine.supported() {
        return Ok(Exit::Clean);
    }
    writeln!(out, "\n{ELSEWHERE}")?;
    Ok(Exit::Environment)
}

/// What still can be done on such a machine.
const ELSEWHERE: &str = "\
calls that are isolated return an error here; audit, plan, wrap and check work
help: run programs on a machine that has it all: `cargo isolate verify --runner COMMAND`, and for tests
      `target.<triple>.runner` of cargo; `.ci/pku-vm` of cargo-isolate's repository is an emulated one";
