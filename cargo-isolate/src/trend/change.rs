//! The difference between two audits.

use super::snapshot::{Finding, Package, Snapshot};
use crate::{
    graph::name_of,
    ratchet::{Comparison, Entry, Standing, State},
    report::model::{Generated, UNSAFE_KINDS},
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Add,
};

/// Version of the JSON of `diff`.
const SCHEMA: u32 = 3;

/// The difference between two audits.
#[derive(Debug, Serialize)]
pub(crate) struct Change {
    schema: u32,
    /// Version of cargo-isolate.
    tool: &'static str,
    /// Whether every file of both audits was read and parsed.
    pub(crate) complete: bool,
    pub(super) members: Sums,
    pub(super) dependencies: Sums,
    /// Packages that changed, in descending order of growth.
    pub(super) packages: Vec<PackageChange>,
    /// New findings of members.
    pub(super) came: Vec<Finding>,
    /// Findings of members that used to be dormant or in tests.
    pub(super) risen: Vec<Finding>,
    /// Findings of members whose text was edited in place, in their new form.
    pub(super) changed: Vec<Finding>,
    /// Findings of members that no longer exist, in their old form.
    pub(super) gone: Vec<Finding>,
    /// Number of members' findings that moved.
    pub(super) moved: usize,
    /// The counts of generated wrappers, which are in no list and no other sum because they need no review.
    pub(super) generated: Wrappers,
    /// Foreign symbols whose number of uses changed, by name.
    pub(super) symbols: Vec<SymbolChange>,
}

/// A number before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Pair {
    pub(super) before: usize,
    pub(super) after: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Sums {
    pub(super) packages: Pair,
    /// Unsafe constructs.
    #[serde(rename = "unsafe")]
    pub(super) unsafes: Pair,
    pub(super) foreign_calls: Pair,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Wrappers {
    /// Unsafe constructs.
    #[serde(rename = "unsafe")]
    pub(super) unsafes: Pair,
    pub(super) foreign_calls: Pair,
}

#[derive(Debug, Serialize)]
pub(super) struct PackageChange {
    pub(super) name: String,
    pub(super) member: bool,
    /// All versions of the package; empty if there was none.
    pub(super) before: Vec<String>,
    pub(super) after: Vec<String>,
    #[serde(rename = "unsafe")]
    pub(super) unsafes: Pair,
    /// By kind, without unchanged kinds.
    pub(super) kinds: BTreeMap<String, Pair>,
}

#[derive(Debug, Serialize)]
pub(super) struct SymbolChange {
    pub(super) name: String,
    pub(super) library: Option<String>,
    /// Calls and mentions.
    pub(super) uses: Pair,
    /// Names of the packages whose number of uses changed.
    pub(super) packages: Vec<String>,
}

impl Pair {
    pub(super) fn growth(self) -> i64 {
        self.after as i64 - self.before as i64
    }
}

impl Change {
    /// Compares two audits.
    pub(crate) fn new(before: &Snapshot, after: &Snapshot) -> Change {
        let (old, new) = (by_name(before), by_name(after));
        let compared = Comparison::new(of_members(before).map(entry), of_members(after).map(entry));
        let is = |finding: &&Finding, state| compared.state(finding.fingerprint) == state;
        let find = |state| of_members(after).filter(|finding| is(finding, state)).cloned().collect::<Vec<_>>();
        let gone: BTreeSet<_> = compared.gone.iter().map(|entry| entry.fingerprint).collect();
        let mut change = Change {
            schema: SCHEMA,
            tool: env!("CARGO_PKG_VERSION"),
            complete: before.complete && after.complete,
            members: sums(&old, &new, true),
            dependencies: sums(&old, &new, false),
            packages: package_changes(&old, &new),
            came: find(State::New),
            risen: [Standing::Dormant, Standing::Tests].into_iter().flat_map(|from| find(State::Risen(from))).collect(),
            changed: find(State::Changed),
            gone: of_members(before).filter(|finding| gone.contains(&finding.fingerprint)).cloned().collect(),
            moved: find(State::Moved).len(),
            generated: Wrappers::new(generated(before), generated(after)),
            symbols: symbol_changes(before, after),
        };
        change.packages.sort_by_key(|package| (-package.unsafes.growth(), !package.member, package.name.clone()));
        change
    }

    /// Whether nothing changed.
    pub(super) fn is_empty(&self) -> bool {
        self.packages.is_empty()
            && self.symbols.is_empty()
            && !self.generated.has_changed()
            && [&self.came, &self.risen, &self.changed, &self.gone].iter().all(|findings| findings.is_empty())
    }
}

impl Wrappers {
    fn new(before: Option<Generated>, after: Option<Generated>) -> Wrappers {
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        Wrappers {
            unsafes: Pair { before: before.unsafes, after: after.unsafes },
            foreign_calls: Pair { before: before.foreign_calls, after: after.foreign_calls },
        }
    }

    pub(super) fn has_changed(&self) -> bool {
        self.unsafes.growth() != 0 || self.foreign_calls.growth() != 0
    }
}

fn of_members(snapshot: &Snapshot) -> impl Iterator<Item = &Finding> {
    snapshot.findings.iter().filter(|finding| finding.member)
}

/// The counts of generated wrappers.
pub(super) fn generated(snapshot: &Snapshot) -> Option<Generated> {
    let of_package = |kinds: &BTreeMap<String, usize>| {
        let unsafes = kinds.iter().filter(|(kind, _)| is_unsafe(kind)).map(|(_, count)| count).sum();
        Generated { unsafes, foreign_calls: kinds.get(FOREIGN_CALLS).copied().unwrap_or(0) }
    };
    snapshot.packages.iter().filter_map(|package| package.generated.as_ref()).map(of_package).reduce(Add::add)
}

fn entry(finding: &Finding) -> Entry {
    Entry {
        package: name_of(&finding.package).to_owned(),
        at: finding.at.clone(),
        code: finding.code.clone(),
        standing: Standing::of(finding.role, finding.dormant.is_some()),
        fingerprint: finding.fingerprint,
        content: finding.content,
    }
}

/// The sum of all versions of a package.
#[derive(Default)]
struct Summed {
    member: bool,
    versions: Vec<String>,
    kinds: BTreeMap<String, usize>,
}

/// Dormant unsafe constructs count as a kind of their own.
const DORMANT: &str = "dormant";

const FOREIGN_CALLS: &str = "foreign_calls";

fn by_name(snapshot: &Snapshot) -> BTreeMap<&str, Summed> {
    let mut packages: BTreeMap<&str, Summed> = BTreeMap::new();
    for Package { name, version, member, counts, dormant, .. } in &snapshot.packages {
        let summed = packages.entry(name).or_default();
        summed.member |= member;
        summed.versions.push(version.clone());
        for (kind, count) in counts.values().flatten().filter(|(_, count)| **count > 0) {
            *summed.kinds.entry(kind.clone()).or_default() += count;
        }
        let dormant =
            dormant.values().flatten().filter(|(kind, _)| is_unsafe(kind)).map(|(_, count)| count).sum::<usize>();
        if dormant > 0 {
            *summed.kinds.entry(DORMANT.to_owned()).or_default() += dormant;
        }
    }
    packages
}

/// Whether a kind in an audit's counts is an unsafe construct.
fn is_unsafe(kind: &str) -> bool {
    UNSAFE_KINDS.iter().any(|(name, _)| *name == kind)
}

impl Summed {
    fn unsafes(&self) -> usize {
        self.kinds.iter().filter(|(kind, _)| is_unsafe(kind)).map(|(_, count)| count).sum()
    }

    fn kind(&self, kind: &str) -> usize {
        self.kinds.get(kind).copied().unwrap_or(0)
    }
}

/// The totals of members or dependencies, without generated wrappers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) packages: usize,
    /// Unsafe constructs.
    pub(super) unsafes: usize,
    pub(super) foreign_calls: usize,
}

