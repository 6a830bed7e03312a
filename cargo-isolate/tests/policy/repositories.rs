//! What `--diff-base` compares with: commits of repositories of all shapes, which stay as they are.

use crate::{
    rehearsal::{LIB, RAW, repository},
    workspace::Workspace,
};

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

/// Submodules as the commit names them, packages outside of the repository as they are; from a second work tree, without a branch.
#[test]
fn a_repository_of_parts() {
    let manifest = |name: &str, rest: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{rest}")
    };
    let folder = Workspace::new(&[
        ("beside/ws/Cargo.toml", "[workspace]\nmembers = [\"inner\"]\n[workspace.package]\nedition = \"2024\"\n"),
        ("beside/ws/inner/Cargo.toml", "[package]\nname = \"inner\"\nversion = \"0.1.0\"\nedition.workspace = true\n"),
        ("beside/ws/inner/src/lib.rs", "pub unsafe fn inner() {}\n"),
        ("part/Cargo.toml", &manifest("part", "")),
        ("part/src/lib.rs", "/// # Safety\n/// None.\npub unsafe fn part() {}\n"),
        (
            "repository/rust/Cargo.toml",
            &manifest(
                "app",
                "[dependencies]\npart = { path = \"part\" }\ninner = { path = \"../../beside/ws/inner\" }\n[workspace]\nmembers = [\"part\"]\n",
            ),
        ),
        ("repository/rust/src/lib.rs", LIB),
        ("repository/rust/src/raw.rs", RAW),
        ("repository/rust/policy.toml", "version = 1\n[rules]\nmissing-safety-comment = \"allow\"\n"),
        ("repository/.gitignore", "target\nCargo.lock\n"),
    ]);
    let [part, repository] = ["part", "repository"].map(|name| Workspace::at(folder.path.join(name)));
    for one in [&part, &repository] {
        one.git(&["init", "--quiet", "--initial-branch=main"]);
        one.git(&["add", "--all"]);
        one.git(&["commit", "--quiet", "--message=start"]);
    }
    let allowed = ["-c", "protocol.file.allow=always"];
    repository.git(&[&allowed[..], &["submodule", "--quiet", "add", "../part", "rust/part"]].concat());
    repository.git(&["commit", "--quiet", "--all", "--message=part"]);
    repository.git(&["checkout", "--quiet", "--detach"]);
    repository
        .write("rust/part/src/lib.rs", "/// # Safety\n/// None.\npub unsafe fn part() {}\npub unsafe fn more() {}\n");
    let rust = Workspace::at(repository.path.join("rust"));
    let grown = rust.isolate(&["check", "--quiet", "--diff-base", "main"]);
    // In another work tree, whose submodules were never brought: only what lies outside.
    repository.git(&["worktree", "add", "--quiet", "../second", "main"]);
    let second = Workspace::at(folder.path.join("second/rust"));
    let alone = second.read("Cargo.toml").replace("part = { path = \"part\" }\n", "").replace("\"part\"", "");
    second.write("Cargo.toml", &alone);
    second.git(&["commit", "--quiet", "--all", "--message=alone"]);
    second.write("src/raw.rs", &format!("{RAW}pub unsafe fn third() {{}}\n"));
    let other = second.isolate(&["check", "--quiet", "--diff-base", "HEAD"]);
    let said = [grown, other].join("\n").replace(folder.path.to_str().unwrap(), "[FOLDER]");
    insta::assert_snapshot!("parts", said);
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
