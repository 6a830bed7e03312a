//! `cargo isolate baseline`: what is known of the code, written down.

use crate::{
    decide,
    exit::Exit,
    graph::Graph,
    policy::{self, Loaded, Mistakes, PolicyFile, Texts, day::Day},
    ratchet::{self, Comparison, Entry, State, baseline},
    report::{self, diagnostic::Level},
    sources::{self, Request},
    streams,
    words::some,
    wrap::mark_generated,
};
use anyhow::Context;
use camino::{Utf8Path, Utf8PathBuf};
use std::{collections::BTreeSet, io};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    policy: PolicyFile,
    #[command(flatten)]
    file: BaselineFile,
    /// Take in what is new, too
    #[arg(long)]
    accept: bool,
    /// Day to hold `until` of exceptions against, as 2027-01-31
    #[arg(long, value_name = "DATE")]
    today: Option<Day>,
}

/// Which baseline a command uses.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct BaselineFile {
    /// File of the findings that are known, instead of that of `[check]` in the policy
    #[arg(long, value_name = "FILE")]
    baseline: Option<Utf8PathBuf>,
}

/// No baseline to read or write. The command ends with status 2.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoBaseline {
    #[error("cannot read the baseline `{path}`: {why}{}", if *.missing { "; `cargo isolate baseline` writes one" } else { "" })]
    Unreadable { path: Utf8PathBuf, why: String, missing: bool },
    #[error(
        "no baseline is named: add `[check]` with `baseline = \"isolate-baseline.txt\"` to the policy, or use --baseline"
    )]
    Unnamed,
}

impl BaselineFile {
    /// The file, if one is named.
    pub(crate) fn path(&self, graph: &Graph, policy: &Loaded) -> Option<Utf8PathBuf> {
        let stated = policy.policy.check.baseline.as_ref().map(|path| graph.root.join(path.get_ref()));
        self.baseline.clone().or(stated)
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut graph = sources::load(&args.request)?;
    let policy = policy::load(&args.policy, &graph)?;
    mark_generated(&mut graph, &policy);
    let path = args.file.path(&graph, &policy).ok_or(NoBaseline::Unnamed)?;
    let before = match read(&graph, &path) {
        Ok((_, lines)) => Some(lines.into_iter().map(|(entry, _)| entry).collect::<Vec<_>>()),
        Err(error) if matches!(error.downcast_ref(), Some(NoBaseline::Unreadable { missing: true, .. })) => None,
        Err(error) => return Err(error),
    };
    let audit = report::audit(&graph)?;
    let constructs: Vec<Entry> = ratchet::constructs(&graph, &audit.diagnostics).map(Entry::of).collect();
    let today = args.today.unwrap_or_else(Day::today);
    let verdict = decide::decide(&graph, &policy, decide::findings(&graph, &policy.policy), today, false);
    let report = report::check(&graph, &policy, &verdict, audit)?;
    let denied = ratchet::rule_findings(&report).filter(|diagnostic| diagnostic.level == Level::Error);
    let denied: Vec<Entry> = denied.map(Entry::of).collect();

    let known = before.clone().unwrap_or_default();
    let mut entries: BTreeSet<Entry> =
        known.iter().filter(|entry| !ratchet::concerning(&graph, entry)).cloned().collect();
    let mut left_out: BTreeSet<Entry> = BTreeSet::new();
    for now in [constructs, denied] {
        let compared = Comparison::new(known.clone(), now.clone());
        let takes_in =
            |entry: &Entry| args.accept || before.is_none() || compared.state(entry.fingerprint) != State::New;
        let (taken, left): (Vec<_>, Vec<_>) = now.into_iter().partition(takes_in);
        entries.extend(taken);
        left_out.extend(left);
    }
    left_out.retain(|entry| !entries.contains(entry));
    crate::files::write(&path, baseline::write(&entries).as_bytes())
        .with_context(|| format!("cannot write `{path}`"))?;
    say(&graph, &path, before.as_deref(), &entries, &left_out);
    Ok(if left_out.is_empty() { Exit::Clean } else { Exit::Violation })
}

fn say(
    graph: &Graph,
    path: &Utf8Path,
    before: Option<&[Entry]>,
    entries: &BTreeSet<Entry>,
    left_out: &BTreeSet<Entry>,
) {
    let path = graph.relative(path);
    let was = before.map(|before| format!(", {} before", before.len())).unwrap_or_default();
    streams::tell!("wrote `{path}`: {} known{was}", some(entries.len(), "finding"));
    if !left_out.is_empty() {
        let (are, them) = if left_out.len() == 1 { ("is", "it") } else { ("are", "them") };
        streams::tell!(
            "{} {are} new and left out; `cargo isolate check` shows {them}, `--accept` takes {them} in",
            some(left_out.len(), "finding")
        );
    }
}

/// Reads a baseline: its text, and its findings with the places of their lines.
///
/// # Errors
///
/// [`NoBaseline`] or [`Mistakes`], for `main` to print.
pub(crate) fn read(graph: &Graph, path: &Utf8Path) -> anyhow::Result<(String, Vec<baseline::Line>)> {
    let shown = graph.relative(path);
    let text = std::fs::read_to_string(path).map_err(|error| NoBaseline::Unreadable {
        path: shown.clone(),
        why: crate::text::describe(&error),
        missing: error.kind() == io::ErrorKind::NotFound,
    })?;
    match baseline::read(&text) {
        Ok(lines) => Ok((text, lines)),
        Err(errors) => Err(Mistakes::new("baseline", Texts::new(shown, text), errors).into()),
    }
}
