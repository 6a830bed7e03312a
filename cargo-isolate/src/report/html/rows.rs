//! The rows of the page's data. `templates/report/data.js` reads their fields in this order.

use super::{super::model::Command, excerpt::Excerpt};
use crate::{graph::Role, terminal::visible};
use isolate_lints::facts::OperationKind;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// The parts of the data. Each is an element of the page, which the script parses when a view needs it.
#[derive(Debug, Default)]
pub(super) struct Data {
    pub(super) report: Front,
    pub(super) texts: Texts,
    pub(super) findings: Vec<FindingRow>,
    pub(super) symbols: Vec<SymbolRow>,
    pub(super) functions: Vec<FunctionRow>,
    /// By index of the file.
    pub(super) excerpts: BTreeMap<usize, Vec<Excerpt>>,
}

impl Data {
    /// The data for the first view.
    pub(super) fn front(&self) -> serde_json::Result<String> {
        visible::json_text(&self.report)
    }

    /// The other parts, with their names.
    pub(super) fn parts(&self) -> serde_json::Result<[(&'static str, String); 5]> {
        Ok([
            ("texts", visible::json_text(&self.texts)?),
            ("findings", visible::json_text(&self.findings)?),
            ("symbols", visible::json_text(&self.symbols)?),
            ("functions", visible::json_text(&self.functions)?),
            ("excerpts", visible::json_text(&self.excerpts)?),
        ])
    }
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Front {
    pub(super) command: Option<Command>,
    pub(super) policy: Option<String>,
    /// A description of the findings that were left out because they are known.
    pub(super) known: Option<String>,
    pub(super) complete: bool,
    /// Errors, warnings, notes.
    pub(super) totals: [usize; 3],
    /// The heading and description of each column in the packages' counts.
    pub(super) columns: Vec<(&'static str, &'static str)>,
    /// The description of the column for dormant code.
    pub(super) dormant: &'static str,
    pub(super) packages: Vec<PackageData>,
    /// The counts of generated wrappers.
    pub(super) generated: Option<String>,
    pub(super) problems: Vec<ProblemRow>,
}

/// Tables that rows of the other parts refer to by index.
#[derive(Debug, Default, Serialize)]
pub(super) struct Texts {
    /// The first string is empty, and stands for a missing one.
    pub(super) strings: Vec<String>,
    /// The first list is empty.
    pub(super) lists: Vec<Vec<Text>>,
    pub(super) codes: Vec<CodeRow>,
    pub(super) files: Vec<FileRow>,
}

/// Index in `strings`.
pub(super) type Text = usize;

/// Name, summary.
#[derive(Debug, Serialize)]
pub(super) struct CodeRow(pub(super) Text, pub(super) Text);

#[derive(Debug, Serialize)]
pub(super) struct PackageData {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) member: bool,
    pub(super) complete: bool,
    pub(super) files: usize,
    pub(super) counts: BTreeMap<Role, Vec<usize>>,
    /// Number of unsafe constructs that no chosen target compiles.
    pub(super) dormant: usize,
}

/// Path, index of the package or -1 for the policy, role.
#[derive(Debug, Serialize)]
pub(super) struct FileRow(pub(super) Text, pub(super) isize, pub(super) Option<Role>);

/// Code, level, file, line, column, last line, path, message, label, list of enclosing `cfg`s, the predicate that makes
/// it dormant, enclosing macro, list of notes, fingerprint. Trailing zeros are omitted, since there are thousands of
/// rows.
#[derive(Debug)]
pub(super) struct FindingRow(pub(super) [usize; 14]);

impl Serialize for FindingRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let end = self.0.iter().rposition(|field| *field != 0).map_or(0, |last| last + 1);
        serializer.collect_seq(&self.0[..end])
    }
}

/// Name, library, declaring package, and callers: package, path, calls, mentions, how many of both are dormant.
#[derive(Debug, Serialize)]
pub(super) struct SymbolRow(
    pub(super) Text,
    pub(super) Text,
    pub(super) Text,
    pub(super) Vec<(Text, Text, usize, usize, usize)>,
);

/// Package, file, line, path, module, which builds contain it (numbered as [`super::interior::Built`]), whether it is
/// unsafe, blocks, symbols outside blocks, called functions.
#[derive(Debug, Serialize)]
pub(super) struct FunctionRow(
    pub(super) usize,
    pub(super) usize,
    pub(super) u32,
    pub(super) Text,
    pub(super) Text,
    pub(super) u8,
    pub(super) bool,
    pub(super) Vec<BlockRow>,
    pub(super) Vec<Text>,
    pub(super) Vec<usize>,
);

/// Line, last line, whether it has a safety comment, operations, symbols, which builds contain it.
#[derive(Debug, Serialize)]
pub(super) struct BlockRow(
    pub(super) u32,
    pub(super) u32,
    pub(super) bool,
    pub(super) Vec<OperationKind>,
    pub(super) Vec<Text>,
    pub(super) u8,
);

/// Package, path, line or 0, message.
#[derive(Debug, Serialize)]
pub(super) struct ProblemRow(pub(super) String, pub(super) String, pub(super) u32, pub(super) String);
