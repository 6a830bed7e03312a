//! The calls of one file → its new text.

use super::{
    Rewritten, ToDo, argument,
    call::{self, Left, Ready},
    fault::{self, Takes},
    finder::{self, Found},
    held::{self, At, Held},
    leftovers, rustfmt,
    source::{Edit, Source, blanked, place},
    unsafe_blocks,
    wrappers::{Wrapper, Wrappers},
};
use crate::{
    bypass::Bypass,
    graph::{Package, Role, SourceFile},
    rust,
};
use std::collections::{BTreeMap, BTreeSet};

/// A file of a member with direct calls.
pub(super) struct CallerFile<'w> {
    wrappers: &'w Wrappers<'w>,
    package: &'w Package,
    file: &'w SourceFile,
    source: Source,
    /// The file is a module in several places.
    is_shared: bool,
    /// `isolated` may mean another module in some block.
    hides_isolated: bool,
}

/// What became of the calls.
pub(super) struct Done {
    /// The file with the rewritten calls, if there are any.
    pub(super) text: Option<String>,
    pub(super) rewritten: Vec<Rewritten>,
    pub(super) left: Vec<ToDo>,
}

impl Done {
    /// All of them stay, for one reason.
    pub(super) fn nothing(wrappers: &Wrappers<'_>, calls: Vec<Bypass>, why: &str) -> Done {
        let left = |site| wrappers.to_do(site, Left { why: why.to_owned(), suggestion: String::new() });
        Done { text: None, rewritten: Vec::new(), left: calls.into_iter().map(left).collect() }
    }
}

/// The calls that can be rewritten, by where they stand.
type ReadyCalls<'c> = BTreeMap<At, (Ready<'c>, &'c Bypass)>;

