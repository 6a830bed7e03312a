//! The baseline: a file with one line per known finding, so that versions of it can be merged as text.

use super::{Comparison, Entry, Standing, concerning};
use crate::{
    graph::Graph,
    policy::{
        PolicyError,
        merge::{self, MARKERS},
    },
};
use std::collections::BTreeSet;

/// Version of the file format. A line is `code package at standing fingerprint content`; lines are sorted and unique.
const VERSION: u32 = 2;

/// The first version, without standings, uses of macros and build conditions.
const FIRST: u32 = 1;

const HEADER: &str = "\
# What `cargo isolate check` knows of this workspace. Written by `cargo isolate baseline`, which only takes lines out
# unless it is told to accept new ones. Lines are: code, package, place,
# standing (live, tests or dormant), fingerprint, content.
";

/// The text of a baseline for code that was analysed under these conditions.
pub(crate) fn write(entries: &BTreeSet<Entry>, conditions: &str) -> String {
    let mut text = format!("{HEADER}version {VERSION}\nfor {conditions}\n");
    for Entry { package, at, code, standing, fingerprint, content } in entries {
        text += &format!("{code} {package} {at} {standing} {fingerprint} {content}\n");
    }
    text
}

/// A baseline.
#[derive(Clone, Debug, Default)]
pub(crate) struct Baseline {
    /// `None` for a baseline of the first version.
    pub(crate) conditions: Option<String>,
    pub(crate) lines: Vec<Line>,
}

/// A finding, with its position in the baseline.
pub(crate) type Line = (Entry, std::ops::Range<usize>);

impl Baseline {
    /// Compares the baseline with the present findings. Under conditions other than the baseline's, it is unknown what
    /// was dormant. A baseline of the first version does not know about tests either, and accepts all uses of macros.
    pub(crate) fn compare(&self, graph: &Graph, now: &[Entry]) -> Comparison {
        let standing = |standing| match (&self.conditions, standing) {
            (Some(conditions), _) if *conditions == graph.conditions => standing,
            (Some(_), Standing::Tests) => Standing::Tests,
            _ => Standing::Live,
        };
        let told = |entry: &Entry| Entry { standing: standing(entry.standing), ..entry.clone() };
        let own = self.lines.iter().map(|(entry, _)| entry).filter(|entry| concerning(graph, entry));
        let macros = now.iter().filter(|entry| self.conditions.is_none() && entry.code == "unsafe-macro-use");
        Comparison::new(own.chain(macros).map(told), now.iter().map(told))
    }
}

/// Parses a baseline.
///
/// # Errors
///
/// All invalid lines, each with advice.
pub(crate) fn read(text: &str) -> Result<Baseline, Vec<PolicyError>> {
    let mut baseline = Baseline::default();
    let mut errors = Vec::new();
    let mut version = None;
    let mut in_conflict = false;
    let mut start = 0;
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_end();
        let span = start..start + line.len();
        start += whole.len();
        if let Some(marker) = MARKERS.iter().find(|marker| line.starts_with(**marker)) {
            if !in_conflict {
                let help = "take out the marker lines and keep all others; `cargo isolate baseline` then takes out what is gone";
                errors.push(PolicyError::new(span, merge::MESSAGE).help(help));
            }
            in_conflict = *marker != MARKERS[3];
        } else if line.is_empty() || line.starts_with('#') {
            continue;
        } else if let Some(number) = line.strip_prefix("version ") {
            match number.parse::<u32>() {
                Ok(known @ FIRST..=VERSION) => version = Some(known),
                Ok(newer) if newer > VERSION => {
                    let error = PolicyError::new(span, format!("version {newer} of the baseline format is not known"));
                    let help = format!("this cargo-isolate reads version {VERSION}: use the newer one that wrote it");
                    return Err(vec![error.help(help)]);
                }
                _ => errors.push(PolicyError::new(span, format!("expected `version {VERSION}`"))),
            }
        } else if let (Some(VERSION), Some(conditions)) = (version, line.strip_prefix("for ")) {
            baseline.conditions = Some(conditions.to_owned());
        } else if let Some(version) = version {
            match entry(line, version) {
                // Excludes the two hashes, which mean nothing to readers.
                Some(entry) => baseline.lines.push((entry, span.start..span.end - 2 * " ".len() - 2 * 32)),
                None => errors.push(
                    PolicyError::new(span, format!("expected `{}`", if version == FIRST { FIRST_LINE } else { LINE }))
                        .help("remove the line, or restore the file and run `cargo isolate baseline`"),
                ),
            }
        } else if errors.is_empty() {
            let error = PolicyError::new(span, "not a baseline: its version is missing");
            return Err(vec![error.help("`cargo isolate baseline` writes one")]);
        }
    }
    if version == Some(VERSION) && baseline.conditions.is_none() {
        let error = PolicyError::new(0..0, "not a baseline: its `for` line is missing");
        errors.push(error.help("restore it, or run `cargo isolate baseline` with the file of the last commit"));
    }
    if version.is_none() && errors.is_empty() {
        let error = PolicyError::new(0..0, "not a baseline: it is empty");
        errors.push(error.help("remove the file; `cargo isolate baseline` writes it anew"));
    }
    if errors.is_empty() { Ok(baseline) } else { Err(errors) }
}

