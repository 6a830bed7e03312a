//! The plan for people.

use super::{Decision, DomainPlan, FunctionPlan, Plan, Role, Ships};
use crate::{
    contract::{Failing, infer::Tier},
    policy::{Texts, model::Backend},
    terminal::words::{some, wrapped},
};
use anstyle::{AnsiColor, Style};
use camino::Utf8Path;
use std::io::{self, Write};

/// Prints the plan: every function with every contract and its evidence, then what was refused with stubs to paste. Lines
/// longer than so many `columns` are made several. What `policy` has as a comment is not written again.
pub(crate) fn print(out: &mut dyn Write, plan: &Plan, policy: &Texts, columns: Option<usize>) -> io::Result<()> {
    for domain in &plan.domains {
        heading(out, domain)?;
        for function in &domain.functions {
            print_function(out, function, columns)?;
        }
        writeln!(out)?;
    }
    let refused: Vec<_> = plan.refused().map(|(_, function)| function).collect();
    let total: usize = plan.domains.iter().map(|domain| domain.functions.len()).sum();
    let stubs = refused.iter().filter_map(|function| function.stub.as_deref());
    proposals(out, "Policy to start from", "check each line", stubs, policy)?;
    let all = plan.domains.iter().flat_map(|domain| &domain.functions);
    let suggested = all.filter_map(|function| function.suggested.as_deref());
    proposals(out, "Suggested", "who ends what comes out, as names have it; check each line", suggested, policy)?;
    print_hopeless(out, plan)?;
    let likely = plan.domains.iter().flat_map(|domain| &domain.functions).filter(|function| has_likely(function));
    writeln!(
        out,
        "{} in {}: {} ready ({} with an assumption to check), {} refused",
        some(total, "function"),
        some(plan.domains.len(), "domain"),
        total - refused.len(),
        likely.filter(|function| function.is_ready()).count(),
        refused.len(),
    )
}

