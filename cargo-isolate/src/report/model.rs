//! The report as data, which every format prints.
//!
//! `docs/json.md` documents these types for users of the JSON. [`SCHEMA`] increases when programs that read it need to
//! change.

use super::{
    diagnostic::{Diagnostic, Level, Origin, Source},
    symbols::Symbol,
    unseen::UnseenCalls,
};
use crate::{
    graph::{GapKind, Role},
    policy::Texts,
    terminal::words::some,
};
use camino::Utf8PathBuf;
use isolate_lints::facts::{Span, UnsafeKind};
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashSet},
    fmt::{self, Display, Formatter},
    ops::Add,
};

/// Version of the JSON of `audit` and `check`. Adding a field does not change it; removing, renaming or reinterpreting
/// one does.
pub(crate) const SCHEMA: u32 = 4;

/// The complete result of one run of `audit` or `check`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) schema: u32,
    /// Version of cargo-isolate.
    pub(crate) tool: &'static str,
    pub(crate) command: Command,
    /// The directory that relative paths start from.
    pub(crate) workspace_root: Utf8PathBuf,
    /// The policy of a check; `None` in an audit.
    pub(crate) policy: Option<Texts>,
    /// What a check left out because it existed before; `None` if it compared with nothing.
    pub(crate) known: Option<Known>,
    /// How much the report says about dependencies.
    pub(crate) dependencies: Dependencies,
    /// Whether every file was read and parsed.
    pub(crate) complete: bool,
    pub(crate) totals: Totals,
    /// Reported members first, then dependencies, each sorted by name and version.
    pub(crate) packages: Vec<PackageRow>,
    /// Sorted by package, then by file in module-tree order, then by position. Diagnostics about the policy come last.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Foreign items that a package of the report calls or mentions, by name.
    pub(crate) symbols: Vec<Symbol>,
    /// Calls that may be of foreign functions, since a build script generates their callees.
    pub(crate) unseen_calls: Vec<UnseenCalls>,
    pub(crate) problems: Vec<Problem>,
}

/// The command that made the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Command {
    Audit,
    /// `audit --counts`: without diagnostics and without counts that need path resolution, such as calls.
    Counts,
    Check,
}

/// What a check left out as known.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Known {
    /// The baseline file.
    pub(crate) baseline: Option<Utf8PathBuf>,
    /// The builds that the baseline was written for, if they differ from those of this run. In that case it is unknown
    /// whether code was dormant before.
    pub(crate) baseline_for: Option<String>,
    /// The commit to compare with, as given on the command line.
    pub(crate) diff_base: Option<String>,
    /// The merge base of that commit and the present one.
    pub(crate) commit: Option<String>,
    /// How many of the present findings were known.
    pub(crate) findings: usize,
}

/// How much a report says about dependencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Dependencies {
    /// Nothing.
    None,
    /// Their counts, and problems that make the scan incomplete.
    Summary,
    /// Everything that it says about members.
    Full,
}

/// The number of diagnostics of each level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Totals {
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) notes: usize,
}

/// The counts of one package.
#[derive(Debug, Serialize)]
pub(crate) struct PackageRow {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) member: bool,
    /// Whether it is a member of the workspace that was not selected, and is included as a dependency of a selected
    /// one.
    #[serde(skip)]
    pub(crate) sibling: bool,
    /// The directory of its `Cargo.toml`.
    pub(crate) root: Utf8PathBuf,
    /// Source files read, in module-tree order.
    pub(crate) files: Vec<Utf8PathBuf>,
    /// Whether every file was read and parsed.
    pub(crate) complete: bool,
    /// By role, without dormant code; roles without code are absent.
    pub(crate) counts: BTreeMap<Role, Counts>,
    /// The same for code that no chosen target compiles.
    pub(crate) dormant: BTreeMap<Role, Counts>,
    /// The counts of its generated wrappers, which are in no other count and no diagnostic, since they follow from the
    /// policy.
    pub(crate) generated: Option<Counts>,
}

