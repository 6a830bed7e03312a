//! The texts of a policy.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Serialize, Serializer};
use std::ops::Range;

/// The text of the workspace's policy, followed by other texts. Positions count bytes across all of them, so that a
/// position also identifies its file.
#[derive(Clone, Debug)]
pub(crate) struct Texts(Vec<Text>);

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// The path as reports show it.
    pub(crate) path: Utf8PathBuf,
    pub(crate) text: String,
    /// The position of its first byte.
    start: usize,
}

/// Serialised as the path of the workspace's policy.
impl Serialize for Texts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.workspace().serialize(serializer)
    }
}

impl Texts {
    pub(crate) fn new(path: Utf8PathBuf, text: String) -> Texts {
        Texts(vec![Text { path, text, start: 0 }])
    }

    /// Adds a file, and returns the position of its first byte.
    pub(crate) fn add(&mut self, path: Utf8PathBuf, text: String) -> usize {
        // An extra byte separates the end of a file from the start of the next.
        let start = self.0.last().map_or(0, |last| last.start + last.text.len() + 1);
        self.0.push(Text { path, text, start });
        start
    }

    /// The file that contains a position: its index, the file, and the position within it.
    pub(crate) fn find(&self, span: &Range<usize>) -> (usize, &Text, Range<usize>) {
        let index = self.0.partition_point(|text| text.start <= span.start).saturating_sub(1);
        let text = &self.0[index];
        (index, text, span.start - text.start..span.end - text.start)
    }

    /// The line of the workspace's policy with this table header in a comment.
    pub(crate) fn commented(&self, header: &str) -> Option<usize> {
        let is_it = |line: &str| line.trim_start().strip_prefix('#').is_some_and(|rest| rest.trim() == header);
        self.0[0].text.lines().position(is_it).map(|line| line + 1)
    }

    /// The file with an index.
    pub(crate) fn file(&self, index: usize) -> &Text {
        &self.0[index]
    }

    /// The path of the workspace's policy, as reports show it.
    pub(crate) fn workspace(&self) -> &Utf8Path {
        &self.0[0].path
    }
}
