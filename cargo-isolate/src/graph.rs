//! The workspace and its dependencies with the facts of every source file: the output of `sources` and the input of
//! every later stage.

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
    /// Cargo's target directory; cargo-isolate writes only to `isolate` below it.
    pub(crate) target: Utf8PathBuf,
    /// The platforms that the code was analysed for: `x86_64-linux-gnu`, several, or `all`.
    pub(crate) platforms: BTreeSet<String>,
    /// The builds that the code was analysed for, as platforms and cargo flags: `x86_64-linux-gnu --all-features`.
    pub(crate) conditions: String,
    /// Whether the workspace was built first, so that the output of build scripts is available.
    pub(crate) expanded: bool,
    /// Members first, then dependencies; each group sorted by name and version.
    pub(crate) packages: Vec<Package>,
}

/// A package.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Cargo's package id, for comparison with those in build messages.
    pub(crate) key: PackageId,
    /// Directory of its `Cargo.toml`.
    pub(crate) root: Utf8PathBuf,
    /// Whether it is a member of the workspace rather than a dependency.
    pub(crate) member: bool,
    /// Whether it is in a local directory rather than from a registry or git.
    pub(crate) local: bool,
    /// Whether it is a member that the command line selects.
    pub(crate) selected: bool,
    /// The output directory of its build script, if that ran.
    pub(crate) out_dir: Option<Utf8PathBuf>,
    /// `links = "…"`.
    pub(crate) links: Option<String>,
    /// The crate name of its library; `None` without a library.
    pub(crate) lib: Option<String>,
    /// Crates that its code can name: extern crate name (renames applied) → index in [`Graph::packages`].
    pub(crate) externs: BTreeMap<String, usize>,
    /// Source files, in module-tree order per target. A file that several targets share is listed once, under the first
    /// that compiles it.
    pub(crate) files: Vec<SourceFile>,
    /// Its files that could not be scanned.
    pub(crate) gaps: Vec<Gap>,
}

/// A source file and its facts.
#[derive(Debug)]
pub(crate) struct SourceFile {
    pub(crate) path: Utf8PathBuf,
    /// The text as the compiler sees it: without byte order mark, and with `\n` for `\r\n`. Spans are byte ranges of
    /// this text, which may differ from that on disk.
    pub(crate) text: Text,
    /// The role of the target that it was reached from.
    pub(crate) role: Role,
    /// The crate name of that target, with which module paths start.
    pub(crate) krate: String,
    pub(crate) edition: Edition,
    /// Module path within its crate: empty for a crate root, `["ffi", "raw"]` for `src/ffi/raw.rs`.
    pub(crate) module: Vec<String>,
    /// `cfg` predicates on the `mod` items that lead to the file, outermost first.
    pub(crate) cfgs: Vec<String>,
    /// The configurations of that target for the chosen platforms.
    pub(crate) configs: Arc<Configs>,
    /// Other targets of the package that have the file, and other modules that it is loaded as. Code that is dormant in
    /// one may be live in another.
    pub(crate) also: Vec<Reach>,
    pub(crate) facts: FileFacts,
    /// Uses of procedural macros in the file whose expansion is available; empty without a build.
    pub(crate) expansions: Vec<Expansion>,
}

/// A further target or module that a file belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Reach {
    pub(crate) role: Role,
    pub(crate) krate: String,
    /// Like [`SourceFile::module`].
    pub(crate) module: Vec<String>,
    /// Like [`SourceFile::cfgs`].
    pub(crate) cfgs: Vec<String>,
    pub(crate) configs: Arc<Configs>,
}

/// The expansion of a use of a procedural macro.
#[derive(Debug)]
pub(crate) struct Expansion {
    /// The use as it is written: `name!`, `#[name]` or `#[derive(Name)]`.
    pub(crate) from: String,
    /// The position of the use.
    pub(crate) span: Span,
    /// Unsafe constructs of the expansion, all with the use's span because they are in no source file.
    pub(crate) unsafes: Vec<UnsafeFact>,
}

impl Graph {
    /// Whether the code was analysed for the platform that domains exist on, and no other.
    pub(crate) fn has_domains(&self) -> bool {
        self.platforms.iter().eq(["x86_64-linux-gnu"])
    }

    /// Symbols that Rust code exports: package, file and symbol.
    pub(crate) fn exports(&self) -> impl Iterator<Item = (&Package, &SourceFile, &str)> {
        let files = self.packages.iter().flat_map(|package| package.files.iter().map(move |file| (package, file)));
        files.flat_map(|(package, file)| {
            let symbols = file.facts.definitions.iter().filter_map(|definition| definition.symbol.as_deref());
            symbols.map(move |symbol| (package, file, symbol))
        })
    }

