//! `policy.toml`: what a team decided about its unsafe surface, with the place of every value.

mod error;
pub(crate) mod model;

pub(crate) use error::PolicyError;
