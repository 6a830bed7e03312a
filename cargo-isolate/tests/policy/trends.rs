//! Audits of two states side by side.

use crate::workspace::Workspace;

const BEFORE: &str = "\
pub mod raw {
    pub fn first(p: *const u8) -> u8 {
        unsafe { *p }
    }
    pub fn second(p: *const u8) -> u8 {
        unsafe { *p.add(1) }
    }
}
";

/// One block is gone, one moved, one is edited and two came, with a foreign call.
const AFTER: &str = "\
unsafe extern \"C\" {
    fn getpid() -> i32;
}
pub mod cooked {
    pub fn second(p: *const u8) -> u8 {
        unsafe { *p.add(1) }
    }
    pub fn pid() -> i32 {
        unsafe { super::getpid() }
    }
}
";

fn repository() -> Workspace {
    let workspace = Workspace::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nold = { path = \"old\" }\n[workspace]\nexclude = [\"old\", \"new\"]\n",
        ),
        (".gitignore", "/target\n*.json\nCargo.lock\n"),
        ("src/lib.rs", BEFORE),
        ("old/Cargo.toml", "[package]\nname = \"old\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        ("old/src/lib.rs", "pub unsafe fn f() {}\n"),
        ("new/Cargo.toml", "[package]\nname = \"new\"\nversion = \"0.2.0\"\nedition = \"2024\"\n"),
        ("new/src/lib.rs", "pub unsafe fn f() {}\npub unsafe fn g() {}\n"),
    ]);
    workspace.git(&["init", "--quiet", "--initial-branch=main"]);
    workspace.git(&["add", "--all"]);
    workspace.git(&["commit", "--quiet", "--message=before"]);
    workspace.isolate(&["audit", "--format", "json=before.json"]);
    workspace.write(
        "Cargo.toml",
        &workspace.read("Cargo.toml").replace("old = { path = \"old\" }", "new = { path = \"new\" }"),
    );
    workspace.write("src/lib.rs", AFTER);
    workspace.isolate(&["audit", "--format", "json=after.json"]);
    workspace
}

#[test]
fn every_format_says_the_same() {
    let workspace = repository();
    let said = ["text", "markdown", "line", "json"]
        .map(|format| workspace.isolate(&["diff", "before.json", "after.json", "--format", format]));
    insta::assert_snapshot!("formats", said.join("\n"));
    insta::assert_snapshot!("nothing", workspace.isolate(&["diff", "after.json", "after.json"]));
}

#[test]
fn commits_are_compared_like_files() {
    let workspace = repository();
    let of_files = workspace.isolate(&["diff", "before.json", "after.json"]);
    // Up to the files as they are now, from `HEAD`; then from commit to commit.
    assert_eq!(workspace.isolate(&["diff", ".."]), of_files);
    workspace.git(&["commit", "--quiet", "--all", "--message=after"]);
    assert_eq!(workspace.isolate(&["diff", "HEAD~1..HEAD"]), of_files);
    workspace.git(&["checkout", "--quiet", "-b", "topic", "HEAD~1"]);
    // `topic` brings nothing since it parted from `main`.
    insta::assert_snapshot!("since_parting", workspace.isolate(&["diff", "main...topic"]));
}

/// What `-p` leaves out is left out on both sides: nothing of it came or went.
#[test]
fn chosen_members_are_compared_with_themselves() {
    let manifest = |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    let workspace = Workspace::new(&[
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"one\", \"two\"]\n"),
        (".gitignore", "/target\n"),
        ("one/Cargo.toml", &manifest("one")),
        ("one/src/lib.rs", "pub unsafe fn f() {}\n"),
        ("two/Cargo.toml", &manifest("two")),
        ("two/src/lib.rs", "pub unsafe fn g() {}\n"),
    ]);
    workspace.git(&["init", "--quiet", "--initial-branch=main"]);
    workspace.git(&["add", "--all"]);
    workspace.git(&["commit", "--quiet", "--message=before"]);
    let nothing = workspace.isolate(&["diff", "..", "-p", "one"]);
    assert!(nothing.contains("nothing came and nothing went"), "{nothing}");
    workspace.write("one/src/lib.rs", "pub unsafe fn f() {}\npub unsafe fn more() {}\n");
    workspace.write("two/src/lib.rs", "");
    let one = workspace.isolate(&["diff", "..", "-p", "one"]);
    assert!(one.contains("one/src/lib.rs") && !one.contains("two"), "{one}");
    assert!(workspace.isolate(&["diff", "..", "--exclude", "one"]).contains("two/src/lib.rs"));
}

