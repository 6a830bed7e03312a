//! `audit --symbol`: who calls a C symbol.

use crate::{
    graph::{Graph, Role},
    symbol::{self, Caller, Function, Site, Symbol, UnseenCaller, Use},
    terminal::visible,
};
use anstyle::Style;
use camino::Utf8Path;
use serde::Serialize;
use std::{
    collections::BTreeSet,
    io::{self, Write},
};

/// Version of the JSON.
const SCHEMA: u32 = 1;

/// What `--format json` prints.
#[derive(Serialize)]
struct Answer<'a> {
    schema: u32,
    tool: &'static str,
    command: &'static str,
    workspace_root: &'a Utf8Path,
    complete: bool,
    symbols: &'a [Symbol],
    unseen_calls: &'a [UnseenCaller],
}

pub(super) fn print(out: &mut dyn Write, graph: &Graph, found: &symbol::Answer, json: bool) -> io::Result<()> {
    match json {
        true => {
            let answer = Answer {
                schema: SCHEMA,
                tool: env!("CARGO_PKG_VERSION"),
                command: "symbol",
                workspace_root: &graph.root,
                complete: graph.is_complete(),
                symbols: &found.symbols,
                unseen_calls: &found.unseen,
            };
            visible::json(out, &answer)
        }
        false => text(out, graph, found),
    }
}

fn text(out: &mut dyn Write, graph: &Graph, found: &symbol::Answer) -> io::Result<()> {
    let symbols = &found.symbols;
    let bold = Style::new().bold();
    for (index, symbol) in symbols.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let library = symbol.library.as_ref().map_or_else(String::new, |library| format!(" of library `{library}`"));
        writeln!(out, "{bold}{}{bold:#}{library}, declared in {}", symbol.name, symbol.declared_in)?;
        symbol.declarations.iter().try_for_each(|site| writeln!(out, "  {}", place(site)))?;
        if symbol.callers.is_empty() {
            writeln!(out, "  nobody calls it by name")?;
        }
        symbol.callers.iter().try_for_each(|user| caller(out, user))?;
    }
    for (index, caller) in found.unseen.iter().enumerate() {
        if index > 0 || !symbols.is_empty() {
            writeln!(out)?;
        }
        let UnseenCaller { package, written_for, calls } = caller;
        let whose = match package == written_for {
            true => "its own build script".to_owned(),
            false => format!("the build script of {written_for}"),
        };
        writeln!(out, "{bold}not seen{bold:#}: {package} calls what {whose} writes by such a name")?;
        calls.iter().try_for_each(|site| writeln!(out, "  may call it at {}", place(site)))?;
    }
    // A call that may resolve to several declarations, one per platform, is a single call in a single function.
    let users = || symbols.iter().flat_map(|symbol| &symbol.callers);
    let calls: BTreeSet<&Use> = users().flat_map(|user| &user.calls).collect();
    let mentions: BTreeSet<&Use> = users().flat_map(|user| &user.mentions).collect();
    let places: BTreeSet<_> =
        users().map(|user| (&user.function.package, &user.function.at, &user.function.site)).collect();
    writeln!(out)?;
    write!(out, "{}", counted(symbols.len(), "symbol"))?;
    match mentions.len() {
        0 => write!(out, ", {}", counted(calls.len(), "call"))?,
        mentions => write!(out, ", {} and {}", counted(calls.len(), "call"), counted(mentions, "mention"))?,
    }
    let functions = places.iter().filter(|(_, _, site)| site.is_some()).count();
    let others = counted(places.len() - functions, "place");
    match (functions, places.len() - functions) {
        (_, 0) => write!(out, " in {}", counted(functions, "function"))?,
        (0, _) => write!(out, " in {others} outside of functions")?,
        _ => write!(out, " in {} and {others} outside of functions", counted(functions, "function"))?,
    }
    match calls.iter().chain(&mentions).filter(|used| used.dormant.is_some()).count() {
        0 => writeln!(out)?,
        dormant => writeln!(out, "; {dormant} of these dormant, which no chosen target compiles")?,
    }
    let unseen: usize = found.unseen.iter().map(|caller| caller.calls.len()).sum();
    if unseen > 0 {
        let calls = counted(unseen, if !calls.is_empty() { "more call" } else { "call" });
        writeln!(
            out,
            "{calls} may reach them through bindings not seen; `--expand` runs build scripts and reads them"
        )?;
    }
    if !graph.is_complete() {
        writeln!(out, "incomplete: some files were not read or did not parse; `cargo isolate audit` names them")?;
    }
    Ok(())
}

