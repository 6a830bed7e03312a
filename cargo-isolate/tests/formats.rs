//! One run, every format: they agree with each other, and with what is published about them.

mod needs;

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/tool").join(name).canonicalize().unwrap()
}

fn run(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cargo-isolate"))
        .arg("isolate")
        .args(arguments)
        .current_dir(directory)
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_TERM_COLOR", "never")
        .env_remove("GITHUB_WORKSPACE")
        .output()
        .unwrap()
}

/// The reports of one run, each in its format.
struct Reports {
    text: String,
    json: Value,
    sarif: Value,
    github: String,
    markdown: String,
    /// What the page's script reads.
    html: Value,
}

fn reports(workspace: &str, arguments: &[&str]) -> Reports {
    let out = tempfile::tempdir().unwrap();
    let formats = ["text", "json", "sarif", "github", "markdown", "html"];
    let file = |format: &str| out.path().join(format);
    let options: Vec<String> =
        formats.iter().map(|format| format!("--format={format}={}", file(format).display())).collect();
    let arguments: Vec<&str> = arguments.iter().copied().chain(options.iter().map(String::as_str)).collect();
    let output = run(&fixture(workspace), &arguments);
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |format| std::fs::read_to_string(file(format)).unwrap();
    Reports {
        text: read("text"),
        json: serde_json::from_str(&read("json")).unwrap(),
        sarif: serde_json::from_str(&read("sarif")).unwrap(),
        github: read("github"),
        markdown: read("markdown"),
        html: page_data(&read("html")),
    }
}

/// The parts of a page's data by name.
fn page_data(page: &str) -> Value {
    let parts = page.split("<script type=\"application/json\" id=\"data-").skip(1).map(|part| {
        let (name, rest) = part.split_once("\">").unwrap();
        (name.to_owned(), serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap())
    });
    Value::Object(parts.collect())
}

/// A number of a finding's row in a page, which may be cut off as zero.
fn field(finding: &Value, index: usize) -> usize {
    finding.get(index).map_or(0, |field| field.as_u64().unwrap() as usize)
}

/// Level → how many.
type Counts = BTreeMap<String, usize>;

fn count<'a>(levels: impl Iterator<Item = &'a str>) -> Counts {
    let mut counts = Counts::new();
    for level in levels {
        *counts.entry(level.to_owned()).or_default() += 1;
    }
    counts
}

fn list<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    value.pointer(pointer).and_then(Value::as_array).unwrap_or_else(|| panic!("no array at {pointer}")).iter()
}

