//! The callers of a C symbol: every call site, and the call chains from there up to a function that anyone may call.

use crate::{
    glob::Glob,
    graph::{Graph, Role},
    names::Names,
    nearest::nearest,
    report::dormant,
};
use camino::Utf8PathBuf;
use isolate_lints::{
    facts::{FunctionItem, Scope, SmolStr, Span},
    resolve::{ForeignCall, Place},
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The result for the symbols that match a pattern.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Sorted by name, library and declaring package. Empty if the name only occurs in calls of generated items.
    pub(crate) symbols: Vec<Symbol>,
    /// Sorted by caller and by the package with the build script.
    pub(crate) unseen: Vec<UnseenCaller>,
}

/// A package that calls a matching name in bindings that are not available, because a build script generates them.
#[derive(Debug, Serialize)]
pub(crate) struct UnseenCaller {
    /// `name@version`.
    pub(crate) package: String,
    /// The package with the build script: `name@version`.
    pub(crate) written_for: String,
    pub(crate) calls: Vec<Site>,
}

/// A foreign symbol, as declared by one package.
#[derive(Debug, Serialize)]
pub(crate) struct Symbol {
    /// The symbol that the linker resolves.
    pub(crate) name: String,
    /// Native library, from the extern block or the declaring package's `links`.
    pub(crate) library: Option<String>,
    /// The package that declares it: `name@version`.
    pub(crate) declared_in: String,
    /// Where it is declared; several places for bindings that differ by platform.
    pub(crate) declarations: Vec<Site>,
    /// Functions that use it, sorted by package and path. Empty if it is never used by name.
    pub(crate) callers: Vec<Caller>,
}

/// A function, or the code of a module outside functions, that uses a symbol.
#[derive(Debug, Serialize)]
pub(crate) struct Caller {
    #[serde(flatten)]
    pub(crate) function: Function,
    /// Calls of the symbol.
    pub(crate) calls: Vec<Use>,
    /// Uses other than calls: an address taken, or a static used.
    pub(crate) mentions: Vec<Use>,
    /// Call chains towards public functions that are not `unsafe`. Each starts with a direct caller of this function
    /// and ends with the last known one. Empty if no call by path is known, or if this is such a function itself.
    pub(crate) reached_from: Vec<Vec<Function>>,
}

/// A function, with what its signature says about callers.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Function {
    /// `name@version`.
    pub(crate) package: String,
    pub(crate) role: Role,
    /// `crate::module::function`.
    pub(crate) at: String,
    /// Declared `unsafe fn`: each caller is responsible for its contract.
    pub(crate) r#unsafe: bool,
    /// `pub`, `pub(crate)`, `trait` for a trait's function, or empty.
    pub(crate) visibility: String,
    /// Where it is; `None` for code that is not in a function with a body, such as a constant's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) site: Option<Site>,
}

/// A position in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Site {
    /// Relative to the workspace if the file is inside it.
    pub(crate) path: Utf8PathBuf,
    pub(crate) span: Span,
}

/// A use of a symbol.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Use {
    #[serde(flatten)]
    pub(crate) site: Site,
    /// The predicate that excludes it from the builds for all chosen targets: `cfg(windows)`.
    pub(crate) dormant: Option<String>,
}

/// No foreign item of the graph matches the pattern.
#[derive(Debug, thiserror::Error)]
#[error("no package of {} declares a foreign symbol `{pattern}`{}", if *.whole { "this workspace" } else { "those chosen, or that they need," }, hint(.nearest))]
pub(crate) struct NoSuchSymbol {
    pattern: String,
    /// Whether all members are selected.
    whole: bool,
    nearest: Option<String>,
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

/// The symbols whose linker name or Rust name matches a pattern, with their users in the selected members and their
/// dependencies, and calls of generated items with such a name.
///
/// # Errors
///
/// If nothing matches; the error suggests the nearest name.
pub(crate) fn symbols(names: &Names<'_>, pattern: &Glob) -> Result<Answer, NoSuchSymbol> {
    let graph = names.graph;
    let uses = Uses { graph, names, concerned: graph.concerned() };
    let mut symbols = uses.declared(pattern);
    let unseen = uses.unseen(pattern);
    if symbols.is_empty() && unseen.is_empty() {
        let all: BTreeSet<&str> = uses.foreign().map(|(_, _, item)| item.symbol()).collect();
        let word = pattern.text().to_owned();
        let nearest = nearest(&word, all).map(str::to_owned);
        let whole = graph.packages.iter().all(|package| package.selected || !package.member);
        return Err(NoSuchSymbol { pattern: word, whole, nearest });
    }
    let calls = &names.foreign_calls().calls;
    let mut of_symbols: BTreeMap<Key, Vec<&ForeignCall<'_>>> = BTreeMap::new();
    for call in calls.iter().filter(|call| uses.is_concerned(call.caller)) {
        let (package, file) = names.origin(call.callee);
        let library = graph.library(package, file, call.item).map(str::to_owned);
        let key = (call.item.symbol().to_owned(), library, graph.packages[package].id());
        if symbols.contains_key(&key) {
            of_symbols.entry(key).or_default().push(call);
        }
    }
    for (key, calls) in of_symbols {
        if let Some(symbol) = symbols.get_mut(&key) {
            symbol.callers = uses.callers(&calls);
        }
    }
    Ok(Answer { symbols: symbols.into_values().collect(), unseen })
}

/// Name, library, declaring package.
type Key = (String, Option<String>, String);

struct Uses<'u, 'g> {
    graph: &'g Graph,
    names: &'u Names<'g>,
    /// [`Graph::concerned`].
    concerned: Vec<bool>,
}

/// The location of code: in a function, in a macro definition, or outside both.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Location {
    place: Place,
    /// The enclosing inline modules in the file.
    modules: Vec<String>,
    /// The name of the function, with its type.
    function: Option<SmolStr>,
    /// The macro that the code is the definition of.
    definition: Option<SmolStr>,
}

