//! Globs in the policy: `"inflate*"`, `"mycrate::legacy::*"`.

use super::worded::worded;
use crate::glob::Glob;
use serde::{Deserialize, Deserializer};

impl<'de> Deserialize<'de> for Glob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Glob, D::Error> {
        worded(deserializer, |text| Glob::new(text).map_err(|why| format!("not a glob: {why}")))
    }
}
