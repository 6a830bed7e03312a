//! `[domain.NAME]`.

use crate::policy::{duration::Period, size::Size, spanned::Spanned, versions::Versions};
use serde::Deserialize;

/// A compartment for the functions of one native library.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Domain {
    /// Package whose archive or shared object serves the symbols.
    pub(crate) library: Spanned<String>,
    /// Versions of `library` that the contracts here were written for: `">=1.1, <2"`.
    pub(crate) version: Option<Spanned<Versions>>,
    /// File names of static archives that hold the code, where it is not in the rlib of `library` (`libtlv.a`).
    #[serde(default)]
    pub(crate) archives: Vec<Spanned<String>>,
    pub(crate) backend: Option<Spanned<Backend>>,
    pub(crate) level: Option<Spanned<Level>>,
    pub(crate) heap: Option<Heap>,
    /// `"1MiB"`.
    pub(crate) stack: Option<Spanned<Size>>,
    /// `"200ms"`.
    pub(crate) deadline: Option<Spanned<Period>>,
    pub(crate) timer: Option<Spanned<Timer>>,
    pub(crate) threads: Option<Spanned<Threads>>,
    pub(crate) instances: Option<Spanned<Instances>>,
    /// Threads that the library may have started and not ended, in an instance.
    #[serde(rename = "own-threads")]
    pub(crate) own_threads: Option<Spanned<u32>>,
}

/// Who looks after a deadline.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum Timer {
    Own,
    Shared,
}

/// How many threads may be inside a domain at once.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum Threads {
    Many,
    One,
}

/// Who shares a heap, and what a fault takes.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum Instances {
    One,
    Thread,
}

/// Memory that the library allocates.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Heap {
    /// `"64MiB"`.
    pub(crate) limit: Option<Spanned<Size>>,
    pub(crate) kind: Option<Spanned<HeapKind>>,
}

/// How much a heap looks after those who use it.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum HeapKind {
    Fast,
    Hardened,
}

/// What runs a domain's calls.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum Backend {
    Auto,
    Mpk,
    None,
}

/// What a domain may read of root.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) enum Level {
    Integrity,
}
