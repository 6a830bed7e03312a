//! `cargo isolate doctor`: what isolation needs from this machine, and what is missing.

mod kernel;
mod linker;

use super::failure::Failure;
use crate::{exit::Exit, terminal::streams};
use std::io::{self, Write};

#[derive(clap::Args)]
pub(crate) struct Args {}

/// A requirement of isolation.
struct Need {
    name: &'static str,
    met: bool,
    /// What was found.
    found: String,
    /// What to do if it is not met.
    remedy: String,
}

pub(crate) fn run(_args: &Args) -> Result<Exit, Failure> {
    let machine = isolate_rt::probe();
    let of_machine = machine.requirements.iter().map(|requirement| Need {
        name: requirement.name,
        met: requirement.met,
        found: requirement.found.clone(),
        remedy: requirement.remedy.to_owned(),
    });
    let mut needs: Vec<_> = of_machine.collect();
    needs.extend(kernel::version(machine.supported()));
    needs.push(linker::linker());
    let mut out = streams::stdout();
    print(&mut out, &needs)?;
    if !machine.supported() {
        writeln!(out, "\n{ELSEWHERE}")?;
    }
    Ok(if needs.iter().all(|need| need.met) { Exit::Clean } else { Exit::Environment })
}

fn print(out: &mut dyn Write, needs: &[Need]) -> io::Result<()> {
    let width = needs.iter().map(|need| need.name.len()).max().unwrap_or(0);
    for Need { name, met, found, remedy } in needs {
        let mark = if *met { "ok     " } else { "missing" };
        writeln!(out, "{mark}  {name:width$}  {found}")?;
        if !met {
            writeln!(out, "         {:width$}  {remedy}", "")?;
        }
    }
    Ok(())
}

/// What still works on a machine without isolation.
const ELSEWHERE: &str = "\
isolated calls return an error on this machine; audit, plan, wrap and check work
help: run programs elsewhere with `cargo isolate verify --runner COMMAND` (for tests: cargo's
      `target.<triple>.runner`); `.ci/pku-vm` in cargo-isolate's repository emulates a suitable machine";
