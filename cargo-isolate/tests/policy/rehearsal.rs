//! Pull requests, rehearsed: what a check says of each, with a baseline and without.

use crate::workspace::Workspace;

pub(crate) const LIB: &str = "\
//! A fixture.
mod raw;
pub use raw::{first, second};
";

pub(crate) const RAW: &str = "\
pub fn first(p: *const u8) -> u8 {
    unsafe { *p }
}

pub fn second(p: *const u8) -> u8 {
    // SAFETY: a fixture.
    unsafe { *p.add(1) }
}
";

const POLICY: &str = "\
version = 1

[check]
baseline = \"isolate-baseline.txt\"

[rules]
missing-safety-comment = \"deny\"
";

/// A repository whose branch `main` has two unsafe blocks, one of them without a comment, which its baseline knows.
pub(crate) fn repository() -> Workspace {
    let workspace = Workspace::new(&[
        ("Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        ("Cargo.lock", "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n"),
        (".gitignore", "/target\n"),
        ("src/lib.rs", LIB),
        ("src/raw.rs", RAW),
        ("policy.toml", POLICY),
    ]);
    workspace.git(&["init", "--quiet", "--initial-branch=main"]);
    assert_eq!(workspace.isolate(&["baseline"]).lines().next(), Some("status 0"));
    workspace.git(&["add", "--all"]);
    workspace.git(&["commit", "--quiet", "--message=start"]);
    workspace.git(&["checkout", "--quiet", "-b", "topic"]);
    workspace
}

const BASELINE: &[&str] = &["check"];
/// Without the baseline: an empty one knows nothing.
const DIFF: &[&str] = &["check", "--policy", "plain.toml", "--diff-base", "main"];

/// What `check` says after an edit: with the baseline, and compared with `main`.
#[track_caller]
fn check(name: &str, edit: impl Fn(&Workspace)) {
    let workspace = repository();
    workspace.write("plain.toml", &POLICY.replace("baseline", "# baseline"));
    edit(&workspace);
    let said = [BASELINE, DIFF]
        .map(|arguments| format!("$ cargo isolate {}\n{}", arguments.join(" "), workspace.isolate(arguments)));
    insta::assert_snapshot!(name, said.join("\n"));
}

#[test]
fn nothing_unsafe_is_touched() {
    check("clean", |workspace| {
        workspace.write("src/lib.rs", &format!("{LIB}pub fn third() {{}}\n"));
    });
}

/// A hundred lines above each finding, other layout, another comment.
#[test]
fn lines_move() {
    check("lines_moved", |workspace| {
        let raw = RAW.replace("unsafe { *p }", "unsafe {\n        // what?\n        *p\n    }");
        workspace.write("src/raw.rs", &format!("{}{raw}", "// A line.\n".repeat(100)));
    });
}

#[test]
fn unsafe_code_is_added() {
    check("added", |workspace| {
        workspace.write(
            "src/lib.rs",
            &format!("{LIB}unsafe extern \"C\" {{\n    fn getpid() -> i32;\n}}\npub fn pid() -> i32 {{\n    unsafe {{ getpid() }}\n}}\n"),
        );
    });
}

/// A place that breaks a rule and is new, too, is one place; with an exception from the rule it is still new.
#[test]
fn a_static_is_added() {
    let add = |workspace: &Workspace, policy: &str| {
        workspace.write("src/lib.rs", &format!("{LIB}pub static mut COUNT: u32 = 0;\n"));
        for (path, text) in
            [("policy.toml", POLICY.to_owned()), ("plain.toml", POLICY.replace("baseline", "# baseline"))]
        {
            workspace.write(path, &format!("{text}static-mut = \"deny\"\n{policy}"));
        }
    };
    check("static_added", |workspace| add(workspace, ""));
    check("static_excepted", |workspace| {
        add(workspace, "[[exception]]\nrule = \"static-mut\"\nat = \"app\"\nreason = \"a fixture\"\n");
    });
}

#[test]
fn a_block_is_edited() {
    check("edited", |workspace| workspace.write("src/raw.rs", &RAW.replace("unsafe { *p }", "unsafe { *p.sub(1) }")));
}

#[test]
fn unsafe_code_is_removed() {
    check("removed", |workspace| {
        workspace.write(
            "src/raw.rs",
            &RAW.replace("    // SAFETY: a fixture.\n    unsafe { *p.add(1) }", "    let _ = p;\n    1"),
        );
    });
}

#[test]
fn a_file_is_renamed() {
    check("renamed", |workspace| {
        workspace.git(&["mv", "src/raw.rs", "src/cooked.rs"]);
        workspace.write("src/lib.rs", &LIB.replace("raw", "cooked"));
    });
}

/// The same text in another file is the same code.
#[test]
fn unsafe_code_moves_to_another_file() {
    check("moved", |workspace| {
        let start = RAW.find("\npub fn second").unwrap();
        workspace.write("src/raw.rs", &RAW[..start]);
        workspace.write("src/other.rs", &RAW[start + 1..]);
        workspace.write("src/lib.rs", "//! A fixture.\nmod other;\nmod raw;\npub use {other::second, raw::first};\n");
    });
}

/// What was never compiled, and what only tests had, is new where it comes to run: by an attribute, a default feature, a `mod`.
#[test]
fn dormant_code_becomes_live() {
    const DORMANT: &str = "\
pub fn parked(p: *const u8) -> u8 {
    // SAFETY: a fixture.
    unsafe { *p.add(7) }
}
";
    let start = |workspace: &Workspace| {
        let manifest = workspace.read("Cargo.toml");
        workspace.write("Cargo.toml", &format!("{manifest}[features]\nfast = []\n"));
        workspace.write("src/raw.rs", &format!("{RAW}\n#[cfg(windows)]\n{DORMANT}"));
        workspace.write("src/fast.rs", &DORMANT.replace("parked", "fast").replace('7', "8"));
        workspace.write("src/left.rs", &DORMANT.replace("parked", "left").replace('7', "9"));
        workspace.write("src/tested.rs", &DORMANT.replace("parked", "tested").replace('7', "6"));
        let mods = "#[cfg(feature = \"fast\")]\nmod fast;\n#[cfg(test)]\nmod tested;\n";
        workspace.write("src/lib.rs", &format!("{LIB}{mods}"));
        workspace.isolate(&["baseline", "--accept"]);
        workspace.git(&["add", "--all"]);
        workspace.git(&["commit", "--quiet", "--message=parked"]);
        workspace.git(&["branch", "--force", "main"]);
    };
    check("live", |workspace| {
        start(workspace);
        workspace.write("src/raw.rs", &format!("{RAW}\n{DORMANT}"));
        workspace.write("Cargo.toml", &format!("{}default = [\"fast\"]\n", workspace.read("Cargo.toml")));
        let mods = "#[cfg(feature = \"fast\")]\nmod fast;\nmod left;\nmod tested;\n";
        workspace.write("src/lib.rs", &format!("{LIB}{mods}"));
    });
    check("parked", |workspace| {
        start(workspace);
        workspace.write("src/raw.rs", &format!("#[cfg(windows)]\n{RAW}\n#[cfg(windows)]\n{DORMANT}"));
    });
}

