//! The analysis half of cargo-isolate: source text → facts → findings.
//!
//! This crate reads no files, knows neither cargo nor the policy, and never fails: source text that does not parse
//! yields the facts of its recovered syntax tree, together with the positions of the errors.
//!
//! ```text
//! scan(text, edition) ─► FileFacts ─► resolve(graph) ─► ForeignCall ─► rules ─► Finding
//! ```

pub mod cfg;
pub mod facts;
pub mod highlight;
pub mod lines;
pub mod project;
pub mod resolve;
pub mod rules;
mod scan;
mod shape;
mod syntax;

/// Identifies this build of the scanner: it changes whenever the crate's source does, which invalidates facts cached by
/// another build.
pub const FINGERPRINT: &str = env!("ISOLATE_LINTS_FINGERPRINT");

pub use scan::{count, nesting, scan, scan_expression};
pub use syntax::{Edition, UnknownEdition};
