//! Characters that change what a reader sees are shown as what they are, wherever they come from: file names, literals,
//! messages of the compiler.
//!
//! Reports for people pass through here and nowhere else. Left are line ends, tabs, and colours, which stay what they are: the
//! worst that a name can do with them is to be coloured.

use std::io::{self, Write};

/// A stream that shows what is written to it. Characters must come whole, as they do from strings.
pub(super) struct Visible<'o>(pub(super) &'o mut dyn Write);

impl Write for Visible<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Most of what is written has nothing to show.
        let plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
        if bytes.iter().all(plain) {
            return self.0.write(bytes);
        }
        let mut start = 0;
        for chunk in bytes.utf8_chunks() {
            let text = chunk.valid();
            let mut written = 0;
            for (at, char) in text.char_indices().filter(|(at, char)| is_hidden(*char, &text[*at..])) {
                self.0.write_all(&text.as_bytes()[written..at])?;
                write!(self.0, "{}", char.escape_unicode())?;
                written = at + char.len_utf8();
            }
            self.0.write_all(&text.as_bytes()[written..])?;
            self.0.write_all(chunk.invalid())?;
            start += text.len() + chunk.invalid().len();
        }
        Ok(start)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Whether a character with what follows it is for the terminal or the layout of text rather than for the reader.
fn is_hidden(char: char, rest: &str) -> bool {
    match char {
        '\n' | '\t' => false,
        '\u{1b}' => !is_color(&rest[1..]),
        // Marks, embeddings, overrides and isolates of directions; characters without width.
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => true,
        _ => char.is_control(),
    }
}

/// `[…m`, or the start of it where colours come in parts.
fn is_color(rest: &str) -> bool {
    let Some(codes) = rest.strip_prefix('[') else { return false };
    let end = codes.find(|char: char| !(char.is_ascii_digit() || char == ';'));
    end.is_none_or(|end| codes[end..].starts_with('m'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut out = Vec::new();
        Visible(&mut out).write_all(text.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn what_would_change_the_view_is_shown() {
        check("src/\u{202e}sr.bil", "src/\\u{202e}sr.bil");
        check("a\u{9b}31mb\u{85}c", "a\\u{9b}31mb\\u{85}c");
        check("\u{1b}]0;title\u{7} \u{1b}[2J \r\u{8}", "\\u{1b}]0;title\\u{7} \\u{1b}[2J \\u{d}\\u{8}");
        check("zero\u{200b}width", "zero\\u{200b}width");
        check("\u{1b}[1m\u{1b}[38;5;9mä\t\u{1b}[0m\n", "\u{1b}[1m\u{1b}[38;5;9mä\t\u{1b}[0m\n");
    }
}
