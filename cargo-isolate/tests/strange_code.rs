//! Code that compiles and is written to be misread: what the audit knows of it is what the compiler does with it.

mod workspace;

use serde_json::Value;
use std::{fmt::Write, fs, process::Command};
use workspace::{MANIFEST, Workspace};

/// A line for each finding of an audit: what it is, its file, its role, and what hides it.
fn findings(workspace: &Workspace) -> Vec<String> {
    let said = workspace.audit(&["--no-cache", "--format", "json"]);
    let json = said.split_once("--- stdout\n").unwrap().1.split_once("--- stderr").unwrap().0;
    let report: Value = serde_json::from_str(json).unwrap_or_else(|_| panic!("{said}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines = report["diagnostics"].as_array().unwrap().iter().map(|finding| {
        let [code, path, role] = ["code", "path", "role"].map(|key| text(&finding[key]));
        let dormant = finding["dormant"].as_str().map(|why| format!(", dormant by {why}")).unwrap_or_default();
        format!("{code} {path} {role}{dormant}")
    });
    let problems = report["problems"].as_array().unwrap().iter().map(|problem| format!("problem {problem}"));
    lines.chain(problems).collect()
}

#[track_caller]
fn check(workspace: &Workspace, expected: &[&str]) {
    assert_eq!(findings(workspace), expected);
}

/// Each target has its own `cfg`s and its own way to a file that several share.
#[test]
fn a_file_of_several_targets_is_live_in_any() {
    let workspace = Workspace::new("#[cfg(windows)] mod shared;\n#[cfg(windows)] mod tested;\nmod both;\n");
    workspace.put("src/main.rs", "mod shared;\nmod both;\nfn main() {}\n");
    workspace.put("src/shared.rs", "unsafe fn f() {}\n#[cfg(windows)] unsafe fn g() {}\n");
    workspace.put("src/both.rs", "unsafe fn f() {}\n#[cfg(test)] unsafe fn g() {}\n");
    workspace.put("src/tested.rs", "unsafe fn f() {}\n");
    workspace
        .put("tests/it.rs", "#[path = \"../src/tested.rs\"] mod tested;\n#[path = \"../src/both.rs\"] mod both;\n");
    check(
        &workspace,
        &[
            "unsafe-function src/both.rs main",
            "unsafe-function src/both.rs test",
            "unsafe-function src/shared.rs main",
            "unsafe-function src/shared.rs main, dormant by cfg(windows)",
            "unsafe-function src/tested.rs test",
        ],
    );
}

/// A `cfg` that a `cfg_attr` adds hides as any other, and so does one on a module that has no file.
#[test]
fn a_cfg_may_stand_in_cfg_attr() {
    let workspace = Workspace::new(
        "#[cfg_attr(unix, cfg(windows))] mod win;\n#[cfg_attr(unix, cfg(windows))] unsafe fn f() {}\n\
         #[cfg_attr(windows, cfg(any()))] unsafe fn g() {}\n\
         #[cfg_attr(all(), cfg_attr(unix, cfg(all())), inline, cfg(any()))] unsafe fn h() {}\n\
         mod inner { #![cfg_attr(unix, cfg_attr(unix, cfg(windows)))] unsafe fn i() {} }\nmod file;\n",
    );
    workspace.put("src/file.rs", "#![cfg_attr(unix, cfg(windows))]\nunsafe fn j() {}\n");
    let found = findings(&workspace);
    let (missing, found) = found.split_last().unwrap();
    assert_eq!(
        found,
        [
            "unsafe-function src/lib.rs main, dormant by cfg(any(not(unix), windows))",
            "unsafe-function src/lib.rs main",
            "unsafe-function src/lib.rs main, dormant by cfg(any(not(all()), all(any(not(unix), all()), any())))",
            "unsafe-function src/lib.rs main, dormant by cfg(any(not(unix), any(not(unix), windows)))",
            "unsafe-function src/file.rs main, dormant by cfg(any(not(unix), windows))",
        ]
    );
    assert!(missing.contains("missing-cfg") && missing.contains("src/win.rs"), "{missing}");
    let said = workspace.audit(&[]);
    assert!(said.starts_with("status Some(0)"), "{said}");
}

/// What `include!` brings is what its place asks for.
#[test]
fn included_expressions_are_no_items() {
    let workspace = Workspace::new(
        "pub static TABLE: [u8; 3] = include!(\"table.in\");\npub fn f() -> u8 { include!(\"block.in\") }\n\
         include!(\"items.in\");\nuse std::include as paste;\npaste! { \"more.in\" }\n",
    );
    workspace.put("src/table.in", "// Generated.\n[\n    1,\n    unsafe { g() },\n    0x03,\n]\n");
    workspace.put("src/block.in", "{ let one = unsafe { g() }; one }\n");
    workspace.put("src/items.in", "const unsafe fn g() -> u8 { 2 }\n");
    workspace.put("src/more.in", "unsafe fn h() {}\n");
    check(
        &workspace,
        &[
            "unseen-expansion src/lib.rs main",
            "unsafe-block src/table.in main",
            "unsafe-block src/block.in main",
            "unsafe-function src/items.in main",
            "unsafe-function src/more.in main",
        ],
    );
    workspace.put("src/table.in", "[1, 2\n");
    assert!(findings(&workspace).last().unwrap().contains("syntax"), "{:?}", findings(&workspace));
}

