//! The part of an audit's JSON that comparisons need.

use crate::{
    graph::Role,
    report::{Report, fingerprint::Fingerprint, model::SCHEMA},
};
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An audit, read back from its JSON.
#[derive(Debug, Deserialize)]
pub(crate) struct Snapshot {
    pub(super) complete: bool,
    pub(super) packages: Vec<Package>,
    #[serde(rename = "diagnostics")]
    pub(super) findings: Vec<Finding>,
    pub(super) symbols: Vec<Symbol>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) member: bool,
    /// By role, then by kind.
    pub(super) counts: BTreeMap<Role, BTreeMap<String, usize>>,
    pub(super) dormant: BTreeMap<Role, BTreeMap<String, usize>>,
    /// By kind, for generated wrappers.
    pub(super) generated: Option<BTreeMap<String, usize>>,
}

/// A finding of an audit.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Finding {
    pub(super) code: String,
    pub(super) message: String,
    /// For a foreign call, this names the callee.
    pub(super) label: Option<String>,
    pub(super) package: String,
    pub(super) member: bool,
    pub(super) path: Utf8PathBuf,
    pub(super) span: isolate_lints::facts::Span,
    pub(super) at: String,
    pub(super) role: Option<Role>,
    /// The predicate that excludes it from the build.
    pub(super) dormant: Option<String>,
    pub(super) fingerprint: Fingerprint,
    pub(super) content: Fingerprint,
}

#[derive(Debug, Deserialize)]
pub(super) struct Symbol {
    pub(super) name: String,
    pub(super) library: Option<String>,
    pub(super) callers: Vec<Caller>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Caller {
    /// `name@version`.
    pub(super) package: String,
    pub(super) calls: usize,
    pub(super) mentions: usize,
}

/// Why a file cannot be used as an audit.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SnapshotError {
    #[error("cannot read `{path}`: {why}")]
    Unreadable { path: Utf8PathBuf, why: String },
    #[error("`{path}` is no report: {why}; `cargo isolate audit --format json=FILE` writes one")]
    NoReport { path: Utf8PathBuf, why: String },
    #[error(
        "`{path}` has schema {found}, and this cargo-isolate compares schema {SCHEMA}; write it anew with `cargo isolate audit --format json={path}`"
    )]
    Schema { path: Utf8PathBuf, found: u64 },
    #[error("`{path}` is a report of `check`; `cargo isolate audit --format json=FILE` writes what is compared")]
    NoAudit { path: Utf8PathBuf },
}

impl Snapshot {
    /// Reads the output of `audit --format json`.
    pub(crate) fn read(path: &Utf8Path) -> Result<Snapshot, SnapshotError> {
        let owned = || path.to_owned();
        let text = crate::files::read_text(path)
            .map_err(|error| SnapshotError::Unreadable { path: owned(), why: crate::text::describe(&error) })?;
        let no_report = |error: serde_json::Error| SnapshotError::NoReport { path: owned(), why: error.to_string() };
        let value: serde_json::Value = serde_json::from_str(&text).map_err(no_report)?;
        match (value["schema"].as_u64(), value["command"].as_str()) {
            (Some(schema), _) if schema != u64::from(SCHEMA) => {
                return Err(SnapshotError::Schema { path: owned(), found: schema });
            }
            (Some(_), Some("check")) => return Err(SnapshotError::NoAudit { path: owned() }),
            _ => {}
        }
        serde_json::from_value(value).map_err(no_report)
    }

    /// Whether every file was read and parsed.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// The snapshot of an audit in this process.
    pub(crate) fn of(report: &Report) -> serde_json::Result<Snapshot> {
        serde_json::from_value(serde_json::to_value(report)?)
    }
}
