//! Rewrites the calls of one file.

use super::{
    Rewritten, ToDo, argument,
    call::{self, NotRewritten, Ready},
    fault::{self, Takes},
    finder::{self, Found},
    handles::{self, At, Handles},
    obsolete, rustfmt,
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

/// A file of a workspace member with direct calls.
pub(super) struct CallerFile<'w> {
    wrappers: &'w Wrappers<'w>,
    package: &'w Package,
    file: &'w SourceFile,
    source: Source,
    /// The file is included as a module in several places.
    is_shared: bool,
    /// Inside some block, the name `isolated` may resolve to another module.
    hides_isolated: bool,
}

/// The outcome for the calls of one file.
pub(super) struct Done {
    /// The new text of the file, if any call was rewritten.
    pub(super) text: Option<String>,
    pub(super) rewritten: Vec<Rewritten>,
    pub(super) left: Vec<ToDo>,
}

impl Done {
    /// Leaves all calls unchanged, for the same reason.
    pub(super) fn nothing(wrappers: &Wrappers<'_>, calls: Vec<Bypass>, why: &str) -> Done {
        let not_rewritten =
            |site| wrappers.to_do(site, NotRewritten { why: why.to_owned(), suggestion: String::new() });
        Done { text: None, rewritten: Vec::new(), left: calls.into_iter().map(not_rewritten).collect() }
    }
}

