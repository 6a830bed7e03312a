//! The real binary on small workspaces, offline: what a user sees, and the exit status.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/tool").join(name).canonicalize().unwrap()
}

/// `cargo isolate ARGUMENTS` in a directory.
fn isolate(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"));
    command.arg("isolate").args(arguments).current_dir(directory);
    command.env("CARGO_NET_OFFLINE", "true").env("CARGO_TERM_COLOR", "never").env_remove("SOURCE_DATE_EPOCH");
    command.env_remove("COLUMNS");
    command
}

/// What it printed with its status, machine's paths left out.
fn run(directory: &Path, arguments: &[&str]) -> String {
    let output = isolate(directory, arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    let all = format!("status {}\n--- stdout\n{stdout}--- stderr\n{stderr}", output.status.code().unwrap());
    all.replace(directory.to_str().unwrap(), "[DIR]")
}

#[track_caller]
fn check(name: &str, workspace: &str, arguments: &[&str]) {
    insta::assert_snapshot!(name, run(&fixture(workspace), arguments));
}

/// The linker is the one that cargo's configuration chooses.
#[test]
fn doctor_looks_at_the_linker() {
    let folder = tempfile::tempdir().expect("a folder");
    let linker = |flags: &str| {
        let output = isolate(folder.path(), &["doctor"]).env("RUSTFLAGS", flags).output();
        let printed = String::from_utf8(output.expect("the tool").stdout).expect("UTF-8");
        assert!(printed.contains("  kernel  "), "{printed}");
        printed.lines().find(|line| line.contains("  linker  ")).expect("a line").to_owned()
    };
    assert!(linker("").starts_with("ok "), "{}", linker(""));
    assert!(linker("-Clinker-features=-lld").ends_with("  no LLD"), "{}", linker("-Clinker-features=-lld"));
}

#[test]
fn clean() {
    check("audit_clean", "clean", &[]);
    check("check_clean", "clean", &["check"]);
}

#[test]
fn violations() {
    check("audit_violations", "violations", &["audit"]);
    check("audit_violations_json", "violations", &["audit", "--format", "json"]);
    check("check_violations", "violations", &["check", "--today", "2027-01-31"]);
    check("check_expired", "violations", &["check", "--today", "2027-02-01", "--quiet"]);
    check("check_violations_json", "violations", &["check", "--today", "2027-01-31", "--format", "json"]);
}

/// `unseen_calls` and `foreign_calls` of the packages of an audit.
fn calls(audit: &serde_json::Value) -> Vec<(u64, u64)> {
    let packages = audit["packages"].as_array().unwrap().iter();
    let sum = |package: &serde_json::Value, kind: &str| {
        package["counts"].as_object().unwrap().values().map(|counts| counts[kind].as_u64().unwrap()).sum()
    };
    packages.map(|package| (sum(package, "unseen_calls"), sum(package, "foreign_calls"))).collect()
}

#[test]
fn bindings_that_a_build_script_writes() {
    check("audit_bindings", "bindings", &[]);
    check("audit_bindings_symbol", "bindings", &["audit", "--symbol", "counter_next"]);
    let json = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"))
            .arg("isolate")
            .args(arguments)
            .current_dir(fixture("bindings"))
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("bindings"))
            .output()
            .unwrap();
        calls(&serde_json::from_slice(&output.stdout).unwrap())
    };
    assert_eq!(json(&["--format", "json"]), [(2, 0), (0, 0)]);
    assert_eq!(json(&["--expand", "--format", "json"]), [(0, 2), (0, 0)]);
}

#[test]
fn mistakes_in_the_policy() {
    check("check_bad_policy", "bad-policy", &["check"]);
    check("check_no_policy", "modules", &["check"]);
}

#[test]
fn source_that_does_not_parse() {
    check("audit_broken", "broken", &[]);
    check("audit_broken_quiet", "broken", &["--quiet"]);
    check("check_broken", "broken", &["check"]);
}

