//! Transmutes between types that are not stated or have no stated layout.
//!
//! ## What it does
//!
//! Reports `transmute` and `transmute_copy` if one of the two types is left to inference, or if the layout of one
//! of them is up to the compiler: a struct, enum or union without `#[repr(…)]`, a tuple, a `Vec` or another type of
//! the standard library, or a pointer to one of these. A type counts as stated in a turbofish; the target type also
//! in a `let`, a constant or the return type that receives the value; the source type also in a cast or as a
//! parameter's type. Types that differ only in lifetimes have the same layout, whatever it is.
//!
//! ## Why it matters
//!
//! `transmute` accepts any two types of the same size. If a change elsewhere makes inference choose another type,
//! the code still compiles but means something else. A layout that is not stated may differ between builds.
//!
//! ## Example
//!
//! ```rust
//! fn bits(value: f32) {
//!     // SAFETY: any bits are valid.
//!     hash(unsafe { std::mem::transmute(value) });
//! }
//! ```
//!
//! ## What to do instead
//!
//! There is nearly always a safe function for the conversion (`to_bits`, `to_ne_bytes`, `cast`). If not, state both
//! types.
//!
//! ```rust
//! fn address(callback: extern "C" fn()) {
//!     // SAFETY: function pointers have the size of data pointers here.
//!     hash(unsafe { std::mem::transmute::<extern "C" fn(), *const ()>(callback) });
//! }
//! ```
//!
//! ## Known limits
//!
//! Types in macro arguments are not examined. Generic types of other crates count as stated.

use super::{Report, Subject};
use crate::shape::{Named, Shape};

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for transmute in &subject.facts.transmutes {
        let inferred = match (&transmute.from, &transmute.to) {
            (None, None) => "both types of this transmute are inferred",
            (None, Some(_)) => "the source type of this transmute is inferred",
            (Some(_), None) => "the target type of this transmute is inferred",
            (Some(from), Some(to)) => {
                if without_lifetimes(from) != without_lifetimes(to) {
                    let named = |text| Named::new(subject.project, subject.place.krate, subject.module_of(&transmute.scope), text);
                    let unstated = [from, to].into_iter().find_map(|text| Some((text, unstated(&named(text), 3)?)));
                    if let Some((ty, why)) = unstated {
                        let message = format!("transmute of `{ty}`, whose layout is not stated");
                        report.add(transmute.span, &transmute.scope, message, vec![why]);
                    }
                }
                continue;
            }
        };
        let known = transmute.from.iter().map(|from| format!("from `{from}`"));
        let known = known.chain(transmute.to.iter().map(|to| format!("to `{to}`")));
        report.add(transmute.span, &transmute.scope, inferred, known.collect());
    }
}

/// Why the layout of a type is unspecified; `None` if it is specified or unknown.
fn unstated(named: &Named<'_>, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    match named.shape() {
        Shape::Pointer(to) => unstated(&to, depth),
        Shape::Array(of) => unstated(&of, depth),
        Shape::Tuple => Some("the order of a tuple's fields is the compiler's choice".to_owned()),
        Shape::Std(name) => Some(format!("how `{name}` lies in memory is the standard library's own affair")),
        Shape::TaggedOption => Some("where an `Option` keeps its tag is the compiler's choice".to_owned()),
        Shape::Item(_, item) if !item.has_stated_layout() && !item.is_empty() => {
            Some(format!("`{}` has no `#[repr(…)]`", item.name))
        }
        _ => None,
    }
}

/// The text of a type without lifetimes and spaces.
fn without_lifetimes(ty: &str) -> String {
    let mut out = String::new();
    let mut chars = ty.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\'' => {
                while chars.next_if(|c| c.is_alphanumeric() || *c == '_').is_some() {}
                chars.next_if(|c| *c == ',');
            }
            c if c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    out.replace("<>", "")
}
