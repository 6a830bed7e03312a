//! What is declared of other languages and for them, and the types and constants that such declarations name.

use super::{Conditional, Scope, Span};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A function or static declared in an extern block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForeignItem {
    /// Name in Rust.
    pub name: String,
    /// Symbol, where `#[link_name]` says another one and it is a plain string: the one without conditions, until
    /// [`super::FileFacts::settle`] chooses.
    pub link_name: Option<String>,
    /// Every `#[link_name]` in a `cfg_attr`: bindings of the system's library name symbols by platform.
    pub link_names: Vec<Conditional>,
    /// ABI string, `C` where none is written.
    pub abi: String,
    /// Library of the block's `#[link(name = …)]`.
    pub library: Option<String>,
    /// Function with its signature, or static.
    pub item: ForeignKind,
    /// The declaration.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
    /// Visibility as written: `pub`, `pub(crate)`, or empty.
    pub visibility: String,
    /// Declared `safe fn` in an `unsafe extern` block.
    pub safe: bool,
    /// An attribute macro stands on the block (`#[wasm_bindgen]`): what it makes of it may be no foreign item at all.
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
    /// Name, `0`, `1`, … for tuple fields; `None` where a macro has it.
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
    /// The type of the `impl` around it.
    pub owner: Option<String>,
    /// The symbol that `#[no_mangle]` or `#[export_name]` gives it.
    pub symbol: Option<String>,
    /// ABI string as written, `C` for a bare `extern`; `None` for Rust's.
    pub abi: Option<String>,
    /// Signature, or type of the static.
    pub item: ForeignKind,
    /// Its name in the header.
    pub span: Span,
    /// Where it stands.
    #[serde(with = "super::stored")]
    pub scope: Arc<Scope>,
    /// Something in its body stops a panic: `catch_unwind`, or a function named after that.
    pub guarded: bool,
    /// Where its body may panic, the first few places; none if it cannot be seen to.
    pub panics: Vec<Panic>,
}

/// A place that may panic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Panic {
    /// What does it.
    pub kind: PanicKind,
    /// As written: `panic!`, `unwrap`, `handler`.
    pub what: String,
    /// Where.
    pub span: Span,
}

/// Ways to panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PanicKind {
    /// `panic!`, `assert!` and their like.
    Macro,
    /// `unwrap` or `expect`.
    Unwrap,
    /// `a[i]`.
    Index,
    /// A call of a closure, or of a function of a generic parameter: code that somebody else wrote.
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
    /// It has parameters that are types or constants.
    pub generic: bool,
    /// `#[non_exhaustive]`: other crates cannot name all of its fields.
    pub non_exhaustive: bool,
    /// Derives `Copy`, or has an `impl Copy` in the same file.
    pub copy: bool,
    /// It is an argument of a macro that was not expanded, which may add attributes.
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
    /// An enum with its variants' names, `Text(..)` for one with fields; none for an opaque `enum X {}`.
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
