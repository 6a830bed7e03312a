//! The plan for people.

use super::{Decision, DomainPlan, FunctionPlan, Plan, Role, Ships};
use crate::{contract::infer::Tier, words::some};
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};

/// Prints the plan: every function with every contract and its evidence, then what was refused with stubs to paste.
pub(crate) fn print(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    for domain in &plan.domains {
        heading(out, domain)?;
        for function in &domain.functions {
            print_function(out, function)?;
        }
        writeln!(out)?;
    }
    let refused: Vec<_> = plan.refused().map(|(_, function)| function).collect();
    let total: usize = plan.domains.iter().map(|domain| domain.functions.len()).sum();
    if refused.iter().any(|function| function.stub.is_some()) {
        writeln!(
            out,
            "{BOLD}Policy to start from{BOLD:#}: check each line against the library's manual, then paste it"
        )?;
        writeln!(out)?;
        for stub in refused.iter().filter_map(|function| function.stub.as_ref()) {
            writeln!(out, "{stub}")?;
        }
    }
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

/// What to do about functions that no contract can settle.
pub(crate) fn print_hopeless(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    for domain in &plan.domains {
        let names = domain.functions.iter().filter(|function| function.refused.is_some());
        let names: Vec<_> = names.map(|function| format!("\"{}\"", function.name)).collect();
        if !names.is_empty() {
            writeln!(
                out,
                "no policy settles these; change what is said of them above, or take them out of `extern` of the domain `{}`, or out of its globs:\n",
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
    match &domain.contracts {
        Some(contracts) => writeln!(out, "  contracts: {contracts}"),
        None => Ok(()),
    }
}

fn print_function(out: &mut dyn Write, function: &FunctionPlan) -> io::Result<()> {
    let declared = &function.declared;
    let (mark, style) = if function.is_ready() { ("ready", GREEN) } else { ("refused", RED) };
    let form = function.form.as_ref().map(|form| format!(" as {}", form.name)).unwrap_or_default();
    writeln!(
        out,
        "  {BOLD}{}{form}{BOLD:#}  {style}{mark}{style:#}  {DIM}{}:{}:{}{DIM:#}",
        function.name, declared.file, declared.line, declared.column
    )?;
    if let Some(reason) = &function.refused {
        writeln!(out, "    {RED}{reason}{RED:#}")?;
    }
    if let Some(Ships::Misfit { reason }) = &function.ships {
        writeln!(out, "    {YELLOW}the contract that ships for it is not used{YELLOW:#}: {reason}")?;
    }
    let params = function.params.iter().map(|param| (&*param.name, &*param.ty, &param.decision, &param.role));
    let ret = function.ret.iter().map(|ret| ("ret", &*ret.ty, &ret.decision, &Role::Caller));
    let all: Vec<_> = params.chain(ret).collect();
    let width = all.iter().map(|(name, ty, ..)| name.chars().count() + 2 + ty.chars().count()).max().unwrap_or(0);
    for (name, ty, decision, role) in all {
        let subject = format!("{name}: {ty}");
        write!(out, "    {subject:width$}  ")?;
        print_decision(out, decision, role)?;
    }
    if let Some(when) = function.form.as_ref().and_then(|form| form.when.as_ref()) {
        writeln!(out, "    where {when}")?;
    }
    if let Some(failing) = &function.failing {
        let by = if failing.ships { "ships" } else { "policy" };
        writeln!(out, "    {}  {DIM}{by}{DIM:#}", failing.to_toml())?;
    }
    Ok(())
}

fn print_decision(out: &mut dyn Write, decision: &Decision, role: &Role) -> io::Result<()> {
    match (decision, role) {
        (Decision::Refused { reason, .. }, _) => writeln!(out, "{RED}refused{RED:#}: {reason}"),
        (Decision::Rule { evidence, .. }, Role::LengthOf(_) | Role::CellOf(_)) => {
            writeln!(out, "{DIM}hidden: {evidence}{DIM:#}")
        }
        (Decision::Policy { contract }, _) => writeln!(out, "{}  {DIM}policy{DIM:#}", contract.to_toml()),
        (Decision::Shipped { contract }, _) => writeln!(out, "{}  {DIM}ships{DIM:#}", contract.to_toml()),
        (Decision::Rule { contract, tier, evidence }, _) => {
            let (word, style) = match tier {
                Tier::Proven => ("proven", GREEN),
                Tier::Likely => ("likely", YELLOW),
            };
            writeln!(out, "{}  {style}{word}{style:#}{DIM}: {evidence}{DIM:#}", contract.to_toml())
        }
    }
}

fn has_likely(function: &FunctionPlan) -> bool {
    let params = function.params.iter().map(|param| &param.decision);
    let mut all = params.chain(function.ret.iter().map(|ret| &ret.decision));
    all.any(|decision| matches!(decision, Decision::Rule { tier: Tier::Likely, .. }))
}