const LINE: &str = "code package place standing fingerprint content";
const FIRST_LINE: &str = "code package place fingerprint content";

fn entry(line: &str, version: u32) -> Option<Entry> {
    let (rest, content) = line.rsplit_once(' ')?;
    let (rest, fingerprint) = rest.rsplit_once(' ')?;
    let (rest, standing) = match version {
        FIRST => (rest, Standing::Live),
        _ => rest.rsplit_once(' ').and_then(|(rest, word)| Some((rest, word.parse().ok()?)))?,
    };
    let (code, rest) = rest.split_once(' ')?;
    let (package, at) = rest.split_once(' ')?;
    Some(Entry {
        package: package.to_owned(),
        at: at.to_owned(),
        code: code.to_owned(),
        standing,
        fingerprint: fingerprint.parse().ok()?,
        content: content.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fixture::{self, mistakes},
        ratchet::State,
    };

    const ONE: &str = "unsafe-block app app::<T as Read>::f tests 00112233445566778899aabbccddeeff ffeeddccbbaa99887766554433221100\n";

    #[test]
    fn what_is_written_is_read() {
        let text = format!("{HEADER}version 2\nfor x86_64-linux-gnu\n{ONE}");
        let Baseline { conditions, lines } = read(&text).unwrap();
        assert_eq!(lines[0].0.at, "app::<T as Read>::f");
        let entries = lines.into_iter().map(|(entry, _)| entry).collect();
        assert_eq!(write(&entries, &conditions.unwrap()), text);
    }

    /// A baseline of the first version records neither standings nor uses of macros; one for another platform does not
    /// tell what is dormant here.
    #[test]
    fn what_is_not_said_is_known() {
        use State::{Known, New, Risen};
        let graph = fixture::graph("//- app/src/lib.rs\n");
        let check = |head: &str, before: &str, now: &str, expected: State| {
            let now = read(&format!("version 2\nfor x86_64-linux-gnu\n{}", ONE.replace("tests", now))).unwrap();
            let now: Vec<_> = now.lines.into_iter().map(|(entry, _)| entry).collect();
            let text = format!("{head}{}", ONE.replace("tests ", before));
            let compared = read(&text).unwrap().compare(&graph, &now);
            assert_eq!(compared.state(now[0].fingerprint), expected, "{text}");
            assert!(compared.differing.len() == usize::from(expected != Known), "{text}");
        };
        for standing in ["live", "tests", "dormant"] {
            check("version 1\n", "", standing, Known);
        }
        let [linux, macos] = ["x86_64-linux-gnu", "aarch64-macos"].map(|name| format!("version 2\nfor {name}\n"));
        check(&linux, "dormant ", "live", Risen(Standing::Dormant));
        check(&macos, "dormant ", "live", Known);
        check(&macos, "live ", "dormant", Known);
        check(&macos, "tests ", "live", Risen(Standing::Tests));
        let used = |text: &str| text.replace("unsafe-block", "unsafe-macro-use");
        let now = [read(&used(&format!("{linux}{ONE}"))).unwrap().lines[0].0.clone()];
        let state = |text: &str| read(text).unwrap().compare(&graph, &now).state(now[0].fingerprint);
        assert_eq!((state("version 1\n"), state(&linux)), (Known, New));
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(mistakes(text, &read(text).expect_err("a mistake")), expected);
    }

    #[test]
    fn mistakes_have_their_line() {
        check("", "1:1 [] not a baseline: it is empty\n    remove the file; `cargo isolate baseline` writes it anew\n");
        check(
            "version 3\n???\n",
            "1:1 [version 3] version 3 of the baseline format is not known\n    this cargo-isolate reads version 2: use the newer one that wrote it\n",
        );
        check(
            ONE,
            &format!(
                "1:1 [{}] not a baseline: its version is missing\n    `cargo isolate baseline` writes one\n",
                ONE.trim_end()
            ),
        );
        check(
            "version 2\nfor x\nunsafe-block app app::f 12 34\n",
            "3:1 [unsafe-block app app::f 12 34] expected `code package place standing fingerprint content`\n    remove the line, or restore the file and run `cargo isolate baseline`\n",
        );
        check(
            &format!("version 2\n{ONE}"),
            "1:1 [] not a baseline: its `for` line is missing\n    restore it, or run `cargo isolate baseline` with the file of the last commit\n",
        );
        check(
            &format!("version 2\nfor x\n<<<<<<< HEAD\n{ONE}=======\n{ONE}>>>>>>> topic\n"),
            "3:1 [<<<<<<< HEAD] a merge left both its sides here\n    take out the marker lines and keep all others; `cargo isolate baseline` then takes out what is gone\n",
        );
    }
}