#[test]
fn every_way_to_a_file() {
    let output = run(&fixture("modules"), &["audit", "--format", "json"]);
    let json = output.split("--- stdout\n").nth(1).unwrap().split("--- stderr").next().unwrap();
    let audit: serde_json::Value = serde_json::from_str(json).unwrap();
    let files: Vec<&str> =
        audit["packages"][0]["files"].as_array().unwrap().iter().filter_map(|f| f.as_str()).collect();
    insta::assert_snapshot!("modules_files", files.join("\n"));
    let modules: Vec<&str> =
        audit["diagnostics"].as_array().unwrap().iter().filter_map(|finding| finding["module"].as_str()).collect();
    insta::assert_snapshot!("modules_paths", modules.join("\n"));
    assert_eq!(audit["complete"], true, "{}", audit["problems"]);
}

#[test]
fn wrong_surroundings_and_words() {
    check("unresolvable", "unresolvable", &[]);
    check("unknown_command", "clean", &["adit"]);
    check("unknown_option", "clean", &["--formt", "json"]);
    check("unlike_any_option", "clean", &["--bogus"]);
    check("format_as_option", "clean", &["--html"]);
    check("no_threads", "clean", &["--jobs", "0"]);
    check("message_format", "clean", &["check", "--message-format", "json-diagnostic-rendered-ansi"]);
    check("unknown_package", "clean", &["-p", "claen"]);
    check("explain_unknown", "clean", &["explain", "static-mutt"]);
    check("explain_prefix", "clean", &["explain", "missing-safety"]);
    check("explain", "clean", &["explain"]);
    check("explain_code", "clean", &["explain", "unsafe-limit"]);
    for (typed, kind) in [("stackoverflow", "StackOverflow"), ("stack overflow", "StackOverflow"), ("aborted", "Abort")]
    {
        let page = run(&fixture("clean"), &["explain", typed]);
        assert!(page.starts_with(&format!("status 0\n--- stdout\n# {kind}\n")), "{page}");
    }
    check("explain_fault", "clean", &["explain", "StalHandle"]);
    check("explain_nothing", "clean", &["explain", "nonsense"]);
    check("diff_two_commits", "clean", &["diff", "HEAD~2", "HEAD"]);
    check("diff_one_report", "clean", &["diff", "../out/a.json"]);
}

/// Whoever must act is told by the status: docs/exit-status.md.
#[test]
fn statuses_of_errors() {
    let workspace = |files: &[(&str, &str)]| {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("src")).unwrap();
        let manifest = ("Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.0.0\"\nedition = \"2024\"\n");
        for (path, text) in files.iter().chain([&manifest]) {
            std::fs::write(directory.path().join(path), text).unwrap();
        }
        directory
    };
    let fine = workspace(&[("src/lib.rs", ""), ("policy.toml", "version = 1\n")]);
    let wrong =
        workspace(&[("src/lib.rs", "fn f() -> u8 { false }"), ("policy.toml", "version = 1\n[rules]\nx = 1\n")]);
    for (directory, arguments, status, said) in [
        (
            &fine,
            &["audit", "--target", "nonsense"][..],
            2,
            "error: the compiler does not say what it sets for `nonsense`",
        ),
        (&fine, &["demo", "--dir", "Cargo.toml"], 2, "error: Cargo.toml is no folder; name one"),
        (&fine, &["demo", "--dir", "src"], 2, "error: src is not empty; name a folder that is"),
        (&fine, &["demo", "--dir", "/proc/nowhere"], 3, "error: cannot create /proc/nowhere: No such file"),
        (&fine, &["init"], 2, "policy.toml` exists; --update adds what is new, --force overwrites it"),
        (&fine, &["explain", "nonsense"], 2, "error: no rule, code or kind of fault `nonsense`"),
        (&fine, &["audit", "--format", "json=/proc/nowhere"], 3, "error: cannot write `/proc/nowhere`: "),
        (&fine, &["audit", "--manifest-path", "src/Cargo.toml"], 3, "error: cargo could not resolve the workspace"),
        (&fine, &["check", "--baseline", "none.txt"], 2, "error: there is no baseline `none.txt`; `cargo isolate"),
        (&wrong, &["audit", "--expand"], 1, "error: `cargo check` failed"),
        (&wrong, &["check"], 2, "error: 1 mistake in the policy `policy.toml`"),
    ] {
        let printed = run(directory.path(), arguments);
        let is_so = printed.starts_with(&format!("status {status}\n")) && printed.contains(said);
        assert!(is_so, "{arguments:?}: {status}, {said}\n{printed}");
    }
}

