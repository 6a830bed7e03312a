//! Every fixture, damaged at random: whatever stands in a file, the scanner comes back with facts that hold together.
//!
//! Case N is the same text on every machine. `ISOLATE_MUTATIONS=100000 cargo test -p isolate-lints --test mutated` tries more
//! of them than a normal run does, `ISOLATE_MUTATION=N` that one alone.

mod support;

use isolate_lints::cfg::Configs;
use isolate_lints::{Edition, count, highlight::highlight, scan};
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Cases of a normal run: a few seconds.
const CASES: u64 = 3_000;

#[test]
fn damaged_fixtures() {
    let fixtures = fixtures();
    if let Some(case) = number("ISOLATE_MUTATION") {
        let text = damaged(&fixtures, case);
        println!("{text}");
        return check(&text, edition(case));
    }
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let cases = number("ISOLATE_MUTATIONS").unwrap_or(CASES);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let case = next.fetch_add(1, Ordering::Relaxed)
                    && case < cases
                {
                    let text = damaged(&fixtures, case);
                    if catch_unwind(AssertUnwindSafe(|| check(&text, edition(case)))).is_err() {
                        failed.lock().unwrap().push(case);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "cases {failed:?}: see above, and run one with ISOLATE_MUTATION=N");
}

/// What must hold of any text.
#[track_caller]
fn check(text: &str, edition: Edition) {
    let facts = scan(text, edition);
    assert_eq!(facts.unexplained(), 0, "unexplained keywords");
    assert!(facts == scan(text, edition), "a second scan has other facts");
    let json = serde_json::to_value(&facts).unwrap();
    spans(text, &json);
    for kind in ["unsafes", "foreign", "calls", "mentions", "arguments"] {
        let starts: Vec<u64> = json[kind].as_array().unwrap().iter().map(|fact| at(&fact["span"], "start")).collect();
        assert!(starts.is_sorted(), "{kind} out of order: {starts:?}");
    }
    for fact in &facts.unsafes {
        assert!(fact.span.end <= fact.end && fact.end as usize <= text.len(), "{fact:?}");
    }
    let counted = count(text, edition);
    assert!(counted.unsafes == facts.unsafes && counted.foreign == facts.foreign, "counts differ");

    let mut end = 0;
    for (range, _) in highlight(text, edition) {
        assert!(end <= range.start && text.get(range.clone()).is_some(), "colour of {range:?} after {end}");
        end = range.end;
    }
    for finding in support::findings(&facts, &Configs::default()) {
        assert!(text.get(finding.span.start as usize..finding.span.end as usize).is_some(), "{finding:?}");
    }
}

/// Every span of the facts lies in the text, and says the line and column where it begins.
#[track_caller]
fn spans(text: &str, json: &Value) {
    match json {
        Value::Object(fields) if fields.contains_key("column") => {
            let (start, end) = (at(json, "start") as usize, at(json, "end") as usize);
            assert!(text.get(start..end).is_some(), "{json} in a text of {} bytes", text.len());
            let before = &text[..start];
            let line = 1 + before.matches('\n').count() as u64;
            let column = 1 + before[before.rfind('\n').map_or(0, |at| at + 1)..].chars().count() as u64;
            assert_eq!((at(json, "line"), at(json, "column")), (line, column), "{json}");
        }
        Value::Object(fields) => fields.values().for_each(|value| spans(text, value)),
        Value::Array(values) => values.iter().for_each(|value| spans(text, value)),
        _ => {}
    }
}

fn at(span: &Value, field: &str) -> u64 {
    span[field].as_u64().unwrap()
}

fn edition(case: u64) -> Edition {
    [Edition::E2024, Edition::E2021, Edition::E2015][(case % 3) as usize]
}

fn fixtures() -> Vec<String> {
    let mut paths = Vec::new();
    for folder in ["tests/cases", "tests/rules"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        paths.extend(std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()));
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    paths.sort();
    assert!(paths.len() > 20);
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// Words whose place matters to the scanner.
const WORDS: &[&str] = &[
    "unsafe",
    "extern",
    "\"C\"",
    "fn",
    "mod",
    "impl",
    "trait",
    "static",
    "mut",
    "union",
    "macro_rules!",
    "m!",
    "$x:tt",
    "$($x)*",
    "#[",
    "#![",
    "cfg(test)",
    "cfg_attr(",
    "unsafe(no_mangle)",
    "include!",
    "asm!",
    "transmute",
    "use",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    "::",
    "*",
    "&",
    "'a",
    "'",
    "\"",
    "r#\"",
    "r#",
    "/*",
    "*/",
    "//",
    "///",
    ";",
    "=>",
    "->",
    "|",
    "_",
    "self",
    "Self",
    "crate",
    "\r\n",
    "\u{feff}",
    "é",
    "\0",
    "1e",
    "0x",
    "b'",
    "c\"",
];

/// A fixture after one to four mishaps.
fn damaged(fixtures: &[String], case: u64) -> String {
    let mut random = Random(case);
    let fixture = &fixtures[random.below(fixtures.len())];
    // Some of the file only: mishaps lie closer together, and more cases fit into a second.
    let mut tokens = tokens(fixture);
    let from = random.below(tokens.len());
    tokens.truncate((from + 1 + random.below(400)).min(tokens.len()));
    tokens.drain(..from);
    for _ in 0..1 + random.below(4) {
        mishap(&mut tokens, fixtures, &mut random);
    }
    let mut bytes = tokens.concat().into_bytes();
    if random.below(4) == 0 && !bytes.is_empty() {
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
        bytes.truncate(if random.below(2) == 0 { at + 1 } else { bytes.len() });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn mishap<'t>(tokens: &mut Vec<&'t str>, fixtures: &'t [String], random: &mut Random) {
    let (from, to) = (random.below(tokens.len()), random.below(tokens.len()));
    let (from, to) = (from.min(to), (from.max(to) + 1).min(tokens.len()));
    let few = from..to.min(from + 8);
    match random.below(7) {
        0 => drop(tokens.drain(few)),
        1 => {
            let twice = tokens[few.clone()].to_vec();
            tokens.splice(few.start..few.start, twice);
        }
        2 if from < to => tokens.swap(from, to - 1),
        3 => tokens.truncate(to),
        4 => {
            let nests =
                [("(", ")"), ("{", "}"), ("unsafe { ", " }"), ("m!(", ");"), ("macro_rules! m { ($x:tt) => {", "} }")];
            let (open, close) = nests[random.below(nests.len())];
            let times = if random.below(20) == 0 { 500 } else { 1 };
            tokens.splice(to..to, std::iter::repeat_n(close, times));
            tokens.splice(from..from, std::iter::repeat_n(open, times));
        }
        5 => {
            let other = self::tokens(&fixtures[random.below(fixtures.len())]);
            let start = random.below(other.len());
            let end = (start + random.below(60)).min(other.len());
            tokens.splice(few, other[start..end].iter().copied());
        }
        _ => tokens.insert(from, WORDS[random.below(WORDS.len())]),
    }
}

/// Words, runs of spaces, and single characters of everything else.
fn tokens(text: &str) -> Vec<&str> {
    let class = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 1,
        c if c.is_whitespace() => 2,
        _ => 0,
    };
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let same = |c: char| class(first) != 0 && class(c) == class(first);
        let end = rest.find(|c| !same(c)).unwrap_or(rest.len()).max(first.len_utf8());
        tokens.push(&rest[..end]);
        rest = &rest[end..];
    }
    tokens
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{variable} is a number, not `{value}`")))
}

/// SplitMix64: <https://prng.di.unimi.it/splitmix64.c>.
struct Random(u64);

impl Random {
    /// A number below `end`; 0 if there is none.
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) % end.max(1) as u64) as usize
    }
}
