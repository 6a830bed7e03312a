//! Uses of macros, and what remains unknown about their expansions.

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
    /// Span of the path.
    pub span: Span,
    /// Its lexical context.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
    /// Names among the arguments that the macro definition may turn into a call. Names inside the argument list of such
    /// a name are left out: of `call!(crc32(seed))` only `crc32` is kept.
    pub arguments: Vec<CallFact>,
    /// Whether there are more such names than are kept.
    pub more: bool,
    /// Whether this use is inside a macro definition and passes that definition's own arguments on.
    pub forwards: bool,
}

/// A path in a macro definition that contains a macro variable: `libz_sys::$f`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// The path as written, with `$` for each variable: `libz_sys::$`, `$crate::ffi::$`. Empty for a name that another
    /// macro concatenates (`[<z_ $f>]`).
    pub path: String,
    /// Whether the path is called.
    pub called: bool,
    /// The lexical context; its `in_macro` names the macro definition.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
}

/// Kinds of macro uses.
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
    /// The text of its arguments, at most 200 characters.
    pub argument: String,
    /// Whether it is in item position, so that its expansion may declare anything in the module.
    #[serde(default)]
    pub item: bool,
    /// Where it is.
    pub span: Span,
    /// Its lexical context.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
}
