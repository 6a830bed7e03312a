//! The earlier states that a check compares with: a baseline, an earlier commit, or both.

use super::{
    Comparison, Entry, Standing, State, base::Base, baseline::Baseline, compare::Difference, constructs, git::Commit,
    rule_findings,
};
use crate::{
    decide::{self, Remark},
    graph::Graph,
    names::Names,
    policy::{Loaded, PolicyError, day::Day},
    report::{
        self,
        diagnostic::{Diagnostic, Origin},
        fingerprint::Fingerprint,
        model,
    },
    settle::settle,
    terminal::words::some,
};
use camino::Utf8PathBuf;
use isolate_lints::rules::Severity;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

/// How many further findings a remark lists.
const MOST_NAMED: usize = 5;

/// The earlier states, at least one of which is present in a comparison.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    pub(crate) baseline: Option<Known>,
    pub(crate) base: Option<Before>,
}

/// The baseline of a check.
#[derive(Debug)]
pub(crate) struct Known {
    /// The path as reports show it.
    pub(crate) path: Utf8PathBuf,
    /// The baseline; the positions of its lines refer to the texts of the policy.
    pub(crate) baseline: Baseline,
}

/// The findings of an earlier commit.
#[derive(Debug)]
pub(crate) struct Before {
    commit: Commit,
    entries: Vec<Entry>,
    /// The number of unsafe constructs by package name.
    unsafe_counts: BTreeMap<String, usize>,
}

impl Before {
    /// The findings of the present policy in the earlier code.
    ///
    /// # Errors
    ///
    /// If a source file has changed since it was scanned.
    pub(crate) fn new(base: Base, policy: &Loaded, today: Day) -> io::Result<Before> {
        let mut before = Before { commit: base.commit, entries: Vec::new(), unsafe_counts: BTreeMap::new() };
        let Some(mut graph) = base.graph else { return Ok(before) };
        settle(&mut graph, policy);
        let names = Names::new(&graph);
        let audit = report::audit(&names)?;
        before.entries.extend(constructs(&graph, &audit.diagnostics).map(Entry::of));
        let verdict = decide::decide(&graph, policy, decide::findings(&names, &policy.policy), today, false);
        before.entries.extend(rule_findings(&report::check(&graph, policy, &verdict, audit)?).map(Entry::of));
        for package in &graph.packages {
            let most = before.unsafe_counts.entry(package.name.clone()).or_default();
            *most = decide::unsafe_count(package).max(*most);
        }
        Ok(before)
    }
}

