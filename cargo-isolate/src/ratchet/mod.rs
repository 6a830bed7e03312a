//! An earlier state of the code, by its findings: what of the present one was there, and what is new.

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

/// What a finding is known by later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Entry {
    /// Name of the package, without its version.
    pub(crate) package: String,
    /// `crate::module::function`.
    pub(crate) at: String,
    pub(crate) code: String,
    /// Where it takes effect.
    pub(crate) standing: Standing,
    pub(crate) fingerprint: Fingerprint,
    /// The same in whatever function or file it stands.
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

/// What of an audit can be new: unsafe constructs, foreign calls, and uses of macros that hold unsafe code, of the members that
/// it is about.
pub(crate) fn constructs<'r>(
    graph: &'r Graph,
    diagnostics: &'r [Diagnostic],
) -> impl Iterator<Item = &'r Diagnostic> + use<'r> {
    diagnostics.iter().filter(move |diagnostic| {
        let Origin::Source(source) = diagnostic.origin else { return false };
        let package = &graph.packages[source.package];
        package.member
            && package.selected
            // What no `mod` leads to is new when one does.
            && diagnostic.role != Some(Role::Unreached)
            && matches!(
                diagnostic.detail,
                Some(Detail::Unsafe { .. } | Detail::ForeignCall { .. } | Detail::MacroUse { .. })
            )
    })
}

/// Findings of [`NEW_UNSAFE`] for the constructs that an earlier state does not have, or where they had less effect; for those
/// that it has in other words, warnings. A call in an unsafe block that is reported itself is part of that.
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

/// Where a rule found something that counts no less, that the place is new becomes a note of that: it is one place to look at.
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

/// What stands around a construct or call.
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

/// Findings that code had before, as far as it still concerns what is looked at now: the members that are not looked at
/// are left out.
pub(crate) fn concerning(graph: &Graph, entry: &Entry) -> bool {
    let left_out = |package: &Package| package.member && !package.selected && package.name == entry.package;
    !graph.packages.iter().any(left_out)
}

/// What is to be remembered of a check: what rules found in the code. What only a comparison can find is not.
pub(crate) fn rule_findings(report: &Report) -> impl Iterator<Item = &Diagnostic> {
    let in_code = |diagnostic: &&Diagnostic| matches!(diagnostic.origin, Origin::Source(_));
    report.diagnostics.iter().filter(in_code).filter(|diagnostic| diagnostic.code != NEW_UNSAFE)
}
