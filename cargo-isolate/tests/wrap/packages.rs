//! Which package gets the wrappers, and in which of its builds they stand.

use super::{POLICY, Workspace};
use std::{fs, process::Output};

#[test]
fn who_gets_the_wrappers_is_asked_when_it_is_not_clear() {
    let workspace = Workspace::new(POLICY);
    let manifest = workspace.get("Cargo.toml").replace("members = [\".\"]", "members = [\".\", \"second\"]");
    workspace.put("Cargo.toml", &manifest);
    workspace.put("second/Cargo.toml", "[package]\nname = \"second\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[dependencies]\nkinds-sys = { path = \"../sys\" }\nkinds = { path = \"..\" }\n");
    workspace.put("second/src/main.rs", "fn main() { unsafe { kinds_sys::crc(0, std::ptr::null(), 0) }; }\n");
    let stderr = |output: Output| String::from_utf8(output.stderr).expect("UTF-8");
    let asked = workspace.isolate(&["wrap"]);
    assert_eq!(asked.status.code(), Some(2));
    insta::assert_snapshot!("several_callers", stderr(asked));
    workspace.expect(&["wrap", "--package", "second"], 0);
    let text = workspace.get("second/src/isolated/direct.rs");
    assert!(text.contains("use kinds::ffi as ffi;\n"), "{text}");

    workspace.put("policy.toml", "version = 1\n");
    let nothing = workspace.isolate(&["wrap"]);
    assert_eq!(nothing.status.code(), Some(2));
    insta::assert_snapshot!("nothing_isolated", stderr(nothing));
    let nothing = workspace.isolate(&["plan"]);
    assert_eq!(nothing.status.code(), Some(2));
    insta::assert_snapshot!("nothing_isolated", stderr(nothing));
}

/// Wrappers of a member that was not chosen are no calls past the wrappers.
#[test]
fn two_members_with_wrappers() {
    let workspace = Workspace::new(&format!(
        "{POLICY}\n[domain.second]\nlibrary = \"second\"\n[[isolate]]\ndomain = \"second\"\nextern = [\"twice\"]\n"
    ));
    let manifest = workspace.get("Cargo.toml").replace("members = [\".\"]", "members = [\".\", \"second\"]");
    workspace.put("Cargo.toml", &manifest);
    workspace.put("second/Cargo.toml", "[package]\nname = \"second\"\nversion = \"1.0.0\"\nedition = \"2024\"\n");
    let second = "unsafe extern \"C\" {\n    fn twice(n: i32) -> i32;\n}\npub fn of_one() -> i32 {\n    unsafe { twice(1) }\n}\n";
    workspace.put("second/src/lib.rs", second);
    workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    assert!(workspace.get("second/src/isolated/second.rs").contains("pub fn twice("));
    let output = workspace.isolate(&["wrap", "--apply", "--dry-run", "--package", "kinds"]);
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(!said.contains("second/src/isolated"), "{said}");
    let verified = workspace.expect(&["verify", "--no-run", "--package", "kinds"], 1);
    assert!(!verified.contains("second/src/isolated"), "{verified}");
}

/// A safe function that is called like the foreign one below it is no foreign call.
#[test]
fn a_safe_function_of_the_same_name_is_no_caller() {
    let workspace = Workspace::new(POLICY);
    let manifest = workspace.get("Cargo.toml").replace("members = [\".\"]", "members = [\".\", \"second\"]");
    workspace.put("Cargo.toml", &manifest);
    let library = workspace.get("src/lib.rs");
    workspace.put("src/lib.rs", &format!("{library}\npub mod safe {{\n    pub fn crc() {{}}\n}}\n"));
    workspace.put("second/Cargo.toml", "[package]\nname = \"second\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[dependencies]\nkinds-sys = { path = \"../sys\" }\nkinds = { path = \"..\" }\n");
    workspace.put("second/src/main.rs", "fn main() { kinds::safe::crc(); }\n");
    workspace.expect(&["wrap"], 0);
    assert!(workspace.path("src/isolated/kinds.rs").exists());
    assert!(!workspace.path("second/src/isolated").exists());
    // They stay where they are when another member calls too, and `verify` looks where it is told.
    workspace.put("second/src/main.rs", "fn main() { unsafe { kinds_sys::crc(0, std::ptr::null(), 0) }; }\n");
    workspace.expect(&["wrap", "--check"], 0);
    for command in [&["verify", "--no-run"][..], &["wrap"]] {
        let elsewhere = workspace.isolate(&[command, &["--package", "second"]].concat());
        assert_eq!(elsewhere.status.code(), Some(2));
        insta::assert_snapshot!("held_elsewhere", String::from_utf8(elsewhere.stderr).expect("UTF-8"));
    }
    assert!(!workspace.path("second/src/isolated").exists());
}

