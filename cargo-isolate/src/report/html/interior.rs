//! The interior-unsafe graph: functions that contain unsafe blocks and call foreign symbols, and their direct and
//! indirect callers.
//!
//! Calls of paths are resolved as in [`isolate_lints::resolve`]. Method calls, closures and function pointers are not
//! followed, so callers through them are missing.

use super::super::collect::Counted;
use crate::{
    graph::{Graph, Role, SourceFile},
    names::Names,
};
use isolate_lints::{
    facts::{CallFact, FunctionItem, Operation, OperationKind, Scope, Span, UnsafeKind},
    resolve::Place,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The graph for some of the packages.
#[derive(Debug, Default)]
pub(super) struct Interior {
    /// Sorted by package, path and file.
    pub(super) functions: Vec<Function>,
}

/// A function, or the code of a module outside functions.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) package: usize,
    /// Index of the file in its package.
    pub(super) file: usize,
    /// The line of its name, or of its first block or call.
    pub(super) line: u32,
    /// `crate::module::function`.
    pub(super) at: String,
    /// `crate::module`.
    pub(super) module: String,
    /// Which builds contain it. If code in several builds has this path, the most common of them.
    pub(super) built: Built,
    /// `unsafe fn`: its callers are responsible for its contract.
    pub(super) is_unsafe: bool,
    pub(super) blocks: Vec<Block>,
    /// Foreign symbols used outside its blocks, as unsafe functions of older editions may.
    pub(super) symbols: BTreeSet<String>,
    /// Indices of the functions that it calls.
    pub(super) calls: BTreeSet<usize>,
}

/// Which builds contain something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Built {
    /// Builds of the library, the binaries or the build script.
    Live,
    /// Only builds of tests, benchmarks or examples.
    Test,
    /// No build for a chosen target.
    Dormant,
}

/// An unsafe block.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) built: Built,
    pub(super) span: Span,
    /// One past the last byte of the block.
    pub(super) end: u32,
    /// Whether it has a safety comment.
    pub(super) argued: bool,
    /// The kinds of its operations other than calls, without duplicates.
    pub(super) operations: Vec<OperationKind>,
    /// Foreign symbols that it uses.
    pub(super) symbols: BTreeSet<String>,
}

/// Package, path, and index of the file: a function with one definition per platform is in several files.
type Key = (usize, String, usize);

/// The graph of the packages whose index `shown` accepts.
pub(super) fn interior(names: &Names<'_>, shown: impl Fn(usize) -> bool) -> Interior {
    let graph = names.graph;
    let mut builder = Builder { graph, functions: BTreeMap::new() };
    for (index, package) in graph.packages.iter().enumerate().filter(|(index, _)| shown(*index)) {
        for (position, file) in package.files.iter().enumerate() {
            builder.blocks(index, position, file, names.operations(index, position));
        }
    }
    for call in &names.foreign_calls().calls {
        let (package, file) = names.origin(call.caller);
        if shown(package) {
            let symbol = call.item.symbol();
            builder.symbol(package, file, call.call, symbol);
        }
    }
    builder.callers(names, &shown)
}

struct Builder<'g> {
    graph: &'g Graph,
    functions: BTreeMap<Key, Function>,
}

impl<'g> Builder<'g> {
    fn blocks(&mut self, package: usize, position: usize, file: &SourceFile, operations: Vec<Vec<Operation>>) {
        for (fact, operations) in file.facts.unsafes.iter().zip(operations) {
            match fact.kind {
                UnsafeKind::Block | UnsafeKind::MacroToken => {
                    let operations: BTreeSet<_> = operations.iter().map(|operation| operation.kind).collect();
                    let block = Block {
                        built: self.built(package, position, &fact.scope),
                        span: fact.span,
                        end: fact.end,
                        argued: fact.safety.is_some(),
                        operations: operations.into_iter().filter(|kind| *kind != OperationKind::Call).collect(),
                        symbols: BTreeSet::new(),
                    };
                    self.function(package, position, &fact.scope, fact.span.line).blocks.push(block);
                }
                UnsafeKind::Function => {
                    // The fact's scope is that of the code around the function, not of its body.
                    let header = fact.span.start..fact.span.end;
                    if let Some(item) = file.facts.functions.iter().find(|item| header.contains(&item.span.start)) {
                        self.function(package, position, &scope_within(item), fact.span.line).is_unsafe = true;
                    }
                }
                _ => {}
            }
        }
    }

