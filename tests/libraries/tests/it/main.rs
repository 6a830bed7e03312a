//! zlib, lz4, bzip2, zstd, libdeflate, SQLite and the demo project's parser, isolated.

mod callbacks;
mod contexts;
mod equal;
mod hostile;
#[path = "../../../../isolate-rt/tests/support/mod.rs"]
mod isolation;
mod sqlite;
mod streams;
mod support;
