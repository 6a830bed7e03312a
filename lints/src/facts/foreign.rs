//! Foreign declarations, functions exported to other languages, and the types and constants that such signatures name.

use super::{Conditional, Scope, Span};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A function or static declared in an extern block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForeignItem {
    /// Name in Rust.
    pub name: String,
    /// The symbol, if a plain-string `#[link_name]` gives it a name of its own. This is the unconditional attribute's
    /// until [`super::FileFacts::settle`] chooses among the conditional ones.
    pub link_name: Option<String>,
    /// Every `#[link_name]` inside a `cfg_attr`: bindings of system libraries choose symbols by platform.
    pub link_names: Vec<Conditional>,
    /// ABI string; `C` where none is written.
    pub abi: String,
    /// Library of the block's `#[link(name = …)]`.
    pub library: Option<String>,
    /// Function with its signature, or static.
    pub item: ForeignKind,
    /// The declaration.
    pub span: Span,
    /// Its lexical context.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
    /// Visibility as written: `pub`, `pub(crate)`, or empty.
    pub visibility: String,
    /// Declared `safe fn` in an `unsafe extern` block.
    pub safe: bool,
    /// Whether an attribute macro (`#[wasm_bindgen]`) is applied to the extern block. It may replace the block with
    /// something that declares no foreign item.
    pub rewritten: bool,
}

/// What a foreign item is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForeignKind {
    /// A function.
    Function {
        /// Parameters in order.
        params: Vec<Param>,
        /// Return type as source text; `None` for unit.
        ret: Option<String>,
        /// Ends with `...`.
        variadic: bool,
    },
    /// A static.
    Static {
        /// Its type as source text.
        ty: String,
        /// `static mut`.
        mutable: bool,
    },
}

/// A parameter of a foreign function.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    /// Name; `None` for `_` and unnamed ones.
    pub name: Option<String>,
    /// Type as source text, whitespace normalised to single spaces.
    pub ty: String,
}

/// A field of a struct or union.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Name; `0`, `1`, … for tuple fields; `None` if the name comes from a macro.
    pub name: Option<String>,
    /// Type as source text, whitespace normalised to single spaces.
    pub ty: String,
    /// Visibility as written.
    pub visibility: String,
    /// `#[cfg(…)]` predicates on it.
    pub cfgs: Vec<String>,
}

/// A function or static that code in other languages can reach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// The self type of the enclosing `impl`.
    pub owner: Option<String>,
    /// The symbol given by `#[no_mangle]` or `#[export_name]`.
    pub symbol: Option<String>,
    /// ABI string as written, `C` for a bare `extern`; `None` for the Rust ABI.
    pub abi: Option<String>,
    /// Signature, or type of the static.
    pub item: ForeignKind,
    /// The name in the item's header.
    pub span: Span,
    /// Its lexical context.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
    /// Whether the body contains something that stops a panic: `catch_unwind`, or a function whose name mentions panics
    /// or unwinding.
    pub guarded: bool,
    /// The first few places where the body may panic; empty if none is visible.
    pub panics: Vec<Panic>,
}

/// A place that may panic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Panic {
    /// What may panic.
    pub kind: PanicKind,
    /// The expression as written: `panic!`, `unwrap`, `handler`.
    pub what: String,
    /// Where it is.
    pub span: Span,
}

/// Kinds of panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PanicKind {
    /// `panic!`, `assert!` and their relatives.
    Macro,
    /// `unwrap` or `expect`.
    Unwrap,
    /// `a[i]`.
    Index,
    /// A call of a closure or function that is held in a variable, or of a type parameter's function: code supplied by
    /// others.
    Value,
}

/// A type that a foreign signature may name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TypeItem {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: TypeKind,
    /// Inline modules around it within this file.
    pub modules: Vec<String>,
    /// `#[cfg(…)]` predicates on it and around it.
    pub cfgs: Vec<String>,
    /// `#[repr(…)]` arguments, as source text.
    pub repr: Vec<String>,
    /// Visibility as written.
    pub visibility: String,
    /// Whether it has type or const parameters.
    pub generic: bool,
    /// `#[non_exhaustive]`: other crates cannot name all of its fields.
    pub non_exhaustive: bool,
    /// Derives `Copy`, or has an `impl Copy` in the same file.
    pub copy: bool,
    /// Whether it is an argument of a macro call that was not expanded, which may add attributes.
    pub in_macro: bool,
}

/// Kinds of types.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TypeKind {
    /// `type A = …;`, with the right side as source text.
    Alias(String),
    /// A struct with its fields; tuple fields are named `0`, `1`, ….
    Struct(Vec<Field>),
    /// A union with its fields.
    Union(Vec<Field>),
    /// An enum with its variants' names, `Text(..)` for a variant with fields, `Text(cfg)` for one that may not be there; empty for an
    /// opaque `enum X {}`.
    Enum(Vec<String>),
    /// `extern { type X; }`.
    Foreign,
}

/// A constant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Constant {
    /// Its name.
    pub name: String,
    /// Its type as source text.
    pub ty: String,
    /// Its value as source text.
    pub value: String,
    /// Inline modules around it within this file.
    pub modules: Vec<String>,
}
