//! Ranges of package versions in the policy: `">=1.1, <2"`.

use super::worded::worded;
use serde::{Deserialize, Deserializer};
use std::fmt;

/// A version requirement in Cargo's syntax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Versions(semver::VersionReq);

impl<'de> Deserialize<'de> for Versions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Versions, D::Error> {
        let parse =
            |text: &str| text.parse().map(Versions).map_err(|error| format!("not a range of versions: {error}"));
        worded(deserializer, parse)
    }
}

impl Versions {
    /// Whether it includes this version.
    pub(crate) fn hold(&self, version: &str) -> bool {
        version.parse().is_ok_and(|version| self.0.matches(&version))
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
