//! The workspace and its dependencies with the facts of every source file: what `sources` hands to everything later.

use crate::text::Text;
use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::PackageId;
use isolate_lints::{
    Edition,
    cfg::{Configs, Presence},
    facts::{FileFacts, ForeignItem, Scope, Span, Unexpanded, UnsafeFact},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// All packages that one `cargo metadata` run resolved.
#[derive(Debug)]
pub(crate) struct Graph {
    /// Directory of the workspace's `Cargo.toml`.
    pub(crate) root: Utf8PathBuf,
    /// Where cargo builds; our own files go to `target/isolate` only.
    pub(crate) target: Utf8PathBuf,
    /// What the code was looked at for: `x86_64-linux-gnu`, several, or `all`.
    pub(crate) platforms: BTreeSet<String>,
    /// For which builds that was, as platforms and cargo's own flags: `x86_64-linux-gnu --all-features`.
    pub(crate) conditions: String,
    /// It was built first: what build scripts write was seen.
    pub(crate) expanded: bool,
    /// Members first, then dependencies; each group sorted by name and version.
    pub(crate) packages: Vec<Package>,
}

/// One package.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// What cargo calls it in messages about builds: nothing but equal to another.
    pub(crate) key: PackageId,
    /// Directory of its `Cargo.toml`.
    pub(crate) root: Utf8PathBuf,
    /// Of this workspace, as opposed to a dependency.
    pub(crate) member: bool,
    /// Of a folder of somebody's, as opposed to a registry or cargo's own copy of a repository.
    pub(crate) local: bool,
    /// A member that the command line chose to report on.
    pub(crate) selected: bool,
    /// Where its build script wrote, if it ran.
    pub(crate) out_dir: Option<Utf8PathBuf>,
    /// `links = "…"`.
    pub(crate) links: Option<String>,
    /// Name its library goes by as a crate; `None` without a library.
    pub(crate) lib: Option<String>,
    /// Crates that its code can name: extern crate name (renames applied) → index in [`Graph::packages`].
    pub(crate) externs: BTreeMap<String, usize>,
    /// Source files, in module-tree order per target. A file that several targets share is listed once, for the first that
    /// compiles it.
    pub(crate) files: Vec<SourceFile>,
    /// What of it could not be scanned.
    pub(crate) gaps: Vec<Gap>,
}

/// One source file, read and scanned.
#[derive(Debug)]
pub(crate) struct SourceFile {
    pub(crate) path: Utf8PathBuf,
    /// Its text as the compiler takes it: without byte order mark, `\n` for `\r\n`. Spans count bytes of this text, which
    /// are not always those on disk.
    pub(crate) text: Text,
    /// Target it was reached from.
    pub(crate) role: Role,
    /// Crate name of that target: module paths start here.
    pub(crate) krate: String,
    pub(crate) edition: Edition,
    /// Module path within its crate: empty for a crate root, `["ffi", "raw"]` for `src/ffi/raw.rs`.
    pub(crate) module: Vec<String>,
    /// Predicates on the `mod` items that lead to it, outermost first.
    pub(crate) cfgs: Vec<String>,
    /// How that target is compiled, for each chosen platform.
    pub(crate) configs: Arc<Configs>,
    /// Other ways to the file, of other targets of the package or as another module: what one leaves out may be live by
    /// another.
    pub(crate) also: Vec<Reach>,
    pub(crate) facts: FileFacts,
    /// Uses of procedural macros in it whose output was seen; empty without a build.
    pub(crate) expansions: Vec<Expansion>,
}

/// A target's way to a file that it shares with another one, or has as another module too.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    pub(crate) role: Role,
    pub(crate) krate: String,
    /// As [`SourceFile::module`].
    pub(crate) module: Vec<String>,
    /// As [`SourceFile::cfgs`].
    pub(crate) cfgs: Vec<String>,
    pub(crate) configs: Arc<Configs>,
}

/// What a procedural macro wrote at one of its uses.
#[derive(Debug)]
pub(crate) struct Expansion {
    /// The use, as one writes it: `name!`, `#[name]`, `#[derive(Name)]`.
    pub(crate) from: String,
    /// Its place.
    pub(crate) span: Span,
    /// Unsafe constructs that stand in no file, all at that place.
    pub(crate) unsafes: Vec<UnsafeFact>,
}

impl Graph {
    /// Whether the code was looked at for the platform on which the runtime makes domains, and for no other.
    pub(crate) fn has_domains(&self) -> bool {
        self.platforms.iter().eq(["x86_64-linux-gnu"])
    }

    /// What Rust code defines under a name that other languages can reach: where, and the name.
    pub(crate) fn exports(&self) -> impl Iterator<Item = (&Package, &SourceFile, &str)> {
        let files = self.packages.iter().flat_map(|package| package.files.iter().map(move |file| (package, file)));
        files.flat_map(|(package, file)| {
            let symbols = file.facts.definitions.iter().filter_map(|definition| definition.symbol.as_deref());
            symbols.map(move |symbol| (package, file, symbol))
        })
    }

