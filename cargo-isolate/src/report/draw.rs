//! Diagnostics in colour, on any stream: codespan's layout, anstyle's colours, anstream's judgement about the terminal.

use anstyle::{AnsiColor, Style};
use codespan_reporting::{
    diagnostic::{Diagnostic, LabelStyle, Severity},
    files::{Error, Files},
    term::{self, DisplayStyle},
};
use isolate_lints::lines::Lines;
use std::io::{self, Write};

/// Source lines longer than this are not drawn: generated code on one line would fill the screen.
const LONGEST_LINE: usize = 400;

/// Texts to draw parts of. A column of a line of megabytes is asked for as often as there are findings in it, so none is
/// counted from the start of its line.
#[derive(Default)]
pub(crate) struct Sources<'t>(Vec<(String, &'t str, Lines<'t>)>);

impl<'t> Sources<'t> {
    /// The number of a text with a name.
    pub(crate) fn add(&mut self, name: String, text: &'t str) -> usize {
        self.0.push((name, text, Lines::new(text)));
        self.0.len() - 1
    }

    fn get(&self, id: usize) -> Result<&(String, &'t str, Lines<'t>), Error> {
        self.0.get(id).ok_or(Error::FileMissing)
    }
}

impl<'f> Files<'f> for Sources<'_> {
    type FileId = usize;
    type Name = &'f str;
    type Source = &'f str;

    fn name(&'f self, id: usize) -> Result<&'f str, Error> {
        Ok(&self.get(id)?.0)
    }

    fn source(&'f self, id: usize) -> Result<&'f str, Error> {
        Ok(self.get(id)?.1)
    }

    fn line_index(&'f self, id: usize, byte: usize) -> Result<usize, Error> {
        let (_, text, lines) = self.get(id)?;
        let byte = byte.min(text.len());
        Ok(lines.span(byte..byte).line as usize - 1)
    }

    fn line_range(&'f self, id: usize, line: usize) -> Result<std::ops::Range<usize>, Error> {
        let lines = &self.get(id)?.2;
        lines.range(line).ok_or(Error::LineTooLarge { given: line, max: lines.count() - 1 })
    }

    fn column_number(&'f self, id: usize, _: usize, byte: usize) -> Result<usize, Error> {
        let (_, text, lines) = self.get(id)?;
        let byte = byte.min(text.len());
        Ok(lines.span(byte..byte).column as usize)
    }
}

/// Draws one diagnostic, followed by an empty line.
pub(crate) fn draw<'f, F: Files<'f>>(
    out: &mut dyn Write,
    files: &'f F,
    diagnostic: &Diagnostic<F::FileId>,
) -> io::Result<()> {
    let mut config = term::Config::default();
    if diagnostic.labels.iter().any(|label| is_too_long(files, label.file_id, &label.range)) {
        config.display_style = DisplayStyle::Medium;
    }
    let mut painter = Painter { out, spaces: 0 };
    term::emit_to_write_style(&mut painter, &config, files, diagnostic).map_err(|error| match error {
        codespan_reporting::files::Error::Io(error) => error,
        error => io::Error::other(error),
    })?;
    if config.display_style as u8 == DisplayStyle::Medium as u8 {
        writeln!(painter)?;
    }
    Ok(())
}

fn is_too_long<'f, F: Files<'f>>(files: &'f F, file: F::FileId, range: &std::ops::Range<usize>) -> bool {
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

/// Leaves out spaces at the ends of lines.
struct Painter<'o> {
    out: &'o mut dyn Write,
    /// Not written yet.
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
