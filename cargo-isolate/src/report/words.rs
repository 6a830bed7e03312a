//! The texts of messages and labels for everything that an audit finds.

use super::{
    diagnostic::{Detail, Diagnostic},
    model::{Known, Problem, ProblemKind},
};
use crate::{
    graph::{GapKind, is_of_wrappers},
    terminal::words::some,
};
use isolate_lints::facts::{MacroKind, UnsafeKind};

/// The message for a finding.
pub(super) fn message(detail: &Detail) -> String {
    match detail {
        Detail::Unsafe { kind, name, expanded_from: None, .. } => construct(*kind, name.as_deref()),
        Detail::Unsafe { kind, name, expanded_from: Some(from), .. } => {
            format!("{} from expansion of `{from}`", construct(*kind, name.as_deref()))
        }
        Detail::ForeignCall { mention: false, .. } => "call of a foreign function".to_owned(),
        Detail::ForeignCall { .. } => "mention of a foreign item".to_owned(),
        Detail::MacroUse { name, .. } => format!("use of `{name}!`, which holds unsafe code"),
        Detail::Unexpanded { name, kind: Some(MacroKind::Attribute), .. } => {
            format!("unknown: expansion of `#[{name}]` not seen")
        }
        Detail::Unexpanded { name, kind: Some(MacroKind::Derive), .. } => {
            format!("unknown: expansion of `#[derive({name})]` not seen")
        }
        Detail::Unexpanded { name, .. } => format!("unknown: expansion of `{name}!` not seen"),
    }
}

/// The label for its position.
pub(super) fn label(detail: &Detail) -> Option<String> {
    let label = match detail {
        Detail::Unsafe { expanded_from: Some(_), .. } => "a procedural macro writes it here",
        Detail::Unsafe { kind: UnsafeKind::Block | UnsafeKind::Impl, safety: None, .. } => "no `SAFETY` comment",
        Detail::Unsafe { .. } => return None,
        Detail::ForeignCall { symbol, library, declared_in, mention, .. } => {
            let verb = if *mention { "mentions" } else { "calls" };
            let library = library.as_ref().map_or_else(String::new, |library| format!(" of library `{library}`"));
            return Some(format!("{verb} foreign `{symbol}`{library}, declared in {declared_in}"));
        }
        Detail::MacroUse { defined_in, .. } => return Some(format!("expands to unsafe code of {defined_in}")),
        Detail::Unexpanded { defined_in: Some(package), .. } => {
            return Some(format!(
                "the proc macro of {package} may generate any code, here and at its other uses in this package"
            ));
        }
        Detail::Unexpanded { .. } => "written when the package is built",
    };
    Some(label.to_owned())
}

/// The label for a construct that should have a `# Safety` section and has none.
pub(super) const NO_SECTION: &str = "no `# Safety` section";

fn construct(kind: UnsafeKind, name: Option<&str>) -> String {
    let what = kind.noun();
    match (kind, name) {
        (UnsafeKind::MacroToken, _) | (_, None) => what.to_owned(),
        (_, Some(name)) => format!("{what} `{name}`"),
    }
}

impl Diagnostic {
    /// Describes the position: ``in `Stream::read` of module `zip::io`, only with cfg(windows)``.
    pub(super) fn place(&self) -> String {
        let mut place = match &self.function {
            Some(function) => format!("in `{function}` of module `{}`", self.module),
            None => format!("in module `{}`", self.module),
        };
        if let Some(name) = &self.in_macro {
            place += &format!(", in the tokens of macro `{name}`");
        }
        place += &self.standing();
        if self.dormant.is_none() && !self.cfgs.is_empty() {
            place += &format!(", only with cfg({})", self.cfgs.join("), cfg("));
        }
        place
    }

    /// Describes the position by its path, as exceptions do: ``in `zip::io::Stream::read`, dormant: cfg(windows)``.
    pub(super) fn path(&self) -> String {
        format!("in `{}`{}", self.at, self.standing())
    }

    fn standing(&self) -> String {
        self.dormant.iter().map(|why| format!(", dormant: {why}")).collect()
    }
}

impl Problem {
    /// The message for a problem.
    pub(super) fn message(&self) -> String {
        let path = &self.path;
        match &self.kind {
            ProblemKind::Syntax(message) => format!("does not parse: {message}"),
            ProblemKind::Unexplained(count) => {
                format!("{count} `unsafe` keywords of `{path}` are unaccounted for; please report this")
            }
            ProblemKind::Gap(GapKind::Unreadable(why)) => format!("cannot read `{path}`: {why}"),
            ProblemKind::Gap(GapKind::Missing) if is_of_wrappers(path) => {
                format!("no file for this module: `{path}` does not exist; `cargo isolate wrap` writes it")
            }
            ProblemKind::Gap(GapKind::Missing) => format!("no file for this module: `{path}` does not exist"),
            ProblemKind::Gap(GapKind::MissingCfg) => format!("module without a file, not needed here: `{path}`"),
        }
    }
}

impl ProblemKind {
    /// The code of such a problem.
    pub(super) fn code(&self) -> &'static str {
        match self {
            ProblemKind::Syntax(_) => "syntax",
            ProblemKind::Unexplained(_) => "unexplained-keywords",
            ProblemKind::Gap(GapKind::Unreadable(_)) => "unreadable",
            ProblemKind::Gap(GapKind::Missing) => "missing",
            ProblemKind::Gap(GapKind::MissingCfg) => "missing-cfg",
        }
    }
}

/// "3 findings known from the baseline `x`".
pub(super) fn known(known: &Known) -> String {
    let written_for = known.baseline_for.as_ref().map(|builds| format!(", which was written for {builds}"));
    let written_for = written_for.unwrap_or_default();
    let baseline = known.baseline.as_ref().map(|path| format!("the baseline `{path}`{written_for}"));
    let commit = known.commit.as_ref().zip(known.diff_base.as_ref()).map(|(commit, name)| {
        format!("commit {}, the last that this code shares with `{name}`", commit.get(..9).unwrap_or(commit))
    });
    let from: Vec<_> = baseline.into_iter().chain(commit).collect();
    format!("{} known from {}", some(known.findings, "finding"), from.join(" and "))
}