    /// The package that somebody means by a name: a member first; of several versions, the last.
    pub(crate) fn named(&self, name: &str) -> Option<usize> {
        let named = |index: &usize| self.packages[*index].name == name;
        let member = |index: &usize| named(index) && self.packages[*index].member;
        let mut all = 0..self.packages.len();
        all.clone().find(member).or_else(|| all.rfind(named))
    }

    /// A path as reports show it: from the workspace root where it lies in there, else in full.
    pub(crate) fn relative(&self, path: &Utf8Path) -> Utf8PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }

    /// The library of a foreign item that a file of a package declares: what its block links, else what the package says it
    /// links. Wrappers declare symbols that the linker makes, which are no library's.
    pub(crate) fn library<'g>(&'g self, package: usize, file: usize, item: &'g ForeignItem) -> Option<&'g str> {
        let package = &self.packages[package];
        let linked = package.links.as_ref().filter(|_| package.files[file].role != Role::Generated);
        item.library.as_ref().or(linked).map(String::as_str)
    }

    /// Whether what is selected, and all that it is made of, is complete.
    pub(crate) fn is_complete(&self) -> bool {
        let concerned = self.concerned();
        self.packages.iter().zip(concerned).all(|(package, concerned)| !concerned || package.is_complete())
    }

    /// For each package, whether what is selected is made of it: selected itself, or reached from what is. With all members
    /// selected, every package is.
    pub(crate) fn concerned(&self) -> Vec<bool> {
        if self.packages.iter().all(|package| package.selected || !package.member) {
            return vec![true; self.packages.len()];
        }
        let mut concerned = vec![false; self.packages.len()];
        let mut open: Vec<usize> = (0..self.packages.len()).filter(|index| self.packages[*index].selected).collect();
        while let Some(index) = open.pop() {
            if !std::mem::replace(&mut concerned[index], true) {
                open.extend(self.packages[index].externs.values());
            }
        }
        concerned
    }
}

/// The name in what [`Package::id`] gives.
pub(crate) fn name_of(id: &str) -> &str {
    id.rsplit_once('@').map_or(id, |(name, _)| name)
}

impl Package {
    /// What exceptions and reports call a place in one of its files: `crate::module::function`.
    pub(crate) fn place(&self, file: &SourceFile, scope: &Scope) -> String {
        match (file.krate.is_empty(), &scope.function) {
            (false, _) => file.function_path(scope),
            (true, Some(function)) => format!("{}::{function}", self.name),
            (true, None) => self.name.clone(),
        }
    }

    /// Whether a report is about its files of a role: nobody builds the tests of what is there only because another needs it.
    pub(crate) fn is_reported(&self, role: Role) -> bool {
        self.selected || !matches!(role, Role::Test | Role::Bench | Role::Example | Role::Unreached)
    }

    /// `name@version`, as cargo writes it.
    pub(crate) fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// Its name and those of its crates: what a policy may call its code by.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.name).chain(self.files.iter().map(|file| &*file.krate))
    }

    /// Whether all of it that a report is about was read, parsed and understood: what was not may hold more.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_written_completely() && !self.gaps.iter().any(Gap::is_of_wrappers)
    }

    /// The same of what people write: wrappers may be still to come.
    pub(crate) fn is_written_completely(&self) -> bool {
        let is_known = |file: &SourceFile| file.facts.errors.is_empty() && file.facts.unexplained() == 0;
        let is_missing = |gap: &Gap| gap.why.is_incomplete() && self.is_reported(gap.role) && !gap.is_of_wrappers();
        !self.gaps.iter().any(is_missing)
            && self.files.iter().all(|file| is_known(file) || !self.is_reported(file.role))
    }

    /// Whether it includes items that its build script writes, which are there after a build only.
    pub(crate) fn has_unseen_items(&self) -> bool {
        let reached = self.files.iter().filter(|file| file.role != Role::Unreached);
        reached.flat_map(|file| &file.facts.unexpanded).any(Unexpanded::is_generated)
    }
}

impl SourceFile {
    /// `crate::module` of something in this file.
    pub(crate) fn module_path(&self, scope: &Scope) -> String {
        let mut path = self.krate.clone();
        for module in self.module.iter().chain(&scope.modules) {
            path.push_str("::");
            path.push_str(module);
        }
        path
    }

    /// The same with the function. An `impl crate::Stream` names its functions after where the type is, not where it stands.
    pub(crate) fn function_path(&self, scope: &Scope) -> String {
        let Some(mut function) = scope.function.as_deref() else { return self.module_path(scope) };
        let mut modules: Vec<&str> = self.module.iter().chain(&scope.modules).map(String::as_str).collect();
        while let Some((first, rest)) = function.split_once("::") {
            match first {
                "crate" => modules.clear(),
                "super" => drop(modules.pop()),
                "self" => {}
                _ => break,
            }
            function = rest;
        }
        let around = [self.krate.as_str()].into_iter().chain(modules);
        around.chain([function]).collect::<Vec<_>>().join("::")
    }

    /// Its text, read again where it is not at hand.
    ///
    /// # Errors
    ///
    /// The file is not any more what was scanned.
    pub(crate) fn text(&self) -> std::io::Result<&str> {
        self.text.get(&self.path)
    }

