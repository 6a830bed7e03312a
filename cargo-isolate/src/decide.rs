//! Findings → decisions: what the policy says about each.

use crate::{
    graph::{Graph, Package, Role, SourceFile},
    names::Crates,
    policy::{
        PolicyError,
        day::Day,
        model::{Policy, Severity, UnsafeLimit},
    },
};
use globset::{Glob, GlobMatcher};
use isolate_lints::{
    resolve::Place,
    rules::{self, Finding, Settings, Subject},
};
use std::collections::BTreeMap;

/// What the rules found in one file of a member.
pub(crate) struct Found {
    /// Index of the package in the graph, and of the file in the package.
    pub(crate) package: usize,
    pub(crate) file: usize,
    pub(crate) finding: Finding,
}

/// A finding with what the policy says about it.
pub(crate) struct Decision {
    pub(crate) found: Found,
    pub(crate) severity: Severity,
}

/// What a policy makes of a workspace.
pub(crate) struct Verdict {
    /// Findings that count, in the order of the files.
    pub(crate) decisions: Vec<Decision>,
    /// Packages with more unsafe code than the policy lets them have.
    pub(crate) excesses: Vec<Excess>,
    /// Parts of the policy that changed nothing or no longer hold.
    pub(crate) remarks: Vec<PolicyError>,
}

/// A package with more unsafe code than it may have.
pub(crate) struct Excess {
    pub(crate) package: usize,
    pub(crate) count: usize,
    /// 0 for `forbid`.
    pub(crate) max: usize,
    /// Where the policy says so.
    pub(crate) span: std::ops::Range<usize>,
}

/// What all rules find in the selected members.
pub(crate) fn findings(graph: &Graph) -> Vec<Found> {
    let crates = Crates::new(graph);
    let calls = crates.foreign_calls();
    let settings = Settings::default();
    let mut found = Vec::new();
    for (krate, of_crate) in crates.crates.iter().enumerate() {
        for (position, of_file) in of_crate.files.iter().enumerate() {
            let place = Place { krate, file: position };
            let (package, file) = crates.origin(place);
            let role = graph.packages[package].files[file].role;
            if !graph.packages[package].selected || role == Role::Generated {
                continue;
            }
            let start = calls.partition_point(|call| call.caller < place);
            let end = calls.partition_point(|call| call.caller <= place);
            let calls = &calls[start..end];
            let subject = Subject { place, module: of_file.module, facts: of_file.facts, calls, settings: &settings };
            found.extend(rules::check(&subject).into_iter().map(|finding| Found { package, file, finding }));
        }
    }
    found.sort_by_key(|found| (found.package, found.file, found.finding.span));
    found
}

/// The severity of a rule that the policy does not mention.
pub(crate) const DEFAULT: Severity = Severity::Warn;

/// Holds findings and packages against a policy.
pub(crate) fn decide(graph: &Graph, policy: &Policy, findings: Vec<Found>, today: Day) -> Verdict {
    let mut exceptions = Exceptions::new(policy, today);
    let severities: BTreeMap<&str, Severity> =
        policy.rules.iter().map(|(name, severity)| (name.get_ref().as_str(), *severity.get_ref())).collect();
    let mut decisions = Vec::new();
    for found in findings {
        let severity = severities.get(found.finding.rule).copied().unwrap_or(DEFAULT);
        if exceptions.cover(graph, &found) || severity == Severity::Allow {
            continue;
        }
        decisions.push(Decision { found, severity });
    }
    Verdict { decisions, excesses: excesses(graph, policy), remarks: exceptions.remarks() }
}

/// The policy's exceptions, and which of them were of use.
struct Exceptions<'p> {
    rules: Vec<ExceptionUse<'p>>,
    today: Day,
}

struct ExceptionUse<'p> {
    rule: &'p str,
    at: Option<GlobMatcher>,
    until: Option<Day>,
    used: bool,
    span: std::ops::Range<usize>,
}

impl<'p> Exceptions<'p> {
    fn new(policy: &'p Policy, today: Day) -> Exceptions<'p> {
        let exceptions = policy.exception.iter().map(|exception| {
            let of = exception.get_ref();
            ExceptionUse {
                rule: of.rule.get_ref(),
                at: Glob::new(of.at.get_ref()).ok().map(|glob| glob.compile_matcher()),
                until: of.until.as_ref().and_then(|until| Day::try_from(until.get_ref()).ok()),
                used: false,
                span: of.at.span(),
            }
        });
        Exceptions { rules: exceptions.collect(), today }
    }

    /// Whether an exception that still holds covers a finding; each that does counts as used.
    fn cover(&mut self, graph: &Graph, found: &Found) -> bool {
        let package = &graph.packages[found.package];
        let place = place(package, &package.files[found.file], &found.finding);
        let in_package = format!("{}/{place}", package.name);
        let mut covered = false;
        for exception in self.rules.iter_mut().filter(|exception| exception.rule == found.finding.rule) {
            if exception.at.as_ref().is_some_and(|at| at.is_match(&place) || at.is_match(&in_package)) {
                exception.used = true;
                covered |= exception.until.is_none_or(|until| self.today <= until);
            }
        }
        covered
    }

    fn remarks(self) -> Vec<PolicyError> {
        let today = self.today;
        let remark = |exception: ExceptionUse<'_>| match exception.until {
            Some(until) if until < today && exception.used => Some(
                PolicyError::new(exception.span, format!("this exception held until {until}"))
                    .help("fix what it covers, or renew it with a reason"),
            ),
            _ if !exception.used => Some(
                PolicyError::new(exception.span, format!("this exception from `{}` covers nothing", exception.rule))
                    .help("remove it"),
            ),
            _ => None,
        };
        self.rules.into_iter().filter_map(remark).collect()
    }
}

/// What `at` of an exception is matched with, bare or after `package/`: `crate::module::function`.
pub(crate) fn place(package: &Package, file: &SourceFile, finding: &Finding) -> String {
    let mut place = match file.krate.is_empty() {
        true => package.name.clone(),
        false => file.module_path(&finding.scope),
    };
    if let Some(function) = &finding.scope.function {
        place.push_str("::");
        place.push_str(function);
    }
    place
}

fn excesses(graph: &Graph, policy: &Policy) -> Vec<Excess> {
    let rest = policy.crates.iter().find(|(name, _)| name.get_ref() == "*");
    let mut excesses = Vec::new();
    for (index, package) in graph.packages.iter().enumerate() {
        let own = policy.crates.iter().find(|(name, _)| *name.get_ref() == package.name);
        let Some(limit) = own.or(rest).and_then(|(_, crate_policy)| crate_policy.unsafe_.as_ref()) else {
            continue;
        };
        let max = match limit.get_ref() {
            UnsafeLimit::Allow => continue,
            UnsafeLimit::Forbid => 0,
            UnsafeLimit::Max(max) => *max,
        };
        let count = unsafe_count(package);
        if count > max {
            excesses.push(Excess { package: index, count, max, span: limit.span() });
        }
    }
    excesses
}

/// Unsafe constructs of a package, in whatever it is built of; generated wrappers are the policy's own doing.
pub(crate) fn unsafe_count(package: &Package) -> usize {
    let own = package.files.iter().filter(|file| file.role != Role::Generated);
    own.map(|file| file.facts.unsafes.len()).sum()
}
