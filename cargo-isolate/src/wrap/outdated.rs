//! Calls of wrappers whose signatures are about to change: they were written, by `wrap --apply` or by hand, for a contract
//! that is another now, and the compiler alone would say so.

use super::{Change, Target};
use crate::{graph::Graph, names::Names, rust};
use camino::{Utf8Path, Utf8PathBuf};
use isolate_lints::facts::Span;
use quote::ToTokens;
use std::collections::BTreeMap;
use syn::{FnArg, Item, ItemFn, Visibility};

/// A call of a wrapper as it is in the tree, or a place that names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Outdated {
    pub(crate) path: Utf8PathBuf,
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// The wrapper that it was written for: `isolated::zlib::crc32(…) -> …`.
    pub(crate) old: String,
    /// The one of that name from now on; `None`: there is none.
    pub(crate) new: Option<String>,
}

/// The calls that will not fit any more when `changes` are made, by path and place.
pub(crate) fn outdated(graph: &Graph, targets: &[Target], changes: &[Change]) -> Vec<Outdated> {
    let directories: Vec<_> = targets.iter().map(Target::directory).collect();
    let of_wrappers = |path: &Utf8Path| directories.iter().any(|directory| path.parent() == Some(directory));
    let mut changed = BTreeMap::new();
    for change in changes.iter().filter(|change| of_wrappers(&change.path)) {
        let (Some(old), Some(domain)) = (&change.old, change.path.file_stem()) else { continue };
        let now = change.new.as_deref().map(|text| wrappers(text, domain)).unwrap_or_default();
        for (name, old) in wrappers(old, domain) {
            let new = now.get(&name);
            if new.is_none_or(|new| new.types != old.types) {
                changed.insert((&*change.path, name), (old.shown, new.map(|new| new.shown.clone())));
            }
        }
    }
    if changed.is_empty() {
        return Vec::new();
    }
    let files = graph.packages.iter().flat_map(|package| &package.files);
    let items: Vec<_> = files
        .flat_map(|file| file.facts.functions.iter().map(move |item| (file, item)))
        .filter(|(file, item)| changed.contains_key(&(&*file.path, item.name.to_string())))
        .map(|(_, item)| item)
        .collect();
    let names = Names::new(graph);
    let calls = names.resolver().calls_of(&items).into_iter().filter_map(|call| {
        let file = |place| {
            let (package, file) = names.origin(place);
            &*graph.packages[package].files[file].path
        };
        let (old, new) = changed.get(&(file(call.callee), call.item.name.to_string()))?;
        // Wrappers are written anew, whatever they call.
        if of_wrappers(file(call.caller)) {
            return None;
        }
        let Span { line, column, .. } = call.call.span;
        let path = graph.relative(file(call.caller));
        Some(Outdated { path, line, column, old: old.clone(), new: new.clone() })
    });
    // A file that two crates share is one file.
    let mut calls: Vec<_> = calls.collect();
    calls.sort();
    calls.dedup();
    calls
}

/// What callers see of a wrapper.
struct Signature {
    /// Types alone: what a parameter is called is nothing to callers.
    types: Vec<String>,
    shown: String,
}

/// The public functions of a generated file, or of what somebody made of it; none where it does not parse.
fn wrappers(text: &str, domain: &str) -> BTreeMap<String, Signature> {
    let Ok(file) = rust::file(text) else { return BTreeMap::new() };
    let functions = file.items.into_iter().filter_map(|item| match item {
        Item::Fn(function) if matches!(function.vis, Visibility::Public(_)) => Some(function),
        _ => None,
    });
    functions.map(|function| (function.sig.ident.to_string(), signature(function, domain))).collect()
}

