//! The audit of `tests/fixtures/torture`, one construct a module, against a table of what must be found there, and against
//! the compiler's own `unsafe_code` lint.

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

/// Rows of the table that other tools were measured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Row {
    /// Unsafe code of this build.
    Live,
    /// Nothing unsafe.
    Silent,
    /// Unsafe code that this build leaves out.
    Dormant,
    /// Not of that table.
    More,
}
use Row::{Dormant, Live, More, Silent};

/// Module, what it is, and what must be found in it, in the order of the file. `case` shows the words.
const CASES: &[(&str, Row, &str)] = &[
    ("cases::alias_call", Live, "block(foreign-call); foreign-call native_add of native"),
    ("cases::arguments", More, "block(unsafe-call); block(unsafe-call)"),
    ("cases::array_length", More, "block(transmute)"),
    ("cases::assembly", Live, "block(asm)"),
    ("cases::assertion", Live, "block(deref) in assert_eq!; block(deref) in assert_eq!"),
    ("cases::async_block", More, "block(unsafe-call)"),
    ("cases::block", Live, "block(deref)"),
    ("cases::callback_type", More, "type"),
    ("cases::cfg_attr_attribute", Live, "attribute no_mangle"),
    ("cases::cfg_branch", More, "block(deref) in cfg_if!; dormant by cfg(not(unix)): block(deref call) in cfg_if!"),
    ("cases::cfg_select_branch", More, "dormant by cfg(windows): block(deref) in cfg_select!"),
    ("cases::cfg_statement", More, "dormant by cfg(windows): block(deref)"),
    ("cases::closure", More, "block(unsafe-call)"),
    ("cases::const_block", More, "block(transmute)"),
    ("cases::const_initialiser", Live, "block(transmute)"),
    ("cases::dead", Dormant, "unreached dormant by no `mod` leads to this file: block(deref)"),
    ("cases::debug_build", More, "block(deref)"),
    ("cases::derive_output", More, "unexpanded macros::Zero"),
    ("cases::discriminant", More, "block(transmute)"),
    ("cases::export_name", Live, "attribute export_name"),
    ("cases::extern_static", More, "extern-block C"),
    ("cases::feature_off", Dormant, "dormant by cfg(feature = \"off\"): block(deref)"),
    ("cases::feature_on", More, "block(deref)"),
    ("cases::function", Live, "function free"),
    ("cases::function_pointer", More, "type; foreign-call native_add of native"),
    ("cases::glob_call", More, "block(foreign-call); foreign-call native_add of native"),
    ("cases::global_assembly", Live, "global-asm core::arch::global_asm"),
    ("cases::impl_in_function", More, "impl Send for Inside"),
    ("cases::included", More, "block(deref)"),
    ("cases::inner_cfg", More, "dormant by cfg(windows): block(deref)"),
    ("cases::link_name", More, "extern-block C; block(foreign-call); foreign-call cos of m"),
    ("cases::link_section", Live, "attribute link_section"),
    ("cases::link_section_static", Live, "attribute link_section"),
    ("cases::local_macro_in_macro", More, "macro-token inner in inner!; macro-use outer"),
    ("cases::local_macro_twice", Live, "macro-token read in read!; macro-use read; macro-use read"),
    ("cases::macro_output", Live, "unexpanded macros::hidden"),
    ("cases::match_guard", More, "block(unsafe-call)"),
    ("cases::method", Live, "function close"),
    ("cases::method_call", More, "function shut; block(unsafe-call unsafe-call unsafe-call)"),
    (
        "cases::mixed_output",
        More,
        "unexpanded macros::reread; block(deref); unexpanded macros::trusting; unexpanded macros::nothing",
    ),
    ("cases::naked", Live, "attribute naked"),
    ("cases::negative_impl", More, ""),
    ("cases::nested_function", More, "function inner; block(unsafe-call)"),
    ("cases::no_mangle", Live, "attribute no_mangle"),
    ("cases::no_mangle_static", Live, "attribute no_mangle"),
    (
        "cases::not_unix",
        Dormant,
        "dormant by cfg(windows): block(deref); dormant by cfg(all(unix, not(target_pointer_width = \"64\"))): block(deref)",
    ),
    ("cases::outside_path", Live, "block(deref)"),
    ("cases::print_argument", Live, "block(deref) in println!"),
    ("cases::qualified_function", More, "function qualified"),
    ("cases::raw_borrow", Silent, ""),
    ("cases::raw_parts", More, "block(from-raw-parts)"),
    ("cases::reexport_call", Live, "block(foreign-call); foreign-call native_add of native"),
    ("cases::safe_foreign", Live, "extern-block C; declaration llabs"),
    ("cases::send_impl", Live, "impl Send for Handle"),
    ("cases::static_foreign_read", More, "block(foreign-static); foreign-call native_errors of native"),
    ("cases::static_initialiser", More, "block(transmute)"),
    ("cases::static_read", Live, "static-mut G; block(static)"),
    ("cases::struct_field_pointer", More, "type"),
    ("cases::support", More, "static-mut COUNTER; function careful"),
    ("cases::thread_local_cell", More, "block(unsafe-call) in thread_local!"),
    ("cases::trait_declaration", Live, "declaration reset"),
    ("cases::trait_default", Live, "block(deref call)"),
    ("cases::transmuted", More, "block(transmute); block(transmute)"),
    ("cases::union_pattern", More, "union Either; block(union); block(union)"),
    ("cases::union_read", Live, "union Bits; block(union)"),
    ("cases::union_write", More, "union Number"),
    ("cases::unit_tests::tests", Dormant, "test block(deref) in assert_eq!"),
    ("cases::unsafe_extern", Live, "extern-block C"),
    ("cases::unsafe_trait", Live, "trait Marker"),
    ("cases::vec_argument", More, "block(deref) in vec!"),
    ("cases::windows_module", More, "dormant by cfg(windows): block(deref)"),
    ("cases::windows_module::below", More, "dormant by cfg(windows): block(deref)"),
    ("cases::words", Silent, ""),
    ("cases_2021::bare_extern", Live, "extern-block C"),
    ("cases_2021::bare_extern_without_abi", More, "extern-block C"),
    ("cases_2021::old_link_section", More, "attribute link_section"),
    ("cases_2021::old_no_mangle", Live, "attribute no_mangle"),
    ("cases_2021::operations_in_function", More, "function(deref) read"),
    ("forbidden", Silent, ""),
    ("build_script_build", Live, "build-script block(deref) in assert_eq!"),
    ("generated", More, "block(call)"),
    ("generated::bindings", More, "unexpanded include"),
    ("generated::script_cfg", More, "block(deref); block(deref)"),
    ("generated::table", Live, "unexpanded include"),
    ("integration", More, "test block(deref) in assert_eq!"),
    ("macros", More, "proc-macro block(deref)"),
    ("native::inner", More, "extern-block C"),
    ("show", Dormant, "example block(deref) in println!"),
    ("speed", More, "bench block(deref)"),
];

