//! Data flow within a function: arguments, transmutes, and values passed on trust.

use super::{Scope, Span};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A path to a function, passed as an argument of a call: bare, cast, or wrapped in `Some`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Argument {
    /// First byte of the callee's path: the `span.start` of its [`super::CallFact`].
    pub call: u32,
    /// The argument's path, with `Self::` replaced by the type.
    pub path: String,
    /// Its place.
    pub span: Span,
    /// Its lexical context.
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
    /// The path of the called function.
    pub span: Span,
    /// Its lexical context.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
}

/// An argument whose validity the callee cannot check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trust {
    /// What the callee assumes the argument to be.
    pub kind: TrustKind,
    /// The argument as written, at most 80 characters.
    pub what: String,
    /// Where the value comes from, as far as assignments within the function show.
    pub origins: Vec<Origin>,
    /// Whether the function compares the value with something beforehand (a pointer: with null).
    pub checked: bool,
    /// The path of the function that is called with the argument.
    pub span: Span,
    /// Its lexical context.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
}

/// What a callee assumes an argument to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustKind {
    /// The length passed to `from_raw_parts` and its relatives.
    Length,
    /// The pointer passed to `CStr::from_ptr`.
    String,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The result of a call, named by the `span.start` of its [`super::CallFact`].
    Returned(u32),
    /// Written by a call that was passed its address.
    Written(u32),
    /// A parameter of the enclosing function, which is safe to call.
    Parameter,
}