/// Counts by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// `unsafe { … }`.
    pub(crate) blocks: usize,
    /// `unsafe fn`, including declarations in traits.
    pub(crate) functions: usize,
    pub(crate) impls: usize,
    pub(crate) traits: usize,
    pub(crate) extern_blocks: usize,
    /// Functions and statics declared in extern blocks.
    pub(crate) foreign_items: usize,
    /// Calls of foreign functions.
    pub(crate) foreign_calls: usize,
    /// `#[no_mangle]` and the like.
    pub(crate) attributes: usize,
    /// `static mut`.
    pub(crate) static_muts: usize,
    pub(crate) unions: usize,
    /// `global_asm!`.
    pub(crate) global_asm: usize,
    /// `unsafe fn(…)` as a type.
    pub(crate) types: usize,
    /// `unsafe` among the tokens of macro definitions and calls.
    pub(crate) macro_tokens: usize,
    /// Uses of `macro_rules!` macros with unsafe code in their definitions.
    pub(crate) macro_uses: usize,
    /// Macro calls that may expand to anything, such as `include!` of generated code.
    pub(crate) unexpanded: usize,
    /// Calls of generated items, mostly foreign functions.
    pub(crate) unseen_calls: usize,
}

/// The counts of generated wrappers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Generated {
    /// Unsafe constructs.
    #[serde(rename = "unsafe")]
    pub(crate) unsafes: usize,
    pub(crate) foreign_calls: usize,
}

impl Add for Generated {
    type Output = Generated;

    fn add(self, other: Generated) -> Generated {
        Generated { unsafes: self.unsafes + other.unsafes, foreign_calls: self.foreign_calls + other.foreign_calls }
    }
}

impl Display for Generated {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Generated { unsafes, foreign_calls } = *self;
        let (constructs, calls) = (some(unsafes, "unsafe construct"), some(foreign_calls, "foreign call"));
        write!(f, "generated wrappers: {constructs} and {calls}, not counted")
    }
}

/// Something that made the audit incomplete, or seems to.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    /// `name@version`.
    pub(crate) package: String,
    pub(crate) path: Utf8PathBuf,
    /// The position in `path`, for a syntax error.
    pub(crate) span: Option<Span>,
    /// The `mod` item of a missing file.
    pub(crate) from: Option<Place>,
    #[serde(flatten)]
    pub(crate) kind: ProblemKind,
    #[serde(skip)]
    pub(crate) source: Option<Source>,
    /// Whether its package is selected.
    #[serde(skip)]
    pub(crate) reported: bool,
}

/// A position in a file.
#[derive(Debug, Serialize)]
pub(crate) struct Place {
    pub(crate) path: Utf8PathBuf,
    pub(crate) span: Span,
}

/// Kinds of problems with a file.
#[derive(Debug, Serialize)]
#[serde(tag = "problem", content = "message", rename_all = "kebab-case")]
pub(crate) enum ProblemKind {
    /// A syntax error. The file's facts come from the recovered tree.
    Syntax(String),
    /// The file was not scanned.
    Gap(GapKind),
    /// The scanner's self-check failed: the file has so many more `unsafe` keywords (fewer, if negative) than
    /// constructs were found for. This is a bug in cargo-isolate.
    Unexplained(i64),
}

impl Report {
    /// Reduces the report to what is wanted about dependencies.
    pub(super) fn leave(&mut self, dependencies: Dependencies) {
        match dependencies {
            Dependencies::None => self.leave_out_dependencies(),
            Dependencies::Summary => self.sum_up_dependencies(),
            Dependencies::Full => {}
        }
    }

    /// Removes everything about dependencies.
    fn leave_out_dependencies(&mut self) {
        self.dependencies = Dependencies::None;
        let members: Vec<String> = self.packages.iter().filter(|package| package.member).map(PackageRow::id).collect();
        self.packages.retain(|package| package.member);
        self.symbols.iter_mut().for_each(|symbol| symbol.callers.retain(|caller| members.contains(&caller.package)));
        self.symbols.retain(|symbol| !symbol.callers.is_empty());
        self.unseen_calls.retain(|calls| members.contains(&calls.package));
        self.problems.retain(|problem| members.contains(&problem.package));
        self.complete = self.packages.iter().all(|package| package.complete);
        self.retain(|diagnostic| diagnostic.member);
    }

    /// Keeps the counts of dependencies, and the problems that make the scan incomplete.
    fn sum_up_dependencies(&mut self) {
        self.dependencies = Dependencies::Summary;
        self.problems.retain(|problem| problem.reported || problem.kind.is_incomplete());
        self.retain(|diagnostic| diagnostic.member);
    }

    /// The counts of all generated wrappers, if there are any.
    pub(super) fn generated(&self) -> Option<Generated> {
        let all = self.packages.iter().filter_map(|package| package.generated);
        all.map(|counts| Generated { unsafes: counts.unsafes(), foreign_calls: counts.foreign_calls }).reduce(Add::add)
    }

