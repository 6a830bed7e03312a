//! The policy's exceptions, and whether they were needed.

use super::{Found, Remark};
use crate::{
    glob::Glob,
    graph::Graph,
    policy::{PolicyError, day::Day, model::Policy},
};
use isolate_lints::rules::Severity;
use std::ops::Range;

pub(crate) struct Exceptions<'p> {
    exceptions: Vec<Use<'p>>,
    today: Day,
}

struct Use<'p> {
    rule: &'p str,
    at: &'p Glob,
    until: Option<(Day, Range<usize>)>,
    used: bool,
    span: Range<usize>,
}

impl<'p> Exceptions<'p> {
    pub(crate) fn new(policy: &'p Policy, today: Day) -> Exceptions<'p> {
        let exceptions = policy.exception.iter().map(|exception| {
            let of = exception.get_ref();
            Use {
                rule: of.rule.get_ref().0,
                at: of.at.get_ref(),
                until: of.until.as_ref().map(|until| (*until.get_ref(), until.span())),
                used: false,
                span: of.at.span(),
            }
        });
        Exceptions { exceptions: exceptions.collect(), today }
    }

    /// Whether an unexpired exception covers a finding. Every exception that matches counts as used, expired or not.
    pub(super) fn cover(&mut self, graph: &Graph, found: &Found) -> bool {
        let package = &graph.packages[found.package];
        let place = package.place(&package.files[found.file], &found.finding.scope);
        self.covers(found.finding.rule, &package.name, &place)
    }

    /// Like [`Exceptions::cover`], for a place given by its path.
    pub(crate) fn covers(&mut self, rule: &str, package: &str, place: &str) -> bool {
        let in_package = format!("{package}/{place}");
        let mut covered = false;
        for exception in self.exceptions.iter_mut().filter(|exception| exception.rule == rule) {
            if exception.at.is_match(place) || exception.at.is_match(&in_package) {
                exception.used = true;
                covered |= exception.until.as_ref().is_none_or(|(until, _)| self.today <= *until);
            }
        }
        covered
    }

    /// Remarks about expired and unused exceptions. An exception counts as unused only if `judged` says that all
    /// possible findings of its rule at its place were present.
    pub(super) fn remarks(self, judged: impl Fn(&str, &Glob) -> bool) -> Vec<Remark> {
        let today = self.today;
        let remark = |Use { rule, at, until, used, span }| match until {
            Some((until, place)) if until < today => {
                let help = if used { "fix what it covers, or renew it with a reason" } else { "remove it" };
                let error = PolicyError::new(place, format!("this exception held until {until}")).help(help);
                Some(Remark { severity: Severity::Deny, error })
            }
            _ if !used && judged(rule, at) => {
                let message = format!("this exception from `{rule}` covers nothing");
                let error = PolicyError::new(span, message).help("remove it");
                Some(Remark { severity: Severity::Warn, error })
            }
            _ => None,
        };
        self.exceptions.into_iter().filter_map(remark).collect()
    }
}
