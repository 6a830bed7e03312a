//! Prints the difference between two audits.

use super::{
    change::{Change, PackageChange, Pair, Sums, Wrappers},
    snapshot::Finding,
};
use crate::{graph::name_of, terminal::words::some};
use std::{
    collections::BTreeMap,
    io::{self, Write},
};

/// For a package that is new or gone, more findings than this are summed up rather than listed.
const FEW: usize = 20;

/// The output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people, in a terminal
    #[default]
    Text,
    /// For programs: see docs/json.md
    Json,
    /// A comment on a pull request
    Markdown,
    /// One line
    Line,
}

impl Change {
    /// Prints the difference in a format.
    pub(crate) fn print(&self, out: &mut dyn Write, format: Format) -> io::Result<()> {
        match format {
            Format::Text => self.text(out),
            Format::Json => crate::terminal::visible::json(out, self),
            Format::Markdown => self.markdown(out),
            Format::Line => writeln!(out, "{}", self.line()),
        }
    }

    /// One line: "unsafe 3 → 5 (+2 new, 1 gone), foreign calls 1; dependencies unsafe 40 → 38".
    fn line(&self) -> String {
        let parts = [(&self.came, "new"), (&self.risen, "live now"), (&self.changed, "changed"), (&self.gone, "gone")];
        let parts: Vec<_> = parts
            .into_iter()
            .filter(|(findings, _)| !findings.is_empty())
            .map(|(findings, what)| format!("{} {what}", findings.len()))
            .collect();
        let findings = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
        let incomplete = if self.complete { "" } else { "; incomplete" };
        let Sums { unsafes, foreign_calls, .. } = self.members;
        format!(
            "unsafe {}, foreign calls {}{findings}; dependencies unsafe {}{incomplete}",
            arrow(unsafes),
            arrow(foreign_calls),
            arrow(self.dependencies.unsafes)
        )
    }

    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        for (name, Sums { packages, unsafes, foreign_calls }) in
            [("members", self.members), ("dependencies", self.dependencies)]
        {
            writeln!(
                out,
                "{name:<12}  packages {}, unsafe {}, foreign calls {}",
                arrow(packages),
                arrow(unsafes),
                arrow(foreign_calls)
            )?;
        }
        if !self.complete {
            writeln!(out, "not every file was read: one of the audits is incomplete")?;
        }
        if self.is_empty() {
            return writeln!(out, "\nnothing came and nothing went");
        }
        let width = self.packages.iter().map(|package| package.title().chars().count()).max().unwrap_or(0);
        heading(out, "packages", self.packages.len())?;
        for package in &self.packages {
            writeln!(out, "  {:width$}  {:>5}  {}", package.title(), signed(package.unsafes), package.kinds())?;
        }
        for (name, findings) in
            [("came", &self.came), ("live now", &self.risen), ("changed", &self.changed), ("gone", &self.gone)]
        {
            heading(out, name, findings.len())?;
            let (listed, folded) = self.folded(findings);
            for finding in listed {
                let Finding { path, span, at, .. } = finding;
                writeln!(out, "  {path}:{}:{}  {} in `{at}`", span.line, span.column, finding.words())?;
            }
            folded.iter().try_for_each(|words| writeln!(out, "  {words}"))?;
        }
        self.print_symbols(out)?;
        if let Some(generated) = self.generated() {
            writeln!(out, "\n{generated}")?;
        }
        if self.moved > 0 {
            writeln!(out, "\n{} elsewhere, with the same text", some(self.moved, "finding"))?;
        }
        Ok(())
    }

    /// The change of generated wrappers, if there is one.
    fn generated(&self) -> Option<String> {
        let Wrappers { unsafes, foreign_calls } = self.generated;
        let (unsafes, calls) = (arrow(unsafes), arrow(foreign_calls));
        let changed = self.generated.has_changed();
        changed.then(|| format!("generated wrappers: unsafe {unsafes}, foreign calls {calls}, not counted"))
    }

    /// Prints symbols with changed uses. If all of those are in packages that are new or gone, the symbols are summed
    /// up.
    fn print_symbols(&self, out: &mut dyn Write) -> io::Result<()> {
        heading(out, "symbols", self.symbols.len())?;
        let whole = self.whole();
        let mut folded: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        for symbol in &self.symbols {
            let packages: Option<Vec<String>> =
                symbol.packages.iter().map(|name| whole.get(&**name).map(|which| format!("{name}, {which}"))).collect();
            if let Some(packages) = packages {
                *folded.entry(packages).or_default() += 1;
                continue;
            }
            let library = symbol.library.as_ref().map(|library| format!(" of `{library}`")).unwrap_or_default();
            writeln!(out, "  `{}`{library}: uses {}", symbol.name, arrow(symbol.uses))?;
        }
        for (packages, count) in folded {
            writeln!(out, "  {} of {}", some(count, "symbol"), packages.join(", and "))?;
        }
        Ok(())
    }

    /// Packages that are new or gone. If they have many findings, the list of those adds nothing to that.
    fn whole(&self) -> BTreeMap<&str, &'static str> {
        let which = |package: &PackageChange| match (package.before.is_empty(), package.after.is_empty()) {
            (true, _) => Some("which is new"),
            (_, true) => Some("which is gone"),
            _ => None,
        };
        self.packages.iter().filter_map(|package| Some((&*package.name, which(package)?))).collect()
    }

    /// The findings to list, and sums of those that came or went with their packages.
    fn folded<'f>(&self, findings: &'f [Finding]) -> (Vec<&'f Finding>, Vec<String>) {
        let whole = self.whole();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        findings.iter().for_each(|finding| *counts.entry(name_of(&finding.package)).or_default() += 1);
        counts.retain(|name, count| *count > FEW && whole.contains_key(name));
        let listed = findings.iter().filter(|finding| !counts.contains_key(name_of(&finding.package)));
        let words =
            counts.iter().map(|(name, count)| format!("{} of {name}, {}", some(*count, "finding"), whole[name]));
        (listed.collect(), words.collect())
    }

    fn markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "**cargo-isolate**: {}", self.line())?;
        if !self.packages.is_empty() {
            writeln!(out, "\n| package | unsafe | |\n|---|---:|---|")?;
            for package in &self.packages {
                writeln!(out, "| {} | {} | {} |", package.title(), signed(package.unsafes), package.kinds())?;
            }
        }
        for (name, findings) in
            [("New", &self.came), ("Live now", &self.risen), ("Changed", &self.changed), ("Gone", &self.gone)]
        {
            if findings.is_empty() {
                continue;
            }
            writeln!(out, "\n<details><summary>{name}: {}</summary>\n", findings.len())?;
            let (listed, folded) = self.folded(findings);
            for finding in listed {
                let Finding { path, span, at, .. } = finding;
                writeln!(out, "- {} in `{at}`, {path}:{}", escaped(finding.words()), span.line)?;
            }
            folded.iter().try_for_each(|words| writeln!(out, "- {}", escaped(words)))?;
            writeln!(out, "\n</details>")?;
        }
        self.generated().iter().try_for_each(|generated| writeln!(out, "\n{generated}"))
    }
}