fn caller(out: &mut dyn Write, user: &Caller) -> io::Result<()> {
    writeln!(out, "  {} in {}{}", described(&user.function), user.function.package, role(user.function.role))?;
    for (verb, uses) in [("calls", &user.calls), ("mentions", &user.mentions)] {
        for Use { site, dormant } in uses {
            let dormant = dormant.as_ref().map_or_else(String::new, |why| format!(", dormant: {why}"));
            writeln!(out, "    {verb} it at {}{dormant}", place(site))?;
        }
    }
    for chain in &user.reached_from {
        let steps: Vec<String> = chain
            .iter()
            .map(|step| match step.package == user.function.package {
                true => described(step),
                false => format!("{} in {}", described(step), step.package),
            })
            .collect();
        writeln!(out, "    called by {}", steps.join(", called by "))?;
    }
    if user.reached_from.is_empty() && !user.function.is_entry() && user.function.site.is_some() {
        writeln!(out, "    no caller was found by path")?;
    }
    Ok(())
}

/// Describes a function: ``` `zlib::stream::compress` (pub) ```.
fn described(function: &Function) -> String {
    let mut marks = Vec::new();
    match function.visibility.as_str() {
        "" => {}
        "trait" => marks.push("of a trait"),
        visibility => marks.push(visibility),
    }
    if function.r#unsafe {
        marks.push("unsafe");
    }
    match marks.is_empty() {
        true => format!("`{}`", function.at),
        false => format!("`{}` ({})", function.at, marks.join(", ")),
    }
}