#[track_caller]
fn check_agreement(workspace: &str, arguments: &[&str]) {
    let reports = reports(workspace, arguments);
    let json = count(list(&reports.json, "/diagnostics").map(|diagnostic| diagnostic["level"].as_str().unwrap()));
    assert!(!json.is_empty());
    let totals = [("error", "errors"), ("warning", "warnings"), ("note", "notes")];
    let totals = totals.iter().map(|(level, field)| (level.to_string(), &reports.json["totals"][field]));
    let totals: Counts = totals.map(|(level, count)| (level, count.as_u64().unwrap() as usize)).collect();
    assert_eq!(json, totals.into_iter().filter(|(_, count)| *count > 0).collect(), "totals");

    let sarif = count(list(&reports.sarif, "/runs/0/results").map(|result| result["level"].as_str().unwrap()));
    assert_eq!(json, sarif, "sarif");
    let prints = |value: &Value, list_at: &str, at: &str| -> Vec<Value> {
        list(value, list_at).map(|item| item.pointer(at).unwrap().clone()).collect()
    };
    assert_eq!(
        prints(&reports.json, "/diagnostics", "/fingerprint"),
        prints(&reports.sarif, "/runs/0/results", "/partialFingerprints/cargoIsolate~1v1"),
    );

    let problems = list(&reports.json, "/problems").count();
    assert_eq!(list(&reports.sarif, "/runs/0/invocations/0/toolExecutionNotifications").count(), problems);
    assert_eq!(reports.sarif.pointer("/runs/0/invocations/0/executionSuccessful"), Some(&reports.json["complete"]));

    // Annotations and the lines beyond them; problems are among both, but for those that the rule `parse-error` reports.
    let said = list(&reports.json, "/diagnostics").filter(|diagnostic| diagnostic["code"] == "parse-error").count();
    let commands =
        reports.github.lines().filter(|line| !line.starts_with("::group") && !line.starts_with("::endgroup"));
    assert_eq!(commands.count(), json.values().sum::<usize>() + problems - said, "github\n{}", reports.github);

    let rows = reports.markdown.lines().filter(|line| line.starts_with("| `") && line.contains(" | `")).count();
    assert_eq!(rows, json.values().sum::<usize>(), "markdown\n{}", reports.markdown);

    let html = count(list(&reports.html, "/findings").map(|finding| ["error", "warning", "note"][field(finding, 1)]));
    assert_eq!(json, html, "html");
    assert_eq!(list(&reports.html, "/report/problems").count(), problems);
    assert_eq!(list(&reports.html, "/report/packages").count(), list(&reports.json, "/packages").count());
    assert_eq!(list(&reports.html, "/symbols").count(), list(&reports.json, "/symbols").count());
    let text = |finding| reports.html["texts"]["strings"][field(finding, 13)].clone();
    let shown: Vec<Value> = list(&reports.html, "/findings").map(text).collect();
    assert_eq!(prints(&reports.json, "/diagnostics", "/fingerprint"), shown, "every finding is a member's");

    // Text has foreign calls in unsafe blocks as labels of those; each is drawn once all the same.
    let calls = list(&reports.json, "/diagnostics").filter(|one| one["detail"]["type"] == "foreign-call").count();
    let drawn = |word: &str| reports.text.lines().filter(|line| line.starts_with(word)).count();
    let labels = reports.text.matches("calls foreign `").count() + reports.text.matches("mentions foreign `").count();
    assert_eq!(labels, calls, "{}", reports.text);
    for word in ["error", "warning"] {
        let of_problems = if word == "error" { reports.text.matches("is incomplete\n").count() } else { 0 };
        assert_eq!(drawn(word), json.get(word).copied().unwrap_or(0) + of_problems, "{word}\n{}", reports.text);
    }
}

#[test]
fn formats_agree() {
    check_agreement("violations", &["audit"]);
    check_agreement("violations", &["check", "--today", "2027-01-31"]);
    check_agreement("violations", &["check", "--today", "2027-01-31", "--quiet"]);
    check_agreement("broken", &["audit"]);
    check_agreement("broken", &["check"]);
    check_agreement("modules", &["audit"]);
}

/// A member with code of each standing, and one above its maximum by all of it that is its own.
fn member_of_every_standing() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("Cargo.toml", "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[workspace]\n");
    write("policy.toml", "version = 1\ncrates.app.unsafe = { max = 0 }\n");
    write("build.rs", "fn main() { unsafe {} }\n");
    write(
        "src/lib.rs",
        "unsafe extern \"C\" { fn labs(number: i64) -> i64; }
macro_rules! call { () => { unsafe { labs(1) } }; }
pub fn live() { call!(); call!(); unsafe { labs(2) }; }
#[cfg(windows)] fn dormant() { unsafe {} unsafe {} }
#[cfg(test)] mod tests { unsafe extern \"C\" { fn abs(number: i32) -> i32; } fn f() { unsafe {} } }
#[cfg(all(test, windows))] mod both { unsafe fn f() {} }
",
    );
    write("src/forgotten.rs", "unsafe fn f() {}\n");
    write("tests/it.rs", "fn live() { unsafe {} }\n#[cfg(windows)] fn dormant() { unsafe {} }\n");
    directory
}

