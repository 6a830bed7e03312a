//! `wrap --apply` on packages whose files do not lie where most do: what it says that it rewrote is rewritten, in a crate that
//! compiles.

mod workspace;

use std::{fs, path::Path, process::Command};
use workspace::Workspace;

/// A package with these lines more in its manifest; it depends on `sys`, a path. (To cargo, packages of one name in one target
/// folder are one: each test has its own.)
fn manifest(name: &str, sys: &str, more: &str) -> String {
    let library = sys.rsplit('/').next().expect("a name");
    format!(
        "[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n{more}\n[dependencies]\n{library} = {{ path = \"{sys}\" }}\n"
    )
}

fn call(library: &str) -> String {
    format!("pub fn sum() -> u32 {{\n    unsafe {{ {library}_sys::{library}_crc(1, 2) }}\n}}\n")
}

/// A policy that isolates `crc` of each of these libraries, and the libraries.
fn put_libraries(workspace: &Workspace, libraries: &[&str]) {
    let mut policy = "version = 1\n".to_owned();
    for name in libraries {
        policy += &format!(
            "[domain.{name}]\nlibrary = \"{name}-sys\"\n[[isolate]]\ndomain = \"{name}\"\nextern = [\"{name}_crc\"]\n"
        );
        let manifest = format!("[package]\nname = \"{name}-sys\"\nversion = \"1.0.0\"\nedition = \"2024\"\n");
        workspace.put(&format!("{name}-sys/Cargo.toml"), manifest);
        let declared = format!("unsafe extern \"C\" {{\n    pub fn r#{name}_crc(crc: u32, value: u32) -> u32;\n}}\n");
        workspace.put(&format!("{name}-sys/src/lib.rs"), declared);
    }
    workspace.put("policy.toml", policy);
}

/// A workspace of these files and libraries; `rewritten` have a call that goes through its wrapper afterwards.
#[track_caller]
fn check(libraries: &[&str], files: &[(&str, &str)], rewritten: &[&str]) {
    let workspace = Workspace::new("");
    fs::remove_dir_all(workspace.path("src")).expect("the folder");
    put_libraries(&workspace, libraries);
    files.iter().for_each(|(path, text)| workspace.put(path, text));

    let printed = workspace.run(&["wrap", "--apply", "--allow-no-vcs"]);
    assert!(printed.starts_with("status Some(0)"), "{printed}");
    let sites = printed.lines().filter(|line| line.contains("panics on a fault")).count();
    assert_eq!(sites, rewritten.len(), "{printed}");
    for path in rewritten {
        let text = fs::read_to_string(workspace.path(path)).expect("the file");
        assert!(text.contains("isolated::") && !text.contains("unsafe {"), "{path}:\n{text}");
    }

    compiles(&workspace, &printed);
    let again = workspace.run(&["wrap", "--apply"]);
    assert!(again.starts_with("status Some(0)\n--- stdout\neverything is up to date\n"), "{again}");
    let audit = workspace.audit(&["--quiet"]);
    assert!(audit.starts_with("status Some(0)"), "{audit}");
}

#[track_caller]
fn compiles(workspace: &Workspace, printed: &str) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kinds");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["check", "--offline", "--quiet", "--workspace"]).env("CARGO_TARGET_DIR", target);
    let output = cargo.current_dir(workspace.path("")).output().expect("cargo");
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_root_elsewhere() {
    let app = manifest("elsewhere", "z-sys", "[workspace]\n[lib]\npath = \"rust/core.rs\"\n");
    check(&["z"], &[("Cargo.toml", &app), ("rust/core.rs", &call("z"))], &["rust/core.rs"]);
}

#[test]
fn a_script_among_others() {
    let app = manifest("script", "z-sys", "[workspace]\n");
    let script = format!("#!/usr/bin/env run-it\n{}fn main() {{\n    sum();\n}}\n", call("z"));
    check(&["z"], &[("Cargo.toml", &app), ("src/bin/tool.rs", &script)], &["src/bin/tool.rs"]);
}

#[test]
fn a_package_in_the_folder_of_another() {
    let app = manifest("outer", "z-sys", "[workspace]\nmembers = [\"crates/codec\"]\n");
    let codec = manifest("codec", "../../y-sys", "");
    let files = [
        ("Cargo.toml", &*app),
        ("src/lib.rs", &call("z")),
        ("crates/codec/Cargo.toml", &codec),
        ("crates/codec/src/lib.rs", &call("y")),
    ];
    check(&["y", "z"], &files, &["src/lib.rs", "crates/codec/src/lib.rs"]);
}

#[test]
fn a_file_outside_of_the_package() {
    let root = "[workspace]\nmembers = [\"app\"]\nresolver = \"3\"\n";
    let app = manifest("outside", "../z-sys", "");
    let files = [
        ("Cargo.toml", root),
        ("app/Cargo.toml", &*app),
        ("app/src/lib.rs", "#[path = \"../../shared/codec.rs\"]\npub mod codec;\n"),
        ("shared/codec.rs", &call("z")),
    ];
    check(&["z"], &files, &["shared/codec.rs"]);
}

