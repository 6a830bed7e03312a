//! Every rule over every fixture, and what holds the rules together: a file, a line in the registry, a page, a fixture.
//!
//! `tests/rules/<rule>.rs` holds what the rule must and must not report; `<rule>.json` holds facts where no source text can
//! trigger the rule. All rules run over all of them, so a false positive of one shows in the snapshot of another.

mod support;

use isolate_lints::cfg::{CompilerCfg, Config, Configs};
use isolate_lints::facts::FileFacts;
use isolate_lints::rules::{self, Finding, RULES};
use isolate_lints::{Edition, scan};
use std::fmt::Write;
use std::path::{Path, PathBuf};

const HEADINGS: [&str; 6] = [
    "## What it does",
    "## Why it matters",
    "## Example",
    "## What to do instead",
    "## Known limits",
    "## In the policy",
];

#[test]
fn every_rule_over_every_fixture() {
    for path in files("tests/rules") {
        let (text, facts) = read(&path);
        let mut out = String::new();
        for finding in check(&facts) {
            let line = text.lines().nth(finding.span.line as usize - 1).unwrap_or_default().trim();
            writeln!(out, "{}:{} {}: {}", finding.span.line, finding.span.column, finding.rule, finding.message)
                .unwrap();
            writeln!(out, "    | {line}").unwrap();
            for note in &finding.notes {
                writeln!(out, "    = {note}").unwrap();
            }
        }
        let name = stem(&path);
        insta::with_settings!({ omit_expression => true, snapshot_path => "snapshots/rules", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, out);
        });
    }
}

#[test]
fn every_rule_file_is_listed() {
    let listed: Vec<String> = RULES.iter().map(|rule| rule.name.replace('-', "_")).collect();
    let present: Vec<String> = files("src/rules").iter().map(|path| stem(path)).filter(|stem| stem != "mod").collect();
    assert_eq!(listed, present, "`rules!` in src/rules/mod.rs and the files beside it, in the order of their names");
}

#[test]
fn every_fixture_is_of_a_rule() {
    for fixture in files("tests/rules") {
        let name = stem(&fixture).replace('_', "-");
        let rule = rules::find(&name).unwrap_or_else(|| panic!("no rule for {}", fixture.display()));
        assert!(!rule.is_made_by_policy(), "{name} is found by no scan: its tests are in cargo-isolate/src/decide.rs");
    }
}

#[test]
fn every_page_has_its_sections() {
    for rule in RULES {
        let page = rules::explain(rule.name).unwrap();
        let found: Vec<&str> = page.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(found, HEADINGS, "headings of {}", rule.name);
        assert!(page.lines().all(|line| line.len() <= 120), "{} has lines that are too long", rule.name);
        let summary = rule.summary();
        assert!((10..=90).contains(&summary.len()) && summary.ends_with('.'), "{}: {summary}", rule.name);
    }
}

#[test]
fn every_rule_has_a_fixture_that_triggers_it() {
    let fixtures = files("tests/rules");
    for rule in RULES.iter().filter(|rule| !rule.is_made_by_policy()) {
        let stem = rule.name.replace('-', "_");
        let fixture = fixtures.iter().find(|path| self::stem(path) == stem);
        let fixture = fixture.unwrap_or_else(|| panic!("no tests/rules/{stem}.rs"));
        let (_, facts) = read(fixture);
        assert!(check(&facts).iter().any(|finding| finding.rule == rule.name), "{stem}.rs does not trigger its rule");
    }
}

/// The example of a page triggers its rule, and what to do instead does not.
#[test]
fn pages_tell_the_truth() {
    for rule in RULES.iter().filter(|rule| !rule.is_made_by_policy()) {
        let page = rules::explain(rule.name).unwrap();
        let (before, instead) = page.split_once("## What to do instead").unwrap();
        let (instead, _) = instead.split_once("## Known limits").unwrap();
        let example = before.split_once("## Example").unwrap().1;
        let triggers = |text: &str| check(&scan(text, Edition::E2021)).iter().any(|finding| finding.rule == rule.name);
        for code in code_blocks(example) {
            assert!(triggers(&code), "the example of {} does not trigger it:\n{code}", rule.name);
        }
        for code in code_blocks(instead) {
            assert!(!triggers(&code), "what to do instead of {} triggers it:\n{code}", rule.name);
        }
    }
}

fn check(facts: &FileFacts) -> Vec<Finding> {
    // Code for another system is none of this build; features are not known.
    let compiler = CompilerCfg::parse("unix\ntarget_os=\"linux\"\ntarget_arch=\"x86_64\"\n");
    let configs = Configs(vec![Config { compiler: Some(compiler.into()), ..Config::default() }]);
    support::findings(facts, &configs)
}

fn read(path: &Path) -> (String, FileFacts) {
    let text = std::fs::read_to_string(path).unwrap();
    let facts = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => serde_json::from_str(&text).unwrap(),
        _ => scan(&text, Edition::E2021),
    };
    (text, facts)
}

fn code_blocks(markdown: &str) -> Vec<String> {
    let parts: Vec<&str> = markdown.split("```").collect();
    parts.iter().skip(1).step_by(2).filter_map(|part| part.strip_prefix("rust\n")).map(str::to_owned).collect()
}

fn files(directory: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut paths: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}