/// Unsafe constructs, whoever says how many: live and dormant ones, role by role and in all.
#[test]
fn everybody_counts_the_same_constructs() {
    let workspace = member_of_every_standing();
    let print = |arguments: &[&str]| {
        let output = run(workspace.path(), arguments);
        String::from_utf8(output.stdout).unwrap()
    };
    const KINDS: [&str; 11] = [
        "blocks",
        "functions",
        "impls",
        "traits",
        "extern_blocks",
        "attributes",
        "static_muts",
        "unions",
        "global_asm",
        "types",
        "macro_tokens",
    ];
    let sums = |report: &Value, of: &str| -> BTreeMap<String, u64> {
        let roles = report["packages"][0][of].as_object().unwrap().iter();
        let sum = |counts: &Value| KINDS.iter().map(|kind| counts[kind].as_u64().unwrap()).sum();
        roles.map(|(role, counts)| (role.clone(), sum(counts))).filter(|(_, sum)| *sum > 0).collect()
    };
    let [audit, counts] = [&["audit"][..], &["audit", "--counts"]]
        .map(|arguments| serde_json::from_str::<Value>(&print(&[arguments, &["--format", "json"]].concat())).unwrap());
    let map =
        |pairs: &[(&str, u64)]| pairs.iter().map(|(role, sum)| (role.to_string(), *sum)).collect::<BTreeMap<_, _>>();
    let (live, dormant) = (sums(&audit, "counts"), sums(&audit, "dormant"));
    assert_eq!(live, map(&[("main", 3), ("build-script", 1), ("test", 3)]));
    assert_eq!(dormant, map(&[("main", 3), ("test", 1), ("unreached", 1)]));
    assert_eq!((&live, &dormant), (&sums(&counts, "counts"), &sums(&counts, "dormant")), "--counts");

    let of_live: Value = serde_json::from_str(&print(&["audit", "--live", "--format", "json"])).unwrap();
    let (all, some) = (list(&audit, "/diagnostics"), list(&of_live, "/diagnostics").collect::<Vec<_>>());
    assert_eq!(all.filter(|finding| finding["dormant"].is_null()).collect::<Vec<_>>(), some, "--live");
    assert!(some.len() < list(&audit, "/diagnostics").count() && sums(&of_live, "dormant") == dormant, "--live");

    let last = |text: &str| {
        let row = text.lines().find(|line| line.starts_with("total")).unwrap_or_else(|| panic!("{text}"));
        let cells: Vec<&str> = row.split_whitespace().collect();
        (cells[1].to_owned(), cells[cells.len() - 1].to_owned())
    };
    let expected = ("7".to_owned(), "5".to_owned());
    assert_eq!(last(&print(&["audit"])), expected, "text");
    assert_eq!(last(&print(&["audit", "--counts"])), expected, "text of --counts");
    let markdown = print(&["audit", "--format", "markdown"]);
    let row: Vec<&str> = markdown.lines().find(|line| line.starts_with("| `app")).unwrap().split('|').collect();
    assert_eq!((row[2].trim(), row[row.len() - 2].trim()), ("7", "5"), "markdown");
    let html = page_data(&print(&["audit", "--format", "html"]));
    let first =
        |counts: &Value| -> u64 { counts.as_object().unwrap().values().map(|cells| cells[0].as_u64().unwrap()).sum() };
    assert_eq!(
        (first(&html["report"]["packages"][0]["counts"]), html["report"]["packages"][0]["dormant"].as_u64()),
        (7, Some(5)),
        "html"
    );
    assert_eq!(print(&["badge", "--format", "line"]).split_once(" and ").unwrap().0, "7 unsafe constructs", "badge");
    // Of the twelve, what nothing leads to is not held against a package.
    assert!(print(&["check"]).contains("11 unsafe constructs of `app@1.0.0`, 0 allowed"), "{}", print(&["check"]));
}

