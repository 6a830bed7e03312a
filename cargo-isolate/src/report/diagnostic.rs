//! One thing that a report says about one place: what `audit` found there, or what a rule or limit holds against it.

use super::fingerprint::Fingerprint;
use crate::graph::Role;
use camino::Utf8PathBuf;
use isolate_lints::facts::{MacroKind, Operation, Span, UnsafeKind};
use serde::Serialize;

/// One thing to say about one place. Every format prints these, and nothing that is not in them.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Diagnostic {
    /// The rule's name, or the kind of what the audit found ([`Detail::code`]).
    pub(crate) code: &'static str,
    pub(crate) level: Level,
    /// What is there, or what is wrong with it: a lowercase fragment.
    pub(crate) message: String,
    /// A few words for the place itself.
    pub(crate) label: Option<String>,
    /// `name@version`.
    pub(crate) package: String,
    /// The package is a member of the workspace.
    pub(crate) member: bool,
    /// What the file is for; `None` for the policy.
    pub(crate) role: Option<Role>,
    /// Relative to the workspace where it lies in there.
    pub(crate) path: Utf8PathBuf,
    pub(crate) span: Span,
    /// `crate::module::function`, as exceptions are matched with.
    pub(crate) at: String,
    /// `crate::module`.
    pub(crate) module: String,
    /// Enclosing function, with its type: `Stream::read`.
    pub(crate) function: Option<String>,
    /// Predicates of the `cfg`s around it, those on the way to its file included.
    pub(crate) cfgs: Vec<String>,
    /// What keeps it out of the builds for all chosen targets: `cfg(windows)`.
    pub(crate) dormant: Option<String>,
    /// Macro in whose tokens it stands.
    pub(crate) in_macro: Option<String>,
    /// What else helps to judge it.
    pub(crate) notes: Vec<String>,
    /// The same wherever the finding moves within its function.
    pub(crate) fingerprint: Fingerprint,
    /// The same wherever the finding moves, into another function, file or package too.
    pub(crate) content: Fingerprint,
    /// What the audit knows of it; `None` for findings of rules.
    pub(crate) detail: Option<Detail>,
    /// Where its text is.
    #[serde(skip)]
    pub(crate) origin: Origin,
}

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Level {
    /// It makes `check` fail.
    Error,
    /// Somebody should look at it.
    Warning,
    /// It is there.
    Note,
}

/// Where the text of a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Origin {
    Source(Source),
    /// Which of the policy's files.
    Policy(usize),
}

/// Index of a package in the graph, and of a file in it.
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
        /// The comment that argues for it.
        safety: Option<String>,
        operations: Vec<Operation>,
        /// The use of the procedural macro that writes it; it stands in no file then.
        #[serde(skip_serializing_if = "Option::is_none")]
        expanded_from: Option<String>,
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
    /// A use of a macro by example whose definition holds unsafe code.
    MacroUse {
        /// As written.
        name: String,
        /// Package that defines it: `name@version`.
        defined_in: String,
    },
    /// A macro call whose expansion was not seen.
    Unexpanded {
        /// As written.
        name: String,
        /// How it is used, if it is a procedural macro.
        kind: Option<MacroKind>,
        argument: String,
        /// Package that defines a procedural macro.
        defined_in: Option<String>,
    },
}

impl Detail {
    /// What the audit calls such a finding. Where a rule is about nothing else, it is the rule's name.
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
