//! `verify` on workspaces that it must not pass.

use std::{
    fs,
    process::{Command, Output},
};

const APP: &str = "fn main() {\n    let _ = isolated::direct::twice(1);\n}\n";
const BYPASS: &str = "fn main() {\n    unsafe { direct_sys::twice(1) };\n}\n";
/// Compiles without the `cc` crate, which would have to be built first.
const BUILD: &str = r#"
fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    let run = |tool: &str, arguments: &[&str]| assert!(std::process::Command::new(tool).args(arguments).status().unwrap().success());
    let (object, archive) = (format!("{out}/twice.o"), format!("{out}/libtwice.a"));
    run("cc", &["-c", "-fPIC", "twice.c", "-o", &object]);
    run("ar", &["crs", &archive, &object]);
    println!("cargo::rustc-link-search=native={out}");
    println!("cargo::rustc-link-lib=static=twice");
}
"#;
const POLICY: &str = r#"
version = 1
[domain.direct]
library = "direct-sys"
[[isolate]]
domain = "direct"
extern = ["twice"]
"#;

/// A workspace with fresh wrappers, then `change`d by one file: what `verify` with `arguments` ends with, and says;
/// with nothing `expected`, nothing.
#[track_caller]
fn check(change: (&str, &str), arguments: &[&str], status: i32, expected: &[&str]) {
    check_all(&[change], arguments, status, expected);
}

/// The same for several files.
#[track_caller]
fn check_all(changes: &[(&str, &str)], arguments: &[&str], status: i32, expected: &[&str]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    put(
        "Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[dependencies]\ndirect-sys = { path = \"sys\" }\n[workspace]\nmembers = [\"other\"]\n",
    );
    put("src/main.rs", APP);
    put("other/Cargo.toml", "[package]\nname = \"other\"\nversion = \"1.0.0\"\nedition = \"2024\"\n");
    put("other/src/lib.rs", "");
    put("sys/Cargo.toml", "[package]\nname = \"direct-sys\"\nversion = \"1.0.0\"\nedition = \"2024\"\n");
    put("sys/build.rs", BUILD);
    put("sys/twice.c", "int twice(int n) { return 2 * n; }\n");
    put("sys/src/lib.rs", "unsafe extern \"C\" {\n    pub fn twice(n: i32) -> i32;\n}\n");
    put("policy.toml", POLICY);
    let isolate = |arguments: &[&str]| -> Output {
        // Not shared: cargo takes packages at the same place in their workspaces for the same one.
        let target = folder.path().join("target");
        let mut tool = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"));
        tool.arg("isolate").args(arguments).arg("--offline").env("CARGO_TARGET_DIR", target);
        tool.current_dir(folder.path()).output().expect("the tool")
    };
    let wrapped = isolate(&["wrap", "--apply", "--allow-no-vcs"]);
    assert!(wrapped.status.success(), "{}", String::from_utf8_lossy(&wrapped.stderr));
    for change in changes {
        let text = match *change {
            ("src/main.rs", text) => format!("mod isolated;\n{text}"),
            (_, text) => text.to_owned(),
        };
        put(change.0, &text);
    }
    let verified = isolate(&[&["verify"], arguments].concat());
    let stdout = String::from_utf8_lossy(&verified.stdout);
    assert!(!expected.is_empty() || stdout.is_empty(), "{stdout}");
    let quiet = arguments.contains(&"--quiet");
    assert!(!quiet || !stdout.lines().any(|line| line.starts_with("ok ") || line.starts_with("note ")), "{stdout}");
    for line in expected {
        assert!(stdout.contains(line), "`{line}` is missing from\n{stdout}");
    }
    assert_eq!(verified.status.code(), Some(status), "{stdout}\n{}", String::from_utf8_lossy(&verified.stderr));
}

#[test]
fn stale_wrappers() {
    check(
        (
            "policy.toml",
            &format!("{POLICY}\n[fn.twice]\n").replace("\"direct-sys\"", "\"direct-sys\"\nstack = \"64KiB\""),
        ),
        &[],
        1,
        &["error  wrappers  not as", "    src/isolated/direct.rs\n", "note   compile   not tried"],
    );
}

