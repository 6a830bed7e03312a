//! Findings → decisions: what the policy says about each finding.

mod exceptions;
mod settings;

use crate::{
    glob::Glob,
    graph::{Graph, Package, Role},
    names::Names,
    policy::{
        self, Loaded, PolicyError,
        day::Day,
        model::{Policy, UnsafeLimit},
    },
};
pub(crate) use exceptions::Exceptions;
use isolate_lints::{
    facts::Span,
    project::Project,
    resolve::Place,
    rules::{self, Finding, Severity},
};
use settings::settings;
use std::{collections::HashMap, sync::Arc};

/// A finding of a rule in a file of a member.
pub(crate) struct Found {
    /// Index of the package in the graph, and of the file in the package.
    pub(crate) package: usize,
    pub(crate) file: usize,
    pub(crate) finding: Finding,
    /// The highest severity that the policy can give it.
    pub(crate) most: Severity,
}

/// A finding with the severity that the policy gives it.
pub(crate) struct Decision {
    pub(crate) found: Found,
    pub(crate) severity: Severity,
}

/// The result of applying a policy to a workspace.
pub(crate) struct Verdict {
    /// Findings whose severity is not `allow`, in the order of the files.
    pub(crate) decisions: Vec<Decision>,
    /// Packages with more unsafe code than the policy permits.
    pub(crate) excesses: Vec<Excess>,
    /// Parts of the policy that have no effect or have expired.
    pub(crate) remarks: Vec<Remark>,
}

/// A remark about a part of the policy.
pub(crate) struct Remark {
    pub(crate) severity: Severity,
    pub(crate) error: PolicyError,
}

/// A package with more unsafe code than the policy permits.
pub(crate) struct Excess {
    pub(crate) package: usize,
    pub(crate) count: usize,
    pub(crate) max: usize,
    /// Position of the limit in the policy.
    pub(crate) span: std::ops::Range<usize>,
}

/// The findings of all rules in the selected members. Of the policy, they only depend on what it isolates.
pub(crate) fn findings(names: &Names<'_>, policy: &Policy) -> Vec<Found> {
    let graph = names.graph;
    let foreign = names.foreign_calls();
    let project = Project::new(names.resolver(), foreign, settings(names, policy));
    let mut found = Vec::new();
    for (krate, of_crate) in names.resolver().crates().iter().enumerate() {
        for file in 0..of_crate.files.len() {
            let place = Place { krate, file };
            let (package, file) = names.origin(place);
            let role = graph.packages[package].files[file].role;
            if !graph.packages[package].selected || role == Role::Generated {
                continue;
            }
            let most = Severity::Deny;
            let source = &graph.packages[package].files[file];
            // Tests and benchmarks may call an isolated function directly, to compare results.
            let compares = |finding: &Finding| {
                finding.rule == BYPASSED_ISOLATION
                    && matches!(source.role_of(&finding.scope.cfgs), Role::Test | Role::Bench)
            };
            let of_file = rules::check(&project, place).into_iter().filter(|finding| !compares(finding));
            found.extend(of_file.map(|finding| Found { package, file, finding, most }));
        }
    }
    found.sort_by_key(|found| (found.package, found.file, found.finding.span));
    found
}

/// Reports each wrapper that differs from what `wrap` writes as a single finding, in place of findings for its calls:
/// nothing guarantees that they enter a domain.
pub(crate) fn stale_wrappers(graph: &Graph, policy: &Policy, stale: &[(usize, usize)], findings: &mut Vec<Found>) {
    if policy.isolate.is_empty() {
        return;
    }
    let is_of_call = |found: &Found| [BYPASSED_ISOLATION, FOREIGN_CALL].contains(&found.finding.rule);
    findings.retain(|found| !is_of_call(found) || !stale.contains(&(found.package, found.file)));
    for &(package, file) in stale.iter().filter(|(package, _)| graph.packages[*package].selected) {
        let finding = Finding {
            rule: BYPASSED_ISOLATION,
            message: "generated file is out of date or was edited, so its calls are not known to enter the domain"
                .to_owned(),
            span: Span { start: 0, end: 0, line: 1, column: 1 },
            scope: Arc::default(),
            notes: Vec::new(),
        };
        findings.push(Found { package, file, finding, most: Severity::Deny });
    }
}

/// The rule for findings that an earlier state of the code did not have.
pub(crate) const NEW_UNSAFE: &str = "new-unsafe";

/// The rule for calls of isolated functions that bypass their wrappers.
pub(crate) const BYPASSED_ISOLATION: &str = "bypassed-isolation";

/// The rule for foreign calls outside wrappers.
const FOREIGN_CALL: &str = "foreign-call";