/// Only wrappers are unsafe there, and every line ends as it did.
#[test]
fn a_crate_that_denies_unsafe_code() {
    let app = manifest("denies", "z-sys", "[workspace]\n").replace('\n', "\r\n");
    let root = "\u{feff}#![deny(unsafe_code)]\npub mod codec;\n".replace('\n', "\r\n");
    let build = "\u{feff}fn main() {\n    #![allow(unused)]\n    let x = 1;\n}\n".replace('\n', "\r\n");
    let workspace = Workspace::new(&root);
    put_libraries(&workspace, &["z"]);
    workspace.put("Cargo.toml", format!("\u{feff}{app}"));
    workspace.put("build.rs", build);
    workspace.put("src/codec.rs", call("z").replace('\n', "\r\n"));
    let printed = workspace.run(&["wrap", "--apply", "--allow-no-vcs"]);
    assert!(printed.starts_with("status Some(0)"), "{printed}");
    for path in ["Cargo.toml", "build.rs", "src/lib.rs", "src/codec.rs"] {
        let text = fs::read_to_string(workspace.path(path)).expect("the file");
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{path}: {text:?}");
        assert_eq!(text.starts_with('\u{feff}'), path != "src/codec.rs", "{path}");
    }
    compiles(&workspace, &printed);
    assert!(workspace.run(&["wrap", "--apply"]).contains("everything is up to date"));
}

/// What `wrap --apply` says of a package that it must not edit.
#[track_caller]
fn refuses(files: &[(&str, &str)], why: &str) {
    let workspace = Workspace::new(call("z"));
    put_libraries(&workspace, &["z"]);
    workspace.put("Cargo.toml", manifest("app", "z-sys", "[workspace]\n"));
    files.iter().for_each(|(path, text)| workspace.put(path, text));
    let printed = workspace.run(&["wrap", "--apply", "--allow-no-vcs"]);
    assert_eq!(printed, format!("status Some(1)\n--- stdout\n--- stderr\nerror: {why}\n"));
    assert!(!workspace.path("src/isolated/z.rs").exists());
}

#[test]
fn what_cannot_be_edited_is_said() {
    let with = |more: &str| manifest("app", "z-sys", "[workspace]\n") + more;
    refuses(
        &[
            (
                "Cargo.toml",
                &with("rt = { version = \"0.1\", package = \"isolate-rt\" }\n")
                    .replace("version = \"0.1\"", "path = \"rt\""),
            ),
            ("rt/Cargo.toml", "[package]\nname = \"isolate-rt\"\n"),
            ("rt/src/lib.rs", ""),
        ],
        "`[DIR]/Cargo.toml` has `isolate-rt` as `rt`, and wrappers need it by its name in every build: change that line",
    );
    refuses(
        &[
            ("Cargo.toml", &with("isolate-rt = { path = \"rt\", optional = true }\n")),
            ("rt/Cargo.toml", "[package]\nname = \"isolate-rt\"\n"),
            ("rt/src/lib.rs", ""),
        ],
        "`[DIR]/Cargo.toml` has `isolate-rt` as an optional dependency, and wrappers need it by its name in every build: change that line",
    );
    refuses(
        &[("src/lib.rs", &format!("mod isolated {{}}\n{}", call("z")))],
        "cannot add `mod isolated;` to `[DIR]/src/lib.rs`: it has a module of that name with a body, where `mod isolated;` must stand: rename that one",
    );
    refuses(
        &[("src/lib.rs", &format!("mod isolated;\n{}", call("z"))), ("src/isolated.rs", "")],
        "`[DIR]/src/isolated.rs` stands where a wrapper goes, and is not one that `cargo isolate wrap` wrote: move it, or give the domain another name",
    );
}

/// A module of that name was there before: it is somebody's.
#[test]
fn what_somebody_wrote_is_not_replaced() {
    let workspace = Workspace::new("mod isolated;\n");
    workspace.put("Cargo.toml", manifest("app", "z-sys", "[workspace]\n"));
    put_libraries(&workspace, &["z"]);
    // As one that was generated, but for where it says so.
    let text =
        format!("//! Not those that were\n//! \"Written by `cargo isolate wrap` from `policy.toml`\".\n{}", call("z"));
    workspace.put("src/isolated/mod.rs", text.clone());
    for arguments in [&["wrap"][..], &["wrap", "--apply", "--allow-no-vcs"], &["wrap", "--dry-run"]] {
        let printed = workspace.run(arguments);
        let error = "error: `[DIR]/src/isolated/mod.rs` stands where a wrapper goes, and is not one that `cargo isolate wrap` wrote: move it, or give the domain another name\n";
        assert_eq!(printed, format!("status Some(1)\n--- stdout\n--- stderr\n{error}"));
        assert_eq!(fs::read_to_string(workspace.path("src/isolated/mod.rs")).expect("the file"), text);
        assert!(!workspace.path("src/isolated/z.rs").exists());
    }
}

/// What could not be read may hold calls, and what was known.
#[test]
fn an_unread_file_is_told() {
    let workspace = Workspace::new("mod codec;\n");
    workspace.put("Cargo.toml", manifest("app", "z-sys", "[workspace]\n"));
    put_libraries(&workspace, &["z"]);
    workspace.put("src/codec.rs", call("z"));
    let baseline = ["baseline", "--baseline", "known.txt"];
    let known = |workspace: &Workspace| fs::read_to_string(workspace.path("known.txt")).expect("a baseline");
    workspace.run(&baseline);
    let before = known(&workspace);
    assert!(before.contains("codec::sum"), "{before}");
    fs::remove_file(workspace.path("src/codec.rs")).expect("the file");
    for arguments in [&baseline[..], &["plan"], &["wrap"], &["wrap", "--apply", "--dry-run"]] {
        let printed = workspace.run(arguments);
        assert!(printed.starts_with("status Some(4)"), "{arguments:?}\n{printed}");
        assert!(printed.contains("error: some files of `app@1.0.0` could not be read"), "{arguments:?}\n{printed}");
    }
    assert_eq!(known(&workspace), before);
}
