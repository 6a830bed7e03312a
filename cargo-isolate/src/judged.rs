//! How often heuristic rules are right: findings in the packages of `tests/corpus`, drawn at random and judged by hand.
//!
//! `tests/judged/RULE.toml` holds the judgements, `tests/judged/ffi/RULE.toml` those over packages around C libraries, where the
//! rules about C find more; its lock file names them. A rule whose findings are right less often than 18 times of 20 is
//! `allow`. To draw anew, for whoever changed a rule (it writes `target/judged/RULE.txt` to judge from, and `.toml` to fill in):
//!
//! ```text
//! ISOLATE_DRAW=RULE,RULE ISOLATE_SEED=2 cargo test -p cargo-isolate --bins draw -- --ignored
//! ISOLATE_CORPUS=judged/ffi ISOLATE_DRAW=… as above
//! ```

use crate::{
    decide::{self, Found},
    graph::Graph,
    names::Names,
    policy::model::Policy,
    sources::{self, Request},
};
use isolate_lints::rules::{self, Basis, RULES, Severity};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

#[path = "../tests/needs/mod.rs"]
pub(crate) mod needs;

/// How many findings are drawn of a rule, and how many of them have to be right.
const DRAWN: usize = 20;
const RIGHT: usize = 18;
/// Fewer say nothing about a rule.
const FEWEST: usize = 5;

/// `tests/judged/RULE.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    /// What the draw started from.
    seed: u64,
    /// How many findings there were to draw from.
    found: usize,
    #[serde(default)]
    finding: Vec<Judged>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Judged {
    /// `package@version path:line`.
    place: String,
    /// The source line.
    line: String,
    right: bool,
    why: String,
}

#[test]
fn heuristic_rules_are_right_or_silent() {
    let lists = lists("tests/judged");
    let of_ffi = lists_of_ffi();
    let heuristic = RULES.iter().filter(|rule| rule.basis == Basis::Heuristic).map(|rule| rule.name);
    assert_eq!(lists.keys().map(String::as_str).collect::<Vec<_>>(), heuristic.collect::<Vec<_>>());
    for (name, list) in &lists {
        let (mut judged, mut right) = (0, 0);
        for list in [list].into_iter().chain(of_ffi.get(name)) {
            let of_list = list.finding.len();
            assert_eq!(of_list, list.found.min(DRAWN), "{name}: so many were to be judged (seed {})", list.seed);
            assert!(list.finding.iter().all(|finding| finding.why.len() > 10), "{name}: a verdict without a reason");
            judged += of_list;
            right += list.finding.iter().filter(|finding| finding.right).count();
        }
        // With fewer than 20 in all packages, the same share of them.
        let proven = judged >= FEWEST && right * DRAWN >= RIGHT * judged;
        let default = rules::find(name).map(|rule| rule.default);
        assert!(
            proven || default == Some(Severity::Allow),
            "{name}: {right} of {judged} are right, and it is not `allow` where the policy is silent"
        );
    }
}

/// A finding that was judged right and is not found any more is a rule that got worse.
#[test]
fn what_is_right_is_still_found() {
    let Some(graph) = corpus("corpus") else { return };
    let mut lost = Vec::new();
    let found: Vec<(&str, String, String)> =
        findings(&graph).iter().map(|found| (found.finding.rule, place(&graph, found), line(&graph, found))).collect();
    for (name, list) in &lists("tests/judged") {
        for judged in list.finding.iter().filter(|judged| judged.right) {
            let same = |(rule, place, line): &(&str, String, String)| {
                (*rule, place, line) == (name.as_str(), &judged.place, &judged.line)
            };
            if !found.iter().any(same) {
                lost.push(format!("{name}: {} `{}`", judged.place, judged.line));
            }
        }
    }
    assert!(lost.is_empty(), "judged right and not found any more:\n{}", lost.join("\n"));
}