impl Finding {
    /// The message of a finding, or for foreign calls the label, which names the callee.
    fn words(&self) -> &str {
        match (&*self.code, &self.label) {
            ("foreign-call", Some(label)) => label,
            _ => &self.message,
        }
    }
}

impl PackageChange {
    /// The package with its versions: "zip 1.0.0 → 2.0.0", "zip 2.0.0, new".
    fn title(&self) -> String {
        let Self { name, before, after, .. } = self;
        match (before.is_empty(), after.is_empty()) {
            (true, _) => format!("{name} {}, new", after.join(", ")),
            (_, true) => format!("{name} {}, gone", before.join(", ")),
            _ if before == after => format!("{name} {}", after.join(", ")),
            _ => format!("{name} {} → {}", before.join(", "), after.join(", ")),
        }
    }

    /// The changed kinds: "blocks 3 → 5, impls 1 → 0", or "blocks 5" for a package that is new or gone.
    fn kinds(&self) -> String {
        let is_whole = self.before.is_empty() || self.after.is_empty();
        let number = |pair: Pair| if is_whole { pair.before.max(pair.after).to_string() } else { arrow(pair) };
        let kinds = self.kinds.iter().map(|(kind, pair)| format!("{} {}", kind.replace('_', " "), number(*pair)));
        kinds.collect::<Vec<_>>().join(", ")
    }
}

fn heading(out: &mut dyn Write, name: &str, count: usize) -> io::Result<()> {
    let bold = anstyle::Style::new().bold();
    if count > 0 { writeln!(out, "\n{bold}{name}{bold:#}") } else { Ok(()) }
}

/// "3 → 5", or "3" if the number is unchanged.
fn arrow(pair: Pair) -> String {
    match pair.growth() {
        0 => pair.after.to_string(),
        _ => format!("{} → {}", pair.before, pair.after),
    }
}

/// The growth: "+2", "-1", or nothing.
fn signed(pair: Pair) -> String {
    match pair.growth() {
        0 => String::new(),
        growth => format!("{growth:+}"),
    }
}

/// Escapes text for Markdown.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    let mut code = false;
    for c in text.chars() {
        code ^= c == '`';
        if !code && matches!(c, '*' | '_' | '[' | ']' | '<' | '>' | '\\' | '|') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
