//! The text of a workspace's first policy.

use super::libraries::{Called, HEADING, called};
use crate::{decide, graph::Graph, names::Names, policy::model::Policy};
use isolate_lints::rules::{RULES, Rule, Severity};
use std::{collections::BTreeMap, fmt::Write as _};

/// The URL of the policy's schema, for editors.
const SCHEMA: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/raw/main/docs/policy.schema.json");

/// How the first policy accommodates existing findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ratchet {
    /// Rules with findings are `warn`, and maxima allow for the existing unsafe code.
    Counts,
    /// A baseline lists each finding, and every rule is `deny`.
    Baseline,
}

pub(super) fn policy(graph: &Graph, ratchet: Ratchet) -> String {
    let baseline = match ratchet {
        Ratchet::Counts => {
            "# Known findings, which `check` ignores, where there are too many to fix at once: `cargo isolate baseline` writes the file,\n\
             # and `cargo isolate init --baseline` starts with one.\n\
             # [check]\n# baseline = \"isolate-baseline.txt\"\n"
        }
        Ratchet::Baseline => {
            "# Known findings, which `check` ignores. `cargo isolate baseline` removes those that are gone.\n\
             [check]\nbaseline = \"isolate-baseline.txt\"\n"
        }
    };
    let expand = match graph.expanded {
        true => {
            "\n# Build first (`cargo check` into target/isolate), which runs build scripts, to see the bindings that they write.\n\
             expand = true\n"
        }
        false => "",
    };
    let mut text = format!(
        "#:schema {SCHEMA}\n\
         # What this workspace decided about its unsafe and foreign code. `cargo isolate check` enforces it;\n\
         # docs/policy.md of cargo-isolate describes every key.\n\
         version = 1\n{expand}\n{baseline}"
    );
    let names = Names::new(graph);
    rules_section(&names, ratchet, &mut text);
    crates_section(graph, ratchet, &mut text);
    domains_section(&names, &mut text);
    text
}

/// The number of findings of each rule that has any.
pub(super) fn finding_counts(names: &Names<'_>) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for found in decide::findings(names, &Policy::default()) {
        *counts.entry(found.finding.rule).or_default() += 1;
    }
    counts
}

/// `deny` for a rule without findings, `warn` for one with findings, and `allow` for one that is off by default.
pub(super) fn severity(rule: &Rule, count: Option<usize>) -> Severity {
    match (rule.default, count) {
        (Severity::Allow, _) => Severity::Allow,
        (_, None) => Severity::Deny,
        (_, Some(_)) => Severity::Warn,
    }
}

fn rules_section(names: &Names<'_>, ratchet: Ratchet, text: &mut String) {
    let counts = finding_counts(names);
    let denied = match ratchet {
        Ratchet::Counts => "What the code already keeps to is `deny`; tighten the rest as it gets better.",
        Ratchet::Baseline => "What the baseline knows is let be, whatever it breaks.",
    };
    let _ = write!(
        text,
        "\n# allow | warn | deny. {denied}\n\
         # `allow` are rules that are wrong at times, or a matter of taste.\n\
         # `cargo isolate explain RULE` says what a rule is about.\n[rules]\n",
    );
    for rule in RULES {
        let count = counts.get(rule.name).copied();
        let found = count.map(|count| format!("  # {count} found")).unwrap_or_default();
        let severity = severity(rule, count.filter(|_| ratchet == Ratchet::Counts));
        let _ = writeln!(text, "{} = \"{severity}\"{found}", rule.name);
    }
    text.push_str(
        "\n# A rule that does not hold at a place:\n# [[exception]]\n# rule = \"static-mut\"\n\
         # at = \"mycrate::legacy::*\"          # crate::module::function, as a glob\n\
         # reason = \"single-threaded tool, removed with v2\"\n# until = 2027-01-31                  # last day it holds\n",
    );
}

/// Limits each member to the unsafe code that it has.
fn crates_section(graph: &Graph, ratchet: Ratchet, text: &mut String) {
    text.push_str(
        "\n# \"forbid\", \"allow\" or { max = N }: how many unsafe constructs a package may have. `*` is all others.\n",
    );
    for package in graph.packages.iter().filter(|package| package.selected) {
        let name = &package.name;
        if package.has_unseen_items() {
            let _ = writeln!(
                text,
                "# Without what the build script of `{name}` writes, which was not seen: with `expand = true` it is."
            );
        }
        let _ = match (decide::unsafe_count(package), ratchet) {
            // With `--expand` it may turn out to be more.
            (0, _) if package.has_unseen_items() => writeln!(text, "[crates.{name}]\nunsafe = {{ max = 0 }}"),
            (0, _) => writeln!(text, "[crates.{name}]\nunsafe = \"forbid\""),
            (count, Ratchet::Counts) => writeln!(text, "[crates.{name}]\nunsafe = {{ max = {count} }}"),
            (count, Ratchet::Baseline) => writeln!(text, "# {name}: {count}, which the baseline knows one by one"),
        };
    }
}

fn domains_section(names: &Names<'_>, text: &mut String) {
    let Called { proposals, left_out } = called(names);
    if !proposals.is_empty() || !left_out.is_empty() {
        text.push_str(HEADING);
        proposals.iter().for_each(|proposal| text.push_str(&proposal.text()));
        left_out.iter().for_each(|left_out| text.push_str(&left_out.to_string()));
    }
}