/// Each of them is named, in both formats.
#[test]
fn functions_that_are_refused() {
    let sys = "unsafe extern \"C\" {\n    pub fn twice(n: *mut Node) -> i32;\n}\npub struct Node { next: *mut Node, n: i32 }\n";
    let change = ("sys/src/lib.rs", sys);
    let refused = ["error  wrappers  1 function has none", "    sys/src/lib.rs:2:5: `twice` of the domain `direct`\n"];
    check(change, &[], 1, &refused);
    let refused = [
        "\"wrappers\": 0,",
        "\"function\": \"twice\",\n      \"path\": \"sys/src/lib.rs\"",
        "\"reason\": \"functions have",
    ];
    check(change, &["--format", "json"], 1, &refused);
}

/// `--package` and `--exclude` say what is built, too.
#[test]
fn a_member_that_is_not_chosen_and_does_not_compile() {
    let change = ("other/src/lib.rs", "fn f() -> u8 { false }\n");
    check(change, &["--no-run"], 1, &["error  compile   the workspace does not compile"]);
    check(change, &["--exclude", "other", "--no-run", "--quiet"], 0, &[]);
    check(change, &["--package", "app", "--expand", "--no-run", "--quiet"], 0, &[]);
}

#[test]
fn nothing_wrong_and_nothing_said() {
    check(("src/main.rs", APP), &["--no-run", "--quiet"], 0, &[]);
}

#[test]
fn a_call_past_its_wrapper() {
    let expected = ["error  bypass    1 call goes past", "src/main.rs:3:14: calls `twice` in `main` (app@1.0.0)\n"];
    check(("src/main.rs", BYPASS), &["--no-run"], 1, &expected);
    check(("src/main.rs", BYPASS), &["--no-run", "--quiet"], 1, &expected);
}

#[test]
fn a_call_that_the_policy_excepts() {
    let exception = |at: &str, until: &str| {
        format!(
            "{POLICY}\n[[exception]]\nrule = \"bypassed-isolation\"\nat = \"{at}\"\nreason = \"nobody calls it\"\nuntil = {until}\n"
        )
    };
    let spare = "unsafe extern \"C\" {\n    pub fn twice(n: i32) -> i32;\n}\npub fn spare(n: i32) -> i32 {\n    unsafe { twice(n) }\n}\n";
    let run = ["--no-run", "--today", "2027-01-31"];
    let calls =
        ["error  bypass    1 call goes past", "calls `twice` in `spare` (direct-sys@1.0.0)\n", "error  objects"];
    check_all(&[("sys/src/lib.rs", spare)], &run, 1, &calls);
    let excepted = exception("direct_sys::spare", "2027-01-31");
    let let_be =
        ["note             `direct_sys::spare` may go past the wrapper of `twice`: an exception", "ok     objects"];
    check_all(&[("sys/src/lib.rs", spare), ("policy.toml", &excepted)], &run, 0, &let_be);
    let expired = exception("direct-sys/*", "2027-01-30");
    check_all(&[("sys/src/lib.rs", spare), ("policy.toml", &expired)], &run, 1, &calls);
}

/// The wrappers are fine, as far as anybody can tell: it is the machine that has to be mended.
#[test]
fn a_runner_that_does_not_start() {
    let expected = ["error  faults    not run: the runner `/no/such/runner` did not start the program"];
    check(("src/main.rs", APP), &["--runner", "/no/such/runner"], 3, &expected);
}

#[test]
fn a_platform_that_was_asked_for() {
    check(("src/main.rs", APP), &["--no-run", "--quiet", "--target", "x86_64-unknown-linux-gnu"], 0, &[]);
    check(("src/main.rs", APP), &["--no-run", "--target", "aarch64-unknown-linux-gnu"], 2, &[]);
    check(("src/main.rs", APP), &["--no-run", "--target", "all"], 2, &[]);
}

#[test]
fn a_file_that_does_not_parse() {
    check(
        ("src/main.rs", "fn main( { }\n"),
        &["--no-run"],
        5,
        &["error  scan      incomplete", "error  compile   the workspace does not compile"],
    );
}
