//! Globs in the policy: `"inflate*"`, `"mycrate::legacy::*"`.

use super::worded::worded;
use crate::glob::Glob;
use serde::{Deserialize, Deserializer};

impl Glob {
    /// Parses a glob of the policy.
    ///
    /// # Errors
    ///
    /// A message for the policy's author.
    pub(crate) fn of_policy(text: &str) -> Result<Glob, String> {
        Glob::new(text).map_err(|why| format!("not a glob: {why}"))
    }
}

impl<'de> Deserialize<'de> for Glob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Glob, D::Error> {
        worded(deserializer, Glob::of_policy)
    }
}
