//! The analysis half of cargo-isolate: source text → facts → findings.
//!
//! This crate reads no file, knows neither cargo nor the policy, and never fails: text that does not parse gives the facts
//! of its recovered tree together with the places of the errors.
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

/// Names this build of the scanner: another source, another name. What was kept of another's facts is void.
pub const FINGERPRINT: &str = env!("ISOLATE_LINTS_FINGERPRINT");

pub use scan::{count, nesting, scan, scan_expression};
pub use syntax::{Edition, UnknownEdition};