#[test]
fn every_case_is_found() {
    let found = by_module(&audit(&[]));
    for (module, _, expected) in CASES {
        let lines = found.get(*module).map(|lines| lines.join("; ")).unwrap_or_default();
        assert_eq!(lines, *expected, "findings of {module}");
    }
    let listed: BTreeSet<&str> = CASES.iter().map(|(module, ..)| *module).collect();
    let extra: Vec<_> = found.keys().filter(|module| !listed.contains(module.as_str())).collect();
    assert!(extra.is_empty(), "findings in modules that are no cases: {extra:?}");
}

/// With a build, what its scripts wrote is read and followed.
#[test]
fn what_build_scripts_write_is_found_with_a_build() {
    let found = by_module(&audit(&["--expand"]));
    let lines = |module: &str| found.get(module).map(|lines| lines.join("; ")).unwrap_or_default();
    assert_eq!(lines("generated"), "block(foreign-call); foreign-call generated_add of generated");
    assert_eq!(lines("generated::bindings"), "extern-block C");
    assert_eq!(lines("generated::table"), "block(deref)");
    assert_eq!(lines("generated::script_cfg"), "block(deref); dormant by cfg(never_set): block(deref)");
}

/// With a build, what proc macros write is told at their use, and nothing of it stays unknown; code that a macro gives back
/// and what the standard library's macros write are not theirs.
#[test]
fn what_proc_macros_write_is_found_with_a_build() {
    for state in ["built", "fresh"] {
        let audit = audit(&["--expand"]);
        let found = by_module(&audit);
        for (module, row, without) in CASES {
            let lines = found.get(*module).map(|lines| lines.join("; ")).unwrap_or_default();
            match OUTPUT.iter().find(|(of, _)| of == module) {
                Some((_, expected)) => assert_eq!(lines, *expected, "findings of {module}, {state}"),
                None if module.starts_with("generated") => {}
                None => assert_eq!(lines, *without, "findings of {module}, {state}"),
            }
            assert!(*row != Live || !lines.is_empty() && !lines.contains("unexpanded"), "{module}, {state}: {lines}");
        }
    }
}

