//! Conflicting declarations of the same foreign symbol.
//!
//! ## What it does
//!
//! Compares all declarations of a symbol in the workspace and its dependencies, and reports those that differ in
//! what matters to the ABI: the number of parameters, the width of integers or floats, pointer or integer, by value
//! or by pointer, with or without a return value, variadic or not, function or static. Aliases are resolved
//! (`size_t`, `c_ulong` and `u64` are the same on 64-bit Linux). Pointee types and signedness are ignored.
//!
//! ## Why it matters
//!
//! There is only one function behind the symbol, so one of the declarations is wrong, and every call through it is
//! undefined behaviour. The linker does not compare types. The compiler's lint for this
//! (`clashing_extern_declarations`) looks at one crate at a time.
//!
//! ## Example
//!
//! ```rust
//! mod old {
//!     extern "C" {
//!         fn acme_open(path: *const c_char) -> *mut c_void;
//!     }
//! }
//! mod new {
//!     extern "C" {
//!         fn acme_open(path: *const c_char, flags: c_int) -> *mut c_void;
//!     }
//! }
//! ```
//!
//! ## What to do instead
//!
//! Declare it once, or use the crate that binds the library.
//!
//! ```rust
//! mod ffi {
//!     extern "C" {
//!         pub fn acme_open(path: *const c_char, flags: c_int) -> *mut c_void;
//!     }
//! }
//! ```
//!
//! ## Known limits
//!
//! Types that cannot be found in the graph are compatible with everything, and all structs and unions are
//! compatible with each other. Declarations in one crate under different `cfg`s are taken to be alternatives.
//! Widths are those of 64-bit Linux.

use super::{Report, Subject};
use crate::facts::{ForeignKind, TypeKind};
use crate::project::Declared;
use crate::shape::{Named, Shape};

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for item in subject.facts.foreign.iter().filter(|item| subject.is_live(&item.scope) && !item.rewritten) {
        let this = Declared { place: subject.place, item };
        let others = subject.project.declarations(item.symbol());
        let comparable = |other: &&Declared<'_>| {
            let alternatives = other.place.krate == subject.place.krate && cfgs(subject, other) != cfgs(subject, &this);
            !std::ptr::eq(other.item, item) && !other.item.rewritten && !alternatives && subject.project.is_live(other.place, &other.item.scope)
        };
        if others.len() < 2 {
            continue;
        }
        let mut notes = Vec::new();
        for other in others.iter().filter(comparable) {
            if let Some(difference) = difference(subject, &this, other) {
                let place = subject.project.describe(other.place, &other.item.scope, other.item.span);
                notes.push(format!("{difference} in {place}"));
            }
        }
        if !notes.is_empty() {
            notes.truncate(3);
            report.add(item.span, &item.scope, format!("other declarations of `{}` disagree", item.symbol()), notes);
        }
    }
}

/// All predicates that decide whether a declaration is compiled.
fn cfgs<'s>(subject: &'s Subject<'_>, declared: &'s Declared<'_>) -> Vec<&'s String> {
    subject.project.file(declared.place).cfgs.iter().chain(&declared.item.scope.cfgs).collect()
}

/// How the other declaration differs from this one.
fn difference(subject: &Subject<'_>, this: &Declared<'_>, other: &Declared<'_>) -> Option<String> {
    match (&this.item.item, &other.item.item) {
        (ForeignKind::Static { ty, .. }, ForeignKind::Static { ty: others, .. }) => {
            differ(subject, (this, ty), (other, others)).then(|| format!("it is `{others}` and not `{ty}`"))
        }
        (
            ForeignKind::Function { params, ret, variadic },
            ForeignKind::Function { params: others, ret: returned, variadic: varies },
        ) => {
            if variadic != varies {
                return Some(if *varies { "it is variadic" } else { "it is not variadic" }.to_owned());
            }
            if params.len() != others.len() {
                return Some(format!("it has {} parameters and not {}", others.len(), params.len()));
            }
            let unit = || "()".to_owned();
            let returns = (ret.clone().unwrap_or_else(unit), returned.clone().unwrap_or_else(unit));
            if differ(subject, (this, &returns.0), (other, &returns.1)) {
                return Some(format!("it returns `{}` and not `{}`", returns.1, returns.0));
            }
            let pairs = params.iter().zip(others).enumerate();
            pairs.into_iter().find_map(|(position, (param, other_param))| {
                differ(subject, (this, &param.ty), (other, &other_param.ty))
                    .then(|| format!("parameter {} is `{}` and not `{}`", position + 1, other_param.ty, param.ty))
            })
        }
        _ => Some(if this.item.is_function() { "it is a static" } else { "it is a function" }.to_owned()),
    }
}

fn differ(subject: &Subject<'_>, (this, ty): (&Declared<'_>, &str), (other, others): (&Declared<'_>, &str)) -> bool {
    let class = |declared: &Declared<'_>, ty: &str| {
        let module: Vec<String> = subject.project.module_of(declared.place, &declared.item.scope);
        class(&Named::new(subject.project, declared.place.krate, module, ty), 4)
    };
    matches!((class(this, ty), class(other, others)), (Some(one), Some(two)) if one != two)
}

/// The ABI class of a type.
#[derive(PartialEq)]
enum Class {
    Nothing,
    Integer(u32),
    Float(u32),
    Pointer,
    Aggregate,
}

fn class(named: &Named<'_>, depth: usize) -> Option<Class> {
    let depth = depth.checked_sub(1)?;
    Some(match named.shape() {
        Shape::Unit => Class::Nothing,
        Shape::Integer(bits) => Class::Integer(bits),
        Shape::Bool => Class::Integer(8),
        Shape::Char => Class::Integer(32),
        Shape::Float(bits) => Class::Float(bits),
        Shape::Pointer(_) | Shape::Function(_) => Class::Pointer,
        Shape::Item(place, item) => match &item.kind {
            TypeKind::Enum(variants) if !variants.is_empty() => match item.integer() {
                Some(bits) => Class::Integer(bits),
                None if item.reprs().any(|repr| repr == "C") => Class::Integer(32),
                None => return None,
            },
            TypeKind::Struct(fields) if item.reprs().any(|repr| repr == "transparent") => match fields.as_slice() {
                [field] => class(&named.field(place, item, &field.ty), depth)?,
                _ => return None,
            },
            TypeKind::Struct(_) | TypeKind::Union(_) if item.has_stated_layout() => Class::Aggregate,
            _ => return None,
        },
        _ => return None,
    })
}
