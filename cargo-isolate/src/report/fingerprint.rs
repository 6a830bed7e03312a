//! Fingerprints, which identify findings across versions of the code.
//!
//! A fingerprint depends on the content of the finding and on the enclosing function, never on line numbers: code that
//! is moved or reformatted keeps its findings. `docs/reports.md` documents the recipe, because baselines store
//! fingerprints.

use super::diagnostic::Diagnostic;
use crate::graph::{SourceFile, name_of};
use isolate_lints::facts::Span;
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, fmt, io, str::FromStr};

/// The first 16 bytes of a BLAKE3 hash; 32 hexadecimal digits as text.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Fingerprint([u8; 16]);

/// Changes with the recipe, so that fingerprints of different recipes never coincide.
const RECIPE: &str = "cargo-isolate/1";

impl Fingerprint {
    /// Hashes the parts in order. No part may contain a NUL.
    fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Fingerprint {
        let mut hash = blake3::Hasher::new();
        for part in [RECIPE].into_iter().chain(parts) {
            hash.update(part.as_bytes());
            hash.update(&[0]);
        }
        let mut fingerprint = Fingerprint::default();
        hash.finalize_xof().fill(&mut fingerprint.0);
        fingerprint
    }
}

/// Assigns a fingerprint to every diagnostic. `text` returns the content of a diagnostic's position ([`own_text`]).
///
/// Otherwise identical diagnostics are numbered, so they must be in source order.
pub(super) fn assign(
    diagnostics: &mut [Diagnostic],
    text: impl Fn(&Diagnostic) -> io::Result<String>,
) -> io::Result<()> {
    let mut seen: HashMap<Fingerprint, usize> = HashMap::new();
    for diagnostic in diagnostics {
        let package = name_of(&diagnostic.package);
        let text = text(diagnostic)?;
        let parts = [diagnostic.code, package, &diagnostic.at, &text];
        let before = seen.entry(Fingerprint::of(parts)).or_default();
        let ordinal = before.to_string();
        *before += 1;
        diagnostic.content = Fingerprint::of([diagnostic.code, &text]);
        diagnostic.fingerprint = Fingerprint::of(parts.into_iter().chain([ordinal.as_str()]));
    }
    Ok(())
}

/// The content of a position, independent of its layout: for an unsafe construct its digest, for a call its path,
/// otherwise the text with normalised whitespace.
///
/// # Errors
///
/// If the text is needed and cannot be read again.
pub(super) fn own_text(file: &SourceFile, span: Span) -> io::Result<String> {
    let facts = &file.facts;
    if let Ok(index) = facts.unsafes.binary_search_by_key(&span.start, |fact| fact.span.start) {
        return Ok(format!("{:016x}", facts.unsafes[index].digest));
    }
    for calls in [&facts.calls, &facts.mentions] {
        if let Ok(index) = calls.binary_search_by_key(&span.start, |call| call.span.start) {
            return Ok(calls[index].path.to_string());
        }
    }
    if let Some(unseen) = facts.unexpanded.iter().find(|unseen| unseen.span.start == span.start) {
        return Ok(format!("{}!{}", unseen.name, unseen.argument));
    }
    file.text().map(|text| plain_text(text, span))
}

/// A part of a text with its whitespace normalised to single spaces.
pub(super) fn plain_text(text: &str, span: Span) -> String {
    let text = text.get(span.start as usize..span.end as usize).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> String {
        fingerprint.to_string()
    }
}

impl FromStr for Fingerprint {
    type Err = NotAFingerprint;

    fn from_str(text: &str) -> Result<Fingerprint, NotAFingerprint> {
        let wrong = || NotAFingerprint(text.to_owned());
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let bytes = u128::from_str_radix(text, 16).map_err(|_| wrong())?;
        Ok(Fingerprint(bytes.to_be_bytes()))
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = NotAFingerprint;

    fn try_from(text: String) -> Result<Fingerprint, NotAFingerprint> {
        text.parse()
    }
}

/// Text that is not a fingerprint.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a fingerprint: 32 hexadecimal digits expected")]
pub(crate) struct NotAFingerprint(String);

#[cfg(test)]
mod tests {
    use super::Fingerprint;
    use crate::{fixture, names::Names, report};
    use std::collections::BTreeMap;

    const CODE: &str = "
//- app/src/lib.rs
mod ffi { unsafe extern \"C\" { pub fn crc32(crc: u32) -> u32; } }
static mut COUNT: u32 = 0;
pub struct Meter;
unsafe impl Send for Meter {}
impl Meter {
    pub fn read(&self) -> u32 {
        let first = unsafe { COUNT };
        let second = unsafe { ffi::crc32(first) };
        let again = unsafe { COUNT };
        second + again
    }
}
pub fn read() -> u32 { unsafe { COUNT } }
";

    /// The codes and fingerprints of an audit, in its order.
    fn fingerprints(code: &str) -> Vec<(&'static str, Fingerprint)> {
        let report = report::audit(&Names::new(&fixture::graph(code))).unwrap();
        report.diagnostics.iter().map(|diagnostic| (diagnostic.code, diagnostic.fingerprint)).collect()
    }

    #[track_caller]
    fn check_same(change: impl Fn(&str) -> String) {
        assert_eq!(fingerprints(CODE), fingerprints(&change(CODE)));
    }

    /// Checks how many findings of `CODE` a change keeps, removes and adds.
    #[track_caller]
    fn check_change(from: &str, to: &str, expected: (usize, usize, usize)) {
        assert!(CODE.contains(from));
        let (old, new) = (fingerprints(CODE), fingerprints(&CODE.replacen(from, to, 1)));
        type Found = (&'static str, Fingerprint);
        let count = |these: &[Found], others: &[Found]| these.iter().filter(|one| !others.contains(one)).count();
        let (lost, added) = (count(&old, &new), count(&new, &old));
        assert_eq!((old.len() - lost, lost, added), expected);
    }

    #[test]
    fn every_finding_has_its_own() {
        let mut seen = BTreeMap::new();
        for (code, fingerprint) in fingerprints(CODE) {
            assert!(seen.insert(fingerprint, code).is_none(), "{code} {fingerprint}");
        }
    }

    #[test]
    fn moved_lines_change_nothing() {
        let hundred = "// a line\n".repeat(100);
        check_same(|code| code.replace("mod ffi", &format!("{hundred}mod ffi")));
        check_same(|code| code.replace("let second", &format!("{hundred}let second")));
    }

    #[test]
    fn layout_and_comments_change_nothing() {
        check_same(|code| code.replace("unsafe { COUNT }", "unsafe {\n    // SAFETY: one thread.\n    COUNT\n}"));
        check_same(|code| code.replace("unsafe extern", "unsafe   extern"));
    }

    #[test]
    fn edits_are_local() {
        // One of two equal blocks is removed. It cannot be told which, and does not matter.
        check_change("unsafe { COUNT };", "0;", (7, 1, 0));
        check_change("ffi::crc32(first)", "ffi::crc32(first + 1)", (7, 1, 1));
        check_change("pub fn read()", "pub fn read_all()", (7, 1, 1));
        check_change("let first", "let zero = unsafe { read() }; let first", (8, 0, 1));
    }

    #[test]
    fn a_fingerprint_is_read_as_it_is_written() {
        let (_, fingerprint) = fingerprints(CODE)[0];
        assert_eq!(fingerprint.to_string().parse::<Fingerprint>().ok(), Some(fingerprint));
        assert!("+123456789abcdef0123456789abcdef".parse::<Fingerprint>().is_err());
        assert!("12".parse::<Fingerprint>().is_err());
    }
}
