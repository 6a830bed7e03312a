//! The committed wrappers of `tests/libraries` are what the tool writes today, and the contracts that ship fit its libraries.

use isolate_templates::contracts::{FILES, File};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

#[test]
fn committed_wrappers_are_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"))
        .args(["isolate", "wrap", "--check", "--policy", "tests/libraries/isolation.toml"])
        .current_dir(root)
        .output()
        .unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{stdout}{stderr}");
}

/// Every entry that ships is about a function that is there, and says what its signature allows.
#[test]
fn contracts_that_ship_fit() {
    let (bundled, seen): (Vec<&File>, Vec<&File>) = FILES.iter().partition(|file| file.name == BUNDLED);
    check_entries(&seen, plan);
    check_entries(&bundled, plan_of_bundled_bindings);
}

/// The one whose declarations its build script puts in place, so that the source does not show which.
const BUNDLED: &str = "libsqlite3-sys.toml";

fn check_entries(files: &[&File], plan: impl Fn(&str) -> serde_json::Value) {
    let (mut policy, mut shipped) = ("version = 1\n".to_owned(), BTreeSet::new());
    for (number, file) in files.iter().enumerate() {
        let table: toml::Table = file.text.parse().expect("TOML");
        let package = table["package"].as_str().expect("a name");
        let entries = |key: &str| table.get(key).and_then(|entries| entries.as_table()).cloned().unwrap_or_default();
        let mut globs = BTreeSet::new();
        for (name, entry) in entries("fn") {
            shipped.insert(name.clone());
            globs.extend(names_in(&entry));
            globs.insert(name);
        }
        let texts = |value: &toml::Value| value.as_str().map(str::to_owned);
        for words in entries("struct").values() {
            // Slices are about whatever function takes one.
            let create = words.get("create").and_then(|create| create.as_table()).into_iter().flatten();
            globs.extend(create.flat_map(|(fills, ends)| [Some(fills.clone()), texts(ends)]).flatten());
            let fields = words["field"].as_table().expect("a table").values();
            globs.extend(fields.filter_map(|field| field.get("fn")?.as_array()).flatten().filter_map(texts));
        }
        policy += &format!("[domain.d{number}]\nlibrary = \"{package}\"\n");
        // What a pattern names already adds nothing.
        let patterns: Vec<String> = globs.iter().filter_map(|glob| Some(glob.strip_suffix('*')?.to_owned())).collect();
        globs.retain(|glob| glob.ends_with('*') || !patterns.iter().any(|pattern| glob.starts_with(&**pattern)));
        policy += &format!("[[isolate]]\ndomain = \"d{number}\"\nextern = {:?}\n", Vec::from_iter(globs));
    }
    let plan = plan(&policy);
    let (mut used, mut others) = (BTreeSet::new(), Vec::new());
    for function in plan["domains"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|domain| domain["functions"].as_array().into_iter().flatten())
    {
        let name = function["name"].as_str().expect("a name").to_owned();
        match function["ships"]["contract"].as_str() {
            Some("used") => drop(used.insert(name)),
            Some(_) => others.push(format!("{name}: {}", function["ships"]["reason"])),
            None => {}
        }
    }
    assert_eq!((used, others), (shipped, Vec::new()));
}

/// The table of `docs/libraries.md` is what the policy of `tests/libraries`, the plan for it and the contracts that ship say.
/// `cargo xtask generate` writes it anew.
#[test]
fn table_of_policy_lines_is_fresh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect("a file of this repository");
    let policy = read("tests/libraries/isolation.toml");
    let plan = plan(&policy);
    let mut table =
        "| library | functions | lines of policy | lines if nothing shipped |\n|---|---|---|---|\n".to_owned();
    for domain in plan["domains"].as_array().expect("domains") {
        let (name, library) = (text(&domain["name"]), text(&domain["library"]["name"]));
        let functions: Vec<_> = domain["functions"].as_array().expect("functions").iter().collect();
        let names: BTreeSet<&str> = functions.iter().map(|function| text(&function["name"])).collect();
        let is_about = |heading: &str, lines: &[&str]| match heading.trim_matches(['[', ']']) {
            "isolate" => lines.contains(&&*format!("domain = \"{name}\"")),
            heading => heading == format!("domain.{name}") || names.contains(named(heading, "fn")),
        };
        let own = lines(&policy, is_about);
        let used = |function: &str| {
            let entry = functions.iter().find(|entry| entry["name"] == function);
            entry.is_some_and(|entry| entry["ships"]["contract"] == "used")
        };
        let has_objects = functions.iter().flat_map(|function| function["params"].as_array().into_iter().flatten());
        let has_objects = has_objects.clone().any(|param| param["decision"]["contract"]["kind"] == "object");
        let file = FILES.iter().find(|file| file.name == format!("{library}.toml"));
        let shipped = file.map_or(0, |file| {
            lines(file.text, |heading, _| match heading.trim_matches(['[', ']']) {
                heading if heading.starts_with("struct.") => has_objects,
                heading => used(named(heading, "fn")),
            })
        });
        let without = if file.is_some() { (own + shipped).to_string() } else { "nothing ships".to_owned() };
        table +=
            &format!("| `{library}` {} | {} | {own} | {without} |\n", text(&domain["library"]["version"]), names.len());
    }
    let mut page = read("docs/libraries.md");
    let (before, rest) = page.split_once("| library |").expect("a table");
    let after = rest.split_once("\n\n").map_or("", |(_, after)| after);
    let fresh = format!("{before}{table}\n{after}");
    if std::env::var_os("ISOLATE_UPDATE").is_some() {
        std::fs::write(root.join("docs/libraries.md"), &fresh).expect("a page");
        page.clone_from(&fresh);
    }
    assert_eq!(page, fresh, "run `cargo xtask generate`");
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().expect("a text")
}

