//! `cargo isolate baseline`: records known findings in a file.

use super::{
    failure::{Failure, OrEnvironment as _},
    stage::Workspace,
};
use crate::{
    decide::{self, Excess, Verdict},
    exit::Exit,
    graph::Graph,
    names::Names,
    policy::{Loaded, Mistakes, PolicyFile, Texts, day::Today},
    ratchet::{
        self, Entry, State,
        baseline::{self, Baseline},
    },
    report::{self, diagnostic::Level},
    sources::Request,
    terminal::{streams, words::some},
};
use camino::{Utf8Path, Utf8PathBuf};
use isolate_lints::lines::Lines;
use std::{collections::BTreeSet, io};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    policy: PolicyFile,
    #[command(flatten)]
    file: BaselineFile,
    /// Also record new findings
    #[arg(long)]
    accept: bool,
    #[command(flatten)]
    today: Today,
}

/// The baseline that a command uses.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct BaselineFile {
    /// Baseline file to use instead of the one in `[check]` of the policy
    #[arg(long, value_name = "FILE")]
    baseline: Option<Utf8PathBuf>,
}

/// Why a baseline cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoBaseline {
    #[error("cannot read the baseline `{path}`: {why}")]
    Unreadable { path: Utf8PathBuf, why: String },
    #[error("there is no baseline `{path}`; `cargo isolate baseline` writes one")]
    Missing { path: Utf8PathBuf },
    #[error(
        "no baseline is named: add `[check]` with `baseline = \"isolate-baseline.txt\"` to the policy, or use --baseline"
    )]
    Unnamed,
    #[error(
        "the baseline `{path}` was recorded for {was}, but this run is for {now}, where other code is dormant\nuse the platforms and features that it was recorded for, or rewrite it for {now} with `--accept`"
    )]
    Elsewhere { path: Utf8PathBuf, was: String, now: String },
    #[error(
        "the baseline `{path}` was recorded for {was}, but this run is for {now}, and only some packages are selected\nselect all packages, or use the platforms and features that it was recorded for"
    )]
    Partial { path: Utf8PathBuf, was: String, now: String },
}

impl BaselineFile {
    /// The file, if one is named.
    pub(crate) fn path(&self, graph: &Graph, policy: &Loaded) -> Option<Utf8PathBuf> {
        let stated = policy.policy.check.baseline.as_ref().map(|path| graph.root.join(path.get_ref()));
        self.baseline.clone().or(stated)
    }
}

/// Writes the baseline that goes with a new policy.
pub(super) fn first(request: &Request, policy: &PolicyFile) -> Result<Exit, Failure> {
    run(&Args {
        request: request.clone(),
        policy: policy.clone(),
        file: BaselineFile::default(),
        accept: false,
        today: Today::default(),
    })
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let Workspace { graph, policy } = Workspace::open(&args.request, &args.policy)?;
    let path = args.file.path(&graph, &policy).ok_or(NoBaseline::Unnamed)?;
    let before = read_if_there(&graph, &path)?.map(|(_, baseline)| baseline);
    check_conditions(&graph, &path, before.as_ref(), args.accept)?;
    let names = Names::new(&graph);
    let audit = report::audit(&names)?;
    let constructs: Vec<Entry> = ratchet::constructs(&graph, &audit.diagnostics).map(Entry::of).collect();
    let today = args.today.day();
    let verdict = decide::decide(&graph, &policy, decide::findings(&names, &policy.policy), today, false);
    let report = report::check(&graph, &policy, &verdict, audit)?;
    let denied = ratchet::rule_findings(&report).filter(|diagnostic| diagnostic.level == Level::Error);
    let denied: Vec<Entry> = denied.map(Entry::of).collect();

    let known = before.clone().unwrap_or_default();
    // Findings in files that could not be read may still exist.
    let unread =
        |entry: &Entry| graph.packages.iter().any(|package| package.name == entry.package && !package.is_complete());
    let stays = |entry: &&Entry| !ratchet::concerning(&graph, entry) || unread(entry);
    let left_as_they_are = known.lines.iter().map(|(entry, _)| entry).filter(stays);
    let mut entries: BTreeSet<Entry> = left_as_they_are.cloned().collect();
    let mut left_out: BTreeSet<Entry> = BTreeSet::new();
    for now in [constructs, denied] {
        let compared = known.compare(&graph, &now);
        let is_new = |entry: &Entry| matches!(compared.state(entry.fingerprint), State::New | State::Risen(_));
        let takes_in = |entry: &Entry| args.accept || before.is_none() || !is_new(entry);
        let (taken, left): (Vec<_>, Vec<_>) = now.into_iter().partition(takes_in);
        entries.extend(taken);
        left_out.extend(left);
    }
    left_out.retain(|entry| !entries.contains(entry));
    crate::files::write(&path, baseline::write(&entries, &graph.conditions).as_bytes())
        .or_environment(|| format!("cannot write `{path}`"))?;
    if !args.request.quiet || !left_out.is_empty() {
        say(&graph, &path, before.as_ref(), &entries, &left_out);
    }
    say_excesses(&graph, &policy, &verdict);
    let exit = if left_out.is_empty() { Exit::Clean } else { Exit::Violation };
    Ok(super::with_scan(&graph, exit))
}

