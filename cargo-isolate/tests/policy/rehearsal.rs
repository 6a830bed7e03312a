//! Pull requests, rehearsed: what a check says of each, with a baseline and without.

use crate::workspace::Workspace;

const LIB: &str = "\
//! A fixture.
mod raw;
pub use raw::{first, second};
";

const RAW: &str = "\
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
fn repository() -> Workspace {
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
    let line = |code: &str| format!("{code} app app::f {0} {0}\n", "0".repeat(32));
    let sides = format!("<<<<<<< HEAD\n{}=======\n{}>>>>>>> topic\n", line("static-mut"), line("union"));
    workspace.write("isolate-baseline.txt", &format!("version 1\n{sides}"));
    insta::assert_snapshot!("conflict", workspace.isolate(&["check"]));
}

#[test]
fn no_baseline_to_read() {
    let workspace = repository();
    let missing = workspace.isolate(&["check", "--baseline", "none.txt"]);
    workspace.write("newer.txt", "version 2\nfrobs\n");
    let newer = workspace.isolate(&["check", "--baseline", "newer.txt"]);
    workspace.write("policy.toml", "version = 1\n");
    insta::assert_snapshot!("no_baseline", [missing, newer, workspace.isolate(&["baseline"])].join("\n"));
}

#[test]
fn nothing_to_compare_with() {
    let workspace = repository();
    let unknown = workspace.isolate(&["check", "--diff-base", "origin/main"]);
    workspace.git(&["commit", "--quiet", "--allow-empty", "--message=two"]);
    workspace.git(&["clone", "--quiet", "--depth=1", &format!("file://{}", workspace.path.display()), "shallow"]);
    let shallow = Workspace::at(workspace.path.join("shallow"));
    let shallow_clone = shallow.isolate(&["check", "--diff-base", "origin/main"]);
    // Known by name, but not where it came from.
    shallow.git(&["fetch", "--quiet", "--depth=1", "origin", "main:main"]);
    let shallow_history = shallow.isolate(&["check", "--diff-base", "main"]);
    workspace.git(&["checkout", "--quiet", "--orphan", "other"]);
    workspace.git(&["commit", "--quiet", "--allow-empty", "--message=other"]);
    let unrelated = workspace.isolate(&["check", "--diff-base", "main"]);
    let none = Workspace::new(&[
        ("Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        ("src/lib.rs", LIB),
        ("src/raw.rs", RAW),
        ("policy.toml", "version = 1\n"),
    ]);
    let no_repository = none.isolate(&["check", "--diff-base", "main"]);
    insta::assert_snapshot!("no_base", [unknown, shallow_clone, shallow_history, unrelated, no_repository].join("\n"));
}

/// A workspace in a folder of the repository, called from below; what the repository does on checkouts is not done.
#[test]
fn the_repository_is_left_alone() {
    let workspace = Workspace::new(&[
        ("rust/Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        ("rust/Cargo.lock", "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n"),
        ("rust/src/lib.rs", LIB),
        ("rust/src/raw.rs", RAW),
        ("rust/policy.toml", "version = 1\n"),
        (".gitignore", "target\nran\n"),
    ]);
    workspace.git(&["init", "--quiet", "--initial-branch=main"]);
    workspace.git(&["add", "--all"]);
    workspace.git(&["commit", "--quiet", "--message=start"]);
    for hook in ["post-checkout", "post-index-change"] {
        let hook = format!(".git/hooks/{hook}");
        workspace.write(&hook, "#!/bin/sh\ntouch ran\n");
        std::fs::set_permissions(workspace.path.join(hook), std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
    }
    workspace.write("rust/src/raw.rs", &RAW.replace("unsafe { *p }", "unsafe { *p.sub(1) }"));
    let index = std::fs::read(workspace.path.join(".git/index")).unwrap();
    let said = Workspace::at(workspace.path.join("rust/src")).isolate(&["check", "--diff-base", "main"]);
    insta::assert_snapshot!("below_the_root", said);
    assert_eq!(std::fs::read(workspace.path.join(".git/index")).unwrap(), index);
    assert!(!workspace.path.join("ran").exists() && !workspace.path.join("rust/ran").exists());
    let left: Vec<_> = std::fs::read_dir(workspace.path.join("rust/target/isolate")).unwrap().flatten().collect();
    assert!(left.iter().all(|entry| !entry.file_name().to_string_lossy().starts_with("base-")), "{left:?}");
    // The hooks would have run.
    workspace.git(&["checkout", "--quiet", "-b", "topic"]);
    assert!(workspace.path.join("ran").exists());
}

/// The earlier commit may be of another shape: no workspace there at all.
#[test]
fn everything_is_new() {
    let workspace = Workspace::new(&[("README.md", "Nothing yet.\n"), (".gitignore", "/target\n")]);
    workspace.git(&["init", "--quiet", "--initial-branch=main"]);
    workspace.git(&["add", "--all"]);
    workspace.git(&["commit", "--quiet", "--message=start"]);
    for (path, text) in [
        ("Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n"),
        ("src/lib.rs", "pub unsafe fn f() {}\n"),
        ("policy.toml", "version = 1\n"),
    ] {
        workspace.write(path, text);
    }
    insta::assert_snapshot!("everything", workspace.isolate(&["check", "--diff-base", "main"]));
}
