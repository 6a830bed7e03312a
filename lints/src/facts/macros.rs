//! Uses of macros, and what of them stays unknown.

use super::{CallFact, Scope, SmolStr, Span};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A use of a macro.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MacroFact {
    /// Its path, as written.
    pub path: SmolStr,
    /// How it is used.
    pub kind: MacroKind,
    /// The path's place.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
    /// Names among its arguments that the definition may make a call of, but for those in a call's own arguments: of
    /// `call!(crc32(seed))` only `crc32`.
    pub arguments: Vec<CallFact>,
    /// There are more such names than are kept.
    pub more: bool,
    /// It stands in a definition and is passed what that one was.
    pub forwards: bool,
}

/// A path in a macro definition with a macro variable in it: `libz_sys::$f`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// As written, with `$` for each variable: `libz_sys::$`, `$crate::ffi::$`. Empty for a name that another macro makes of
    /// parts (`[<z_ $f>]`).
    pub path: String,
    /// It is called.
    pub called: bool,
    /// The definition: `in_macro` is its name.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
}

/// Ways to use a macro.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MacroKind {
    /// `name!(…)`.
    Call,
    /// `#[name]`.
    Attribute,
    /// `#[derive(Name)]`.
    Derive,
}

/// A macro call that may expand to anything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unexpanded {
    /// The macro's path.
    pub name: SmolStr,
    /// Its argument text, at most 200 characters.
    pub argument: String,
    /// It stands where items do, so what it expands to may declare anything in the module.
    #[serde(default)]
    pub item: bool,
    /// The place.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
}
