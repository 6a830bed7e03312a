//! Tests that `docs/policy.md` names exactly the keys and words that the policy accepts.

use super::model::{
    Audit, Backend, Contract, CursorDir, Domain, Exception, Field, Instances, Isolate, Level, Policy, Struct, Threads,
    Timer,
};
use crate::contract::check::{CALLBACK_KINDS, DIRS, KINDS, NULLS, OWNS, SCOPES};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

const DOCS: &str = include_str!("../../../docs/policy.md");

/// Checks that the table under a heading lists exactly the keys of `T`.
#[track_caller]
fn check_keys<T: DeserializeOwned + std::fmt::Debug>(heading: &str) {
    let listed: BTreeSet<_> = rows(heading).map(|(key, _)| key.trim_matches('`')).collect();
    let known = toml::from_str::<T>("no-such-key = 1").expect_err("an unknown key").to_string();
    assert_eq!(listed, between_backticks(&known));
}

/// Checks that the row of a key quotes exactly these words.
#[track_caller]
fn check_words<'w>(heading: &str, key: &str, words: impl IntoIterator<Item = &'w str>) {
    let (_, text) = rows(heading).find(|(name, _)| *name == format!("`{key}`")).expect("a row for the key");
    let shown: BTreeSet<_> = text.split("`\"").skip(1).filter_map(|rest| rest.split("\"`").next()).collect();
    assert_eq!(shown, words.into_iter().collect(), "`{key}` under {heading}");
}

/// The variants that serde's error message lists.
fn variants<T: DeserializeOwned + std::fmt::Debug>() -> BTreeSet<String> {
    #[derive(Debug, serde::Deserialize)]
    struct Holder<T> {
        #[serde(rename = "word")]
        _word: T,
    }
    let error = toml::from_str::<Holder<T>>("word = \"no-such-key\"").expect_err("an unknown word");
    between_backticks(&error.to_string()).into_iter().map(str::to_owned).collect()
}

fn between_backticks(message: &str) -> BTreeSet<&str> {
    message.split('`').skip(1).step_by(2).filter(|word| *word != "no-such-key").collect()
}

/// The rows of the first table under a heading, as first and second cell.
fn rows(heading: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let start = DOCS.find(&format!("\n## `{heading}`\n")).expect("the heading") + 4 + heading.len();
    let lines = DOCS[start..].lines().skip_while(|line| !line.starts_with("| key |"));
    let body = lines.skip(2).take_while(|line| line.starts_with('|'));
    body.map(|line| {
        let mut cells = line.trim_matches('|').splitn(2, '|').map(str::trim);
        (cells.next().unwrap_or_default(), cells.next().unwrap_or_default())
    })
}

#[test]
fn keys() {
    check_keys::<Audit>("[audit]");
    check_keys::<Exception>("[[exception]]");
    check_keys::<Domain>("[domain.NAME]");
    check_keys::<Isolate>("[[isolate]]");
    check_keys::<Contract>("[fn.NAME]");
    check_keys::<Struct>("[struct.NAME]");
    check_keys::<Field>("[struct.NAME.field]");
    // Sections with a single key or with user-defined names have no table.
    let policy = toml::from_str::<Policy>("no-such-key = 1").expect_err("an unknown key").to_string();
    for key in between_backticks(&policy) {
        let headings = ["## `[KEY]`", "## `[KEY.NAME]`", "## `[[KEY]]`", "\nKEY = "];
        let headings = headings.map(|heading| heading.replace("KEY", key));
        assert!(headings.iter().any(|heading| DOCS.contains(heading)), "{key}");
    }
}

#[test]
fn words() {
    check_words("[fn.NAME]", "kind", KINDS);
    check_words("[fn.NAME]", "dir", DIRS);
    check_words("[fn.NAME]", "null", NULLS);
    check_words("[fn.NAME]", "own", OWNS);
    check_words("[fn.NAME]", "scope", SCOPES);
    check_words("[domain.NAME]", "backend", variants::<Backend>().iter().map(|word| &**word));
    check_words("[domain.NAME]", "level", variants::<Level>().iter().map(|word| &**word));
    check_words("[struct.NAME.field]", "dir", variants::<CursorDir>().iter().map(|word| &**word));
    check_words("[domain.NAME]", "timer", variants::<Timer>().iter().map(|word| &**word));
    check_words("[domain.NAME]", "threads", variants::<Threads>().iter().map(|word| &**word));
    check_words("[domain.NAME]", "instances", variants::<Instances>().iter().map(|word| &**word));
}

/// Each kind has its own row in the tables of kinds.
#[test]
fn kinds() {
    for (head, known) in [("| kind | for |", &KINDS[..]), ("| kind among `params` |", &CALLBACK_KINDS)] {
        let (_, table) = DOCS.split_once(head).expect("a table of kinds");
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        let mut kinds: Vec<_> = rows.filter_map(|row| row.split('`').nth(1)).collect();
        kinds.dedup();
        assert_eq!(kinds, known);
    }
}