    /// Whether code under these predicates, and those of the file, is compiled.
    pub(crate) fn presence(&self, cfgs: &[String]) -> Presence {
        match self.role {
            Role::Unreached => Presence::Dormant,
            _ => self.best(|configs, around| configs.presence(around.iter().chain(cfgs))),
        }
    }

    /// What each target that has the file is compiled with, and the predicates on the way to it there.
    fn ways(&self) -> impl Iterator<Item = (&Configs, &[String])> {
        let others = self.also.iter().map(|reach| (&*reach.configs, &*reach.cfgs));
        std::iter::once((&*self.configs, &*self.cfgs)).chain(others)
    }

    fn best(&self, of: impl Fn(&Configs, &[String]) -> Presence) -> Presence {
        self.ways().map(|(configs, around)| of(configs, around)).min().unwrap_or(Presence::Dormant)
    }

    /// The same where a choice must be made, see [`Configs::likely`].
    pub(crate) fn likely(&self, cfgs: &[String]) -> Presence {
        match self.role {
            Role::Unreached => Presence::Dormant,
            _ => self.best(|configs, around| configs.likely(around.iter().chain(cfgs))),
        }
    }

    /// Whether code under these predicates is in a build with other features.
    pub(crate) fn needs_features(&self, cfgs: &[String]) -> bool {
        let with_any =
            |configs: &Configs, around: &[String]| configs.with_any_features().likely(around.iter().chain(cfgs));
        self.likely(cfgs) == Presence::Dormant
            && self.role != Role::Unreached
            && self.best(with_any) != Presence::Dormant
    }

    /// What keeps code under these predicates out of the build, to follow "dormant: ".
    pub(crate) fn hidden_by(&self, cfgs: &[String]) -> Option<String> {
        if self.role == Role::Unreached {
            return Some("no `mod` leads to this file".to_owned());
        }
        if !self.also.is_empty() && self.presence(cfgs) != Presence::Dormant {
            return None;
        }
        self.configs.hidden_by(self.cfgs.iter().chain(cfgs)).map(|predicates| format!("cfg({predicates})"))
    }

    /// What code under these predicates is for: in the library's and binaries' files, what only tests have is of tests.
    pub(crate) fn role_of(&self, cfgs: &[String]) -> Role {
        if let Some(other) = self.role_of_other(cfgs) {
            return other;
        }
        let only_tests = || {
            self.presence(cfgs) == Presence::Dormant
                && self.configs.tested().presence(self.cfgs.iter().chain(cfgs)) != Presence::Dormant
        };
        match self.role {
            Role::Main | Role::ProcMacro if !cfgs.is_empty() || !self.cfgs.is_empty() => {
                if only_tests() {
                    Role::Test
                } else {
                    self.role
                }
            }
            role => role,
        }
    }
}

impl SourceFile {
    /// The role of the target that has what this one leaves out.
    fn role_of_other(&self, cfgs: &[String]) -> Option<Role> {
        let is_live =
            |configs: &Configs, around: &[String]| configs.presence(around.iter().chain(cfgs)) != Presence::Dormant;
        if self.also.is_empty() || is_live(&self.configs, &self.cfgs) {
            return None;
        }
        self.also.iter().find(|reach| is_live(&reach.configs, &reach.cfgs)).map(|reach| reach.role)
    }
}

/// A file that belongs to a package and was not scanned.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Gap {
    /// The file: where it was looked for first, when it does not exist.
    pub(crate) path: Utf8PathBuf,
    /// What asked for it: the file and place of a `mod` item; `None` for a target's root.
    pub(crate) from: Option<(Utf8PathBuf, Span)>,
    pub(crate) why: GapKind,
    pub(crate) role: Role,
}

impl Gap {
    /// `wrap` writes it.
    pub(crate) fn is_of_wrappers(&self) -> bool {
        self.why == GapKind::Missing && is_of_wrappers(&self.path)
    }
}

/// Where `mod isolated;` of a crate's root leads first.
pub(crate) fn is_of_wrappers(path: &Utf8Path) -> bool {
    path.file_stem() == Some("isolated")
}

/// Why a file was not scanned.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum GapKind {
    /// It exists and could not be read, with the reason.
    Unreadable(String),
    /// `mod name;` has no file anywhere.
    Missing,
    /// `mod name;` has no file, and stands under a `cfg` or in a macro call: most likely never compiled here.
    MissingCfg,
}

impl GapKind {
    /// Whether code may have been missed.
    pub(crate) fn is_incomplete(&self) -> bool {
        !matches!(self, GapKind::MissingCfg)
    }
}

/// What a source file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// Library or binary.
    Main,
    /// A file of the library or binary that is exactly what `wrap` writes. `sources` gives it to none:
    /// [`crate::wrap::mark_generated`] does.
    Generated,
    ProcMacro,
    BuildScript,
    Test,
    Bench,
    Example,
    /// Of nothing: a file below a member's `src` that no `mod` leads to.
    Unreached,
}