#[test]
fn paths_that_multiply_are_given_up() {
    let mut library = String::new();
    for depth in 0..30 {
        for choice in 0..10 {
            writeln!(library, "#[cfg_attr(feature = \"f{choice}\", path = \"p{choice}\")]").unwrap();
        }
        writeln!(library, "mod m{depth} {{").unwrap();
    }
    library += "mod file;\n";
    library += &"}".repeat(30);
    let workspace = Workspace::new(library);
    let found = findings(&workspace);
    assert!(found[0].contains("too many `#[path]`s"), "{found:?}");
}

/// Columns and excerpts of a line of megabytes cost no more than those of others: with each counted from the start of its
/// line, this would take hours.
#[test]
fn one_endless_line() {
    let line = "fn f() { unsafe { g() } } ".repeat(20_000);
    let workspace = Workspace::new(format!("{line}\n"));
    for format in ["text", "github", "markdown", "html"] {
        let said = workspace.audit(&["--format", format]);
        assert!(said.starts_with("status Some(0)"), "{format}: {}", &said[..200]);
    }
}

#[test]
fn names_and_messages_cannot_change_what_a_reader_sees() {
    let workspace = Workspace::new("#[path = \"a\\u{202e}b\\u{9b}31m.rs\"]\nmod hidden;\n");
    workspace.put("src/a\u{202e}b\u{9b}31m.rs", "pub fn f() { unsafe { g(\"\u{2066}\") } }\nfn broken( {}\n");
    for format in ["text", "github", "markdown"] {
        let said = workspace.audit(&["--format", format]);
        let shown = said.contains("\\u{202e}") && said.contains("\\u{9b}");
        assert!(shown && !said.contains(['\u{202e}', '\u{9b}', '\u{2066}']), "{format}: {said}");
    }
}

/// Everything in a macro's body that the compiler takes for unsafe code, with the keyword and without.
#[test]
fn macros_hide_nothing_from_forbid() {
    let workspace = Workspace::new(
        "use core::arch::global_asm as g;\n\
         macro_rules! m { ($n:ident) => {\n    static mut $n: u8 = 0;\n    #[no_mangle] fn $n() {}\n    \
         extern \"C\" { fn $n(); }\n    g!(\"nop\");\n} }\nm!(A);\n",
    );
    workspace.put("Cargo.toml", MANIFEST.replace("2024", "2021"));
    workspace.put("policy.toml", "version = 1\n[crates.app]\nunsafe = \"forbid\"\n");
    let said = workspace.run(&["check", "--format", "json"]);
    assert!(said.starts_with("status Some(1)"), "{said}");
    for construct in ["mutable static", "unsafe attribute", "extern block", "global assembly"] {
        assert!(said.contains(&format!("{construct}, where the policy forbids")), "no {construct} in {said}");
    }
}

#[test]
fn a_tree_can_exhaust_nobody() {
    let workspace = Workspace::new("mod long;\nmod pipe;\n#[path = \"/dev/zero\"]\nmod device;\nmod fine;\n");
    fs::File::create(workspace.path("src/long.rs")).unwrap().set_len(1 << 40).unwrap();
    assert!(Command::new("mkfifo").arg(workspace.path("src/pipe.rs")).status().unwrap().success());
    workspace.put("src/fine.rs", "unsafe fn f() {}\n");
    let said = workspace.audit(&[]);
    assert!(said.starts_with("status Some(4)"), "{said}");
    assert!(said.contains("cannot read `src/long.rs`: longer than 64 MiB"), "{said}");
    assert!(said.contains("cannot read `src/pipe.rs`: a pipe, not a file"), "{said}");
    assert!(said.contains("cannot read `/dev/zero`: a device, not a file"), "{said}");
    assert!(said.contains("unsafe function"), "{said}");
}

/// Who calls a symbol through macros, up to a function that anybody may call.
#[test]
fn callers_are_followed_through_macros() {
    let workspace = Workspace::new(
        "unsafe extern \"C\" { fn getpid() -> i32; }\n\
         macro_rules! inner { () => { unsafe { getpid() } } }\n\
         macro_rules! fixed { () => { inner!() } }\n\
         mod sys { impl crate::Process { pub fn id() -> i32 { fixed!() } } }\n\
         pub struct Process;\n",
    );
    let said = workspace.audit(&["--symbol", "getpid"]);
    assert!(said.contains("app::inner!") && said.contains("app::fixed!"), "{said}");
    assert!(said.contains("app::Process::id"), "{said}");
}

