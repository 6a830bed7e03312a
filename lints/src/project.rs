//! What rules can query about the dependency graph around a file.

use crate::facts::{Definition, FileFacts, ForeignItem, ForeignKind, Scope, Span};
use crate::resolve::{File, ForeignCall, ForeignCalls, MacroUse, Place, Resolver};
use std::collections::{BTreeMap, BTreeSet};

/// The crates of a graph, indexed for the queries that rules make.
pub struct Project<'a> {
    resolver: &'a Resolver<'a>,
    foreign: &'a ForeignCalls<'a>,
    /// Keyed by symbol, each in the order of crates, files and positions.
    declarations: BTreeMap<&'a str, Vec<Declared<'a>>>,
    /// Keyed by the file that uses the macro.
    hidden: BTreeMap<Place, Vec<&'a MacroUse<'a>>>,
    /// Facts about isolation that come from the policy rather than from source files.
    pub(crate) settings: Settings,
}

/// What rules need to know about a project and no source file says.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Symbols that run in a domain.
    pub isolated: BTreeMap<String, IsolatedIn>,
    /// Crates that declare functions of a partly isolated library, with the name of its domain.
    pub contained: BTreeMap<usize, String>,
    /// Which package contains the wrappers, by domain.
    pub wrapped: BTreeMap<String, Wrapped>,
}

/// The domain in which a symbol runs.
#[derive(Clone, Debug, Default)]
pub struct IsolatedIn {
    /// Name of the domain.
    pub domain: String,
    /// Crates whose declarations mean the isolated function. Another crate's declaration may mean an unrelated function
    /// of the same name.
    pub crates: BTreeSet<usize>,
}

impl Settings {
    /// The domain in which a function declared by a crate runs.
    pub(crate) fn domain_of(&self, symbol: &str, declaring: usize) -> Option<&str> {
        let isolated = self.isolated.get(symbol).filter(|isolated| isolated.crates.contains(&declaring))?;
        Some(&isolated.domain)
    }
}

/// Where the wrappers of a domain are.
#[derive(Clone, Debug, Default)]
pub struct Wrapped {
    /// The package.
    pub package: String,
    /// Crates that contain the wrappers as a module.
    pub crates: BTreeSet<usize>,
}

/// A foreign declaration, and the file it is in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Declared<'a> {
    pub(crate) place: Place,
    pub(crate) item: &'a ForeignItem,
}

impl<'a> Project<'a> {
    /// Indexes all declarations. `foreign` are the resolver's foreign calls.
    pub fn new(resolver: &'a Resolver<'a>, foreign: &'a ForeignCalls<'a>, settings: Settings) -> Project<'a> {
        let mut declarations: BTreeMap<&str, Vec<Declared<'_>>> = BTreeMap::new();
        for (krate, of_crate) in resolver.crates().iter().enumerate() {
            for (file, of_file) in of_crate.files.iter().enumerate() {
                for item in &of_file.facts.foreign {
                    let declared = Declared { place: Place { krate, file }, item };
                    declarations.entry(item.symbol()).or_default().push(declared);
                }
            }
        }
        let mut hidden: BTreeMap<Place, Vec<&MacroUse<'_>>> = BTreeMap::new();
        for used in &foreign.hidden {
            hidden.entry(used.user).or_default().push(used);
        }
        Project { resolver, foreign, declarations, hidden, settings }
    }

    pub(crate) fn file(&self, place: Place) -> &File<'a> {
        &self.resolver.crates()[place.krate].files[place.file]
    }

    /// The foreign calls of a file, in source order.
    pub(crate) fn calls_in(&self, place: Place) -> &[ForeignCall<'a>] {
        let calls = &self.foreign.calls;
        let start = calls.partition_point(|call| call.caller < place);
        let end = calls.partition_point(|call| call.caller <= place);
        &calls[start..end]
    }

    /// Uses of macros in a file whose calls could not be resolved.
    pub(crate) fn hidden_in(&self, place: Place) -> impl Iterator<Item = &MacroUse<'a>> {
        self.hidden.get(&place).into_iter().flatten().copied()
    }

    pub(crate) fn resolver(&self) -> &Resolver<'a> {
        self.resolver
    }

    /// Every declaration of a symbol in the graph.
    pub(crate) fn declarations(&self, symbol: &str) -> &[Declared<'a>] {
        self.declarations.get(symbol).map_or(&[], Vec::as_slice)
    }

    /// The module path of an item in a file.
    pub(crate) fn module_of(&self, place: Place, scope: &Scope) -> Vec<String> {
        self.file(place).module.iter().chain(&scope.modules).cloned().collect()
    }

    /// Whether a declaration may be part of the build.
    pub(crate) fn is_live(&self, place: Place, scope: &Scope) -> bool {
        self.file(place).may_hold(&scope.cfgs)
    }

    /// Describes a location for messages: `` `z_sys::inner`, line 12 ``.
    pub(crate) fn describe(&self, place: Place, scope: &Scope, span: Span) -> String {
        let path = [self.resolver.crates()[place.krate].name.to_owned()];
        let module = path.iter().chain(self.file(place).module).chain(&scope.modules);
        format!("`{}`, line {}", module.map(String::as_str).collect::<Vec<_>>().join("::"), span.line)
    }

    /// The definition that a path at a byte of a file resolves to, if other languages can reach it.
    pub(crate) fn definition(&self, from: Place, scope: &Scope, at: u32, path: &str) -> Option<&'a Definition> {
        let facts: &'a FileFacts = self.file(from).facts;
        let functions = self.resolver.functions_of(from, scope, at, path);
        let found = functions.iter().find_map(|(place, function)| {
            let facts: &'a FileFacts = self.file(*place).facts;
            facts.definitions.iter().find(|definition| definition.span == function.span)
        });
        // An associated function that did not resolve is looked up by its type's name, in the same file only.
        found.or_else(|| {
            let (owner, name) = path.rsplit_once("::")?;
            let owner = owner.rsplit("::").next();
            facts.definitions.iter().find(|definition| definition.name == name && definition.owner.as_deref() == owner)
        })
    }
}

impl ForeignItem {
    /// The symbol that the linker resolves.
    pub fn symbol(&self) -> &str {
        self.link_name.as_deref().unwrap_or(self.name.trim_start_matches("r#"))
    }

    /// Whether it is a function.
    pub fn is_function(&self) -> bool {
        matches!(self.item, ForeignKind::Function { .. })
    }
}
