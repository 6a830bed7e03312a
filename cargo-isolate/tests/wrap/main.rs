//! `plan` and `wrap` on whole packages: what is written, that it compiles, and that nothing is written by halves.

mod names;
mod odd;
mod packages;
mod said;
mod sight;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Mutex, PoisonError},
};

static COMPILING: Mutex<()> = Mutex::new(());

/// A workspace of one member `kinds` over a `-sys` crate, in a temporary folder.
struct Workspace {
    folder: tempfile::TempDir,
}

impl Workspace {
    fn new(policy: &str) -> Workspace {
        let workspace = Workspace { folder: tempfile::tempdir().expect("a temporary folder") };
        workspace.put("Cargo.toml", "[package]\nname = \"kinds\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n# Kept.\n[dependencies]\nkinds-sys = { path = \"sys\" } # kept too\n\n[workspace]\nmembers = [\".\"]\nexclude = [\"sys\"]\n");
        workspace.put("src/lib.rs", include_str!("../kinds/app.rs"));
        workspace.put("sys/Cargo.toml", "[package]\nname = \"kinds-sys\"\nversion = \"0.3.0\"\nedition = \"2024\"\n");
        workspace.put("sys/src/lib.rs", include_str!("../kinds/sys.rs"));
        workspace.put("sys/src/bindings.rs", include_str!("../kinds/bindings.rs"));
        workspace.put("policy.toml", policy);
        workspace
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn get(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn isolate(&self, arguments: &[&str]) -> Output {
        let tool = env!("CARGO_BIN_EXE_cargo-isolate");
        Command::new(tool).arg("isolate").args(arguments).current_dir(self.folder.path()).output().expect("the tool")
    }

    /// Runs a command that must end with `status`; gives its stdout.
    #[track_caller]
    fn expect(&self, arguments: &[&str], status: i32) -> String {
        let output = self.isolate(arguments);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}\n{stderr}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// With these flags, and without a warning.
    #[track_caller]
    fn compiles(&self, flags: &[&str]) {
        let output = self.check(flags);
        assert!(output.status.success(), "{flags:?}\n{}", String::from_utf8_lossy(&output.stderr));
    }

    fn check(&self, flags: &[&str]) -> Output {
        // All workspaces share what was built for one; to cargo their packages are the same ones, edited or not since.
        let _one_at_a_time = COMPILING.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, text) in self.files() {
            fs::write(path, text).expect("a file");
        }
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kinds");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["check", "--offline", "--quiet"]).args(flags).env("RUSTFLAGS", "-Dwarnings");
        cargo.env("CARGO_TARGET_DIR", target).current_dir(self.folder.path()).output().expect("cargo")
    }

    #[track_caller]
    fn rustfmt(&self, arguments: &[&str]) {
        let mut rustfmt = Command::new("rustfmt");
        rustfmt.arg("--edition=2024").args(arguments).current_dir(self.folder.path());
        let output = rustfmt.output().expect("rustfmt");
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// Every file below the folder, build output aside.
    fn files(&self) -> Vec<(PathBuf, String)> {
        let mut files = Vec::new();
        collect(self.folder.path(), &mut files);
        files.sort();
        files
    }
}

fn collect(folder: &Path, files: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true if path.ends_with(".git") => {}
            true => collect(&path, files),
            false if path.ends_with("Cargo.lock") => {}
            false => files.push((path.clone(), fs::read_to_string(path).expect("text"))),
        }
    }
}