/// The macro's unsafe code stands in the macro; each use of it is code that runs.
#[test]
fn a_macro_is_used_once_more() {
    const MACRO: &str = "\
macro_rules! first {
    ($p:expr) => {
        // SAFETY: a fixture.
        unsafe { *$p }
    };
}
pub fn once(p: *const u8) -> u8 {
    first!(p)
}
";
    check("macro_used", |workspace| {
        workspace.write("src/lib.rs", &format!("{LIB}{MACRO}"));
        workspace.isolate(&["baseline", "--accept"]);
        workspace.git(&["commit", "--quiet", "--all", "--message=macro"]);
        workspace.git(&["branch", "--force", "main"]);
        workspace.write(
            "src/lib.rs",
            &format!("{LIB}{MACRO}pub fn twice(p: *const u8) -> u8 {{\n    first!(p) + first!(p)\n}}\n"),
        );
    });
}

/// A baseline of the first version is read, and told what it lacks; one of another platform is not asked what was dormant.
#[test]
fn a_baseline_of_other_times_and_places() {
    let workspace = repository();
    let dormant = format!(
        "{RAW}\n#[cfg(windows)]\npub fn third(p: *const u8) -> u8 {{\n    // SAFETY: a fixture.\n    unsafe {{ *p }}\n}}\n"
    );
    workspace.write("src/raw.rs", &dormant);
    workspace.isolate(&["baseline", "--accept"]);
    let now = workspace.read("isolate-baseline.txt");
    workspace.write("src/raw.rs", &dormant.replace("#[cfg(windows)]\n", ""));
    let linux = now.lines().find(|line| line.starts_with("for ")).unwrap();
    workspace.write("isolate-baseline.txt", &now.replace(linux, "for aarch64-macos"));
    let elsewhere = workspace.isolate(&["check"]).replace(&linux[4..], "[HERE]");
    let refused = workspace.isolate(&["baseline"]).replace(&linux[4..], "[HERE]");
    let written = workspace.isolate(&["baseline", "--accept"]).replace(&linux[4..], "[HERE]");
    let first = now.replace("version 2\n", "version 1\n").replace(&format!("{linux}\n"), "");
    workspace.write("isolate-baseline.txt", &first.replace(" live ", " ").replace(" dormant ", " "));
    let said = [elsewhere, refused, written, workspace.isolate(&["check"]), workspace.isolate(&["baseline"])];
    insta::assert_snapshot!("other_baselines", said.join("\n"));
    let checked = workspace.isolate(&["check"]);
    assert!(checked.starts_with("status 0\n--- stdout\nno violations and no warnings"), "{checked}");
}

