//! Workflow commands of GitHub Actions: each diagnostic becomes an annotation of its line.
//!
//! Syntax: `::error file=F,line=L,endLine=L,col=C,title=T::message`, with `%`, CR and LF in the message written as
//! `%25`, `%0D` and `%0A`, and `:` and `,` in properties also as `%3A` and `%2C`. GitHub shows at most ten errors, ten
//! warnings and ten notices per step, so the rest is written to the log as plain lines in a folded group.

use super::{
    diagnostic::{Diagnostic, Level},
    model::{Problem, Report},
};
use crate::terminal::words::some;
use camino::Utf8Path;
use std::io::{self, Write};

/// How many annotations of each level GitHub shows per step.
const SHOWN: usize = 10;

pub(super) fn print(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    // GitHub's paths are relative to the checkout, ours to the workspace.
    let checkout = std::env::var("GITHUB_WORKSPACE").ok();
    let prefix = checkout.as_deref().and_then(|root| report.workspace_root.strip_prefix(root).ok());
    let prefix = prefix.unwrap_or(Utf8Path::new(""));
    let problems = report.unsaid_problems().map(|problem| Annotation::of_problem(problem, prefix));
    let diagnostics = report.diagnostics.iter().map(|diagnostic| Annotation::of_diagnostic(diagnostic, prefix));
    let mut annotations: Vec<_> = problems.chain(diagnostics).collect();
    annotations.sort_by_key(|annotation| annotation.level);

    let mut folded = Vec::new();
    for level in [Level::Error, Level::Warning, Level::Note] {
        let of_level = annotations.iter().filter(|annotation| annotation.level == level);
        for (index, annotation) in of_level.enumerate() {
            match index < SHOWN {
                true => annotation.print(out)?,
                false => folded.push(annotation),
            }
        }
    }
    if !folded.is_empty() {
        writeln!(out, "::group::{} beyond the ten of a kind that GitHub shows", some(folded.len(), "more finding"))?;
        folded.iter().try_for_each(|annotation| annotation.print_plain(out))?;
        writeln!(out, "::endgroup::")?;
    }
    report.generated().iter().try_for_each(|generated| writeln!(out, "{generated}"))
}

struct Annotation {
    level: Level,
    /// The part between the command name and the second `::`.
    properties: String,
    place: String,
    title: String,
    message: String,
}

impl Annotation {
    fn of_diagnostic(diagnostic: &Diagnostic, prefix: &Utf8Path) -> Annotation {
        let Diagnostic { span, level, code, .. } = diagnostic;
        let path = prefix.join(&diagnostic.path);
        let mut message = diagnostic.message.clone();
        for line in diagnostic.label.iter().chain(&diagnostic.notes) {
            message = format!("{message}\n{line}");
        }
        if let Some(why) = &diagnostic.dormant {
            message = format!("{message}\ndormant: {why}");
        }
        Annotation {
            level: *level,
            properties: format!("file={},line={},col={}", property(path.as_str()), span.line, span.column),
            place: format!("{path}:{}:{}", span.line, span.column),
            title: format!("{code} (cargo isolate)"),
            message,
        }
    }

    fn of_problem(problem: &Problem, prefix: &Utf8Path) -> Annotation {
        let (path, span) = match &problem.from {
            Some(from) => (prefix.join(&from.path), Some(from.span)),
            None => (prefix.join(&problem.path), problem.span),
        };
        let mut properties = format!("file={}", property(path.as_str()));
        let mut place = path.to_string();
        if let Some(span) = span {
            properties += &format!(",line={},col={}", span.line, span.column);
            place += &format!(":{}:{}", span.line, span.column);
        }
        Annotation {
            level: if problem.kind.is_incomplete() { Level::Error } else { Level::Note },
            properties,
            place,
            title: "incomplete (cargo isolate)".to_owned(),
            message: problem.message(),
        }
    }

    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let Annotation { properties, title, .. } = self;
        writeln!(out, "::{} {properties},title={}::{}", self.word(), property(title), data(&self.message))
    }

    /// Prints a plain line. `##[` would start a command anywhere in a line, and may be part of the audited code.
    fn print_plain(&self, out: &mut dyn Write) -> io::Result<()> {
        let message = self.message.lines().next().unwrap_or_default();
        let line = format!("{}: {}: {message}", self.place, self.word());
        writeln!(out, "  {}", line.replace(['\r', '\n'], " ").replace("##[", "## ["))
    }

    fn word(&self) -> &'static str {
        match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        }
    }
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture, names::Names, report};

    type Command = (String, Vec<(String, String)>, String);

    /// Parses commands: name, unescaped properties and unescaped message.
    fn read(text: &str) -> Vec<Command> {
        let unescape = |text: &str| {
            let text = text.replace("%3A", ":").replace("%2C", ",").replace("%0D", "\r").replace("%0A", "\n");
            text.replace("%25", "%")
        };
        let command = |line: &str| {
            let (head, message) = line.strip_prefix("::")?.split_once("::")?;
            let (word, properties) = head.split_once(' ')?;
            let properties = properties.split(',').map(|one| one.split_once('=').unwrap());
            let properties = properties.map(|(name, value)| (name.to_owned(), unescape(value)));
            Some((word.to_owned(), properties.collect(), unescape(message)))
        };
        text.lines().filter_map(command).collect()
    }

    fn print(report: &Report) -> String {
        let mut out = Vec::new();
        super::print(&mut out, report).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_goes_in_comes_out() {
        let mut report =
            report::audit(&Names::new(&fixture::graph("//- app/src/lib.rs\npub unsafe fn f() {}\n"))).unwrap();
        report.diagnostics[0].path = "a,b:c%/ü.rs".into();
        report.diagnostics[0].message = "100 % of it\r\nand :: more, too".to_owned();
        report.diagnostics[0].label = None;
        let [(word, properties, message)] = &read(&print(&report))[..] else { panic!("one command") };
        assert_eq!((word.as_str(), message.as_str()), ("notice", "100 % of it\r\nand :: more, too"));
        let names = ["file", "line", "col", "title"];
        assert_eq!(properties.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names);
        assert_eq!(properties[0].1, "a,b:c%/ü.rs");
        assert_eq!(properties[3].1, "unsafe-function (cargo isolate)");
    }

    #[test]
    fn errors_come_first_and_ten_of_a_kind_are_shown() {
        let code: String = (0..30).map(|n| format!("pub unsafe fn f{n}() {{}}\n")).collect();
        let mut report = report::audit(&Names::new(&fixture::graph(&format!("//- app/src/lib.rs\n{code}")))).unwrap();
        report.diagnostics[29].level = Level::Error;
        report.diagnostics[28].message = "##[error]not from us".to_owned();
        let printed = print(&report);
        let words: Vec<_> = read(&printed).into_iter().map(|(word, ..)| word).collect();
        assert_eq!((words[0].as_str(), words.len()), ("error", 11));
        assert!(printed.contains("::group::19 more findings beyond"), "{printed}");
        assert!(!printed.contains("##["), "{printed}");
        assert_eq!(printed.lines().filter(|line| line.starts_with("  ")).count(), 19);
    }
}
