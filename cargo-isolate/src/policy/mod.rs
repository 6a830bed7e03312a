//! `policy.toml`: what a team decided about its unsafe surface, with the place of every value.

pub(crate) mod day;
pub(crate) mod duration;
mod error;
mod load;
pub(crate) mod model;
mod read;
pub(crate) mod size;
mod validate;

pub(crate) use error::PolicyError;
pub(crate) use load::{Loaded, Mistakes, PolicyFile, Unreadable, load};

#[cfg(test)]
mod documented;
