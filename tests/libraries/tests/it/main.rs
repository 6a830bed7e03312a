//! zlib, lz4, bzip2 and the demo project's parser, isolated.

mod equal;
mod hostile;
#[path = "../../../../isolate-rt/tests/support/mod.rs"]
mod isolation;
mod streams;
mod support;
