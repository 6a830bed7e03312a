//! Foreign calls that run isolated, one module per domain.
//!
//! Written by `cargo isolate wrap` from `policy.toml`: change the policy and run it again instead of editing here.

// There is a wrapper for every isolated function, called or not.
#![allow(dead_code, unreachable_pub, unsafe_code)]

#[rustfmt::skip]
pub mod webp;
