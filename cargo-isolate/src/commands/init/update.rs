//! Updates an existing policy. The text is edited, so that comments, order and layout are kept.

use super::{
    libraries::{HEADING, called},
    text::{finding_counts, severity},
};
use crate::{
    decide,
    graph::{Graph, Package},
    names::Names,
    policy::model::Policy,
};
use isolate_lints::rules::{RULES, Severity};
use std::collections::BTreeMap;
use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value, value};

/// The updated text, and a line for each change. Updating is idempotent.
///
/// # Errors
///
/// If the text is not TOML or one of these keys is not a table, which cannot be the case for a policy that was loaded.
pub(super) fn update(
    text: &str,
    graph: &Graph,
    members: &BTreeMap<String, Policy>,
) -> Result<(String, Vec<String>), String> {
    let (mark, body) = text.strip_prefix('\u{feff}').map_or(("", text), |body| ("\u{feff}", body));
    let mut document: DocumentMut = body.parse().map_err(|error: toml_edit::TomlError| error.to_string())?;
    let mut changes = Vec::new();
    let names = Names::new(graph);
    rules(table(&mut document, "rules")?, &names, members, &mut changes);
    let has_baseline = document.get("check").and_then(|check| check.get("baseline")).is_some();
    let own = |package: &Package| members.get(&package.name).and_then(|policy| policy.limit(package));
    let own = |package: &Package| own(package).map(|limit| limit.get_ref().most());
    crates(table(&mut document, "crates")?, graph, has_baseline, &own, &mut changes);
    let mut after = document.to_string();
    domains(&mut after, &names, &mut changes);
    if changes.is_empty() {
        return Ok((text.to_owned(), changes));
    }
    // `toml_edit` only writes line feeds.
    let after = after.replace("\r\n", "\n");
    let after = if text.contains("\r\n") { after.replace('\n', "\r\n") } else { after };
    Ok((format!("{mark}{after}"), changes))
}

/// A table of the policy, created if necessary. It is implicit, so that it leaves no trace if it stays empty.
fn table<'d>(document: &'d mut DocumentMut, name: &str) -> Result<&'d mut dyn TableLike, String> {
    let item = document.entry(name).or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    item.as_table_like_mut().ok_or_else(|| format!("`{name}` is no table"))
}

/// Adds rules that the policy does not mention, with the strictest severity that the code already meets. It is no
/// stricter than what a member's own policy states for the rule, since that policy would then loosen it.
fn rules(rules: &mut dyn TableLike, names: &Names<'_>, members: &BTreeMap<String, Policy>, changes: &mut Vec<String>) {
    let counts = finding_counts(names);
    for rule in RULES {
        if rules.contains_key(rule.name) {
            continue;
        }
        let count = counts.get(rule.name).copied();
        let named = members.values().flat_map(|policy| &policy.rules);
        let named = named.filter(|(name, _)| name.get_ref().0 == rule.name).map(|(_, severity)| *severity.get_ref());
        let severity = named.fold(severity(rule, count), Severity::min).to_string();
        changes.push(format!("added {} = \"{severity}\"", rule.name));
        let mut severity = Value::from(severity);
        if let Some(count) = count {
            severity.decor_mut().set_suffix(format!("  # {count} found"));
        }
        rules.insert(rule.name, Item::Value(severity));
    }
}

/// Adds entries for members without one, with the amount of unsafe code that they have, unless a baseline covers it.
/// Lowers the maxima of the others, but not below what the member's own policy (`own`) allows.
fn crates(
    crates: &mut dyn TableLike,
    graph: &Graph,
    has_baseline: bool,
    own: &dyn Fn(&Package) -> Option<usize>,
    changes: &mut Vec<String>,
) {
    for package in graph.packages.iter().filter(|package| package.selected && package.is_complete()) {
        let count = decide::unsafe_count(package);
        match crates.get_mut(&package.name) {
            // With `--expand` the maximum may be needed.
            Some(_) if package.has_unseen_items() => {}
            Some(entry) => lower(entry, package, own(package).map_or(count, |own| count.max(own)), changes),
            None if own(package).is_some() => {}
            None if count > 0 && has_baseline => {}
            None => {
                let limit = match count {
                    0 => Value::from("forbid"),
                    count => Value::InlineTable(InlineTable::from_iter([("max", count as i64)])),
                };
                changes.push(format!("added [crates.{}] unsafe = {limit}", package.name));
                let mut entry = Table::new();
                entry.insert("unsafe", value(limit));
                crates.insert(&package.name, Item::Table(entry));
            }
        }
    }
}