impl<'w> CallerFile<'w> {
    pub(super) fn new(
        wrappers: &'w Wrappers<'w>,
        package: &'w Package,
        file: &'w SourceFile,
        source: Source,
    ) -> CallerFile<'w> {
        let is_shared = !file.also.is_empty() || wrappers.is_shared(package, file);
        CallerFile { wrappers, package, file, source, is_shared, hides_isolated: hides_isolated(file) }
    }

    /// Rewrites those of the calls that can be.
    pub(super) fn rewrite(&self, calls: &[Bypass]) -> Done {
        let mut done = self.attempt(calls, true);
        // With handles, a block that stays `unsafe` may end up before the `else` of a `let`, where none can stand.
        if done.text.as_deref().is_some_and(|text| rust::file(&blanked(text)).is_err()) {
            done = self.attempt(calls, false);
        }
        done.text = done.text.map(|text| self.tidied(text, &done.rewritten));
        done
    }

    /// `holds`: pointers to objects may become handles.
    fn attempt(&self, calls: &[Bypass], holds: bool) -> Done {
        let places: Vec<_> = calls.iter().map(at).collect();
        let found = finder::find(&self.source, &places);
        let held = if holds { self.held(calls, &found) } else { Held::default() };
        let (mut ready, mut left) = (ReadyCalls::new(), Vec::new());
        for site in calls {
            match self.read(site, found.get(&at(site)), &held) {
                Ok(call) => drop(ready.insert(at(site), (call, site))),
                Err(why) => left.push(self.wrappers.to_do(site.clone(), why)),
            }
        }
        let rewritten = ready.values().map(|(call, site)| Rewritten {
            path: site.path.clone(),
            line: site.line,
            symbol: site.symbol.clone(),
            panics: call.takes == Takes::Nothing && !call.ends_in_drop(),
            ends_in_drop: call.ends_in_drop(),
        });
        let text = (!ready.is_empty()).then(|| self.source.with(self.edits(&ready, &found, &held)));
        Done { text, rewritten: rewritten.collect(), left }
    }

    /// The pointers of the file that become handles. One stays a pointer if a call that uses it cannot be rewritten; and then
    /// calls that share another pointer with that one cannot be, either.
    fn held(&self, calls: &[Bypass], found: &BTreeMap<At, Found<'_>>) -> Held {
        let site_at = |wanted: At| calls.iter().find(|site| at(site) == wanted);
        let wrapper = |at: At| self.wrappers.of(site_at(at).filter(|site| !site.mention)?);
        let constant = |wrapper: &Wrapper<'_>, name: &str| self.wrappers.constant(self.package, wrapper, name);
        let below: Vec<_> = self.files_below().filter(|other| !self.wrappers.hold(other)).collect();
        let file = held::InFile { source: &self.source, found, wrapper: &wrapper, constant: &constant };
        let mut held = Held::new(&file, &below);
        loop {
            let is_ready = |at: &At| site_at(*at).is_some_and(|site| self.read(site, found.get(at), &held).is_ok());
            let stay: BTreeSet<_> = held.calls().filter(|at| !is_ready(at)).collect();
            if stay.is_empty() {
                return held;
            }
            held.leave(&stay);
        }
    }

    /// Reads one call.
    fn read<'c>(&'c self, site: &Bypass, found: Option<&'c Found<'c>>, held: &'c Held) -> Result<Ready<'c>, Left> {
        let left = |why: &str| Left { why: why.to_owned(), suggestion: String::new() };
        let Some((wrapper, target)) = self.wrappers.by_symbol.get(&*site.symbol) else {
            return Err(left(&self.wrappers.without_wrapper(site)));
        };
        if wrapper.function.form.is_some() {
            return Err(left("the policy knows several forms of it, with a wrapper each: choose one"));
        }
        if site.mention {
            return Err(left("its address is taken, so its calls cannot be found"));
        }
        let (package, file) = (self.package, self.file);
        let root = package.files.iter().find(|file| file.path == target.crate_root);
        if package.name != target.package || file.role != Role::Main || !root.is_some_and(|root| is_of(file, root)) {
            return Err(left(
                "it is in another crate than the wrappers: call it through a public function of that crate",
            ));
        }
        if self.is_shared {
            return Err(left(
                "its file is a module in several places, and `crate::isolated` may be in one of them only",
            ));
        }
        let Some(found) = found else {
            return Err(left("it is inside a macro call whose arguments could not be parsed"));
        };
        let takes = found.returns.map_or(Takes::Nothing, |output| fault::takes(package, file, output));
        let in_root = found.outermost && file.path == target.crate_root && !self.hides_isolated;
        let constants = |name: &str| self.wrappers.constant(package, wrapper, name);
        let ready = call::read(&self.source, found, wrapper, takes, in_root, held, &constants)?;
        let mut edits = ready.edits(false);
        edits.retain(|edit| !leftovers::is_reason(&self.source, edit));
        match self.source.loses_comment(&edits) {
            true => Err(ready.left("a comment stands where an argument would go".to_owned())),
            false => Ok(ready),
        }
    }

    /// All that changes: the calls, `unsafe` blocks that nothing needs any more with their reasons, and what pointers become.
    fn edits(&self, ready: &ReadyCalls<'_>, found: &BTreeMap<At, Found<'_>>, held: &Held) -> Vec<Edit> {
        let relieved: Vec<_> = ready.values().flat_map(|(call, _)| call.relieved()).collect();
        let changed: BTreeSet<_> = ready.keys().chain(&relieved).copied().collect();
        let blocks: BTreeMap<_, _> = ready
            .keys()
            .filter_map(|at| found[at].unsafe_block)
            .chain(finder::around(&self.source, &relieved))
            .map(|block| (place(block.block.unsafe_token.span), block))
            .collect();
        let (mut edits, mut outdents) = (Vec::new(), Vec::new());
        let (mut in_block, mut safe) = (BTreeSet::new(), Vec::new());
        for (at, block) in blocks {
            if unsafe_blocks::is_unneeded(self.package, self.file, &self.source, at, block, &changed) {
                let sole = unsafe_blocks::sole_call(block)
                    .filter(|call| ready.get(call).is_some_and(|(call, _)| call.is_block()));
                in_block.extend(unsafe_blocks::unwrap(&self.source, block, sole, &mut edits, &mut outdents));
                safe.push(block);
            }
        }
        edits.extend(held.edits());
        edits.extend(ready.iter().flat_map(|(at, (call, _))| call.edits(in_block.contains(at))));
        edits.extend(leftovers::reasons(&self.source, &safe));
        edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        edits.dedup_by(|one, other| one == other && !one.range.is_empty());
        // Lines that go whole are not moved first.
        outdents.retain(|outdent| !edits.iter().any(|edit| edit.range.contains(&outdent.range.start)));
        edits.append(&mut outdents);
        edits
    }

    /// Without imports that only the rewritten calls needed, and laid out as before.
    fn tidied(&self, text: String, rewritten: &[Rewritten]) -> String {
        let symbols: BTreeSet<&str> = rewritten.iter().map(|call| &*call.symbol).collect();
        // Items of the library and types of C, but no traits: nobody may name a trait, and everybody use it.
        let is_ours = |path: &[String]| {
            let words: Vec<_> = path.iter().map(String::as_str).collect();
            let declared =
                |name: &str| self.package.externs.get(name).is_some_and(|index| self.wrappers.declares(*index));
            match words[..] {
                ["std" | "core", "ffi" | "os" | "ptr" | "mem", ..] | ["std" | "core", "slice"] => true,
                [krate, ..] if declared(krate) => true,
                // Types of C, wherever they come from.
                [.., last] => symbols.contains(last) || last.starts_with("c_") || last.ends_with("_t"),
                [] => false,
            }
        };
        let of_crate = || self.package.files.iter().filter(|other| other.krate == self.file.krate);
        let elsewhere = |name: &str| {
            self.files_below().filter_map(|other| other.text().ok()).any(|text| argument::has_word(text, name))
                || of_crate().filter_map(|other| other.text().ok()).any(|text| leftovers::in_macro_rules(text, name))
        };
        let text = leftovers::without_imports(&self.source, text, &is_ours, &elsewhere);
        rustfmt::laid_out_as(&self.source.text, text, &self.file.path, self.file.edition)
    }

    /// The other files of its crate that see its private items.
    fn files_below(&self) -> impl Iterator<Item = &'w SourceFile> {
        let file = self.file;
        let is_below = move |other: &&SourceFile| {
            other.path != file.path && other.krate == file.krate && other.module.starts_with(&file.module)
        };
        self.package.files.iter().filter(is_below)
    }
}

/// Line and column of a call.
fn at(site: &Bypass) -> At {
    (site.line, site.column)
}

/// Some block of the file has an `isolated` of its own, or may have.
fn hides_isolated(file: &SourceFile) -> bool {
    let facts = &file.facts;
    let in_block = |at: u32| facts.blocks.iter().any(|block| (block.start..block.end).contains(&at));
    let hides = |name: Option<&str>| name.is_none_or(|name| name == "isolated");
    let imports = facts.imports.iter().filter(|import| in_block(import.at)).any(|import| hides(import.name.as_deref()));
    imports || facts.modules.iter().filter(|module| module.name == "isolated").count() > 1
}

/// Whether a file is of the crate with this root. Names do not say: a library and a program of a package share theirs.
fn is_of(file: &SourceFile, root: &SourceFile) -> bool {
    let declares =
        |name: &String| root.facts.modules.iter().any(|module| module.parents.is_empty() && module.name == *name);
    file.krate == root.krate && (file.path == root.path || file.module.first().is_some_and(declares))
}
