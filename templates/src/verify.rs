//! The fixed parts of the package that `cargo isolate verify` generates.

/// The fixed modules, by their file names in `src`.
pub const HARNESS: [(&str, &str); 4] = [
    ("acts.rs", include_str!("../verify/acts.rs")),
    ("calls.rs", include_str!("../verify/calls.rs")),
    ("inside.rs", include_str!("../verify/inside.rs")),
    ("play.rs", include_str!("../verify/play.rs")),
];

/// The package's `build.rs`.
pub const BUILD_SCRIPT: &str = include_str!("../verify/build.rs");
