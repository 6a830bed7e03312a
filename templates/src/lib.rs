//! The templates of cargo-isolate.

pub mod demo;
pub mod verify;
pub mod wrapper;
