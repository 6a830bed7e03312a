//! `cargo isolate explain`: a rule's manual page, or the list of rules.

use crate::{exit::Exit, nearest::nearest};
use isolate_lints::rules;
use std::io::Write;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The rule's name; all rules are listed, with their severities, if not given
    rule: Option<String>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut out = anstream::stdout().lock();
    let Some(name) = &args.rule else {
        let width = rules::RULES.iter().map(|rule| rule.name.len()).max().unwrap_or_default();
        for rule in rules::RULES {
            writeln!(out, "{:width$}  {:5}  {}", rule.name, rule.default.to_string(), rule.summary())?;
        }
        return Ok(Exit::Clean);
    };
    match rules::explain(name) {
        Some(page) => {
            write!(out, "{page}")?;
            Ok(Exit::Clean)
        }
        None => {
            let error = anstyle::AnsiColor::BrightRed.on_default().bold();
            anstream::eprintln!("{error}error{error:#}: no rule `{name}`");
            match nearest(name, rules::RULES.iter().map(|rule| rule.name)) {
                Some(known) => anstream::eprintln!("did you mean `{known}`?"),
                None => anstream::eprintln!("`cargo isolate explain` lists the rules"),
            }
            Ok(Exit::Usage)
        }
    }
}