    /// The package with a name. Members take precedence, and later versions over earlier ones.
    pub(crate) fn named(&self, name: &str) -> Option<usize> {
        let named = |index: &usize| self.packages[*index].name == name;
        let member = |index: &usize| named(index) && self.packages[*index].member;
        let mut all = 0..self.packages.len();
        all.clone().find(member).or_else(|| all.rfind(named))
    }

    /// A path as reports show it: relative to the workspace root if it is inside, otherwise absolute.
    pub(crate) fn relative(&self, path: &Utf8Path) -> Utf8PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }

    /// The library of a foreign item: that of its extern block, or else the declaring package's `links`. The symbols
    /// that wrappers declare are defined by the linker and belong to no library.
    pub(crate) fn library<'g>(&'g self, package: usize, file: usize, item: &'g ForeignItem) -> Option<&'g str> {
        let package = &self.packages[package];
        let linked = package.links.as_ref().filter(|_| package.files[file].role != Role::Generated);
        item.library.as_ref().or(linked).map(String::as_str)
    }

    /// Whether the selected packages and all of their dependencies are complete.
    pub(crate) fn is_complete(&self) -> bool {
        let concerned = self.concerned();
        self.packages.iter().zip(concerned).all(|(package, concerned)| !concerned || package.is_complete())
    }

    /// For each package, whether it is selected or a direct or indirect dependency of a selected one. If all members
    /// are selected, this is every package.
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

/// The name in an id that [`Package::id`] returned.
pub(crate) fn name_of(id: &str) -> &str {
    id.rsplit_once('@').map_or(id, |(name, _)| name)
}

impl Package {
    /// The path of a place in one of its files, as reports show it and exceptions match it: `crate::module::function`.
    pub(crate) fn place(&self, file: &SourceFile, scope: &Scope) -> String {
        match (file.krate.is_empty(), &scope.function) {
            (false, _) => file.function_path(scope),
            (true, Some(function)) => format!("{}::{function}", self.name),
            (true, None) => self.name.clone(),
        }
    }

    /// Whether reports cover its files of a role. Tests and the like of an unselected package are never built.
    pub(crate) fn is_reported(&self, role: Role) -> bool {
        self.selected || !matches!(role, Role::Test | Role::Bench | Role::Example | Role::Unreached)
    }

    /// The root of the crate that gets its wrappers: of its library, which its binaries can call, if it has one.
    pub(crate) fn crate_root(&self) -> Option<&SourceFile> {
        let roots = || self.files.iter().filter(|file| file.role == Role::Main && file.module.is_empty());
        let library = self.lib.as_ref().and_then(|lib| roots().find(|file| file.krate == *lib));
        library.or_else(|| roots().next())
    }

    /// `name@version`, as cargo writes it.
    pub(crate) fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// The names of the package and its crates, which policies may refer to its code by.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.name).chain(self.files.iter().map(|file| &*file.krate))
    }

    /// Whether everything that reports cover was read, parsed and accounted for. Otherwise there may be more findings.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_written_completely() && !self.gaps.iter().any(Gap::is_of_wrappers)
    }

    /// Like [`Package::is_complete`], for hand-written code only: wrappers may not exist yet.
    pub(crate) fn is_written_completely(&self) -> bool {
        let is_known = |file: &SourceFile| file.facts.errors.is_empty() && file.facts.unexplained() == 0;
        let is_missing = |gap: &Gap| gap.why.is_incomplete() && self.is_reported(gap.role) && !gap.is_of_wrappers();
        !self.gaps.iter().any(is_missing)
            && self.files.iter().all(|file| is_known(file) || !self.is_reported(file.role))
    }

    /// Whether it includes items that its build script generates, which are only available after a build.
    pub(crate) fn has_unseen_items(&self) -> bool {
        let reached = self.files.iter().filter(|file| file.role != Role::Unreached);
        reached.flat_map(|file| &file.facts.unexpanded).any(Unexpanded::is_generated)
    }
}

impl SourceFile {
    /// It is compiled into the crate of this root: every target has configurations of its own.
    pub(crate) fn is_of_crate(&self, root: &SourceFile) -> bool {
        let also = self.also.iter().map(|reach| &reach.configs);
        std::iter::once(&self.configs).chain(also).any(|configs| Arc::ptr_eq(configs, &root.configs))
    }

    /// `crate::module` of something in this file.
    pub(crate) fn module_path(&self, scope: &Scope) -> String {
        let mut path = self.krate.clone();
        for module in self.module.iter().chain(&scope.modules) {
            path.push_str("::");
            path.push_str(module);
        }
        path
    }

    /// Like [`SourceFile::module_path`], with the function. Functions of an `impl crate::Stream` are named by the
    /// type's path, not by the module of the `impl`.
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