fn signature(function: ItemFn, domain: &str) -> Signature {
    let sig = &function.sig;
    let params = sig.inputs.iter().map(|input| match input {
        FnArg::Typed(param) => param.ty.to_token_stream().to_string(),
        FnArg::Receiver(receiver) => receiver.to_token_stream().to_string(),
    });
    let generics = [sig.generics.to_token_stream(), sig.output.to_token_stream()];
    let types = params.chain(generics.iter().map(ToString::to_string)).collect();
    let empty = ItemFn { attrs: Vec::new(), block: Box::new(syn::parse_quote!({})), ..function };
    let file = syn::parse_quote!(#empty);
    let line = prettyplease::unparse(&file).split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_start_matches("pub fn ").trim_end_matches(" {}").replace("( ", "(").replace(", )", ")");
    Signature { types, shown: format!("isolated::{domain}::{line}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixture, plan,
        policy::Loaded,
        wrap::{render, targets},
    };

    const LIBRARY: &str = "
//- z-sys/src/lib.rs
unsafe extern \"C\" { pub fn sum(buf: *const u8, len: usize) -> u32; pub fn level(of: u32) -> u32; }
";

    fn policy(contract: &str) -> String {
        format!(
            "version = 1\n[domain.zlib]\nlibrary = \"z-sys\"\n[[isolate]]\ndomain = \"zlib\"\n\
             extern = [\"sum\", \"level\"]\n[fn.sum]\n{contract}"
        )
    }

    fn rendered(graph: &Graph, contract: &str) -> (Vec<Target>, Vec<crate::wrap::GeneratedFile>) {
        let loaded = Loaded::of_workspace(&policy(contract));
        let plan = plan::plan(graph, &loaded.policy).unwrap();
        let targets = targets(graph, &plan, None, loaded.shown()).unwrap();
        let files = render(&plan, &targets[0]).unwrap();
        (targets, files)
    }

    /// A crate whose wrappers are of one contract, under another.
    #[track_caller]
    fn check(sources: &str, was: &str, is: &str, expected: &[&str]) {
        let plain =
            fixture::graph(&format!("{LIBRARY}//- app/src/lib.rs\nfn f() {{ unsafe {{ z_sys::level(1) }}; }}\n"));
        let (_, old) = rendered(&plain, was);
        let rust = old.iter().filter(|file| file.path.extension() == Some("rs"));
        let committed: String =
            rust.map(|file| format!("//- {}\n{}", file.path.strip_prefix("/ws").unwrap(), file.text)).collect();
        let graph = fixture::graph(&format!("{sources}{LIBRARY}{committed}"));
        let (targets, new) = rendered(&graph, is);
        let changes: Vec<_> = new
            .into_iter()
            .map(|file| {
                let old = old.iter().find(|old| old.path == file.path).map(|old| old.text.clone());
                Change { path: file.path, old, new: Some(file.text) }
            })
            .filter(|change| change.old != change.new)
            .collect();
        let found: Vec<_> = outdated(&graph, &targets, &changes)
            .into_iter()
            .map(|call| {
                let new = call.new.unwrap_or_else(|| "gone".to_owned());
                format!("{}:{}:{} {} => {new}", call.path, call.line, call.column, call.old)
            })
            .collect();
        assert_eq!(found, expected);
    }

    const CALLER: &str = "
//- app/src/lib.rs
pub mod isolated;
mod below;
fn main() {
    isolated::zlib::sum(&[1]).unwrap();
    isolated::zlib::level(1).unwrap();
}
//- app/src/below.rs
use crate::isolated::zlib::{self, sum as add};
fn sum() { zlib::sum(&[]).map(|_| ()).and_then(|()| add(&[])).unwrap(); sum() }
";
    const SLICE: &str = "arg.buf = { kind = \"buf\", dir = \"in\", len = \"len\" }\n";

    #[test]
    fn calls_of_a_changed_wrapper_are_found_however_they_name_it() {
        let change = "isolated::zlib::sum(buf: &[u8]) -> Result<u32, Fault> => \
                      isolated::zlib::sum(buf: Option<&[u8]>) -> Result<u32, Fault>";
        let nullable = SLICE.replace(" }", ", null = \"ok\" }");
        let expected = ["app/src/below.rs:2:12", "app/src/below.rs:2:53", "app/src/lib.rs:4:5"];
        let expected = expected.map(|at| format!("{at} {change}"));
        check(CALLER, SLICE, &nullable, &expected.each_ref().map(String::as_str));
    }

    #[test]
    fn others_are_not() {
        check(CALLER, SLICE, SLICE, &[]);
        // Its text changes and its types do not.
        check(CALLER, SLICE, &format!("{SLICE}retry = 2\n"), &[]);
    }
}