/// The totals of an audit's members, or of its dependencies.
pub(super) fn totals(audit: &Snapshot, members: bool) -> Totals {
    total(&by_name(audit), members)
}

fn total(packages: &BTreeMap<&str, Summed>, members: bool) -> Totals {
    let mut totals = Totals::default();
    for package in packages.values().filter(|package| package.member == members) {
        totals.packages += package.versions.len();
        totals.unsafes += package.unsafes();
        totals.foreign_calls += package.kind(FOREIGN_CALLS);
    }
    totals
}

fn sums(old: &BTreeMap<&str, Summed>, new: &BTreeMap<&str, Summed>, members: bool) -> Sums {
    let (before, after) = (total(old, members), total(new, members));
    Sums {
        packages: Pair { before: before.packages, after: after.packages },
        unsafes: Pair { before: before.unsafes, after: after.unsafes },
        foreign_calls: Pair { before: before.foreign_calls, after: after.foreign_calls },
    }
}

fn package_changes(old: &BTreeMap<&str, Summed>, new: &BTreeMap<&str, Summed>) -> Vec<PackageChange> {
    let names: BTreeSet<&&str> = old.keys().chain(new.keys()).collect();
    let none = Summed::default();
    let mut changes = Vec::new();
    for name in names {
        let (before, after) = (old.get(*name).unwrap_or(&none), new.get(*name).unwrap_or(&none));
        let kinds: BTreeSet<&String> = before.kinds.keys().chain(after.kinds.keys()).collect();
        let kinds =
            kinds.into_iter().map(|kind| (kind.clone(), Pair { before: before.kind(kind), after: after.kind(kind) }));
        let kinds: BTreeMap<_, _> = kinds.filter(|(_, pair)| pair.growth() != 0).collect();
        if kinds.is_empty() && before.versions == after.versions {
            continue;
        }
        changes.push(PackageChange {
            name: (*name).to_string(),
            member: before.member || after.member,
            before: before.versions.clone(),
            after: after.versions.clone(),
            unsafes: Pair { before: before.unsafes(), after: after.unsafes() },
            kinds,
        });
    }
    changes
}

fn symbol_changes(before: &Snapshot, after: &Snapshot) -> Vec<SymbolChange> {
    let mut uses: BTreeMap<(&String, &Option<String>), BTreeMap<&str, Pair>> = BTreeMap::new();
    for (snapshot, is_after) in [(before, false), (after, true)] {
        for symbol in &snapshot.symbols {
            for caller in &symbol.callers {
                let by_package = uses.entry((&symbol.name, &symbol.library)).or_default();
                let pair = by_package.entry(name_of(&caller.package)).or_default();
                *if is_after { &mut pair.after } else { &mut pair.before } += caller.calls + caller.mentions;
            }
        }
    }
    let change = |((name, library), by_package): ((&String, &Option<String>), BTreeMap<&str, Pair>)| {
        let sum = |count: fn(&Pair) -> usize| by_package.values().map(count).sum();
        let changed = by_package.iter().filter(|(_, pair)| pair.growth() != 0);
        SymbolChange {
            name: name.clone(),
            library: library.clone(),
            uses: Pair { before: sum(|pair| pair.before), after: sum(|pair| pair.after) },
            packages: changed.map(|(package, _)| (*package).to_owned()).collect(),
        }
    };
    uses.into_iter().map(change).filter(|symbol| symbol.uses.growth() != 0).collect()
}
