//! The report as text: one line per stage, with problems below it.

mod linked;

use super::{Compile, Faults, Objects, Refusal, Report};
use crate::{bypass::Bypass, terminal::words::some, verify::Act};
use std::io::{self, Write};

/// Prints the report. With `quiet`, only what is wrong or could not be tried.
pub(super) fn text(out: &mut dyn Write, report: &Report, quiet: bool) -> io::Result<()> {
    let out = &mut Printer { out, quiet };
    if report.wrappers == 0 && report.refused.is_empty() {
        return writeln!(out.out, "nothing to verify: the policy isolates no function");
    }
    if !report.complete {
        line(out, Mark::Error, "scan", "incomplete: calls in what is shown below were not seen")?;
    }
    wrappers(out, report)?;
    match report.refused.is_empty() {
        true => bypasses(out, &report.bypasses, report.stale.is_empty())?,
        false => line(out, Mark::Skipped, "bypass", "not looked at: functions have no wrapper")?,
    }
    match &report.compile {
        Compile::Ok => line(out, Mark::Ok, "compile", "the workspace compiles with the wrappers")?,
        Compile::Skipped { reason } => line(out, Mark::Skipped, "compile", &format!("not tried: {reason}"))?,
        Compile::WithoutTests { message } => {
            line(out, Mark::Error, "compile", "tests, benchmarks or examples do not compile; everything else does")?;
            indented(out, message)?;
        }
        Compile::Failed { message } => {
            line(out, Mark::Error, "compile", "the workspace does not compile")?;
            indented(out, message)?;
        }
    }
    match &report.linked {
        Objects::Checked(linked) => linked::text(out, linked)?,
        Objects::Skipped { reason } => line(out, Mark::Skipped, "linked", &format!("not looked at: {reason}"))?,
    }
    match &report.faults {
        Faults::Played { acts } => played(out, acts),
        Faults::Failed { message } => {
            line(out, Mark::Error, "faults", "the wrappers cannot be tried")?;
            indented(out, message)
        }
        Faults::NotStarted { message } => line(out, Mark::Error, "faults", &format!("not run: {message}")),
        Faults::Unsupported { reason } => line(
            out,
            Mark::Untried,
            "faults",
            &format!("compiled and not run: isolation is not possible here: {reason}"),
        ),
        Faults::Skipped { reason } => line(out, Mark::Skipped, "faults", &format!("not run: {reason}")),
    }
}

fn wrappers(out: &mut Printer<'_>, report: &Report) -> io::Result<()> {
    if !report.refused.is_empty() {
        let (count, has) = (report.refused.len(), if report.refused.len() == 1 { "has" } else { "have" });
        let text = format!("{} {has} none: `cargo isolate plan` says why", some(count, "function"));
        line(out, Mark::Error, "wrappers", &text)?;
        return report.refused.iter().try_for_each(|Refusal { domain, function, path, line, column }| {
            writeln!(out.out, "    {path}:{line}:{column}: `{function}` of the domain `{domain}`")
        });
    }
    if report.stale.is_empty() {
        return line(
            out,
            Mark::Ok,
            "wrappers",
            &format!("{}, all generated files fresh", some(report.wrappers, "function")),
        );
    }
    line(out, Mark::Error, "wrappers", "not as `cargo isolate wrap` writes them; run it and commit the result")?;
    report.stale.iter().try_for_each(|path| writeln!(out.out, "    {path}"))
}

fn bypasses(out: &mut Printer<'_>, bypasses: &[Bypass], fresh: bool) -> io::Result<()> {
    let (tests, others): (Vec<_>, Vec<_>) = bypasses.iter().partition(|bypass| bypass.test);
    let (excepted, others): (Vec<_>, Vec<_>) = others.into_iter().partition(|bypass| bypass.excepted);
    match others.len() {
        0 if fresh => line(out, Mark::Ok, "bypass", "no isolated function is called outside its wrapper")?,
        0 => line(
            out,
            Mark::Ok,
            "bypass",
            "no other source calls an isolated function; calls made by the out-of-date wrappers were not checked",
        )?,
        1 => line(out, Mark::Error, "bypass", "1 call goes past its wrapper")?,
        count => line(out, Mark::Error, "bypass", &format!("{count} calls go past their wrappers"))?,
    }
    for Bypass { path, line, column, package, symbol, function, mention, .. } in others {
        let what = if *mention { "takes the address of" } else { "calls" };
        let within = function.as_ref().map(|function| format!(" in `{function}`")).unwrap_or_default();
        writeln!(out.out, "    {path}:{line}:{column}: {what} `{symbol}`{within} ({package})")?;
    }
    for Bypass { at, symbol, .. } in excepted {
        line(
            out,
            Mark::Skipped,
            "",
            &format!("`{at}` may go past the wrapper of `{symbol}`: an exception of the policy"),
        )?;
    }
    match tests.len() {
        0 => Ok(()),
        1 => line(out, Mark::Skipped, "", "1 direct call in tests and benchmarks is allowed"),
        count => line(out, Mark::Skipped, "", &format!("{count} direct calls in tests and benchmarks are allowed")),
    }
}