/// The functions of the first domain that the plan refuses, in quotes, and why; most others are ready.
fn reasons(workspace: &Workspace) -> (Vec<String>, String) {
    let plan = workspace.isolate(&["plan", "--format", "json"]).stdout;
    let plan: serde_json::Value =
        serde_json::from_slice(&plan).unwrap_or_else(|_| panic!("{}", workspace.expect(&["plan"], 0)));
    let functions = plan["domains"][0]["functions"].as_array().expect("functions");
    let (mut refused, mut reasons) = (Vec::new(), String::new());
    for function in functions {
        let params = function["params"].as_array().expect("parameters").iter();
        let decisions = params.chain([&function["ret"]]).filter(|one| one["decision"]["by"] == "refused");
        let why = function["refused"].as_str().into_iter().map(str::to_owned);
        let of = |one: &serde_json::Value| {
            let reason = one["decision"]["reason"].as_str().expect("a reason");
            format!("{}: {reason}", one["name"].as_str().unwrap_or("ret"))
        };
        let why: Vec<_> = why.chain(decisions.map(of)).collect();
        if !why.is_empty() {
            let name = function["name"].as_str().expect("a name");
            refused.push(format!("\"{name}\""));
            writeln!(reasons, "{name}\n    {}", why.join("\n    ")).expect("text");
        }
    }
    assert!(2 * functions.len() > 3 * refused.len(), "{} of {}", refused.len(), functions.len());
    (refused, reasons)
}

const POLICY: &str = include_str!("../kinds/policy.toml");

#[test]
fn every_kind_is_wrapped_and_compiles() {
    let workspace = Workspace::new(POLICY);
    workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    insta::assert_snapshot!("kinds", workspace.get("src/isolated/kinds.rs"));
    insta::assert_snapshot!("direct", workspace.get("src/isolated/direct.rs"));
    insta::assert_snapshot!("fragment", workspace.get("src/isolated/isolate.ld"));

    workspace.compiles(&[]);

    // `cargo fmt` of a project never makes its wrappers stale. Rewritten calls it may lay out anew: they are the project's.
    workspace.rustfmt(&["src/lib.rs"]);
    workspace.expect(&["wrap", "--apply", "--check"], 0);
}

/// What was laid out by `rustfmt` is so after calls were rewritten, by the configuration of the project.
#[test]
fn rewritten_calls_are_laid_out() {
    let workspace = Workspace::new(POLICY);
    workspace.rustfmt(&["src/lib.rs"]);
    workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    workspace.rustfmt(&["--check", "src/lib.rs"]);
    let text = workspace.get("src/lib.rs");
    let joined = "    let own = isolated::direct::own_checksum(data).unwrap_or_else(";
    assert!(text.contains(joined), "{text}");
}

/// There, an import begins at the root of the crate, and knows no crate that was not declared. `c"text"` is younger, too.
#[test]
fn the_first_edition_has_wrappers_too() {
    let workspace = Workspace::new(POLICY);
    workspace.put("Cargo.toml", &workspace.get("Cargo.toml").replace("edition = \"2024\"", "edition = \"2015\""));
    let root = workspace.get("src/lib.rs").replace("kinds_sys::", "sys::");
    workspace.put("src/lib.rs", &root.replace("pub mod ffi", "extern crate kinds_sys as sys;\n\npub mod ffi"));
    workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    let text = workspace.get("src/isolated/kinds.rs");
    assert!(text.contains("extern crate isolate_rt;\nextern crate kinds_sys;\nuse self::isolate_rt::{"), "{text}");
    workspace.compiles(&[]);
    workspace.expect(&["wrap", "--check"], 0);
}

#[test]
fn a_second_time_changes_nothing() {
    let workspace = Workspace::new(POLICY);
    workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    let before = workspace.files();
    let printed = workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    assert_eq!(printed, "everything is up to date\n");
    assert_eq!(workspace.expect(&["wrap", "--quiet"], 0), "");
    assert_eq!(workspace.files(), before);
    workspace.expect(&["wrap", "--apply", "--check"], 0);

    let said = || String::from_utf8(workspace.isolate(&["check"]).stdout).expect("UTF-8");
    let tip = "`src/isolated/kinds.rs` begins as a wrapper that `cargo isolate wrap` writes, and is not what it writes today\n";
    assert!(!said().contains("begins as a wrapper"), "{}", said());
    let edited = workspace.get("src/isolated/kinds.rs")
        + "\npub fn mine() {\n    unsafe { std::hint::unreachable_unchecked() }\n}\n";
    workspace.put("src/isolated/kinds.rs", &edited);
    // However much is found in it.
    assert_eq!(said().matches(tip).count(), 1, "{}", said());
    workspace.put("policy.toml", &format!("{POLICY}\n[crates.kinds]\nunsafe = {{ max = 0 }}\n"));
    let (_, limit) = said().split_once("0 allowed").map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a maximum");
    assert!(limit.contains(tip) && limit.contains("help: run `cargo isolate wrap`, which"), "{limit}");
}