#[test]
fn an_exception_expires() {
    check("expired", |workspace| {
        let exception = "[[exception]]\nrule = \"missing-safety-comment\"\nat = \"app::raw::first\"\nreason = \"soon\"\nuntil = 2000-01-31\n";
        for policy in ["policy.toml", "plain.toml"] {
            workspace.write(policy, &format!("version = 1\n[rules]\nmissing-safety-comment = \"deny\"\n{exception}"));
        }
    });
}

#[test]
fn an_exception_is_unused() {
    check("unused", |workspace| {
        let exception = "\n[[exception]]\nrule = \"static-mut\"\nat = \"app::old::*\"\nreason = \"legacy\"\n";
        workspace.write("policy.toml", &format!("{POLICY}{exception}"));
    });
}

/// What is new can be let in by name, with a reason; where nothing is compared, nobody asks whether that is of use.
#[test]
fn an_exception_lets_new_code_in() {
    let workspace = repository();
    let exception = "[[exception]]\nrule = \"new-unsafe\"\nat = \"app::pid\"\nreason = \"reviewed\"\n";
    workspace.write("plain.toml", &format!("version = 1\n{exception}"));
    workspace.write("src/lib.rs", &format!("{LIB}pub fn pid() {{\n    // SAFETY: a fixture.\n    unsafe {{}}\n}}\n"));
    let plain = ["check", "--quiet", "--policy", "plain.toml"];
    let said = [
        workspace.isolate(&[&plain[..], &["--diff-base", "main"]].concat()),
        workspace.isolate(&[&plain[..], &["--baseline", "isolate-baseline.txt"]].concat()),
        workspace.isolate(&plain),
    ];
    assert!(said.iter().all(|said| said == "status 0\n--- stdout\n--- stderr\n"), "{said:?}");
    workspace.write("plain.toml", "version = 1\n");
    let without = workspace.isolate(&[&plain[..], &["--diff-base", "main"]].concat());
    assert!(without.starts_with("status 1\n"), "{without}");
}

/// The baseline follows the code down, and up only when it is told to.
#[test]
fn the_baseline_is_lowered() {
    let workspace = repository();
    workspace.write("src/raw.rs", &RAW.replace("unsafe { *p }", "let _ = p;\n    0"));
    let removed = [workspace.isolate(&["check"]), workspace.isolate(&["baseline"]), workspace.isolate(&["check"])];
    insta::assert_snapshot!("lowered", removed.join("\n"));
    insta::assert_snapshot!(
        "lowered_file",
        std::fs::read_to_string(workspace.path.join("isolate-baseline.txt")).unwrap()
    );
    workspace.write("src/raw.rs", RAW);
    let added =
        [workspace.isolate(&["baseline"]), workspace.isolate(&["baseline", "--accept"]), workspace.isolate(&["check"])];
    insta::assert_snapshot!("raised", added.join("\n"));
}

#[test]
fn a_merge_left_both_sides() {
    let workspace = repository();
    let line = |code: &str| format!("{code} app app::f live {0} {0}\n", "0".repeat(32));
    let sides = format!("<<<<<<< HEAD\n{}=======\n{}>>>>>>> topic\n", line("static-mut"), line("union"));
    workspace.write("isolate-baseline.txt", &format!("version 2\nfor x86_64-linux-gnu\n{sides}"));
    insta::assert_snapshot!("conflict", workspace.isolate(&["check"]));
}

#[test]
fn no_baseline_to_read() {
    let workspace = repository();
    let missing = workspace.isolate(&["check", "--baseline", "none.txt"]);
    workspace.write("newer.txt", "version 3\nfrobs\n");
    let newer = workspace.isolate(&["check", "--baseline", "newer.txt"]);
    workspace.write("policy.toml", "version = 1\n");
    insta::assert_snapshot!("no_baseline", [missing, newer, workspace.isolate(&["baseline"])].join("\n"));
}
