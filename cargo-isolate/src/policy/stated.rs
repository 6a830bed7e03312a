//! What is stated of a rule or of a package, by name or for all others; of a member, by its own policy as well.

use super::{
    Loaded, Spanned,
    model::{Policy, UnsafeLimit},
};
use crate::graph::Package;
use isolate_lints::rules::{self, Severity};

impl Policy {
    /// What a rule's findings count for.
    pub(crate) fn severity(&self, rule: &str) -> Severity {
        let stated = self.rules.iter().find(|(name, _)| name.get_ref().0 == rule);
        let default = rules::find(rule).map_or(Severity::Warn, |rule| rule.default);
        stated.map_or(default, |(_, severity)| *severity.get_ref())
    }

    /// How much unsafe code a package may have.
    pub(crate) fn limit(&self, package: &Package) -> Option<&Spanned<UnsafeLimit>> {
        let of_crate = self.crates.get(&*package.name).or_else(|| self.crates.get("*"));
        of_crate.and_then(|of_crate| of_crate.unsafe_.as_ref())
    }
}

impl Loaded {
    /// What a rule's findings in a package count for: the stricter of what the workspace says and what the member does.
    pub(crate) fn severity(&self, package: &Package, rule: &str) -> Severity {
        let member = self.member(package).into_iter().flat_map(|policy| &policy.rules);
        let stated = member.filter(|(name, _)| name.get_ref().0 == rule).map(|(_, severity)| *severity.get_ref());
        stated.fold(self.policy.severity(rule), Severity::max)
    }

    /// How much unsafe code a package may have: the stricter of what the workspace says and what the member does.
    pub(crate) fn limit(&self, package: &Package) -> Option<&Spanned<UnsafeLimit>> {
        let own = self.member(package).and_then(|policy| policy.limit(package));
        let limits = own.into_iter().chain(self.policy.limit(package));
        limits.min_by_key(|limit| limit.get_ref().most())
    }

    pub(crate) fn member(&self, package: &Package) -> Option<&Policy> {
        self.members.get(&package.name).filter(|_| package.member)
    }
}
