//! A run as data: what every format prints.
//!
//! `docs/json.md` documents these types for readers of the JSON. [`SCHEMA`] grows when a reader would have to change.

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

/// Version of the JSON of `audit` and `check`. Added fields keep it; removed, renamed or reinterpreted ones raise it.
pub(crate) const SCHEMA: u32 = 4;

/// Everything that one run of `audit` or `check` has to say.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) schema: u32,
    /// Version of cargo-isolate.
    pub(crate) tool: &'static str,
    pub(crate) command: Command,
    /// Directory that relative paths start from.
    pub(crate) workspace_root: Utf8PathBuf,
    /// What the code was held against; `None` in an audit.
    pub(crate) policy: Option<Texts>,
    /// What of the code was left out because it was there before; `None` if nothing was to be.
    pub(crate) known: Option<Known>,
    /// How much of the dependencies is in it.
    pub(crate) dependencies: Dependencies,
    /// Whether every file was read and parsed.
    pub(crate) complete: bool,
    pub(crate) totals: Totals,
    /// Reported members first, then dependencies, each sorted by name and version.
    pub(crate) packages: Vec<PackageRow>,
    /// Sorted as the packages, then by file in module-tree order, then by place; those about the policy come last.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Foreign items that some package of the report calls or mentions, by name.
    pub(crate) symbols: Vec<Symbol>,
    /// Calls whose callees could not be told apart from safe ones, because a build script writes them.
    pub(crate) unseen_calls: Vec<UnseenCalls>,
    pub(crate) problems: Vec<Problem>,
}

/// Which command a report is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Command {
    Audit,
    /// `audit --counts`: no diagnostics, and what names must be resolved for is not counted: calls, macros of other files.
    Counts,
    Check,
}

/// What a check left alone.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Known {
    /// The file that names known findings.
    pub(crate) baseline: Option<Utf8PathBuf>,
    /// The builds that it was written for, where they are others than those of this run: it cannot be told then whether code
    /// was dormant before.
    pub(crate) baseline_for: Option<String>,
    /// What the code was to be compared with, as asked for.
    pub(crate) diff_base: Option<String>,
    /// The commit that it was compared with: the last one that the present one shares with that.
    pub(crate) commit: Option<String>,
    /// How many findings of now were known.
    pub(crate) findings: usize,
}

/// What a report has of dependencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Dependencies {
    /// Nothing.
    None,
    /// Their numbers, and what makes the scan incomplete.
    Summary,
    /// What it has of members.
    Full,
}

/// How many diagnostics there are of each level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Totals {
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) notes: usize,
}

/// One package in numbers.
#[derive(Debug, Serialize)]
pub(crate) struct PackageRow {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) member: bool,
    /// A member of the workspace that was not chosen, and is here because one that was chosen needs it.
    #[serde(skip)]
    pub(crate) sibling: bool,
    /// Directory of its `Cargo.toml`.
    pub(crate) root: Utf8PathBuf,
    /// Source files read, in module-tree order.
    pub(crate) files: Vec<Utf8PathBuf>,
    /// Whether every file was read and parsed.
    pub(crate) complete: bool,
    /// By what the code is for, without what is dormant; roles without code are absent.
    pub(crate) counts: BTreeMap<Role, Counts>,
    /// The same for what is compiled for none of the chosen targets.
    pub(crate) dormant: BTreeMap<Role, Counts>,
    /// What its generated wrappers hold, which is in no other number and no diagnostic: the policy is what to read of them.
    pub(crate) generated: Option<Counts>,
}

/// How many of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Counts {
    /// `unsafe { … }`.
    pub(crate) blocks: usize,
    /// `unsafe fn`, declarations in traits included.
    pub(crate) functions: usize,
    pub(crate) impls: usize,
    pub(crate) traits: usize,
    pub(crate) extern_blocks: usize,
    /// Functions and statics declared in extern blocks.
    pub(crate) foreign_items: usize,
    /// Calls of foreign functions.
    pub(crate) foreign_calls: usize,
    /// `#[no_mangle]` and its like.
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
    /// Uses of macros by example whose definitions hold unsafe code.
    pub(crate) macro_uses: usize,
    /// Macro calls that may hold anything: `include!` of what a build script writes.
    pub(crate) unexpanded: usize,
    /// Calls of what a build script writes, foreign functions most of the time.
    pub(crate) unseen_calls: usize,
}

