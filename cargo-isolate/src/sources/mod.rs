//! Workspace → [`Graph`]: cargo lists the packages, their `mod` items lead to the files, and the scanner extracts the
//! facts.
//!
//! Runs no code of the scanned tree: no build script, no macro. `cargo metadata` and `rustc --print cfg` are the only
//! processes started. The exception is `--expand`, or a policy with `expand = true`; see `expand`.

mod cache;
mod cargo;
mod cfg;
mod compiler;
mod expand;
mod expansion;
mod include;
mod lock;
mod metadata;
mod module_path;
mod places;
mod rustc;
mod unreached;
mod walk;

use crate::{
    graph::Graph,
    terminal::{progress::Progress, streams},
};
use cache::{Cache, Wanted};
use camino::Utf8Path;
pub(crate) use lock::locked;
pub(crate) use rustc::called_back;
use std::io;

/// Which workspace to load, and which of its packages to report on. Flags as in cargo's own commands.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Request {
    #[command(flatten)]
    pub(crate) manifest: clap_cargo::Manifest,
    #[command(flatten)]
    pub(crate) workspace: clap_cargo::Workspace,
    #[command(flatten)]
    pub(crate) features: clap_cargo::Features,
    /// Target triple to analyze, or `all`; may be repeated [default: the host]. Code that no chosen target compiles is
    /// dormant
    #[arg(long, value_name = "TRIPLE")]
    pub(crate) target: Vec<String>,
    /// Build first (`cargo check` into target/isolate), to see what build scripts write and set, and what proc macros
    /// write in members; runs build scripts and proc macros of the workspace and its dependencies
    #[arg(long)]
    pub(crate) expand: bool,
    /// Assert that `Cargo.lock` will remain unchanged
    #[arg(long)]
    pub(crate) locked: bool,
    /// Run without accessing the network
    #[arg(long)]
    pub(crate) offline: bool,
    /// Equivalent to specifying both --locked and --offline
    #[arg(long)]
    pub(crate) frozen: bool,
    /// Print only violations (audit: only the table), and no progress
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Number of threads that scan [default: one for each processor]
    #[arg(long, short, value_name = "N", value_parser = threads)]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,
    /// Do not read or write the cache
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// Report unusable cache entries on stderr
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

fn threads(text: &str) -> Result<std::num::NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "a number of threads from 1 up is expected")
}

/// Why a workspace cannot be loaded. A bad source file is never the reason; see [`crate::graph::Gap`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// Cargo could not resolve the workspace; the text is cargo's.
    #[error("cargo could not resolve the workspace\n{}", .stderr.trim_end())]
    Cargo {
        /// What cargo wrote to stderr.
        stderr: String,
    },
    /// Cargo could not be run, or its output could not be parsed.
    #[error("could not run `cargo metadata`")]
    Metadata(#[from] cargo_metadata::Error),
    /// With `--expand`: cargo could not be run, or its output could not be parsed.
    #[error("could not run `cargo check`")]
    NoCheck(#[source] io::Error),
    /// With `--expand`: the workspace does not compile. Cargo has printed the reason.
    #[error(
        "`cargo check` failed, so what build scripts write is not known: make it build, or leave out --expand or the policy's \
         `expand`"
    )]
    Unbuildable,
    /// The compiler could not be run.
    #[error("could not run `rustc --print cfg`")]
    NoCompiler(#[source] io::Error),
    /// The compiler rejects a target; the text is the compiler's.
    #[error("the compiler does not say what it sets{}\n{}", .target.as_ref().map(|target| format!(" for `{target}`")).unwrap_or_default(), .stderr.trim_end())]
    Compiler { target: Option<String>, stderr: String },
    /// `--package` or `--exclude` names no member.
    #[error("{flag} `{spec}` matches no package of this workspace{}", hint(.nearest))]
    NoSuchPackage { flag: &'static str, spec: String, nearest: Option<String> },
    /// `--package` or `--exclude` is not a name or glob.
    #[error("{flag} `{spec}` is not a package name: {why}")]
    BadSpec { flag: &'static str, spec: String, why: String },
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

/// Loads a workspace and scans every source file that its packages' targets reach.
pub(crate) fn load(request: &Request) -> Result<Graph, LoadError> {
    on_threads(request, Wanted::Everything, &|_| false)
}

/// Like [`load`], but builds first, as with `--expand`, if `expands` says so for the root of the workspace.
pub(crate) fn load_expanded_if(request: &Request, expands: Expands<'_>) -> Result<Graph, LoadError> {
    on_threads(request, Wanted::Everything, expands)
}

/// Like [`load`], for counts only: files that cannot contain anything to count are not parsed, and there are no calls.
pub(crate) fn load_counts(request: &Request) -> Result<Graph, LoadError> {
    on_threads(request, Wanted::Counts, &|_| false)
}

/// Limit on the number of threads, since more only add overhead.
const MOST_THREADS: usize = 256;

/// Whether to build the workspace with this root first.
type Expands<'e> = &'e (dyn Fn(&Utf8Path) -> bool + Sync);

fn on_threads(request: &Request, wanted: Wanted, expands: Expands<'_>) -> Result<Graph, LoadError> {
    match request.jobs {
        None => scan(request, wanted, expands),
        // If no thread can be started, the work is done on this one.
        Some(jobs) => match rayon::ThreadPoolBuilder::new().num_threads(jobs.get().min(MOST_THREADS)).build() {
            Ok(pool) => pool.install(|| scan(request, wanted, expands)),
            Err(_) => scan(request, wanted, expands),
        },
    }
}

fn scan(request: &Request, wanted: Wanted, expands: Expands<'_>) -> Result<Graph, LoadError> {
    let cache = Cache::open(!request.no_cache, wanted);
    let mut loaded = metadata::read(request, &cache, expands)?;
    let restored = cache.restore(&mut loaded);
    let progress = Progress::new(loaded.graph.packages.len(), request.quiet);
    walk::scan(&mut loaded, &restored, &cache, &progress);
    drop(progress);
    cache.keep(&loaded, &restored);
    if wanted == Wanted::Everything {
        expansion::attach(&mut loaded.graph, &loaded.expanded);
    }
    if request.verbose {
        cache.notes().iter().for_each(|note| streams::tell!("note: {note}"));
    }
    Ok(loaded.graph)
}
