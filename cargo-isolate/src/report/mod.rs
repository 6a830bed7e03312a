//! What commands print: one data type per command, several printers of it.

mod audit;
mod collect;
pub(crate) mod draw;
mod summary;
mod text;

pub(crate) use audit::{SCHEMA, Source};
pub(crate) use collect::audit;
pub(crate) use text::{Files, print as print_audit, print_problems, range};

/// How a command prints its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: see docs/json.md
    Json,
}
