//! Calls that bypass the wrappers.

use crate::{
    graph::Role,
    names::Names,
    plan::{Isolated, Plan},
};
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::BTreeSet;

/// A call of an isolated function outside its wrapper, or a place that takes the function's address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub(crate) struct Bypass {
    pub(crate) path: Utf8PathBuf,
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// The package that contains it: `name@version`.
    pub(crate) package: String,
    /// The linker symbol of the function.
    pub(crate) symbol: String,
    /// The enclosing function.
    pub(crate) function: Option<String>,
    /// Whether the function's address is taken, so that it is unknown where it is called.
    pub(crate) mention: bool,
    /// `crate::module::function`, which exceptions match against.
    pub(crate) at: String,
    /// Whether it is in tests or benchmarks, which may call the function directly to compare results.
    pub(crate) test: bool,
    /// Whether an exception of the policy covers it.
    pub(crate) excepted: bool,
}

/// All bypassing calls, in the order of the graph. `wrappers` are the generated files, whose calls are the wrappers'
/// own.
pub(crate) fn bypasses(names: &Names<'_>, plan: &Plan, wrappers: &BTreeSet<&Utf8Path>) -> Vec<Bypass> {
    let graph = names.graph;
    let isolated = Isolated::of_plan(graph, plan);
    let mut found = BTreeSet::new();
    let mut bypasses = Vec::new();
    for call in &names.foreign_calls().calls {
        let symbol = call.item.symbol();
        let (package, file) = names.origin(call.caller);
        let (declaring, _) = names.origin(call.callee);
        let package = &graph.packages[package];
        let file = &package.files[file];
        // Whether the wrappers of unselected members are up to date is not checked here.
        if file.role == Role::Generated && package.member && !package.selected {
            continue;
        }
        let test = matches!(file.role_of(&call.call.scope.cfgs), Role::Test | Role::Bench);
        // The tests of a dependency are never compiled here.
        if test && !package.member {
            continue;
        }
        // A call that resolves to several declarations of the symbol, selected by `cfg`, is a single call.
        if isolated.is_declared(symbol, declaring)
            && !wrappers.contains(&*file.path)
            && found.insert((&file.path, call.call.span))
        {
            bypasses.push(Bypass {
                path: graph.relative(&file.path),
                line: call.call.span.line,
                column: call.call.span.column,
                package: package.id(),
                symbol: symbol.to_owned(),
                function: call.call.scope.function.as_deref().map(str::to_owned),
                mention: call.mention,
                at: package.place(file, &call.call.scope),
                test,
                excepted: false,
            });
        }
    }
    bypasses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        decide, fixture,
        graph::{Graph, Package, Reach},
        plan::plan,
    };

    const POLICY: &str = r#"
version = 1
[domain.zlib]
library = "z-sys"
[[isolate]]
domain = "zlib"
extern = ["crc32"]
"#;
    const LIBRARY: &str = "
