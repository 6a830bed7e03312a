//! The baseline: a file of the findings that are known, a line each, so that versions of it merge as text does.

use super::Entry;
use crate::policy::PolicyError;
use std::collections::BTreeSet;

/// Of the file. A line is `code package at fingerprint content`; sorted, each once.
const VERSION: u32 = 1;

const HEADER: &str = "\
# What `cargo isolate check` knows of this workspace. Written by `cargo isolate baseline`, which only takes lines out
# unless it is told to accept new ones. Lines are: code, package, place, fingerprint, content.
";

/// What git writes around what it could not merge.
const MARKERS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

/// The text of a baseline.
pub(crate) fn write(entries: &BTreeSet<Entry>) -> String {
    let mut text = format!("{HEADER}version {VERSION}\n");
    for Entry { package, at, code, fingerprint, content } in entries {
        text += &format!("{code} {package} {at} {fingerprint} {content}\n");
    }
    text
}

/// A finding of a baseline, and the place that names it.
pub(crate) type Line = (Entry, std::ops::Range<usize>);

/// Reads a baseline.
///
/// # Errors
///
/// Every line that is none, with what to do about it.
pub(crate) fn read(text: &str) -> Result<Vec<Line>, Vec<PolicyError>> {
    let mut entries = Vec::new();
    let mut errors = Vec::new();
    let mut version = false;
    let mut in_conflict = false;
    let mut start = 0;
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_end();
        let span = start..start + line.len();
        start += whole.len();
        if let Some(marker) = MARKERS.iter().find(|marker| line.starts_with(**marker)) {
            if !in_conflict {
                let help = "take out the marker lines and keep all others; `cargo isolate baseline` then takes out what is gone";
                errors.push(PolicyError::new(span, "a merge left both its sides here").help(help));
            }
            in_conflict = *marker != MARKERS[3];
        } else if line.is_empty() || line.starts_with('#') {
            continue;
        } else if let Some(number) = line.strip_prefix("version ") {
            version = true;
            match number.parse::<u32>() {
                Ok(VERSION) => {}
                Ok(newer) if newer > VERSION => {
                    let error = PolicyError::new(span, format!("version {newer} of the baseline format is not known"));
                    let help = format!("this cargo-isolate reads version {VERSION}: use the newer one that wrote it");
                    return Err(vec![error.help(help)]);
                }
                _ => errors.push(PolicyError::new(span, format!("expected `version {VERSION}`"))),
            }
        } else if !version && errors.is_empty() {
            let error = PolicyError::new(span, "not a baseline: its version is missing");
            return Err(vec![error.help("`cargo isolate baseline` writes one")]);
        } else {
            match entry(line) {
                // Without the hashes: they say nothing to people.
                Some(entry) => entries.push((entry, span.start..span.end - 2 * " ".len() - 2 * 32)),
                None => errors.push(
                    PolicyError::new(span, "expected `code package place fingerprint content`")
                        .help("remove the line, or restore the file and run `cargo isolate baseline`"),
                ),
            }
        }
    }
    if !version && errors.is_empty() {
        let error = PolicyError::new(0..0, "not a baseline: it is empty");
        errors.push(error.help("remove the file; `cargo isolate baseline` writes it anew"));
    }
    if errors.is_empty() { Ok(entries) } else { Err(errors) }
}

fn entry(line: &str) -> Option<Entry> {
    let (rest, content) = line.rsplit_once(' ')?;
    let (rest, fingerprint) = rest.rsplit_once(' ')?;
    let (code, rest) = rest.split_once(' ')?;
    let (package, at) = rest.split_once(' ')?;
    Some(Entry {
        package: package.to_owned(),
        at: at.to_owned(),
        code: code.to_owned(),
        fingerprint: fingerprint.parse().ok()?,
        content: content.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::mistakes;

    const ONE: &str =
        "unsafe-block app app::<T as Read>::f 00112233445566778899aabbccddeeff ffeeddccbbaa99887766554433221100\n";

    #[test]
    fn what_is_written_is_read() {
        let text = format!("{HEADER}version 1\n{ONE}");
        let lines = read(&text).unwrap();
        assert_eq!(lines[0].0.at, "app::<T as Read>::f");
        assert_eq!(write(&lines.into_iter().map(|(entry, _)| entry).collect()), text);
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(mistakes(text, &read(text).expect_err("a mistake")), expected);
    }

    #[test]
    fn mistakes_have_their_line() {
        check("", "1:1 [] not a baseline: it is empty\n    remove the file; `cargo isolate baseline` writes it anew\n");
        check(
            "version 2\n???\n",
            "1:1 [version 2] version 2 of the baseline format is not known\n    this cargo-isolate reads version 1: use the newer one that wrote it\n",
        );
        check(
            ONE,
            &format!(
                "1:1 [{}] not a baseline: its version is missing\n    `cargo isolate baseline` writes one\n",
                ONE.trim_end()
            ),
        );
        check(
            "version 1\nunsafe-block app app::f 12 34\n",
            "2:1 [unsafe-block app app::f 12 34] expected `code package place fingerprint content`\n    remove the line, or restore the file and run `cargo isolate baseline`\n",
        );
        check(
            &format!("version 1\n<<<<<<< HEAD\n{ONE}=======\n{ONE}>>>>>>> topic\n"),
            "2:1 [<<<<<<< HEAD] a merge left both its sides here\n    take out the marker lines and keep all others; `cargo isolate baseline` then takes out what is gone\n",
        );
    }
}
