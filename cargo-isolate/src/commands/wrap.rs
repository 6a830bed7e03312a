//! `cargo isolate wrap`.

mod clean;

use super::{
    failure::{Failure, OrEnvironment as _},
    stage::Workspace,
};
use crate::{
    exit::Exit,
    graph::{Graph, Role},
    plan::{self, Plan, Ships},
    policy::PolicyFile,
    sources::Request,
    terminal::{streams, words::some},
    verify::linked::{self, last_build},
    wrap::{self, Change, Outdated, Sites, Target},
};
use camino::Utf8Path;
pub(crate) use clean::NotClean;
use std::{
    collections::BTreeSet,
    io::{self, Write},
};

/// What `wrap` takes.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    policy: PolicyFile,
    /// Also make the crate use what is written: add the module, the dependencies and the line of `build.rs`, and
    /// rewrite the calls
    #[arg(long)]
    apply: bool,
    #[command(flatten)]
    allow: clean::Allow,
    /// Write nothing; fail if a generated file is missing or out of date
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,
    /// Write nothing; print what would change
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let (workspace, plan) = Workspace::planned(&args.request, &args.policy)?;
    // Calls in files that could not be read are neither rewritten nor listed, hence the status of the scan.
    wrap(args, &workspace, &plan).map(|exit| super::with_scan(&workspace.graph, exit))
}

fn wrap(args: &Args, Workspace { graph, policy }: &Workspace, plan: &Plan) -> Result<Exit, Failure> {
    if plan.refused().next().is_some() {
        refuse(&mut streams::stderr(), plan)?;
        return Ok(Exit::Violation);
    }
    let targets = wrap::targets(graph, plan, wrap::chosen(graph, &args.request.workspace)?, policy.shown())?;
    let mut sites = if args.apply { wrap::sites(graph, plan, &targets) } else { Sites::default() };
    let mut changes = Vec::new();
    for target in &targets {
        let mut files = wrap::render(plan, target)?;
        if args.apply {
            files.extend(wrap::edits(target, sites.files.remove(&target.index).unwrap_or_default())?);
        }
        changes.extend(wrap::changes(files, &target.directory())?);
    }
    let outdated = wrap::outdated(graph, &targets, &changes);
    let mut out = streams::stdout();
    if args.check {
        let apply = if args.apply { " --apply" } else { "" };
        let command = format!("cargo isolate wrap{apply}{}", policy.option());
        return check(&mut out, &command, graph, &changes, &outdated);
    }
    if args.dry_run {
        wrap::print_diff(&mut out, &changes, &graph.root)?;
        misfits(&mut streams::stderr(), &outdated, |path, line| line_now(graph, &changes, path, line))?;
        call_sites(&mut streams::stderr(), graph, &sites, &changes, "would rewrite")?;
        if !args.apply {
            streams::tell!(
                "`cargo isolate wrap --apply --dry-run` also shows what becomes of manifests, modules and calls"
            );
        }
        return Ok(Exit::Clean);
    }
    if args.apply && !changes.is_empty() {
        let is_generated =
            |change: &Change| targets.iter().any(|target| change.path.parent() == Some(&target.directory()));
        let is_edited = |change: &&Change| change.old.is_some() && !is_generated(change);
        let edited: Vec<_> = changes.iter().filter(is_edited).map(|change| &*change.path).collect();
        clean::check(&graph.root, &edited, args.allow)?;
    }
    wrap::write(&changes)?;
    let last = last_build(graph, plan).or_environment(|| "cannot read what the last build left")?;
    plan::unsettled(graph, &policy.policy, plan).iter().for_each(|unsettled| streams::tell!("warning: {unsettled}"));
    last.problems.iter().for_each(|problem| streams::tell!("warning: {problem}"));
    last.inside.iter().for_each(|inside| streams::tell!("warning: {inside}"));
    last.constructors.iter().for_each(|constructors| streams::tell!("warning: {constructors}"));
    linked::warnings(&last.refused).iter().for_each(|warning| streams::tell!("warning: {warning}"));
    if args.request.quiet {
        return Ok(Exit::Clean);
    }
    report(&mut out, graph, &changes, &sites)?;
    misfits(&mut out, &outdated, |path, line| line_now(graph, &changes, path, line))?;
    by_path(&mut out, graph, &changes)?;
    call_sites(&mut out, graph, &sites, &changes, "rewrote")?;
    if !args.apply && !targets.iter().all(|target| is_reached(graph, target)) {
        writeln!(
            out,
            "nothing uses these files yet: `cargo isolate wrap --apply` adds the module and the dependencies"
        )?;
    }
    Ok(Exit::Clean)
}

/// Whether a `mod` item leads to the wrappers, possibly to a file that does not exist yet.
fn is_reached(graph: &Graph, target: &Target) -> bool {
    let directory = target.directory();
    let module = directory.join("mod.rs");
    graph.packages.iter().any(|package| {
        let read = package.files.iter().any(|file| file.path == module && file.role != Role::Unreached);
        read || package.gaps.iter().any(|gap| gap.path == module || gap.path.with_extension("") == directory)
    })
}

