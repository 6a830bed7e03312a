//! The output of commands. `audit` and `check` produce one [`Report`], which every format prints.

pub(crate) mod codes;
mod collect;
pub(crate) mod diagnostic;
pub(crate) mod fingerprint;
mod fit;
mod github;
mod html;
mod judged;
mod macros;
mod markdown;
pub(crate) mod model;
mod output;
mod sarif;
mod summary;
mod symbols;
mod text;
mod unseen;
mod words;

pub(crate) use collect::{audit, audit_with, counts, dormant};
pub(crate) use judged::{UNSAFE_LIMIT, check, remark};
pub(crate) use model::{Dependencies, Report};
pub(crate) use output::{Output, OutputError, formats};
pub(crate) use summary::legend;
pub(crate) use text::print_problems;

/// The output format of a command without a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: see docs/json.md
    Json,
}
