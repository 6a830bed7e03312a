//! `cargo isolate init`: a first policy, as strict as the code already is.

use crate::{
    decide,
    exit::Exit,
    files,
    graph::Graph,
    names::Crates,
    policy::PolicyFile,
    sources::{self, Request},
};
use anyhow::Context;
use camino::Utf8Path;
use isolate_lints::{
    facts::ForeignKind,
    rules::{self, Severity},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io,
};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    policy: PolicyFile,
    /// Overwrite a policy that is there
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<Exit> {
    let graph = sources::load(&args.request)?;
    let path = args.policy.path(&graph);
    if !write(&path, &text(&graph), args.force).with_context(|| format!("cannot write `{path}`"))? {
        let error = anstyle::AnsiColor::BrightRed.on_default().bold();
        anstream::eprintln!("{error}error{error:#}: `{path}` exists; --force overwrites it");
        return Ok(Exit::Usage);
    }
    anstream::eprintln!("wrote `{path}`; `cargo isolate check` holds the code against it");
    Ok(Exit::Clean)
}

/// Writes the whole file or nothing; `false` when there is one and it may not be overwritten.
fn write(path: &Utf8Path, text: &str, force: bool) -> io::Result<bool> {
    match force {
        true => files::write(path, text.as_bytes()).map(|()| true),
        false => files::write_new(path, text.as_bytes()),
    }
}

/// The policy for a workspace.
fn text(graph: &Graph) -> String {
    let mut text = String::from(
        "# What this workspace decided about its unsafe and foreign code. `cargo isolate check` enforces it;\n\
         # docs/policy.md of cargo-isolate describes every key.\n\
         version = 1\n",
    );
    rules_section(graph, &mut text);
    crates_section(graph, &mut text);
    domains_section(graph, &mut text);
    text
}

/// `deny` for what is not there yet, `warn` for what is, and nothing that is not asked for by default.
fn rules_section(graph: &Graph, text: &mut String) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for found in decide::findings(graph) {
        *counts.entry(found.finding.rule).or_default() += 1;
    }
    text.push_str(
        "\n# allow | warn | deny. What the code already keeps to is `deny`; tighten the rest as it gets better.\n\
         # `allow` are rules that are wrong at times, or a matter of taste.\n\
         # `cargo isolate explain RULE` says what a rule is about.\n[rules]\n",
    );
    for rule in rules::RULES {
        let count = counts.get(rule.name);
        let severity = match (rule.default, count) {
            (Severity::Allow, _) => Severity::Allow,
            (_, None) => Severity::Deny,
            (_, Some(_)) => Severity::Warn,
        };
        let found = count.map(|count| format!("  # {count} found")).unwrap_or_default();
        let _ = writeln!(text, "{} = \"{severity}\"{found}", rule.name);
    }
    text.push_str(
        "\n# A rule that does not hold at a place:\n# [[exception]]\n# rule = \"static-mut\"\n\
         # at = \"mycrate::legacy::*\"          # crate::module::function, as a glob\n\
         # reason = \"single-threaded tool, removed with v2\"\n# until = 2027-01-31                  # last day it holds\n",
    );
}

/// No member gets more unsafe code than it has.
fn crates_section(graph: &Graph, text: &mut String) {
    text.push_str(
        "\n# \"forbid\", \"allow\" or { max = N }: how many unsafe constructs a package may have. `*` is all others.\n",
    );
    for package in graph.packages.iter().filter(|package| package.selected) {
        let _ = writeln!(text, "[crates.{}]", key(&package.name));
        let _ = match decide::unsafe_count(package) {
            0 => writeln!(text, "unsafe = \"forbid\""),
            count => writeln!(text, "unsafe = {{ max = {count} }}"),
        };
    }
}

/// A domain for each native library whose functions the members call, for somebody to decide on.
fn domains_section(graph: &Graph, text: &mut String) {
    let called = called_libraries(graph);
    if called.is_empty() {
        return;
    }
    text.push_str(
        "\n# Native libraries that this workspace calls. To contain one, uncomment its tables; `cargo isolate plan` then\n\
         # shows the wrappers and what it needs to know about pointers.\n",
    );
    for (package, functions) in called {
        let package = &graph.packages[package];
        let domain = domain_name(package.links.as_deref().unwrap_or(&package.name));
        let names: Vec<String> = functions.iter().map(|name| format!("\"{name}\"")).collect();
        let _ = writeln!(
            text,
            "#\n# [domain.{}]\n# library = \"{}\"\n# heap = {{ limit = \"64MiB\" }}\n# stack = \"1MiB\"",
            key(&domain),
            package.name
        );
        let _ = writeln!(text, "# [[isolate]]\n# domain = \"{domain}\"\n# extern = [{}]", names.join(", "));
    }
}

/// By index of the declaring package: foreign functions that the selected members call. Only of packages that bring a
/// native library; the C library is everybody's own.
fn called_libraries(graph: &Graph) -> BTreeMap<usize, BTreeSet<&str>> {
    let crates = Crates::new(graph);
    let mut called: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for call in crates.foreign_calls() {
        let (caller, _) = crates.origin(call.caller);
        let (callee, _) = crates.origin(call.callee);
        let function = matches!(call.item.item, ForeignKind::Function { .. });
        let native = graph.packages[callee].links.is_some() || graph.packages[callee].name.ends_with("-sys");
        if caller != callee && graph.packages[caller].selected && function && native {
            let name = graph_name(graph, callee, &call.item.name);
            called.entry(callee).or_default().extend(name);
        }
    }
    called
}

/// The declared name, as the graph owns it.
fn graph_name<'g>(graph: &'g Graph, package: usize, name: &str) -> Option<&'g str> {
    let files = graph.packages[package].files.iter();
    files.flat_map(|file| &file.facts.foreign).map(|item| item.name.as_str()).find(|known| *known == name)
}

/// A name that TOML takes as a key, quoted only where it must be.
fn key(name: &str) -> String {
    match name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        true => name.to_owned(),
        false => format!("\"{name}\""),
    }
}

/// A library's name as a module can have it.
fn domain_name(library: &str) -> String {
    let name: String = library.trim_end_matches("-sys").replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("lib{name}") } else { name }
}