fn lower(entry: &mut Item, package: &Package, count: usize, changes: &mut Vec<String>) {
    let limit = entry.as_table_like_mut().and_then(|entry| entry.get_mut("unsafe"));
    let max =
        limit.and_then(Item::as_table_like_mut).and_then(|limit| limit.get_mut("max")).and_then(Item::as_value_mut);
    let Some(max) = max else { return };
    let Some(before) = max.as_integer().filter(|before| *before > count as i64) else { return };
    let decor = max.decor().clone();
    *max = Value::from(count as i64);
    *max.decor_mut() = decor;
    changes.push(format!("lowered the maximum of `{}` from {before} to {count}", package.name));
}

/// Appends proposals for libraries that the policy does not mention in a domain or comment.
fn domains(text: &mut String, names: &Names<'_>, changes: &mut Vec<String>) {
    for proposal in called(names).proposals {
        if text.contains(&format!("library = \"{}\"", proposal.library)) {
            continue;
        }
        if !text.contains(HEADING.trim_start()) {
            text.push_str(HEADING);
        }
        text.push_str(&proposal.text());
        changes.push(format!("proposed a domain for `{}`, as a comment", proposal.library));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    const SOURCES: &str = "
//- app/src/lib.rs
pub fn f(p: *const u8) -> u8 { unsafe { z_sys::crc32(0, 0) }; unsafe { *p } }
//- z-sys/src/lib.rs
unsafe extern \"C\" { pub fn crc32(crc: u32, value: u32) -> u32; }
";

    /// Updates once, and checks that a second update changes nothing.
    #[track_caller]
    fn check(name: &str, text: &str) {
        let graph = fixture::graph(SOURCES);
        let (after, changes) = update(text, &graph, &BTreeMap::new()).unwrap();
        let (again, nothing) = update(&after, &graph, &BTreeMap::new()).unwrap();
        assert_eq!((again.as_str(), nothing.as_slice()), (after.as_str(), &[][..]));
        insta::assert_snapshot!(name, format!("{after}\n---\n{}", changes.join("\n")));
    }

    /// A file written by a Windows editor keeps its line endings and byte order mark.
    #[test]
    fn line_ends_and_the_mark_before_them_stay() {
        let graph = fixture::graph(SOURCES);
        let text =
            "\u{feff}# Ours.\r\nversion = 1  # one\r\n\r\n[crates]\r\n# of app\r\napp = { unsafe = { max = 7 } }\r\n";
        let (after, changes) = update(text, &graph, &BTreeMap::new()).unwrap();
        assert!(!changes.is_empty() && after.starts_with("\u{feff}# Ours.\r\nversion = 1  # one\r\n"), "{after:?}");
        assert!(
            after.lines().count() > 10 && after.matches('\n').count() == after.matches("\r\n").count(),
            "{after:?}"
        );
        assert_eq!(update(&after, &graph, &BTreeMap::new()).unwrap(), (after, Vec::new()));
    }

    #[test]
    fn an_update_adds_and_lowers() {
        check("from_nothing", "version = 1\n");
        check(
            "keeps_what_is_there",
            "# Ours.\nversion = 1  # one\n\n[rules]  # how strict\nstatic-mut = \"allow\"  # for now\nextern-block = 'deny'\n\n[crates]\napp = { unsafe = { max = 7 } }  # falls\n\n[[exception]]\nrule = \"static-mut\"\nat = \"app::*\"\nreason = \"x\"\n",
        );
        check("beside_a_baseline", "version = 1\n[check]\nbaseline = \"known.txt\"\n[rules]\n");
        check(
            "dotted",
            "version = 1\nrules.static-mut = \"deny\"\ncrates.app.unsafe = { max = 1 }\n# library = \"z-sys\"\n",
        );
    }
}
