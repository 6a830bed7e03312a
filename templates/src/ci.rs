//! What `cargo isolate init --ci` writes: examples for continuous integration, to change at will.

/// Path from the root of the repository, and text.
pub const FILES: &[(&str, &str)] = &[
    (".github/workflows/isolate.yml", include_str!("../ci/github.yml")),
    (".pre-commit-config.yaml", include_str!("../ci/pre-commit.yaml")),
];