/// A package that comes as a whole, as a runtime does, is a line in each part of the difference.
#[test]
fn what_comes_with_a_package_is_summed_up() {
    let workspace = repository();
    let block = "pub fn f() -> i32 { unsafe { getppid() } }\n";
    let blocks: String = (0..30).map(|number| block.replace("f()", &format!("f{number}()"))).collect();
    let declared = "unsafe extern \"C\" { fn getppid() -> i32; fn getuid() -> u32; }\n";
    let manifest = "[package]\nname = \"large\"\nversion = \"1.0.0\"\nedition = \"2024\"\n";
    workspace.write("large/Cargo.toml", manifest);
    workspace.write("large/src/lib.rs", &format!("{declared}{blocks}"));
    workspace.write("Cargo.toml", &(workspace.read("Cargo.toml") + "members = [\"large\"]\n"));
    workspace.isolate(&["audit", "--format", "json=large.json"]);
    let said =
        ["text", "markdown"].map(|format| workspace.isolate(&["diff", "after.json", "large.json", "--format", format]));
    insta::assert_snapshot!("large", said.join("\n"));
    insta::assert_snapshot!("large_gone", workspace.isolate(&["diff", "large.json", "after.json"]));
}

#[test]
fn what_is_no_audit() {
    let workspace = repository();
    workspace.write("policy.toml", "version = 1\n");
    workspace.isolate(&["check", "--format", "json=check.json"]);
    workspace.write("older.json", "{ \"schema\": 1 }");
    workspace.write("none.json", "{ \"schema\": 4 }");
    let old = "before.json";
    let said = [
        &["diff", old, "missing.json"][..],
        &["diff", old, "check.json"],
        &["diff", "older.json", old],
        &["diff", "none.json", old],
        &["diff", "src/lib.rs", old],
        &["diff", old],
        &["diff", "nobody..HEAD"],
    ];
    insta::assert_snapshot!("no_audit", said.map(|arguments| workspace.isolate(arguments)).join("\n"));
}

#[test]
fn a_picture_and_a_sentence() {
    let workspace = repository();
    let said = [&["badge"][..], &["badge", "--format", "line"]].map(|arguments| workspace.isolate(arguments));
    insta::assert_snapshot!("badge", said.join("\n"));
    workspace.write("src/lib.rs", "pub fn f() {}\n");
    insta::assert_snapshot!("badge_of_nothing", workspace.isolate(&["badge"]));
}

/// A dependency of each kind: without unsafe code, with all that is asked for, without it, and one that does not parse.
#[test]
fn proposals_for_cargo_vet() {
    let package = |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n");
    let names = ["bare", "broken", "none", "sound"];
    let dependencies = names.map(|name| format!("{name} = {{ path = \"{name}\" }}\n")).concat();
    let workspace = Workspace::new(&[
        ("Cargo.toml", &format!("{}[dependencies]\n{dependencies}[workspace]\nexclude = {names:?}\n", package("app"))),
        ("src/lib.rs", "pub unsafe fn f() {}\n"),
        (
            "bare/src/lib.rs",
            "pub unsafe fn f(p: *const u8) -> u8 {\n    unsafe { *p }\n}\ninclude!(concat!(env!(\"OUT_DIR\"), \"/x.rs\"));\n",
        ),
        ("broken/src/lib.rs", "fn f( {\n"),
        ("none/src/lib.rs", "#![forbid(unsafe_code)]\n//! Not unsafe.\npub const TEXT: &str = \"unsafe\";\n"),
        (
            "sound/src/lib.rs",
            "/// # Safety\n/// The pointer is valid.\npub unsafe fn f(p: *const u8) -> u8 {\n    // SAFETY: asked for.\n    unsafe { *p }\n}\n",
        ),
    ]);
    for name in names {
        workspace.write(&format!("{name}/Cargo.toml"), &package(name));
    }
    insta::assert_snapshot!("vet", workspace.isolate(&["vet"]));
}