#[test]
fn the_package_keeps_what_it_had() {
    let workspace = Workspace::new(POLICY);
    workspace.put("build.rs", "// Mine.\nfn main() {\n    println!(\"cargo::rerun-if-changed=build.rs\");\n}\n");
    workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").display().to_string();
    insta::with_settings!({ filters => vec![(regex_escape(&root).as_str(), "[checkout]")] }, {
        insta::assert_snapshot!("manifest", workspace.get("Cargo.toml"));
    });
    insta::assert_snapshot!(workspace.get("build.rs"), @r#"
    // Mine.
    fn main() {
        isolate_rt_build::link!("src/isolated/isolate.ld");
        println!("cargo::rerun-if-changed=build.rs");
    }
    "#);
    let script = workspace.get("build.rs");
    workspace.put("build.rs", &script.replace("link!(", "link("));
    workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    assert_eq!(workspace.get("build.rs"), script, "what earlier versions wrote is brought up to date");
    let root = workspace.get("src/lib.rs");
    assert!(root.starts_with("//! Declares one function itself.\n\nmod isolated;\n\npub mod ffi {\n"), "{root}");
}

fn regex_escape(text: &str) -> String {
    text.replace('.', "\\.").replace('+', "\\+")
}

#[test]
fn calls_are_rewritten_and_the_rest_is_listed() {
    let workspace = Workspace::new(POLICY);
    let text = workspace.get("src/lib.rs")
        + "pub fn shut(ctx: *mut kinds_sys::Ctx) {\n    unsafe { kinds_sys::close(ctx) }\n}\n\
           #[cfg(test)]\nmod tests {\n    fn compare() {\n        unsafe { kinds_sys::close(std::ptr::null_mut()) }\n    }\n}\n";
    workspace.put("src/lib.rs", &text);
    let diff = workspace.expect(&["wrap", "--apply", "--dry-run"], 0);
    assert_eq!(workspace.get("src/lib.rs"), text);
    let (_, of_calls) = diff.split_once("+++ b/src/lib.rs\n").expect("a diff of the calls");
    insta::assert_snapshot!("calls", of_calls);
    let printed = workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    let (_, list) = printed.split_once("\n\n").expect("a list after the files");
    insta::assert_snapshot!(list, @r#"
    rewrote 2 calls: 0 pass on a fault by `?`, 2 panic
      src/lib.rs:14  `own_checksum` panics on a fault
      src/lib.rs:15  `crc` panics on a fault
      `?` passes it on where the function returns a `Result` whose error is `From<isolate_rt::Fault>`

    to do: replace 1 direct call by its wrapper, and handle the `Fault`
      src/lib.rs:18:14  `ctx` is what the wrapper of `login`, `reopen` or `ctx_of` returned, to keep where the pointer was
          isolated::kinds::close(ctx: &Handle<ffi::Ctx>) -> Result<(), Fault>
          try: isolated::kinds::close(todo!("ctx: &Handle<ffi::Ctx>")).unwrap_or_else(|fault| panic!("{}", fault))
    `cargo isolate verify` then checks that none is left
    "#);
    // `mod isolated;` moved the call down.
    let line = workspace.get("src/lib.rs").lines().position(|line| line.contains("kinds_sys::close(ctx)"));
    assert!(list.contains(&format!("src/lib.rs:{}:14", line.expect("the call") + 1)), "{list}");
    // What it says to try compiles there, as it is.
    let (_, try_it) = list.split_once("try: ").expect("what to write");
    let (try_it, _) = try_it.split_once('\n').expect("a line");
    let text = workspace.get("src/lib.rs");
    let among = format!("#[expect(unreachable_code)]\n    unsafe {{ if false {{ {try_it}; }} kinds_sys::close(ctx) }}");
    workspace.put("src/lib.rs", &text.replacen("unsafe { kinds_sys::close(ctx) }", &among, 1));
    workspace.compiles(&[]);
    workspace.put("src/lib.rs", &text);
    workspace.expect(&["wrap", "--apply"], 0);
}

/// Pointers in fields and locals, made, asked, used and ended: what becomes of them compiles, and stays.
#[test]
fn pointers_become_handles() {
    let workspace = Workspace::new(POLICY);
    let text = workspace.get("src/lib.rs") + include_str!("../kinds/held.rs");
    workspace.put("src/lib.rs", &text);
    workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    let text = workspace.get("src/lib.rs");
    let (_, held) = text.split_once("// Pointers that the program keeps.\n").expect("the part");
    insta::assert_snapshot!("held", held);
    workspace.compiles(&[]);
    workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    assert_eq!(workspace.get("src/lib.rs"), text);
}

/// As `cargo fix`: nothing is edited over what nobody could get back.
#[test]
fn a_tree_with_changes_is_left_alone() {
    let workspace = Workspace::new(POLICY);
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=x", "-c", "user.email=x@example.org"]).args(arguments);
        let output = git.current_dir(workspace.folder.path()).output().expect("git");
        assert!(output.status.success(), "{arguments:?} {}", String::from_utf8_lossy(&output.stderr));
    };
    let refused = |arguments: &[&str]| {
        let before = workspace.files();
        let output = workspace.isolate(&[&["wrap", "--apply"], arguments].concat());
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(workspace.files(), before);
        let folder = workspace.folder.path().canonicalize().expect("a folder").display().to_string();
        String::from_utf8(output.stderr).expect("UTF-8").replace(&folder, "[workspace]")
    };
    insta::assert_snapshot!("no_vcs", refused(&[]));
    git(&["init", "--quiet"]);
    workspace.put(".gitignore", "target\n");
    git(&["add", "."]);
    insta::assert_snapshot!("staged", refused(&[]));
    git(&["commit", "--quiet", "-m", "all"]);
    workspace.put("notes.txt", "mine");
    workspace.put("policy.toml", &format!("{POLICY}\n# Mine.\n"));
    workspace.put("src/lib.rs", &(workspace.get("src/lib.rs") + "// Mine.\n"));
    insta::assert_snapshot!("dirty", refused(&["--allow-staged"]));
    git(&["checkout", "--quiet", "src/lib.rs"]);
    // What it does not edit is in nobody's way: the policy, which is what there is to apply, and other files.
    workspace.expect(&["wrap", "--apply"], 0);
    // What it wrote itself is neither, as long as there is nothing else to write.
    workspace.put("policy.toml", &POLICY.replace("3MiB", "4MiB"));
    workspace.expect(&["wrap", "--apply"], 0);
    let called = "pub fn more() -> u32 {\n    unsafe { kinds_sys::crc(0, std::ptr::null(), 0) }\n}\n";
    workspace.put("src/lib.rs", &(workspace.get("src/lib.rs") + called));
    refused(&[]);
    workspace.expect(&["wrap", "--apply", "--allow-dirty"], 0);
}

#[test]
fn a_policy_elsewhere_is_called_by_its_name() {
    let workspace = Workspace::new(POLICY);
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let policy = elsewhere.path().join("strict.toml");
    fs::write(&policy, POLICY).expect("a file");
    workspace.expect(&["wrap", "--policy", policy.to_str().expect("UTF-8")], 0);
    for file in ["kinds.rs", "mod.rs", "isolate.ld"] {
        let text = workspace.get(&format!("src/isolated/{file}"));
        assert!(text.contains("from `strict.toml`"), "{text}");
    }
}

#[test]
fn the_plan_as_json_says_what_it_is() {
    let workspace = Workspace::new(POLICY);
    let plan: serde_json::Value =
        serde_json::from_str(&workspace.expect(&["plan", "--format", "json"], 0)).expect("JSON");
    assert_eq!(plan["schema"], 1);
    assert_eq!(plan["tool"], env!("CARGO_PKG_VERSION"));
    assert!(plan["workspace_root"].as_str().is_some_and(|root| root.starts_with('/')), "{plan}");
    assert_eq!(plan["domains"].as_array().map(Vec::len), Some(2));
}

#[test]
fn stale_files_are_named() {
    let workspace = Workspace::new(POLICY);
    let missing = workspace.expect(&["wrap", "--check"], 1);
    assert!(missing.contains("src/isolated/kinds.rs is missing\n"), "{missing}");
    workspace.expect(&["wrap"], 0);

    workspace.put("policy.toml", &POLICY.replace("3MiB", "4MiB"));
    workspace.put("src/isolated/old.rs", "//! Written by `cargo isolate wrap` from `policy.toml`\n");
    workspace.put("src/isolated/mine.rs", "//! Not generated.\n");
    insta::assert_snapshot!(workspace.expect(&["wrap", "--check"], 1), @r"
    src/isolated/kinds.rs is stale
    src/isolated/old.rs is not needed any more
    run `cargo isolate wrap` and commit what it writes
    ");
    insta::assert_snapshot!("dry_run", workspace.expect(&["wrap", "--dry-run"], 0));
    workspace.expect(&["wrap"], 0);
    workspace.expect(&["wrap", "--check"], 0);
    assert!(!workspace.path("src/isolated/old.rs").exists());
    assert!(workspace.path("src/isolated/mine.rs").exists());
}

#[test]
fn one_refusal_and_nothing_is_written() {
    let without = POLICY.replace(
        "[fn.encode]\narg.dest = { kind = \"buf\", dir = \"out\", cap = \"*destLen\", written = \"*destLen\" }\n",
        "",
    );
    assert_ne!(without, POLICY);
    let workspace = Workspace::new(&without);
    let before = workspace.files();
    let output = workspace.isolate(&["wrap", "--apply", "--allow-no-vcs"]);
    assert_eq!(output.status.code(), Some(1));
    let folder = workspace.folder.path().canonicalize().expect("a folder").display().to_string();
    insta::assert_snapshot!("refused", String::from_utf8_lossy(&output.stderr).replace(&folder, "[workspace]"));
    assert_eq!(workspace.files(), before);

    // What it tells to paste settles it.
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stub = stderr.lines().filter(|line| line.starts_with("[fn.") || line.starts_with("arg."));
    let pasted = format!("{without}\n{}\n", stub.collect::<Vec<_>>().join("\n"));
    workspace.put("policy.toml", &pasted);
    workspace.expect(&["wrap"], 0);
}

#[test]
fn a_file_that_cannot_be_written_leaves_the_others_alone() {
    let workspace = Workspace::new(POLICY);
    // A folder stands where a file must go.
    workspace.put("src/isolated/mod.rs/in_the_way", "");
    let before = workspace.files();
    let output = workspace.isolate(&["wrap", "--apply", "--allow-no-vcs"]);
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(workspace.files(), before);
}

/// Calls that were rewritten for one contract, when there is another.
#[test]
fn calls_of_wrappers_that_change_are_named() {
    let workspace = Workspace::new(POLICY);
    workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    let crc = "arg.buf = { kind = \"buf\", len = \"len\", null = \"ok\" }";
    assert!(POLICY.contains(crc));
    workspace.put("policy.toml", &POLICY.replace(crc, "arg.buf = { kind = \"buf\", len = \"len\" }"));
    let text = workspace.get("src/lib.rs");
    let line = text.lines().position(|line| line.contains("isolated::kinds::crc(")).expect("the rewritten call") + 1;
    let before = text.lines().nth(line - 1).and_then(|line| line.find("isolated::")).expect("its column") + 1;
    let told = format!(
        "\nto do: change 1 call, whose wrapper has another signature from now on\n  src/lib.rs:{line}:{before}\n      \
         was: isolated::kinds::crc(seed: u32, buf: Option<&[u8]>) -> Result<u32, Fault>\n      \
         now: isolated::kinds::crc(seed: u32, buf: &[u8]) -> Result<u32, Fault>\n"
    );
    let is_told = |printed: &str| assert!(printed.contains(&told), "{printed}\nand not{told}");
    is_told(&workspace.expect(&["wrap", "--check"], 1));
    is_told(&String::from_utf8(workspace.isolate(&["wrap", "--dry-run"]).stderr).expect("UTF-8"));
    is_told(&workspace.expect(&["wrap"], 0));
    // From now on the compiler says it, and the old signature is nowhere to be read.
    assert!(!workspace.expect(&["wrap"], 0).contains("to do"));
}