fn place(site: &Site) -> String {
    format!("{}:{}:{}", site.path, site.span.line, site.span.column)
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Main | Role::Generated => "",
        Role::ProcMacro => ", a procedural macro",
        Role::BuildScript => ", its build script",
        Role::Unreached => ", a file of no module",
        Role::Test => ", its tests",
        Role::Bench => ", its benchmarks",
        Role::Example => ", its examples",
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::print;
    use crate::{fixture, glob::Glob, names::Names, symbol::symbols};

    const CODE: &str = r#"
//- app/src/lib.rs
use z_sys as ffi;
mod raw;
pub struct Stream;
impl Stream {
    pub fn write(&mut self) { unsafe { raw::deflate_all() } }
    fn end() { unsafe { ffi::deflateEnd(); ffi::deflateEnd() } }
    pub fn finish(self) { Self::end() }
}
impl Drop for Stream {
    fn drop(&mut self) { Stream::end() }
}
static VERSION: extern "C" fn() = ffi::deflateVersion;
fn forgotten() { unsafe { ffi::deflate(1) } }
//- app/src/raw.rs
use z_sys::deflate as squeeze;
pub unsafe fn deflate_all() { while step() {} }
unsafe fn step() -> bool { unsafe { squeeze(0) == 0 && (again(), true).1 } }
unsafe fn again() { step(); }
//- z-sys/src/lib.rs
#[link(name = "z")]
unsafe extern "C" {
    pub fn deflate(flush: i32) -> i32;
    pub fn deflateEnd() -> i32;
    pub safe fn deflateVersion();
    #[link_name = "deflateInit2_"]
    pub fn init() -> i32;
}
"#;

    fn run(pattern: &str, json: bool) -> String {
        run_on(CODE, pattern, json)
    }

    fn run_on(code: &str, pattern: &str, json: bool) -> String {
        let graph = fixture::graph(code);
        match symbols(&Names::new(&graph), &Glob::new(pattern).unwrap()) {
            Err(error) => error.to_string(),
            Ok(symbols) => {
                let mut out = anstream::StripStream::new(Vec::new());
                print(&mut out, &graph, &symbols, json).unwrap();
                String::from_utf8(out.into_inner()).unwrap()
            }
        }
    }

    #[test]
    fn from_the_call_to_whom_everybody_may_call() {
        insta::assert_snapshot!("symbol_one", run("deflate", false));
        insta::assert_snapshot!("symbol_several", run("deflate*", false));
        insta::assert_snapshot!("symbol_json", run("deflateEnd", true));
    }

    /// The bindings of `sys` only exist after a build, so nothing declares `inflate`, and `deflate` may have a second
    /// declaration.
    #[test]
    fn calls_into_bindings_not_seen() {
        const SYS: &str = "
//- sys/src/lib.rs
include!(concat!(env!(\"OUT_DIR\"), \"/bindgen.rs\"));
";
        let more = "fn unseen() { unsafe { sys::inflate(); sys::deflate() } }\n//- app/src/raw.rs";
        let code = CODE.replace("//- app/src/raw.rs", more) + SYS;
        insta::assert_snapshot!("symbol_unseen", run_on(&code, "inflate", false));
        insta::assert_snapshot!("symbol_perhaps_unseen", run_on(&code, "deflate", false));
        insta::assert_snapshot!("symbol_unseen_json", run_on(&code, "inflate", true));
    }

    #[test]
    fn what_no_target_compiles_comes_last_and_says_why() {
        let more = "#[cfg(windows)] mod a { fn first() { unsafe { crate::ffi::deflate(2) } } }\n//- app/src/raw.rs";
        let code = CODE.replace("//- app/src/raw.rs", more);
        insta::assert_snapshot!("symbol_dormant", run_on(&code, "deflate", false));
    }

    /// `self.raw()` calls the inherent function rather than a trait's, and never another type's function of that name.
    #[test]
    fn methods_of_self_are_followed() {
        let code = "//- app/src/lib.rs\npub struct A;\nimpl A {\n    fn raw(&self) { unsafe { z_sys::next() } }\n    pub fn step(&self) { self.raw() }\n}\n\
            pub struct B;\nimpl B {\n    fn raw(&self) {}\n    pub fn other(&self) { self.raw() }\n}\n\
            //- z-sys/src/lib.rs\nunsafe extern \"C\" { pub fn next(); }\n";
        let answer = run_on(code, "next", false);
        assert!(answer.contains("A::step") && !answer.contains("other"), "{answer}");
    }

    /// A call that resolves to two declarations, one per platform, is counted once.
    #[test]
    fn declarations_for_several_platforms_make_one_call() {
        let code = "//- app/src/lib.rs\nfn f() { unsafe { z_sys::next() } }\n//- z-sys/src/lib.rs\n\
            #[cfg(unix)] #[link(name = \"one\")] extern \"C\" { pub fn next(); }\n\
            #[cfg(windows)] #[link(name = \"two\")] extern \"C\" { pub fn next(); }\n";
        let answer = run_on(code, "next", false);
        assert!(answer.ends_with("\n2 symbols, 1 call in 1 function\n"), "{answer}");
    }

    #[test]
    fn a_symbol_goes_by_both_its_names() {
        assert_eq!(run("init", false), run("deflateInit2_", false));
    }

    #[test]
    fn the_nearest_name_is_said() {
        let message = "no package of this workspace declares a foreign symbol `deflateEn`; did you mean `deflateEnd`?";
        assert_eq!(run("deflateEn", false), message);
        assert_eq!(run("qsort", false), "no package of this workspace declares a foreign symbol `qsort`");
    }
}
