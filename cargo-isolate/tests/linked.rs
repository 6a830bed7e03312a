//! `verify` on what the linker made: a library's variables in their domain, and no reference past the wrappers.
#![cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

const LIBRARY_C: &str = "
int count_calls = 1;
static int hidden = 2;
static volatile int zeroed[4];
int twice(int n) { zeroed[n & 3] = ++count_calls + hidden++; return 2 * n; }
__attribute__((visibility(\"hidden\"))) int shown_to_none = 3;
int fclose(void *file);
__attribute__((constructor)) static void fill(void) { zeroed[0] = 7; }
int closed(void *file) { return fclose(file); }
__attribute__((visibility(\"hidden\"))) int thrice(int n) { shown_to_none++; return 3 * n; }
";
/// Compiles without the `cc` crate, which would have to be built first.
const BUILD: &str = r#"
fn main() {
    isolate_rt_build::link!("src/isolated/isolate.ld");
    let out = std::env::var("OUT_DIR").unwrap();
    let run = |tool: &str, arguments: &[&str]| assert!(std::process::Command::new(tool).args(arguments).status().unwrap().success());
    let (object, archive) = (format!("{out}/twice.o"), format!("{out}/libtwice.a"));
    run("cc", &["-c", "-fPIC", "-O1", "csrc/twice.c", "-o", &object]);
    run("ar", &["crs", &archive, &object]);
    println!("cargo::rustc-link-search=native={out}");
    println!("cargo::rustc-link-lib=static=twice");
    println!("cargo::rerun-if-changed=csrc");
}
"#;
const LIB: &str = "
pub mod isolated;
mod ffi { unsafe extern \"C\" { pub fn twice(n: i32) -> i32; pub fn thrice(n: i32) -> i32; } }
pub fn isolated_twice(n: i32) -> i32 { isolated::twice::twice(n).unwrap_or(-1) + isolated::twice::thrice(n).unwrap_or(-1) }
#[cfg(test)]
mod tests {
    #[test]
    fn as_direct() { assert_eq!(super::isolated_twice(1), unsafe { super::ffi::twice(1) }); }
}
";
const MAIN: &str = "fn main() { println!(\"{}\", app::isolated_twice(1)); }\n";
const POLICY: &str = r#"
version = 1
[domain.twice]
library = "app"
archives = ["libtwice.a"]
[[isolate]]
domain = "twice"
extern = ["twice", "thrice"]
"#;

struct Workspace(tempfile::TempDir);

impl Workspace {
    fn new() -> Self {
        // Cargo's messages name packages by addresses, in which this reads otherwise.
        let folder = tempfile::Builder::new().prefix("two words, é ").tempdir();
        let workspace = Self(folder.expect("a temporary folder"));
        let rt = |folder: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder).display().to_string();
        let manifest = format!(
            "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[dependencies]\nbetween = {{ path = \"between\" }}\nisolate-rt = {{ path = {:?} }}\n\
             [build-dependencies]\nisolate-rt-build = {{ path = {:?} }}\n[workspace]\n",
            rt("isolate-rt"),
            rt("isolate-rt/build")
        );
        workspace.put("Cargo.toml", &manifest);
        workspace.put("build.rs", BUILD);
        workspace.put("between/Cargo.toml", "[package]\nname = \"between\"\nversion = \"1.0.0\"\nedition = \"2024\"\n");
        workspace.put("between/src/lib.rs", "");
        workspace.put("csrc/twice.c", LIBRARY_C);
        workspace.put("src/lib.rs", LIB);
        workspace.put("src/main.rs", MAIN);
        workspace.put("policy.toml", POLICY);
        workspace
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn isolate(&self, arguments: &[&str]) -> Output {
        let mut tool = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"));
        tool.arg("isolate").args(arguments).arg("--offline").env("CARGO_TARGET_DIR", self.0.path().join("target"));
        tool.current_dir(&self.0).output().expect("the tool")
    }

    /// Writes the wrappers for `policy`, then verifies: the lines about globals and objects, and what stands below them.
    #[track_caller]
    fn check(&self, policy: &str, status: i32, snapshot: &str) {
        self.put("policy.toml", policy);
        let wrapped = self.isolate(&["wrap"]);
        assert!(wrapped.status.success(), "{}", String::from_utf8_lossy(&wrapped.stderr));
        let verified = self.isolate(&["verify", "--no-run"]);
        let stdout = String::from_utf8_lossy(&verified.stdout);
        let lines: Vec<_> = stdout.lines().skip_while(|line| !line.contains("  compile ")).collect();
        let lines: Vec<_> = lines.into_iter().skip(1).take_while(|line| !line.contains("  faults ")).collect();
        insta::assert_snapshot!(snapshot, lines.join("\n"));
        assert_eq!(verified.status.code(), Some(status), "{stdout}\n{}", String::from_utf8_lossy(&verified.stderr));
    }
}

/// In one workspace one after the other: its first build takes longer than everything after it.
#[test]
fn archives_and_references() {
    let workspace = Workspace::new();
    workspace.check(POLICY, 0, "right");
    let planned = workspace.isolate(&["plan"]);
    let planned = String::from_utf8_lossy(&planned.stdout);
    let warnings: Vec<_> = planned.lines().filter(|line| line.starts_with("warning: ")).collect();
    let warning = "warning: the library of the domain `twice` imports `fclose`, and a call of it ends with `Protection`: \
        locks or writes a `FILE`: `lseek` and the like work";
    let before_main = "warning: `libtwice.a` has a constructor that runs before `main`, outside of the domain `twice`: `fill`; a call that \
        frees, grows or writes what was allocated there ends with `ForeignFree` or `Protection`";
    assert_eq!(warnings, [before_main, warning], "{planned}");
    workspace.put("policy.toml", &POLICY.replace("library", "instances = \"thread\"\nlibrary"));
    let planned = workspace.isolate(&["plan"]);
    let planned = String::from_utf8_lossy(&planned.stdout);
    let warning = "warning: `instances = \"thread\"` of [domain.twice] is for libraries without variables of their own, \
        and this one has `count_calls`, `hidden`, `shown_to_none`, `zeroed`: ";
    assert!(planned.contains(warning), "{planned}");
    // What the compiler brings is no file of the build.
    let of_compiler = POLICY.replace("\"libtwice.a\"", "\"libtwice.a\", \"libstdc++.a\"");
    workspace.check(&of_compiler, 0, "right");
    let planned = workspace.isolate(&["plan"]);
    assert!(!String::from_utf8_lossy(&planned.stdout).contains("warning: `archives`"), "{planned:?}");
    workspace.put("src/main.rs", &format!("#[link(name = \"stdc++\")] unsafe extern \"C\" {{ fn __cxa_get_globals() -> *mut u8; }}\nfn more() {{ unsafe {{ __cxa_get_globals() }}; }}\n{}", MAIN.replace("{ println", "{ more(); println")));
    workspace.check(&of_compiler, 1, "shared_instead");
    workspace.put("src/main.rs", MAIN);
    workspace.check(&POLICY.replace("libtwice.a", "libtwcie.a"), 1, "misspelt");
    let planned = workspace.isolate(&["plan"]);
    let planned = String::from_utf8_lossy(&planned.stdout);
    let warning = "warning: `archives` of [domain.twice] names `libtwcie.a`, which is no file of this build; did you mean `libtwice.a`?";
    assert!(planned.contains(warning), "{planned}");
    workspace.check(&POLICY.replace("archives = [\"libtwice.a\"]\n", ""), 1, "not_named");
    workspace.put("src/main.rs", "static TABLE: [unsafe extern \"C\" fn(i32) -> i32; 1] = [twice];\nunsafe extern \"C\" { fn twice(n: i32) -> i32; #[link_name = \"thrice\"] fn other(n: i32) -> i32; }\nfn main() { println!(\"{} {}\", app::isolated_twice(1), unsafe { TABLE[std::env::args().count() - 1](1) + other(2) }); }\n");
    workspace.check(POLICY, 1, "past_the_wrappers");
    // In the objects of a crate, before linking: no program calls it yet.
    workspace.put("src/main.rs", MAIN);
    workspace.put("between/src/lib.rs", "macro_rules! declare { ($name:ident) => { unsafe extern \"C\" { fn $name(n: i32) -> i32; } } }\ndeclare!(twice);\npub fn again(n: i32) -> i32 { unsafe { twice(n) } }\n");
    workspace.check(POLICY, 1, "past_the_wrappers_in_no_program");
    // Tests that do not compile keep nobody from looking at the rest.
    workspace.put("between/src/lib.rs", "");
    workspace.put("tests/broken.rs", "#[test] fn broken() { let _: u8 = \"\"; }\n");
    workspace.check(POLICY, 1, "without_tests");
    fs::remove_file(workspace.0.path().join("tests/broken.rs")).unwrap();
    // Rust code that the library calls runs where it does.
    workspace.put(
        "csrc/twice.c",
        &format!("int noted(int n);\n{}", LIBRARY_C.replace("return 3 * n", "return noted(3 * n)")),
    );
    workspace.put("between/src/lib.rs", "#[unsafe(no_mangle)] pub extern \"C\" fn noted(n: i32) -> i32 { n }\n");
    workspace.put("src/lib.rs", &format!("use between as _;\n{LIB}"));
    workspace.check(POLICY, 0, "calls_rust");
    let planned = workspace.isolate(&["plan"]);
    let planned = String::from_utf8_lossy(&planned.stdout);
    let warning = "warning: the library of the domain `twice` calls `noted` of the crate `between`: this runs inside the domain too";
    assert!(planned.contains(warning), "{planned}");
    workspace.put("csrc/twice.c", LIBRARY_C);
    // Code of a shared library is looked at as a program's, though it is no place for domains.
    let manifest = fs::read_to_string(workspace.0.path().join("Cargo.toml")).unwrap();
    workspace.put("Cargo.toml", &format!("{manifest}[lib]\ncrate-type = [\"rlib\", \"cdylib\"]\n"));
    workspace.put("between/src/lib.rs", "");
    workspace.put(
        "src/lib.rs",
        &format!(
            "{LIB}\n#[unsafe(no_mangle)] pub extern \"C\" fn direct(n: i32) -> i32 {{ unsafe {{ ffi::twice(n) }} }}\n"
        ),
    );
    workspace.check(POLICY, 1, "shared_library");
}
