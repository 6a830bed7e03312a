//! Enums and `bool`s that Rust receives from C.
//!
//! ## What it does
//!
//! Reports foreign functions and statics through which C gives Rust a value of a Rust enum, `bool` or `char`: as a
//! return value, as a field of a returned struct, through a `*mut` or `&mut` parameter, or as a parameter of a
//! function that C calls.
//!
//! ## Why it matters
//!
//! A C enum is an integer: it may hold flags, an error code that a newer version added, or whatever was in memory.
//! A Rust enum or `bool` with an undeclared value is undefined behaviour as soon as it exists, before any `match`
//! could check it.
//!
//! ## Example
//!
//! ```rust
//! #[repr(C)]
//! pub enum Mode {
//!     Read,
//!     Write,
//! }
//!
//! extern "C" {
//!     fn current_mode() -> Mode;
//! }
//! ```
//!
//! ## What to do instead
//!
//! Receive an integer, and convert the values that you know.
//!
//! ```rust
//! pub enum Mode {
//!     Read,
//!     Write,
//! }
//!
//! extern "C" {
//!     fn current_mode() -> c_int;
//! }
//!
//! fn mode() -> Option<Mode> {
//!     // SAFETY: takes nothing.
//!     match unsafe { current_mode() } {
//!         0 => Some(Mode::Read),
//!         1 => Some(Mode::Write),
//!         _ => None,
//!     }
//! }
//! ```
//!
//! ## Known limits
//!
//! Extern blocks under an attribute macro (`#[wasm_bindgen]`) are ignored, since the macro rewrites them. A C
//! function that really returns `_Bool` only returns 0 or 1, but is reported too: headers are not read, so it
//! cannot be told from one that returns `int` or `BOOL`. Enums behind returned pointers, and in structs behind
//! parameters, are not reported. The rule does not know which foreign functions are implemented in Rust.

use super::{Report, Subject};
use crate::facts::{Definition, ForeignItem, ForeignKind, TypeKind};
use crate::shape::{Named, Shape};

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for item in subject.facts.foreign.iter().filter(|item| subject.is_live(&item.scope) && is_c(&item.abi) && !item.rewritten) {
        if let Some((what, how)) = given(subject, item) {
            let message = format!("`{}` {how} {what}, and C chooses the value", item.name);
            report.add(item.span, &item.scope, message, Vec::new());
        }
    }
    let reachable = |definition: &&Definition| definition.abi.as_deref().is_some_and(is_c);
    for definition in subject.facts.definitions.iter().filter(reachable) {
        let ForeignKind::Function { params, .. } = &definition.item else { continue };
        let module = subject.module_of(&definition.scope);
        let named = |ty: &str| Named::new(subject.project, subject.place.krate, module.clone(), ty);
        if let Some(what) = params.iter().find_map(|param| restricted(&named(&param.ty), 1)) {
            let message = format!("`{}` takes {what}, and C chooses the value", definition.name);
            report.add(definition.span, &definition.scope, message, Vec::new());
        }
    }
}

/// The restricted type whose value C supplies through an item, and the verb that says how.
fn given(subject: &Subject<'_>, item: &ForeignItem) -> Option<(String, &'static str)> {
    let module = subject.module_of(&item.scope);
    let named = |ty: &str| Named::new(subject.project, subject.place.krate, module.clone(), ty);
    match &item.item {
        ForeignKind::Static { ty, .. } => Some((restricted(&named(ty), 2)?, "is")),
        ForeignKind::Function { params, ret, .. } => {
            let returned = ret.as_ref().and_then(|ret| restricted(&named(ret), 2));
            returned.map(|what| (what, "returns")).or_else(|| {
                let written = |ty: &str| {
                    let to = ty.strip_prefix("*mut ").or_else(|| ty.strip_prefix("&mut "))?;
                    restricted(&named(to), 1)
                };
                params.iter().find_map(|param| written(&param.ty)).map(|what| (what, "writes"))
            })
        }
    }
}

/// Describes a type for which not every bit pattern is valid; `None` for all others.
fn restricted(named: &Named<'_>, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    match named.shape() {
        Shape::Bool => Some("a `bool`".to_owned()),
        Shape::Char => Some("a `char`".to_owned()),
        Shape::Item(place, item) => match &item.kind {
            TypeKind::Enum(variants) if !variants.is_empty() => Some(format!("the enum `{}`", item.name)),
            TypeKind::Struct(fields) => fields.iter().find_map(|field| {
                let inner = restricted(&named.field(place, item, &field.ty), depth)?;
                Some(format!("{inner} in `{}`", item.name))
            }),
            _ => None,
        },
        _ => None,
    }
}

/// Whether other languages use this ABI.
pub(super) fn is_c(abi: &str) -> bool {
    !abi.starts_with("Rust") && !abi.starts_with("rust-") && abi != "platform-intrinsic" && !abi.starts_with("llvm")
}