    fn symbol(&mut self, package: usize, file: usize, call: &CallFact, symbol: &str) {
        let at = call.span.start;
        let function = self.function(package, file, &call.scope, call.span.line);
        // The innermost block around the call.
        let block = function.blocks.iter_mut().rev().find(|block| (block.span.start..block.end).contains(&at));
        block.map_or(&mut function.symbols, |block| &mut block.symbols).insert(symbol.to_owned());
    }

    fn function(&mut self, package: usize, file: usize, scope: &Scope, line: u32) -> &mut Function {
        let of = &self.graph.packages[package];
        let at = of.place(&of.files[file], scope);
        let built = self.built(package, file, scope);
        let module = of.files[file].module_path(scope);
        let key = (package, at.clone(), file);
        let function = self.functions.entry(key).or_insert_with(|| Function {
            package,
            file,
            line,
            at,
            module,
            built,
            is_unsafe: false,
            blocks: Vec::new(),
            symbols: BTreeSet::new(),
            calls: BTreeSet::new(),
        });
        function.built = function.built.min(built);
        function
    }

    fn built(&self, package: usize, file: usize, scope: &Scope) -> Built {
        let of = &self.graph.packages[package];
        let Counted { role, dormant } = Counted::of(of, &of.files[file], scope);
        match role {
            _ if dormant => Built::Dormant,
            Role::Test | Role::Bench | Role::Example => Built::Test,
            _ => Built::Live,
        }
    }

    /// Adds callers of known functions, then their callers, until there are no new ones.
    fn callers(mut self, names: &Names<'g>, shown: &impl Fn(usize) -> bool) -> Interior {
        let calls = calls_by_name(names, shown);
        let mut edges: BTreeSet<(Key, Key)> = BTreeSet::new();
        let mut new: BTreeSet<Key> = self.functions.keys().cloned().collect();
        while !new.is_empty() {
            let wanted = std::mem::take(&mut new);
            let called: BTreeSet<&str> = wanted.iter().map(|(_, at, _)| last(at)).collect();
            let candidates = called.iter().filter_map(|name| calls.get(name)).flatten();
            for (place, call) in candidates.copied() {
                let (package, file) = names.origin(place);
                let caller = (package, self.at(package, file, &call.scope), file);
                for (callee, item) in names.resolver().functions(place, call) {
                    let (of, in_file) = names.origin(callee);
                    let callee = (of, self.at(of, in_file, &scope_within(item)), in_file);
                    if caller == callee || !wanted.contains(&callee) {
                        continue;
                    }
                    if !self.functions.contains_key(&caller) {
                        self.function(package, file, &call.scope, call.span.line);
                        new.insert(caller.clone());
                    }
                    edges.insert((caller.clone(), callee));
                }
            }
        }
        self.finish(edges)
    }

    fn at(&self, package: usize, file: usize, scope: &Scope) -> String {
        let of = &self.graph.packages[package];
        of.place(&of.files[file], scope)
    }

    fn finish(self, edges: BTreeSet<(Key, Key)>) -> Interior {
        let indices: HashMap<Key, usize> =
            self.functions.keys().enumerate().map(|(index, key)| (key.clone(), index)).collect();
        let mut functions: Vec<Function> = self.functions.into_values().collect();
        for (caller, callee) in edges {
            if let (Some(caller), Some(callee)) = (indices.get(&caller), indices.get(&callee)) {
                functions[*caller].calls.insert(*callee);
            }
        }
        Interior { functions }
    }
}

