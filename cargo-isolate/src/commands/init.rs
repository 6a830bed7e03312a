//! `cargo isolate init`: a first policy, as strict as the code already is, and what is new for one that is there.

mod libraries;
mod text;
mod update;

use crate::{
    exit::Exit,
    files,
    graph::Graph,
    policy::{self, PolicyFile},
    sources::{self, Request},
    streams,
    wrap::mark_generated,
};
use anyhow::Context;
use camino::Utf8Path;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    policy: PolicyFile,
    /// Overwrite a policy that is there
    #[arg(long, conflicts_with = "update")]
    force: bool,
    /// Add to a policy that is there what is new, and lower its maxima; comments and order stay
    #[arg(long)]
    update: bool,
    /// Write examples for GitHub Actions and pre-commit too, where there are none
    #[arg(long)]
    ci: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let graph = sources::load(&args.request)?;
    let path = args.policy.path(&graph);
    let root = graph.root.clone();
    let done = match args.update && path.is_file() {
        true => update_policy(args, graph, &path).map(|()| true)?,
        // With `--ci` there is something else to do.
        false => write_policy(args, &graph, &path)? || args.ci,
    };
    if args.ci {
        write_ci(&root)?;
    }
    Ok(if done { Exit::Clean } else { Exit::Usage })
}

/// Writes a first policy; whether it did.
fn write_policy(args: &Args, graph: &Graph, path: &Utf8Path) -> anyhow::Result<bool> {
    let text = text::policy(graph);
    let written = match args.force {
        true => files::write(path, text.as_bytes()).map(|()| true),
        false => files::write_new(path, text.as_bytes()),
    };
    let written = written.with_context(|| format!("cannot write `{path}`"))?;
    if written {
        streams::tell!("wrote `{path}`; `cargo isolate check` holds the code against it");
    } else if args.ci {
        streams::tell!("`{path}` exists and stays as it is");
    } else {
        let error = anstyle::AnsiColor::BrightRed.on_default().bold();
        streams::tell!("{error}error{error:#}: `{path}` exists; --update adds what is new, --force overwrites it");
    }
    Ok(written)
}

/// Adds to a policy that is there.
fn update_policy(args: &Args, mut graph: Graph, path: &Utf8Path) -> anyhow::Result<()> {
    // What is wrong with it is told as by every other command, before anything is changed.
    let policy = policy::load(&args.policy, &graph)?;
    mark_generated(&mut graph, &policy);
    let before = std::fs::read_to_string(path).with_context(|| format!("cannot read `{path}`"))?;
    let (after, changes) = update::update(&before, &graph).with_context(|| format!("cannot change `{path}`"))?;
    if after == before {
        streams::tell!("`{path}` is up to date");
    } else {
        files::write(path, after.as_bytes()).with_context(|| format!("cannot write `{path}`"))?;
        streams::tell!("wrote `{path}`");
        for change in changes {
            streams::tell!("    {change}");
        }
    }
    Ok(())
}

/// Writes examples for continuous integration where there is nothing yet.
fn write_ci(root: &Utf8Path) -> anyhow::Result<()> {
    for (name, text) in isolate_templates::ci::FILES {
        let path = root.join(name);
        let folder = path.parent().unwrap_or(root);
        let write = || {
            std::fs::create_dir_all(folder)?;
            files::write_new(&path, text.as_bytes())
        };
        match write().with_context(|| format!("cannot write `{path}`"))? {
            true => streams::tell!("wrote `{name}`"),
            false => streams::tell!("`{name}` exists and stays as it is; docs/ci.md shows what to add"),
        }
    }
    Ok(())
}
