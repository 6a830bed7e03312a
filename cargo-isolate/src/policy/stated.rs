//! The settings for a rule or package: those for its name, or else the general ones, combined with the member's own
//! policy.

use super::{
    Loaded, Spanned,
    model::{Policy, UnsafeLimit},
};
use crate::graph::Package;
use isolate_lints::rules::{self, Severity};

impl Policy {
    /// The severity of a rule.
    pub(crate) fn severity(&self, rule: &str) -> Severity {
        let stated = self.rules.iter().find(|(name, _)| name.get_ref().0 == rule);
        let default = rules::find(rule).map_or(Severity::Warn, |rule| rule.default);
        stated.map_or(default, |(_, severity)| *severity.get_ref())
    }

    /// The limit on a package's unsafe code.
    pub(crate) fn limit(&self, package: &Package) -> Option<&Spanned<UnsafeLimit>> {
        let of_crate = self.crates.get(&*package.name).or_else(|| self.crates.get("*"));
        of_crate.and_then(|of_crate| of_crate.unsafe_.as_ref())
    }
}

impl Loaded {
    /// The severity of a rule in a package: the stricter of the workspace's and the member's.
    pub(crate) fn severity(&self, package: &Package, rule: &str) -> Severity {
        let member = self.member(package).into_iter().flat_map(|policy| &policy.rules);
        let stated = member.filter(|(name, _)| name.get_ref().0 == rule).map(|(_, severity)| *severity.get_ref());
        stated.fold(self.policy.severity(rule), Severity::max)
    }

    /// The limit on a package's unsafe code: the stricter of the workspace's and the member's.
    pub(crate) fn limit(&self, package: &Package) -> Option<&Spanned<UnsafeLimit>> {
        let own = self.member(package).and_then(|policy| policy.limit(package));
        let limits = own.into_iter().chain(self.policy.limit(package));
        limits.min_by_key(|limit| limit.get_ref().most())
    }

    pub(crate) fn member(&self, package: &Package) -> Option<&Policy> {
        self.members.get(&package.name).filter(|_| package.member)
    }
}
