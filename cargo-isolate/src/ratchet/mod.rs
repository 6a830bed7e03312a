//! Comparison with an earlier state of the code: which findings existed, and which are new.

pub(crate) mod base;
pub(crate) mod baseline;
mod compare;
mod earlier;
pub(crate) mod git;
mod standing;

pub(crate) use compare::{Comparison, State};
pub(crate) use earlier::{Before, Compared, Earlier, Known};
pub(crate) use standing::Standing;

use crate::{
    decide::{Found, NEW_UNSAFE},
    graph::{Graph, Package, Role, name_of},
    report::{
        diagnostic::{Detail, Diagnostic, Origin},
        fingerprint::Fingerprint,
        model::Report,
    },
};
use isolate_lints::{
    facts::{FileFacts, Scope, Span},
    rules::{Finding, Severity},
};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// What identifies a finding in later versions of the code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Entry {
    /// Name of the package, without its version.
    pub(crate) package: String,
    /// `crate::module::function`.
    pub(crate) at: String,
    pub(crate) code: String,
    /// How far it takes effect.
    pub(crate) standing: Standing,
    pub(crate) fingerprint: Fingerprint,
    /// Independent of the function and file that contain it.
    pub(crate) content: Fingerprint,
}

impl Entry {
    pub(crate) fn of(diagnostic: &Diagnostic) -> Entry {
        let package = name_of(&diagnostic.package);
        Entry {
            package: package.to_owned(),
            at: diagnostic.at.clone(),
            code: diagnostic.code.to_owned(),
            standing: Standing::of(diagnostic.role, diagnostic.dormant.is_some()),
            fingerprint: diagnostic.fingerprint,
            content: diagnostic.content,
        }
    }
}

/// The findings of an audit that can be new: unsafe constructs, foreign calls, and uses of macros with unsafe code, in
/// the selected members.
pub(crate) fn constructs<'r>(
    graph: &'r Graph,
    diagnostics: &'r [Diagnostic],
) -> impl Iterator<Item = &'r Diagnostic> + use<'r> {
    diagnostics.iter().filter(move |diagnostic| {
        let Origin::Source(source) = diagnostic.origin else { return false };
        let package = &graph.packages[source.package];
        package.member
            && package.selected
            // Code in a file that no `mod` leads to counts once a `mod` does.
            && diagnostic.role != Some(Role::Unreached)
            && matches!(
                diagnostic.detail,
                Some(Detail::Unsafe { .. } | Detail::ForeignCall { .. } | Detail::MacroUse { .. })
            )
    })
}

/// Findings of [`NEW_UNSAFE`] for constructs that are new or have a higher standing than before, and warnings for
/// edited ones. A call in an unsafe block that is itself reported is part of that report.
pub(crate) fn new_unsafe(graph: &Graph, audit: &[Diagnostic], earlier: &Compared) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut within: HashMap<(Origin, u32), Severity> = HashMap::new();
    for diagnostic in constructs(graph, audit) {
        let (word, most) = match earlier.state(diagnostic.fingerprint) {
            State::Known | State::Moved => continue,
            State::Changed => ("changed", Severity::Warn),
            State::New => ("new", Severity::Deny),
            State::Risen(Standing::Tests) => ("new outside of tests", Severity::Deny),
            State::Risen(_) => ("dormant before and compiled now", Severity::Deny),
        };
        let Origin::Source(source) = diagnostic.origin else { continue };
        match &diagnostic.detail {
            Some(Detail::Unsafe { operations, .. }) => {
                within.extend(operations.iter().map(|operation| ((diagnostic.origin, operation.span.start), most)));
            }
            _ if within.get(&(diagnostic.origin, diagnostic.span.start)).is_some_and(|block| *block >= most) => {
                continue;
            }
            _ => {}
        }
        found.push(Found {
            package: source.package,
            file: source.file,
            finding: Finding {
                rule: NEW_UNSAFE,
                message: format!("{word}: {}", diagnostic.message),
                span: diagnostic.span,
                scope: scope(&graph.packages[source.package].files[source.file].facts, diagnostic.span),
                notes: diagnostic.label.iter().cloned().collect(),
            },
            most,
        });
    }
    found
}

/// Turns a finding of [`NEW_UNSAFE`] into a note of another rule's finding at the same position, if that is at least as
/// severe.
pub(crate) fn say_once(report: &mut Report) {
    let place = |diagnostic: &Diagnostic| (diagnostic.origin, diagnostic.span.start, diagnostic.span.end);
    let mut rules: HashMap<_, usize> = HashMap::new();
    for (index, diagnostic) in report.diagnostics.iter().enumerate().filter(|(_, one)| one.code != NEW_UNSAFE) {
        let known = rules.entry(place(diagnostic)).or_insert(index);
        if diagnostic.level < report.diagnostics[*known].level {
            *known = index;
        }
    }
    let mut said = Vec::new();
    for (index, new) in report.diagnostics.iter().enumerate().filter(|(_, one)| one.code == NEW_UNSAFE) {
        let rule = rules.get(&place(new)).filter(|rule| report.diagnostics[**rule].level <= new.level);
        said.extend(rule.map(|rule| (index, *rule, format!("{} (`{NEW_UNSAFE}`)", new.message))));
    }
    for (_, rule, note) in &said {
        report.diagnostics[*rule].notes.push(note.clone());
    }
    let said: HashSet<usize> = said.into_iter().map(|(index, ..)| index).collect();
    let mut position = 0;
    report.retain(|_| {
        position += 1;
        !said.contains(&(position - 1))
    });
}

/// The lexical context of a construct or call.
fn scope(facts: &FileFacts, span: Span) -> Arc<Scope> {
    let unsafes = facts.unsafes.iter().map(|fact| (fact.span, &fact.scope));
    let calls = facts.calls.iter().chain(&facts.mentions).map(|call| (call.span, &call.scope));
    let macros = facts.macros.iter().map(|used| (used.span, &used.scope));
    unsafes
        .chain(calls)
        .chain(macros)
        .find(|(place, _)| *place == span)
        .map(|(_, scope)| scope.clone())
        .unwrap_or_default()
}

/// Whether an earlier finding is relevant to this run: those in members that are not selected are not.
pub(crate) fn concerning(graph: &Graph, entry: &Entry) -> bool {
    let left_out = |package: &Package| package.member && !package.selected && package.name == entry.package;
    !graph.packages.iter().any(left_out)
}

/// The findings of rules in a check, which a baseline records; those of [`NEW_UNSAFE`] only follow from a comparison.
pub(crate) fn rule_findings(report: &Report) -> impl Iterator<Item = &Diagnostic> {
    let in_code = |diagnostic: &&Diagnostic| matches!(diagnostic.origin, Origin::Source(_));
    report.diagnostics.iter().filter(in_code).filter(|diagnostic| diagnostic.code != NEW_UNSAFE)
}
