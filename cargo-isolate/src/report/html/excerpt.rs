//! Excerpts of source files with syntax highlighting.

use isolate_lints::{
    Edition,
    highlight::{Class, highlight},
};
use serde::{Serialize, Serializer};
use std::{collections::BTreeSet, ops::Range};

/// Number of lines of context before and after a finding.
const AROUND: u32 = 2;
/// Maximal number of lines shown of a block.
const LONGEST: u32 = 16;
/// Maximal number of characters shown of a line.
const WIDEST: usize = 240;

/// The lines of a file that excerpts have to show.
#[derive(Debug, Default)]
pub(super) struct Wanted(BTreeSet<u32>);

/// The number of the first line, and consecutive lines.
#[derive(Debug, Serialize)]
pub(super) struct Excerpt(u32, Vec<Line>);

/// The text of a line, and each highlighted token with its start and length (in UTF-16 units, as in JavaScript) and
/// class.
#[derive(Debug, Serialize)]
struct Line(String, Vec<Run>);

#[derive(Debug)]
struct Run(usize, usize, Class);

impl Serialize for Run {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.0, self.1, letter(self.2)).serialize(serializer)
    }
}

/// The class's name in the style sheet.
fn letter(class: Class) -> &'static str {
    match class {
        Class::Keyword => "k",
        Class::Unsafe => "u",
        Class::Comment => "c",
        Class::Text => "s",
        Class::Number => "n",
        Class::Lifetime => "l",
        Class::Function => "f",
        Class::Type => "t",
    }
}

impl Excerpt {
    /// Approximate size in the page.
    pub(super) fn bytes(&self) -> usize {
        self.1.iter().map(|Line(text, runs)| text.len() + 12 * runs.len()).sum()
    }
}

impl Wanted {
    /// Adds the lines of a finding and their context.
    pub(super) fn add(&mut self, lines: Range<u32>) {
        let end = lines.end.min(lines.start + LONGEST) + AROUND;
        self.0.extend(lines.start.saturating_sub(AROUND).max(1)..=end);
    }

    /// Cuts the lines out of a text. `edition` is `None` for text that is not Rust.
    pub(super) fn cut(&self, text: &str, edition: Option<Edition>) -> Vec<Excerpt> {
        let tokens = edition.map(|edition| highlight(text, edition)).unwrap_or_default();
        let mut excerpts: Vec<Excerpt> = Vec::new();
        let mut start = 0;
        for (line, number) in text.split_inclusive('\n').zip(1..) {
            if self.0.contains(&number) {
                let end = start + line.trim_end_matches('\n').len();
                let line = cut_line(text, start..end, &tokens);
                match excerpts.last_mut() {
                    Some(Excerpt(first, lines)) if *first + lines.len() as u32 == number => lines.push(line),
                    _ => excerpts.push(Excerpt(number, vec![line])),
                }
            }
            start += line.len();
        }
        excerpts
    }
}

fn cut_line(text: &str, range: Range<usize>, tokens: &[(Range<usize>, Class)]) -> Line {
    let line = &text[range.clone()];
    let shown = line.char_indices().nth(WIDEST).map_or(line.len(), |(at, _)| at);
    let shown = range.start..range.start + shown;
    let first = tokens.partition_point(|(token, _)| token.end <= shown.start);
    let units = |range: Range<usize>| text[range].encode_utf16().count();
    let runs = tokens[first..].iter().take_while(|(token, _)| token.start < shown.end).map(|(token, class)| {
        let token = token.start.max(shown.start)..token.end.min(shown.end);
        Run(units(shown.start..token.start), units(token), *class)
    });
    let runs = runs.collect();
    let more = if shown.end < range.end { "…" } else { "" };
    Line(format!("{}{more}", &text[shown]), runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_with_their_colours() {
        let text = "one\n/* two\nthree */ fn ö() {}\nfour\nfive\nsix\nseven\n";
        let mut wanted = Wanted::default();
        wanted.add(1..1);
        wanted.add(7..7);
        let cut = serde_json::to_string(&wanted.cut(text, Some(Edition::E2024))).unwrap();
        let expected = r#"[[1,[["one",[]],["/* two",[[0,6,"c"]]],["three */ fn ö() {}",[[0,8,"c"],[9,2,"k"],[12,1,"f"]]]]],[5,[["five",[]],["six",[]],["seven",[]]]]]"#;
        assert_eq!(cut, expected);
    }
}
