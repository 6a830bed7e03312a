//! `cargo isolate explain`: the manual page of a rule, the list of rules, or the meaning of a kind of fault.

mod faults;

use super::failure::Failure;
use crate::{
    exit::Exit,
    nearest::nearest,
    report::{self, codes},
    terminal::streams,
};
use isolate_lints::rules;
use std::io::{self, Write};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A rule's name, another code that reports print, a kind of fault (`StaleHandle`), or `columns` for those of the
    /// table; all of them are listed, rules with their severities, if not given
    rule: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let mut out = streams::stdout();
    let Some(name) = &args.rule else {
        list(&mut out)?;
        return Ok(Exit::Clean);
    };
    if let Some(page) = rules::explain(name) {
        write!(out, "{page}")?;
        return Ok(Exit::Clean);
    }
    if name == "columns" {
        report::legend(&mut out)?;
        return Ok(Exit::Clean);
    }
    if let Some(summary) = codes::explain(name) {
        writeln!(out, "# {name}\n\n{summary}\n\nNo rule: `[rules]` of the policy does not name it.")?;
        return Ok(Exit::Clean);
    }
    if let Some(page) = faults::explain(name) {
        write!(out, "{page}")?;
        return Ok(Exit::Clean);
    }
    let mut known: Vec<&str> = rules::RULES.iter().map(|rule| rule.name).chain(codes::names()).collect();
    known.extend(faults::summaries().into_iter().map(|(kind, _)| kind));
    let longer: Vec<_> = known.iter().filter(|known| known.starts_with(name.as_str())).copied().collect();
    // Kinds of faults are in CamelCase, while messages spell them as lowercase words.
    let plain: Vec<String> = known.iter().map(|known| known.to_lowercase()).collect();
    let near = nearest(&name.to_lowercase().replace(' ', ""), plain.iter().map(String::as_str));
    let near = near.and_then(|near| plain.iter().position(|plain| plain == near)).map(|at| known[at]);
    let hint = match near {
        _ if !longer.is_empty() => format!("did you mean `{}`?", longer.join("` or `")),
        Some(known) => format!("did you mean `{known}`?"),
        None => "`cargo isolate explain` lists them".to_owned(),
    };
    Err(Failure::usage(format_args!("no rule, code or kind of fault `{name}`\n{hint}")))
}

/// Lists everything that can be explained.
fn list(out: &mut dyn Write) -> io::Result<()> {
    let width = rules::RULES.iter().map(|rule| rule.name.len()).max().unwrap_or_default();
    for rule in rules::RULES {
        writeln!(out, "{:width$}  {:5}  {}", rule.name, rule.default.to_string(), rule.summary())?;
    }
    writeln!(out, "\nOther codes of reports, and `columns` of their table:\n")?;
    for (code, summary) in codes::names().filter_map(|code| Some((code, codes::explain(code)?))) {
        writeln!(out, "{code:width$}  {summary}")?;
    }
    writeln!(out, "\nKinds of faults, at run time; `{{:?}}` of a `Fault` names its kind:\n")?;
    faults::summaries().into_iter().try_for_each(|(kind, means)| writeln!(out, "{kind:width$}  {means}"))
}
