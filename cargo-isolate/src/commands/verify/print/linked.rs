//! The result of examining object files and programs, as text.

use super::{Mark, Printer, line};
use crate::{
    terminal::words::some,
    verify::linked::{Linked, Outside, Problem, Server},
};
use std::io;

pub(super) fn text(out: &mut Printer<'_>, linked: &Linked) -> io::Result<()> {
    globals(out, linked)?;
    references(out, &linked.references)?;
    linked.inside.iter().try_for_each(|inside| line(out, Mark::Skipped, "", &inside.to_string()))?;
    linked.constructors.iter().try_for_each(|one| line(out, Mark::Skipped, "", &one.to_string()))?;
    linked.served.iter().try_for_each(|served| line(out, Mark::Skipped, "", &served.to_string()))?;
    linked.unseen.iter().try_for_each(|unseen| line(out, Mark::Skipped, "", unseen))
}

fn globals(out: &mut Printer<'_>, linked: &Linked) -> io::Result<()> {
    let (unknown, problems): (Vec<_>, Vec<_>) = linked
        .problems
        .iter()
        .partition(|problem| matches!(problem, Problem::NoSuchArchive { .. } | Problem::SharedInstead { .. }));
    if !unknown.is_empty() {
        line(
            out,
            Mark::Error,
            "archives",
            "the policy names an archive or shared object that the build does not have",
        )?;
        unknown.into_iter().try_for_each(|unknown| problem(out, unknown))?;
    }
    if problems.is_empty() {
        let programs = some(linked.programs, "program");
        let text = match linked.variables {
            0 => format!("the libraries have no writable variables, in {programs}"),
            count => format!(
                "{} of the libraries in their domains, none outside, in {programs}",
                some(count, "writable variable")
            ),
        };
        return line(out, Mark::Ok, "globals", &text);
    }
    line(out, Mark::Error, "globals", "calls that write a global of their library would end in a fault")?;
    problems.into_iter().try_for_each(|found| problem(out, found))
}

fn problem(out: &mut Printer<'_>, problem: &Problem) -> io::Result<()> {
    writeln!(out.out, "    {problem}")?;
    match problem {
        Problem::NoSuchArchive { .. } | Problem::SharedInstead { .. } | Problem::SharedVariables { .. } => Ok(()),
        Problem::OutsideOfDomain { domain, from, .. } => {
            let archives: Vec<_> = from
                .iter()
                .filter_map(|server| match server {
                    Server::Archive(name) => Some(format!("{name:?}")),
                    _ => None,
                })
                .collect();
            let krate = from.iter().find_map(|server| match server {
                Server::Crate(package) => Some(package),
                _ => None,
            });
            match (krate, archives.is_empty()) {
                (Some(package), true) => writeln!(
                    out.out,
                    "      the package `{package}` holds them; in the policy: [domain.{domain}] library = \"{package}\""
                ),
                _ => writeln!(out.out, "      in the policy: [domain.{domain}] archives = [{}]", archives.join(", ")),
            }
        }
        Problem::SharedObject { domain, functions, needed, .. } => writeln!(
            out.out,
            "      in the policy, the one of these that has {}: [domain.{domain}] archives = [{}]",
            if functions.len() == 1 { "it" } else { "them" },
            needed.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" | ")
        ),
    }
}

fn references(out: &mut Printer<'_>, references: &[Outside]) -> io::Result<()> {
    let (excepted, references): (Vec<_>, Vec<_>) = references.iter().partition(|outside| outside.excepted);
    match references.len() {
        0 => {
            let but = if excepted.is_empty() { "the wrappers" } else { "the wrappers and what the policy excepts" };
            return line(out, Mark::Ok, "objects", &format!("nothing but {but} refers to isolated functions"));
        }
        1 => line(out, Mark::Error, "objects", "1 place outside of the wrappers refers to an isolated function")?,
        count => {
            let text = format!("{count} places outside of the wrappers refer to isolated functions");
            line(out, Mark::Error, "objects", &text)?;
        }
    }
    for Outside { symbol, by, data, within, .. } in references {
        let by = by.as_ref().map_or_else(|| "a table without a name".to_owned(), |by| format!("`{by}`"));
        let what = if *data { "holds the address of" } else { "refers to" };
        writeln!(out.out, "    {by} in `{within}` {what} `{symbol}`")?;
    }
    Ok(())
}
