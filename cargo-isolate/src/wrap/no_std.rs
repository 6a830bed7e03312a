//! Crates without the standard library, or without its prelude. The runtime needs std, and so do the strings and closures
//! that wrappers hand out.

use crate::{graph::SourceFile, rust};
use isolate_lints::cfg::Presence;
use quote::ToTokens;
use syn::{Attribute, Item, Meta, Token, punctuated::Punctuated};

/// What of std a crate can name in the build at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Std {
    /// It, and what is in its prelude.
    Prelude,
    /// It alone: `#![no_std]` with `extern crate std`.
    Named,
    Nothing,
}

/// Reads the root of a crate. A file that cannot be read is for others to name.
pub(super) fn std_of(root: &SourceFile) -> Std {
    let Some(file) = root.text().ok().and_then(|text| rust::file(text).ok()) else { return Std::Prelude };
    if !file.attrs.iter().any(|attr| is_no_std(&attr.meta, root)) {
        return Std::Prelude;
    }
    let is_std = |item: &Item| match item {
        Item::ExternCrate(item) => item.ident == "std" && item.rename.is_none() && is_compiled(&item.attrs, root),
        _ => false,
    };
    if file.items.iter().any(is_std) { Std::Named } else { Std::Nothing }
}

/// `no_std`, or `cfg_attr(predicate, no_std)` with a predicate that holds.
fn is_no_std(meta: &Meta, root: &SourceFile) -> bool {
    match meta {
        Meta::Path(path) => path.is_ident("no_std"),
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            let Ok(parts) = parts else { return false };
            let mut parts = parts.iter();
            let Some(predicate) = parts.next() else { return false };
            parts.any(|meta| is_no_std(meta, root)) && holds(predicate, root)
        }
        _ => false,
    }
}

fn is_compiled(attrs: &[Attribute], root: &SourceFile) -> bool {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg")).all(|attr| match &attr.meta {
        Meta::List(list) => holds(&list.tokens, root),
        _ => true,
    })
}

fn holds(predicate: &impl ToTokens, root: &SourceFile) -> bool {
    root.likely(&[predicate.to_token_stream().to_string()]) != Presence::Dormant
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[track_caller]
    fn check(text: &str, expected: Std) {
        let graph = fixture::graph(&format!("//- app/src/lib.rs\n{text}\n"));
        assert_eq!(std_of(&graph.packages[0].files[0]), expected, "{text}");
    }

    #[test]
    fn what_the_root_says() {
        check("#![no_std]\nextern crate std;", Std::Named);
        check("#![no_std]\n#[cfg(not(windows))]\nextern crate std;", Std::Named);
        check("#![no_std]\n#[cfg(windows)]\nextern crate std;", Std::Nothing);
        check("#![no_std]\nextern crate alloc as std;", Std::Nothing);
        check("#![cfg_attr(not(windows), no_std)]", Std::Nothing);
        check("#![cfg_attr(unix, cfg_attr(not(windows), allow(dead_code), no_std))]", Std::Nothing);
        check("#![cfg_attr(windows, no_std)]", Std::Prelude);
        check("//! Not `#![no_std]`.\nmod inner { #![allow(unused)] }", Std::Prelude);
    }
}
