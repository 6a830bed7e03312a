//! Draws diagnostics in colour on any stream, with codespan's layout, anstyle's colours and anstream's detection of
//! terminals.

use crate::terminal::visible::{self, visible};
use anstyle::{AnsiColor, Style};
use codespan_reporting::{
    diagnostic::{Diagnostic, LabelStyle, Severity},
    files::{Error, Files},
    term::{self, DisplayStyle},
};
use isolate_lints::lines::Lines;
use std::{
    borrow::Cow,
    io::{self, Write},
    ops::Range,
};

/// Source lines longer than this are not drawn: generated code on one line would fill the screen.
const LONGEST_LINE: usize = 400;

/// Source texts to draw excerpts of, with hidden characters escaped. An escape is wider than the character that it
/// stands for, so positions are translated: otherwise the marks would not be below what they mark.
#[derive(Default)]
pub(crate) struct Sources<'t>(Vec<Shown<'t>>);

struct Shown<'t> {
    name: String,
    text: Cow<'t, str>,
    /// Lines of the original text. The index finds a column without counting from the start of its line: that would be
    /// quadratic for a line of megabytes with many findings.
    lines: Lines<'t>,
    length: usize,
    /// Ordered by position.
    escapes: Vec<Escape>,
}

/// A character that is drawn as an escape.
struct Escape {
    /// The position of its first byte.
    at: usize,
    /// The end of the character in the original text, and the end of its escape in the drawn text.
    end: usize,
    shown_end: usize,
}

impl<'t> Shown<'t> {
    fn new(name: String, text: &'t str) -> Shown<'t> {
        let mut shown = Shown {
            name: visible(&name).into_owned(),
            text: visible(text),
            lines: Lines::new(text),
            length: text.len(),
            escapes: Vec::new(),
        };
        if let Cow::Owned(_) = shown.text {
            let mut grown = 0;
            for (at, char) in text.char_indices() {
                let Some(escape) = visible::shown(char) else { continue };
                grown += escape.len() - char.len_utf8();
                let end = at + char.len_utf8();
                shown.escapes.push(Escape { at, end, shown_end: end + grown });
            }
        }
        shown
    }

    /// The position in the drawn text of a byte of the original text.
    fn drawn(&self, byte: usize) -> usize {
        match self.escapes.partition_point(|escape| escape.at < byte) {
            0 => byte,
            before => byte + self.escapes[before - 1].shown_end - self.escapes[before - 1].end,
        }
    }

    /// The byte of the original text that is drawn at this position.
    fn undrawn(&self, byte: usize) -> usize {
        let before = self.escapes.partition_point(|escape| escape.shown_end <= byte);
        let byte = match before {
            0 => byte,
            before => byte + self.escapes[before - 1].end - self.escapes[before - 1].shown_end,
        };
        self.escapes.get(before).map_or(byte, |next| byte.min(next.at)).min(self.length)
    }
}

impl<'t> Sources<'t> {
    /// Adds a named text, and returns its identifier.
    pub(crate) fn add(&mut self, name: String, text: &'t str) -> usize {
        self.0.push(Shown::new(name, text));
        self.0.len() - 1
    }

    fn get(&self, id: usize) -> Result<&Shown<'t>, Error> {
        self.0.get(id).ok_or(Error::FileMissing)
    }

    /// The diagnostic as it is drawn: texts escaped, positions translated.
    fn shown(&self, diagnostic: &Diagnostic<usize>) -> Diagnostic<usize> {
        let mut shown = diagnostic.clone();
        shown.message = visible(&shown.message).into_owned();
        shown.notes.iter_mut().for_each(|note| *note = visible(note).into_owned());
        for label in &mut shown.labels {
            label.message = visible(&label.message).into_owned();
            if let Ok(file) = self.get(label.file_id) {
                label.range = file.drawn(label.range.start)..file.drawn(label.range.end);
            }
        }
        shown
    }
}

