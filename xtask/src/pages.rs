//! Writes `docs/rules`: the manual pages of the rules, and a list of them.

use anyhow::Context;
use isolate_lints::rules::{self, Basis, RULES};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

const DIRECTORY: &str = "docs/rules";

/// Writes every page, and removes the pages of rules that no longer exist.
pub(crate) fn write(root: &Path) -> anyhow::Result<()> {
    let directory = root.join(DIRECTORY);
    std::fs::create_dir_all(&directory).with_context(|| format!("cannot make `{DIRECTORY}`"))?;
    let pages = pages();
    for name in present(&directory)?.keys().filter(|name| !pages.contains_key(*name)) {
        std::fs::remove_file(directory.join(name)).with_context(|| format!("cannot remove `{DIRECTORY}/{name}`"))?;
    }
    for (name, text) in pages {
        std::fs::write(directory.join(&name), text).with_context(|| format!("cannot write `{DIRECTORY}/{name}`"))?;
    }
    Ok(())
}

/// The expected files: name → text.
fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::from([("README.md".to_owned(), list())]);
    for rule in RULES {
        pages.insert(format!("{}.md", rule.name), rules::explain(rule.name).unwrap_or_default().to_owned());
    }
    pages
}

fn list() -> String {
    let mut text = String::from(
        "# Rules\n\nWhat `cargo isolate check` looks for. Each page says what a rule reports, why, and what to do instead; \
         `cargo isolate explain RULE`\nprints the same. The severity is the default, which the [policy](../policy.md) can \
         change. Findings of *exact* rules follow from the source\ntext alone. *Heuristic* rules infer them: for each rule, \
         findings drawn at random from 132 packages were judged by hand, and the lists are in\n`tests/judged`. Where fewer \
         than 18 of 20 were right, or there were too few to tell, the default is `allow`: enable the rule where you want it.\n\
         *Policy* rules compare the code with what the policy says about it.\n\n| rule | severity | basis | about |\n|---|---|---|---|\n",
    );
    for rule in RULES {
        let basis = match rule.basis {
            _ if rule.is_made_by_policy() => "policy",
            Basis::Exact => "exact",
            Basis::Heuristic => "heuristic",
        };
        let _ = writeln!(text, "| [{0}]({0}.md) | {1} | {basis} | {2} |", rule.name, rule.default, rule.summary());
    }
    text
}

/// The existing files: name → text.
fn present(directory: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut present = BTreeMap::new();
    for entry in std::fs::read_dir(directory).with_context(|| format!("cannot list `{DIRECTORY}`"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        present
            .insert(name, std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    Ok(present)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_fresh() {
        let present = present(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(DIRECTORY)).unwrap();
        let expected = pages();
        let names = |pages: &BTreeMap<String, String>| pages.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&present), names(&expected), "run `cargo xtask generate`");
        for (name, text) in &expected {
            assert!(present[name] == *text, "{DIRECTORY}/{name} is stale: run `cargo xtask generate`");
        }
    }
}
