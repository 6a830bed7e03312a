//! The parts of the package of `cargo isolate verify` that are the same for every workspace.

/// Its modules that are always the same, by the names of their files in `src`.
pub const HARNESS: [(&str, &str); 4] = [
    ("acts.rs", include_str!("../verify/acts.rs")),
    ("calls.rs", include_str!("../verify/calls.rs")),
    ("inside.rs", include_str!("../verify/inside.rs")),
    ("play.rs", include_str!("../verify/play.rs")),
];

/// Its `build.rs`.
pub const BUILD_SCRIPT: &str = include_str!("../verify/build.rs");
