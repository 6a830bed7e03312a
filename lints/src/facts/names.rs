//! Calls and mentions of names, and the items that names can refer to.

use super::{Conditional, Scope, SmolStr, Span};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A path that is called, or mentioned as a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallFact {
    /// The path as written, without generic arguments and whitespace: `libz_sys::crc32`.
    pub path: SmolStr,
    /// Span of the path.
    pub span: Span,
    /// Its lexical context.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
}

/// One name brought into a module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Import {
    /// The full path as written, without a trailing `::*`: `libz_sys::crc32`. `extern crate x` gives `::x`, and
    /// `extern crate self` gives `crate`.
    pub path: SmolStr,
    /// The name it introduces; `None` for a glob import.
    pub name: Option<SmolStr>,
    /// Visibility as written.
    pub visibility: SmolStr,
    /// Its lexical context.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
    /// First byte of the import. An import inside a block is in scope only in that block.
    pub at: u32,
}

/// A block that contains items. They are in scope only there, and shadow items of the same names outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Block {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// The innermost enclosing block of this kind, as an index into [`FileFacts::blocks`](super::FileFacts::blocks).
    pub around: Option<u32>,
}

/// A `mod` item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModuleDecl {
    /// Its name.
    pub name: String,
    /// Every `#[path = "…"]` on it, plain or in a `cfg_attr`.
    pub paths: Vec<Conditional>,
    /// Inline modules around it within this file, outermost first.
    pub parents: Vec<String>,
    /// The directory that each of `parents` contributes: its name, or its own `#[path]`.
    pub directories: Vec<String>,
    /// The macro whose tokens contain it. In a macro definition, the module's location depends on the call.
    pub in_macro: Option<SmolStr>,
    /// Whether its body is in this file.
    pub inline: bool,
    /// Visibility as written; of what stands among the tokens of a macro, nothing.
    pub visibility: SmolStr,
    /// `#[cfg(…)]` predicates on it and around it.
    pub cfgs: Vec<String>,
    /// Where it is declared.
    pub span: Span,
}

/// A function with a body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FunctionItem {
    /// Its name.
    pub name: SmolStr,
    /// The lexical context. For a function declared inside a body, its `function` is the enclosing one.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
    /// The self type or trait of an associated function, without generic arguments; `None` for a free function.
    pub owner: Option<SmolStr>,
    /// Whether it is a trait's function, so that anyone with the trait in scope can call it.
    pub of_trait: bool,
    /// `unsafe fn`.
    pub is_unsafe: bool,
    /// Visibility as written.
    pub visibility: SmolStr,
    /// The name in the function's header.
    pub span: Span,
}
