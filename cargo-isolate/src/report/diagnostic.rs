//! A diagnostic: something that `audit` found, or that violates a rule or limit.

use super::fingerprint::Fingerprint;
use crate::graph::Role;
use camino::Utf8PathBuf;
use isolate_lints::facts::{MacroKind, Operation, Span, UnsafeKind};
use serde::Serialize;

/// A message about one place. Every format prints these fields and nothing else.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Diagnostic {
    /// The name of the rule, or the kind of finding ([`Detail::code`]).
    pub(crate) code: &'static str,
    pub(crate) level: Level,
    /// What was found, or what is wrong with it: a lowercase fragment.
    pub(crate) message: String,
    /// A short label for the position itself.
    pub(crate) label: Option<String>,
    /// `name@version`.
    pub(crate) package: String,
    /// Whether the package is a member of the workspace.
    pub(crate) member: bool,
    /// The role of the file; `None` for the policy.
    pub(crate) role: Option<Role>,
    /// Relative to the workspace if the file is inside it.
    pub(crate) path: Utf8PathBuf,
    pub(crate) span: Span,
    /// `crate::module::function`, which exceptions match against.
    pub(crate) at: String,
    /// `crate::module`.
    pub(crate) module: String,
    /// Enclosing function, with its type: `Stream::read`.
    pub(crate) function: Option<String>,
    /// The `cfg` predicates around it, including those on the modules that lead to its file.
    pub(crate) cfgs: Vec<String>,
    /// The predicate that excludes it from the builds for all chosen targets: `cfg(windows)`.
    pub(crate) dormant: Option<String>,
    /// The macro whose tokens contain it.
    pub(crate) in_macro: Option<String>,
    /// Further information that helps to judge it.
    pub(crate) notes: Vec<String>,
    /// Stays the same if the finding moves within its function.
    pub(crate) fingerprint: Fingerprint,
    /// Stays the same wherever the finding moves, even into another function, file or package.
    pub(crate) content: Fingerprint,
    /// Details of an audit's finding; `None` for findings of rules.
    pub(crate) detail: Option<Detail>,
    /// The file that `span` refers to.
    #[serde(skip)]
    pub(crate) origin: Origin,
}

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Level {
    /// Makes `check` fail.
    Error,
    /// Should be looked at.
    Warning,
    /// Information only.
    Note,
}

/// The file that a diagnostic is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Origin {
    Source(Source),
    /// Index among the policy's files.
    Policy(usize),
}

/// Indices of a package in the graph and of a file in the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Source {
    pub(crate) package: usize,
    pub(crate) file: usize,
}

/// What the audit found at a place.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub(crate) enum Detail {
    /// An unsafe construct.
    Unsafe {
        kind: UnsafeKind,
        name: Option<String>,
        /// The safety comment.
        safety: Option<String>,
        operations: Vec<Operation>,
        /// The use of the procedural macro that generates it. Such a construct is in no source file.
        #[serde(skip_serializing_if = "Option::is_none")]
        expanded_from: Option<String>,
    },
    /// A call or mention of a foreign item. A mention takes a function's address or uses a static.
    ForeignCall {
        /// Path as written.
        path: String,
        /// The symbol that the linker resolves.
        symbol: String,
        /// Native library, from the extern block or the declaring package's `links`.
        library: Option<String>,
        /// The package that declares it: `name@version`.
        declared_in: String,
        mention: bool,
    },
    /// A use of a `macro_rules!` macro with unsafe code in its definition.
    MacroUse {
        /// Path as written.
        name: String,
        /// The package that defines it: `name@version`.
        defined_in: String,
    },
    /// A macro call whose expansion is not available.
    Unexpanded {
        /// Path as written.
        name: String,
        /// How a procedural macro is used.
        kind: Option<MacroKind>,
        argument: String,
        /// The package that defines a procedural macro.
        defined_in: Option<String>,
    },
}

impl Detail {
    /// The code of such a finding: the name of the rule, if a rule is about exactly this.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Detail::Unsafe { kind, .. } => match kind {
                UnsafeKind::Block => "unsafe-block",
                UnsafeKind::Function => "unsafe-function",
                UnsafeKind::Declaration => "unsafe-declaration",
                UnsafeKind::Impl => "unsafe-impl",
                UnsafeKind::Trait => "unsafe-trait",
                UnsafeKind::ExternBlock => "extern-block",
                UnsafeKind::Attribute => "unsafe-attribute",
                UnsafeKind::StaticMut => "static-mut",
                UnsafeKind::Union => "union",
                UnsafeKind::GlobalAsm => "global-asm",
                UnsafeKind::Type => "unsafe-type",
                UnsafeKind::MacroToken => "unsafe-in-macro",
            },
            Detail::ForeignCall { .. } => "foreign-call",
            Detail::MacroUse { .. } => "unsafe-macro-use",
            Detail::Unexpanded { .. } => "unseen-expansion",
        }
    }
}
