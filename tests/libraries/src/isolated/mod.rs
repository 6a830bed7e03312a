//! Foreign calls that run isolated, one module per domain.
//!
//! Written by `cargo isolate wrap` from `tests/libraries/isolation.toml`: change the policy and run it again instead of editing here.

// There is a wrapper for every isolated function, called or not.
#![allow(dead_code, unreachable_pub, unsafe_code)]

#[rustfmt::skip]
pub mod brotli;
#[rustfmt::skip]
pub mod bzip2;
#[rustfmt::skip]
pub mod libdeflate;
#[rustfmt::skip]
pub mod lz4;
#[rustfmt::skip]
pub mod png;
#[rustfmt::skip]
pub mod snappy;
#[rustfmt::skip]
pub mod sqlite;
#[rustfmt::skip]
pub mod tlv;
#[rustfmt::skip]
pub mod webp;
#[rustfmt::skip]
pub mod zlib;
#[rustfmt::skip]
pub mod zstd;
