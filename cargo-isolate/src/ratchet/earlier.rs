//! What a check leaves alone: the findings of a baseline, and those of an earlier commit.

use super::{Comparison, Entry, State, base::Base, baseline::Line, concerning, constructs, git::Commit, rule_findings};
use crate::{
    decide::{self, Remark},
    graph::Graph,
    policy::{Loaded, PolicyError, day::Day},
    report::{
        self,
        diagnostic::{Diagnostic, Origin},
        fingerprint::Fingerprint,
        model::Known,
    },
    words::some,
    wrap::mark_generated,
};
use camino::Utf8PathBuf;
use isolate_lints::rules::Severity;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

/// One or both of them.
#[derive(Debug, Default)]
pub(crate) struct Earlier {
    pub(crate) baseline: Option<Baseline>,
    pub(crate) base: Option<Before>,
}

/// The findings that a baseline names.
#[derive(Debug)]
pub(crate) struct Baseline {
    /// As reports show it.
    pub(crate) path: Utf8PathBuf,
    /// With their places among the texts of the policy.
    pub(crate) lines: Vec<Line>,
}

/// The findings of an earlier commit.
#[derive(Debug)]
pub(crate) struct Before {
    commit: Commit,
    entries: Vec<Entry>,
    /// By name: how many unsafe constructs a package had.
    unsafe_counts: BTreeMap<String, usize>,
}

impl Before {
    /// What the present policy finds in the earlier code.
    ///
    /// # Errors
    ///
    /// A source file is not any more what was scanned.
    pub(crate) fn new(base: Base, policy: &Loaded, today: Day) -> io::Result<Before> {
        let mut before = Before { commit: base.commit, entries: Vec::new(), unsafe_counts: BTreeMap::new() };
        let Some(mut graph) = base.graph else { return Ok(before) };
        mark_generated(&mut graph, policy);
        let audit = report::audit(&graph)?;
        before.entries.extend(constructs(&graph, &audit.diagnostics).map(Entry::of));
        let verdict = decide::decide(&graph, policy, decide::findings(&graph, &policy.policy), today, false);
        before.entries.extend(rule_findings(&report::check(&graph, policy, &verdict, audit)?).map(Entry::of));
        for package in &graph.packages {
            let most = before.unsafe_counts.entry(package.name.clone()).or_default();
            *most = decide::unsafe_count(package).max(*most);
        }
        Ok(before)
    }
}

impl Earlier {
    /// Findings of now beside the earlier ones.
    pub(crate) fn compare<'d>(&self, graph: &Graph, now: impl Iterator<Item = &'d Diagnostic>) -> Compared {
        let now: Vec<Entry> = now.map(Entry::of).collect();
        let lines = self.baseline.as_ref().map(|baseline| baseline.lines.iter().map(|(entry, _)| entry));
        let known = lines.map(|entries| entries.filter(|entry| concerning(graph, entry)).cloned());
        Compared {
            baseline: known.map(|known| Comparison::new(known, now.clone())),
            base: self.base.as_ref().map(|base| Comparison::new(base.entries.clone(), now.clone())),
            now: now.into_iter().map(|entry| entry.fingerprint).collect(),
        }
    }

    /// A remark about the policy that was as true of the commit is a warning at most.
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

    /// What is to say about the baseline: that it names what is gone, or has moved or changed.
    pub(crate) fn remark(&self, constructs: &Compared, rules: &Compared) -> Option<Remark> {
        let (baseline, constructs, rules) =
            (self.baseline.as_ref()?, constructs.baseline.as_ref()?, rules.baseline.as_ref()?);
        let gone: Vec<&Entry> = constructs.gone.iter().filter(|entry| rules.gone.contains(entry)).collect();
        let other = |state| constructs.count(state).max(rules.count(state));
        let parts = [(gone.len(), "gone"), (other(State::Moved), "moved"), (other(State::Changed), "changed")];
        let parts: Vec<_> = parts.into_iter().filter(|(count, _)| *count > 0).collect();
        let (count, what) = parts.first()?;
        let rest = parts[1..].iter().map(|(count, what)| format!(", {count} {what}"));
        let parts = format!("{} {what}{}", some(*count, "finding"), rest.collect::<String>());
        let first = baseline.lines.iter().find(|(entry, _)| gone.contains(&entry));
        let span = first.or(baseline.lines.first()).map_or(0..0, |(_, span)| span.clone());
        let what = if gone.is_empty() { "renewed" } else { "lowered" };
        let message = format!("the baseline can be {what}: {parts}");
        let error = PolicyError::new(span, message).help("`cargo isolate baseline` does it; commit the result");
        let error = if gone.is_empty() { error } else { error.label("gone") };
        Some(Remark { severity: Severity::Warn, error })
    }

    /// What a report says of them.
    pub(crate) fn known(&self, constructs: &Compared, rules: &Compared) -> Known {
        let let_be = |compared: &Compared| {
            compared.now.iter().copied().filter(|fingerprint| compared.lets_be(*fingerprint)).collect::<BTreeSet<_>>()
        };
        Known {
            baseline: self.baseline.as_ref().map(|baseline| baseline.path.clone()),
            diff_base: self.base.as_ref().map(|base| base.commit.name.clone()),
            commit: self.base.as_ref().map(|base| base.commit.hash.clone()),
            findings: let_be(constructs).union(&let_be(rules)).count(),
        }
    }
}

/// Findings of now beside both earlier states.
#[derive(Debug)]
pub(crate) struct Compared {
    baseline: Option<Comparison>,
    base: Option<Comparison>,
    now: BTreeSet<Fingerprint>,
}

impl Compared {
    /// Whether a finding is none of this check's business. The baseline vouches for whatever it counts, edited or not; of a
    /// commit's findings, those that were edited are looked at again.
    pub(crate) fn lets_be(&self, fingerprint: Fingerprint) -> bool {
        let in_baseline = self.baseline.as_ref().is_some_and(|known| known.state(fingerprint) != State::New);
        let in_base =
            self.base.as_ref().is_some_and(|known| matches!(known.state(fingerprint), State::Known | State::Moved));
        in_baseline || in_base
    }

    /// What a construct is to the check: edits show where a commit was compared with.
    pub(crate) fn state(&self, fingerprint: Fingerprint) -> State {
        match self.base.as_ref().map(|base| base.state(fingerprint)) {
            Some(State::Changed) => State::Changed,
            _ if self.lets_be(fingerprint) => State::Known,
            _ => State::New,
        }
    }

    /// Leaves only what is to be judged.
    pub(crate) fn judge(&self, diagnostic: &Diagnostic) -> bool {
        matches!(diagnostic.origin, Origin::Policy(_))
            || diagnostic.code == decide::NEW_UNSAFE
            || !self.lets_be(diagnostic.fingerprint)
    }
}