impl Location {
    fn of(place: Place, scope: &Scope) -> Location {
        let definition = scope.in_macro.clone().filter(|_| scope.in_definition);
        Location { place, modules: scope.modules.clone(), function: scope.function.clone(), definition }
    }
}

/// A function in a call chain. `calls` is the index of the step that it calls.
struct Step<'u> {
    place: Location,
    function: Function,
    item: Option<&'u FunctionItem>,
    calls: Option<usize>,
    is_called: bool,
}

impl<'u, 'g: 'u> Uses<'u, 'g> {
    fn declared(&self, pattern: &Glob) -> BTreeMap<Key, Symbol> {
        let mut symbols: BTreeMap<Key, Symbol> = BTreeMap::new();
        for (package, file, item) in self.foreign() {
            let graph = self.graph;
            let name = item.symbol();
            if !pattern.is_match(name) && !pattern.is_match(&item.name) {
                continue;
            }
            let library = graph.library(package, file, item).map(str::to_owned);
            let declared_in = graph.packages[package].id();
            let key = (name.to_owned(), library.clone(), declared_in.clone());
            let symbol = symbols.entry(key).or_insert_with(|| Symbol {
                name: name.to_owned(),
                library,
                declared_in,
                declarations: Vec::new(),
                callers: Vec::new(),
            });
            let path = graph.relative(&graph.packages[package].files[file].path);
            symbol.declarations.push(Site { path, span: item.span });
        }
        symbols
    }

    /// Foreign items of the selected members and their dependencies.
    fn foreign(&self) -> impl Iterator<Item = (usize, usize, &'u isolate_lints::facts::ForeignItem)> {
        let packages = self.graph.packages.iter().enumerate().filter(|(index, _)| self.concerned[*index]);
        packages.flat_map(|(index, package)| {
            let files = package.files.iter().enumerate().filter(|(_, file)| package.is_reported(file.role));
            files.flat_map(move |(file, source)| source.facts.foreign.iter().map(move |item| (index, file, item)))
        })
    }

    /// Whether code belongs to the selected members or their dependencies.
    fn is_concerned(&self, place: Place) -> bool {
        let (package, file) = self.names.origin(place);
        let of = &self.graph.packages[package];
        self.concerned[package] && of.is_reported(of.files[file].role)
    }

    fn unseen(&self, pattern: &Glob) -> Vec<UnseenCaller> {
        let mut sites: BTreeMap<(usize, usize), BTreeSet<Site>> = BTreeMap::new();
        let calls = self.names.resolver().unseen_calls();
        for found in calls.into_iter().filter(|found| self.is_concerned(found.caller)) {
            let name = found.call.path.rsplit("::").next().unwrap_or_default();
            if pattern.is_match(name) {
                let (package, _) = self.names.origin(found.caller);
                let site = Site { path: self.path(found.caller), span: found.call.span };
                sites.entry((package, self.names.package(found.krate))).or_default().insert(site);
            }
        }
        let id = |package: usize| self.graph.packages[package].id();
        let callers = sites.into_iter().map(|((package, written_for), calls)| UnseenCaller {
            package: id(package),
            written_for: id(written_for),
            calls: calls.into_iter().collect(),
        });
        callers.collect()
    }

    fn callers(&self, calls: &[&ForeignCall<'_>]) -> Vec<Caller> {
        type Places = BTreeSet<Use>;
        let mut by_function: BTreeMap<Location, (Places, Places)> = BTreeMap::new();
        for call in calls {
            let scope = &call.call.scope;
            let (calls, mentions) = by_function.entry(Location::of(call.caller, scope)).or_default();
            let (package, file) = self.names.origin(call.caller);
            let package = &self.graph.packages[package];
            let dormant = dormant(package, &package.files[file], scope);
            let site = Site { path: self.path(call.caller), span: call.call.span };
            if call.mention { mentions } else { calls }.insert(Use { site, dormant });
        }
        let mut callers: Vec<_> = by_function
            .into_iter()
            .map(|(place, (calls, mentions))| Caller {
                function: self.function(&place),
                calls: calls.into_iter().collect(),
                mentions: mentions.into_iter().collect(),
                reached_from: self.call_chains(&place),
            })
            .collect();
        // Live callers come first. A file that two targets share yields a single function.
        callers.sort_by(|a, b| {
            let key = |caller: &'_ Caller| (caller.is_dormant(), caller.function.package.clone(), caller.calls.clone());
            key(a).cmp(&key(b))
        });
        callers
    }

    /// The call chains upwards from a function, found breadth first. Each ends at a public safe function or where no
    /// caller is known.
    fn call_chains(&self, start: &Location) -> Vec<Vec<Function>> {
        let mut steps = vec![self.step(start.clone(), None)];
        let mut seen = BTreeSet::from([start.clone()]);
        let mut level = vec![0];
        while !level.is_empty() {
            let open: Vec<usize> = level.into_iter().filter(|step| !steps[*step].function.is_entry()).collect();
            level = Vec::new();
            for (step, place) in self.callers_of(&steps, &open) {
                // A function that was already found is not followed again, and recursive calls do not count.
                steps[step].is_called |= steps[step].place != place;
                if seen.insert(place.clone()) {
                    level.push(steps.len());
                    steps.push(self.step(place, Some(step)));
                }
            }
        }
        let ends = (1..steps.len()).filter(|step| !steps[*step].is_called);
        let chains = ends.map(|end| {
            let chain = std::iter::successors(Some(end), |step| steps[*step].calls.filter(|next| *next != 0));
            let mut chain: Vec<Function> = chain.map(|step| steps[step].function.clone()).collect();
            chain.reverse();
            chain
        });
        chains.collect()
    }

    /// One step up from several functions: the index of the called step, and the caller or the user of the macro.
    fn callers_of(&self, steps: &[Step<'u>], open: &[usize]) -> Vec<(usize, Location)> {
        let mut found = Vec::new();
        let functions: Vec<(usize, &FunctionItem)> =
            open.iter().filter_map(|step| Some((*step, steps[*step].item?))).collect();
        if !functions.is_empty() {
            let items: Vec<&FunctionItem> = functions.iter().map(|(_, item)| *item).collect();
            let calls = self.names.resolver().calls_of(&items);
            for call in calls.into_iter().filter(|call| self.is_concerned(call.caller)) {
                let called = functions.iter().find(|(_, item)| std::ptr::eq(*item, call.item));
                found.extend(called.map(|(step, _)| (*step, Location::of(call.caller, &call.call.scope))));
            }
        }
        let definition = |step: &usize| {
            let Location { place, definition, .. } = &steps[*step].place;
            Some((*step, (place.krate, definition.as_deref()?)))
        };
        let macros: Vec<(usize, (usize, &str))> = open.iter().filter_map(definition).collect();
        if !macros.is_empty() {
            let definitions: Vec<(usize, &str)> = macros.iter().map(|(_, definition)| *definition).collect();
            let uses = self.names.resolver().uses_of(&definitions);
            for (user, fact, of) in uses.into_iter().filter(|(user, ..)| self.is_concerned(*user)) {
                let used = macros.iter().filter(|(_, definition)| *definition == of);
                found.extend(used.map(|(step, _)| (*step, Location::of(user, &fact.scope))));
            }
        }
        found
    }

    fn step(&self, place: Location, calls: Option<usize>) -> Step<'u> {
        Step { function: self.function(&place), item: self.item(&place), place, calls, is_called: false }
    }

    fn item(&self, Location { place, modules, function, definition }: &Location) -> Option<&'u FunctionItem> {
        let facts = self.names.resolver().crates()[place.krate].files[place.file].facts;
        let function = function.as_deref().filter(|_| definition.is_none())?;
        facts.functions.iter().find(|item| item.scope.modules == *modules && item.full_name() == function)
    }

    fn function(&self, place: &Location) -> Function {
        let (package, file) = self.names.origin(place.place);
        let package = &self.graph.packages[package];
        let source = &package.files[file];
        let item = self.item(place);
        let (modules, function) = (place.modules.clone(), place.function.clone());
        let mut at = source.function_path(&Scope { modules, function, ..Scope::default() });
        if let Some(name) = &place.definition {
            at += &format!("::{name}!");
        }
        Function {
            package: package.id(),
            role: source.role,
            at,
            r#unsafe: item.is_some_and(|item| item.is_unsafe),
            visibility: match item {
                Some(item) if item.of_trait => "trait".to_owned(),
                Some(item) => item.visibility.to_string(),
                None => String::new(),
            },
            site: item.map(|item| Site { path: self.path(place.place), span: item.span }),
        }
    }

    fn path(&self, place: Place) -> Utf8PathBuf {
        let (package, file) = self.names.origin(place);
        self.graph.relative(&self.graph.packages[package].files[file].path)
    }
}

impl Caller {
    /// Whether no chosen target compiles any of its uses.
    pub(crate) fn is_dormant(&self) -> bool {
        self.calls.iter().chain(&self.mentions).all(|used| used.dormant.is_some())
    }
}

impl Function {
    /// Whether anyone may call it without `unsafe`.
    pub(crate) fn is_entry(&self) -> bool {
        !self.r#unsafe && matches!(self.visibility.as_str(), "pub" | "trait")
    }
}
