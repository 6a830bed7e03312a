//! `policy.toml`: what a team decided about its unsafe surface, with the place of every value.

pub(crate) mod model;
