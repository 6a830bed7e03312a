//! The page of `--format html` in a browser, where there is one: nothing overflows or overlaps, no error, usable by keyboard,
//! large graphs without a wait.
//!
//! Needs a Chromium on the path; without one the test says that it skips. `tests/page/probe.js` goes through the views of a
//! copy of the page and leaves what it saw in the document, which Chromium prints.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

const PROBE: &str = include_str!("page/probe.js");

fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = std::env::split_paths(&std::env::var_os("PATH")?)
        .flat_map(|directory| names.map(|name| directory.join(name)))
        .find(|path| path.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: no Chromium on the path ({})", names.join(", "));
    }
    found
}

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

/// What the probe saw of a page in a window of some width.
fn probe(chromium: &Path, file: &Path, width: u32, dark: bool) -> String {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let text = std::fs::read_to_string(file).unwrap();
    // Before the page's own script, so that no error goes by unseen.
    let (head, body) = text.split_once("<body>").unwrap();
    let copy = directory.path().join("page.html");
    std::fs::write(&copy, format!("{head}<body><script>{PROBE}</script>{body}")).unwrap();
    let mut command = Command::new(chromium);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--virtual-time-budget=20000"]);
    command.args([format!("--window-size={width},900"), format!("--user-data-dir={}", directory.path().display())]);
    if dark {
        command.arg("--blink-settings=preferredColorScheme=0");
    }
    let output = command.arg("--dump-dom").arg(format!("file://{}", copy.display())).output().unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    let seen = dom.split_once("<pre id=\"probe\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let why = || format!("the probe did not finish: {}\n{dom}", String::from_utf8_lossy(&output.stderr));
    seen.unwrap_or_else(|| panic!("{}", why())).0.trim().to_owned()
}

#[test]
fn nothing_is_wrong_in_a_browser() {
    let Some(chromium) = chromium() else { return };
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let violations = ("violations", &["check", "--today", "2027-01-31"][..]);
    let broken = ("broken", &["audit"][..]);
    for ((name, arguments), width, dark) in
        [(violations, 1400, false), (violations, 700, true), (broken, 1400, true), (broken, 500, false)]
    {
        let file = directory.path().join("page.html");
        page(&format!("fixtures/tool/{name}"), arguments, &file);
        assert_eq!(probe(&chromium, &file, width, dark), "fine", "{name}, {width} wide, dark: {dark}");
    }
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
        assert_eq!(probe(&chromium, &file, width, false), "fine", "{width} wide");
    }
}
