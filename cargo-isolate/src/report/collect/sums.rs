//! Counts of a package by the role of its code, live and dormant.

use super::super::model::Counts;
use crate::graph::{Package, Role, SourceFile};
use isolate_lints::{cfg::Presence, facts::Scope};
use std::{collections::BTreeMap, sync::Arc};

/// The counts of one package, by role.
#[derive(Default)]
pub(super) struct Sums {
    pub(super) live: BTreeMap<Role, Counts>,
    pub(super) dormant: BTreeMap<Role, Counts>,
}

impl Sums {
    /// Counts the facts of a file.
    pub(super) fn count_facts(&mut self, package: &Package, file: &SourceFile) {
        // Neighbouring facts usually share their scope.
        let mut last: Option<(*const Scope, Counted)> = None;
        let mut of = |scope: &Arc<Scope>| match last {
            Some((known, counted)) if known == Arc::as_ptr(scope) => counted,
            _ => last.insert((Arc::as_ptr(scope), Counted::of(package, file, scope))).1,
        };
        file.facts.foreign.iter().for_each(|item| self.of(of(&item.scope)).foreign_items += 1);
        file.facts.unsafes.iter().for_each(|fact| self.of(of(&fact.scope)).add(fact.kind));
        file.facts.unexpanded.iter().for_each(|unseen| self.of(of(&unseen.scope)).unexpanded += 1);
    }

    pub(super) fn of(&mut self, Counted { role, dormant }: Counted) -> &mut Counts {
        // Generated wrappers are counted as a whole.
        let live = !dormant || role == Role::Generated;
        let counts = if live { &mut self.live } else { &mut self.dormant };
        counts.entry(role).or_default()
    }
}

/// Under which counts something falls.
#[derive(Clone, Copy)]
pub(in crate::report) struct Counted {
    pub(in crate::report) role: Role,
    /// Whether no chosen target compiles it.
    pub(in crate::report) dormant: bool,
}

impl Counted {
    pub(in crate::report) fn of(package: &Package, file: &SourceFile, scope: &Scope) -> Counted {
        let role = match package.selected {
            true => file.role_of(&scope.cfgs),
            // Tests in a dependency are not tests of this workspace.
            false => file.role,
        };
        // Code that only `cargo test` compiles has another role than its file, and is not dormant.
        Counted { role, dormant: role == file.role && file.presence(&scope.cfgs) == Presence::Dormant }
    }
}

/// The predicate that excludes code from the builds for all chosen targets, such as `cfg(windows)`.
pub(crate) fn dormant(package: &Package, file: &SourceFile, scope: &Scope) -> Option<String> {
    Counted::of(package, file, scope).dormant.then(|| file.hidden_by(&scope.cfgs)).flatten()
}
