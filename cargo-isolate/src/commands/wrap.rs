//! `cargo isolate wrap`.

use crate::{
    exit::Exit,
    graph::{Graph, Package},
    plan::{self, Plan},
    policy::{self, PolicyFile},
    sources::{self, Request},
    streams, verify,
    wrap::{self, Change, Target},
};
use std::collections::BTreeSet;
use std::io::{self, Write};

/// What `wrap` takes.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    policy: PolicyFile,
    /// Also make the crate use what is written: add the module, the dependencies and the line of `build.rs`
    #[arg(long)]
    apply: bool,
    /// Write nothing; fail if a file is not as it would be written
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,
    /// Write nothing; print what would change
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let graph = sources::load(&args.request)?;
    let policy = policy::load(&args.policy, &graph)?;
    let plan = plan::plan(&graph, &policy.policy).map_err(|errors| policy.mistakes(errors))?;
    if plan.refused().next().is_some() {
        refuse(&mut streams::stderr(), &plan)?;
        return Ok(Exit::Violation);
    }
    let targets = wrap::targets(&graph, &plan, wrap::chosen(&graph, &args.request.workspace)?, policy.shown())?;
    let mut changes = Vec::new();
    for target in &targets {
        let mut files = wrap::render(&plan, target)?;
        if args.apply {
            files.extend(wrap::edits(target)?);
        }
        changes.extend(wrap::changes(files, &target.directory())?);
    }
    let mut out = streams::stdout();
    if args.check {
        return check(&mut out, &graph, &changes);
    }
    if args.dry_run {
        wrap::print_diff(&mut out, &changes, &graph.root)?;
        return Ok(Exit::Clean);
    }
    wrap::write(&changes)?;
    report(&mut out, &graph, &changes)?;
    if args.apply {
        call_sites(&mut out, &graph, &plan, &targets, &changes)?;
    }
    Ok(Exit::Clean)
}

/// Names every function without a contract, and why.
fn refuse(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    for (domain, function) in plan.refused() {
        writeln!(out, "error: no wrapper for `{}` of the domain `{}`", function.name, domain.name)?;
        let declared = &function.declared;
        writeln!(out, "  --> {}:{}:{}", declared.file, declared.line, declared.column)?;
        if let Some(reason) = &function.refused {
            writeln!(out, "  {reason}")?;
        }
        for (name, ty, reason) in function.refusals() {
            writeln!(out, "  {name}: {ty}: {reason}")?;
        }
        if let Some(stub) = &function.stub {
            writeln!(out, "  a policy to start from, to be checked against the library's manual:\n")?;
            writeln!(out, "{stub}")?;
        }
    }
    plan::print_hopeless(out, plan)?;
    writeln!(out, "nothing was written: say in the policy what these pointers mean, or isolate other functions")
}

fn check(out: &mut dyn Write, graph: &Graph, changes: &[Change]) -> anyhow::Result<Exit> {
    for change in changes {
        let path = graph.relative(&change.path);
        let state = match (&change.old, &change.new) {
            (None, _) => "is missing",
            (_, None) => "is not needed any more",
            _ => "is stale",
        };
        writeln!(out, "{path} {state}")?;
    }
    Ok(match changes {
        [] => Exit::Clean,
        _ => {
            writeln!(out, "run `cargo isolate wrap` and commit what it writes")?;
            Exit::Violation
        }
    })
}

/// The direct calls that are left: nobody but their author knows what to do with the `Err` that a wrapper may return.
fn call_sites(
    out: &mut dyn Write,
    graph: &Graph,
    plan: &Plan,
    targets: &[Target],
    changes: &[Change],
) -> io::Result<()> {
    let directories: Vec<_> = targets.iter().map(Target::directory).collect();
    let files = graph.packages.iter().flat_map(|package| &package.files).map(|file| &*file.path);
    let wrappers = files.filter(|path| directories.iter().any(|directory| path.starts_with(directory))).collect();
    let members: BTreeSet<_> = graph.packages.iter().filter(|package| package.member).map(Package::id).collect();
    let mut sites = verify::bypasses(graph, plan, &wrappers);
    sites.retain(|site| !site.test && members.contains(&site.package));
    if sites.is_empty() {
        return Ok(());
    }
    let (noun, by) = if sites.len() == 1 { ("call", "its wrapper") } else { ("calls", "their wrappers") };
    writeln!(out, "\nto do: replace {} direct {noun} by {by}, and handle the `Fault`", sites.len())?;
    for site in sites {
        let change = changes.iter().find(|change| graph.relative(&change.path) == site.path);
        let line = change.map_or(site.line, |change| change.line_after(site.line));
        let domain = plan.domains.iter().find(|domain| {
            domain.functions.iter().any(|one| one.symbol.as_deref().unwrap_or(&one.name) == site.symbol)
        });
        let wrapper = domain.map_or_else(String::new, |domain| format!("isolated::{}::{}", domain.name, site.symbol));
        let mention = if site.mention { " (its address is taken)" } else { "" };
        writeln!(out, "  {}:{line}:{}  {wrapper}{mention}", site.path, site.column)?;
    }
    writeln!(out, "`cargo isolate verify` then checks that none is left")
}

fn report(out: &mut dyn Write, graph: &Graph, changes: &[Change]) -> io::Result<()> {
    for change in changes {
        let path = graph.relative(&change.path);
        let word = match (&change.old, &change.new) {
            (None, _) => "wrote",
            (_, None) => "removed",
            _ => "changed",
        };
        writeln!(out, "{word} {path}")?;
    }
    if changes.is_empty() {
        writeln!(out, "everything is up to date")?;
    }
    Ok(())
}