impl<'f> Files<'f> for Sources<'_> {
    type FileId = usize;
    type Name = &'f str;
    type Source = &'f str;

    fn name(&'f self, id: usize) -> Result<&'f str, Error> {
        Ok(&self.get(id)?.name)
    }

    fn source(&'f self, id: usize) -> Result<&'f str, Error> {
        Ok(&self.get(id)?.text)
    }

    fn line_index(&'f self, id: usize, byte: usize) -> Result<usize, Error> {
        let file = self.get(id)?;
        let byte = file.undrawn(byte);
        Ok(file.lines.span(byte..byte).line as usize - 1)
    }

    fn line_range(&'f self, id: usize, line: usize) -> Result<Range<usize>, Error> {
        let file = self.get(id)?;
        let range = file.lines.range(line).ok_or(Error::LineTooLarge { given: line, max: file.lines.count() - 1 })?;
        Ok(file.drawn(range.start)..file.drawn(range.end))
    }

    fn column_number(&'f self, id: usize, _: usize, byte: usize) -> Result<usize, Error> {
        let file = self.get(id)?;
        let byte = file.undrawn(byte);
        Ok(file.lines.span(byte..byte).column as usize)
    }
}

/// Draws one diagnostic, followed by an empty line.
pub(crate) fn draw(out: &mut dyn Write, files: &Sources<'_>, diagnostic: &Diagnostic<usize>) -> io::Result<()> {
    let diagnostic = files.shown(diagnostic);
    let mut config = term::Config::default();
    if diagnostic.labels.iter().any(|label| is_too_long(files, label.file_id, &label.range)) {
        config.display_style = DisplayStyle::Medium;
    }
    let mut painter = Painter { out, spaces: 0 };
    term::emit_to_write_style(&mut painter, &config, files, &diagnostic).map_err(|error| match error {
        codespan_reporting::files::Error::Io(error) => error,
        error => io::Error::other(error),
    })?;
    if config.display_style as u8 == DisplayStyle::Medium as u8 {
        writeln!(painter)?;
    }
    Ok(())
}

fn is_too_long(files: &Sources<'_>, file: usize, range: &Range<usize>) -> bool {
    let line = |byte| {
        let line = files.line_index(file, byte).ok()?;
        files.line_range(file, line).ok()
    };
    [range.start, range.end].into_iter().filter_map(line).any(|line| line.len() > LONGEST_LINE)
}

/// The style of a severity's word.
pub(crate) fn style(severity: Severity) -> Style {
    let color = match severity {
        Severity::Bug | Severity::Error => AnsiColor::BrightRed,
        Severity::Warning => AnsiColor::BrightYellow,
        Severity::Note => AnsiColor::BrightGreen,
        Severity::Help => AnsiColor::BrightCyan,
    };
    color.on_default().bold()
}

/// Drops trailing spaces.
struct Painter<'o> {
    out: &'o mut dyn Write,
    /// Spaces that are not written yet.
    spaces: usize,
}

impl Painter<'_> {
    fn set(&mut self, style: Style) -> io::Result<()> {
        write!(self.out, "{style}")
    }
}

impl Write for Painter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, end) = line.strip_suffix(b"\n").map_or((line, &b""[..]), |text| (text, b"\n"));
            let kept = &text[..text.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1)];
            if !kept.is_empty() {
                write!(self.out, "{:width$}", "", width = std::mem::take(&mut self.spaces))?;
                self.out.write_all(kept)?;
            }
            self.spaces = if end.is_empty() { self.spaces + text.len() - kept.len() } else { 0 };
            self.out.write_all(end)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl term::WriteStyle for Painter<'_> {
    fn set_header(&mut self, severity: Severity) -> io::Result<()> {
        self.set(style(severity))
    }

    fn set_header_message(&mut self) -> io::Result<()> {
        self.set(Style::new().bold())
    }

    fn set_line_number(&mut self) -> io::Result<()> {
        self.set(AnsiColor::BrightBlue.on_default().bold())
    }

    fn set_note_bullet(&mut self) -> io::Result<()> {
        self.set(AnsiColor::BrightBlue.on_default().bold())
    }

    fn set_source_border(&mut self) -> io::Result<()> {
        self.set(AnsiColor::BrightBlue.on_default().bold())
    }

    fn set_label(&mut self, severity: Severity, label: LabelStyle) -> io::Result<()> {
        self.set(match label {
            LabelStyle::Primary => style(severity),
            LabelStyle::Secondary => AnsiColor::BrightBlue.on_default().bold(),
        })
    }

    fn reset(&mut self) -> io::Result<()> {
        write!(self.out, "{}", anstyle::Reset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use codespan_reporting::diagnostic::Label;

    /// Checks what is drawn for a text in which `here` is marked.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut sources = Sources::default();
        let file = sources.add("a\u{202e}.rs".to_owned(), text);
        let at = text.find("here").unwrap();
        let label = Label::primary(file, at..at + 4).with_message("\u{1b}[31m");
        let mut out = anstream::StripStream::new(Vec::new());
        draw(&mut out, &sources, &Diagnostic::note().with_message("\u{9b}").with_label(label)).unwrap();
        assert_eq!(String::from_utf8(out.into_inner()).unwrap(), expected);
    }

    #[test]
    fn marks_stand_below_what_they_mark() {
        check(
            "\u{feff}x\n\u{1b}[31m\u{202e}ä here\u{8}\n",
            "note: \\u{9b}\n  ┌─ a\\u{202e}.rs:2:9\n  │\n2 │ \\u{1b}[31m\\u{202e}ä here\\u{8}\n  │                     ^^^^ \\u{1b}[31m\n\n",
        );
        check(
            "here\u{7}\u{7}\n",
            "note: \\u{9b}\n  ┌─ a\\u{202e}.rs:1:1\n  │\n1 │ here\\u{7}\\u{7}\n  │ ^^^^ \\u{1b}[31m\n\n",
        );
    }

    /// Translating a position to the drawn text and back gives the same byte.
    #[test]
    fn places_are_found_again() {
        let text = "\u{7}a\u{202e}\u{200b}bä\n\u{8}c\u{85}";
        let shown = Shown::new(String::new(), text);
        for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
            assert_eq!(shown.undrawn(shown.drawn(at)), at);
            assert!(shown.text.is_char_boundary(shown.drawn(at)));
        }
    }
}
