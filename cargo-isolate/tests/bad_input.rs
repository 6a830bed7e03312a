//! Trees that are broken, hostile or merely huge: each is told about, with its exit status, and nothing else is lost.

mod workspace;

use std::{fs, os::unix::fs::symlink, process::Command};
use workspace::{MANIFEST, Workspace};

#[track_caller]
fn check(workspace: &Workspace, name: &str) {
    insta::assert_snapshot!(name, workspace.audit(&[]));
}

const UNSAFE: &str = "pub fn f() { unsafe { core::hint::unreachable_unchecked() } }\n";

/// What the tree's own configuration would have cargo run in the place of the compiler, or around it.
#[test]
fn no_program_of_the_tree_runs() {
    for key in ["rustc", "rustc-wrapper", "rustc-workspace-wrapper"] {
        let workspace = Workspace::new(UNSAFE);
        workspace.put("evil.sh", format!("#!/bin/sh\ntouch {}\nexit 1\n", workspace.path("ran").display()));
        let program = workspace.path("evil.sh");
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        workspace.put(".cargo/config.toml", format!("[build]\n{key} = \"{}\"\n", program.display()));
        let said = workspace.audit(&["--no-cache"]);
        assert!(said.starts_with("status Some(0)"), "{key}: {said}");
        assert!(!workspace.path("ran").exists(), "{key} of the scanned tree was run");
    }
}

#[test]
fn files_that_cannot_be_read() {
    let workspace = Workspace::new(format!("mod latin;\nmod device;\nmod fine;\n{UNSAFE}"));
    workspace.put("src/latin.rs", b"// caf\xe9\npub unsafe fn g() {}\n");
    // A file of the right kind whose reading fails, whoever reads: permissions do not stop root.
    symlink("/proc/self/mem", workspace.path("src/device.rs")).unwrap();
    workspace.put("src/fine.rs", "pub unsafe fn h() {}\n");
    check(&workspace, "unreadable");
}

#[test]
fn links_that_lead_nowhere_or_back() {
    let workspace = Workspace::new(format!("mod itself;\nmod gone;\nmod tree;\n{UNSAFE}"));
    symlink("itself.rs", workspace.path("src/itself.rs")).unwrap();
    symlink("/nowhere/at/all.rs", workspace.path("src/gone.rs")).unwrap();
    // `src/tree/` is `src/`: each module has itself as its child.
    workspace.put("src/tree.rs", "mod tree;\n");
    symlink("../src", workspace.path("src/tree")).unwrap();
    let audit = workspace.audit(&[]);
    assert!(audit.starts_with("status Some(4)"), "{audit}");
    for expected in [
        "cannot read `src/itself.rs`: too many levels of symbolic links",
        "cannot read `src/gone.rs`: no such file or directory",
        "`src/tree/tree/tree/tree/",
        "unsafe block",
    ] {
        assert!(audit.contains(expected), "no {expected} in {audit}");
    }
}

/// Opening a pipe that nobody writes to waits for ever.
#[test]
fn a_pipe_for_a_root() {
    let workspace = Workspace::new(UNSAFE);
    workspace.put("Cargo.toml", MANIFEST.replace("[workspace]", "[[bin]]\nname = \"b\"\npath = \"pipe\"\n[workspace]"));
    assert!(Command::new("mkfifo").arg(workspace.path("pipe")).status().unwrap().success());
    check(&workspace, "pipe");
}

#[test]
fn forty_megabytes_of_generated_code() {
    let line = "pub const GENERATED_CONSTANT_WITH_A_RATHER_LONG_NAME: [u64; 2] = [0x0123_4567_89ab_cdef, 0xfedc];\n";
    let mut text = line.repeat((40 << 20) / line.len());
    text += UNSAFE;
    assert!(text.len() > 40 << 20);
    let workspace = Workspace::new(text);
    let audit = workspace.audit(&["--quiet"]);
    assert!(audit.starts_with("status Some(0)"), "{audit}");
    assert!(audit.contains("app 0.0.0"), "{audit}");
}

