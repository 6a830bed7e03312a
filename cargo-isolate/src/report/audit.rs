//! The audit as data: what `--format json` prints, and what the text is made from.
//!
//! `docs/json.md` documents these types for readers of the JSON. [`SCHEMA`] grows when a reader would have to change.

use crate::graph::{GapKind, Role};
use camino::Utf8PathBuf;
use isolate_lints::facts::{Operation, Span, UnsafeKind};
use serde::Serialize;
use std::collections::BTreeMap;

/// Version of the JSON. Added fields keep it; removed, renamed or reinterpreted ones raise it.
pub(crate) const SCHEMA: u32 = 1;

/// Everything that one audit found.
#[derive(Debug, Serialize)]
pub(crate) struct Audit {
    pub(crate) schema: u32,
    /// Version of cargo-isolate.
    pub(crate) tool: &'static str,
    /// Directory that relative paths start from.
    pub(crate) workspace_root: Utf8PathBuf,
    /// Whether every file was read and parsed.
    pub(crate) complete: bool,
    /// Reported members first, then dependencies, each sorted by name and version.
    pub(crate) packages: Vec<PackageReport>,
    /// Sorted as the packages, then by file in module-tree order, then by place.
    pub(crate) findings: Vec<Finding>,
    pub(crate) problems: Vec<Problem>,
}

/// One package in numbers.
#[derive(Debug, Serialize)]
pub(crate) struct PackageReport {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) member: bool,
    /// Directory of its `Cargo.toml`.
    pub(crate) root: Utf8PathBuf,
    /// Source files read, in module-tree order.
    pub(crate) files: Vec<Utf8PathBuf>,
    /// Whether every file was read and parsed.
    pub(crate) complete: bool,
    /// By what the code is for; roles without code are absent.
    pub(crate) counts: BTreeMap<Role, Counts>,
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
    /// Macro calls that may hold anything: `include!` of what a build script writes.
    pub(crate) unexpanded: usize,
}

/// One thing found, at one place.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    #[serde(flatten)]
    pub(crate) what: What,
    /// `name@version`.
    pub(crate) package: String,
    pub(crate) role: Role,
    /// Relative to the workspace where it lies in there.
    pub(crate) path: Utf8PathBuf,
    pub(crate) span: Span,
    /// `crate::module`.
    pub(crate) module: String,
    /// Enclosing function, with its type: `Stream::read`.
    pub(crate) function: Option<String>,
    /// Predicates of the `cfg`s around it.
    pub(crate) cfgs: Vec<String>,
    /// Macro in whose tokens it stands.
    pub(crate) in_macro: Option<String>,
    /// Where its text is, for drawing.
    #[serde(skip)]
    pub(crate) source: Source,
}

/// Index of a package in the graph, and of a file in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Source {
    pub(crate) package: usize,
    pub(crate) file: usize,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum What {
    /// An unsafe construct.
    Unsafe {
        kind: UnsafeKind,
        name: Option<String>,
        /// The comment that argues for it.
        safety: Option<String>,
        operations: Vec<Operation>,
    },
    /// A call of a foreign function, or a mention: its address taken, a foreign static used.
    ForeignCall {
        /// As written.
        path: String,
        /// What the linker resolves.
        symbol: String,
        /// Native library of the extern block or of the declaring package's `links`.
        library: Option<String>,
        /// Package that declares it: `name@version`.
        declared_in: String,
        mention: bool,
    },
    /// A macro call whose expansion was not seen.
    Unexpanded { name: String, argument: String },
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

impl Audit {
    /// Keeps what is known of members only.
    pub(crate) fn leave_out_dependencies(&mut self) {
        let members: Vec<String> =
            self.packages.iter().filter(|package| package.member).map(PackageReport::id).collect();
        self.packages.retain(|package| package.member);
        self.findings.retain(|finding| members.contains(&finding.package));
        self.problems.retain(|problem| members.contains(&problem.package));
        self.complete = self.packages.iter().all(|package| package.complete);
    }
}

impl PackageReport {
    /// `name@version`, as cargo writes it.
    fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }
}

impl Counts {
    /// Whether there is nothing.
    pub(crate) fn is_zero(&self) -> bool {
        *self == Counts::default()
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
