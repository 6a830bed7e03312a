//! The templates of cargo-isolate.
