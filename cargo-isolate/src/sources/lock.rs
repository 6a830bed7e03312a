//! What `Cargo.lock` says of packages, of all platforms: cargo's own answers leave out what this one does not need.

use camino::Utf8Path;
use std::fs;

#[derive(serde::Deserialize)]
pub(crate) struct Locked {
    pub(crate) name: String,
    pub(super) version: String,
    pub(super) source: Option<String>,
    pub(super) checksum: Option<String>,
}

/// None where it cannot be read: cargo has said so where that matters.
pub(crate) fn locked(root: &Utf8Path) -> Vec<Locked> {
    #[derive(serde::Deserialize)]
    struct Lock {
        #[serde(default)]
        package: Vec<Locked>,
    }
    let text = fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
    toml::from_str(&text).map(|lock: Lock| lock.package).unwrap_or_default()
}