/// Applies the policies to findings and packages, and adds the findings that only a policy can make. `compared` says
/// whether the findings include those of [`NEW_UNSAFE`].
pub(crate) fn decide(
    graph: &Graph,
    policies: &Loaded,
    mut findings: Vec<Found>,
    today: Day,
    compared: bool,
) -> Verdict {
    findings.extend(forbidden(graph, policies));
    findings.sort_by_key(|found| (found.package, found.file, found.finding.span));
    let mut exceptions = Exceptions::new(&policies.policy, today);
    let (mut decisions, mut severities) = (Vec::new(), HashMap::new());
    for found in findings {
        let (package, rule) = (found.package, found.finding.rule);
        let stated = severities.entry((package, rule));
        let stated = *stated.or_insert_with(|| policies.severity(&graph.packages[package], rule));
        let severity = stated.min(found.most);
        if exceptions.cover(graph, &found) || severity == Severity::Allow {
            continue;
        }
        decisions.push(Decision { found, severity });
    }
    let decisions = report_bypasses_once(decisions);
    let all = graph.packages.iter().all(|package| package.selected || !package.member);
    // Bypassing calls in dependencies are only found by `verify`, so exceptions for them may look unused here.
    let elsewhere = |rule: &str, at: &Glob| rule == BYPASSED_ISOLATION && is_of_dependency(graph, at);
    let mut remarks = exceptions.remarks(|rule, at| all && (compared || rule != NEW_UNSAFE) && !elsewhere(rule, at));
    remarks.extend(slack(graph, policies));
    Verdict { decisions, excesses: excesses(graph, policies), remarks }
}

/// Reports a call that bypasses its wrapper once, although it also is a foreign call, with the stricter of both
/// severities. A macro argument may name several functions at one position of which only some are isolated; those
/// findings stay separate.
fn report_bypasses_once(decisions: Vec<Decision>) -> Vec<Decision> {
    type At = (usize, usize, Span);
    let mut at_place: HashMap<At, [Vec<Severity>; 2]> = HashMap::new();
    let which = |rule: &str| [BYPASSED_ISOLATION, FOREIGN_CALL].iter().position(|name| *name == rule);
    for Decision { found, severity } in &decisions {
        if let Some(which) = which(found.finding.rule) {
            at_place.entry((found.package, found.file, found.finding.span)).or_default()[which].push(*severity);
        }
    }
    at_place.retain(|_, [bypasses, calls]| bypasses.len() == calls.len());
    let told = |decision: Decision| {
        let found = &decision.found;
        let both = at_place.get(&(found.package, found.file, found.finding.span));
        match (which(found.finding.rule), both) {
            (Some(0), Some([_, calls])) => {
                let severity = calls.iter().fold(decision.severity, |most, one| most.max(*one));
                Some(Decision { severity, ..decision })
            }
            (Some(_), Some(_)) => None,
            _ => Some(decision),
        }
    };
    decisions.into_iter().filter_map(told).collect()
}

/// Whether a pattern names a crate or package, and no member of the workspace.
fn is_of_dependency(graph: &Graph, at: &Glob) -> bool {
    let mut of_members = graph.packages.iter().filter(|package| package.member).flat_map(Package::names);
    policy::crate_of(at).is_some_and(|name| of_members.all(|other| other != name))
}

/// The unsafe constructs of packages for which the policy forbids them.
fn forbidden(graph: &Graph, policies: &Loaded) -> Vec<Found> {
    let concerned = graph.concerned();
    let mut found = Vec::new();
    for (index, package) in graph.packages.iter().enumerate().filter(|(index, _)| concerned[*index]) {
        if policies.limit(package).is_none_or(|limit| *limit.get_ref() != UnsafeLimit::Forbid) {
            continue;
        }
        let own = package
            .files
            .iter()
            .enumerate()
            .filter(|(_, file)| !matches!(file.role, Role::Generated | Role::Unreached));
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
                most: Severity::Deny,
            }));
        }
    }
    found
}

fn excesses(graph: &Graph, policies: &Loaded) -> Vec<Excess> {
    let concerned = graph.concerned();
    let mut excesses = Vec::new();
    for (index, package) in graph.packages.iter().enumerate().filter(|(index, _)| concerned[*index]) {
        let Some(limit) = policies.limit(package) else { continue };
        let UnsafeLimit::Max(max) = *limit.get_ref() else { continue };
        let count = unsafe_count(package);
        if count > max {
            excesses.push(Excess { package: index, count, max, span: limit.span() });
        }
    }
    excesses
}

/// Maxima of members that exceed their present amount of unsafe code, which could grow back unnoticed. Packages whose
/// amount is not fully known are left out.
fn slack(graph: &Graph, policies: &Loaded) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let whole = |package: &&Package| package.selected && package.is_complete() && !package.has_unseen_items();
    for package in graph.packages.iter().filter(whole) {
        let count = unsafe_count(package);
        let workspace = (&policies.policy, "`cargo isolate init --update` does it".to_owned());
        let own = policies.member(package).map(|policy| (policy, format!("write `unsafe = {{ max = {count} }}`")));
        for (policy, help) in [workspace].into_iter().chain(own) {
            let Some(limit) = policy.crates.get(&*package.name).and_then(|of_crate| of_crate.unsafe_.as_ref()) else {
                continue;
            };
            let UnsafeLimit::Max(max) = *limit.get_ref() else { continue };
            if max > count {
                let message = format!("the maximum of `{}` can be lowered from {max} to {count}", package.name);
                let error = PolicyError::new(limit.span(), message).help(help);
                remarks.push(Remark { severity: Severity::Warn, error });
            }
        }
    }
    remarks
}

