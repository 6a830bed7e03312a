//! What is called and named, and what names stand for.

use super::{Conditional, Scope, SmolStr, Span};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A call or mention of a path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallFact {
    /// The path as written, without generic arguments and whitespace: `libz_sys::crc32`.
    pub path: SmolStr,
    /// The path's place.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
}

/// One name brought into a module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Import {
    /// Full path as written: `libz_sys::crc32`, without a trailing `::*`. `extern crate x` gives `::x`, and
    /// `extern crate self` gives `crate`.
    pub path: SmolStr,
    /// The name it gets here; `None` for a glob.
    pub name: Option<SmolStr>,
    /// Visible outside the module (`pub use`, `pub(crate) use`).
    pub public: bool,
    /// Visible wherever the module is (`pub use`).
    pub exported: bool,
    /// Where it stands.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
    /// Its first byte: in a block, the name is known only there.
    pub at: u32,
}

/// A block of code that holds items of its own: they are known only there, and hide what goes by their names outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Block {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// The innermost such block around it, as an index in [`FileFacts::blocks`](super::FileFacts::blocks).
    pub around: Option<u32>,
}

/// A `mod` item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModuleDecl {
    /// Its name.
    pub name: String,
    /// Every `#[path = "…"]` on it, plain or in `cfg_attr`.
    pub paths: Vec<Conditional>,
    /// Inline modules around it within this file, outermost first.
    pub parents: Vec<String>,
    /// The directory that each of `parents` stands for: its name, or its own `#[path]`.
    pub directories: Vec<String>,
    /// The macro in whose tokens it stands. In a definition, where the module lies depends on the call.
    pub in_macro: Option<SmolStr>,
    /// Has a body in this file.
    pub inline: bool,
    /// Declared with `pub`, and not `pub(…)`.
    pub public: bool,
    /// `#[cfg(…)]` predicates on it and around it.
    pub cfgs: Vec<String>,
    /// Its place.
    pub span: Span,
}

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FunctionItem {
    /// Its name.
    pub name: SmolStr,
    /// Where it stands; `function` is the one around it, for a function declared in a body.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
    /// The type of the `impl` or the trait that it belongs to, without generic arguments; `None` for a free one.
    pub owner: Option<SmolStr>,
    /// It is one of a trait's, so whoever has the trait can call it.
    pub of_trait: bool,
    /// `unsafe fn`.
    pub is_unsafe: bool,
    /// Visibility as written.
    pub visibility: SmolStr,
    /// Its name in the header.
    pub span: Span,
}
