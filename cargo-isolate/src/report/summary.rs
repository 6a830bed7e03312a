//! The table below an audit: a row per package, and further rows for code other than its library and binaries.

use super::{
    fit::{Fit, Row},
    model::{Command, Counts, PackageRow, Report},
};
use crate::graph::Role;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

/// A column of numbers.
pub(crate) struct Column {
    pub(crate) head: &'static str,
    /// What it counts, in Markdown. `docs/reports.md` says the same.
    pub(crate) about: &'static str,
    pub(super) cell: fn(&Counts) -> usize,
    /// Whether it needs path resolution, which `--counts` omits.
    resolved: bool,
}

const fn column(head: &'static str, about: &'static str, cell: fn(&Counts) -> usize) -> Column {
    Column { head, about, cell, resolved: false }
}

const fn resolved(head: &'static str, about: &'static str, cell: fn(&Counts) -> usize) -> Column {
    Column { head, about, cell, resolved: true }
}

/// The columns, except for [`DORMANT`] at the end. They count live code. The first is the sum of those up to `other`.
pub(crate) const COLUMNS: &[Column] = &[
    column("unsafe", "all unsafe constructs: the sum of the columns from `blocks` to `other`", Counts::unsafes),
    column("blocks", "`unsafe { … }`", |counts| counts.blocks),
    column("fns", "`unsafe fn`, with a body or declared in a trait", |counts| counts.functions),
    column("impls", "`unsafe impl`", |counts| counts.impls),
    column("traits", "`unsafe trait`", |counts| counts.traits),
    column("extern", "`extern { … }` blocks, which declare foreign items", |counts| counts.extern_blocks),
    column("attrs", "`#[no_mangle]`, `#[export_name]`, `#[link_section]`, `#[unsafe(naked)]`", |counts| {
        counts.attributes
    }),
    column("macros", "the word `unsafe` in definitions of macros, and in what macros are given", |counts| {
        counts.macro_tokens
    }),
    column("other", "`static mut`, unions, `global_asm!`, and `unsafe fn(…)` as a type", |counts| {
        counts.static_muts + counts.unions + counts.global_asm + counts.types
    }),
    column("items", "functions and statics that extern blocks declare", |counts| counts.foreign_items),
    resolved("calls", "calls of foreign functions, and mentions: an address taken, a static used", |counts| {
        counts.foreign_calls
    }),
    resolved("uses", "uses of macros by example whose definitions hold unsafe code", |counts| counts.macro_uses),
    resolved("unseen", "uses of macros that may write anything, as procedural ones may", |counts| counts.unexpanded),
    resolved("unseen calls", "calls of what a build script writes, foreign functions most of the time", |counts| {
        counts.unseen_calls
    }),
];

/// The last column.
pub(crate) const DORMANT: (&str, &str) = ("dormant", "not live: unsafe constructs that no chosen target compiles");

/// One of the two parts of the table.
struct Part {
    title: String,
    rows: Vec<Row>,
    /// Number of packages without any counts, which have no row.
    quiet: usize,
}

impl Part {
    fn new(title: String, packages: &[&PackageRow]) -> Part {
        let members = packages.iter().all(|package| package.member);
        let quiet = packages.iter().filter(|package| !members && is_quiet(package)).count();
        let mut rows = rows(packages, members);
        // With a single row, the total would only repeat it.
        if rows.len() > 1 {
            rows.push(total(&rows));
        }
        Part { title, rows, quiet }
    }
}

/// The title of the part for what the selected members depend on. If that includes other members, they are not just
/// dependencies.
fn others(members: &[&PackageRow], others: &[&PackageRow]) -> String {
    match (others.iter().any(|package| package.sibling), members) {
        (false, _) => "dependencies".to_owned(),
        (true, [one]) => format!("needed by {}", one.name),
        (true, _) => "needed by these".to_owned(),
    }
}