/// The number of unsafe constructs in all of a package except for generated wrappers, which follow from the policy.
pub(crate) fn unsafe_count(package: &Package) -> usize {
    let own = package.files.iter().filter(|file| !matches!(file.role, Role::Generated | Role::Unreached));
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

    const TWO_CALLS: &str = "
//- app/src/main.rs
fn main() {
    // SAFETY: nothing to hold.
    unsafe { z_sys::crc32(1, 2) };
    // SAFETY: nothing to hold.
    unsafe { z_sys::adler32(1, 2) };
}
//- z-sys/src/lib.rs
unsafe extern \"C\" {
    pub fn crc32(crc: u32, value: u32) -> u32;
    pub fn adler32(adler: u32, value: u32) -> u32;
}
";

    #[track_caller]
    fn check(policy: &str, expected: &[&str]) {
        check_of(SOURCES, policy, expected);
    }

    #[track_caller]
    fn check_of(sources: &str, policy: &str, expected: &[&str]) {
        let graph = fixture::graph(sources);
        let policy = Loaded::of_workspace(&format!("version = 1\n{policy}"));
        let verdict = decide(
            &graph,
            &policy,
            findings(&Names::new(&graph), &policy.policy),
            "2026-01-31".parse().unwrap(),
            false,
        );
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

    /// Rules do not cover dependencies, but a package that must have no unsafe code may be one.
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

    /// The single finding has the stricter of both severities. If the policy allows bypasses, the foreign calls are
    /// still reported.
    #[test]
    fn a_bypass_is_told_once() {
        const ISOLATED: &str = "[domain.z]\nlibrary = \"z-sys\"\n[[isolate]]\ndomain = \"z\"\nextern = [\"crc32\"]\n";
        let told = |rules: &str, expected: &[&str]| check_of(TWO_CALLS, &format!("{rules}{ISOLATED}"), expected);
        let other = "warn /ws/app/src/main.rs:5 foreign-call";
        told("", &["deny /ws/app/src/main.rs:3 bypassed-isolation", other]);
        told(
            "rules.bypassed-isolation = \"warn\"\nrules.foreign-call = \"deny\"\n",
            &["deny /ws/app/src/main.rs:3 bypassed-isolation", "deny /ws/app/src/main.rs:5 foreign-call"],
        );
        told("rules.bypassed-isolation = \"allow\"\n", &["warn /ws/app/src/main.rs:3 foreign-call", other]);
        told("rules.foreign-call = \"allow\"\n", &["deny /ws/app/src/main.rs:3 bypassed-isolation"]);
    }

    #[test]
    fn a_call_past_a_domain_says_which() {
        let notes = |policy: &str| {
            let graph = fixture::graph(TWO_CALLS);
            let policy = Loaded::of_workspace(&format!("version = 1\n{policy}"));
            let found = findings(&Names::new(&graph), &policy.policy);
            found.into_iter().flat_map(|found| found.finding.notes).collect::<Vec<_>>()
        };
        assert_eq!(notes(""), [""; 0]);
        assert_eq!(
            notes("[domain.zip]\nlibrary = \"z-sys\"\n[[isolate]]\ndomain = \"zip\"\nextern = [\"crc32\"]\n"),
            [
                "help: the wrapper is in the module `isolated::zip`; `cargo isolate wrap --apply` calls it or says how",
                "help: others of its library run in the domain `zip`; name `adler32` under `[[isolate]]`, too",
            ]
        );
    }

    #[test]
    fn a_call_past_wrappers_of_another_crate_says_whose() {
        let mut graph = fixture::graph(&format!(
            "{TWO_CALLS}\n//- codec/src/lib.rs\nmod isolated;\n//- codec/src/isolated/zip.rs\n"
        ));
        for file in graph.packages.iter_mut().flat_map(|package| &mut package.files) {
            if file.path.ends_with("isolated/zip.rs") {
                file.role = Role::Generated;
            }
        }
        let policy = Loaded::of_workspace(
            "version = 1\n[domain.zip]\nlibrary = \"z-sys\"\n[[isolate]]\ndomain = \"zip\"\nextern = [\"crc32\"]\n",
        );
        let found = findings(&Names::new(&graph), &policy.policy);
        let notes: Vec<_> = found.into_iter().flat_map(|found| found.finding.notes).collect();
        let help = "help: the wrapper is in the module `isolated::zip` of another crate, in the package `codec`: call a public function there that calls it";
        assert!(notes.iter().any(|note| note == help), "{notes:?}");
    }

    #[test]
    fn a_forbidden_construct_can_be_excepted() {
        check(
            "crates.z-sys.unsafe = \"forbid\"\n[[exception]]\nrule = \"forbidden-unsafe\"\nat = \"z_sys::sum\"\nreason = \"it is asked for\"",
            &["deny /ws/z-sys/src/lib.rs:7 forbidden-unsafe"],
        );
    }
}
