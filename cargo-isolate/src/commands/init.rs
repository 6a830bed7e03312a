//! `cargo isolate init`: writes a first policy as strict as the code allows, or updates an existing one.

mod libraries;
mod text;
mod update;

use super::{
    baseline,
    failure::{Failure, OrEnvironment as _},
};
use crate::{
    exit::Exit,
    files,
    graph::Graph,
    policy::{self, PolicyFile},
    ratchet::git::Repository,
    settle::settle,
    sources::{self, Request},
    terminal::streams,
};
use camino::Utf8Path;
use text::Ratchet;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    policy: PolicyFile,
    /// Overwrite an existing policy
    #[arg(long, conflicts_with = "update")]
    force: bool,
    /// Add new rules, members and libraries to an existing policy, and lower its maxima; comments and order are kept
    #[arg(long)]
    update: bool,
    /// Record present findings in a baseline instead of lowering severities and setting maxima
    #[arg(long, conflicts_with = "update")]
    baseline: bool,
    /// Write examples for GitHub Actions and pre-commit too, where there are none
    #[arg(long)]
    ci: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let mut graph = match args.update {
        true => args.policy.graph(&args.request)?,
        false => sources::load(&args.request)?,
    };
    let path = args.policy.path(&graph);
    match args.update && path.is_file() {
        true => update_policy(args, &mut graph, &path)?,
        false => write_policy(args, &graph, &path)?,
    }
    for package in graph.packages.iter().filter(|package| package.selected && package.has_unseen_items()) {
        let name = &package.name;
        streams::status!(
            args.request,
            "what the build script of `{name}` writes was not seen: `init --expand` runs it, counts that too, and writes \
             `expand = true`, with which every command that follows the policy does so"
        );
    }
    if args.ci {
        write_ci(&graph, &args.request)?;
    }
    Ok(Exit::Clean)
}

/// Writes a first policy. An existing one is an error without `--force`, unless `--ci` asks for more than the policy.
fn write_policy(args: &Args, graph: &Graph, path: &Utf8Path) -> Result<(), Failure> {
    let text = text::policy(graph, if args.baseline { Ratchet::Baseline } else { Ratchet::Counts });
    let written = match args.force {
        true => files::write(path, text.as_bytes()).map(|()| true),
        false => files::write_new(path, text.as_bytes()),
    };
    let written = written.or_environment(|| format!("cannot write `{path}`"))?;
    if written {
        streams::status!(args.request, "wrote `{path}`; `cargo isolate check` holds the code against it");
        if args.baseline {
            baseline::first(&args.request, &args.policy)?;
        }
    } else if args.ci {
        streams::status!(args.request, "`{path}` exists and stays as it is");
    } else {
        return Err(Failure::usage(format_args!("`{path}` exists; --update adds what is new, --force overwrites it")));
    }
    Ok(())
}

/// Updates an existing policy.
fn update_policy(args: &Args, graph: &mut Graph, path: &Utf8Path) -> Result<(), Failure> {
    // Reports mistakes in the policy like every other command, before anything is changed.
    let policy = policy::load(&args.policy, graph)?;
    settle(graph, &policy);
    let before = std::fs::read_to_string(path).or_environment(|| format!("cannot read `{path}`"))?;
    let (after, changes) = update::update(&before, graph, &policy.members)
        .map_err(|why| Failure::usage(format_args!("cannot change `{path}`: {why}")))?;
    if after == before {
        streams::status!(args.request, "`{path}` is up to date");
    } else {
        files::write(path, after.as_bytes()).or_environment(|| format!("cannot write `{path}`"))?;
        streams::status!(args.request, "wrote `{path}`");
        for change in changes {
            streams::status!(args.request, "    {change}");
        }
    }
    Ok(())
}

/// Writes examples for continuous integration at the root of the repository, where services look for them. Existing
/// files stay as they are. The examples use the build flags of this command.
fn write_ci(workspace: &Graph, request: &Request) -> Result<(), Failure> {
    let repository = Repository::around(&workspace.root).ok();
    let folder = repository.as_ref().and_then(|repository| repository.path_within(&workspace.root));
    let root = match (&repository, &folder) {
        (Some(repository), Some(_)) => repository.root(),
        _ => &workspace.root,
    };
    let branch = repository.as_ref().and_then(Repository::default_branch);
    let folder = folder.unwrap_or_default();
    let branch = branch.as_deref().unwrap_or("main");
    let source = crate::installed::from_git().unwrap_or_default();
    for (name, text) in isolate_templates::ci::files(branch, folder.as_str(), &request.build_flags(), &source)
        .or_environment(|| "cannot write examples")?
    {
        let path = root.join(name);
        let directory = path.parent().unwrap_or(root);
        let write = || {
            std::fs::create_dir_all(directory)?;
            files::write_new(&path, text.as_bytes())
        };
        let shown = workspace.relative(&path);
        match write().or_environment(|| format!("cannot write `{path}`"))? {
            true => streams::status!(request, "wrote `{shown}`"),
            false => streams::status!(request, "`{shown}` exists and stays as it is; docs/ci.md shows what to add"),
        }
    }
    if repository.is_none() {
        streams::status!(request, "this is in no git repository: services look for these files at the root of one");
    }
    Ok(())
}
