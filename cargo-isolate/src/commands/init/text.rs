//! The first policy of a workspace, as text.

use super::libraries::{HEADING, proposals};
use crate::{
    decide,
    graph::{Graph, Package},
    policy::model::Policy,
};
use isolate_lints::rules::{RULES, Rule, Severity};
use std::{collections::BTreeMap, fmt::Write as _};

/// Where editors find what a policy is made of.
const SCHEMA: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/raw/main/docs/policy.schema.json");

pub(super) fn policy(graph: &Graph) -> String {
    let mut text = format!(
        "#:schema {SCHEMA}\n\
         # What this workspace decided about its unsafe and foreign code. `cargo isolate check` enforces it;\n\
         # docs/policy.md of cargo-isolate describes every key.\n\
         version = 1\n\n\
         # Findings that are known and let be, where there are too many to fix at once. `cargo isolate baseline` writes the file.\n\
         # [check]\n# baseline = \"isolate-baseline.txt\"\n"
    );
    rules_section(graph, &mut text);
    crates_section(graph, &mut text);
    domains_section(graph, &mut text);
    text
}

/// How many findings each rule has; rules without are absent.
pub(super) fn finding_counts(graph: &Graph) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for found in decide::findings(graph, &Policy::default()) {
        *counts.entry(found.finding.rule).or_default() += 1;
    }
    counts
}

/// `deny` for what is not there yet, `warn` for what is, and nothing that is not asked for by default.
pub(super) fn severity(rule: &Rule, count: Option<usize>) -> Severity {
    match (rule.default, count) {
        (Severity::Allow, _) => Severity::Allow,
        (_, None) => Severity::Deny,
        (_, Some(_)) => Severity::Warn,
    }
}

fn rules_section(graph: &Graph, text: &mut String) {
    let counts = finding_counts(graph);
    text.push_str(
        "\n# allow | warn | deny. What the code already keeps to is `deny`; tighten the rest as it gets better.\n\
         # `allow` are rules that are wrong at times, or a matter of taste.\n\
         # `cargo isolate explain RULE` says what a rule is about.\n[rules]\n",
    );
    for rule in RULES {
        let count = counts.get(rule.name).copied();
        let found = count.map(|count| format!("  # {count} found")).unwrap_or_default();
        let _ = writeln!(text, "{} = \"{}\"{found}", rule.name, severity(rule, count));
    }
    text.push_str(
        "\n# A rule that does not hold at a place:\n# [[exception]]\n# rule = \"static-mut\"\n\
         # at = \"mycrate::legacy::*\"          # crate::module::function, as a glob\n\
         # reason = \"single-threaded tool, removed with v2\"\n# until = 2027-01-31                  # last day it holds\n",
    );
}

/// No member gets more unsafe code than it has.
fn crates_section(graph: &Graph, text: &mut String) {
    text.push_str(
        "\n# \"forbid\", \"allow\" or { max = N }: how many unsafe constructs a package may have. `*` is all others.\n",
    );
    for package in graph.packages.iter().filter(|package| package.selected) {
        let _ = writeln!(text, "[crates.{}]\nunsafe = {}", package.name, limit(package));
    }
}

/// As much as it has.
fn limit(package: &Package) -> String {
    match decide::unsafe_count(package) {
        0 => "\"forbid\"".to_owned(),
        count => format!("{{ max = {count} }}"),
    }
}

fn domains_section(graph: &Graph, text: &mut String) {
    let proposals = proposals(graph);
    if !proposals.is_empty() {
        text.push_str(HEADING);
        proposals.iter().for_each(|proposal| text.push_str(&proposal.text()));
    }
}
