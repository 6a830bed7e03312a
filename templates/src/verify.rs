//! The parts of the package of `cargo isolate verify` that are the same for every workspace.

/// Its `src/harness.rs`: the acts, and what the program must see of each.
pub const HARNESS: &str = include_str!("../verify/harness.rs");

/// Its `build.rs`.
pub const BUILD_SCRIPT: &str = include_str!("../verify/build.rs");
