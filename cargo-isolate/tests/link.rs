//! Where the globals of isolated libraries land in a linked program.

use object::{Object, ObjectSymbol};
use std::{collections::BTreeSet, fs, ops::Range, path::Path, process::Command};

/// The crate whose C code has every kind of global, and Rust globals beside them.
const GLOBALS_C: &str = r#"
int counter = 3;
int zeroed[1000];
static int hidden = 7;
static int *pointer = &hidden;
int *lent = &counter, *r = &counter, *really = &counter, *rows = &counter; /* each has a section of its name */
static const char *const names[] = { "constant", "pointers" };
const char *touch(int n) { static int calls; calls += n; zeroed[n] += *pointer + *lent + *r + *really + *rows; return names[(counter + calls) & 1]; }
"#;
const GLOBALS_RS: &str = "
pub static RUST_DATA: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(5);
pub static RUST_BSS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
unsafe extern \"C\" { pub fn touch(n: i32) -> *const std::ffi::c_char; }
";
const MAIN: &str = "\
fn main() {
    let order = std::sync::atomic::Ordering::Relaxed;
    println!(\"{}\", globals_sys::RUST_DATA.fetch_add(globals_sys::RUST_BSS.fetch_add(1, order), order));
    println!(\"{:?} {:?}\", isolated::globals::touch(1), isolated::zlib::crc32(0, b\"x\"));
}
";
const POLICY: &str = r#"
version = 1
[domain.globals]
library = "globals-sys"
[domain.zlib]
library = "libz-sys"
[[isolate]]
domain = "globals"
extern = ["touch"]
[[isolate]]
domain = "zlib"
extern = ["crc32"]
"#;

fn build() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    put(
        "Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2018\"\nrust-version = \"1.64\"\n[dependencies]\n\
         globals-sys = { path = \"sys\" }\n\
         libz-sys = { version = \"1.1.31\", default-features = false, features = [\"libc\", \"static\"] }\n[workspace]\n",
    );
    put("src/main.rs", MAIN);
    put(
        "sys/Cargo.toml",
        "[package]\nname = \"globals-sys\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[build-dependencies]\ncc = \"1\"\n",
    );
    put("sys/build.rs", "fn main() { cc::Build::new().file(\"globals.c\").compile(\"globals\"); }\n");
    put("sys/globals.c", GLOBALS_C);
    put("sys/src/lib.rs", GLOBALS_RS);
    put("policy.toml", POLICY);
    let run = |command: &mut Command| {
        let output = command.current_dir(folder.path()).output().expect("it starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    run(Command::new(env!("CARGO_BIN_EXE_cargo-isolate")).args([
        "isolate",
        "wrap",
        "--apply",
        "--allow-no-vcs",
        "--offline",
    ]));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("link");
    run(Command::new(env!("CARGO")).args(["build", "--offline", "--quiet"]).env("CARGO_TARGET_DIR", &target));
    fs::read(target.join("debug/app")).expect("the program")
}

#[test]
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
fn globals_of_the_library_lie_together_and_nothing_of_rust_does() {
    let program = build();
    let file = object::File::parse(&*program).expect("an ELF file");
    let address = |name: &str| {
        let symbol = file.symbols().find(|symbol| symbol.name() == Ok(name));
        symbol.unwrap_or_else(|| panic!("no symbol {name}")).address()
    };
    let range = |domain: &str, kind: &str| -> Range<u64> {
        address(&format!("__isolate_{domain}_{kind}_start"))..address(&format!("__isolate_{domain}_{kind}_end"))
    };
    // Names without what the compiler appends to tell statics of functions apart.
    let inside = |range: Range<u64>| -> BTreeSet<&str> {
        let symbols = file.symbols().filter(|symbol| symbol.size() > 0 && range.contains(&symbol.address()));
        symbols
            .map(|symbol| symbol.name().expect("a name"))
            .map(|name| name.split('.').next().expect("a part"))
            .collect()
    };

    let (data, bss) = (range("globals", "data"), range("globals", "bss"));
    assert_eq!(inside(data.clone()), BTreeSet::from(["counter", "hidden", "lent", "pointer", "r", "really", "rows"]));
    assert_eq!(inside(bss.clone()), BTreeSet::from(["calls", "zeroed"]));
    for end in [data.start, data.end, bss.start, bss.end] {
        assert_eq!(end % 4096, 0, "{end:#x} is no page boundary");
    }
    // The constant array of pointers is relocated once and read-only from then on.
    let names = address("names");
    assert!(!data.contains(&names) && !bss.contains(&names));

    // zlib has no writable globals: its ranges are empty, and exist.
    assert!(range("zlib", "data").is_empty() && range("zlib", "bss").is_empty());
}