/// Prints every function without a contract, and why it has none.
fn refuse(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    for (domain, function) in plan.refused() {
        let (error, name) = (streams::error_word(), &function.name);
        writeln!(out, "{error}: no wrapper for `{name}` of the domain `{}`", domain.name)?;
        let declared = &function.declared;
        writeln!(out, "  --> {}:{}:{}", declared.file, declared.line, declared.column)?;
        if let Some(reason) = &function.refused {
            writeln!(out, "  {reason}")?;
        }
        if let Some(Ships::Misfit { reason, replaced: true, .. }) = &function.ships {
            writeln!(out, "  the contract that ships for it is not used: {reason}")?;
        }
        for (name, ty, reason) in function.refusals() {
            writeln!(out, "  {name}: {ty}: {reason}")?;
        }
        if let Some(stub) = &function.stub {
            writeln!(out, "  a policy to start from, to be checked against the library's manual:\n")?;
            writeln!(out, "{stub}")?;
        }
    }
    let without: BTreeSet<_> = plan.refused().map(|(domain, _)| (&domain.name, &domain.contracts)).collect();
    for (name, contracts) in without {
        if let Some(contracts) = contracts {
            writeln!(out, "contracts of the domain `{name}`: {contracts}")?;
        }
    }
    plan::print_hopeless(out, plan)?;
    writeln!(out, "nothing was written: settle what is said above, or isolate other functions")
}

fn check(
    out: &mut dyn Write,
    command: &str,
    graph: &Graph,
    changes: &[Change],
    outdated: &[Outdated],
) -> Result<Exit, Failure> {
    for change in changes {
        let path = graph.relative(&change.path);
        let state = match (&change.old, &change.new) {
            (None, _) => "is missing",
            (_, None) => "is not needed any more",
            _ => "is stale",
        };
        writeln!(out, "{path} {state}")?;
    }
    misfits(out, outdated, |_, line| line)?;
    Ok(match changes {
        [] => Exit::Clean,
        _ => {
            writeln!(out, "run `{command}` and commit what it writes")?;
            Exit::Violation
        }
    })
}

/// Prints calls that no longer compile with the newly generated wrappers.
fn misfits(out: &mut dyn Write, outdated: &[Outdated], line_now: impl Fn(&Utf8Path, u32) -> u32) -> io::Result<()> {
    if outdated.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nto do: change {}, whose wrapper has another signature from now on", some(outdated.len(), "call"))?;
    for call in outdated {
        writeln!(out, "  {}:{}:{}", call.path, line_now(&call.path, call.line), call.column)?;
        writeln!(out, "      was: {}", call.old)?;
        match &call.new {
            Some(new) => writeln!(out, "      now: {new}")?,
            None => writeln!(out, "      now: there is no such wrapper")?,
        }
    }
    Ok(())
}

/// The number of a line once `changes` are made.
fn line_now(graph: &Graph, changes: &[Change], path: &Utf8Path, line: u32) -> u32 {
    let change = changes.iter().find(|change| graph.relative(&change.path) == path);
    change.map_or(line, |change| change.line_after(line))
}

/// Prints the manifests that received a dependency by path, which only works on this machine.
fn by_path(out: &mut dyn Write, graph: &Graph, changes: &[Change]) -> io::Result<()> {
    let changed = changes.iter().filter(|change| change.path.ends_with("Cargo.toml"));
    let has = |text: &Option<String>, name: &str| {
        text.as_ref().is_some_and(|text| text.contains(&format!("\n{name} = {{ path = \"/")))
    };
    for change in changed {
        let new = |name: &&str| has(&change.new, name) && !has(&change.old, name);
        let names = ["isolate-rt", "isolate-rt-build"].into_iter().filter(new);
        let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
        if names.is_empty() {
            continue;
        }
        writeln!(
            out,
            "note: {} names {} by a path on this machine: before you commit it, give the repository and a commit instead (docs/guide.md, \"Where the runtime comes from\")",
            graph.relative(&change.path),
            names.join(" and ")
        )?;
    }
    Ok(())
}

/// Prints what became of the direct calls, with their positions after the changes.
fn call_sites(out: &mut dyn Write, graph: &Graph, sites: &Sites, changes: &[Change], verb: &str) -> io::Result<()> {
    let line_now = |path: &Utf8Path, line: u32| line_now(graph, changes, path, line);
    let panics: Vec<_> = sites.rewritten.iter().filter(|site| site.panics).collect();
    let ends = sites.rewritten.iter().filter(|site| site.ends_in_drop).count();
    let (all, passed_on) = (sites.rewritten.len(), sites.rewritten.len() - panics.len() - ends);
    if all > 0 {
        let ends = if ends > 0 { format!(", {ends} in `drop`, where nobody is told") } else { String::new() };
        writeln!(
            out,
            "\n{verb} {}: {passed_on} pass on a fault by `?`, {} panic{ends}",
            some(all, "call"),
            panics.len()
        )?;
        for site in panics {
            writeln!(out, "  {}:{}  `{}` panics on a fault", site.path, line_now(&site.path, site.line), site.symbol)?;
        }
        if passed_on == 0 {
            writeln!(
                out,
                "  `?` passes it on where the function returns a `Result` whose error is `From<isolate_rt::Fault>`"
            )?;
        }
    }
    if sites.left.is_empty() {
        return Ok(());
    }
    let (noun, by) = if sites.left.len() == 1 { ("call", "its wrapper") } else { ("calls", "their wrappers") };
    writeln!(out, "\nto do: replace {} direct {noun} by {by}, and handle the `Fault`", sites.left.len())?;
    for left in &sites.left {
        let site = &left.site;
        writeln!(out, "  {}:{}:{}  {}", site.path, line_now(&site.path, site.line), site.column, left.why)?;
        if let Some(wrapper) = &left.wrapper {
            writeln!(out, "      {wrapper}")?;
        }
        if let Some(suggestion) = &left.suggestion {
            writeln!(out, "      try: {}", suggestion.split_whitespace().collect::<Vec<_>>().join(" "))?;
        }
    }
    writeln!(out, "`cargo isolate verify` then checks that none is left")
}

fn report(out: &mut dyn Write, graph: &Graph, changes: &[Change], sites: &Sites) -> io::Result<()> {
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
        let all = if sites.left.is_empty() { "everything is" } else { "the generated files are" };
        writeln!(out, "{all} up to date")?;
    }
    Ok(())
}
