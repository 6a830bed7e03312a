//! Rewrites direct calls of isolated functions into calls of their wrappers where that is mechanical. Every other call
//! is reported, with the call to write instead.
//!
//! ```text
//! bypasses ─► file ─► finder (the call) ─► argument, locals (which slice, which length) ─► call (edits) ─► the file's text
//! ```
//!
//! Only text between the tokens of a call changes, so comments and layout survive. A file that was formatted by
//! `rustfmt` is formatted again. The rewritten code is safe Rust: a mistake here fails to compile or panics at an
//! index, and can never read or write out of bounds.

mod argument;
mod call;
mod failure;
mod fault;
mod file;
mod finder;
mod handles;
mod holds;
mod locals;
mod macros;
mod obsolete;
mod rustfmt;
mod source;
mod unsafe_blocks;
mod wrappers;

use super::Target;
use crate::{
    bypass::{Bypass, bypasses},
    graph::{Graph, Package, SourceFile},
    names::Names,
    plan::Plan,
};
use camino::Utf8PathBuf;
use file::{CallerFile, Done};
use source::Source;
pub(super) use source::blanked;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
};
use wrappers::Wrappers;

/// The result of rewriting the direct calls of the workspace members.
#[derive(Debug, Default)]
pub(crate) struct Sites {
    /// Files with calls that were rewritten, by package: path and new text.
    pub(crate) files: BTreeMap<usize, BTreeMap<Utf8PathBuf, String>>,
    pub(crate) rewritten: Vec<Rewritten>,
    pub(crate) left: Vec<ToDo>,
}

/// A call that now goes through its wrapper. Its position is the one in the old text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rewritten {
    pub(crate) path: Utf8PathBuf,
    pub(crate) line: u32,
    pub(crate) symbol: String,
    /// A fault at this call panics. Otherwise `?` returns it, unless `ends_in_drop` is set.
    pub(crate) panics: bool,
    /// The call destroys an object in `drop`. A fault destroys the object as well, so it is discarded.
    pub(crate) ends_in_drop: bool,
}

/// A call that must be rewritten by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToDo {
    pub(crate) site: Bypass,
    pub(crate) why: String,
    /// The wrapper's signature, if there is a wrapper.
    pub(crate) wrapper: Option<String>,
    /// The call to write, with `todo!` in place of what is not known.
    pub(crate) suggestion: Option<String>,
}

/// Rewrites the calls of workspace members, except in tests, where a direct call is something to compare with.
pub(crate) fn sites(graph: &Graph, plan: &Plan, targets: &[Target]) -> Sites {
    sites_in(graph, plan, targets, &|file| fs::read_to_string(&file.path))
}

fn sites_in(graph: &Graph, plan: &Plan, targets: &[Target], read: Read<'_>) -> Sites {
    let directories: Vec<_> = targets.iter().map(Target::directory).collect();
    let files = graph.packages.iter().flat_map(|package| &package.files).map(|file| &*file.path);
    let wrappers = files.filter(|path| directories.iter().any(|directory| path.starts_with(directory))).collect();
    let members: BTreeSet<_> = graph.packages.iter().filter(|package| package.member).map(Package::id).collect();
    let mut by_file: BTreeMap<Utf8PathBuf, Vec<Bypass>> = BTreeMap::new();
    for site in bypasses(&Names::new(graph), plan, &wrappers) {
        if !site.test && members.contains(&site.package) {
            by_file.entry(site.path.clone()).or_default().push(site);
        }
    }
    let wrappers = Wrappers::new(graph, plan, targets);
    let mut sites = Sites::default();
    for (path, calls) in by_file {
        let all = graph.packages.iter().enumerate();
        let mut all = all.flat_map(|(index, package)| package.files.iter().map(move |file| (index, package, file)));
        let Some((index, package, file)) = all.find(|(_, _, file)| graph.relative(&file.path) == path) else {
            continue;
        };
        let text = read(file).map_err(|error| format!("its file cannot be read: {error}"));
        let Done { text, rewritten, left } = match text.and_then(Source::parse) {
            Ok(source) => CallerFile::new(&wrappers, package, file, source).rewrite(&calls),
            Err(why) => Done::nothing(&wrappers, calls, &why),
        };
        sites.rewritten.extend(rewritten);
        sites.left.extend(left);
        if let Some(text) = text {
            sites.files.entry(index).or_default().insert(file.path.clone(), text);
        }
    }
    sites
}

/// Reads a file's text from disk. The scanned text can differ from it, for example in line endings, which must be kept.
type Read<'r> = &'r dyn Fn(&SourceFile) -> io::Result<String>;

#[cfg(test)]
mod tests;
