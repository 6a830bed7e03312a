//! Problems of an audit: what could not be read, and failed self-checks.

use super::super::{
    diagnostic::Source,
    model::{Place, Problem, ProblemKind},
};
use crate::graph::{Graph, Package, SourceFile};
use camino::Utf8PathBuf;
use isolate_lints::facts::Span;

pub(super) fn file_problems(graph: &Graph, package: &Package, file: &SourceFile, source: Source) -> Vec<Problem> {
    let problem = |span, kind| Problem {
        package: package.id(),
        path: graph.relative(&file.path),
        span,
        from: None,
        kind,
        source: Some(source),
        reported: package.selected,
    };
    let errors = file.facts.errors.iter();
    let syntax = errors.map(|error| problem(Some(error.span), ProblemKind::Syntax(error.message.clone())));
    let unexplained = Some(file.facts.unexplained()).filter(|count| *count != 0);
    syntax.chain(unexplained.map(|count| problem(None, ProblemKind::Unexplained(count)))).collect()
}

pub(super) fn gap_problems(graph: &Graph, package: &Package) -> Vec<Problem> {
    let gaps = package.gaps.iter().filter(|gap| package.is_reported(gap.role));
    gaps.map(|gap| Problem {
        package: package.id(),
        path: graph.relative(&gap.path),
        span: None,
        from: gap
            .from
            .as_ref()
            .map(|(path, span): &(Utf8PathBuf, Span)| Place { path: graph.relative(path), span: *span }),
        kind: ProblemKind::Gap(gap.why.clone()),
        source: None,
        reported: package.selected,
    })
    .collect()
}

impl ProblemKind {
    /// Whether the audit may have missed something because of it.
    pub(crate) fn is_incomplete(&self) -> bool {
        match self {
            ProblemKind::Syntax(_) | ProblemKind::Unexplained(_) => true,
            ProblemKind::Gap(why) => why.is_incomplete(),
        }
    }
}
