//! `policy.toml`: a team's decisions about its unsafe code, with the position of every value.

pub(crate) mod day;
mod duration;
mod error;
mod expected;
mod glob;
mod load;
mod member;
pub(crate) mod merge;
pub(crate) mod model;
mod read;
mod rule_name;
mod shipped;
mod size;
mod spanned;
mod stated;
mod text;
mod validate;
mod versions;
mod worded;

pub(crate) use error::PolicyError;
pub(crate) use load::{Loaded, Mistakes, PolicyFile, Unreadable, Unusable, crate_of, load};
pub(crate) use shipped::{Entry, Shipped};
pub(crate) use spanned::Spanned;
pub(crate) use text::{Text, Texts};

#[cfg(test)]
mod documented;
#[cfg(test)]
mod schema;
