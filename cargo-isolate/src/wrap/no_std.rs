//! Crates without the standard library. Wrappers cannot be in one: the runtime needs std, and so do the slices, strings and
//! closures that they hand out.

use crate::graph::SourceFile;
use isolate_lints::cfg::Presence;
use syn::{Meta, Token, punctuated::Punctuated};

/// Whether the crate with this root has no std in the build at hand. A file that cannot be read is for others to name.
pub(super) fn is_no_std(root: &SourceFile) -> bool {
    let Some(file) = root.text().ok().and_then(|text| syn::parse_file(&text).ok()) else { return false };
    file.attrs.iter().any(|attr| says_so(&attr.meta, root))
}

/// `no_std`, or `cfg_attr(predicate, no_std)` with a predicate that holds.
fn says_so(meta: &Meta, root: &SourceFile) -> bool {
    match meta {
        Meta::Path(path) => path.is_ident("no_std"),
        Meta::List(list) if list.path.is_ident("cfg_attr") => {
            let parts = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
            let Ok(parts) = parts else { return false };
            let mut parts = parts.iter();
            let Some(predicate) = parts.next() else { return false };
            let predicate = quote::quote!(#predicate).to_string();
            parts.any(|meta| says_so(meta, root)) && root.likely(&[predicate]) == Presence::Live
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[track_caller]
    fn check(text: &str, expected: bool) {
        let graph = fixture::graph(&format!("//- app/src/lib.rs\n{text}\n"));
        assert_eq!(is_no_std(&graph.packages[0].files[0]), expected, "{text}");
    }

    #[test]
    fn what_the_root_says() {
        check("#![no_std]\nextern crate std;", true);
        check("#![cfg_attr(not(windows), no_std)]", true);
        check("#![cfg_attr(unix, cfg_attr(not(windows), allow(dead_code), no_std))]", true);
        check("#![cfg_attr(windows, no_std)]", false);
        check("#![cfg_attr(not(test), no_std)]", true);
        check("//! Not `#![no_std]`.\nmod inner { #![allow(unused)] }", false);
    }
}
