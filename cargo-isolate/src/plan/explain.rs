//! One function of the plan in full: for each pointer what was decided, by whom, and on what evidence.

use super::{Bind, Decision, DomainPlan, FunctionPlan, Plan, Role, Seen, clang::Use};
use crate::{
    contract::{Contract, Dir, infer::Tier, shape},
    nearest::nearest,
};
use std::io::{self, Write};

/// A name that no domain isolates.
#[derive(Debug, thiserror::Error)]
#[error(
    "no domain isolates a function `{name}`; {}",
    .nearest.as_ref().map_or("`cargo isolate plan` lists those that are".to_owned(), |name| format!("did you mean `{name}`?"))
)]
pub(crate) struct NoSuchFunction {
    name: String,
    nearest: Option<String>,
}

impl Plan {
    /// The function of that name, in each of its forms, or the form whose wrapper is called so; with their domains.
    ///
    /// # Errors
    ///
    /// There is none; the nearest name is in the error.
    pub(crate) fn functions(&self, name: &str) -> Result<Vec<(&DomainPlan, &FunctionPlan)>, NoSuchFunction> {
        let all = || self.domains.iter().flat_map(|domain| domain.functions.iter().map(move |one| (domain, one)));
        let found: Vec<_> = all().filter(|(_, function)| function.name == name || function.wrapper() == name).collect();
        if found.is_empty() {
            let names = all().flat_map(|(_, function)| [&*function.name, function.wrapper()]);
            let nearest = nearest(name, names).map(str::to_owned);
            return Err(NoSuchFunction { name: name.to_owned(), nearest });
        }
        Ok(found)
    }
}

/// Prints a function with every decision and its evidence, and what clang has `seen` of its code or why it has not.
pub(crate) fn explain(
    out: &mut dyn Write,
    domain: &DomainPlan,
    function: &FunctionPlan,
    seen: Option<&Result<Seen, String>>,
) -> io::Result<()> {
    let declared = &function.declared;
    if let Some(form) = &function.form {
        let when = form.when.as_ref().map(|when| format!(", where `{when}`")).unwrap_or_default();
        writeln!(out, "{}: a form of{when}", form.name)?;
    }
    writeln!(out, "{}, declared at {}:{}:{}", function.name, declared.file, declared.line, declared.column)?;
    writeln!(
        out,
        "runs in the domain `{}`, served by {} {}",
        domain.name, domain.library.name, domain.library.version
    )?;
    if let Some(contracts) = &domain.contracts {
        writeln!(out, "contracts: {contracts}")?;
    }
    match seen {
        Some(Ok(seen)) => writeln!(out, "its C code, by {}: {}", seen.by, seen.file)?,
        Some(Err(reason)) => writeln!(out, "nothing from its C code: {reason}")?,
        None => {}
    }
    let params = function.params.iter().map(|param| (&*param.name, &param.shape));
    let signature = shape::signature(params, function.ret.as_ref().map(|ret| &ret.shape));
    writeln!(out, "signature = \"{signature}\"")?;
    if let Some(reason) = &function.refused {
        writeln!(out, "no wrapper: {reason}")?;
    }
    for (index, param) in function.params.iter().enumerate() {
        subject(out, &param.name, &param.ty, &param.shape.to_string())?;
        match &param.role {
            Role::Caller => {}
            Role::LengthOf(_) | Role::CellOf(_) | Role::LengthsOf(_) | Role::EndOf(_) => {
                writeln!(out, "    the wrapper's caller does not see it")?
            }
        }
        decision(out, &param.decision)?;
        if let Some(Ok(seen)) = seen
            && let Some(found) = &seen.params[index]
        {
            let against = if contradicts(*found, &param.decision) { ": not what is said above" } else { "" };
            writeln!(out, "    its C code {found}{against}")?;
        }
    }
    if let Some(ret) = &function.ret {
        subject(out, "ret", &ret.ty, &ret.shape.to_string())?;
        decision(out, &ret.decision)?;
    }
    outcome(out, function)?;
    for Bind { object, name, length } in &function.binds {
        writeln!(out, "\n  told of `{object}`\n    {name} = {length}")?;
    }
    if let Some(suggested) = &function.suggested {
        write!(out, "\nsuggested, as names have it, to be checked against the library's manual:\n\n{suggested}")?;
    }
    match &function.stub {
        Some(stub) => write!(out, "\npolicy to start from, to be checked against the library's manual:\n\n{stub}"),
        None => Ok(()),
    }
}

/// What tells a failure, and what becomes of one.
fn outcome(out: &mut dyn Write, function: &FunctionPlan) -> io::Result<()> {
    if let Some(failing) = &function.failing {
        writeln!(out, "\n  {}", failing.to_toml().replace('\n', "\n  "))?;
        match failing.ships {
            true => {
                writeln!(out, "    from the contracts that ship with the tool; an `error` of the policy replaces it")?
            }
            false => writeln!(out, "    stated by the policy, which is believed")?,
        }
    }
    for stated in function.stated_outcome() {
        writeln!(out, "\n  {stated}\n    stated by the policy, which is believed")?;
    }
    Ok(())
}

fn subject(out: &mut dyn Write, name: &str, ty: &str, shape: &str) -> io::Result<()> {
    match ty == shape {
        true => writeln!(out, "\n  {name}: {ty}"),
        false => writeln!(out, "\n  {name}: {ty}, which is `{shape}`"),
    }
}

fn decision(out: &mut dyn Write, decision: &Decision) -> io::Result<()> {
    if let Some(contract) = decision.contract() {
        writeln!(out, "    {}", contract.to_toml())?;
    }
    match decision {
        Decision::Policy { .. } => writeln!(out, "    stated by the policy, which is believed"),
        Decision::Shipped { .. } => {
            writeln!(
                out,
                "    from the contracts that ship with the tool; a `[fn]` or `[struct]` of the policy replaces them"
            )
        }
        Decision::Rule { tier: Tier::Clear, evidence, .. } => writeln!(out, "    clear: {evidence}"),
        Decision::Rule { tier: Tier::Convention, evidence, .. } => {
            writeln!(out, "    by convention: {evidence}")
        }
        Decision::Rule { tier: Tier::Likely, evidence, .. } => {
            writeln!(out, "    likely, for you to check: {evidence}")
        }
        Decision::Refused { reason, .. } => writeln!(out, "    refused: {reason}"),
    }
}

/// The code does what the contract rules out. That it *may* do something says nothing.
pub(super) fn contradicts(found: Use, decision: &Decision) -> bool {
    let dir = match decision.contract() {
        Some(Contract::Obj { dir, .. } | Contract::Buf { dir, .. }) => *dir,
        Some(Contract::Cstr { dir, .. }) => *dir,
        _ => return false,
    };
    match dir {
        Dir::In => found.stores || found.writes && !found.reads,
        Dir::Out => found.reads && !found.writes,
        Dir::Inout => false,
    }
}