fn played(out: &mut Printer<'_>, acts: &[Act]) -> io::Result<()> {
    let bad: Vec<_> = acts.iter().filter(|act| !act.good).collect();
    let names = distinct(acts.iter().map(wrapper));
    match bad.len() {
        0 => {
            let hold = if names.len() == 1 { "holds" } else { "hold" };
            let wrappers = some(names.len(), "wrapper");
            let text = format!("{wrappers} {hold}: every misbehaviour is contained, every next call works");
            line(out, Mark::Ok, "faults", &text)?;
        }
        count => line(out, Mark::Error, "faults", &format!("{count} of {} acts were not contained", acts.len()))?,
    }
    if !out.quiet {
        table(out, acts, &names)?;
    }
    for act in bad {
        writeln!(out.out, "    {}, {}: {}", wrapper(act), act.act, act.outcome)?;
    }
    if out.quiet { Ok(()) } else { legend(out) }
}

/// Prints a row per wrapper and a column per misbehaviour.
fn table(out: &mut Printer<'_>, acts: &[Act], names: &[String]) -> io::Result<()> {
    let honest = |act: &&Act| act.act.starts_with("honest");
    let columns = distinct(acts.iter().filter(|act| !honest(act)).map(|act| misbehaviour(act).to_owned()));
    let width = names.iter().map(String::len).max().unwrap_or(0);
    write!(out.out, "\n    {:width$}", "")?;
    columns.iter().try_for_each(|column| write!(out.out, "  {column:0$}", cell(column)))?;
    writeln!(out.out, "  honest calls")?;
    for name in names {
        write!(out.out, "    {name:width$}")?;
        let of_wrapper: Vec<_> = acts.iter().filter(|act| wrapper(act) == *name).collect();
        for column in &columns {
            let outcomes = of_wrapper.iter().filter(|act| misbehaviour(act) == column).map(|act| outcome(act));
            let outcome = outcomes.max_by_key(|outcome| [OK, ERR, NOT_CONTAINED].iter().position(|one| one == outcome));
            let outcome = outcome.unwrap_or("-");
            write!(out.out, "  {outcome:0$}", cell(column))?;
        }
        let honest: Vec<_> = of_wrapper.iter().filter(|act| honest(act)).collect();
        writeln!(out.out, "  {} of {}", honest.iter().filter(|act| act.good).count(), honest.len())?;
    }
    Ok(())
}

/// Explains the table.
fn legend(out: &mut Printer<'_>) -> io::Result<()> {
    writeln!(
        out.out,
        "\n    A column says what the library did. {OK}: the call returned, and claimed no more than there is room for. {ERR}: it returned the fault.\n    \
         -: not for this wrapper. The last column counts calls of a library that works, and how many gave what they must."
    )
}

const OK: &str = "Ok";
const ERR: &str = "Err";
const NOT_CONTAINED: &str = "NOT CONTAINED";

/// The kind of misbehaviour, without its amount: `huge results` for `huge results with 0 elements`.
fn misbehaviour(act: &Act) -> &str {
    act.act.split(" with ").next().unwrap_or(&act.act)
}

fn cell(column: &str) -> usize {
    column.len().max(NOT_CONTAINED.len())
}

fn outcome(act: &Act) -> &'static str {
    match (act.good, act.outcome.starts_with("Err")) {
        (false, _) => NOT_CONTAINED,
        (true, true) => ERR,
        (true, false) => OK,
    }
}

fn wrapper(act: &Act) -> String {
    match act.domain.is_empty() {
        true => "(start)".to_owned(),
        false => format!("{}::{}", act.domain, act.function),
    }
}

/// The distinct names, in order of first appearance.
fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut all = Vec::new();
    for name in names {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

struct Printer<'o> {
    out: &'o mut dyn Write,
    quiet: bool,
}

/// The result of a stage.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Ok,
    Error,
    /// Not requested, or permitted by the policy.
    Skipped,
    /// Not possible on this machine.
    Untried,
}

fn line(out: &mut Printer<'_>, mark: Mark, stage: &str, text: &str) -> io::Result<()> {
    let (word, color) = match mark {
        Mark::Ok | Mark::Skipped if out.quiet => return Ok(()),
        Mark::Ok => ("ok", anstyle::AnsiColor::Green),
        Mark::Error => ("error", anstyle::AnsiColor::BrightRed),
        Mark::Skipped | Mark::Untried => ("note", anstyle::AnsiColor::Cyan),
    };
    let style = color.on_default().bold();
    writeln!(out.out, "{style}{word:5}{style:#}  {stage:8}  {text}")
}

fn indented(out: &mut Printer<'_>, text: &str) -> io::Result<()> {
    text.lines().try_for_each(|line| writeln!(out.out, "    {line}"))
}