/// A line for each call of a foreign function: where it stands, and what is called.
fn calls(workspace: &Workspace, symbol: &str) -> Vec<String> {
    let said = workspace.audit(&["--no-cache", "--symbol", symbol]);
    let lines = said.lines().map(str::trim);
    lines.filter_map(|line| line.strip_prefix("calls it at ")).map(str::to_owned).collect()
}

/// Declarations that a library, a program and tests all have as a module: calls by each of them are calls, and what stands in
/// the file is there once.
#[test]
fn declarations_are_known_in_every_crate_that_has_them() {
    let workspace = Workspace::new("mod ffi;\npub fn a() { unsafe { ffi::f() } }\n");
    workspace.put("src/ffi.rs", "unsafe extern \"C\" { pub fn f(); }\npub fn b() { unsafe { f() } }\n");
    workspace.put("src/bin/tool.rs", "#[path = \"../ffi.rs\"] mod ffi;\nfn main() { unsafe { ffi::f() } }\n");
    workspace.put("tests/it.rs", "#[path = \"../src/ffi.rs\"] mod other;\nfn c() { unsafe { other::f() } }\n");
    check(
        &workspace,
        &[
            "unsafe-block src/lib.rs main",
            "foreign-call src/lib.rs main",
            "extern-block src/ffi.rs main",
            "unsafe-block src/ffi.rs main",
            "foreign-call src/ffi.rs main",
            "unsafe-block src/bin/tool.rs main",
            "foreign-call src/bin/tool.rs main",
            "unsafe-block tests/it.rs test",
            "foreign-call tests/it.rs test",
        ],
    );
    let expected = ["src/bin/tool.rs:2:22", "src/ffi.rs:2:23", "src/lib.rs:2:23", "tests/it.rs:2:19"];
    assert_eq!(calls(&workspace, "f"), expected);
}

/// The same in one crate, where the file below it is two modules as well.
#[test]
fn declarations_are_known_by_every_path_to_them() {
    let workspace = Workspace::new(
        "pub mod one;\n#[path = \"one.rs\"] pub mod two;\nmod three { include!(\"one/raw.rs\"); }\n\
         fn a() { unsafe { one::raw::f(); two::raw::f(); three::f() } }\n",
    );
    workspace.put("src/one.rs", "#[path = \"one/raw.rs\"] pub mod raw;\nfn b() { unsafe { self::raw::f() } }\n");
    workspace.put("src/one/raw.rs", "unsafe extern \"C\" { pub fn f(); }\n");
    check(
        &workspace,
        &[
            "unsafe-block src/lib.rs main",
            "foreign-call src/lib.rs main",
            "foreign-call src/lib.rs main",
            "foreign-call src/lib.rs main",
            "unsafe-block src/one.rs main",
            "foreign-call src/one.rs main",
            "extern-block src/one/raw.rs main",
        ],
    );
    let expected = ["src/lib.rs:4:19", "src/lib.rs:4:34", "src/lib.rs:4:49", "src/one.rs:2:19"];
    assert_eq!(calls(&workspace, "f"), expected);
}

/// What is below itself, or more modules than anybody writes, ends.
#[test]
fn files_that_name_each_other_come_to_an_end() {
    let workspace = Workspace::new("#[path = \"a0.rs\"] mod a;\n#[path = \"circle.rs\"] mod circle;\n");
    workspace.put("src/circle.rs", "#[path = \"lib.rs\"] mod root;\nunsafe fn f() {}\n");
    for number in 0..40 {
        let next = format!("#[path = \"a{}.rs\"]", number + 1);
        workspace.put(&format!("src/a{number}.rs"), format!("{next} mod a;\n{next} mod b;\n"));
    }
    workspace.put("src/a40.rs", "unsafe fn g() {}\n");
    check(&workspace, &["unsafe-function src/a40.rs main", "unsafe-function src/circle.rs main"]);
}

#[test]
fn foreign_functions_of_bodies_are_called_in_them() {
    let workspace = Workspace::new(
        "pub fn a() { unsafe extern \"C\" { fn f(); } unsafe { f() } }\n\
         struct S; impl S { fn b(&self) { { unsafe extern \"C\" { safe fn f(); } f(); } } }\n\
         fn d() { unsafe extern \"C\" { fn f(); } fn e() { unsafe { f() } } let g = || unsafe { f() }; }\n\
         fn f() {} fn h() { f() }\n",
    );
    let expected = ["src/lib.rs:1:53", "src/lib.rs:2:71", "src/lib.rs:3:58", "src/lib.rs:3:86"];
    assert_eq!(calls(&workspace, "f"), expected);
}
