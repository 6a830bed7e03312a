//! What a person sees: standard output and error, colours, diagnostics drawn over source text, a line of progress, and the
//! forms of English that reports share. Nothing here knows a finding or a policy.

pub(crate) mod color;
pub(crate) mod draw;
pub(crate) mod progress;
pub(crate) mod streams;
pub(crate) mod visible;
pub(crate) mod words;