/// The calls that can be rewritten, by position.
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

    /// Rewrites the calls that can be rewritten.
    pub(super) fn rewrite(&self, calls: &[Bypass]) -> Done {
        let mut done = self.attempt(calls, true);
        // Converting pointers to handles can leave an `unsafe` block right before the `else` of a `let … else`, where
        // the grammar does not allow a block. Then the calls are rewritten without handles.
        if done.text.as_deref().is_some_and(|text| rust::file(&blanked(text)).is_err()) {
            done = self.attempt(calls, false);
        }
        done.text = done.text.map(|text| self.tidied(text, &done.rewritten));
        done
    }

    /// `convert`: whether pointers to objects may become handles.
    fn attempt(&self, calls: &[Bypass], convert: bool) -> Done {
        let places: Vec<_> = calls.iter().map(at).collect();
        let found = finder::find(&self.source, &places);
        let handles = if convert { self.handles(calls, &found) } else { Handles::default() };
        let (mut ready, mut left) = (ReadyCalls::new(), Vec::new());
        for site in calls {
            match self.read(site, found.get(&at(site)), &handles) {
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
        let text = (!ready.is_empty()).then(|| self.source.with(self.edits(&ready, &found, &handles)));
        Done { text, rewritten: rewritten.collect(), left }
    }

    /// The pointers of the file that become handles. A pointer stays a pointer if one of its calls cannot be rewritten.
    /// That can in turn rule out calls that also use another pointer, hence the loop to a fixed point.
    fn handles(&self, calls: &[Bypass], found: &BTreeMap<At, Found<'_>>) -> Handles {
        let site_at = |wanted: At| calls.iter().find(|site| at(site) == wanted);
        let wrapper = |at: At| self.wrappers.of(site_at(at).filter(|site| !site.mention)?);
        let constant = |wrapper: &Wrapper<'_>, name: &str| self.wrappers.constant(self.package, wrapper, name);
        let below: Vec<_> = self.files_below().filter(|other| !self.wrappers.hold(other)).collect();
        let file = handles::InFile { source: &self.source, found, wrapper: &wrapper, constant: &constant };
        let mut handles = Handles::new(&file, &below);
        loop {
            let is_ready = |at: &At| site_at(*at).is_some_and(|site| self.read(site, found.get(at), &handles).is_ok());
            let blocking: BTreeSet<_> = handles.required_calls().filter(|at| !is_ready(at)).collect();
            if blocking.is_empty() {
                return handles;
            }
            handles.give_up(&blocking);
        }
    }

    /// Reads one call, or says why it cannot be rewritten.
    fn read<'c>(
        &'c self,
        site: &Bypass,
        found: Option<&'c Found<'c>>,
        handles: &'c Handles,
    ) -> Result<Ready<'c>, NotRewritten> {
        let not_rewritten = |why: &str| NotRewritten { why: why.to_owned(), suggestion: String::new() };
        let Some((wrapper, target)) = self.wrappers.by_symbol.get(&*site.symbol) else {
            return Err(not_rewritten(&self.wrappers.without_wrapper(site)));
        };
        if wrapper.function.form.is_some() {
            return Err(not_rewritten("the policy knows several forms of it, with a wrapper each: choose one"));
        }
        if site.mention {
            return Err(not_rewritten("its address is taken, so its calls cannot be found"));
        }
        let (package, file) = (self.package, self.file);
        let root = package.files.iter().find(|file| file.path == target.crate_root);
        if package.name != target.package || file.role != Role::Main || !root.is_some_and(|root| is_of(file, root)) {
            return Err(not_rewritten(
                "it is in another crate than the wrappers: call it through a public function of that crate",
            ));
        }
        if self.is_shared {
            return Err(not_rewritten(
                "its file is a module in several places, and `crate::isolated` may be in one of them only",
            ));
        }
        let Some(found) = found else {
            return Err(not_rewritten("it is inside a macro call whose arguments could not be parsed"));
        };
        let takes = found.returns.map_or(Takes::Nothing, |output| fault::takes(package, file, output));
        let in_root = found.outermost && file.path == target.crate_root && !self.hides_isolated;
        let constants = |name: &str| self.wrappers.constant(package, wrapper, name);
        let ready = call::read(&self.source, found, wrapper, takes, in_root, handles, &constants)?;
        let mut edits = ready.edits(false);
        edits.retain(|edit| !obsolete::is_safety_comment(&self.source, edit));
        match self.source.loses_comment(&edits) {
            true => Err(ready.not_rewritten("a comment stands where an argument would go".to_owned())),
            false => Ok(ready),
        }
    }

    /// All edits of the file: the calls, the `unsafe` blocks that became unnecessary with their `SAFETY:` comments, and
    /// the pointers that become handles.
    fn edits(&self, ready: &ReadyCalls<'_>, found: &BTreeMap<At, Found<'_>>, handles: &Handles) -> Vec<Edit> {
        let made_safe: Vec<_> = ready.values().flat_map(|(call, _)| call.made_safe()).collect();
        let changed: BTreeSet<_> = ready.keys().chain(&made_safe).copied().collect();
        let blocks: BTreeMap<_, _> = ready
            .keys()
            .filter_map(|at| found[at].unsafe_block)
            .chain(finder::around(&self.source, &made_safe))
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
        edits.extend(handles.edits());
        edits.extend(ready.iter().flat_map(|(at, (call, _))| call.edits(in_block.contains(at))));
        edits.extend(obsolete::safety_comments(&self.source, &safe));
        edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        edits.dedup_by(|one, other| one == other && !one.range.is_empty());
        // A line that is deleted must not be outdented as well: the edits would overlap.
        outdents.retain(|outdent| !edits.iter().any(|edit| edit.range.contains(&outdent.range.start)));
        edits.append(&mut outdents);
        edits
    }

    /// Removes imports that only the rewritten calls needed, and restores the formatting.
    fn tidied(&self, text: String, rewritten: &[Rewritten]) -> String {
        let symbols: BTreeSet<&str> = rewritten.iter().map(|call| &*call.symbol).collect();
        // Whether an import is an item of the library or a C type. Traits never qualify: a trait can be in use although
        // nothing names it.
        let is_ours = |path: &[String]| {
            let words: Vec<_> = path.iter().map(String::as_str).collect();
            let declared =
                |name: &str| self.package.externs.get(name).is_some_and(|index| self.wrappers.declares(*index));
            match words[..] {
                ["std" | "core", "ffi" | "os" | "ptr" | "mem", ..] | ["std" | "core", "slice"] => true,
                [krate, ..] if declared(krate) => true,
                // C types, whichever crate exports them.
                [.., last] => symbols.contains(last) || last.starts_with("c_") || last.ends_with("_t"),
                [] => false,
            }
        };
        let of_crate = || self.package.files.iter().filter(|other| other.krate == self.file.krate);
        let elsewhere = |name: &str| {
            self.files_below().filter_map(|other| other.text().ok()).any(|text| argument::has_word(text, name))
                || of_crate().filter_map(|other| other.text().ok()).any(|text| obsolete::in_macro_rules(text, name))
        };
        let text = obsolete::without_unused_imports(&self.source, text, &is_ours, &elsewhere);
        rustfmt::laid_out_as(&self.source.text, text, &self.file.path, self.file.edition)
    }

    /// The other files of the crate that can see this file's private items.
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

/// Whether some block of the file declares or imports its own `isolated`, or may do so by a glob.
fn hides_isolated(file: &SourceFile) -> bool {
    let facts = &file.facts;
    let in_block = |at: u32| facts.blocks.iter().any(|block| (block.start..block.end).contains(&at));
    let hides = |name: Option<&str>| name.is_none_or(|name| name == "isolated");
    let imports = facts.imports.iter().filter(|import| in_block(import.at)).any(|import| hides(import.name.as_deref()));
    imports || facts.modules.iter().filter(|module| module.name == "isolated").count() > 1
}

/// Whether a file belongs to the crate with this root. The crate name is not enough: a package's library and binary can
/// share theirs.
fn is_of(file: &SourceFile, root: &SourceFile) -> bool {
    let declares =
        |name: &String| root.facts.modules.iter().any(|module| module.parents.is_empty() && module.name == *name);
    file.krate == root.krate && (file.path == root.path || file.module.first().is_some_and(declares))
}
