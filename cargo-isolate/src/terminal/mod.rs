//! Everything about the terminal: standard output and error, colours, diagnostics drawn over source text, a progress
//! line, and the English word forms that reports share. Nothing here depends on findings or policies.

pub(crate) mod color;
pub(crate) mod draw;
pub(crate) mod progress;
pub(crate) mod streams;
pub(crate) mod visible;
pub(crate) mod words;
