//! `cargo isolate explain`: a rule's manual page, or the list of rules; what a kind of fault means.

mod faults;

use super::failure::Failure;
use crate::{
    exit::Exit,
    nearest::nearest,
    report::{self, codes},
    streams,
};
use isolate_lints::rules;
use std::io::Write;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A rule's name, another code that reports print, a kind of fault (`StaleHandle`), or `columns` for those of the table;
    /// all rules are listed, with their severities, if not given
    rule: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let mut out = streams::stdout();
    let Some(name) = &args.rule else {
        let width = rules::RULES.iter().map(|rule| rule.name.len()).max().unwrap_or_default();
        for rule in rules::RULES {
            writeln!(out, "{:width$}  {:5}  {}", rule.name, rule.default.to_string(), rule.summary())?;
        }
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
    let faults: Vec<String> = faults::names().collect();
    let mut known: Vec<&str> = rules::RULES.iter().map(|rule| rule.name).chain(codes::names()).collect();
    known.extend(faults.iter().map(String::as_str));
    let longer: Vec<_> = known.iter().filter(|known| known.starts_with(name.as_str())).copied().collect();
    let hint = match nearest(name, known) {
        _ if !longer.is_empty() => format!("did you mean `{}`?", longer.join("` or `")),
        Some(known) => format!("did you mean `{known}`?"),
        None => "`cargo isolate explain` lists the rules".to_owned(),
    };
    Err(Failure::usage(format_args!("no rule `{name}`\n{hint}")))
}
