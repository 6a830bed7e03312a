//! One file per subcommand: its arguments, and a `run` function that calls the stages and prints.

pub(crate) mod audit;
pub(crate) mod badge;
pub(crate) mod baseline;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod failure;
pub(crate) mod init;
pub(crate) mod plan;
mod stage;
pub(crate) mod verify;
pub(crate) mod vet;
pub(crate) mod wrap;

use crate::{exit::Exit, graph::Graph, terminal::streams};

/// The exit status of a command whose output does not mention files that could not be read or parsed; names the
/// packages with such files on stderr. Missing wrappers do not count, since these commands come before writing them.
fn with_scan(graph: &Graph, exit: Exit) -> Exit {
    let concerned = graph.packages.iter().zip(graph.concerned()).filter(|(_, concerned)| *concerned);
    let incomplete: Vec<_> = concerned
        .filter(|(package, _)| !package.is_written_completely())
        .map(|(package, _)| format!("`{}`", package.id()))
        .collect();
    if !incomplete.is_empty() {
        let of = incomplete.join(", ");
        streams::error!(
            "some files of {of} could not be read or parsed, so the result may be incomplete: `cargo isolate` lists them"
        );
    }
    exit.with_scan(incomplete.is_empty())
}
