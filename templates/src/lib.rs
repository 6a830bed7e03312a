//! The templates of cargo-isolate.

pub mod ci;
pub mod contracts;
pub mod demo;
pub mod report;
pub mod verify;
pub mod wrapper;