//- z-sys/src/lib.rs
unsafe extern \"C\" {
    pub fn crc32(crc: u32, value: u32) -> u32;
    pub fn zlibVersion() -> u32;
}
";

    #[track_caller]
    fn check(sources: &str, expected: &[&str]) {
        check_graph(&fixture::graph(&format!("{sources}{LIBRARY}")), expected);
    }

    #[track_caller]
    fn check_graph(graph: &Graph, expected: &[&str]) {
        let (policy, names) = (fixture::policy(POLICY), Names::new(graph));
        let plan = plan(graph, &policy).unwrap();
        let wrappers = BTreeSet::from([Utf8Path::new("/ws/app/src/isolated/zlib.rs")]);
        let found = bypasses(&names, &plan, &wrappers);
        let by_rule = decide::findings(&names, &policy);
        let by_rule = by_rule.iter().filter(|found| found.finding.rule == "bypassed-isolation");
        let by_rule = by_rule.map(|found| (&graph.packages[found.package].files[found.file].path, &found.finding.span));
        let by_rule: BTreeSet<_> = by_rule
            .filter(|(path, _)| !wrappers.contains(&***path))
            .map(|(path, span)| (graph.relative(path), span.line, span.column))
            .collect();
        let selected: BTreeSet<_> = graph.packages.iter().filter(|package| package.selected).map(Package::id).collect();
        let here = found.iter().filter(|bypass| !bypass.test && selected.contains(&bypass.package));
        let here: BTreeSet<_> = here.map(|bypass| (bypass.path.clone(), bypass.line, bypass.column)).collect();
        assert_eq!(by_rule, here, "the rule says the same");
        let found: Vec<_> = found
            .iter()
            .map(|Bypass { path, line, column, symbol, function, mention, test, .. }| {
                let marks = [(*mention, " (mention)"), (*test, " (test)")];
                let marks: String = marks.into_iter().filter_map(|(set, mark)| set.then_some(mark)).collect();
                format!("{path}:{line}:{column} {symbol} in {}{marks}", function.as_deref().unwrap_or("-"))
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn wrappers_may_call() {
        check(
            "
//- app/src/main.rs
mod isolated;
fn main() { isolated::zlib::crc32(1, 2); unsafe { z_sys::zlibVersion() }; }
//- app/src/isolated/mod.rs
pub mod zlib;
//- app/src/isolated/zlib.rs
use z_sys as ffi;
pub fn crc32(crc: u32, value: u32) -> u32 { unsafe { ffi::crc32(crc, value) } }
",
            &[],
        );
    }

    #[test]
    fn nobody_else_may() {
        check(
            "
//- app/src/main.rs
use z_sys::crc32 as sum;
fn main() {
    unsafe { sum(1, 2) };
    let pointer = z_sys::crc32;
}
#[cfg(test)]
mod tests {
    fn compare() { unsafe { z_sys::crc32(1, 2) }; }
}
#[test]
fn outside() { unsafe { z_sys::crc32(1, 2) }; }
//- between/src/lib.rs
#[test]
fn nobody_runs_it() { unsafe { z_sys::crc32(1, 2) }; }
",
            &[
                "app/src/main.rs:3:14 crc32 in main",
                "app/src/main.rs:4:19 crc32 in main (mention)",
                "app/src/main.rs:8:29 crc32 in compare (test)",
                "app/src/main.rs:11:25 crc32 in outside (test)",
            ],
        );
    }

    /// A second, hand-written declaration of the function does not evade the check.
    #[test]
    fn declared_by_hand() {
        check(
            "
//- app/src/main.rs
unsafe extern \"C\" { fn crc32(crc: u32, value: u32) -> u32; }
fn main() { unsafe { crc32(1, 2) }; }
",
            &["app/src/main.rs:2:22 crc32 in main"],
        );
    }

    /// The file is loaded as two modules of the program, and as a module of a test.
    #[test]
    fn declared_in_a_file_of_several_modules() {
        let mut graph = fixture::graph(&format!(
            "
//- app/src/main.rs
mod ffi;
#[path = \"ffi.rs\"]
mod again;
fn main() {{ unsafe {{ ffi::crc32(1, 2); again::crc32(1, 2) }}; }}
//- app/src/ffi.rs
unsafe extern \"C\" {{ pub fn crc32(crc: u32, value: u32) -> u32; }}
pub fn inside() {{ unsafe {{ crc32(1, 2) }}; }}
//- app/src/other.rs
mod ffi;
fn main() {{ unsafe {{ ffi::crc32(1, 2) }}; }}
{LIBRARY}"
        ));
        let [_, ffi, other] = &mut graph.packages[0].files[..] else { panic!("three files") };
        (other.krate, other.module) = ("other".to_owned(), Vec::new());
        let way = |krate: &str, module: &str| Reach {
            role: Role::Main,
            krate: krate.to_owned(),
            module: vec![module.to_owned()],
            cfgs: Vec::new(),
            configs: ffi.configs.clone(),
        };
        ffi.also = vec![way("app", "again"), way("other", "ffi")];
        check_graph(
            &graph,
            &[
                "app/src/main.rs:4:22 crc32 in main",
                "app/src/main.rs:4:40 crc32 in main",
                "app/src/ffi.rs:2:28 crc32 in inside",
                "app/src/other.rs:2:22 crc32 in main",
            ],
        );
    }

    /// Imports inside a function take precedence over those outside, in both directions.
    #[test]
    fn imports_of_a_function_are_its_own() {
        check(
            "
//- app/src/main.rs
mod isolated;
use isolated::zlib::crc32;
fn main() { crc32(1, 2); unsafe { crc32(1, 2) }; }
fn around() { use z_sys::*; unsafe { crc32(1, 2) }; }
fn wrapped() { use z_sys::*; { use isolated::zlib::crc32; unsafe { crc32(1, 2) }; } }
fn local() { use z_sys::*; let crc32 = |a, b| a + b; unsafe { crc32(1, 2) }; }
//- app/src/isolated/mod.rs
pub mod zlib;
//- app/src/isolated/zlib.rs
use z_sys as ffi;
pub fn crc32(crc: u32, value: u32) -> u32 { unsafe { ffi::crc32(crc, value) } }
",
            &["app/src/main.rs:4:38 crc32 in around"],
        );
    }

    /// Renaming, another crate's re-export or a macro make no difference.
    #[test]
    fn names_do_not_hide_it() {
        check(
            "
//- app/src/main.rs
mod zip { pub use z_sys::crc32 as checksum; }
use zip::*;
macro_rules! sum { ($($n:expr),*) => { unsafe { z_sys::crc32($($n),*) } } }
fn main() {
    unsafe { checksum(1, 2) };
    sum!(3, 4);
    let table: [unsafe extern \"C\" fn(u32, u32) -> u32; 1] = [checksum];
}
",
            &[
                "app/src/main.rs:3:49 crc32 in -",
                "app/src/main.rs:5:14 crc32 in main",
                "app/src/main.rs:7:62 crc32 in main (mention)",
            ],
        );
    }

    /// Another crate may re-export the function, and call it itself.
    #[test]
    fn other_crates_do_not_hide_it() {
        check(
            "
//- app/src/main.rs
use between::checksum;
fn main() { unsafe { checksum(1, 2) }; unsafe { between::raw::crc32(3, 4) }; }
//- between/src/lib.rs
pub use z_sys::crc32 as checksum;
pub mod raw { pub use z_sys::*; }
pub fn safe() -> u32 { unsafe { raw::crc32(1, 2) } }
",
            &[
                "app/src/main.rs:2:22 crc32 in main",
                "app/src/main.rs:2:49 crc32 in main",
                "between/src/lib.rs:3:33 crc32 in safe",
            ],
        );
    }

    /// Other crates may declare another function of that name, and tests of dependencies never run.
    #[test]
    fn other_functions_may_be_called_the_same() {
        check(
            "
//- app/src/main.rs
fn crc32(a: u32, b: u32) -> u32 { a + b }
fn main() { crc32(1, 2); unsafe { other_sys::crc32(1, 2) }; }
//- other-sys/src/lib.rs
unsafe extern \"C\" { pub fn crc32(crc: u32, value: u32) -> u32; }
#[cfg(test)]
mod tests { fn it() { unsafe { super::crc32(1, 2) }; } }
",
            &[],
        );
    }
}
