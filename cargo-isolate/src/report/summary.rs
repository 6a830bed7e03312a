//! The table below an audit: a row per package, and one more for each thing that is not its library or binary.

use super::model::{Command, Counts, PackageRow, Report};
use crate::graph::Role;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

/// A column's head, and what stands below it.
pub(super) type Column = (&'static str, fn(&Counts) -> usize);

pub(super) const COLUMNS: &[Column] = &[
    ("blocks", |counts| counts.blocks),
    ("fns", |counts| counts.functions),
    ("impls", |counts| counts.impls),
    ("traits", |counts| counts.traits),
    ("extern", |counts| counts.extern_blocks),
    ("items", |counts| counts.foreign_items),
    (CALLS, |counts| counts.foreign_calls),
    ("attrs", |counts| counts.attributes),
    ("macros", |counts| counts.macro_tokens),
    ("other", |counts| counts.static_muts + counts.unions + counts.global_asm + counts.types),
    (UNSEEN, |counts| counts.unexpanded),
    (UNSEEN_CALLS, |counts| counts.unseen_calls),
];

/// Head of the column of foreign calls.
const CALLS: &str = "calls";

/// Head of the column of macro calls that may hold anything.
const UNSEEN: &str = "unseen";

/// Head of the column of calls of what a build script writes.
const UNSEEN_CALLS: &str = "unseen calls";

/// Head of the last column: everything that no build compiles, of whatever kind.
const DORMANT: &str = "dormant";

struct Row {
    name: String,
    cells: Vec<usize>,
}

pub(super) fn print(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    // Who only counts resolves no name, of a function or of a macro.
    let shown = |head: &str| match head {
        CALLS | UNSEEN => report.command != Command::Counts,
        // Most workspaces have none.
        UNSEEN_CALLS => {
            report.packages.iter().any(|package| package.counts.values().any(|counts| counts.unseen_calls > 0))
        }
        _ => true,
    };
    let (members, dependencies): (Vec<_>, Vec<_>) = report.packages.iter().partition(|package| package.member);
    let groups = [("members", members), ("dependencies", dependencies)];
    let tables: Vec<_> = groups
        .into_iter()
        .filter(|(_, packages)| !packages.is_empty())
        .map(|(title, packages)| (title, rows(&packages, title == "members"), quiet(&packages, title == "members")))
        .collect();
    let names = tables.iter().flat_map(|(title, rows, _)| rows.iter().map(|row| row.name.as_str()).chain([*title]));
    let width = names.map(|name| name.chars().count()).max().unwrap_or(0);
    for (title, rows, quiet) in &tables {
        header(out, title, width, shown)?;
        for row in rows {
            write!(out, "{:width$}", row.name)?;
            for (head, cell) in heads().zip(&row.cells).filter(|(head, _)| shown(head)) {
                let cell = if *cell == 0 { "-".to_owned() } else { cell.to_string() };
                write!(out, "  {cell:>width$}", width = column_width(head))?;
            }
            writeln!(out)?;
        }
        if *quiet > 0 {
            writeln!(out, "and {quiet} without any")?;
        }
        writeln!(out)?;
    }
    let incomplete: Vec<_> =
        report.packages.iter().filter(|package| !package.complete).map(|package| package.name.as_str()).collect();
    if !incomplete.is_empty() {
        writeln!(out, "incomplete, see above: {}", incomplete.join(", "))?;
    }
    Ok(())
}

fn header(out: &mut dyn Write, title: &str, width: usize, shown: impl Fn(&str) -> bool) -> io::Result<()> {
    let bold = anstyle::Style::new().bold();
    write!(out, "{bold}{title:width$}")?;
    for head in heads().filter(|head| shown(head)) {
        write!(out, "  {head:>width$}", width = column_width(head))?;
    }
    writeln!(out, "{bold:#}")
}

fn column_width(head: &str) -> usize {
    head.len().max(5)
}

/// Rows for the packages that have something to count; for members always one, so that a clean one shows.
fn rows(packages: &[&PackageRow], members: bool) -> Vec<Row> {
    let mut rows = Vec::new();
    for package in packages {
        if is_quiet(package) && !members {
            continue;
        }
        let mark = if package.complete { "" } else { " (incomplete)" };
        rows.push(Row {
            name: format!("{} {}{mark}", package.name, package.version),
            cells: cells(package, Role::Main),
        });
        let others: BTreeSet<_> = package.counts.keys().chain(package.dormant.keys()).copied().collect();
        for role in others {
            if let Some(name) = role_name(role) {
                rows.push(Row { name: format!("  {name}"), cells: cells(package, role) });
            }
        }
    }
    rows
}

fn cells(package: &PackageRow, role: Role) -> Vec<usize> {
    let of = |counts: &BTreeMap<Role, Counts>| counts.get(&role).copied().unwrap_or_default();
    let (live, dormant) = (of(&package.counts), of(&package.dormant));
    let dormant = COLUMNS.iter().map(|(_, cell)| cell(&dormant)).sum();
    COLUMNS.iter().map(|(_, cell)| cell(&live)).chain([dormant]).collect()
}

fn heads() -> impl Iterator<Item = &'static str> {
    COLUMNS.iter().map(|(head, _)| *head).chain([DORMANT])
}

/// Packages left out of the table.
fn quiet(packages: &[&PackageRow], members: bool) -> usize {
    match members {
        true => 0,
        false => packages.iter().filter(|package| is_quiet(package)).count(),
    }
}

fn is_quiet(package: &PackageRow) -> bool {
    package.complete && package.counts.is_empty() && package.dormant.is_empty()
}

/// The indented row's name; `None` for what stands in the package's own row.
fn role_name(role: Role) -> Option<&'static str> {
    match role {
        Role::Main => None,
        Role::Generated => Some("generated wrappers"),
        Role::ProcMacro => Some("proc macro"),
        Role::BuildScript => Some("build script"),
        Role::Test => Some("tests"),
        Role::Bench => Some("benches"),
        Role::Example => Some("examples"),
        Role::Unreached => Some("unreached files"),
    }
}
