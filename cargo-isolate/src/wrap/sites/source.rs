//! One Rust file as it is on disk: its syntax tree, the position of every token, and edits that keep everything else.

use super::macros;
use crate::rust;
use proc_macro2::{Span, TokenStream, TokenTree};
use std::ops::Range;
use syn::spanned::Spanned;

/// A file that parses.
pub(super) struct Source {
    pub(super) text: String,
    pub(super) file: syn::File,
    /// The macro arguments of the file that parse as expressions.
    pub(super) macros: macros::Arguments,
    /// Gaps between tokens that contain more than whitespace.
    comments: Vec<Range<usize>>,
    /// Gaps between tokens that contain only whitespace.
    spaces: Vec<Range<usize>>,
}

/// A range of the old text and its replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

impl Edit {
    pub(super) fn new(range: Range<usize>, text: impl Into<String>) -> Edit {
        Edit { range, text: text.into() }
    }

    pub(super) fn insert(at: usize, text: impl Into<String>) -> Edit {
        Edit::new(at..at, text)
    }

    pub(super) fn delete(range: Range<usize>) -> Edit {
        Edit::new(range, "")
    }
}

impl Source {
    pub(super) fn parse(text: String) -> Result<Source, String> {
        let readable = blanked(&text);
        let file = rust::file(&readable).map_err(|error| {
            let start = error.span().start();
            format!("its file does not parse at {}:{}: {error}", start.line, start.column + 1)
        })?;
        // The file is lexed a second time because `syn::File` does not keep its tokens. The byte ranges of both parses
        // count from the start of the file.
        let tokens: TokenStream = readable.parse().map_err(|error| format!("its file does not lex: {error}"))?;
        let mut leaves = Vec::new();
        collect(tokens, &mut leaves);
        let (mut comments, mut spaces, mut end) = (Vec::new(), Vec::new(), 0);
        for leaf in leaves.into_iter().chain(std::iter::once(text.len()..text.len())) {
            if leaf.start > end {
                let between = end..leaf.start;
                let is_space = readable[between.clone()].trim().is_empty();
                (if is_space { &mut spaces } else { &mut comments }).push(between);
            }
            end = end.max(leaf.end);
        }
        let macros = macros::arguments(&file);
        Ok(Source { text, file, macros, comments, spaces })
    }

    pub(super) fn of(&self, node: &impl Spanned) -> &str {
        &self.text[range(node)]
    }

    /// The text with all edits applied. Edits at the same position keep their order.
    pub(super) fn with(&self, mut edits: Vec<Edit>) -> String {
        edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
        let (mut out, mut at) = (String::with_capacity(self.text.len()), 0);
        for edit in edits {
            debug_assert!(edit.range.start >= at, "edits overlap at {:?}", edit.range);
            out.push_str(&self.text[at..edit.range.start]);
            out.push_str(&edit.text);
            at = edit.range.end;
        }
        out.push_str(&self.text[at..]);
        out
    }

    /// Whether an edit would delete part of a comment.
    pub(super) fn loses_comment(&self, edits: &[Edit]) -> bool {
        let touches = |edit: &Edit, gap: &Range<usize>| {
            let common = edit.range.start.max(gap.start)..edit.range.end.min(gap.end);
            common.start < common.end && !self.text[common].trim().is_empty()
        };
        edits.iter().any(|edit| self.comments.iter().any(|gap| touches(edit, gap)))
    }

    /// A range of the text with each comment replaced by a space: what the compiler sees.
    pub(super) fn code(&self, stretch: Range<usize>) -> String {
        let (mut out, mut at) = (String::new(), stretch.start);
        for gap in self.comments.iter().filter(|gap| stretch.start < gap.end && gap.start < stretch.end) {
            out.push_str(&self.text[at..gap.start.max(at)]);
            out.push(' ');
            at = gap.end.min(stretch.end);
        }
        out.push_str(&self.text[at..stretch.end]);
        out
    }

    /// The range to delete with a list item: its comma, and its whole line if nothing else is on that line.
    pub(super) fn removal(&self, item: Range<usize>, comma: Option<Range<usize>>) -> Range<usize> {
        let text = &self.text;
        let comma = comma.filter(|comma| self.space(item.end..comma.start).is_some());
        let end = comma.map_or(item.end, |comma| comma.end);
        let line = self.line_start(item.start);
        let rest = &text[end..];
        let space = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        match rest[space..].find('\n').filter(|newline| rest[space..][..*newline].trim().is_empty()) {
            Some(newline) if self.space(line..item.start).is_some() => line..end + space + newline + 1,
            Some(_) => text[..item.start].trim_end_matches([' ', '\t']).len()..end + space,
            None => item.start..end + space,
        }
    }

    /// Returns `between` if it contains only whitespace.
    pub(super) fn space(&self, between: Range<usize>) -> Option<Range<usize>> {
        self.text[between.clone()].trim().is_empty().then_some(between)
    }

    /// The indentation of the line that contains `at`.
    pub(super) fn indent(&self, at: usize) -> &str {
        let line = &self.text[self.line_start(at)..];
        &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
    }

    pub(super) fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// The file's line ending.
    pub(super) fn newline(&self) -> &'static str {
        if self.text.contains("\r\n") { "\r\n" } else { "\n" }
    }

    /// Removes `width` columns from the start of each line that begins within `inside`. Returns no edits if one of
    /// these lines is indented less or begins inside a token.
    pub(super) fn outdented(&self, inside: Range<usize>, width: usize) -> Vec<Edit> {
        let starts = self.text[inside.clone()].match_indices('\n').map(|(at, _)| inside.start + at + 1);
        let mut edits = Vec::new();
        for start in starts.filter(|start| *start < inside.end) {
            let range = start..start + width;
            let is_space = self.text.get(range.clone()).is_some_and(|text| text.bytes().all(|byte| byte == b' '));
            // A block comment may have a layout of its own.
            let comments = self.comments.iter().filter(|gap| !self.text[(*gap).clone()].contains("/*"));
            let is_between =
                self.spaces.iter().chain(comments).any(|space| space.start <= range.start && range.end <= space.end);
            if !is_space || !is_between {
                return Vec::new();
            }
            edits.push(Edit::delete(range));
        }
        edits
    }
}

/// The byte range of a node.
pub(super) fn range(node: &impl Spanned) -> Range<usize> {
    bytes(node.span())
}

pub(super) fn bytes(span: Span) -> Range<usize> {
    span.byte_range()
}

/// 1-based line, and 1-based column in characters, as in the scanner's facts.
pub(super) fn place(span: Span) -> (u32, u32) {
    let start = span.start();
    (u32::try_from(start.line).unwrap_or(u32::MAX), u32::try_from(start.column + 1).unwrap_or(u32::MAX))
}

/// Replaces a byte order mark and a `#!` line with spaces, because the lexer rejects them. All other bytes keep their
/// offsets.
pub(in crate::wrap) fn blanked(text: &str) -> String {
    let (mark, rest) = text.strip_prefix('\u{feff}').map_or(("", text), |rest| ("   ", rest));
    let is_script = rest.starts_with("#!") && !rest[2..].trim_start().starts_with('[');
    let line = if is_script { rest.find('\n').unwrap_or(rest.len()) } else { 0 };
    format!("{mark}{}{}", " ".repeat(line), &rest[line..])
}

fn collect(tokens: TokenStream, leaves: &mut Vec<Range<usize>>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                leaves.push(group.span_open().byte_range());
                collect(group.stream(), leaves);
                leaves.push(group.span_close().byte_range());
            }
            token => leaves.push(token.span().byte_range()),
        }
    }
}