/// The scope of the code in a function's body.
fn scope_within(item: &FunctionItem) -> Scope {
    Scope { function: Some(item.full_name()), ..Scope::clone(&item.scope) }
}

/// The calls in all shown files, by the last segment of their paths.
fn calls_by_name<'g>(
    names: &Names<'g>,
    shown: &impl Fn(usize) -> bool,
) -> HashMap<&'g str, Vec<(Place, &'g CallFact)>> {
    let mut calls: HashMap<_, Vec<_>> = HashMap::new();
    for (krate, of_crate) in names.resolver().crates().iter().enumerate() {
        for (file, of_file) in of_crate.files.iter().enumerate() {
            let place = Place { krate, file };
            if shown(names.origin(place).0) {
                for call in &of_file.facts.calls {
                    calls.entry(last(&call.path)).or_default().push((place, call));
                }
            }
        }
    }
    calls
}

fn last(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    /// Each function as `path: blocks, symbols → functions that it calls`.
    #[track_caller]
    fn check(code: &str, expected: &[&str]) {
        let graph = fixture::graph(code);
        let functions = interior(&Names::new(&graph), |package| graph.packages[package].selected).functions;
        let shown = |function: &Function| {
            let mark = if function.is_unsafe { "unsafe " } else { "" };
            let blocks = function.blocks.iter().map(|block| format!(" {{{}}}", join(block.symbols.iter())));
            let own = function.symbols.iter().map(|symbol| format!(" {symbol}"));
            let calls = function.calls.iter().map(|index| format!(" → {}", functions[*index].at));
            format!("{mark}{}{}", function.at, blocks.chain(own).chain(calls).collect::<String>())
        };
        assert_eq!(functions.iter().map(shown).collect::<Vec<_>>(), expected);
    }

    fn join<'t>(texts: impl Iterator<Item = &'t String>) -> String {
        texts.map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn functions_stand_on_blocks_and_symbols() {
        check(
            "
//- app/src/lib.rs
mod ffi { unsafe extern \"C\" { pub fn crc32(crc: u32) -> u32; #[link_name = \"adler32_z\"] pub fn adler32(crc: u32) -> u32; } }
pub struct Sum(u32);
impl Sum {
    pub fn add(&self) -> u32 { unsafe { unsafe { ffi::crc32(1) } + ffi::adler32(2) } }
    fn twice(&self) -> u32 { Self::add(self) + Sum::add(self) }
}
unsafe fn bare() -> u32 { ffi::crc32(3) }
fn outer() { inner::deep() }
mod inner { pub fn deep() { crate::middle() } }
fn middle() { let sum = Sum(0); Sum::twice(&sum); }
fn safe() { nothing() }
fn nothing() {}
fn again() { again(); outer(); }
",
            &[
                "app::Sum::add {adler32_z} {crc32}",
                "app::Sum::twice → app::Sum::add",
                "app::again → app::outer",
                "unsafe app::bare crc32",
                "app::inner::deep → app::middle",
                "app::middle → app::Sum::twice",
                "app::outer → app::inner::deep",
            ],
        );
    }

    #[test]
    fn functions_of_one_name_in_several_files_are_told_apart() {
        check(
            "
//- app/src/lib.rs
#[cfg(unix)] mod os;
#[cfg(windows)] #[path = \"os/mod.rs\"] mod os;
//- app/src/os.rs
pub fn now() { unsafe { core::hint::unreachable_unchecked() } }
//- app/src/os/mod.rs
// Longer, so that its block ends behind the end of the other file.
pub fn now() { let nothing = (); unsafe { core::hint::unreachable_unchecked() } }
",
            &["app::os::now {}", "app::os::now {}"],
        );
    }

    #[test]
    fn methods_of_one_name_are_told_apart() {
        check(
            "
//- app/src/lib.rs
struct A; struct B;
impl A { fn new() { unsafe { core::hint::unreachable_unchecked() } } }
impl B { fn new() {} }
fn a() { A::new() }
fn b() { B::new() }
",
            &["app::A::new {}", "app::a → app::A::new"],
        );
    }
}
