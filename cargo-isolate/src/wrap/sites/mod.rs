//! Direct calls of isolated functions → calls of their wrappers, wherever that is mechanical; the rest is told with what to
//! write instead.
//!
//! ```text
//! bypasses ─► file ─► finder (the call) ─► argument, locals (which slice, which length) ─► call (edits) ─► the file's text
//! ```
//!
//! Only text between two tokens of a call changes, so comments and layout stay; where the file was as `rustfmt` has it, it is so
//! again. What is written is safe code: a mistake here does not compile, or ends in a panic at an index, and never reads or
//! writes what it should not.

mod argument;
mod call;
mod failure;
mod fault;
mod file;
mod finder;
mod held;
mod holds;
mod leftovers;
mod locals;
mod macros;
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

/// What was made of the members' direct calls.
#[derive(Debug, Default)]
pub(crate) struct Sites {
    /// Files with calls that were rewritten, by package: path and new text.
    pub(crate) files: BTreeMap<usize, BTreeMap<Utf8PathBuf, String>>,
    pub(crate) rewritten: Vec<Rewritten>,
    pub(crate) left: Vec<ToDo>,
}

/// A call that goes through its wrapper now. Places are those of the old text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rewritten {
    pub(crate) path: Utf8PathBuf,
    pub(crate) line: u32,
    pub(crate) symbol: String,
    /// A fault ends in a panic there; otherwise it is returned by `?`, but for what comes next.
    pub(crate) panics: bool,
    /// It ends an object in `drop`: a fault ends that, too, and nobody is told of it.
    pub(crate) ends_in_drop: bool,
}

/// A call that a person must rewrite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToDo {
    pub(crate) site: Bypass,
    pub(crate) why: String,
    /// The wrapper's signature, if it has one.
    pub(crate) wrapper: Option<String>,
    /// The call to write, with comments for what is not known.
    pub(crate) suggestion: Option<String>,
}

/// Rewrites the members' calls, except those in tests: there, a direct call is something to compare with.
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

/// Gives a file's text as it lies on disk, which is not always what was scanned: line ends are kept.
type Read<'r> = &'r dyn Fn(&SourceFile) -> io::Result<String>;

#[cfg(test)]
mod tests;
