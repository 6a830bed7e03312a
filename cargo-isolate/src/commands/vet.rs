//! `cargo isolate vet`: what an audit shows about dependencies, in terms of the `ub-risk` criteria for cargo-vet.

use super::failure::Failure;
use crate::{
    exit::Exit,
    names::Names,
    report::{self, Report, diagnostic::Detail, model::PackageRow},
    sources::{self, Request},
    terminal::{streams, words::some},
};
use isolate_lints::facts::UnsafeKind;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let graph = sources::load(&args.request)?;
    let mut report = report::audit(&Names::new(&graph))?;
    // A member that is also a dependency of another member need not be vetted.
    let members: BTreeSet<_> =
        graph.packages.iter().filter(|package| package.member).map(|package| &package.root).collect();
    report.packages.retain(|package| !members.contains(&package.root));
    print(&mut streams::stdout(), &report)?;
    Ok(Exit::Clean.with_scan(report.complete))
}

/// What a reviewer of a package would want to know first.
#[derive(Clone, Copy, Debug, Default)]
struct Evidence {
    /// Blocks and impls; a bare one lacks a safety comment.
    blocks: usize,
    bare_blocks: usize,
    /// Functions and traits, which should have a `# Safety` section; a bare one lacks it.
    promises: usize,
    bare_promises: usize,
    /// Any other unsafe construct.
    others: usize,
    macro_uses: usize,
    foreign_calls: usize,
    unseen: usize,
    foreign_items: usize,
}

const HEAD: &str = "\
# Proposals for the `audits.toml` of cargo-vet, by what cargo-isolate found in the dependencies of this workspace.
# The criteria are Google's (https://github.com/google/rust-crate-audits, auditing_standards.md): import or define them there.
# A program can tell `ub-risk-0`, and only a person can vouch for it: read, sign with `who`, then paste. About all other packages there
# is evidence to start from, and what the criteria ask for that is missing; the judgement is a reviewer's.
";

fn print(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let mut evidence: BTreeMap<&str, Evidence> = BTreeMap::new();
    for diagnostic in report.diagnostics.iter().filter(|diagnostic| !diagnostic.member) {
        if let Some(detail) = &diagnostic.detail {
            evidence.entry(&diagnostic.package).or_default().add(detail);
        }
    }
    write!(out, "{HEAD}")?;
    for package in report.packages.iter().filter(|package| !package.member) {
        let mut evidence = evidence.get(&*package.id()).copied().unwrap_or_default();
        let counts = package.counts.values().chain(package.dormant.values());
        evidence.foreign_items = counts.map(|counts| counts.foreign_items).sum();
        match () {
            () if !package.complete => {
                writeln!(
                    out,
                    "\n# {} {}: not every file could be read; nothing can be said",
                    package.name, package.version
                )?;
            }
            () if evidence.is_none() => proposal(out, package)?,
            () => remark(out, package, &evidence)?,
        }
    }
    if report.packages.iter().all(|package| package.member) {
        writeln!(out, "\n# This workspace has no dependencies.")?;
    }
    Ok(())
}

fn proposal(out: &mut dyn Write, package: &PackageRow) -> io::Result<()> {
    let files = some(package.files.len(), "source file");
    let tool = env!("CARGO_PKG_VERSION");
    writeln!(
        out,
        "\n[[audits.{}]]\n# who = \"…\"\ncriteria = \"ub-risk-0\"\nversion = \"{}\"\n\
         notes = \"cargo-isolate {tool}: no unsafe code and no foreign items in its {files} (library and build script), whatever the cfg\"",
        package.name, package.version
    )
}

fn remark(out: &mut dyn Write, package: &PackageRow, evidence: &Evidence) -> io::Result<()> {
    writeln!(out, "\n# {} {}: {}", package.name, package.version, evidence.counts())?;
    let Evidence { bare_blocks, bare_promises, unseen, .. } = evidence;
    if *bare_promises > 0 {
        let have = if *bare_promises == 1 { "has" } else { "have" };
        // The rules cannot tell implementations of trait functions from others, and those need no section.
        writeln!(
            out,
            "#   `ub-risk-1` asks for safety documentation: {bare_promises} of the functions and traits {have} no `# Safety` section (those that implement a trait may need none)"
        )?;
    }
    if *bare_blocks > 0 {
        let have = if *bare_blocks == 1 { "has" } else { "have" };
        writeln!(
            out,
            "#   `ub-risk-1` asks for safety comments: {bare_blocks} of the blocks and impls {have} none that is marked so"
        )?;
    }
    if *unseen > 0 {
        writeln!(out, "#   {} may hold more: what a build script writes is not seen", some(*unseen, "macro call"))?;
    }
    Ok(())
}

impl Evidence {
    fn add(&mut self, detail: &Detail) {
        match detail {
            Detail::Unsafe { kind, safety, .. } => {
                let bare = usize::from(safety.is_none());
                match kind {
                    UnsafeKind::Block | UnsafeKind::Impl => {
                        self.blocks += 1;
                        self.bare_blocks += bare;
                    }
                    UnsafeKind::Function | UnsafeKind::Declaration | UnsafeKind::Trait => {
                        self.promises += 1;
                        self.bare_promises += bare;
                    }
                    _ => self.others += 1,
                }
            }
            Detail::MacroUse { .. } => self.macro_uses += 1,
            Detail::ForeignCall { .. } => self.foreign_calls += 1,
            Detail::Unexpanded { .. } => self.unseen += 1,
        }
    }

    fn is_none(&self) -> bool {
        let Evidence { blocks, promises, others, macro_uses, foreign_calls, unseen, foreign_items, .. } = *self;
        blocks + promises + others + macro_uses + foreign_calls + unseen + foreign_items == 0
    }

    /// "3 unsafe blocks and impls, 1 unsafe function or trait".
    fn counts(&self) -> String {
        let parts = [
            (self.blocks, "unsafe block or impl", "unsafe blocks and impls"),
            (self.promises, "unsafe function or trait", "unsafe functions and traits"),
            (self.others, "other unsafe construct", "other unsafe constructs"),
            (self.macro_uses, "use of a macro that holds unsafe code", "uses of macros that hold unsafe code"),
            (self.foreign_items, "foreign item declared", "foreign items declared"),
            (self.foreign_calls, "foreign call", "foreign calls"),
            (self.unseen, "unseen expansion", "unseen expansions"),
        ];
        let parts = parts.into_iter().filter(|(count, ..)| *count > 0);
        let parts = parts.map(|(count, one, many)| format!("{count} {}", if count == 1 { one } else { many }));
        parts.collect::<Vec<_>>().join(", ")
    }
}