#[test]
#[ignore = "writes target/judged for somebody to judge: ISOLATE_DRAW=RULE,… ISOLATE_SEED=1"]
fn draw() {
    let rules = std::env::var("ISOLATE_DRAW").expect("ISOLATE_DRAW names rules");
    let seed: u64 = std::env::var("ISOLATE_SEED").map_or(1, |seed| seed.parse().expect("a number"));
    let folder = std::env::var("ISOLATE_CORPUS").unwrap_or_else(|_| "corpus".to_owned());
    let graph = corpus(&folder).expect("the corpus");
    let directory = root().join("target/judged");
    std::fs::create_dir_all(&directory).unwrap();
    let mut all: BTreeMap<&str, Vec<Found>> = BTreeMap::new();
    for found in findings(&graph) {
        all.entry(found.finding.rule).or_default().push(found);
    }
    for (rule, found) in &all {
        eprintln!("{rule}: {}", found.len());
    }
    for rule in rules.split(',') {
        let mut found = all.remove(rule).unwrap_or_default();
        found.sort_by_cached_key(|found| {
            (rank(seed, &place(&graph, found), found.finding.span.column), found.finding.span)
        });
        let total = found.len();
        found.truncate(DRAWN);
        let mut list = format!("seed = {seed}\nfound = {total}\n");
        let mut shown = String::new();
        for (number, found) in found.iter().enumerate() {
            let (place, line) = (place(&graph, found), line(&graph, found));
            let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
            let _ = write!(
                list,
                "\n[[finding]]\nplace = {}\nline = {}\nright = @{number}\nwhy = @{number}\n",
                quoted(&place),
                quoted(&line)
            );
            let _ = writeln!(shown, "#### {number} {place}: {} {:?}", found.finding.message, found.finding.notes);
            shown.push_str(&context(&graph, found));
        }
        std::fs::write(directory.join(format!("{rule}.toml")), list).unwrap();
        std::fs::write(directory.join(format!("{rule}.txt")), shown).unwrap();
    }
}

/// By rule; not all of them are about C.
fn lists_of_ffi() -> BTreeMap<String, List> {
    let lists = lists("tests/judged/ffi");
    assert!(lists.keys().all(|name| rules::find(name).is_some_and(|rule| rule.basis == Basis::Heuristic)));
    lists
}

fn lists(folder: &str) -> BTreeMap<String, List> {
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let list = toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.file_stem().unwrap().to_str().unwrap().to_owned(), list)
    };
    let paths = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let is_list = |path: &PathBuf| path.extension().is_some_and(|end| end == "toml") && !path.ends_with("Cargo.toml");
    paths.filter(is_list).map(read).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The packages of a lock file, all to report on; `None`, said, where cargo cannot fetch it.
fn corpus(folder: &str) -> Option<Graph> {
    let corpus = needs::crates(folder)?;
    let mut request = Request {
        target: vec!["x86_64-unknown-linux-gnu".to_owned()],
        locked: true,
        offline: true,
        ..Request::default()
    };
    request.manifest.manifest_path = Some(corpus.join("Cargo.toml"));
    let mut graph = sources::load(&request).unwrap();
    graph.packages.iter_mut().for_each(|package| package.selected = true);
    Some(graph)
}

fn findings(graph: &Graph) -> Vec<Found> {
    decide::findings(&Names::new(graph), &Policy::default())
}

fn place(graph: &Graph, found: &Found) -> String {
    let package = &graph.packages[found.package];
    let path = &package.files[found.file].path;
    let path = path.strip_prefix(&package.root).unwrap_or(path);
    format!("{} {path}:{}", package.id(), found.finding.span.line)
}

fn line(graph: &Graph, found: &Found) -> String {
    let text = graph.packages[found.package].files[found.file].text().unwrap();
    text.lines().nth(found.finding.span.line as usize - 1).unwrap_or_default().trim().to_owned()
}

/// The lines around a finding.
fn context(graph: &Graph, found: &Found) -> String {
    let text = graph.packages[found.package].files[found.file].text().unwrap();
    let at = found.finding.span.line as usize;
    let (before, after) = match std::env::var("ISOLATE_CONTEXT").ok().and_then(|n| n.parse::<usize>().ok()) {
        Some(lines) => (lines, lines),
        None => (8, 8),
    };
    let numbered = text.lines().enumerate().map(|(number, line)| (number + 1, line));
    let around = numbered.filter(|(number, _)| (at.saturating_sub(before)..=at + after).contains(number));
    around.map(|(number, line)| format!("{}{number:5} {line}\n", if number == at { '>' } else { ' ' })).collect()
}

/// FNV-1a over what names a finding: an order that nobody chose, and that one finding more or less leaves as it is.
pub(crate) fn rank(seed: u64, place: &str, column: u32) -> u64 {
    let bytes = seed.to_le_bytes().into_iter().chain(place.bytes()).chain(column.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
