//! The texts that a policy consists of.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Serialize, Serializer};
use std::ops::Range;

/// The workspace's policy, then its members'. Places count bytes over all of them, so that a place names its file too.
#[derive(Clone, Debug)]
pub(crate) struct Texts(Vec<Text>);

/// One file.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// As reports show it.
    pub(crate) path: Utf8PathBuf,
    pub(crate) text: String,
    /// Where its places start.
    start: usize,
}

/// By the workspace's file.
impl Serialize for Texts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.workspace().serialize(serializer)
    }
}

impl Texts {
    pub(crate) fn new(path: Utf8PathBuf, text: String) -> Texts {
        Texts(vec![Text { path, text, start: 0 }])
    }

    /// Adds a file; gives where its places start.
    pub(crate) fn add(&mut self, path: Utf8PathBuf, text: String) -> usize {
        // One more, so that the end of a file is not the start of the next.
        let start = self.0.last().map_or(0, |last| last.start + last.text.len() + 1);
        self.0.push(Text { path, text, start });
        start
    }

    /// The file that a place lies in, its number, and the place in there.
    pub(crate) fn find(&self, span: &Range<usize>) -> (usize, &Text, Range<usize>) {
        let index = self.0.partition_point(|text| text.start <= span.start).saturating_sub(1);
        let text = &self.0[index];
        (index, text, span.start - text.start..span.end - text.start)
    }

    /// The line of the workspace's file in which the header of a table stands behind a `#`.
    pub(crate) fn commented(&self, header: &str) -> Option<usize> {
        let is_it = |line: &str| line.trim_start().strip_prefix('#').is_some_and(|rest| rest.trim() == header);
        self.0[0].text.lines().position(is_it).map(|line| line + 1)
    }

    /// A file by its number.
    pub(crate) fn file(&self, index: usize) -> &Text {
        &self.0[index]
    }

    /// The workspace's policy file, as reports show it.
    pub(crate) fn workspace(&self) -> &Utf8Path {
        &self.0[0].path
    }
}