/// The map of symbols and the answer of `--symbol` count the same calls, of all code and of what is dormant.
#[test]
fn symbols_are_counted_alike() {
    let workspace = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| std::fs::write(workspace.path().join(path), text).unwrap();
    std::fs::create_dir(workspace.path().join("src")).unwrap();
    write("Cargo.toml", "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[workspace]\n");
    write(
        "src/lib.rs",
        "unsafe extern \"C\" { pub fn one(); pub fn two(); }\n#[cfg(windows)]\nunsafe extern \"C\" { pub fn three(); }\n\
         pub fn f() { unsafe { one(); one(); two() } }\n\
         #[cfg(windows)]\npub fn g() { unsafe { one(); three() } let _ = two as unsafe extern \"C\" fn(); }\n\
         pub fn h() { #[cfg(windows)] unsafe { one() } let _ = one as unsafe extern \"C\" fn(); }\n",
    );
    let json = |arguments: &[&str]| -> Value {
        let output = run(workspace.path(), &[&["audit", "--format", "json"], arguments].concat());
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let number = |value: &Value| value.as_u64().unwrap() as usize;
    let report = json(&[]);
    let mut uses = Vec::new();
    for symbol in list(&report, "/symbols") {
        let sum = |field: &str| list(symbol, "/callers").map(|caller| number(&caller[field])).sum::<usize>();
        let said = (sum("calls"), sum("mentions"), sum("dormant"));
        let answer = json(&["--symbol", symbol["name"].as_str().unwrap()]);
        let callers = || list(&answer, "/symbols/0/callers");
        let count = |field: &str| callers().map(|caller| caller[field].as_array().unwrap().len()).sum::<usize>();
        let places = callers().flat_map(|caller| list(caller, "/calls").chain(list(caller, "/mentions")));
        let dormant = places.filter(|place| !place["dormant"].is_null()).count();
        assert_eq!((count("calls"), count("mentions"), dormant), said, "{}", symbol["name"]);
        uses.push(said);
    }
    // By name: `one`, `three`, `two`.
    assert_eq!(uses, [(4, 1, 2), (1, 0, 1), (1, 1, 1)]);
}

/// The same input, the same bytes, whatever is kept from the first run.
#[test]
fn reports_are_reproducible() {
    for format in ["text", "json", "sarif", "github", "markdown", "html"] {
        let print = || run(&fixture("violations"), &["audit", "--deps", "--format", format]).stdout;
        let first = print();
        assert!(!first.is_empty() && first == print(), "{format}");
    }
}

/// The JSON schema that OASIS published, out of a package that ships it.
fn schema() -> Option<Value> {
    let schemas = needs::crates("schemas")?;
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version=1", "--locked", "--offline"]);
    let metadata = cargo.current_dir(&schemas).output().unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let package = list(&metadata, "/packages").find(|package| package["name"] == "serde-sarif").unwrap();
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    let text = std::fs::read_to_string(manifest.with_file_name("src").join("schema.json")).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

#[test]
fn sarif_is_valid() {
    let Some(mut schema) = schema() else { return };
    // Its pattern for languages has a bracket too many, and is no regular expression. Our logs name no language.
    for of in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{of}/properties/language")).unwrap();
        language.as_object_mut().unwrap().remove("pattern").unwrap();
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (workspace, arguments) in
        [("violations", &["audit"][..]), ("violations", &["check"]), ("broken", &["audit"]), ("broken", &["check"])]
    {
        let sarif = reports(workspace, arguments).sarif;
        let errors: Vec<String> =
            validator.iter_errors(&sarif).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{workspace} {arguments:?}\n{}", errors.join("\n"));
    }
    let mut broken = reports("violations", &["audit"]).sarif;
    broken["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!validator.is_valid(&broken), "the schema refuses nothing");
}

/// What the schema does not say and the standard does (§3.52.3, §3.58.7): indices lead to what they name.
#[test]
fn sarif_indices_fit() {
    let sarif = reports("broken", &["check"]).sarif;
    let run = &sarif["runs"][0];
    for result in list(run, "/results") {
        let index = result["ruleIndex"].as_u64().unwrap();
        assert_eq!(run["tool"]["driver"]["rules"][index as usize]["id"], result["ruleId"]);
    }
    for notification in list(run, "/invocations/0/toolExecutionNotifications") {
        let index = notification["descriptor"]["index"].as_u64().unwrap();
        assert_eq!(run["tool"]["driver"]["notifications"][index as usize]["id"], notification["descriptor"]["id"]);
    }
}

#[test]
fn fingerprints_survive_moved_lines() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(directory.path().join("src")).unwrap();
    for file in ["Cargo.toml", "Cargo.lock", "policy.toml", "build.rs", "src/lib.rs"] {
        std::fs::copy(fixture("violations").join(file), directory.path().join(file)).unwrap();
    }
    let fingerprints = |command: &str| -> Vec<Value> {
        let output = run(directory.path(), &[command, "--format", "json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        list(&report, "/diagnostics").map(|diagnostic| diagnostic["fingerprint"].clone()).collect()
    };
    let before = ["audit", "check"].map(fingerprints);
    let path = directory.path().join("src/lib.rs");
    let text = std::fs::read_to_string(&path).unwrap();
    // After the inner documentation, above everything else.
    let (head, rest) = text.split_at(text.find("\n\n").unwrap());
    std::fs::write(&path, format!("{head}\n{}{rest}", "// A line.\n".repeat(100))).unwrap();
    assert_eq!(before, ["audit", "check"].map(fingerprints));
    assert!(before.iter().all(|prints| prints.len() > 5));
}

#[test]
fn published_shapes() {
    let root = fixture("violations");
    let shown = |format: &str| {
        let output = run(&root, &["check", "--today", "2027-01-31", "--format", format]);
        String::from_utf8(output.stdout).unwrap().replace(root.to_str().unwrap(), "[DIR]")
    };
    insta::assert_snapshot!("github", shown("github"));
    insta::assert_snapshot!("markdown", shown("markdown"));
    // Rules' pages have a test of their own.
    let mut sarif: Value = serde_json::from_str(&shown("sarif")).unwrap();
    for rule in sarif["runs"][0]["tool"]["driver"]["rules"].as_array_mut().unwrap() {
        rule["help"] = "[PAGE]".into();
    }
    insta::assert_json_snapshot!("sarif", sarif);
}

/// `docs/json.md` names every key of what commands print.
#[test]
fn keys_of_json_are_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let of_page = std::fs::read_to_string(root.join("docs/json.md")).unwrap();
    let code = of_page.split('`').skip(1).step_by(2);
    let words = code.flat_map(|code| code.split(|c: char| !c.is_ascii_alphanumeric() && !"_-".contains(c)));
    let known: BTreeSet<&str> = words.collect();
    let violations = fixture("violations");
    let report = tempfile::NamedTempFile::new().unwrap();
    let report = report.path().to_str().unwrap();
    run(&violations, &["audit", &format!("--format=json={report}")]);
    for (directory, arguments) in [
        (&violations, &["audit", "--deps"][..]),
        (&violations, &["audit", "--symbol", "*"]),
        (&violations, &["check"]),
        (&violations, &["diff", report, report]),
        (&root, &["plan", "--policy", "tests/libraries/isolation.toml"]),
    ] {
        let output = run(directory, &[arguments, &["--format", "json"]].concat());
        let mut keys = BTreeSet::new();
        collect_keys(&serde_json::from_slice(&output.stdout).unwrap(), &mut keys);
        assert!(keys.len() > 5, "{keys:?}");
        keys.retain(|key| !known.contains(&**key));
        assert_eq!(keys, BTreeSet::new(), "not in docs/json.md, of {arguments:?}");
    }
}

fn collect_keys(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            keys.insert(key.clone());
            collect_keys(value, keys);
        }),
        Value::Array(values) => values.iter().for_each(|value| collect_keys(value, keys)),
        _ => {}
    }
}

#[test]
fn wrong_formats() {
    let message = |formats: &[&str]| {
        let output = run(&fixture("clean"), &[&["audit"], formats].concat());
        format!("status {}\n{}", output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    insta::assert_snapshot!("unknown_format", message(&["--format", "sarf"]));
    insta::assert_snapshot!("format_without_file", message(&["--format", "json="]));
    insta::assert_snapshot!("two_for_stdout", message(&["--format", "text", "--format", "json"]));
    insta::assert_snapshot!("two_for_one_file", message(&["--format", "text=a", "--format", "json=./a"]));
    insta::assert_snapshot!("no_directory", message(&["--format", "json=no/such/directory/a.json"]));
}

/// Annotations name files from the checkout's root, where the workspace may lie below.
#[test]
fn github_paths_start_at_the_checkout() {
    let workspace = fixture("violations");
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"))
        .args(["isolate", "audit", "--format", "github"])
        .current_dir(&workspace)
        .env("CARGO_NET_OFFLINE", "true")
        .env("GITHUB_WORKSPACE", workspace.parent().unwrap())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("::notice file=violations/src/lib.rs,line="), "{text}");
}