/// Tables for the policy, but for those that it has as comments.
fn proposals<'t>(
    out: &mut dyn Write,
    title: &str,
    what: &str,
    tables: impl Iterator<Item = &'t str>,
    policy: &Texts,
) -> io::Result<()> {
    let header = |table: &'t str| table.lines().next().unwrap_or_default();
    let with_line = tables.map(|table| (table, policy.commented(header(table))));
    let (there, new): (Vec<_>, Vec<_>) = with_line.partition(|(_, line)| line.is_some());
    if !new.is_empty() {
        writeln!(out, "{BOLD}{title}{BOLD:#}: {what} against the library's manual, then paste it\n")?;
        new.into_iter().try_for_each(|(table, _)| writeln!(out, "{table}"))?;
    }
    if !there.is_empty() {
        writeln!(
            out,
            "{BOLD}{title}{BOLD:#}, and a comment in the policy already: {what} against the library's manual, then remove its `#`\n"
        )?;
        for (table, line) in there {
            writeln!(out, "  {}:{}: {}", policy.workspace(), line.unwrap_or_default(), header(table))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// What to do about functions that no contract can settle.
pub(crate) fn print_hopeless(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    for domain in &plan.domains {
        let is_hopeless = |function: &&FunctionPlan| function.refused.is_some() && function.stub.is_none();
        let names = domain.functions.iter().filter(is_hopeless);
        let names: Vec<_> = names.map(|function| format!("\"{}\"", function.name)).collect();
        if !names.is_empty() {
            writeln!(
                out,
                "no contract can make these safe to call; change their declarations as said above, or exclude them\nfrom the domain `{}`:\n",
                domain.name
            )?;
            writeln!(out, "except = [{}]\n", names.join(", "))?;
        }
    }
    Ok(())
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const RED: Style = AnsiColor::Red.on_default().bold();

fn heading(out: &mut dyn Write, domain: &DomainPlan) -> io::Result<()> {
    let library = &domain.library;
    write!(out, "{BOLD}domain {}{BOLD:#}: {} {}", domain.name, library.name, library.version)?;
    for archive in &domain.archives {
        write!(out, ", {archive}")?;
    }
    writeln!(out)?;
    if domain.backend == Backend::None {
        writeln!(
            out,
            "  {YELLOW}nothing is isolated{YELLOW:#}: its `backend` is `none`, so that calls go straight to the library"
        )?;
    }
    match &domain.contracts {
        Some(contracts) => writeln!(out, "  contracts: {contracts}"),
        None => Ok(()),
    }
}

/// A place that people recognise: what lies in a registry begins with the folder of its package.
fn shown(file: &Utf8Path) -> &Utf8Path {
    let parts: Vec<_> = file.components().map(|part| part.as_str()).collect();
    let registry = parts.windows(2).position(|pair| pair == ["registry", "src"]);
    match registry.and_then(|at| parts.get(at + 3)) {
        Some(package) => {
            let at = file.as_str().find(&format!("/{package}/")).map_or(0, |at| at + 1);
            Utf8Path::new(&file.as_str()[at..])
        }
        None => file,
    }
}

fn print_function(out: &mut dyn Write, function: &FunctionPlan, columns: Option<usize>) -> io::Result<()> {
    let declared = &function.declared;
    let (mark, style) = if function.is_ready() { ("ready", GREEN) } else { ("refused", RED) };
    let form = function.form.as_ref().map(|form| format!(" as {}", form.name)).unwrap_or_default();
    writeln!(
        out,
        "  {BOLD}{}{form}{BOLD:#}  {style}{mark}{style:#}  {DIM}{}:{}:{}{DIM:#}",
        function.name,
        shown(&declared.file),
        declared.line,
        declared.column
    )?;
    if declared.dormant {
        let cfgs = declared.cfgs.join("), cfg(");
        writeln!(out, "    {DIM}dormant in this build, as its wrapper is: cfg({cfgs}){DIM:#}")?;
    }
    if let Some(reason) = &function.refused {
        writeln!(out, "    {RED}{reason}{RED:#}")?;
    }
    if let Some(Ships::Misfit { reason, replaced: true, .. }) = &function.ships {
        writeln!(out, "    {YELLOW}the contract that ships for it is not used{YELLOW:#}: {reason}")?;
    }
    let params = function.params.iter().map(|param| (&*param.name, &*param.ty, &param.decision, &param.role));
    let ret = function.ret.iter().map(|ret| ("ret", &*ret.ty, &ret.decision, &Role::Caller));
    let all: Vec<_> = params.chain(ret).collect();
    let lines: Vec<_> =
        all.into_iter().map(|(name, ty, decision, role)| (format!("{name}: {ty}"), said(decision, role))).collect();
    let width = lines.iter().map(|(subject, _)| subject.chars().count()).max().unwrap_or(0);
    for (subject, said) in lines {
        said.print(out, &subject, width, columns)?;
    }
    if let Some(when) = function.form.as_ref().and_then(|form| form.when.as_ref()) {
        writeln!(out, "    where {when}")?;
    }
    let by = |failing: &Failing| if failing.ships { "ships" } else { "policy" };
    let failing = function.failing.iter().map(|failing| (failing.to_toml(), by(failing)));
    failing.chain(function.stated_outcome().map(|stated| (stated, "policy"))).try_for_each(|(stated, word)| {
        Said { contract: String::new(), style: DIM, word, why: String::new() }.print(out, &stated, 0, columns)
    })
}

/// What is said of a parameter.
struct Said {
    /// As the policy would say it; empty where there is none.
    contract: String,
    /// Of the word.
    style: Style,
    /// Who says so.
    word: &'static str,
    /// On what evidence; may be empty.
    why: String,
}

impl Said {
    /// In one line with its subject, padded to `width`, or below it where that would be too long.
    fn print(&self, out: &mut dyn Write, subject: &str, width: usize, columns: Option<usize>) -> io::Result<()> {
        let Said { contract, style, word, why } = self;
        let colon = if why.is_empty() { "" } else { ": " };
        let gap = if contract.is_empty() { "" } else { "  " };
        let length =
            4 + width + 2 + [contract, gap, word, colon, why].iter().map(|part| part.chars().count()).sum::<usize>();
        let Some(columns) = columns.filter(|columns| *columns < length) else {
            // Who settles a function's failure has no column of its own.
            let width = if contract.is_empty() && why.is_empty() { 0 } else { width };
            return writeln!(
                out,
                "    {subject:width$}  {contract}{gap}{style}{word}{style:#}{DIM}{colon}{why}{DIM:#}"
            );
        };
        writeln!(out, "    {subject}")?;
        let within = columns.saturating_sub(6);
        for line in wrapped(contract, within).lines() {
            writeln!(out, "      {line}")?;
        }
        let text = wrapped(&format!("{word}{colon}{why}"), within);
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        writeln!(out, "      {style}{word}{style:#}{DIM}{}{DIM:#}", first.strip_prefix(word).unwrap_or(first))?;
        lines.try_for_each(|line| writeln!(out, "      {DIM}{line}{DIM:#}"))
    }
}

fn said(decision: &Decision, role: &Role) -> Said {
    let contract = decision.contract().map(|contract| contract.to_toml()).unwrap_or_default();
    let by = |word| Said { contract: contract.clone(), style: DIM, word, why: String::new() };
    match (decision, role) {
        (Decision::Refused { reason, .. }, _) => Said { style: RED, word: "refused", why: reason.clone(), ..by("") },
        (
            Decision::Rule { evidence, .. },
            Role::LengthOf(_) | Role::CellOf(_) | Role::LengthsOf(_) | Role::EndOf(_),
        ) => Said { contract: String::new(), why: evidence.clone(), ..by("hidden") },
        (Decision::Policy { .. }, _) => by("policy"),
        (Decision::Shipped { .. }, _) => by("ships"),
        (Decision::Rule { tier, evidence, .. }, _) => {
            let (word, style) = match tier {
                Tier::Clear => ("clear", GREEN),
                Tier::Convention => ("convention", GREEN),
                Tier::Likely => ("likely", YELLOW),
            };
            Said { style, why: evidence.clone(), ..by(word) }
        }
    }
}

fn has_likely(function: &FunctionPlan) -> bool {
    let params = function.params.iter().map(|param| &param.decision);
    let mut all = params.chain(function.ret.iter().map(|ret| &ret.decision));
    all.any(|decision| matches!(decision, Decision::Rule { tier: Tier::Likely, .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(columns: Option<usize>, expected: &str) {
        let said = Said {
            contract: "{ kind = \"obj\", dir = \"in\" }".to_owned(),
            style: GREEN,
            word: "clear",
            why: "a struct of plain numbers, which nobody keeps".to_owned(),
        };
        let mut out = Vec::new();
        said.print(&mut out, "at: *const Point", 20, columns).expect("a vector");
        let out = String::from_utf8(out).expect("text");
        assert_eq!(anstream::adapter::strip_str(&out).to_string(), expected);
    }

    #[test]
    fn lines_that_fit_and_others() {
        let line = "    at: *const Point      { kind = \"obj\", dir = \"in\" }  clear: a struct of plain numbers, which nobody keeps\n";
        check(None, line);
        check(Some(200), line);
        check(
            Some(40),
            "    at: *const Point\n      { kind = \"obj\", dir = \"in\" }\n      clear: a struct of plain numbers,\n      which nobody keeps\n",
        );
    }

    #[test]
    fn packages_of_registries_are_known_by_name() {
        let check = |file: &str, expected: &str| assert_eq!(shown(Utf8Path::new(file)), expected);
        check(
            "/home/a/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/z-sys-1.0.0/src/lib.rs",
            "z-sys-1.0.0/src/lib.rs",
        );
        check("src/ffi.rs", "src/ffi.rs");
        check("/work/registry/lib.rs", "/work/registry/lib.rs");
    }
}
