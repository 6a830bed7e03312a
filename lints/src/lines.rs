//! Conversion of byte offsets to lines and columns.

use crate::facts::Span;
use std::ops::Range;

/// Distance in bytes between two stored counts, small enough to count the remainder at each lookup.
const CHUNK: usize = 256;

/// The starts of a text's lines, and the positions of multi-byte characters.
#[derive(Debug)]
pub struct Lines<'t> {
    text: &'t [u8],
    starts: Vec<u32>,
    /// Number of UTF-8 continuation bytes before each chunk; empty for ASCII text, where a column is a byte offset.
    continuations: Vec<u32>,
}

impl<'t> Lines<'t> {
    /// Indexes a text in one pass.
    pub fn new(text: &'t str) -> Lines<'t> {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at as u32 + 1));
        let text = text.as_bytes();
        let mut continuations = Vec::new();
        if !text.is_ascii() {
            let mut count = 0;
            for chunk in text.chunks(CHUNK) {
                continuations.push(count);
                count += continuation_bytes(chunk);
            }
        }
        Lines { text, starts, continuations }
    }

    /// The span of a byte range of the text.
    ///
    /// # Panics
    ///
    /// If the range starts beyond the end of the text.
    pub fn span(&self, range: Range<usize>) -> Span {
        let line = self.starts.partition_point(|start| *start as usize <= range.start);
        let line_start = self.starts[line - 1] as usize;
        let bytes = range.start - line_start;
        let column =
            bytes as u32 - (self.continuations_before(range.start) - self.continuations_before(line_start)) + 1;
        Span { start: range.start as u32, end: range.end as u32, line: line as u32, column }
    }

    /// The number of lines; an empty text has one.
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// The byte range of a line, counted from 0, its line ending included.
    pub fn range(&self, line: usize) -> Option<Range<usize>> {
        let start = *self.starts.get(line)? as usize;
        Some(start..self.starts.get(line + 1).map_or(self.text.len(), |next| *next as usize))
    }

    fn continuations_before(&self, offset: usize) -> u32 {
        if self.continuations.is_empty() {
            return 0;
        }
        let chunk = (offset / CHUNK).min(self.continuations.len() - 1);
        self.continuations[chunk] + continuation_bytes(&self.text[chunk * CHUNK..offset])
    }
}

fn continuation_bytes(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|byte| **byte & 0xC0 == 0x80).count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, needle: &str, expected: (u32, u32)) {
        let at = text.find(needle).unwrap();
        let span = Lines::new(text).span(at..at + needle.len());
        assert_eq!((span.line, span.column), expected);
    }

    #[test]
    fn columns_count_characters() {
        check("ab\ncd", "d", (2, 2));
        check("äöü x", "x", (1, 5));
        check("ä\nöx", "x", (2, 2));
    }

    #[test]
    fn columns_count_characters_past_the_first_chunk() {
        let text = format!("{}\n{}x", "ä".repeat(1000), "€".repeat(1000));
        check(&text, "x", (2, 1001));
    }
}
