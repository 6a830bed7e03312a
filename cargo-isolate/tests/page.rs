//! The page of `--format html` in a browser, where there is one: nothing overflows or overlaps, no error, usable by keyboard.
//! `corpus.rs` opens a large one.
//!
//! Needs a Chromium on the path; without one the test says that it skips. `tests/page/probe.js` goes through the views of a
//! copy of the page and prints what is wrong to the console.

mod browser;
mod needs;

use browser::{chromium, said};
use std::{path::Path, process::Command};

const PROBE: &str = include_str!("page/probe.js");

fn page(workspace: &str, arguments: &[&str], file: &Path) {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(workspace);
    let status = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"))
        .arg("isolate")
        .args(arguments)
        .arg(format!("--format=html={}", file.display()))
        .current_dir(workspace)
        .env("CARGO_NET_OFFLINE", "true")
        .status()
        .unwrap();
    assert!(file.is_file(), "{status}");
}

#[track_caller]
fn check(chromium: &Path, file: &Path, width: u32, dark: bool, what: &str) {
    let page = std::fs::read_to_string(file).unwrap();
    assert_eq!(said(chromium, &page, PROBE, width, dark), ["fine"], "{what}, {width} wide, dark: {dark}");
}

#[test]
fn nothing_is_wrong_in_a_browser() {
    let Some(chromium) = chromium() else { return };
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let violations = ("violations", &["check", "--today", "2027-01-31"][..]);
    let broken = ("broken", &["audit"][..]);
    for ((name, arguments), width, dark) in
        [(violations, 1920, false), (violations, 700, true), (broken, 1200, true), (broken, 400, false)]
    {
        let file = directory.path().join("page.html");
        page(&format!("fixtures/tool/{name}"), arguments, &file);
        check(&chromium, &file, width, dark, name);
    }
}

/// Functions in modules that call each other: the graph of all of them is drawn, walked and read like a small one.
#[test]
fn a_crate_of_a_thousand_functions() {
    let Some(chromium) = chromium() else { return };
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    std::fs::create_dir(directory.path().join("src")).unwrap();
    write("Cargo.toml", "[package]\nname = \"thousand\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[workspace]\n");
    let mut library = String::new();
    for module in 0..40 {
        let function = |number: usize| {
            let next = (module + 1) % 40;
            format!(
                "pub fn of_{number}(n: i64) -> i64 {{\n    // SAFETY: it takes any number.\n    unsafe {{ labs(n) }}\n}}\n\
                 pub fn above_{number}() -> i64 {{\n    of_{number}(1) + super::part_{next}::of_{number}(2)\n}}\n"
            )
        };
        let functions: String = (0..13).map(function).collect();
        library += &format!(
            "pub mod part_{module} {{\nunsafe extern \"C\" {{\n    fn labs(n: i64) -> i64;\n}}\n{functions}}}\n"
        );
    }
    write("src/lib.rs", &library);
    let file = directory.path().join("page.html");
    page(directory.path().to_str().unwrap(), &["audit"], &file);
    check(&chromium, &file, 1200, false, "a thousand functions");
}

/// Characters that turn text around or take it out of sight come as escapes; the probe looks for them in each view.
#[test]
fn nothing_hides_in_names() {
    let Some(chromium) = chromium() else { return };
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    std::fs::create_dir(directory.path().join("src")).unwrap();
    write("Cargo.toml", "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[workspace]\n");
    write("src/a\u{202e}b\u{85}c.rs", "pub fn f() { unsafe { super::of_c() } }\n");
    write(
        "src/lib.rs",
        "#[path = \"a\u{202e}b\u{85}c.rs\"]\npub mod turned;\nunsafe extern \"C\" {\n    \
         #[link_name = \"left\u{202e}right\u{1b}[8m\"]\n    fn of_c();\n}\n\
         #[cfg(feature = \"x\u{200b}y\")]\npub fn g() { unsafe { of_c() /* \u{2066}*/ } }\n",
    );
    let file = directory.path().join("page.html");
    page(directory.path().to_str().unwrap(), &["audit"], &file);
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(!written.contains(['\u{202e}', '\u{85}', '\u{1b}', '\u{200b}', '\u{2066}']));
    check(&chromium, &file, 1400, false, "hidden characters");
}

/// A crate, a module, a symbol and a line of code, each longer than any window.
#[test]
fn long_names_stay_in_their_places() {
    let Some(chromium) = chromium() else { return };
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let (krate, module, symbol) = ("a_crate".repeat(8), "a_module".repeat(15), "a_symbol".repeat(25));
    let version = "1.0.0-alpha.beta.gamma.delta.epsilon+build.metadata";
    write(
        "Cargo.toml",
        &format!("[package]\nname = \"{krate}\"\nversion = \"{version}\"\nedition = \"2024\"\n[workspace]\n"),
    );
    write("src/lib.rs", &format!("mod {module};\nunsafe extern \"C\" {{ fn {symbol}(n: i32) -> i32; }}\n"));
    let calls = format!("crate::{symbol}(1) + ").repeat(50);
    write(
        &format!("src/{module}.rs"),
        &format!("pub fn {module}() -> i32 {{ unsafe {{ {calls} 1 }} }}\npub fn two() {{ unsafe {{}} }}\n"),
    );
    let file = directory.path().join("page.html");
    page(directory.path().to_str().unwrap(), &["audit"], &file);
    for width in [1400, 500] {
        check(&chromium, &file, width, false, "long names");
    }
}