#[test]
fn init_writes_a_policy_that_holds() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().canonicalize().unwrap();
    for file in ["Cargo.toml", "Cargo.lock", "build.rs", "src/lib.rs"] {
        std::fs::create_dir_all(directory.join("src")).unwrap();
        std::fs::copy(fixture("violations").join(file), directory.join(file)).unwrap();
    }
    insta::assert_snapshot!("init", run(&directory, &["init"]));
    insta::assert_snapshot!("init_policy", std::fs::read_to_string(directory.join("policy.toml")).unwrap());
    let checked = run(&directory, &["check", "--quiet"]);
    assert!(checked.starts_with("status 0\n"), "{checked}");
    insta::assert_snapshot!("init_again", run(&directory, &["init"]));
}

#[test]
fn colour_where_it_is_wanted() {
    let is_coloured = |variables: &[(&str, &str)], arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"))
            .arg("isolate")
            .args(arguments)
            .current_dir(fixture("violations"))
            .env_remove("NO_COLOR")
            .env_remove("CARGO_TERM_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env("CARGO_NET_OFFLINE", "true")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        output.stdout.contains(&0x1b)
    };
    assert!(!is_coloured(&[], &[]), "escape sequences in a pipe");
    assert!(is_coloured(&[("CARGO_TERM_COLOR", "always")], &[]));
    assert!(is_coloured(&[("NO_COLOR", "1")], &["--color", "always"]));
    assert!(is_coloured(&[("NO_COLOR", "1")], &["check", "--color=always"]));
    assert!(!is_coloured(&[("CARGO_TERM_COLOR", "always")], &["--color", "never"]));
    assert!(!is_coloured(&[("CARGO_TERM_COLOR", "always")], &["check", "--color", "auto"]));
    assert!(!is_coloured(&[("CARGO_TERM_COLOR", "always")], &["--format", "json"]), "colour in JSON");
}

