//! What rules may ask about the graph that a file is part of.

use crate::facts::{Definition, FileFacts, ForeignItem, ForeignKind, Scope, Span};
use crate::resolve::{File, ForeignCall, ForeignCalls, MacroUse, Place, Resolver};
use std::collections::{BTreeMap, BTreeSet};

/// The crates of a graph, with what is asked of them again and again.
pub struct Project<'a> {
    resolver: &'a Resolver<'a>,
    foreign: &'a ForeignCalls<'a>,
    /// By symbol, in the order of crates, files and places.
    declarations: BTreeMap<&'a str, Vec<Declared<'a>>>,
    /// By the file that uses the macro.
    hidden: BTreeMap<Place, Vec<&'a MacroUse<'a>>>,
    /// What the rules take for granted.
    pub(crate) settings: Settings,
}

/// What rules need to know of a project that no source file says.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Symbols that run in a domain.
    pub isolated: BTreeMap<String, IsolatedIn>,
    /// Crates that declare what a library offers of which a domain runs some functions, with the domain's name.
    pub contained: BTreeMap<usize, String>,
    /// Who has the wrappers of a domain.
    pub wrapped: BTreeMap<String, Wrapped>,
}

/// In which domain a symbol runs.
#[derive(Clone, Debug, Default)]
pub struct IsolatedIn {
    /// Its name.
    pub domain: String,
    /// Crates whose declarations mean the function there: others mean one of the same name.
    pub crates: BTreeSet<usize>,
}

impl Settings {
    /// The domain in which a function runs that a crate declares.
    pub(crate) fn domain_of(&self, symbol: &str, declaring: usize) -> Option<&str> {
        let isolated = self.isolated.get(symbol).filter(|isolated| isolated.crates.contains(&declaring))?;
        Some(&isolated.domain)
    }
}

/// Where wrappers stand.
#[derive(Clone, Debug, Default)]
pub struct Wrapped {
    /// The package.
    pub package: String,
    /// Crates that have them as their module.
    pub crates: BTreeSet<usize>,
}

/// A symbol that a crate expects others to define.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Declared<'a> {
    pub(crate) place: Place,
    pub(crate) item: &'a ForeignItem,
}

impl<'a> Project<'a> {
    /// Reads all declarations. `foreign` are the resolver's foreign calls.
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

    /// Uses of macros in a file that call something nobody could tell.
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

    /// Module path of something in a file.
    pub(crate) fn module_of(&self, place: Place, scope: &Scope) -> Vec<String> {
        self.file(place).module.iter().chain(&scope.modules).cloned().collect()
    }

    /// Whether a declaration may be part of the build.
    pub(crate) fn is_live(&self, place: Place, scope: &Scope) -> bool {
        self.file(place).may_hold(&scope.cfgs)
    }

    /// Names a place for people: `z_sys::inner`, line 12.
    pub(crate) fn describe(&self, place: Place, scope: &Scope, span: Span) -> String {
        let path = [self.resolver.crates()[place.krate].name.to_owned()];
        let module = path.iter().chain(self.file(place).module).chain(&scope.modules);
        format!("`{}`, line {}", module.map(String::as_str).collect::<Vec<_>>().join("::"), span.line)
    }

    /// The definition that a path means to code at a byte of a file, if it is one that other languages can reach.
    pub(crate) fn definition(&self, from: Place, scope: &Scope, at: u32, path: &str) -> Option<&'a Definition> {
        let facts: &'a FileFacts = self.file(from).facts;
        let functions = self.resolver.functions_of(from, scope, at, path);
        let found = functions.iter().find_map(|(place, function)| {
            let facts: &'a FileFacts = self.file(*place).facts;
            facts.definitions.iter().find(|definition| definition.span == function.span)
        });
        // Associated functions are no names of modules; those of other files are not looked for.
        found.or_else(|| {
            let (owner, name) = path.rsplit_once("::")?;
            let owner = owner.rsplit("::").next();
            facts.definitions.iter().find(|definition| definition.name == name && definition.owner.as_deref() == owner)
        })
    }
}

impl ForeignItem {
    /// What the linker resolves.
    pub fn symbol(&self) -> &str {
        self.link_name.as_deref().unwrap_or(self.name.trim_start_matches("r#"))
    }

    /// Whether it is a function.
    pub fn is_function(&self) -> bool {
        matches!(self.item, ForeignKind::Function { .. })
    }
}