    /// Problems that no diagnostic covers. The rule `parse-error` reports syntax errors as well, unless the policy
    /// allows it.
    pub(crate) fn unsaid_problems(&self) -> impl Iterator<Item = &Problem> {
        let rule = self.diagnostics.iter().filter(|diagnostic| diagnostic.code == "parse-error");
        let said: HashSet<(Origin, Span)> = rule.map(|diagnostic| (diagnostic.origin, diagnostic.span)).collect();
        self.problems.iter().filter(move |problem| match (problem.source, problem.span) {
            (Some(source), Some(span)) => !said.contains(&(Origin::Source(source), span)),
            _ => true,
        })
    }

    /// Keeps the diagnostics for which `keep` returns true.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.diagnostics.retain(keep);
        self.totals = Totals::of(&self.diagnostics);
    }
}

impl Totals {
    pub(crate) fn of(diagnostics: &[Diagnostic]) -> Totals {
        let mut totals = Totals::default();
        for diagnostic in diagnostics {
            match diagnostic.level {
                Level::Error => totals.errors += 1,
                Level::Warning => totals.warnings += 1,
                Level::Note => totals.notes += 1,
            }
        }
        totals
    }
}

impl PackageRow {
    /// `name@version`, as cargo writes it.
    pub(crate) fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// The number of unsafe constructs that no chosen target compiles.
    pub(crate) fn dormant_unsafes(&self) -> usize {
        self.dormant.values().map(Counts::unsafes).sum()
    }
}

/// One of the numbers in [`Counts`]: its name in the JSON, and its accessor.
pub(crate) type Kind = (&'static str, fn(&Counts) -> usize);

/// The kinds of unsafe constructs, as [`UnsafeKind`]s are counted. A construct is a place in the source that declares
/// itself unsafe. Foreign items and calls, unseen expansions and uses of macros are counted separately. Every number of
/// unsafe constructs in any output is the sum of these kinds.
pub(crate) const UNSAFE_KINDS: &[Kind] = &[
    ("blocks", |counts| counts.blocks),
    ("functions", |counts| counts.functions),
    ("impls", |counts| counts.impls),
    ("traits", |counts| counts.traits),
    ("extern_blocks", |counts| counts.extern_blocks),
    ("attributes", |counts| counts.attributes),
    ("static_muts", |counts| counts.static_muts),
    ("unions", |counts| counts.unions),
    ("global_asm", |counts| counts.global_asm),
    ("types", |counts| counts.types),
    ("macro_tokens", |counts| counts.macro_tokens),
];

impl Counts {
    /// The number of unsafe constructs.
    pub(crate) fn unsafes(&self) -> usize {
        UNSAFE_KINDS.iter().map(|(_, count)| count(self)).sum()
    }

    /// Counts one construct.
    pub(crate) fn add(&mut self, kind: UnsafeKind) {
        let count = match kind {
            UnsafeKind::Block => &mut self.blocks,
            UnsafeKind::Function | UnsafeKind::Declaration => &mut self.functions,
            UnsafeKind::Impl => &mut self.impls,
            UnsafeKind::Trait => &mut self.traits,
            UnsafeKind::ExternBlock => &mut self.extern_blocks,
            UnsafeKind::Attribute => &mut self.attributes,
            UnsafeKind::StaticMut => &mut self.static_muts,
            UnsafeKind::Union => &mut self.unions,
            UnsafeKind::GlobalAsm => &mut self.global_asm,
            UnsafeKind::Type => &mut self.types,
            UnsafeKind::MacroToken => &mut self.macro_tokens,
        };
        *count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Counts, UNSAFE_KINDS};
    use isolate_lints::facts::UnsafeKind;

    /// Every unsafe construct of the scanner counts once, under a name that is part of the JSON.
    #[test]
    fn each_kind_is_one_construct() {
        for kind in UnsafeKind::ALL {
            let mut counts = Counts::default();
            counts.add(kind);
            assert_eq!(counts.unsafes(), 1, "{kind:?}");
            let json = serde_json::to_value(counts).unwrap();
            let (name, _) = UNSAFE_KINDS.iter().find(|(_, count)| count(&counts) == 1).unwrap();
            assert_eq!(json[name], 1, "{name}");
        }
    }
}