/// What generated wrappers hold.
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

/// Why the audit may have missed something, or seems to.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    /// `name@version`.
    pub(crate) package: String,
    pub(crate) path: Utf8PathBuf,
    /// Where in `path`, for a place that does not parse.
    pub(crate) span: Option<Span>,
    /// The `mod` item that asks for a file that is not there.
    pub(crate) from: Option<Place>,
    #[serde(flatten)]
    pub(crate) kind: ProblemKind,
    #[serde(skip)]
    pub(crate) source: Option<Source>,
    /// Of a package that the report is about.
    #[serde(skip)]
    pub(crate) reported: bool,
}

/// A place in a file.
#[derive(Debug, Serialize)]
pub(crate) struct Place {
    pub(crate) path: Utf8PathBuf,
    pub(crate) span: Span,
}

/// What went wrong with a file.
#[derive(Debug, Serialize)]
#[serde(tag = "problem", content = "message", rename_all = "kebab-case")]
pub(crate) enum ProblemKind {
    /// It does not parse here. Its other facts come from what could be recovered.
    Syntax(String),
    /// It was not scanned.
    Gap(GapKind),
    /// The scanner's own check failed: so many `unsafe` keywords more (less, if negative) are in the file than it found
    /// constructs for. A bug of cargo-isolate.
    Unexplained(i64),
}

impl Report {
    /// Keeps as much of dependencies as is wanted.
    pub(super) fn leave(&mut self, dependencies: Dependencies) {
        match dependencies {
            Dependencies::None => self.leave_out_dependencies(),
            Dependencies::Summary => self.sum_up_dependencies(),
            Dependencies::Full => {}
        }
    }

    /// Keeps what is known of members only.
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

    /// Of dependencies, keeps the numbers, and what makes the scan incomplete.
    fn sum_up_dependencies(&mut self) {
        self.dependencies = Dependencies::Summary;
        self.problems.retain(|problem| problem.reported || problem.kind.is_incomplete());
        self.retain(|diagnostic| diagnostic.member);
    }

    /// What generated wrappers hold, where there are any.
    pub(super) fn generated(&self) -> Option<Generated> {
        let all = self.packages.iter().filter_map(|package| package.generated);
        all.map(|counts| Generated { unsafes: counts.unsafes(), foreign_calls: counts.foreign_calls }).reduce(Add::add)
    }

    /// Problems that no diagnostic is about: the rule `parse-error` has reported a place that does not parse already, unless
    /// the policy allows it.
    pub(crate) fn unsaid_problems(&self) -> impl Iterator<Item = &Problem> {
        let rule = self.diagnostics.iter().filter(|diagnostic| diagnostic.code == "parse-error");
        let said: HashSet<(Origin, Span)> = rule.map(|diagnostic| (diagnostic.origin, diagnostic.span)).collect();
        self.problems.iter().filter(move |problem| match (problem.source, problem.span) {
            (Some(source), Some(span)) => !said.contains(&(Origin::Source(source), span)),
            _ => true,
        })
    }

    /// Keeps some of the diagnostics.
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

    /// Unsafe constructs that no chosen target compiles.
    pub(crate) fn dormant_unsafes(&self) -> usize {
        self.dormant.values().map(Counts::unsafes).sum()
    }
}

/// One of the numbers in [`Counts`]: its name in the JSON, and how to read it.
pub(crate) type Kind = (&'static str, fn(&Counts) -> usize);

/// The kinds of unsafe constructs, one for each way that [`UnsafeKind`]s are counted: places in the source that say so. What
/// is no construct is counted beside: items and calls of foreign code, what is not seen, and uses of macros, whose constructs
/// stand in their definitions. Wherever a number of unsafe constructs is said, it is the sum of these.
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
    /// How many unsafe constructs.
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

    /// Whatever the scanner calls unsafe is one construct, under a name that the JSON has.
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
