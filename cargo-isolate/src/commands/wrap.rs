//! `cargo isolate wrap`.

use crate::{
    exit::Exit,
    graph::Graph,
    plan::{self, Plan},
    policy::{self, PolicyFile},
    sources::{self, Request},
    wrap::{self, Change, TargetError},
};
use std::io::{self, Write};

/// What `wrap` takes.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    policy: PolicyFile,
    /// Also add the module, the dependencies and the line of `build.rs`
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
        refuse(&mut anstream::stderr().lock(), &plan)?;
        return Ok(Exit::Violation);
    }
    let targets = wrap::targets(&graph, &plan, chosen(&graph, args)?, policy.path.as_str())?;
    let mut changes = Vec::new();
    for target in &targets {
        let mut files = wrap::render(&plan, target)?;
        if args.apply {
            files.extend(wrap::edits(target)?);
        }
        changes.extend(wrap::changes(files, &target.directory())?);
    }
    let mut out = anstream::stdout().lock();
    if args.check {
        return check(&mut out, &graph, &changes);
    }
    if args.dry_run {
        wrap::print_diff(&mut out, &changes, &graph.root)?;
        return Ok(Exit::Clean);
    }
    wrap::write(&changes)?;
    report(&mut out, &graph, &changes)?;
    Ok(Exit::Clean)
}

/// The one package that `--package` names, if it does.
fn chosen(graph: &Graph, args: &Args) -> Result<Option<usize>, TargetError> {
    if args.request.workspace.package.is_empty() {
        return Ok(None);
    }
    let selected = |index: &usize| graph.packages[*index].member && graph.packages[*index].selected;
    let mut selected = (0..graph.packages.len()).filter(selected);
    match (selected.next(), selected.next()) {
        (Some(one), None) => Ok(Some(one)),
        _ => Err(TargetError::SeveralPackages),
    }
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
