//! Policies of a workspace and its members, as `check` combines them.

use crate::workspace::Workspace;

/// Members `app` with two blocks, one argued for, and `ffi` with one.
fn two_members(policy: &str, of_ffi: &str) -> Workspace {
    Workspace::new(&[
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"ffi\"]\n"),
        ("app/Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        (
            "app/src/lib.rs",
            "pub fn f(p: *const u8) -> u8 {\n    // SAFETY: a fixture.\n    unsafe { *p }\n}\npub fn g(p: *const u8) -> u8 {\n    unsafe { *p }\n}\n",
        ),
        ("ffi/Cargo.toml", "[package]\nname = \"ffi\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        ("ffi/src/lib.rs", "pub fn h(p: *const u8) -> u8 {\n    unsafe { *p }\n}\n"),
        ("policy.toml", policy),
        ("ffi/policy.toml", of_ffi),
    ])
}

#[track_caller]
fn check(name: &str, policy: &str, of_ffi: &str) {
    insta::assert_snapshot!(name, two_members(policy, of_ffi).isolate(&["check"]));
}

const WORKSPACE: &str =
    "version = 1\n\n[rules]\nmissing-safety-comment = \"warn\"\n\n[crates.\"*\"]\nunsafe = { max = 2 }\n";

#[test]
fn a_member_tightens() {
    check(
        "member_tightens",
        WORKSPACE,
        "version = 1\n[rules]\nmissing-safety-comment = \"deny\"\n[crates.ffi]\nunsafe = \"forbid\"\n",
    );
}

/// `check` and `audit` both take a comment for an argument that begins with the workspace's own word.
#[test]
fn a_workspace_has_its_own_safety_words() {
    let policy = "version = 1\n[rules]\nmissing-safety-comment = \"deny\"\n[crates.\"*\"]\nunsafe = { max = 2 }\n";
    let workspace = two_members(policy, "version = 1\n");
    for (path, at) in [("app/src/lib.rs", "pub fn g"), ("ffi/src/lib.rs", "pub fn h")] {
        let source = format!("{at}(p: *const u8) -> u8 {{\n    // Invariant: p is ours.\n    unsafe {{ *p }}\n}}\n");
        workspace.write(path, &source);
    }
    let everywhere = || {
        [("audit", "no `SAFETY` comment"), ("check", "missing-safety-comment")]
            .map(|(command, found)| workspace.isolate(&[command]).matches(found).count())
    };
    assert_eq!(everywhere(), [2, 2]);
    workspace.write("policy.toml", &format!("{policy}[audit]\nsafety-words = [\"INVARIANT\"]\n"));
    assert_eq!(everywhere(), [0, 0]);
}

#[test]
fn a_member_does_not_loosen() {
    check(
        "member_loosens",
        WORKSPACE,
        "version = 1\n\n[rules]\nmissing-safety-comment = \"allow\"\nstatic-mutt = \"deny\"\n\n[crates.ffi]\nunsafe = { max = 3 }\n[crates.app]\nunsafe = \"forbid\"\n\n[[exception]]\nrule = \"missing-safety-comment\"\nat = \"ffi::*\"\nreason = \"old\"\n\n[domain.z]\nlibrary = \"ffi\"\n",
    );
}

/// What is wrong is told of the file that it is in.
#[test]
fn what_is_not_for_members() {
    check(
        "member_has_structs",
        WORKSPACE,
        "[rules]\nstatic-mut = \"warn\"\n\n[struct.z_stream]\nread = [\"msg\"]\n\n[fn.f]\nerror = false\n",
    );
}

#[test]
fn a_glob_that_matches_nothing() {
    check(
        "glob_without_match",
        "version = 1\n\n[domain.z]\nlibrary = \"ffi\"\narchives = [\"libz.a\"]\n\n[[isolate]]\ndomain = \"z\"\nextern = [\"inflate*\"]\n\n[fn.deflate]\narg.x = { kind = \"value\" }\n",
        "version = 1\n",
    );
}

#[test]
fn names_that_are_not_there() {
    check(
        "unknown_names",
        "version = 1\n\n[[exception]]\nrule = \"static-mut\"\nat = \"appp::old::*\"\nreason = \"old\"\n[[exception]]\nrule = \"static-mut\"\nat = \"fffi/*\"\nreason = \"old\"\n\n[crates.apps]\nunsafe = \"forbid\"\n",
        "version = 1\n",
    );
}

/// What a baseline takes in is known; what is too much stays too much, and where is said.
#[test]
fn a_baseline_raises_no_maximum() {
    let policy = "version = 1\n[check]\nbaseline = \"known.txt\"\n[rules]\nmissing-safety-comment = \"allow\"\n\n[crates.app]\nunsafe = { max = 1 }\n";
    let workspace = two_members(policy, "version = 1\n");
    let said = workspace.isolate(&["baseline", "--accept"]);
    assert!(said.contains("policy.toml:8:10: `app@0.1.0` may have 1 unsafe construct, and has 2"), "{said}");
    let checked = workspace.isolate(&["check"]);
    assert!(checked.starts_with("status 1\n"), "{checked}");
    workspace.write("policy.toml", &policy.replace("max = 1", "max = 2"));
    let checked = workspace.isolate(&["check"]);
    assert!(checked.starts_with("status 0\n"), "{checked}");
}

/// What could fall is named, in whichever file it stands; what `*` or a package left out of the check has is not.
#[test]
fn a_maximum_that_can_be_lowered() {
    let policy = "version = 1\n[rules]\nmissing-safety-comment = \"allow\"\n[crates.\"*\"]\nunsafe = { max = 7 }\n[crates.app]\nunsafe = { max = 5 }\n";
    let workspace =
        two_members(policy, "version = 1\n[rules]\nstatic-mut = \"warn\"\n[crates.ffi]\nunsafe = { max = 3 }\n");
    let said = [
        workspace.isolate(&["check"]),
        workspace.isolate(&["init", "--update"]),
        workspace.isolate(&["check", "-p", "app"]),
    ];
    insta::assert_snapshot!("slack", said.join("\n"));
}

/// `-p` judges a member with what it is made of, not its siblings.
#[test]
fn limits_of_what_is_selected() {
    let check = |manifest: &str, expected: &str| {
        let policy = "version = 1\n[rules]\nmissing-safety-comment = \"allow\"\n[crates.ffi]\nunsafe = \"forbid\"\n";
        let workspace = two_members(policy, "version = 1\n[crates.ffi]\nunsafe = { max = 0 }\n");
        workspace.write(
            "app/Cargo.toml",
            &format!("[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{manifest}"),
        );
        for arguments in [&["check", "-p", "app"][..], &["check", "--workspace", "--exclude", "ffi"]] {
            let checked = workspace.isolate(arguments);
            assert!(checked.starts_with(expected), "{checked}");
        }
        let all = workspace.isolate(&["check"]);
        assert!(all.starts_with("status 1\n"), "{all}");
    };
    check("", "status 0\n");
    check("[dependencies]\nffi = { path = \"../ffi\" }\n", "status 1\n");
}
