//! One file per subcommand: arguments, and a `run` that calls the stages and prints.

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

/// The status of a command that prints nothing of files that were not read, or not understood: says which packages have some.
/// Wrappers that are not there yet are what such commands come before.
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
