//! `cargo isolate plan`.

use super::{
    failure::{Failure, OrEnvironment as _},
    stage::Workspace,
};
use crate::{
    exit::Exit,
    plan::{self, Declarations, Wrong},
    policy::PolicyFile,
    report::Format,
    sources::Request,
    terminal::{
        streams, visible,
        words::{few, some},
    },
    verify::linked::{self, Constructors, Inside, LastBuild, Refused, Served, last_build},
    wrap::TargetError,
};
use camino::Utf8Path;
use serde::Serialize;
use std::io::{self, Write};

/// What `plan` takes.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    policy: PolicyFile,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Say of one function what was decided for each parameter, by whom, and on what evidence
    #[arg(long, value_name = "FUNCTION", conflicts_with = "format")]
    explain: Option<String>,
    /// Compare declarations with the C source using clang; with `--explain`, show how the code uses each pointer
    #[arg(long)]
    clang: bool,
}

/// What `--format json` prints.
#[derive(Serialize)]
struct Report<'p> {
    schema: u32,
    /// Version of cargo-isolate.
    tool: &'static str,
    /// Directory that relative paths start from.
    workspace_root: &'p Utf8Path,
    #[serde(flatten)]
    plan: &'p plan::Plan,
    /// What the last build shows; empty if there was none.
    served: &'p [Served],
    /// The comparison with the C definitions, if `--clang` asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    declarations: Option<&'p Declarations>,
    /// What the libraries of the last build import from libc although no domain can support it.
    refused_imports: &'p [Refused],
    /// Exported Rust functions that the libraries of the last build call: they run inside the domain.
    inside: &'p [Inside],
    /// Functions of the libraries of the last build that run before `main`, in the program.
    constructors: &'p [Constructors],
}

/// Version of the JSON.
const SCHEMA: u32 = 1;

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let (Workspace { graph, policy }, plan) = Workspace::planned(&args.request, &args.policy)?;
    if plan.domains.iter().all(|domain| domain.functions.is_empty()) {
        return Err(TargetError::NothingIsolated.into());
    }
    if let Some(name) = &args.explain {
        let functions = plan.functions(name)?;
        let mut out = streams::stdout();
        for (index, (domain, function)) in functions.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            let symbol = function.symbol();
            let library = &graph.packages[domain.library.package];
            let seen = args.clang.then(|| plan::Seen::of(library, symbol, function.params.len()));
            plan::explain(&mut out, domain, function, seen.as_ref())?;
        }
        let is_ready = functions.iter().all(|(_, function)| function.is_ready());
        return Ok(super::with_scan(&graph, if is_ready { Exit::Clean } else { Exit::Violation }));
    }
    let LastBuild { served, refused, inside, constructors, problems } =
        last_build(&graph, &plan).or_environment(|| "cannot read what the last build left")?;
    let declarations = args.clang.then(|| plan::declarations(&graph, &plan));
    let mut out = streams::stdout();
    match args.format {
        Format::Text => {
            plan::print(&mut out, &plan, &policy.texts, streams::columns())?;
            served.iter().try_for_each(|served| writeln!(out, "as last built, {served}"))?;
            let unsettled = plan::unsettled(&graph, &policy.policy, &plan);
            unsettled.iter().try_for_each(|unsettled| writeln!(out, "warning: {unsettled}"))?;
            problems.iter().try_for_each(|problem| writeln!(out, "warning: {problem}"))?;
            inside.iter().try_for_each(|inside| writeln!(out, "warning: {inside}"))?;
            constructors.iter().try_for_each(|constructors| writeln!(out, "warning: {constructors}"))?;
            declarations.iter().try_for_each(|found| declared(&mut out, found))?;
            linked::warnings(&refused).iter().try_for_each(|warning| writeln!(out, "warning: {warning}"))?;
        }
        Format::Json => {
            let tool = env!("CARGO_PKG_VERSION");
            let report = Report {
                schema: SCHEMA,
                tool,
                workspace_root: &graph.root,
                plan: &plan,
                served: &served,
                declarations: declarations.as_ref(),
                refused_imports: &refused,
                inside: &inside,
                constructors: &constructors,
            };
            visible::json(&mut out, &report)?;
        }
    }
    let are_declared = declarations.is_none_or(|found| found.wrong.is_empty());
    let exit = if plan.refused().next().is_none() && are_declared { Exit::Clean } else { Exit::Violation };
    Ok(super::with_scan(&graph, exit))
}

/// Prints the declarations that differ from their C definitions, and those that could not be compared.
fn declared(out: &mut dyn Write, found: &Declarations) -> io::Result<()> {
    for wrong in &found.wrong {
        let Wrong { function, file, line, column, defined, differs } = wrong;
        let error = streams::error_word();
        writeln!(out, "{error}: {file}:{line}:{column}: `{function}` is not declared as C defines it ({defined})")?;
        differs.iter().try_for_each(|what| writeln!(out, "    {what}"))?;
        writeln!(out, "    help: declare it as the library's header does: a wrapper passes what is declared")?;
    }
    let alike = some(found.alike, "declaration");
    let is_alike = if found.alike == 1 { "is" } else { "are" };
    writeln!(out, "{alike} {is_alike} as C defines them")?;
    for (reason, functions) in &found.unseen {
        let functions: Vec<_> = functions.iter().cloned().collect();
        writeln!(out, "note: not held against C: {}: {reason}", few(&functions))?;
    }
    Ok(())
}