/// A terminal gets a table that it has room for; a pipe, without `COLUMNS`, gets all of it, and so does a file.
#[test]
fn tables_fit_terminals() {
    let workspace = fixture("violations");
    let table = |columns: &str, arguments: &[&str]| {
        let output = isolate(&workspace, arguments).env("COLUMNS", columns).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let whole = run(&workspace, &["-q"]);
    let longest = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(longest(&whole) > 80 && !whole.contains("has the whole table"), "{whole}");
    for columns in ["60", "80"] {
        let narrow = table(columns, &["-q"]);
        assert!(longest(&narrow) <= columns.parse().unwrap() && narrow.contains("has the whole table"), "{narrow}");
    }
    for columns in ["200", "", "0", "many"] {
        assert!(whole.contains(&table(columns, &["-q"])), "{columns}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.txt");
    table("60", &["-q", "--format", &format!("text={}", file.display())]);
    assert!(whole.contains(&std::fs::read_to_string(file).unwrap()));
}

/// The program by its own name is the subcommand all the same.
#[test]
fn the_program_may_be_started_without_cargo() {
    let direct = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"));
        command.args(arguments).current_dir(fixture("clean")).env("CARGO_NET_OFFLINE", "true").env_remove("COLUMNS");
        let output = command.output().unwrap();
        (output.status.code(), output.stdout)
    };
    for arguments in [&[][..], &["audit", "-q"], &["check"], &["-q"], &["--version"], &["--help"]] {
        assert_eq!(direct(arguments), direct(&[&["isolate"], arguments].concat()), "{arguments:?}");
    }
    assert_eq!(direct(&["adit"]).0, Some(2));
}

#[test]
fn the_policy_says_how_much_of_dependencies_shows() {
    let audit = |dependencies: &str| {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().canonicalize().unwrap();
        std::fs::create_dir_all(directory.join("a")).unwrap();
        for (path, text) in [
            (
                "Cargo.toml",
                "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nb = { path = \"../b\" }\n[workspace]\n",
            ),
            ("src/lib.rs", "//! Nothing.\n"),
            ("../b/Cargo.toml", "[package]\nname = \"b\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n"),
            ("../b/src/lib.rs", "pub unsafe fn f() {}\n"),
            ("policy.toml", &format!("version = 1\n[audit]\ndependencies = \"{dependencies}\"\n")),
        ] {
            let path = directory.join("a").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let output = run(&directory.join("a"), &[]);
        (output.contains("unsafe function `f`"), output.contains("b 0.1.0"))
    };
    assert_eq!(audit("none"), (false, false));
    assert_eq!(audit("summary"), (false, true));
    assert_eq!(audit("full"), (true, true));
}

/// `-` is no file, and goes where nothing would have gone.
#[test]
fn a_dash_is_standard_output() {
    let violations = fixture("violations");
    assert_eq!(run(&violations, &["--format", "json=-"]), run(&violations, &["--format", "json"]));
    assert!(!violations.join("-").exists());
}

/// Readers who have seen enough, of results and of errors, change nothing about the verdict.
#[test]
fn the_verdict_outlives_its_reader() {
    let check = |directory: &Path, arguments: &[&str], expected: i32| {
        let closed = || {
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            writer
        };
        let status = isolate(directory, arguments).stdout(closed()).stderr(closed()).status().unwrap();
        assert_eq!(status.code(), Some(expected), "{arguments:?}");
    };
    check(&fixture("violations"), &["check", "--today", "2027-01-31"], 1);
    check(&fixture("broken"), &["audit"], 4);
    check(&fixture("broken"), &["badge"], 4);
    check(&fixture("broken"), &["vet"], 4);
    check(&fixture("clean"), &["explain", "no-such-rule"], 2);
    check(&fixture("bad-policy"), &["check"], 2);

    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    let isolating = |function: &str| {
        let domain = "version = 1\n[domain.c]\nlibrary = \"app\"\narchives = [\"libc.a\"]\n";
        format!("{domain}[[isolate]]\ndomain = \"c\"\nextern = [\"{function}\"]\n")
    };
    write("Cargo.toml", "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[workspace]\n");
    std::fs::create_dir(directory.path().join("src")).unwrap();
    write("src/lib.rs", "unsafe extern \"C\" { pub fn f(n: i32) -> i32; pub fn g(p: *mut u8); }\n");
    write("policy.toml", &isolating("f"));
    write("refused.toml", &isolating("g"));
    check(directory.path(), &["plan", "--policy", "refused.toml"], 1);
    check(directory.path(), &["wrap", "--policy", "refused.toml"], 1);
    check(directory.path(), &["wrap", "--check"], 1);
    check(directory.path(), &["verify", "--no-run"], 1);
    let audit = isolate(&fixture("broken"), &["audit", "--format", "json"]).output().unwrap();
    write("audit.json", str::from_utf8(&audit.stdout).unwrap());
    check(directory.path(), &["diff", "audit.json", "audit.json"], 4);
}

/// A package of one library, with a policy.
fn package(library: &str, policy: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    write("Cargo.toml", "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[workspace]\n");
    std::fs::create_dir(directory.path().join("src")).unwrap();
    write("src/lib.rs", library);
    write("policy.toml", policy);
    directory
}

#[test]
fn many_findings_are_summed_up_by_rule() {
    let library = "pub fn f(p: *const u8) { unsafe { *p }; }\n".repeat(12) + "pub static mut S: u8 = 0;\n";
    let directory = package(&library, "version = 1\nrules.static-mut = \"deny\"\n");
    let printed = run(directory.path(), &["check"]);
    let (_, sums) = printed.split_once("violations  warnings\n").unwrap_or_else(|| panic!("{printed}"));
    let words: Vec<Vec<&str>> = sums.lines().take(2).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words, [["static-mut", "1", "-"], ["missing-safety-comment", "-", "12"]], "{printed}");
}

/// Plain `wrap` writes files, and changes nothing else: until a `mod` leads to them they are no part of the build.
#[test]
fn wrappers_that_nothing_leads_to_are_not_live() {
    let domain = "version = 1\n[domain.c]\nlibrary = \"app\"\narchives = [\"libc.a\"]\n";
    let policy = format!("{domain}[[isolate]]\ndomain = \"c\"\nextern = [\"f\"]\n");
    let directory = package("unsafe extern \"C\" { pub fn f(n: i32) -> i32; }\n", &policy);
    let written = run(directory.path(), &["wrap"]);
    assert!(written.contains("nothing uses these files yet: `cargo isolate wrap --apply`"), "{written}");
    let unreached = |printed: &str| {
        let row = printed.lines().find(|line| line.starts_with("  unreached files"))?;
        Some(row.split_whitespace().skip(2).map(str::to_owned).collect::<Vec<_>>())
    };
    let cells = unreached(&run(directory.path(), &["audit", "--quiet"])).unwrap();
    let (dormant, live) = cells.split_last().unwrap();
    assert!(live.iter().all(|cell| cell == "-") && dormant.parse::<usize>().unwrap() > 0, "{cells:?}");
    let library = directory.path().join("src/lib.rs");
    let text = std::fs::read_to_string(&library).unwrap();
    std::fs::write(&library, format!("{text}mod isolated;\n")).unwrap();
    assert!(!run(directory.path(), &["wrap"]).contains("nothing uses these files"));
    let audit = run(directory.path(), &["audit", "--quiet"]);
    assert!(unreached(&audit).is_none() && audit.contains("\ngenerated wrappers: "), "{audit}");
}

/// Every format tells generated wrappers apart in the same numbers, and counts none of them.
#[test]
fn generated_wrappers_are_told_apart() {
    let domain = "version = 1\n[domain.c]\nlibrary = \"app\"\narchives = [\"libc.a\"]\n";
    let policy = format!("{domain}[[isolate]]\ndomain = \"c\"\nextern = [\"f\"]\n");
    let directory = package("unsafe extern \"C\" { pub fn f(n: i32) -> i32; }\n", &policy);
    let directory = directory.path();
    let before = run(directory, &["audit", "--format", "json=before.json"]);
    assert!(!before.contains("generated"), "{before}");
    run(directory, &["wrap"]);
    let library = directory.join("src/lib.rs");
    std::fs::write(&library, std::fs::read_to_string(&library).unwrap() + "mod isolated;\n").unwrap();

    let read = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
    run(directory, &["audit", "--format", "json=after.json", "--format", "sarif=after.sarif"]);
    let [before, after, sarif] = ["before.json", "after.json", "after.sarif"]
        .map(|name| serde_json::from_str::<serde_json::Value>(&read(name)).unwrap());
    for same in ["diagnostics", "totals"] {
        assert_eq!(before[same], after[same]);
    }
    assert_eq!(before["packages"][0]["counts"], after["packages"][0]["counts"]);
    let generated = &after["packages"][0]["generated"];
    let (blocks, calls) = (generated["blocks"].as_u64().unwrap(), generated["foreign_calls"].as_u64().unwrap());
    assert!(blocks > 1 && calls > 1, "{generated}");
    let sums = &sarif["runs"][0]["properties"]["generatedWrappers"];
    assert_eq!(sums["foreign_calls"], calls);
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), 1);

    let said =
        format!("generated wrappers: {} unsafe constructs and {calls} foreign calls, not counted", sums["unsafe"]);
    for command in [
        &["audit", "--quiet"][..],
        &["audit", "--format", "markdown"],
        &["audit", "--format", "github"],
        &["audit", "--format", "html"],
        &["check", "--format", "markdown"],
        &["badge", "--format", "line"],
    ] {
        let printed = run(directory, command);
        assert!(printed.contains(&said), "{command:?}: {printed}");
        assert!(!printed.contains("src/isolated/c.rs:"), "{command:?}: {printed}");
    }
    let diff = run(directory, &["diff", "before.json", "after.json"]);
    assert!(
        diff.contains(&format!("generated wrappers: unsafe 0 → {}, foreign calls 0 → {calls}", sums["unsafe"])),
        "{diff}"
    );
}

