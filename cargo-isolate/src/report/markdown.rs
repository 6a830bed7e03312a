//! Markdown for a comment on a pull request or a job summary, as GitHub and similar services render it.

use super::{
    diagnostic::{Diagnostic, Level},
    model::{Command, PackageRow, Report, Totals},
    summary::{COLUMNS, Column, DORMANT},
    words,
};
use crate::terminal::words::some;
use std::io::{self, Write};

/// GitHub accepts comments of up to 65,536 characters. Beyond this number of bytes, findings are counted rather than
/// listed.
const LONGEST: usize = 60_000;

pub(super) fn print(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let mut text = String::new();
    text.push_str(&headline(report));
    text.push_str(&table(report));
    text.extend(report.generated().map(|generated| format!("{generated}\n\n")));
    for level in [Level::Error, Level::Warning, Level::Note] {
        findings(&mut text, report, level);
    }
    problems(&mut text, report);
    out.write_all(text.as_bytes())
}

fn headline(report: &Report) -> String {
    let Totals { errors, warnings, notes } = report.totals;
    let text = match (report.command, errors) {
        (Command::Audit | Command::Counts, _) => format!("### cargo isolate audit: {}\n\n", some(notes, "finding")),
        (Command::Check, 0) => format!("### ✅ cargo isolate check: no violations, {}\n\n", some(warnings, "warning")),
        (Command::Check, _) => {
            format!("### ❌ cargo isolate check: {}, {}\n\n", some(errors, "violation"), some(warnings, "warning"))
        }
    };
    let known = report.known.iter().map(|known| format!("{}.\n\n", prose(&words::known(known)))).collect::<String>();
    let text = text + &known;
    let incomplete: Vec<String> =
        report.packages.iter().filter(|package| !package.complete).map(|package| code(&package.id())).collect();
    match incomplete.is_empty() {
        true => text,
        false => format!("{text}⚠️ **Incomplete**: not everything of {} could be read.\n\n", incomplete.join(", ")),
    }
}

/// A row per member, and one for all dependencies together.
fn table(report: &Report) -> String {
    let used: Vec<&Column> = COLUMNS
        .iter()
        .filter(|column| {
            report.packages.iter().flat_map(|package| package.counts.values()).any(|counts| (column.cell)(counts) > 0)
        })
        .collect();
    let has_dormant = report.packages.iter().any(|package| package.dormant_unsafes() > 0);
    if used.is_empty() && !has_dormant {
        return "No unsafe or foreign code.\n\n".to_owned();
    }
    let heads = used.iter().map(|column| column.head).chain(has_dormant.then_some(DORMANT.0));
    let heads: Vec<String> = heads.map(|head| format!(" {head} |")).collect();
    let mut text = format!("| package |{}\n|---|{}\n", heads.concat(), "--:|".repeat(heads.len()));
    let (members, dependencies): (Vec<_>, Vec<_>) = report.packages.iter().partition(|package| package.member);
    let mut row = |name: String, packages: &[&PackageRow]| {
        let counts = || packages.iter().flat_map(|package| package.counts.values());
        let cells = used.iter().map(|column| counts().map(column.cell).sum::<usize>());
        let dormant = packages.iter().map(|package| package.dormant_unsafes()).sum();
        let cells = cells.chain(has_dormant.then_some(dormant));
        let cells: String = cells.map(|sum| if sum == 0 { " – |".to_owned() } else { format!(" {sum} |") }).collect();
        text.push_str(&format!("| {name} |{cells}\n"));
    };
    for package in &members {
        row(code(&package.id()), &[package]);
    }
    if members.len() > 1 {
        row("all members".to_owned(), &members);
    }
    if !dependencies.is_empty() {
        let count = dependencies.len();
        let what = match (dependencies.iter().any(|package| package.sibling), count) {
            (true, _) => "needed by these",
            (false, 1) => "dependency",
            (false, _) => "dependencies",
        };
        row(format!("{count} {what}"), &dependencies);
    }
    text.push('\n');
    text
}

/// The findings of a level, folded unless they are violations.
fn findings(text: &mut String, report: &Report, level: Level) {
    let of_level: Vec<&Diagnostic> = report.diagnostics.iter().filter(|found| found.level == level).collect();
    if of_level.is_empty() {
        return;
    }
    let title = match level {
        Level::Error => some(of_level.len(), "violation"),
        Level::Warning => some(of_level.len(), "warning"),
        Level::Note => some(of_level.len(), "finding"),
    };
    let open = if level == Level::Error { " open" } else { "" };
    text.push_str(&format!("<details{open}><summary>{title}</summary>\n\n| where | what |\n|---|---|\n"));
    for (index, diagnostic) in of_level.iter().enumerate() {
        let line = finding(diagnostic);
        if text.len() + line.len() > LONGEST {
            text.push_str(&format!("\nand {} more.\n", of_level.len() - index));
            break;
        }
        text.push_str(&line);
    }
    text.push_str("\n</details>\n\n");
}

fn finding(diagnostic: &Diagnostic) -> String {
    let Diagnostic { path, span, .. } = diagnostic;
    let at = if diagnostic.at.is_empty() { String::new() } else { format!("<br>in {}", code(&diagnostic.at)) };
    let label = diagnostic.label.iter().map(|label| format!(": {}", prose(label))).collect::<String>();
    let dormant = diagnostic.dormant.iter().map(|why| format!(" (dormant: {})", prose(why))).collect::<String>();
    let place = code(&format!("{path}:{}", span.line));
    format!("| {place}{at} | {} {}{label}{dormant} |\n", code(diagnostic.code), prose(&diagnostic.message))
}

fn problems(text: &mut String, report: &Report) {
    let problems: Vec<_> = report.unsaid_problems().collect();
    if problems.is_empty() {
        return;
    }
    let title = some(problems.len(), "problem");
    text.push_str(&format!("<details><summary>{title} of the scan</summary>\n\n"));
    for (index, problem) in problems.iter().enumerate() {
        let line = problem.span.map_or(String::new(), |span| format!(":{}", span.line));
        let item = format!("- {} {}\n", code(&format!("{}{line}", problem.path)), prose(&problem.message()));
        if text.len() + item.len() > LONGEST + 2000 {
            text.push_str(&format!("- and {} more\n", problems.len() - index));
            break;
        }
        text.push_str(&item);
    }
    text.push_str("\n</details>\n");
}

/// Text as a code span, also inside a table cell: delimited by more backticks than it contains in a row.
fn code(text: &str) -> String {
    let text = text.replace(['\r', '\n'], " ").replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Escapes text, except that parts between backticks become code spans.
fn prose(text: &str) -> String {
    let part = |(index, part): (usize, &str)| match index % 2 {
        1 => code(part),
        _ => escape(part),
    };
    match text.matches('`').count() % 2 {
        0 => text.split('`').enumerate().map(part).collect(),
        _ => escape(text),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\r' | '\n' => escaped.push(' '),
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            // An unescaped `@` could notify a user.
            '@' => escaped.push_str("&#64;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => escaped.extend(['\\', c]),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::{code, prose};

    #[test]
    fn code_of_others_stays_code() {
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(prose("call of `a<b>` by @who_ever"), "call of `a<b>` by &#64;who\\_ever");
        assert_eq!(prose("expected `]"), "expected \\`\\]");
    }
}
