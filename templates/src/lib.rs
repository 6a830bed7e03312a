//! The templates of cargo-isolate.

pub mod ci;
pub mod demo;
pub mod verify;
pub mod wrapper;