/// Wrappers need the standard library.
#[test]
fn a_crate_without_std_gets_none() {
    let workspace = Workspace::new(POLICY);
    workspace.put("src/lib.rs", &format!("#![no_std]\n{}", workspace.get("src/lib.rs").replace("//!", "//")));
    let before = workspace.files();
    let output = workspace.isolate(&["wrap", "--apply", "--allow-no-vcs"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("`kinds` is `#![no_std]` (src/lib.rs), and wrappers need std"), "{said}");
    assert_eq!(workspace.files(), before);
}

const FEATURES: &str = "#[cfg(feature = \"stats\")]
mod stats {
    unsafe extern \"C\" {
        pub(crate) fn st_count(n: i32) -> i32;
    }
}
mod ffi {
    unsafe extern \"C\" {
        pub(crate) fn st_add(a: i32, b: i32) -> i32;
        #[cfg(feature = \"stats\")]
        pub(crate) fn st_name() -> *const std::ffi::c_char;
    }
}
pub fn add(a: i32) -> i32 {
    // SAFETY: numbers.
    unsafe { ffi::st_add(a, 1) }
}
#[cfg(feature = \"stats\")]
pub fn count() -> i32 {
    // SAFETY: numbers.
    unsafe { stats::st_count(1) }
}
";

