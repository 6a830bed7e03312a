//! The meaning of each code of a diagnostic or problem, for formats that include it.

use super::{UNSAFE_LIMIT, diagnostic::Level};
use isolate_lints::rules::{self, Basis, Severity};

/// A code with its description.
#[derive(Clone, Copy, Debug)]
pub(super) struct Code {
    pub(super) name: &'static str,
    /// One sentence.
    pub(super) summary: &'static str,
    /// Markdown: the rule's page, or the summary.
    pub(super) help: &'static str,
    pub(super) level: Level,
    pub(super) basis: Basis,
}

/// Codes that are not the name of a rule.
const OTHERS: &[(&str, Level, &str)] = &[
    ("unsafe-block", Level::Note, "An `unsafe` block: the code in it keeps promises that the compiler cannot check."),
    ("unsafe-function", Level::Note, "An `unsafe` function: its callers owe it what its `# Safety` section says."),
    ("unsafe-declaration", Level::Note, "An `unsafe` function that is declared without a body."),
    ("unsafe-impl", Level::Note, "An `unsafe impl`: the type is said to keep what the trait asks for."),
    ("unsafe-trait", Level::Note, "An `unsafe` trait: its implementations owe what its `# Safety` section says."),
    ("union", Level::Note, "A union: reading a field takes the bytes for what they may not be."),
    ("unsafe-type", Level::Note, "The type of an `unsafe` function, or the keyword where it declares something else."),
    (
        "unsafe-macro-use",
        Level::Note,
        "A use of a macro whose definition holds unsafe code: that code stands here as well.",
    ),
    ("unsafe-in-macro", Level::Note, "The keyword `unsafe` among the tokens of a macro."),
    (UNSAFE_LIMIT, Level::Error, "A package has more unsafe constructs than the policy lets it have."),
    ("policy", Level::Warning, "A part of the policy that changes nothing, or no longer holds."),
    ("syntax", Level::Error, "A place that does not parse; what stands around it was still read."),
    ("unreadable", Level::Error, "A source file that cannot be read."),
    ("missing", Level::Error, "A module is declared and has no file."),
    (
        "missing-cfg",
        Level::Note,
        "A module under a `cfg` or in a macro has no file: most likely it is not needed here.",
    ),
    ("unexplained-keywords", Level::Error, "Keywords that the scanner cannot account for: a bug of cargo-isolate."),
];

/// A one-sentence explanation of a code that is not the name of a rule.
pub(crate) fn explain(name: &str) -> Option<&'static str> {
    OTHERS.iter().find(|(other, ..)| *other == name).map(|(.., summary)| *summary)
}

/// The codes that are not names of rules.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    OTHERS.iter().map(|(name, ..)| *name)
}

/// The distinct codes with these names, sorted by name.
pub(super) fn of(names: impl Iterator<Item = &'static str>) -> Vec<Code> {
    let names: std::collections::BTreeSet<&str> = names.collect();
    names.into_iter().map(code).collect()
}

fn code(name: &'static str) -> Code {
    if let Some(rule) = rules::find(name) {
        let level = match rule.default {
            Severity::Deny => Level::Error,
            Severity::Warn => Level::Warning,
            Severity::Allow => Level::Note,
        };
        let help = rules::explain(name).unwrap_or_default();
        return Code { name, summary: rule.summary(), help, level, basis: rule.basis };
    }
    let other = OTHERS.iter().find(|(other, ..)| *other == name);
    let (_, level, summary) = *other.unwrap_or(&("", Level::Note, name));
    Code { name, summary, help: summary, level, basis: Basis::Exact }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::diagnostic::Detail;
    use isolate_lints::facts::UnsafeKind;

    #[test]
    fn every_code_is_explained() {
        for kind in UnsafeKind::ALL {
            let name =
                Detail::Unsafe { kind, name: None, safety: None, operations: Vec::new(), expanded_from: None }.code();
            assert_ne!(code(name).summary, name);
        }
    }

    #[test]
    fn no_rule_is_described_twice() {
        for (name, ..) in OTHERS {
            assert!(rules::find(name).is_none(), "{name}");
        }
    }
}