/// The baseline records the platforms and features for which it was determined what is dormant. For others, either all
/// entries are written anew or none.
fn check_conditions(graph: &Graph, path: &Utf8Path, before: Option<&Baseline>, accept: bool) -> Result<(), NoBaseline> {
    let Some((before, conditions)) = before.and_then(|before| Some((before, before.conditions.as_ref()?))) else {
        return Ok(());
    };
    let (path, was, now) = (graph.relative(path), conditions.clone(), graph.conditions.clone());
    let stays = before.lines.iter().any(|(entry, _)| !ratchet::concerning(graph, entry));
    match (was == now, stays, accept) {
        (true, ..) | (_, false, true) => Ok(()),
        (_, true, _) => Err(NoBaseline::Partial { path, was, now }),
        (_, false, false) => Err(NoBaseline::Elsewhere { path, was, now }),
    }
}

fn say(
    graph: &Graph,
    path: &Utf8Path,
    before: Option<&Baseline>,
    entries: &BTreeSet<Entry>,
    left_out: &BTreeSet<Entry>,
) {
    let path = graph.relative(path);
    let was = before.map(|before| format!(", {} before", before.lines.len())).unwrap_or_default();
    streams::tell!("wrote `{path}`: {} known{was}", some(entries.len(), "finding"));
    let conditions = before.and_then(|before| before.conditions.as_ref());
    if let Some(conditions) = conditions.filter(|conditions| **conditions != graph.conditions) {
        streams::tell!(
            "the baseline is now for {} (before: {conditions}); `check` recognises dormant code only with the same platforms and features",
            graph.conditions
        );
    }
    if !left_out.is_empty() {
        let (are, them) = if left_out.len() == 1 { ("is", "it") } else { ("are", "them") };
        streams::tell!(
            "{} {are} new and left out; `cargo isolate check` shows {them}, `--accept` takes {them} in",
            some(left_out.len(), "finding")
        );
    }
}

/// Reports exceeded maxima. They are part of the policy, which a baseline does not change.
fn say_excesses(graph: &Graph, policy: &Loaded, verdict: &Verdict) {
    for Excess { package, count, max, span } in &verdict.excesses {
        let (_, text, span) = policy.texts.find(span);
        let place = Lines::new(&text.text).span(span);
        streams::tell!(
            "{}:{}:{}: `{}` may have {}, and has {count}: `check` fails until `max` is raised here",
            text.path,
            place.line,
            place.column,
            graph.packages[*package].id(),
            some(*max, "unsafe construct"),
        );
    }
}

/// Reads a baseline: its text, and its findings with the positions of their lines.
pub(crate) fn read(graph: &Graph, path: &Utf8Path) -> Result<(String, Baseline), Failure> {
    Ok(read_if_there(graph, path)?.ok_or_else(|| NoBaseline::Missing { path: graph.relative(path) })?)
}

fn read_if_there(graph: &Graph, path: &Utf8Path) -> Result<Option<(String, Baseline)>, Failure> {
    let shown = graph.relative(path);
    let text = match crate::files::read_text(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => {
            read.map_err(|error| NoBaseline::Unreadable { path: shown.clone(), why: crate::text::describe(&error) })?
        }
    };
    match baseline::read(&text) {
        Ok(baseline) => Ok(Some((text, baseline))),
        Err(errors) => Err(Mistakes::new("baseline", Texts::new(shown, text), errors).into()),
    }
}
