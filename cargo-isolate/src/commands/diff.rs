//! `cargo isolate diff`: compares two audits.

use super::failure::{Failure, OrEnvironment as _};
use crate::{
    exit::Exit,
    graph::Graph,
    names::Names,
    policy,
    ratchet::{
        base,
        git::{Commit, Repository},
    },
    report,
    settle::settle,
    sources::{self, Request},
    terminal::streams,
    trend::{Change, Format, Snapshot},
};
use camino::Utf8Path;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// A report of `audit --format json`; or a range of git commits: `A..B`, `A...B` from their merge base, `A..` up to
    /// the working tree
    #[arg(value_name = "OLD.json | RANGE")]
    old: String,
    /// The later report
    #[arg(value_name = "NEW.json")]
    new: Option<String>,
    #[command(flatten)]
    request: Request,
    /// How to print the difference
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Why the arguments name nothing to compare.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NothingToCompare {
    #[error("`{0}` is no range of commits; two reports or `A..B` are compared")]
    NoRange(String),
    #[error("`{old}` and `{new}` are no reports; did you mean the commits `{old}..{new}`?")]
    TwoCommits { old: String, new: String },
    #[error("`{0}` is compared with nothing: name the later report behind it, as in `diff OLD.json NEW.json`")]
    OneReport(String),
    #[error("commit {} (`{}`) has no workspace at this place", .0.short(), .0.name)]
    NoWorkspace(Commit),
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let (before, after) = match &args.new {
        Some(new) if [&args.old, new].iter().all(|name| !name.ends_with(".json") && !Utf8Path::new(name).exists()) => {
            return Err(NothingToCompare::TwoCommits { old: args.old.clone(), new: new.clone() }.into());
        }
        Some(new) => (Snapshot::read(Utf8Path::new(&args.old))?, Snapshot::read(Utf8Path::new(new))?),
        // `..` may also be part of a path.
        None if args.old.ends_with(".json") || Utf8Path::new(&args.old).is_file() => {
            return Err(NothingToCompare::OneReport(args.old.clone()).into());
        }
        None => range(args)?,
    };
    let change = Change::new(&before, &after);
    change.print(&mut streams::stdout(), args.format)?;
    Ok(Exit::Clean.with_scan(change.complete))
}

/// The audits at both ends of a range of commits.
fn range(args: &Args) -> Result<(Snapshot, Snapshot), Failure> {
    let nothing = || NothingToCompare::NoRange(args.old.clone());
    let (from, to) = args.old.split_once("..").ok_or_else(nothing)?;
    let (parting, to) = to.strip_prefix('.').map_or((false, to), |to| (true, to));
    let from = if from.is_empty() { "HEAD" } else { from };
    let now = sources::load(&args.request)?;
    let repository = Repository::around(&now.root)?;
    let mut first = repository.commit(from)?;
    let last = if to.is_empty() { None } else { Some(repository.commit(to)?) };
    if parting {
        let end = last.as_ref().map_or("HEAD", |last| &last.hash);
        first = repository.merge_base(&first, end)?;
    }
    let at = |commit: Commit| -> Result<Snapshot, Failure> {
        let mut base = base::load(&repository, commit, &args.request, &now)?;
        let mut graph = base.graph.take().ok_or_else(|| NothingToCompare::NoWorkspace(base.commit.clone()))?;
        choose(&mut graph, &args.request, &now);
        // Taken here because the commit's files are removed with `base`.
        snapshot(graph)
    };
    let before = at(first)?;
    let after = match last {
        Some(last) => at(last)?,
        None => snapshot(now)?,
    };
    Ok((before, after))
}

/// Selects those members of an earlier state that the command line selects in the present one. A member that no longer
/// exists is selected unless the command line names packages.
fn choose(graph: &mut Graph, request: &Request, now: &Graph) {
    let named = !request.workspace.package.is_empty() && !request.workspace.workspace && !request.workspace.all;
    for package in graph.packages.iter_mut().filter(|package| package.member) {
        let at_present = now.packages.iter().find(|other| other.member && other.name == package.name);
        package.selected = at_present.map_or(!named, |other| other.selected);
    }
}

/// The part of an audit that `diff` and `badge` use.
pub(super) fn snapshot(mut graph: Graph) -> Result<Snapshot, Failure> {
    // Like `audit`, use the policy if there is one. Mistakes in the policy of an old commit are irrelevant here.
    if let Ok(policy) = policy::load(&policy::PolicyFile::default(), &graph) {
        settle(&mut graph, &policy);
    }
    Snapshot::of(&report::audit(&Names::new(&graph))?).or_environment(|| "cannot compare this audit")
}
