//! Candidate files of a module, determined by the `#[path]`s on it and on the enclosing modules, or by its name.

use super::module_path::{Candidate, Place};
use camino::Utf8Path;
use isolate_lints::facts::{Conditional, ModuleDecl};
use std::collections::HashMap;

/// The possible files of `mod name;` at a position, each with the predicates that select it: those of its `#[path]`s,
/// and those derived from its name where no `#[path]` applies.
pub(super) fn candidates(place: &Place, decl: &ModuleDecl) -> Vec<(Candidate, Vec<String>)> {
    let all = |cfgs: &[String]| match cfgs {
        [one] => one.clone(),
        several => format!("all({})", several.join(", ")),
    };
    let mut found = Vec::new();
    let mut before: Vec<String> = Vec::new();
    for path in decl.paths.iter().take(MOST_PLACES) {
        let cfgs = decl.cfgs.iter().chain(&before).chain(&path.cfgs);
        found.push((place.at(&path.value), cfgs.cloned().collect()));
        if path.cfgs.is_empty() {
            return found;
        }
        before.push(format!("not({})", all(&path.cfgs)));
    }
    let cfgs: Vec<String> = decl.cfgs.iter().chain(&before).cloned().collect();
    found.extend(place.named(&decl.name).map(|file| (file, cfgs.clone())));
    found
}

/// Whether something exists at a path other than a directory. A dangling link, a pipe or a device counts, so that
/// reading it reports the reason.
pub(super) fn is_there(path: &Utf8Path) -> bool {
    match path.metadata() {
        Ok(metadata) => !metadata.is_dir(),
        Err(_) => path.symlink_metadata().is_ok(),
    }
}

/// Limit on the positions that one `mod` item is tried at because of `#[path]`s on it and on enclosing modules, and on
/// the modules of a target that one file is loaded as.
pub(super) const MOST_PLACES: usize = 64;

/// The inline modules of a file that have a `#[path]`, keyed by the enclosing modules and their name.
pub(super) struct Inline<'f>(HashMap<(&'f [String], &'f str), &'f [Conditional]>);

impl<'f> Inline<'f> {
    pub(super) fn new(modules: &'f [ModuleDecl]) -> Inline<'f> {
        let inline = modules.iter().rev().filter(|decl| decl.inline && !decl.paths.is_empty());
        Inline(inline.map(|decl| ((&*decl.parents, &*decl.name), &*decl.paths)).collect())
    }

    /// The positions of code inside the modules `parents`; several if one of them has `#[path]`s. Also whether these
    /// are all.
    pub(super) fn places(&self, file: &Place, parents: &[String]) -> (Vec<Place>, bool) {
        let mut places = vec![file.clone()];
        for (depth, name) in parents.iter().enumerate() {
            let paths = self.0.get(&(&parents[..depth], &**name)).copied().unwrap_or_default();
            if paths.is_empty() {
                places.iter_mut().for_each(|place| *place = place.inline(name, None));
                continue;
            }
            let mut deeper: Vec<Place> = Vec::new();
            let choices = || [None].into_iter().chain(paths.iter().map(|path| Some(path.value.as_str())));
            for (place, path) in places.iter().flat_map(|place| choices().map(move |path| (place, path))) {
                let place = place.inline(name, path);
                if !deeper.contains(&place) {
                    deeper.push(place);
                }
                if deeper.len() > MOST_PLACES {
                    deeper.pop();
                    return (deeper, false);
                }
            }
            places = deeper;
        }
        (places, true)
    }
}
