//! Types in foreign signatures that are not FFI-safe.
//!
//! ## What it does
//!
//! Reports parameters, return types and statics of foreign functions, and of Rust functions with a foreign ABI,
//! whose types are not FFI-safe: pointers to `str`, slices and trait objects (two words in an undocumented order);
//! tuples; `String`, `Vec` and other types of the standard library; an `Option` of a type without a niche for
//! `None`; function pointers with the Rust ABI; and structs, unions and enums without `#[repr(…)]` by value. The
//! compiler's lint for this (`improper_ctypes`) says nothing about dependencies and is easily switched off.
//!
//! ## Why it matters
//!
//! Rust and C do not agree on the layout of such a value, and nothing checks that they do. It may work until the
//! compiler orders fields differently.
//!
//! ## Example
//!
//! ```rust
//! extern "C" {
//!     fn write_log(text: &str) -> (i32, i32);
//! }
//! ```
//!
//! ## What to do instead
//!
//! ```rust
//! #[repr(C)]
//! pub struct Written {
//!     lines: i32,
//!     bytes: i32,
//! }
//!
//! extern "C" {
//!     fn write_log(text: *const u8, len: usize) -> Written;
//! }
//! ```
//!
//! ## Known limits
//!
//! Extern blocks under an attribute macro (`#[wasm_bindgen]`) are ignored, since the macro rewrites them. The
//! pointee of a thin pointer is not examined, since it is often opaque to C, nor are fields of structs with a
//! `repr`. Types that cannot be found in the graph are taken to be FFI-safe.

use super::enum_from_c::is_c;
use super::{Report, Subject};
use crate::facts::{ForeignKind, TypeKind};
use crate::shape::{Named, Shape};

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    let foreign = subject.facts.foreign.iter().filter(|item| subject.is_live(&item.scope) && is_c(&item.abi) && !item.rewritten);
    let foreign = foreign.map(|item| (&item.name, &item.item, item.span, &item.scope));
    let defined = subject.facts.definitions.iter().filter(|item| item.abi.as_deref().is_some_and(is_c));
    let defined = defined.map(|item| (&item.name, &item.item, item.span, &item.scope));
    for (name, item, span, scope) in foreign.chain(defined) {
        let types: Vec<&str> = match item {
            ForeignKind::Static { ty, .. } => vec![ty],
            ForeignKind::Function { params, ret, .. } => params.iter().map(|param| &*param.ty).chain(ret.as_deref()).collect(),
        };
        let module = subject.module_of(scope);
        let improper = types.into_iter().find_map(|ty| {
            let named = Named::new(subject.project, subject.place.krate, module.clone(), ty);
            Some((ty, why_not(named.shape())?))
        });
        if let Some((ty, why)) = improper {
            report.add(span, scope, format!("`{ty}` in the signature of `{name}` means nothing to C"), vec![why]);
        }
    }
}

fn why_not(shape: Shape<'_>) -> Option<String> {
    Some(match shape {
        Shape::FatPointer(to) => format!("a pointer to {to} is two words"),
        Shape::Tuple => "the order of a tuple's fields is the compiler's choice".to_owned(),
        Shape::Std(name) => format!("how `{name}` lies in memory is the standard library's own affair"),
        Shape::TaggedOption => "where an `Option` keeps its tag is the compiler's choice".to_owned(),
        Shape::Function(abi) if abi == "Rust" => "a function pointer without `extern` is called as only Rust does".to_owned(),
        Shape::Char => "C has no type whose values are Unicode scalars".to_owned(),
        Shape::Item(_, item) if !item.has_stated_layout() && !item.is_empty() && !matches!(item.kind, TypeKind::Alias(_)) => {
            format!("`{}` has no `#[repr(…)]`", item.name)
        }
        _ => return None,
    })
}