impl Earlier {
    /// Compares present findings with the earlier states.
    pub(crate) fn compare<'d>(&self, graph: &Graph, now: impl Iterator<Item = &'d Diagnostic>) -> Compared {
        let now: Vec<Entry> = now.map(Entry::of).collect();
        Compared {
            baseline: self.baseline.as_ref().map(|known| known.baseline.compare(graph, &now)),
            base: self.base.as_ref().map(|base| Comparison::new(base.entries.clone(), now.clone())),
            now: now.into_iter().map(|entry| entry.fingerprint).collect(),
        }
    }

    /// Limits a remark about the policy to a warning if it already applied to the earlier commit.
    pub(crate) fn judge_remark(&self, graph: &Graph, diagnostic: &mut Diagnostic) {
        let (Some(base), Origin::Policy(_)) = (&self.base, diagnostic.origin) else { return };
        let package = graph.packages.iter().find(|package| package.id() == diagnostic.package);
        let grown = package.is_some_and(|package| {
            decide::unsafe_count(package) > base.unsafe_counts.get(&package.name).copied().unwrap_or(0)
        });
        if !grown {
            diagnostic.level = diagnostic.level.max(report::diagnostic::Level::Warning);
        }
    }

    /// A remark about the baseline if it lists findings that are gone, moved or changed, or if it has an old version.
    pub(crate) fn remark(&self, constructs: &Compared, rules: &Compared) -> Option<Remark> {
        let (known, constructs, rules) =
            (self.baseline.as_ref()?, constructs.baseline.as_ref()?, rules.baseline.as_ref()?);
        let mut changes: Vec<(&Entry, &'static str)> = Vec::new();
        changes.extend(constructs.gone.iter().filter(|entry| rules.gone.contains(entry)).map(|entry| (entry, "gone")));
        for (entry, difference) in constructs.differing.iter().chain(&rules.differing) {
            let what = match difference {
                Difference::Fallen(Standing::Dormant) => "dormant now",
                Difference::Fallen(_) => "in tests now",
                Difference::Moved => "moved",
                Difference::Changed => "changed",
                // Reported as a finding.
                Difference::Risen => continue,
            };
            changes.push((entry, what));
        }
        // A construct may also be a finding of a rule.
        changes.sort();
        changes.dedup();
        let kinds = ["gone", "dormant now", "in tests now", "moved", "changed"];
        let counts = kinds.map(|kind| (changes.iter().filter(|(_, what)| *what == kind).count(), kind));
        let lower = counts[..3].iter().any(|(count, _)| *count > 0);
        let mut parts = counts.into_iter().filter(|(count, _)| *count > 0);
        let message = match (parts.next(), &known.baseline.conditions) {
            (Some((count, what)), _) => {
                let rest = parts.map(|(count, what)| format!(", {count} {what}")).collect::<String>();
                let can_be = if lower { "lowered" } else { "renewed" };
                format!("the baseline can be {can_be}: {} {what}{rest}", some(count, "finding"))
            }
            (None, None) => "the baseline is of an older version".to_owned(),
            (None, Some(_)) => return None,
        };
        let lines = &known.baseline.lines;
        let place = |(entry, what): &(&Entry, &'static str)| {
            let (_, span) = lines.iter().find(|(line, _)| line.fingerprint == entry.fingerprint)?;
            Some((span.clone(), format!("{what}: `{}` in `{}`", entry.code, entry.at), *what))
        };
        let mut places: Vec<_> = changes.iter().filter_map(place).collect();
        // In the order of the message, then by line.
        places.sort_by_key(|(span, _, what)| (kinds.iter().position(|kind| kind == what), span.start));
        let first = places.first().map(|(span, _, what)| (span.clone(), *what));
        let (span, label) = first.unwrap_or((lines.first().map_or(0..0, |(_, span)| span.clone()), ""));
        let error = PolicyError::new(span, message);
        let error = if label.is_empty() { error } else { error.label(label) };
        let more = places.len().saturating_sub(1 + MOST_NAMED);
        let others = places.into_iter().skip(1).take(MOST_NAMED).map(|(_, text, _)| text);
        let more = (more > 0).then(|| format!("and {more} more"));
        let old = known.baseline.conditions.is_none().then(|| {
            "a version 1 baseline does not record which code was dormant, nor which uses of macros it covers".to_owned()
        });
        let error =
            error.notes(others.chain(more).chain(old)).help("`cargo isolate baseline` does it; commit the result");
        Some(Remark { severity: Severity::Warn, error })
    }

    /// A description of the earlier states for the report.
    pub(crate) fn known(&self, graph: &Graph, constructs: &Compared, rules: &Compared) -> model::Known {
        let ignored = |compared: &Compared| {
            compared.now.iter().copied().filter(|fingerprint| compared.ignores(*fingerprint)).collect::<BTreeSet<_>>()
        };
        let conditions = self.baseline.as_ref().and_then(|known| known.baseline.conditions.clone());
        model::Known {
            baseline: self.baseline.as_ref().map(|known| known.path.clone()),
            baseline_for: conditions.filter(|conditions| *conditions != graph.conditions),
            diff_base: self.base.as_ref().map(|base| base.commit.name.clone()),
            commit: self.base.as_ref().map(|base| base.commit.hash.clone()),
            findings: ignored(constructs).union(&ignored(rules)).count(),
        }
    }
}

/// Present findings, compared with both earlier states.
#[derive(Debug)]
pub(crate) struct Compared {
    baseline: Option<Comparison>,
    base: Option<Comparison>,
    now: BTreeSet<Fingerprint>,
}

impl Compared {
    /// Whether this check ignores a finding. The baseline covers what it counts even if edited. Of a commit's findings,
    /// edited ones are looked at again.
    pub(crate) fn ignores(&self, fingerprint: Fingerprint) -> bool {
        let is_new = |known: &Comparison| matches!(known.state(fingerprint), State::New | State::Risen(_));
        let in_baseline = self.baseline.as_ref().is_some_and(|known| !is_new(known));
        let in_base =
            self.base.as_ref().is_some_and(|known| matches!(known.state(fingerprint), State::Known | State::Moved));
        in_baseline || in_base
    }

    /// The state of a construct. Edits are reported in comparison with a commit.
    pub(crate) fn state(&self, fingerprint: Fingerprint) -> State {
        let of = |earlier: &Option<Comparison>| earlier.as_ref().map(|earlier| earlier.state(fingerprint));
        match (of(&self.base), of(&self.baseline)) {
            (Some(State::Changed), _) => State::Changed,
            _ if self.ignores(fingerprint) => State::Known,
            (Some(risen @ State::Risen(_)), _) | (_, Some(risen @ State::Risen(_))) => risen,
            _ => State::New,
        }
    }

    /// Whether a diagnostic is to be reported.
    pub(crate) fn judge(&self, diagnostic: &Diagnostic) -> bool {
        matches!(diagnostic.origin, Origin::Policy(_))
            || diagnostic.code == decide::NEW_UNSAFE
            || !self.ignores(diagnostic.fingerprint)
    }
}