/// Prints the table, no wider than `width` if possible.
pub(super) fn print(out: &mut dyn Write, report: &Report, width: Option<usize>) -> io::Result<()> {
    let (members, dependencies): (Vec<_>, Vec<_>) = report.packages.iter().partition(|package| package.member);
    let others = others(&members, &dependencies);
    let parts = [("members".to_owned(), members), (others, dependencies)];
    let parts: Vec<Part> = parts
        .into_iter()
        .filter(|(_, packages)| !packages.is_empty())
        .map(|(title, packages)| Part::new(title, &packages))
        .collect();
    let all = || parts.iter().flat_map(|part| &part.rows);
    // Empty columns are not shown, except for the total and the calls.
    let is_shown = |(index, head): &(usize, &str)| match COLUMNS.get(*index) {
        Some(known) if known.resolved && report.command == Command::Counts => false,
        _ => matches!(*head, "unsafe" | "calls") || all().any(|row| row.cells[*index] > 0),
    };
    let titles: Vec<&str> = parts.iter().map(|part| part.title.as_str()).collect();
    let fit = Fit::new(&titles, all().collect(), heads().enumerate().filter(is_shown).collect(), width);
    for Part { title, rows, quiet } in &parts {
        fit.part(out, title, rows)?;
        if *quiet > 0 {
            writeln!(out, "and {quiet} without any")?;
        }
        writeln!(out)?;
    }
    fit.footnote(out)?;
    if let Some(generated) = report.generated() {
        writeln!(out, "{generated}")?;
    }
    if all().any(|row| row.cells.iter().any(|cell| *cell > 0)) {
        writeln!(out, "`cargo isolate explain columns` says what each column counts")?;
    }
    let incomplete: Vec<_> =
        report.packages.iter().filter(|package| !package.complete).map(|package| package.name.as_str()).collect();
    if !incomplete.is_empty() {
        writeln!(out, "incomplete, see above: {}", incomplete.join(", "))?;
    }
    Ok(())
}

/// What `explain columns` prints.
pub(crate) fn legend(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# Columns of the table\n")?;
    writeln!(
        out,
        "An unsafe construct is a place in the source that says so. Columns without anything are left out.\n"
    )?;
    let all = COLUMNS.iter().map(|column| (column.head, column.about)).chain([DORMANT]);
    let width = all.clone().map(|(head, _)| head.len()).max().unwrap_or_default();
    all.clone().try_for_each(|(head, about)| writeln!(out, "{head:width$}  {about}"))
}

/// Rows for the packages that have something to count. Members always have a row, so that a clean one is visible.
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
    COLUMNS.iter().map(|column| (column.cell)(&live)).chain([dormant.unsafes()]).collect()
}

fn total(rows: &[Row]) -> Row {
    let cells = (0..=COLUMNS.len()).map(|column| rows.iter().map(|row| row.cells[column]).sum()).collect();
    Row { name: "total".to_owned(), cells }
}

fn heads() -> impl Iterator<Item = &'static str> {
    COLUMNS.iter().map(|column| column.head).chain([DORMANT.0])
}

fn is_quiet(package: &PackageRow) -> bool {
    package.complete && package.counts.is_empty() && package.dormant.is_empty()
}

/// The name of an indented row; `None` for code that is counted in the package's own row.
fn role_name(role: Role) -> Option<&'static str> {
    match role {
        // Generated wrappers have no row.
        Role::Main | Role::Generated => None,
        Role::ProcMacro => Some("proc macro"),
        Role::BuildScript => Some("build script"),
        Role::Test => Some("tests"),
        Role::Bench => Some("benches"),
        Role::Example => Some("examples"),
        Role::Unreached => Some("unreached files"),
    }
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, DORMANT};

    #[test]
    fn the_page_on_reports_defines_every_column() {
        let page = include_str!("../../../docs/reports.md");
        for (head, about) in COLUMNS.iter().map(|column| (column.head, column.about)).chain([DORMANT]) {
            let row = format!("| `{head}` | {about} |");
            assert!(page.contains(&row), "docs/reports.md has no row {row}");
        }
    }
}
