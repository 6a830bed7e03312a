//! Escapes characters that change what a reader sees, wherever they come from: file names, literals, compiler messages.
//!
//! Everything that commands print passes through here, see [`crate::terminal::streams`]. Line ends, tabs and the
//! colours that commands use are passed on; all that a malicious name can do with these is to be coloured.

use serde::Serialize;
use std::{
    borrow::Cow,
    io::{self, Write},
};

/// A stream that escapes hidden characters in what is written to it. No write may split a character, which holds for
/// writes from strings.
pub(crate) struct Visible<W>(pub(crate) W);

impl<W: Write> Write for Visible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Most writes have nothing to escape.
        let plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
        if bytes.iter().all(plain) {
            return self.0.write(bytes);
        }
        for chunk in bytes.utf8_chunks() {
            let text = chunk.valid();
            replaced(text, is_hidden, |part, hidden| {
                self.0.write_all(part.as_bytes())?;
                hidden.map_or(Ok(()), |char| write!(self.0, "{}", char.escape_unicode()))
            })?;
            self.0.write_all(chunk.invalid())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Text from elsewhere with hidden characters escaped, colours included.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden_in_text) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|char| shown(char).unwrap_or_else(|| char.to_string())).collect())
}

/// The escape of a character in text from elsewhere, if it needs one.
pub(crate) fn shown(char: char) -> Option<String> {
    is_hidden_in_text(char).then(|| char.escape_unicode().to_string())
}

/// Prints a value as JSON, in which hidden characters are escapes.
pub(crate) fn json<T: Serialize + ?Sized>(out: &mut dyn Write, value: &T) -> io::Result<()> {
    // The JSON is streamed, since that of a large graph has tens of megabytes.
    let mut out = io::BufWriter::with_capacity(1 << 16, out);
    serde_json::to_writer_pretty(Escaped(&mut out), value)?;
    writeln!(out)?;
    out.flush()
}

/// The same without whitespace, for scripts.
pub(crate) fn json_text<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    let mut text = Vec::new();
    serde_json::to_writer(Escaped(&mut text), value)?;
    String::from_utf8(text).map_err(serde::ser::Error::custom)
}

/// Escapes hidden characters in JSON. They occur only inside its strings, where a `\u` escape means the same.
struct Escaped<W>(W);

impl<W: Write> Write for Escaped<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match str::from_utf8(bytes) {
            Ok(text) if !text.is_ascii() || text.contains('\x7f') => {
                let is_hidden = |char, _: &str| is_hidden_in_text(char);
                replaced(text, is_hidden, |part, hidden| {
                    self.0.write_all(part.as_bytes())?;
                    let units =
                        hidden.iter().flat_map(|char| char.encode_utf16(&mut [0; 2]).to_vec()).collect::<Vec<u16>>();
                    units.iter().try_for_each(|unit| write!(self.0, "\\u{unit:04x}"))
                })?;
                Ok(bytes.len())
            }
            _ => self.0.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Splits a text into parts, each followed by a hidden character except for the last.
fn replaced(
    text: &str,
    is_hidden: impl Fn(char, &str) -> bool,
    mut write: impl FnMut(&str, Option<char>) -> io::Result<()>,
) -> io::Result<()> {
    let mut written = 0;
    for (at, char) in text.char_indices().filter(|(at, char)| is_hidden(*char, &text[*at + char.len_utf8()..])) {
        write(&text[written..at], Some(char))?;
        written = at + char.len_utf8();
    }
    write(&text[written..], None)
}

/// Whether a character, given the text after it, controls the terminal or the text layout rather than being visible.
fn is_hidden(char: char, rest: &str) -> bool {
    match char {
        '\u{1b}' => !is_color(rest),
        '\r' => !rest.starts_with('\n'),
        char => is_hidden_in_text(char),
    }
}

fn is_hidden_in_text(char: char) -> bool {
    match char {
        '\n' | '\t' => false,
        // Bidirectional marks, embeddings, overrides and isolates; zero-width characters.
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' => true,
        // Soft hyphens, interlinear annotations, and tag characters.
        '\u{ad}' | '\u{180e}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        char => char.is_control(),
    }
}

/// Whether `[…m` follows with codes that commands print: bold, faint, a colour that is visible on any background,
/// reset. Black or concealed text could hide words of a report.
fn is_color(rest: &str) -> bool {
    let codes = rest.strip_prefix('[').and_then(|rest| rest.split_once('m')).map_or("?", |(codes, _)| codes);
    codes.split(';').all(|code| matches!(code.as_bytes(), b"" | [b'0'..=b'2'] | [b'3' | b'9', b'1'..=b'6']))
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
        check("\u{1b}[1m\u{1b}[91mä\t\u{1b}[0m\r\n", "\u{1b}[1m\u{1b}[91mä\t\u{1b}[0m\r\n");
        check("\u{1b}[1;96mä\u{1b}[2mö\u{1b}[m", "\u{1b}[1;96mä\u{1b}[2mö\u{1b}[m");
    }

    /// Codes that hide words, and sequences that combine with the text that is written next.
    #[test]
    fn colours_that_hide_are_shown() {
        check("\u{1b}[8mhidden", "\\u{1b}[8mhidden");
        check("\u{1b}[30mblack", "\\u{1b}[30mblack");
        check("\u{1b}[38;5;0mblack", "\\u{1b}[38;5;0mblack");
        check("\u{1b}[1;40mblack", "\\u{1b}[1;40mblack");
        check("name\u{1b}[", "name\\u{1b}[");
        check("name\u{1b}", "name\\u{1b}");
        check("\u{1b}[31", "\\u{1b}[31");
        assert_eq!(visible("\u{1b}[31mred"), "\\u{1b}[31mred");
        assert_eq!(visible("nothing: ä\n"), Cow::Borrowed("nothing: ä\n"));
    }

    #[test]
    fn json_says_the_same_in_escapes() {
        let text = "a\u{202e}\u{9b}\u{7f}\u{e0041}\u{1b}\"\\ä\n";
        let mut out = Vec::new();
        json(&mut out, &[text]).unwrap();
        let printed = String::from_utf8(out).unwrap();
        assert_eq!(printed, "[\n  \"a\\u202e\\u009b\\u007f\\udb40\\udc41\\u001b\\\"\\\\ä\\n\"\n]\n");
        for printed in [printed, json_text(&[text]).unwrap()] {
            assert!(!printed.chars().any(is_hidden_in_text), "{printed:?}");
            assert_eq!(serde_json::from_str::<[String; 1]>(&printed).unwrap(), [text]);
        }
    }
}
