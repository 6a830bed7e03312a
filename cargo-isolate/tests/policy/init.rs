//! First policies, and what `--update` makes of them.

use crate::workspace::Workspace;

/// A package whose build script compiles a C file, and one that has no unsafe code.
fn own_c() -> Workspace {
    Workspace::new(&[
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"rle\", \"safe\"]\n"),
        ("rle/Cargo.toml", "[package]\nname = \"rle\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        ("rle/build.rs", "fn main() {\n    cc::Build::new().file(\"rle.c\").compile(\"rle\");\n}\n"),
        (
            "rle/src/lib.rs",
            "unsafe extern \"C\" {\n    pub(crate) fn rle_expand(len: usize) -> i32;\n    fn rle_unused();\n}\n#[link(name = \"m\")]\nunsafe extern \"C\" {\n    fn cos(x: f64) -> f64;\n}\npub fn expand(len: usize) -> i32 {\n    unsafe { cos(0.0) };\n    unsafe { rle_expand(len) }\n}\n",
        ),
        ("safe/Cargo.toml", "[package]\nname = \"safe\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        ("safe/src/lib.rs", "pub fn f() {}\n"),
    ])
}

/// The policy without its list of rules, which grows.
fn after_rules(workspace: &Workspace) -> String {
    let policy = workspace.read("policy.toml");
    let rules = policy.find("\n# A rule that does not hold").unwrap();
    policy[rules..].to_owned()
}

#[test]
fn a_library_of_its_own_is_proposed() {
    let workspace = own_c();
    let said = workspace.isolate(&["init"]);
    insta::assert_snapshot!("own_c", format!("{said}---\n{}", after_rules(&workspace)));
    let checked = workspace.isolate(&["check", "--quiet"]);
    assert!(checked.starts_with("status 0\n"), "{checked}");
    // What is proposed is taken: the plan knows the domain and the archive.
    let policy = workspace.read("policy.toml");
    let (head, proposal) = policy.split_once("#\n# [domain").unwrap();
    let proposal = format!("# [domain{proposal}").replace("# ", "");
    workspace.write("policy.toml", &format!("{head}{proposal}"));
    insta::assert_snapshot!("own_c_plan", workspace.isolate(&["plan"]));
}

/// By `#[link]` of what the build script compiles, by an old crate's name; what is called and not proposed is said, but for what is
/// everybody's own or Rust's.
#[test]
fn libraries_by_what_is_linked() {
    let manifest = |name: &str, more: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}")
    };
    let call = |link: &str, functions: &str| format!("{link}\nunsafe extern \"C\" {{\n    {functions}\n}}\n");
    let kem = [
        call("#[link(name = \"kem_clean\")]", "fn kem_keypair() -> i32;"),
        call("#[link(name = \"z\")]", "fn crc32(n: i32) -> i32;"),
        call("", "fn strlen(s: *const u8) -> usize; fn app_log();"),
        call("#[link(name = \"pthread\")]", "fn pthread_own();"),
        "pub fn f() { unsafe { kem_keypair(); crc32(1); strlen(std::ptr::null()); app_log(); pthread_own() }; }\n"
            .to_owned(),
    ];
    let down = call("", "fn hoedown_version();") + "pub fn f() { unsafe { hoedown_version() } }\n";
    let app = call("", "fn somewhere(); fn else_where();")
        + "#[unsafe(no_mangle)] pub extern \"C\" fn app_log() {}\npub fn f() { unsafe { somewhere(); else_where() } }\n";
    let workspace = Workspace::new(&[
        ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"kem\", \"down\", \"app\"]\nexclude = [\"q\"]\n"),
        ("kem/Cargo.toml", &manifest("kem", "")),
        ("kem/build.rs", "fn main() {\n    cc::Build::new().compile(&format!(\"{}_clean\", \"kem\"));\n}\n"),
        ("kem/src/lib.rs", &kem.concat()),
        ("down/Cargo.toml", &manifest("down", "")),
        ("down/build.rs", "fn main() {\n    gcc::compile_library(\"libhoedown.a\", SOURCES);\n}\n"),
        ("down/src/lib.rs", &down),
        ("app/Cargo.toml", &manifest("app", "[dependencies]\nq-sys = { path = \"../q\" }\n")),
        ("app/src/lib.rs", &app),
        ("q/Cargo.toml", &manifest("q-sys", "links = \"q\"\n")),
        ("q/build.rs", "fn main() {}\n"),
        ("q/src/lib.rs", "include!(concat!(env!(\"OUT_DIR\"), \"/bindings.rs\"));\n"),
    ]);
    workspace.isolate(&["init"]);
    let policy = workspace.read("policy.toml");
    let (_, proposals) = policy.split_once("# Native libraries").unwrap();
    insta::assert_snapshot!("linked_libraries", proposals);
    assert!(workspace.isolate(&["init", "--update"]).contains("is up to date"));
}

