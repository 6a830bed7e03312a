//! What commands print. `audit` and `check` give one [`Report`]; every format prints it, and nothing else.

mod collect;
pub(crate) mod diagnostic;
pub(crate) mod draw;
pub(crate) mod fingerprint;
mod judged;
pub(crate) mod model;
mod summary;
mod symbols;
mod text;
mod words;

pub(crate) use collect::audit;
pub(crate) use judged::check;
pub(crate) use text::{Shown, print_problems};

use crate::graph::Graph;
use model::Report;
use std::io::{self, Write};

/// How a command prints its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: see docs/json.md
    Json,
}

/// Prints a report in one format. What is shown of it matters to the format for people only.
pub(crate) fn print(
    out: &mut dyn Write,
    graph: &Graph,
    report: &Report,
    format: Format,
    shown: Shown,
) -> io::Result<()> {
    match format {
        Format::Text => text::print(out, graph, report, shown),
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(report)?),
    }
}