/// `compress` of `fn.compress`; empty for what is no `fn`.
fn named<'h>(heading: &'h str, table: &str) -> &'h str {
    let name = heading.strip_prefix(table).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default();
    let name = name.split_once(".form.").map_or(name, |(name, _)| name);
    name.trim_matches('"')
}

/// Lines, without comments and empty ones, of the tables of a policy that are wanted: by heading and lines.
fn lines(text: &str, wanted: impl Fn(&str, &[&str]) -> bool) -> usize {
    let written = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let mut tables: Vec<Vec<&str>> = Vec::new();
    for line in written {
        match tables.last_mut() {
            Some(table) if !line.starts_with('[') => table.push(line),
            _ => tables.push(vec![line]),
        }
    }
    tables.iter().filter(|table| wanted(table[0], table)).map(Vec::len).sum()
}

/// Functions that a contract needs beside its own: what frees, tells lengths, and puts errors into words.
fn names_in(entry: &toml::Value) -> Vec<String> {
    match entry {
        toml::Value::Table(table) => {
            let freed = table.get("free").and_then(|free| free.as_str()).map(str::to_owned);
            freed.into_iter().chain(table.values().flat_map(names_in)).collect()
        }
        toml::Value::String(text) => {
            let name = text.split('(').next().unwrap_or_default();
            let is_call =
                text.len() > name.len() && !["", "min", "max", "sizeof"].contains(&name) && !name.contains(' ');
            is_call.then(|| name.to_owned()).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// What the tool plans for this repository under another policy.
fn plan(policy: &str) -> serde_json::Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("policy.toml");
    std::fs::write(&path, policy).expect("a file");
    let mut plan = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"));
    plan.args(["isolate", "plan", "--format", "json", "--policy"]).arg(&path);
    let output = plan.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).output().expect("the tool");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// What it plans for a package of that name and version whose declarations are those of the bundled SQLite.
fn plan_of_bundled_bindings(policy: &str) -> serde_json::Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let metadata =
        cargo_metadata::MetadataCommand::new().current_dir(root).exec().expect("the metadata of this workspace");
    let package = metadata.packages.iter().find(|package| *package.name == "libsqlite3-sys").expect("a dependency");
    let bindings = package.manifest_path.with_file_name("sqlite3").join("bindgen_bundled_version.rs");
    // Bindings that are made anew have this one, too.
    let close = "extern \"C\" { pub fn sqlite3_close_v2(arg1: *mut sqlite3) -> ::std::os::raw::c_int; }";
    let declarations = std::fs::read_to_string(bindings).expect("its bindings") + close;
    let version = package.version.to_string();
    let output = plan_over("libsqlite3-sys", &version, &declarations, policy, &["--format", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// What it plans for a program over a package of that name and version.
fn plan_over(library: &str, version: &str, declarations: &str, policy: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    let manifest = |name: &str, version: &str, rest: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n{rest}")
    };
    let rest = format!("[dependencies]\n{library} = {{ path = \"sys\" }}\n[workspace]\n");
    put("Cargo.toml", &manifest("app", "1.0.0", &rest));
    put("src/main.rs", "fn main() {}\n");
    put("sys/Cargo.toml", &manifest(library, version, ""));
    put("sys/src/lib.rs", declarations);
    put("policy.toml", policy);
    let mut plan = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"));
    plan.args(["isolate", "plan"]).args(arguments).current_dir(&folder).output().expect("the tool")
}

/// What was written for other versions is not believed of this one.
#[test]
fn contracts_for_other_versions_are_not_used() {
    const DECLARATIONS: &str = "use std::ffi::*;
extern \"C\" {
    pub fn compress(dest: *mut u8, destLen: *mut c_ulong, source: *const u8, sourceLen: c_ulong) -> c_int;
}
";
    const POLICY: &str =
        "version = 1\n[domain.zlib]\nlibrary = \"libz-sys\"\n[[isolate]]\ndomain = \"zlib\"\nextern = [\"compress\"]\n";
    let plan = |version: &str| {
        let output = plan_over("libz-sys", version, DECLARATIONS, POLICY, &[]);
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let fits = plan("1.1.31");
    assert!(fits.contains("contracts: those that ship for `libz-sys`") && fits.contains("ships"), "{fits}");
    let other = plan("2.0.0");
    assert!(other.contains("contracts: none: those that ship for `libz-sys` are for"), "{other}");
    assert!(other.contains("and this is 2.0.0") && other.contains("is `*destLen` its capacity on entry?"), "{other}");
}