/// What a build script writes is no part of a first policy's promise, unless it is run; where it is needed, that is said.
#[test]
fn bindings_that_were_not_seen() {
    let workspace = Workspace::new(&[
        ("Cargo.toml", "[package]\nname = \"z-sys\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n"),
        (
            "build.rs",
            "fn main() {
    let path = std::env::var(\"OUT_DIR\").unwrap() + \"/bindings.rs\";
    std::fs::write(path, \"unsafe extern \\\"C\\\" { pub fn z_sum(n: i32) -> i32; }\").unwrap();
}
",
        ),
        ("src/lib.rs", "include!(concat!(env!(\"OUT_DIR\"), \"/bindings.rs\"));\n"),
    ]);
    let unseen = format!("{}---\n{}", workspace.isolate(&["init"]), after_rules(&workspace));
    workspace.isolate(&["init", "--force", "--expand"]);
    let seen = workspace.read("policy.toml");
    assert!(seen.ends_with("[crates.z-sys]\nunsafe = { max = 1 }\n"), "{seen}");
    assert!(workspace.isolate(&["check"]).starts_with("status 0\n"), "the policy has it built, no flag needed");
    // Who does not see it all does not ask for less.
    workspace.write("policy.toml", &seen.replace("\nexpand = true\n", "\n"));
    let update = [workspace.isolate(&["init", "--update"]), workspace.isolate(&["check"])].join("\n");
    let isolate = "version = 1\n[domain.z]\nlibrary = \"z-sys\"\n[[isolate]]\ndomain = \"z\"\nextern = [\"z_sum\"]\n";
    workspace.write("policy.toml", isolate);
    insta::assert_snapshot!("unseen_bindings", [unseen, update, workspace.isolate(&["check"])].join("\n"));
    workspace.write("policy.toml", &isolate.replace("[domain", "expand = true\n[domain"));
    for command in [&["check"][..], &["plan"], &["wrap", "--dry-run"], &["verify", "--no-run"], &["baseline"]] {
        let said = workspace.isolate(command);
        assert!(!said.contains("z_sum` in"), "{command:?} follows the policy: {said}");
    }
    assert!(workspace.isolate(&["plan"]).contains("z_sum  ready"));
    // An audit may be of a stranger's code, which is not to say what runs here.
    let audit = workspace.isolate(&["audit"]);
    assert!(audit.contains("was not seen") || audit.contains("not seen"), "{audit}");
}

/// Which code runs here is for the workspace as a whole to say, and as a yes or no.
#[test]
fn mistakes_about_what_is_built() {
    let workspace = own_c();
    workspace.write("policy.toml", "version = 1\nexpand = \"yes\"\n");
    let wrong = workspace.isolate(&["check"]);
    workspace.write("policy.toml", "version = 1\n");
    workspace.write("rle/policy.toml", "version = 1\nexpand = true\n");
    insta::assert_snapshot!("expand", [wrong, workspace.isolate(&["check"])].join("\n"));
}

/// As cargo's own: no status lines, and what goes wrong is told.
#[test]
fn quiet_is_silent() {
    let workspace = own_c();
    let silent = "status 0\n--- stdout\n--- stderr\n";
    assert_eq!(workspace.isolate(&["init", "-q", "--baseline", "--ci"]), silent);
    assert!(workspace.read("policy.toml").contains("version = 1"));
    assert_eq!(workspace.isolate(&["init", "-q", "--update"]), silent);
    let refused = workspace.isolate(&["init", "-q"]);
    assert!(refused.starts_with("status 2\n") && refused.contains("exists; --update adds"), "{refused}");
    assert_eq!(workspace.isolate(&["init", "-q", "--force"]), silent);
    workspace.write("policy.toml", &format!("{}\n[check]\nbaseline = \"known.txt\"\n", workspace.read("policy.toml")));
    assert_eq!(workspace.isolate(&["baseline", "-q"]), silent);
    workspace.write("rle/src/lib.rs", "pub fn f(at: *const u8) -> u8 {\n    unsafe { *at }\n}\n");
    let left_out = workspace.isolate(&["baseline", "-q"]);
    assert!(left_out.starts_with("status 1\n") && left_out.contains("new and left out"), "{left_out}");
}

#[test]
fn an_update_keeps_comments_and_settles() {
    let workspace = own_c();
    workspace.isolate(&["init"]);
    assert!(workspace.isolate(&["init", "--update"]).contains("is up to date"));
    let policy = workspace.read("policy.toml");
    let policy = policy.replace("static-mut = \"deny\"\n", "").replace("max = 4", "max = 9");
    let policy = policy.replace("[crates.safe]\nunsafe = \"forbid\"\n", "");
    workspace.write("policy.toml", &format!("{policy}\n# The end.\n"));
    let first = workspace.isolate(&["init", "--update"]);
    let after = workspace.read("policy.toml");
    let second = workspace.isolate(&["init", "--update"]);
    assert_eq!(workspace.read("policy.toml"), after);
    assert!(after.contains("\nstatic-mut = \"deny\"\n"), "{after}");
    insta::assert_snapshot!("update", format!("{first}\n{second}---\n{}", after_rules(&workspace)));
    workspace.write("policy.toml", "version = 1\n[rulse]\n");
    insta::assert_snapshot!("update_of_a_mistake", workspace.isolate(&["init", "--update"]));
}

#[test]
fn examples_for_ci_overwrite_nothing() {
    let workspace = own_c();
    workspace.write(".pre-commit-config.yaml", "repos: []\n");
    let said = [workspace.isolate(&["init", "--ci"]), workspace.isolate(&["init", "--ci"])];
    insta::assert_snapshot!("ci", said.join("\n"));
    assert_eq!(workspace.read(".pre-commit-config.yaml"), "repos: []\n");
    assert!(workspace.read(".github/workflows/isolate.yml").contains("cargo isolate check --diff-base"));
}

/// Services look at the root of the repository, and at the branch that work ends up on; they are asked about the same builds.
#[test]
fn examples_for_ci_of_a_workspace_below_the_root() {
    let workspace = Workspace::new(&[
        ("a b/rust/Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        ("a b/rust/src/lib.rs", ""),
    ]);
    workspace.git(&["init", "--quiet", "--initial-branch=master"]);
    workspace.git(&["add", "--all"]);
    workspace.git(&["commit", "--quiet", "--message=start"]);
    workspace.git(&["checkout", "--quiet", "-b", "topic"]);
    let below = Workspace::at(workspace.path.join("a b/rust"));
    let said =
        below.isolate(&["init", "--ci", "--all-features"]).replace(workspace.path.to_str().unwrap(), "[REPOSITORY]");
    let files = [".github/workflows/isolate.yml", ".pre-commit-config.yaml"].map(|path| workspace.read(path));
    insta::assert_snapshot!("ci_below_the_root", format!("{said}---\n{}", files.join("---\n")));
}

/// What cargo installed from git names its commit, so that CI has the same one.
#[test]
fn ci_installs_what_wrote_it() {
    let workspace = own_c();
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let program = root.path().join("bin/cargo-isolate");
    std::fs::create_dir(root.path().join("bin")).unwrap();
    std::fs::hard_link(env!("CARGO_BIN_EXE_cargo-isolate"), &program).unwrap();
    let id = format!("cargo-isolate {} (git+https://example.com/isolate#0123abcd)", env!("CARGO_PKG_VERSION"));
    std::fs::write(root.path().join(".crates2.json"), format!("{{\"installs\": {{\"{id}\": {{}}}}}}")).unwrap();
    let mut command = std::process::Command::new(program);
    let status = command.args(["isolate", "init", "--ci", "--offline"]).current_dir(&workspace.path).status().unwrap();
    assert!(status.success());
    let written = workspace.read(".github/workflows/isolate.yml");
    let line = "run: cargo install --locked --git https://example.com/isolate --rev 0123abcd cargo-isolate\n";
    assert!(written.contains(line), "{written}");
}

/// With a baseline every rule is `deny` from the first day, and what it knows needs no maximum.
#[test]
fn a_policy_starts_with_a_baseline() {
    let workspace = own_c();
    let said = workspace.isolate(&["init", "--baseline"]);
    let checked = workspace.isolate(&["check"]);
    insta::assert_snapshot!("baseline", format!("{said}\n{checked}---\n{}", after_rules(&workspace)));
    assert!(!workspace.read("policy.toml").contains("= \"warn\""));
    assert!(workspace.isolate(&["init", "--update"]).contains("is up to date"));
    workspace.write("safe/src/lib.rs", "pub fn f() {}\npub fn g(p: *const u8) -> u8 {\n    unsafe { *p }\n}\n");
    let more = workspace.isolate(&["check"]);
    assert!(more.starts_with("status 1\n"), "{more}");
    // Nothing else stands in the way of what is accepted but what the policy says itself.
    workspace.write("policy.toml", &workspace.read("policy.toml").replace("[crates.safe]\nunsafe = \"forbid\"\n", ""));
    workspace.isolate(&["baseline", "--accept"]);
    let accepted = workspace.isolate(&["check"]);
    assert!(accepted.starts_with("status 0\n"), "{accepted}");
}
