//! What becomes of values within a function.

use super::{Scope, Span};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A path to a function as an argument of a call: bare, cast, or in `Some`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Argument {
    /// First byte of the callee's path: the `span.start` of its [`super::CallFact`].
    pub call: u32,
    /// The argument, `Self::` replaced by the type.
    pub path: String,
    /// Its place.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
}

/// A `transmute` or `transmute_copy`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transmute {
    /// The source type, if a turbofish, a cast or the declaration of a parameter says it.
    pub from: Option<String>,
    /// The target type, if a turbofish, a `let`, a constant or the function's return type says it.
    pub to: Option<String>,
    /// The path.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
}

/// An argument that its callee takes on trust.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trust {
    /// What it is trusted to be.
    pub kind: TrustKind,
    /// The argument as written, at most 80 characters.
    pub what: String,
    /// Where its value comes from, as far as assignments within the function show.
    pub origins: Vec<Origin>,
    /// The function compares it with something before (for a pointer: with null).
    pub checked: bool,
    /// The path of the call that it is an argument of.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
}

/// What an argument is trusted to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustKind {
    /// The length of `from_raw_parts` and its kin.
    Length,
    /// The pointer of `CStr::from_ptr`.
    String,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// A call returned it: the `span.start` of its [`super::CallFact`].
    Returned(u32),
    /// A call was given its address to write to.
    Written(u32),
    /// It is a parameter of the function, which is safe to call.
    Parameter,
}
