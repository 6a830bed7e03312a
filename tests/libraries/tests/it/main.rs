//! zlib, lz4, bzip2, snappy, zstd, libdeflate, libwebp, libpng, SQLite and the demo project's parser, isolated.

mod arrays;
mod callbacks;
mod connections;
mod contexts;
mod equal;
mod forms;
mod frames;
mod held;
mod hostile;
mod inner;
#[path = "../../../../isolate-rt/tests/support/mod.rs"]
mod isolation;
mod owned;
mod pictures;
mod png;
mod retained;
mod sqlite;
mod streams;
mod structs;
mod support;
mod values;
mod webp;
