//! Every symbol of libc that `cargo-isolate/data/libc.txt` speaks of, called inside a domain: does it do there what the table
//! says? And `docs/libc.md`, which is made of the table and compared with it.
//!
//! `cargo xtask generate --runner RUNNER` writes what was found into the table, and the page.

mod support;

use isolate_rt::{Domain, FaultKind, Globals};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_void};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs, mem};
use support::isolation;

// SAFETY: the library below, which nothing else uses.
const GLOBALS: &[Globals] = unsafe { &[Globals::shared("libisolate_calls.so")] };
static DOMAIN: Domain = Domain::new("libc").globals(GLOBALS).deadline(Duration::from_secs(10));

/// A line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// `works`, `ours`, or `refused` and the fault.
    class: String,
    /// What to do, or under which condition.
    note: String,
}

fn table_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../cargo-isolate/data/libc.txt")
}

fn table(text: &str) -> BTreeMap<String, Entry> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let mut parts = line.splitn(3, " | ").map(str::to_owned);
            let [symbol, class, note] = [(); 3].map(|()| parts.next().unwrap_or_default());
            (symbol, Entry { class, note })
        })
        .collect()
}

/// The symbols that `calls.c` has a call of, with their functions.
fn calls() -> Vec<(String, unsafe extern "C" fn() -> i32)> {
    let directory = env!("CARGO_TARGET_TMPDIR");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/libc/calls.c");
    let library = format!("{directory}/libisolate_calls.so");
    let changed = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    // An emulated machine finds it built: its compiler would take minutes.
    if changed(Path::new(&library)) < changed(&source) {
        // Each process builds its own, and puts it there whole.
        let built = format!("{library}.{}", std::process::id());
        let flags = ["-shared", "-fPIC", "-O1", "-w", "-fno-builtin", "-U_FORTIFY_SOURCE", "-Wl,-z,now"];
        let status = Command::new("cc").args(flags).arg("-o").arg(&built).arg(&source).arg("-lm").status();
        assert!(status.expect("a C compiler").success());
        fs::rename(&built, &library).unwrap();
    }
    let text = fs::read_to_string(&source).unwrap();
    let mut names = Vec::new();
    for (at, macro_) in text.match_indices("CALL(").chain(text.match_indices("MATH(")) {
        let name: String = text[at + 5..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        match macro_ {
            "MATH(" => names.extend([name.clone(), format!("{name}f")]),
            _ => names.push(name),
        }
    }
    names.sort();
    names.dedup();
    let path = CString::new(library).unwrap();
    // SAFETY: a library without constructors; what it defines as `call_…` has this type.
    unsafe {
        let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
        assert!(!handle.is_null(), "{:?}", CStr::from_ptr(libc::dlerror()));
        let find = |name: &String| libc::dlsym(handle, CString::new(format!("call_{name}")).unwrap().as_ptr());
        let found = names.into_iter().map(|name| (find(&name), name)).filter(|(function, _)| !function.is_null());
        found
            .map(|(function, name)| (name, mem::transmute::<*mut c_void, unsafe extern "C" fn() -> i32>(function)))
            .collect()
    }
}

/// Whether the program defines the symbol, in libc's place.
fn is_ours(symbol: &str) -> bool {
    let symbol = CString::new(symbol).unwrap();
    // SAFETY: looks a name up; the description is filled in when that succeeds.
    unsafe {
        let found = libc::dlsym(libc::RTLD_DEFAULT, symbol.as_ptr());
        let mut info: libc::Dl_info = mem::zeroed();
        let mut this: libc::Dl_info = mem::zeroed();
        libc::dladdr(found, &mut info) != 0
            && libc::dladdr((is_ours as *const ()).cast(), &mut this) != 0
            && info.dli_fbase == this.dli_fbase
    }
}

fn found(symbol: &str, call: unsafe extern "C" fn() -> i32) -> String {
    // SAFETY: the call is made for this.
    match unsafe { DOMAIN.call("libc").unwrap().run(|| call()) } {
        Ok(0) => "wrong".to_owned(),
        Ok(_) if is_ours(symbol) => "ours".to_owned(),
        Ok(_) => "works".to_owned(),
        Err(fault) => format!("refused {}", kind(fault.kind())),
    }
}

/// Name of the fault.
fn kind(kind: &FaultKind) -> String {
    let text = format!("{kind:?}");
    text.chars().take_while(|c| c.is_alphanumeric()).collect()
}

#[test]
fn every_call_does_what_the_table_says() {
    let calls = calls();
    if !isolation() {
        return;
    }
    let text = fs::read_to_string(table_path()).unwrap();
    // SAFETY: gives a constant string.
    let version = unsafe { libc::gnu_get_libc_version() };
    assert!(!version.is_null());
    // SAFETY: as above.
    let version = unsafe { CStr::from_ptr(version) }.to_string_lossy();
    if !text.contains(&format!("# glibc {version}\n")) {
        eprintln!("skipped: the table is not of glibc {version}");
        return;
    }
    let expected = table(&text);
    let mut now = BTreeMap::new();
    for (symbol, call) in &calls {
        let note = expected.get(symbol).map(|entry| entry.note.clone()).unwrap_or_default();
        now.insert(symbol.clone(), Entry { class: found(symbol, *call), note });
    }
    if env::var_os("ISOLATE_UPDATE").is_some() {
        let mut text: String =
            text.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
        for (symbol, Entry { class, note }) in &now {
            let note = if note.is_empty() { String::new() } else { format!(" | {note}") };
            let _ = writeln!(text, "{symbol} | {class}{note}");
        }
        fs::write(table_path(), text).unwrap();
        return;
    }
    let differ: Vec<_> = now.iter().filter(|(symbol, entry)| expected.get(*symbol) != Some(entry)).collect();
    assert!(differ.is_empty(), "other than the table says: {differ:#?}");
    let untested: Vec<_> = expected.keys().filter(|symbol| !now.contains_key(*symbol)).collect();
    assert!(untested.is_empty(), "no call in calls.c: {untested:?}");
}

const INTRO: &str = "\
# libc inside a domain

What becomes of libc's functions when isolated code calls them. Each line is a call that
`isolate-rt/tests/libc.rs` makes inside a domain (glibc 2.36); the table is
`cargo-isolate/data/libc.txt`. What a line does not name was not tried. Code that is linked into the
domain's library (a C++ runtime, for instance) is like the library's own.

Most of what is refused writes data of libc that the whole program uses: the call ends with
`Protection`, and nothing was written. Nothing of libc is shared with a domain, on purpose: a domain
that may write libc's data can overwrite the addresses that the program's next call goes by, and a
fault in the middle of `printf` leaves a lock that the program then waits for. So there is no class
of symbols that work if the policy shares something, and what could only work so (`getline`, `fopen`
and other functions of a `FILE`, which libc keeps in lists and buffers of the program's) is refused.
";

const OURS: &str = "\
These are replaced by the runtime: the allocator uses the domain's heap; `printf` and the like \
write at once, before what the program has printed and libc holds back, and to `stdout`, \
`stderr` and streams of the library's own only (another `FILE` is `ForeignStream`); `mmap` gives \
memory of the domain, and its relatives change no other \
([runtime.md](runtime.md#memory-that-a-library-maps)); keys (`pthread_key_create`) are the \
domain's, 128 at most; `strerror` and the like say what they say in the C locale, and `gettext` \
translates nothing; what `atexit` and destructors of C++ are to do at the end of the program or thread (`__cxa_atexit`) is never \
done; dates are \
worked out by the program, in its time zone; `rand` and the like go through the sequences that \
libc begins with, each domain for itself, and again after a fault; `longjmp` leads to frames of \
its own call only (else `JumpedOut`). The others mean the same \
inside, or are refused by their own error.";

/// `docs/libc.md`.
fn page(table: &BTreeMap<String, Entry>, imports: &BTreeMap<String, Entry>) -> String {
    let of = |class: &str| {
        table.iter().filter(move |(_, entry)| entry.class.split(' ').next() == Some(class)).collect::<Vec<_>>()
    };
    let mut page = INTRO.to_owned();
    let _ = writeln!(
        page,
        "\n## Refused\n\n| symbol | the call ends with | instead, and when | imported by |\n|---|---|---|---|"
    );
    for (symbol, Entry { class, note }) in of("refused") {
        let importers = imports.get(symbol).map(|entry| entry.class.replace(' ', ", ")).unwrap_or_default();
        let fault = class.trim_start_matches("refused ");
        let _ = writeln!(page, "| `{symbol}` | `{fault}` | {note} | {importers} |");
    }
    let _ = writeln!(page, "\n## The runtime's own\n\n{}\n", filled(OURS));
    let names = |of: Vec<(&String, &Entry)>| {
        filled(&of.into_iter().map(|(symbol, _)| format!("`{symbol}`")).collect::<Vec<_>>().join(", "))
    };
    let _ = writeln!(page, "{}.", names(of("ours")));
    let works = of("works");
    let noted: Vec<_> = works.iter().filter(|(_, entry)| !entry.note.is_empty()).copied().collect();
    let _ = writeln!(page, "\n## Works\n");
    let _ = writeln!(page, "{},", names(works));
    let _ = writeln!(page, "\nand with a remark:\n");
    for (symbol, entry) in noted {
        let _ = writeln!(page, "{}", filled(&format!("- `{symbol}`: {}", entry.note)).replace('\n', "\n  "));
    }
    page
}

/// In lines of at most 100 columns, with what follows it.
fn filled(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() < 100 => *line += &format!(" {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// `cargo xtask generate` writes it.
#[test]
fn the_page_is_what_the_table_says() {
    let imports = table(&read("tests/libc/imports.txt"));
    let page = page(&table(&fs::read_to_string(table_path()).unwrap()), &imports);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/libc.md");
    if env::var_os("ISOLATE_UPDATE").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(fs::read_to_string(path).unwrap_or_default() == page, "docs/libc.md is stale: run `cargo xtask generate`");
}

/// What the libraries of `tests/libc/imports.txt` need of libc is in the table.
#[test]
fn the_table_has_what_libraries_import() {
    let known = table(&fs::read_to_string(table_path()).unwrap());
    let imports = table(&read("tests/libc/imports.txt"));
    let unknown: Vec<_> = imports.keys().filter(|symbol| !known.contains_key(*symbol)).collect();
    assert!(unknown.is_empty(), "not in the table: {unknown:?}");
    assert!(known.len() >= 300);
}