/// `-p app`: what it is made of, members or not, is there as dependencies; what it does not need is not there at all.
#[test]
fn members_that_were_not_chosen() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().canonicalize().unwrap();
    let manifest = |name: &str, rest: &str| format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n{rest}");
    let put = |path: &str, text: &str| {
        let path = directory.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"core\", \"helper\", \"other\"]\n");
    put("app/Cargo.toml", &manifest("app", "[dependencies]\ncore-of-it = { path = \"../core\" }\n"));
    put("core/Cargo.toml", &manifest("core-of-it", "[dev-dependencies]\nhelper = { path = \"../helper\" }\n"));
    put("helper/Cargo.toml", &manifest("helper", ""));
    put("other/Cargo.toml", &manifest("other", ""));
    for package in ["app", "core", "helper", "other"] {
        put(&format!("{package}/src/lib.rs"), "pub unsafe fn f() {}\n");
    }
    let calling = "unsafe extern \"C\" { pub fn c_f(); }\npub unsafe fn f() { unsafe { c_f() } }\n";
    put("core/src/lib.rs", calling);
    put("other/src/lib.rs", calling);
    put("core/tests/it.rs", "unsafe fn test() { unsafe { core_of_it::c_f() } }\n");
    insta::assert_snapshot!("members_not_chosen", run(&directory, &["-p", "app", "-q"]));
    assert!(!run(&directory, &["-p", "app"]).contains("core/src/lib.rs"), "findings of a dependency");
    assert!(run(&directory, &["-p", "app", "--deps"]).contains("core/src/lib.rs"));
    assert!(!run(&directory, &["-p", "app", "--deps"]).contains("core/tests/it.rs"));
    // `--symbol` goes by the same packages.
    let calls = |chosen: &[&str]| {
        let said = run(&directory, &[chosen, &["--symbol", "c_f"]].concat());
        ["core/src/lib.rs", "core/tests/it.rs", "other/src/lib.rs"].map(|path| said.contains(path))
    };
    assert_eq!(calls(&[]), [true, true, true]);
    assert_eq!(calls(&["-p", "app"]), [true, false, false]);
    assert_eq!(calls(&["-p", "core-of-it"]), [true, true, false]);
    let nothing = run(&directory, &["-p", "helper", "--symbol", "c_f"]);
    assert!(nothing.contains("no package of those chosen, or that they need, declares"), "{nothing}");
    // Of what is only needed, mistakes of one kind are one.
    put("core/src/lib.rs", "fn a( {}\nfn b() {}\nfn c( {}\nmod gone;\n");
    let broken = |arguments: &[&str]| run(&directory, arguments).matches("does not parse").count();
    assert!(broken(&["-p", "app", "--deps"]) > 1 && broken(&[]) > 1);
    for command in [&["-p", "app"][..], &["-p", "app", "-q"]] {
        let said = run(&directory, command);
        assert!(said.contains("more like it; `cargo isolate audit --deps` shows each"), "{said}");
        assert_eq!((said.matches("does not parse").count(), said.matches("no file for this module").count()), (1, 1));
    }
}
