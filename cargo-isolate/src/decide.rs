//! Findings → decisions: what the policy says about each.

use crate::{
    graph::{Graph, Package, Role, SourceFile},
    names::Crates,
    policy::{
        PolicyError,
        day::Day,
        model::{Policy, UnsafeLimit},
    },
};
use globset::{Glob, GlobMatcher};
use isolate_lints::{
    facts::Scope,
    resolve::Place,
    rules::{self, Finding, Settings, Severity, Subject},
};
use std::collections::BTreeMap;
use toml::Spanned;

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

/// Holds findings and packages against a policy, and adds the findings that only a policy can make.
pub(crate) fn decide(graph: &Graph, policy: &Policy, mut findings: Vec<Found>, today: Day) -> Verdict {
    findings.extend(forbidden(graph, policy));
    findings.sort_by_key(|found| (found.package, found.file, found.finding.span));
    let mut exceptions = Exceptions::new(policy, today);
    let stated = policy.rules.iter().map(|(name, severity)| (name.get_ref().as_str(), *severity.get_ref()));
    let mut severities: BTreeMap<&str, Severity> = rules::RULES.iter().map(|rule| (rule.name, rule.default)).collect();
    severities.extend(stated);
    let mut decisions = Vec::new();
    for found in findings {
        let severity = severities[found.finding.rule];
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
        let place = place(package, &package.files[found.file], &found.finding.scope);
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
pub(crate) fn place(package: &Package, file: &SourceFile, scope: &Scope) -> String {
    let mut place = match file.krate.is_empty() {
        true => package.name.clone(),
        false => file.module_path(scope),
    };
    if let Some(function) = &scope.function {
        place.push_str("::");
        place.push_str(function);
    }
    place
}

/// What the policy says about the unsafe code of a package, by name or for all others.
fn limit<'p>(policy: &'p Policy, package: &Package) -> Option<&'p Spanned<UnsafeLimit>> {
    let rest = policy.crates.iter().find(|(name, _)| name.get_ref() == "*");
    let own = policy.crates.iter().find(|(name, _)| *name.get_ref() == package.name);
    own.or(rest).and_then(|(_, crate_policy)| crate_policy.unsafe_.as_ref())
}

/// Unsafe constructs of packages that may have none.
fn forbidden(graph: &Graph, policy: &Policy) -> Vec<Found> {
    let mut found = Vec::new();
    for (index, package) in graph.packages.iter().enumerate() {
        if limit(policy, package).is_none_or(|limit| *limit.get_ref() != UnsafeLimit::Forbid) {
            continue;
        }
        let own = package.files.iter().enumerate().filter(|(_, file)| file.role != Role::Generated);
        for (file, source) in own {
            found.extend(source.facts.unsafes.iter().map(|fact| Found {
                package: index,
                file,
                finding: Finding {
                    rule: "forbidden-unsafe",
                    message: format!("{}, where the policy forbids unsafe code", fact.kind.noun()),
                    span: fact.span,
                    scope: fact.scope.clone(),
                    notes: vec![format!("`[crates]` of the policy says so of `{}`", package.name)],
                },
            }));
        }
    }
    found
}

fn excesses(graph: &Graph, policy: &Policy) -> Vec<Excess> {
    let mut excesses = Vec::new();
    for (index, package) in graph.packages.iter().enumerate() {
        let Some(limit) = limit(policy, package) else { continue };
        let UnsafeLimit::Max(max) = *limit.get_ref() else { continue };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    const SOURCES: &str = "
//- app/src/main.rs
fn main() { z_sys::sum(); }
//- z-sys/src/lib.rs
pub fn sum() {
    // SAFETY: nothing to hold.
    unsafe { inner() }
}
/// # Safety
/// Nothing to hold.
unsafe fn inner() {}
";

    #[track_caller]
    fn check(policy: &str, expected: &[&str]) {
        let graph = fixture::graph(SOURCES);
        let policy = fixture::policy(&format!("version = 1\n{policy}"));
        let verdict = decide(&graph, &policy, findings(&graph), "2026-01-31".parse().unwrap());
        let decisions = verdict.decisions.iter().map(|Decision { found, severity }| {
            let file = &graph.packages[found.package].files[found.file].path;
            format!("{severity} {file}:{} {}", found.finding.span.line, found.finding.rule)
        });
        let excesses = verdict
            .excesses
            .iter()
            .map(|excess| format!("{}: {} of {}", graph.packages[excess.package].name, excess.count, excess.max));
        assert_eq!(decisions.chain(excesses).collect::<Vec<_>>(), expected);
    }

    /// Members' rules say nothing about dependencies; a package that must have no unsafe code may be one.
    #[test]
    fn each_forbidden_construct_has_its_place() {
        let both = ["/ws/z-sys/src/lib.rs:3 forbidden-unsafe", "/ws/z-sys/src/lib.rs:7 forbidden-unsafe"];
        check("", &[]);
        check("crates.z-sys.unsafe = \"forbid\"", &both.map(|place| format!("deny {place}")).each_ref().map(|s| &**s));
        check(
            "crates.\"*\".unsafe = \"forbid\"\nrules.forbidden-unsafe = \"warn\"",
            &both.map(|place| format!("warn {place}")).each_ref().map(|s| &**s),
        );
        check("crates.\"*\".unsafe = \"forbid\"\ncrates.z-sys.unsafe = \"allow\"", &[]);
        check("crates.z-sys.unsafe = { max = 1 }", &["z-sys: 2 of 1"]);
    }

    #[test]
    fn a_forbidden_construct_can_be_excepted() {
        check(
            "crates.z-sys.unsafe = \"forbid\"\n[[exception]]\nrule = \"forbidden-unsafe\"\nat = \"z_sys::sum\"\nreason = \"it is asked for\"",
            &["deny /ws/z-sys/src/lib.rs:7 forbidden-unsafe"],
        );
    }
}
