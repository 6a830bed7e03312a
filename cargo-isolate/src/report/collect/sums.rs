//! What counts where: numbers of a package by what its code is for, live and dormant.

use super::super::model::Counts;
use crate::graph::{Package, Role, SourceFile};
use isolate_lints::{cfg::Presence, facts::Scope};
use std::{collections::BTreeMap, sync::Arc};

/// The numbers of one package, by what the code is for.
#[derive(Default)]
pub(super) struct Sums {
    pub(super) live: BTreeMap<Role, Counts>,
    pub(super) dormant: BTreeMap<Role, Counts>,
}

impl Sums {
    /// What a file holds, as far as that file tells.
    pub(super) fn count_facts(&mut self, package: &Package, file: &SourceFile) {
        // Facts beside one another share their scope most of the time.
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
        // Wrappers are told apart as a whole.
        let live = !dormant || role == Role::Generated;
        let counts = if live { &mut self.live } else { &mut self.dormant };
        counts.entry(role).or_default()
    }
}

/// Where something counts.
#[derive(Clone, Copy)]
pub(in crate::report) struct Counted {
    pub(in crate::report) role: Role,
    /// No chosen target compiles it.
    pub(in crate::report) dormant: bool,
}

impl Counted {
    pub(in crate::report) fn of(package: &Package, file: &SourceFile, scope: &Scope) -> Counted {
        let role = match package.selected {
            true => file.role_of(&scope.cfgs),
            // Tests among a dependency's code are no tests of this workspace.
            false => file.role,
        };
        // Code that only `cargo test` compiles has another role than its file, and is not dormant.
        Counted { role, dormant: role == file.role && file.presence(&scope.cfgs) == Presence::Dormant }
    }
}

/// What keeps something out of the builds for all chosen targets, such as `cfg(windows)`.
pub(crate) fn dormant(package: &Package, file: &SourceFile, scope: &Scope) -> Option<String> {
    Counted::of(package, file, scope).dormant.then(|| file.hidden_by(&scope.cfgs)).flatten()
}