/// What only procedural macros write.
const OUTPUT: &[(&str, &str)] = &[
    ("cases::derive_output", "block(call) from #[derive(macros::Zero)]"),
    ("cases::macro_output", "block(deref) from macros::hidden!"),
    (
        "cases::mixed_output",
        "block(call) from #[derive(macros::Zero)]; block(deref); block(deref) from macros::trusting!",
    ),
];

#[test]
fn the_table_that_other_tools_were_measured_with() {
    let rows = |wanted| CASES.iter().filter(move |(_, row, _)| *row == wanted);
    assert_eq!([Live, Silent, Dormant].map(|row| rows(row).count()), [32, 3, 5]);
    let unseen: Vec<_> = rows(Live).filter(|(.., found)| found.is_empty() || found.starts_with("unexpanded")).collect();
    assert!(unseen.len() <= 2, "found without a build: all but {unseen:?}");
    assert!(rows(Silent).all(|(.., found)| found.is_empty()));
}

/// What the lint says nothing about: bare `extern` blocks of 2021, `naked`, types, unions and statics as such, items whose
/// `unsafe` is that of the block around, what an attribute macro of another crate gives back, and code under a `cfg` that only
/// the build script could set. A file, and the lines.
const UNKNOWN_TO_RUSTC: &[(&str, &[u64])] = &[
    ("cases-2021/src/bare_extern.rs", &[1]),
    ("cases-2021/src/bare_extern_without_abi.rs", &[1]),
    ("cases/src/callback_type.rs", &[1]),
    ("cases/src/function_pointer.rs", &[1]),
    ("cases/src/lib.rs", &[80]),
    ("cases/src/mixed_output.rs", &[13]),
    ("cases/src/naked.rs", &[1]),
    ("cases/src/safe_foreign.rs", &[3]),
    ("cases/src/static_read.rs", &[1]),
    ("cases/src/struct_field_pointer.rs", &[2]),
    ("cases/src/union_pattern.rs", &[1]),
    ("cases/src/union_read.rs", &[1]),
    ("cases/src/union_write.rs", &[1]),
    ("generated/src/script_cfg.rs", &[8]),
];

/// What the audit without a build says nothing about, or says elsewhere.
const UNKNOWN_TO_THE_AUDIT: &[(&str, &[u64])] = &[("OUT_DIR/bindings.rs", &[1]), ("OUT_DIR/table.rs", &[2])];