#[test]
fn nesting_ten_thousand_deep() {
    let nested =
        |depth: usize| format!("{UNSAFE}pub fn deep() -> u8 {{ {}1{} }}\n", "(".repeat(depth), ")".repeat(depth));
    let audit = Workspace::new(nested(10_000)).audit(&["--quiet"]);
    assert!(audit.starts_with("status Some(0)"), "{audit}");
    let audit = Workspace::new(nested(1_000_000)).audit(&["--quiet"]);
    assert!(audit.starts_with("status Some(4)"), "{audit}");
    assert!(audit.contains("nested too deeply to parse"), "{audit}");
}

/// What is generated for a library has its types parsed again, by another parser.
#[test]
fn nesting_in_what_is_wrapped() {
    let nested = |open: &str, close: &str| format!("{}u8{}", open.repeat(9_000), close.repeat(9_000));
    let root = format!(
        "pub const DEEP: u8 = {}1{};\npub fn call() {{ unsafe {{ z_sys::sum(1) }} }}\n",
        "(".repeat(5_000),
        ")".repeat(5_000)
    );
    let workspace = Workspace::new(root);
    workspace.put("Cargo.toml", format!("{MANIFEST}[dependencies]\nz-sys = {{ path = \"z-sys\" }}\n"));
    workspace.put("z-sys/Cargo.toml", "[package]\nname = \"z-sys\"\nedition = \"2024\"\n");
    workspace.put(
        "z-sys/src/lib.rs",
        format!(
            "unsafe extern \"C\" {{ pub fn sum(value: u32); pub fn deep(one: {}, two: {}, three: {}); }}\n",
            nested("*const ", ""),
            nested("(", ")"),
            nested("[", "; 1]")
        ),
    );
    let isolate = |functions: &str| {
        workspace.put(
            "policy.toml",
            format!(
                "version = 1\n[domain.z]\nlibrary = \"z-sys\"\n[[isolate]]\ndomain = \"z\"\nextern = [{functions}]\n"
            ),
        );
    };
    isolate("\"sum\"");
    for (command, status) in
        [(&["audit", "--quiet"][..], 0), (&["check"], 1), (&["plan"], 0), (&["wrap", "--apply", "--dry-run"], 0)]
    {
        let printed = workspace.run(command);
        assert!(
            printed.starts_with(&format!("status Some({status})")),
            "{command:?}\n{}",
            &printed[..printed.len().min(4_000)]
        );
    }
    isolate("\"*\"");
    let plan = workspace.run(&["plan"]);
    assert!(
        plan.starts_with("status Some(1)") && plan.contains("nested too deeply to parse"),
        "{}",
        &plan[..plan.len().min(4_000)]
    );
}

/// Mistakes of all policies have their places in one text.
#[test]
fn a_policy_as_long_as_a_book() {
    let workspace = Workspace::new(UNSAFE);
    workspace.put("Cargo.toml", format!("{MANIFEST}members = [\"inner\"]\n"));
    workspace.put("inner/Cargo.toml", "[package]\nname = \"inner\"\nedition = \"2024\"\n");
    workspace.put("inner/src/lib.rs", "");
    workspace.put("policy.toml", format!("version = 1\n{}", "# A line of reasons.\n".repeat(10_000)));
    workspace.put("inner/policy.toml", "version = 1\n[rules]\nno-such-rule = \"deny\"\n");
    let printed = workspace.run(&["check"]);
    assert!(printed.starts_with("status Some(2)") && printed.contains("inner/policy.toml:3:1"), "{printed}");
}

#[test]
fn manifests_that_do_not_parse() {
    let workspace = Workspace::new(UNSAFE);
    workspace.put("Cargo.toml", "[package\nname = \"app\"\n");
    check(&workspace, "manifest");
    workspace.put("Cargo.toml", MANIFEST);
    workspace.put("Cargo.lock", "version = 4\n[[package]\n");
    check(&workspace, "lockfile");
}

#[test]
fn a_git_dependency_that_is_not_fetched() {
    let workspace = Workspace::new(UNSAFE);
    let dependency = "[dependencies]\nfar = { git = \"https://git.invalid/far.git\" }\n";
    workspace.put("Cargo.toml", format!("{MANIFEST}{dependency}"));
    let audit = workspace.audit(&[]);
    assert!(audit.starts_with("status Some(3)"), "{audit}");
    assert!(audit.contains("error: cargo could not resolve the workspace"), "{audit}");
    assert!(audit.contains("git.invalid/far.git"), "{audit}");
}
