//! `--format FORMAT[=FILE]`: prints a report in several formats.

use super::{
    Report, github, html, markdown, sarif,
    text::{self, Shown},
};
use crate::{
    names::Names,
    nearest::nearest,
    terminal::{
        streams,
        visible::{self, Visible},
    },
};
use camino::Utf8PathBuf;
use std::{
    convert::Infallible,
    io::{self, Write},
    str::FromStr,
};

/// The formats and destinations of a report. All of them come from a single run.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Output {
    /// How to print the report: text, json, sarif, github, markdown or html; `FORMAT=FILE` writes a file. May be
    /// repeated
    #[arg(long = "format", value_name = "FORMAT[=FILE]")]
    formats: Vec<Destination>,
    /// Cargo's `--message-format`, which is only accepted in order to suggest `--format`.
    #[arg(long, hide = true, value_name = "FORMAT", value_parser = refuse)]
    message_format: Option<Infallible>,
}

/// Suggests what to use instead of `--message-format`.
fn refuse(format: &str) -> Result<Infallible, String> {
    let name = match format {
        "human" | "short" => "text",
        json if json.starts_with("json") => "json",
        other => other,
    };
    Err(format!("a report is no compiler's message; its format is chosen by `--format {name}`"))
}

/// The formats of reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Format {
    /// For people, in a terminal.
    #[default]
    Text,
    /// For programs: see `docs/json.md`.
    Json,
    /// SARIF 2.1.0, for code scanning services and editors.
    Sarif,
    /// Workflow commands of GitHub Actions, which become annotations.
    Github,
    /// A comment on a pull request, or a job summary.
    Markdown,
    /// A self-contained page.
    Html,
}

const FORMATS: &[(&str, Format)] = &[
    ("text", Format::Text),
    ("json", Format::Json),
    ("sarif", Format::Sarif),
    ("github", Format::Github),
    ("markdown", Format::Markdown),
    ("html", Format::Html),
];

/// The value of one `--format` option.
#[derive(Clone, Debug, Default)]
struct Destination {
    format: Format,
    /// `None` for standard output.
    file: Option<Utf8PathBuf>,
}

impl Output {
    /// Checks the destinations before any work is done.
    ///
    /// # Errors
    ///
    /// If two formats go to standard output or to the same file.
    pub(crate) fn check(&self) -> Result<(), OutputError> {
        for (index, destination) in self.formats.iter().enumerate() {
            let same = |other: &&Destination| {
                let file = |one: &Destination| one.file.as_deref().map(crate::files::place);
                file(other) == file(destination)
            };
            if let Some(other) = self.formats[..index].iter().find(same) {
                let formats = [other, destination].map(|one| one.format.name());
                return Err(OutputError::Twice { formats, file: destination.file.clone() });
            }
        }
        Ok(())
    }

    /// Prints a report in every requested format, by default as text. A `quiet` audit prints only the table. Files are
    /// written completely or not at all.
    ///
    /// # Errors
    ///
    /// If something cannot be written, or a source file has changed since it was scanned.
    pub(crate) fn print(&self, names: &Names<'_>, report: &Report, quiet: bool) -> Result<(), OutputError> {
        self.each(|format, out, width| format.print(out, names, report, Shown { quiet, width }))
    }

    /// Prints the answer to a query, which is not a report, as text or JSON.
    ///
    /// # Errors
    ///
    /// If another format is requested, or something cannot be written.
    pub(crate) fn answer(&self, print: impl Fn(&mut dyn Write, bool) -> io::Result<()>) -> Result<(), OutputError> {
        let is_of_reports = |destination: &&Destination| !matches!(destination.format, Format::Text | Format::Json);
        if let Some(Destination { format, .. }) = self.formats.iter().find(is_of_reports) {
            return Err(OutputError::NoReport { format: format.name() });
        }
        self.each(|format, out, _| print(out, format == Format::Json))
    }

    /// Calls `print` for each format with its stream, and with the width if that is a terminal.
    fn each(&self, print: impl Fn(Format, &mut dyn Write, Option<usize>) -> io::Result<()>) -> Result<(), OutputError> {
        // Files come first, so that a closed standard output does not prevent them.
        for Destination { format, file } in &self.formats {
            if let Some(file) = file {
                let mut bytes = Vec::new();
                // The stream removes colours.
                print(*format, &mut Visible(anstream::StripStream::new(&mut bytes)), None)?;
                crate::files::write(file, &bytes).map_err(|why| OutputError::Write { file: file.clone(), why })?;
            }
        }
        let only = [Destination::default()];
        let formats = if self.formats.is_empty() { &only[..] } else { &self.formats };
        for Destination { format, .. } in formats.iter().filter(|destination| destination.file.is_none()) {
            print(*format, &mut streams::stdout(), streams::columns())?;
        }
        Ok(())
    }
}

/// The names of the formats of reports.
pub(crate) fn formats() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|(name, _)| *name)
}

impl Format {
    fn name(self) -> &'static str {
        FORMATS.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }

    fn print(self, out: &mut dyn Write, names: &Names<'_>, report: &Report, shown: Shown) -> io::Result<()> {
        let graph = names.graph;
        match self {
            Format::Text => text::print(out, graph, report, shown),
            Format::Json => visible::json(out, report),
            Format::Sarif => visible::json(out, &sarif::log(graph, report)?),
            Format::Github => github::print(out, report),
            Format::Markdown => markdown::print(out, report),
            Format::Html => html::print(out, names, report),
        }
    }
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Destination, String> {
        let (name, file) = match text.split_once('=') {
            Some((_, "")) => return Err("no file behind the `=`".to_owned()),
            // `-` means standard output, as in other tools.
            Some((name, "-")) => (name, None),
            Some((name, file)) => (name, Some(Utf8PathBuf::from(file))),
            None => (text, None),
        };
        let format = FORMATS.iter().find(|(known, _)| *known == name).map(|(_, format)| *format);
        match (format, nearest(name, formats())) {
            (Some(format), _) => Ok(Destination { format, file }),
            (None, Some(near)) => Err(format!("no format `{name}`; did you mean `{near}`?")),
            (None, None) => Err(format!("no format `{name}`; there are {}", formats().collect::<Vec<_>>().join(", "))),
        }
    }
}

/// Why a report cannot be printed as requested.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    /// Two formats have the same destination.
    #[error("--format {} and --format {} both go to {}", .formats[0], .formats[1], place(.file))]
    Twice { formats: [&'static str; 2], file: Option<Utf8PathBuf> },
    /// The format does not apply to a query.
    #[error("--format {format} is for reports; the answer to `--symbol` is text or json")]
    NoReport { format: &'static str },
    /// The file cannot be written.
    #[error("cannot write `{file}`: {}", crate::text::describe(.why))]
    Write { file: Utf8PathBuf, why: io::Error },
    /// Standard output cannot be written, or a source file has changed since it was scanned.
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn place(file: &Option<Utf8PathBuf>) -> String {
    match file {
        None => "standard output; `FORMAT=FILE` writes a file".to_owned(),
        Some(file) => format!("`{file}`; each needs a file of its own"),
    }
}
