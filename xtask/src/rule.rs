//! Creates the stub of a new rule.
//!
//! Its tests fail until the rule is written, because the example on its page does not trigger it.

use anyhow::{Context, bail, ensure};
use std::path::Path;

const LIST: &str = "lints/src/rules/mod.rs";

/// Writes the rule's file and its fixture, and adds it to the list. Returns the paths written, relative to the
/// repository.
///
/// # Errors
///
/// The name is invalid, the rule exists, or a file cannot be written. In the last case the files before it may have
/// been written.
pub(crate) fn start(root: &Path, name: &str) -> anyhow::Result<Vec<String>> {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    ensure!(
        name.split('-').all(word),
        "`{name}` is not the name of a rule: words of lowercase letters, dashes between them"
    );
    let module = name.replace('-', "_");
    let rule = format!("lints/src/rules/{module}.rs");
    let fixture = format!("lints/tests/rules/{module}.rs");
    for path in [&rule, &fixture] {
        ensure!(!root.join(path).exists(), "`{path}` exists");
    }
    let list = std::fs::read_to_string(root.join(LIST)).with_context(|| format!("cannot read `{LIST}`"))?;
    let list = listed(&list, &module, name)?;
    for (path, text) in [(&*rule, RULE), (&*fixture, FIXTURE), (LIST, &*list)] {
        std::fs::write(root.join(path), text).with_context(|| format!("cannot write `{path}`"))?;
    }
    Ok(vec![rule, fixture, LIST.to_owned()])
}

/// The list with the new line added, ordered by name.
fn listed(list: &str, module: &str, name: &str) -> anyhow::Result<String> {
    let Some(start) = list.find("\nrules! {\n").map(|at| at + "\nrules! {\n".len()) else {
        bail!("`{LIST}` has no `rules! {{ … }}`");
    };
    let length = list[start..].find("\n}\n").map_or(0, |end| end + 1);
    let mut lines: Vec<&str> = list[start..start + length].lines().collect();
    let line = format!("    {module} => \"{name}\", Allow, Heuristic;");
    lines.push(&line);
    lines.sort_unstable();
    Ok(format!("{}{}\n{}", &list[..start], lines.join("\n"), &list[start + length..]))
}

const RULE: &str = r#"//! One line that says what it is about.
//!
//! ## What it does
//!
//! Reports
//!
//! ## Why it matters
//!
//! ## Example
//!
//! ```rust
//! fn code_that_it_reports() {}
//! ```
//!
//! ## What to do instead
//!
//! ```rust
//! fn code_that_it_does_not() {}
//! ```
//!
//! ## Known limits
//!

use super::{Report, Subject};

pub(super) fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for fact in &subject.facts.unsafes {
        if fact.name.as_deref() == Some("what the rule is about") {
            report.add(fact.span, &fact.scope, "what is wrong", Vec::new());
        }
    }
}
"#;

const FIXTURE: &str = "// What it must report:

// What it must not:
";

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for directory in ["lints/src/rules", "lints/tests/rules"] {
            std::fs::create_dir_all(root.path().join(directory)).unwrap();
        }
        let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(LIST);
        std::fs::copy(list, root.path().join(LIST)).unwrap();
        root
    }

    #[test]
    fn a_new_rule_has_all_its_parts() {
        let root = repository();
        let read = |path: &str| std::fs::read_to_string(root.path().join(path)).unwrap();
        let before = read(LIST);
        let written = start(root.path(), "new-rule").unwrap();
        assert_eq!(written, ["lints/src/rules/new_rule.rs", "lints/tests/rules/new_rule.rs", LIST]);
        assert!(read(&written[0]).starts_with("//! One line"));
        let after = read(LIST);
        let new: Vec<&str> = after.lines().filter(|line| !before.contains(line)).collect();
        assert_eq!(new, ["    new_rule => \"new-rule\", Allow, Heuristic;"]);
        assert_eq!(after.replace(&format!("{}\n", new[0]), ""), before, "nothing else changes");
        let refused = start(root.path(), "new-rule").unwrap_err();
        assert_eq!(refused.to_string(), "`lints/src/rules/new_rule.rs` exists");
    }

    #[test]
    fn names_are_checked() {
        let root = repository();
        for name in ["NewRule", "new_rule", "", "-new", "new--rule", "../new", "9new"] {
            let refused = start(root.path(), name).unwrap_err();
            assert!(refused.to_string().contains("is not the name of a rule"), "{refused}");
        }
    }
}