#[test]
fn the_compiler_finds_the_same() {
    let compiler = compiler();
    let audit = audit(&[]);
    let findings =
        audit["diagnostics"].as_array().unwrap().iter().filter(|finding| finding["detail"]["type"] == "unsafe");
    let (live, dormant): (Vec<_>, Vec<_>) = findings.partition(|finding| finding["dormant"].is_null());
    let place =
        |finding: &Value| (finding["path"].as_str().unwrap().to_owned(), finding["span"]["line"].as_u64().unwrap());
    let ours: BTreeSet<(String, u64)> = live.into_iter().map(place).collect();
    let dormant: BTreeSet<(String, u64)> = dormant.into_iter().map(place).collect();
    assert_eq!(lines(compiler.difference(&ours)), listed(UNKNOWN_TO_THE_AUDIT), "seen by the compiler only");
    assert_eq!(lines(ours.difference(&compiler)), listed(UNKNOWN_TO_RUSTC), "seen by the audit only");
    assert!(!dormant.is_empty());
    assert_eq!(lines(dormant.intersection(&compiler)), [""; 0], "dormant for the audit, and compiled");
}

fn torture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/torture").canonicalize().unwrap()
}

fn audit(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"))
        .args(["isolate", "audit", "--locked", "--offline", "--target", "x86_64-unknown-linux-gnu", "--format", "json"])
        .args(arguments)
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("torture-audit"))
        .current_dir(torture())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// One text per finding: `dormant cfg(windows): block(deref) in assert_eq!`, under its module.
fn by_module(audit: &Value) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::<String, Vec<String>>::new();
    for finding in audit["diagnostics"].as_array().unwrap() {
        found.entry(finding["module"].as_str().unwrap().to_owned()).or_default().push(case(finding));
    }
    found
}

fn case(finding: &Value) -> String {
    let detail = &finding["detail"];
    let text = |key: &str| detail[key].as_str().or(finding[key].as_str()).unwrap_or_default();
    let mut line = match text("role") {
        "main" => String::new(),
        role => format!("{role} "),
    };
    if !text("dormant").is_empty() {
        line += &format!("dormant by {}: ", text("dormant"));
    }
    line += match text("type") {
        "unsafe" => text("kind"),
        other => other,
    };
    let operations = detail["operations"].as_array().into_iter().flatten();
    let operations: Vec<&str> = operations.map(|operation| operation["kind"].as_str().unwrap()).collect();
    if !operations.is_empty() {
        line += &format!("({})", operations.join(" "));
    }
    match text("type") {
        "foreign-call" => line += &format!(" {} of {}", text("symbol"), text("library")),
        _ if !text("name").is_empty() => line += &format!(" {}", text("name")),
        _ => {}
    }
    if !text("expanded_from").is_empty() {
        line += &format!(" from {}", text("expanded_from"));
    }
    if !text("in_macro").is_empty() {
        line += &format!(" in {}!", text("in_macro"));
    }
    line
}

/// Files and lines of the compiler's `unsafe_code` lint, over all targets of the fixture.
fn compiler() -> BTreeSet<(String, u64)> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("torture");
    let output = Command::new(env!("CARGO"))
        .args(["check", "--locked", "--offline", "--workspace", "--all-targets", "--message-format=json"])
        .env("RUSTFLAGS", "-W unsafe_code")
        .env("CARGO_TARGET_DIR", &directory)
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(torture())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut sites = BTreeSet::new();
    for line in output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let message: Value = serde_json::from_slice(line).unwrap();
        let message = &message["message"];
        if message["code"]["code"] == "unsafe_code" {
            let spans = message["spans"].as_array().unwrap().iter().filter(|span| span["is_primary"] == true);
            sites.extend(
                spans.map(|span| (site(span["file_name"].as_str().unwrap()), span["line_start"].as_u64().unwrap())),
            );
        }
    }
    assert!(!sites.is_empty(), "the lint reported nothing");
    sites
}

/// The compiler's name of a file as the audit has it, the build's own folder left out.
fn site(file: &str) -> String {
    match file.rsplit_once("/out/") {
        Some((_, generated)) => format!("OUT_DIR/{generated}"),
        None => file.replace("cases/src/../../", ""),
    }
}

fn lines<'a>(sites: impl Iterator<Item = &'a (String, u64)>) -> Vec<String> {
    sites.map(|(file, line)| format!("{file}:{line}")).collect()
}

fn listed(places: &[(&str, &[u64])]) -> Vec<String> {
    places.iter().flat_map(|(file, lines)| lines.iter().map(move |line| format!("{file}:{line}"))).collect()
}