    /// The text of the file, which may have to be read again.
    ///
    /// # Errors
    ///
    /// If the file has changed since it was scanned.
    pub(crate) fn text(&self) -> std::io::Result<&str> {
        self.text.get(&self.path)
    }

    /// Whether code under these predicates and those of the file is compiled.
    pub(crate) fn presence(&self, cfgs: &[String]) -> Presence {
        match self.role {
            Role::Unreached => Presence::Dormant,
            _ => self.best(|configs, around| configs.presence(around.iter().chain(cfgs))),
        }
    }

    /// The configurations of each target that has the file, with the predicates that lead to it there.
    fn reaches(&self) -> impl Iterator<Item = (&Configs, &[String])> {
        let others = self.also.iter().map(|reach| (&*reach.configs, &*reach.cfgs));
        std::iter::once((&*self.configs, &*self.cfgs)).chain(others)
    }

    fn best(&self, of: impl Fn(&Configs, &[String]) -> Presence) -> Presence {
        self.reaches().map(|(configs, around)| of(configs, around)).min().unwrap_or(Presence::Dormant)
    }

    /// Like [`SourceFile::presence`] where a choice must be made, see [`Configs::likely`].
    pub(crate) fn likely(&self, cfgs: &[String]) -> Presence {
        match self.role {
            Role::Unreached => Presence::Dormant,
            _ => self.best(|configs, around| configs.likely(around.iter().chain(cfgs))),
        }
    }

    /// Whether code under these predicates would be compiled with other features.
    pub(crate) fn needs_features(&self, cfgs: &[String]) -> bool {
        let with_any =
            |configs: &Configs, around: &[String]| configs.with_any_features().likely(around.iter().chain(cfgs));
        self.likely(cfgs) == Presence::Dormant
            && self.role != Role::Unreached
            && self.best(with_any) != Presence::Dormant
    }

    /// Why code under these predicates is dormant, to follow "dormant: ".
    pub(crate) fn hidden_by(&self, cfgs: &[String]) -> Option<String> {
        if self.role == Role::Unreached {
            return Some("no `mod` leads to this file".to_owned());
        }
        if !self.also.is_empty() && self.presence(cfgs) != Presence::Dormant {
            return None;
        }
        self.configs.hidden_by(self.cfgs.iter().chain(cfgs)).map(|predicates| format!("cfg({predicates})"))
    }

    /// The role of code under these predicates. In files of the library and binaries, code that only tests compile has
    /// the role of tests.
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
    /// The role of another target that compiles the code, if the file's own does not.
    fn role_of_other(&self, cfgs: &[String]) -> Option<Role> {
        let is_live =
            |configs: &Configs, around: &[String]| configs.presence(around.iter().chain(cfgs)) != Presence::Dormant;
        if self.also.is_empty() || is_live(&self.configs, &self.cfgs) {
            return None;
        }
        self.also.iter().find(|reach| is_live(&reach.configs, &reach.cfgs)).map(|reach| reach.role)
    }
}

/// A file of a package that was not scanned.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Gap {
    /// The file; if it does not exist, the first place where it was expected.
    pub(crate) path: Utf8PathBuf,
    /// The `mod` item that refers to it, as file and span; `None` for a target's root.
    pub(crate) from: Option<(Utf8PathBuf, Span)>,
    pub(crate) why: GapKind,
    pub(crate) role: Role,
}

impl Gap {
    /// Whether `wrap` will create the file.
    pub(crate) fn is_of_wrappers(&self) -> bool {
        self.why == GapKind::Missing && is_of_wrappers(&self.path)
    }
}

/// Whether a path is the first candidate for a crate root's `mod isolated;`.
pub(crate) fn is_of_wrappers(path: &Utf8Path) -> bool {
    path.file_stem() == Some("isolated")
}

/// Why a file was not scanned.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum GapKind {
    /// It exists but could not be read, for this reason.
    Unreadable(String),
    /// No file exists for a `mod name;`.
    Missing,
    /// No file exists for a `mod name;` under a `cfg` or in a macro call. Most likely it is never compiled here.
    MissingCfg,
}

impl GapKind {
    /// Whether code may have been missed.
    pub(crate) fn is_incomplete(&self) -> bool {
        !matches!(self, GapKind::MissingCfg)
    }
}

/// The role of a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// Library or binary.
    Main,
    /// A file of the library or binary that is exactly what `wrap` writes. [`crate::wrap::mark_generated`] assigns this
    /// role, not `sources`.
    Generated,
    ProcMacro,
    BuildScript,
    Test,
    Bench,
    Example,
    /// None: a file below a member's `src` that no `mod` leads to.
    Unreached,
}