/// What is behind a feature has its wrapper behind it too: no flag makes wrappers stale, or keeps them from compiling.
#[test]
fn wrappers_do_not_depend_on_features() {
    let policy = "version = 1\n[domain.st]\nlibrary = \"kinds\"\narchives = [\"libst.a\"]\n[[isolate]]\ndomain = \"st\"\nextern = [\"st_*\"]\n";
    let workspace = Workspace::new(policy);
    let manifest = workspace.get("Cargo.toml").replace("[workspace]", "[features]\nstats = []\n\n[workspace]");
    workspace.put("Cargo.toml", &manifest);
    workspace.put("src/lib.rs", FEATURES);
    workspace.put("build.rs", "// cc::Build::new().compile(\"st\");\nfn main() {}\n");

    workspace.expect(&["init", "--policy", "first.toml"], 0);
    let first = workspace.get("first.toml");
    let proposed =
        "# extern = [\"st_add\"]\n# Called in other builds only: \"st_count\", under cfg(feature = \"stats\")\n";
    assert!(first.contains(proposed), "{first}");

    let said = workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    assert!(
        said.contains("note: Cargo.toml names `isolate-rt` and `isolate-rt-build` by a path on this machine"),
        "{said}"
    );
    let text = workspace.get("src/isolated/st.rs");
    for part in [
        "#[cfg(feature = \"stats\")]\npub fn st_count(",
        "#[cfg(feature = \"stats\")]\npub fn st_name(",
        "#[cfg(feature = \"stats\")]\nuse crate::stats as ffi",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert_eq!(text.matches("#[cfg(feature").count(), 3, "{text}");
    let builds: [&[&str]; 2] = [&[], &["--all-features"]];
    for flags in builds {
        workspace.expect(&[&["wrap", "--check"][..], flags].concat(), 0);
        workspace.compiles(flags);
    }

    // Stubs are there in every build.
    let verified = workspace.isolate(&["verify", "--all-features"]);
    let said = String::from_utf8_lossy(&verified.stdout);
    assert!(!said.contains("do not compile over stubs"), "{said}");

    fs::remove_dir_all(workspace.path("src/isolated")).expect("a folder");
    let output = workspace.isolate(&["check"]);
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(said.contains("does not exist; `cargo isolate wrap` writes it"), "{said}");
}

/// Wrappers of a library that is there with some feature only are there with it.
#[test]
fn an_optional_library() {
    let workspace = Workspace::new(POLICY);
    let manifest = workspace.get("Cargo.toml");
    let optional = "kinds-sys = { path = \"sys\", optional = true }\n\n[features]\ndefault = [\"native\"]\nnative = [\"dep:kinds-sys\"]\n";
    workspace.put("Cargo.toml", &manifest.replace("kinds-sys = { path = \"sys\" } # kept too\n", optional));
    let root = workspace.get("src/lib.rs").replace("pub fn run", "#[cfg(feature = \"native\")]\npub fn run");
    workspace.put("src/lib.rs", &root);
    workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    let modules = workspace.get("src/isolated/mod.rs");
    let gated = "#[cfg(feature = \"native\")]\n#[rustfmt::skip]\npub mod kinds;";
    assert!(modules.contains(gated) && modules.matches("cfg").count() == 1, "{modules}");
    workspace.compiles(&[]);
    workspace.compiles(&["--no-default-features"]);
}

/// Where the workspace says where dependencies come from, members do not say it again; new tables go where their like are.
#[test]
fn dependencies_of_a_workspace() {
    let workspace = Workspace::new(POLICY);
    let checkout = env!("CARGO_MANIFEST_DIR").trim_end_matches("/cargo-isolate");
    workspace.put("Cargo.toml", &format!(
        "[workspace]\nmembers = [\"app\"]\nexclude = [\"sys\"]\n\n[workspace.dependencies]\nisolate-rt = {{ path = \"{checkout}/isolate-rt\" }}\n"
    ));
    workspace.put("app/Cargo.toml", "[package]\nname = \"kinds\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n[lib]\nname = \"kinds\"\n\n[target.'cfg(unix)'.dependencies]\nkinds-sys = { path = \"../sys\" }\n\n[lints.rust]\nunused = \"deny\"\n");
    workspace.put("app/src/lib.rs", &workspace.get("src/lib.rs"));
    workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    let manifest = workspace.get("app/Cargo.toml").replace(checkout, "[checkout]");
    insta::assert_snapshot!(manifest, @r#"
    [package]
    name = "kinds"
    version = "1.0.0"
    edition = "2024"

    [lib]
    name = "kinds"

    [dependencies]
    isolate-rt = { workspace = true }

    [build-dependencies]
    isolate-rt-build = { path = "[checkout]/isolate-rt/build" }

    [target.'cfg(unix)'.dependencies]
    kinds-sys = { path = "../sys" }

    [lints.rust]
    unused = "deny"
    "#);
    workspace.compiles(&[]);
}

/// Beside a runtime that lies in the workspace by a path that holds everywhere, the helper does so, too.
#[test]
fn a_runtime_beside_the_workspace() {
    let workspace = Workspace::new(POLICY);
    let checkout = env!("CARGO_MANIFEST_DIR").trim_end_matches("/cargo-isolate");
    std::os::unix::fs::symlink(checkout, workspace.path("tool")).expect("a link");
    workspace.put("Cargo.toml", "[workspace]\nmembers = [\"member/app\"]\nexclude = [\"sys\"]\n\n[workspace.dependencies]\nisolate-rt = { path = \"./tool/isolate-rt\" }\n");
    workspace.put("member/app/Cargo.toml", "[package]\nname = \"kinds\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n[dependencies]\nkinds-sys = { path = \"../../sys\" }\n");
    workspace.put("member/app/src/lib.rs", &workspace.get("src/lib.rs"));
    let said = workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    assert!(!said.contains("on this machine"), "{said}");
    let manifest = workspace.get("member/app/Cargo.toml");
    assert!(manifest.contains("isolate-rt-build = { path = \"../../tool/isolate-rt/build\" }\n"), "{manifest}");
}

/// What the wrapper passes for a size is that size, or no program.
#[test]
fn a_size_has_room_in_its_parameter() {
    let policy = "version = 1\n[domain.kinds]\nlibrary = \"kinds-sys\"\n[[isolate]]\ndomain = \"kinds\"\nextern = [\"small\"]\n[fn.small]\narg.p = { kind = \"obj\", dir = \"in\" }\narg.n = { kind = \"fixed\", value = \"sizeof(Big)\" }\n";
    let workspace = Workspace::new(policy);
    let sys = |size: usize| {
        let text = "#[repr(C)]\n#[derive(Clone, Copy)]\npub struct Big {\n    pub all: [u8; SIZE],\n}\nunsafe extern \"C\" {\n    pub fn small(p: *const Big, n: u8) -> i32;\n}\n";
        workspace.put("sys/src/lib.rs", &text.replace("SIZE", &size.to_string()));
    };
    sys(200);
    let call = "unsafe { kinds_sys::small(big, std::mem::size_of::<kinds_sys::Big>() as u8) }";
    workspace.put("src/lib.rs", &format!("pub fn f(big: &kinds_sys::Big) -> i32 {{ {call} }}\n"));
    workspace.expect(&["wrap", "--apply", "--allow-no-vcs"], 0);
    workspace.compiles(&[]);
    sys(300);
    let output = workspace.check(&[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the size of `Big` is no `u8`"), "{said}");
}
