//! `cargo isolate plan`.

use crate::{
    exit::Exit,
    plan,
    policy::{self, PolicyFile},
    report::Format,
    sources::Request,
    streams,
    verify::linked::{self, LastBuild, Refused, Served, last_build},
    visible,
    wrap::TargetError,
};
use anyhow::Context as _;
use camino::Utf8Path;
use serde::Serialize;
use std::io::Write;

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
    /// With `--explain`: ask clang what the C code of the function does with each pointer; nothing of it is run
    #[arg(long, requires = "explain")]
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
    /// By what the last build left; empty where there was none.
    served: &'p [Served],
    /// What the libraries import from libc, by the last build, and no domain can have.
    refused_imports: &'p [Refused],
}

/// Version of the JSON.
const SCHEMA: u32 = 1;

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let graph = args.policy.graph(&args.request)?;
    let policy = policy::load(&args.policy, &graph)?;
    let plan = plan::plan(&graph, &policy.policy).map_err(|errors| policy.mistakes(errors))?;
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
            let symbol = function.symbol.as_deref().unwrap_or(&function.name);
            let library = &graph.packages[domain.library.package];
            let seen = args.clang.then(|| plan::Seen::of(library, symbol, function.params.len()));
            plan::explain(&mut out, domain, function, seen.as_ref())?;
        }
        let is_ready = functions.iter().all(|(_, function)| function.is_ready());
        return Ok(super::with_scan(&graph, if is_ready { Exit::Clean } else { Exit::Violation }));
    }
    let LastBuild { served, refused, problems } =
        last_build(&graph, &plan).context("cannot read what the last build left")?;
    let mut out = streams::stdout();
    match args.format {
        Format::Text => {
            plan::print(&mut out, &plan, streams::columns())?;
            served.iter().try_for_each(|served| writeln!(out, "as last built, {served}"))?;
            problems.iter().try_for_each(|problem| writeln!(out, "warning: {problem}"))?;
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
                refused_imports: &refused,
            };
            visible::json(&mut out, &report)?;
        }
    }
    let exit = if plan.refused().next().is_some() { Exit::Violation } else { Exit::Clean };
    Ok(super::with_scan(&graph, exit))
}
