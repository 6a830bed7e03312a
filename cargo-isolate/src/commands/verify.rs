//! `cargo isolate verify`.

mod print;

use super::{
    failure::{Failure, OrEnvironment as _},
    stage::Workspace,
};
use crate::{
    bypass::{Bypass, bypasses},
    decide::{BYPASSED_ISOLATION, Exceptions},
    exit::Exit,
    graph::{Graph, name_of},
    names::Names,
    plan::{Declared, DomainPlan, FunctionPlan, Plan},
    policy::{PolicyFile, day::Today},
    process::Runner,
    report::{self, Format},
    sources::Request,
    terminal::{streams, visible},
    verify::{
        self, Act, Played, StageError,
        linked::{self, Built, Linked},
    },
    wrap::{self, Target},
};
use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use std::{collections::BTreeSet, process::Output};

/// What `verify` takes.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    request: Request,
    #[command(flatten)]
    policy: PolicyFile,
    /// Check and compile everything, execute nothing
    #[arg(long)]
    no_run: bool,
    #[command(flatten)]
    today: Today,
    #[command(flatten)]
    runner: Runner,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The result, as `--format json` prints it.
#[derive(Debug, Serialize)]
struct Report {
    schema: u32,
    /// Version of cargo-isolate.
    tool: &'static str,
    /// Directory that relative paths start from.
    workspace_root: Utf8PathBuf,
    /// Whether every source file was scanned. Calls in other files are unknown.
    complete: bool,
    /// Number of functions with a wrapper.
    wrappers: usize,
    /// Functions without a wrapper, because the plan refuses them. In that case nothing else is checked.
    refused: Vec<Refusal>,
    /// Generated files that are missing or out of date.
    stale: Vec<Utf8PathBuf>,
    compile: Compile,
    /// Calls that bypass the wrappers.
    bypasses: Vec<Bypass>,
    linked: Objects,
    faults: Faults,
}

/// A function without a wrapper, and where it is declared.
#[derive(Debug, Serialize)]
struct Refusal {
    domain: String,
    function: String,
    path: Utf8PathBuf,
    line: u32,
    column: u32,
}

/// The result of examining object files and programs.
#[derive(Debug, Serialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
enum Objects {
    Checked(Linked),
    Skipped { reason: String },
}

/// Whether the workspace compiles with the wrappers.
#[derive(Debug, Serialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
enum Compile {
    Ok,
    /// Only tests, benchmarks or examples fail to compile.
    WithoutTests {
        message: String,
    },
    Failed {
        message: String,
    },
    Skipped {
        reason: String,
    },
}

/// The result of running the wrappers over misbehaving stubs.
#[derive(Debug, Serialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
enum Faults {
    Played {
        acts: Vec<Act>,
    },
    /// The wrappers do not compile over stubs.
    Failed {
        message: String,
    },
    /// The runner or the machine could not start the program.
    NotStarted {
        message: String,
    },
    /// This machine does not support domains.
    Unsupported {
        reason: String,
    },
    Skipped {
        reason: String,
    },
}

const SCHEMA: u32 = 1;

/// Why verification cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotReady {
    /// `--target` names a platform without domains.
    #[error(
        "`verify` builds for one platform that has domains, and --target asks for `{platforms}`: name \
         `x86_64-unknown-linux-gnu`, or leave it out"
    )]
    NoDomains { platforms: String },
    #[error("no package depends on `isolate-rt` and `isolate-rt-build`; `cargo isolate wrap --apply` adds them")]
    NoRuntime,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let (Workspace { graph, policy }, plan) = Workspace::planned(&args.request, &args.policy)?;
    if !args.request.target.is_empty() && !graph.has_domains() {
        let platforms = graph.platforms.iter().cloned().collect::<Vec<_>>().join("`, `");
        return Err(NotReady::NoDomains { platforms }.into());
    }
    let names = Names::new(&graph);
    let refused: Vec<_> = plan.refused().map(|(domain, function)| Refusal::new(domain, function)).collect();
    let mut report = if refused.is_empty() {
        let targets = wrap::targets(&graph, &plan, wrap::chosen(&graph, &args.request.workspace)?, policy.shown())?;
        examine(args, &names, &plan, &targets)?
    } else {
        Report { refused, ..Report::new(&graph, &plan, "functions have no wrapper") }
    };
    report.except(&mut Exceptions::new(&policy.policy, args.today.day()));
    let mut out = streams::stdout();
    match args.format {
        Format::Text if args.request.quiet && report.exit() == Exit::Clean => {}
        Format::Text => {
            print::text(&mut out, &report, args.request.quiet)?;
            report::print_problems(&mut out, &graph, &report::audit(&names)?)?;
        }
        Format::Json => visible::json(&mut out, &report)?,
    }
    Ok(report.exit())
}

/// Runs the stages, each only if the preceding ones succeeded.
fn examine(args: &Args, names: &Names<'_>, plan: &Plan, targets: &[Target]) -> Result<Report, Failure> {
    let graph = names.graph;
    let (mut stale, mut generated) = (Vec::new(), BTreeSet::new());
    for target in targets {
        let files = wrap::render(plan, target)?;
        generated.extend(files.iter().map(|file| file.path.clone()));
        stale.extend(wrap::changes(files, &target.directory())?.into_iter().map(|change| graph.relative(&change.path)));
    }
    let wrappers: BTreeSet<&Utf8Path> = generated.iter().map(|path| &**path).collect();
    let bypasses = bypasses(names, plan, &wrappers);
    let mut report = Report { stale, bypasses, ..Report::new(graph, plan, "the wrappers are stale") };
    if report.stale.is_empty() {
        let plan = &plan.live();
        let (compiled, built) = compile(args, graph)?;
        report.compile = compiled;
        let is_built = matches!(report.compile, Compile::Ok | Compile::WithoutTests { .. });
        report.linked = match is_built {
            true if !graph.has_domains() => {
                Objects::Skipped { reason: "there are no domains on this platform".to_owned() }
            }
            true => Objects::Checked(
                linked::check(graph, plan, &built, targets).or_environment(|| "cannot read what cargo built")?,
            ),
            false => Objects::Skipped { reason: "the workspace does not compile".to_owned() },
        };
        report.faults = match is_built {
            true => faults(args, graph, plan, targets)?,
            false => Faults::Skipped { reason: "the workspace does not compile".to_owned() },
        };
    }
    Ok(report)
}

/// Builds rather than just checks, because the linked programs are examined next. If tests do not compile, everything
/// else is still built.
fn compile(args: &Args, graph: &Graph) -> Result<(Compile, Built), Failure> {
    let all = build(args, graph, &["--all-targets"])?;
    if all.status.success() {
        return Ok((Compile::Ok, Built::read(&all.stdout, graph)));
    }
    let message = String::from_utf8_lossy(&all.stderr).into_owned();
    let others = build(args, graph, &[])?;
    let compiled = match others.status.success() {
        true => Compile::WithoutTests { message },
        false => Compile::Failed { message },
    };
    Ok((compiled, Built::read(&others.stdout, graph)))
}

fn build(args: &Args, graph: &Graph, targets: &[&str]) -> Result<Output, Failure> {
    let members = || graph.packages.iter().filter(|package| package.member);
    let chosen = members().filter(|package| package.selected).map(|package| &package.key);
    let chosen = members().any(|package| !package.selected).then_some(chosen);
    let mut build = args.request.compiles("build", &graph.root, chosen);
    // In the workspace's folder, so that its cargo configuration applies.
    build.args(["--quiet", "--message-format", "json-render-diagnostics"]).args(targets).current_dir(&graph.root);
    build.output().or_environment(|| "cannot run `cargo build`")
}

fn faults(args: &Args, graph: &Graph, plan: &Plan, targets: &[Target]) -> Result<Faults, Failure> {
    let runtime = runtime(graph)?;
    let mut all = Vec::new();
    for target in targets {
        let subject = verify::subject(plan, target)?;
        for wrapper in subject.not_played() {
            streams::tell!("note: `{wrapper}` is not played: no arguments were found for which its `when` holds");
        }
        let folder = graph.target.join("isolate/verify").join(&target.package);
        let stage = match verify::prepare(graph, &subject, &runtime, folder, args.request.for_own_package()) {
            Ok(stage) => stage,
            Err(StageError::Rejected(message)) => return Ok(Faults::Failed { message }),
            Err(error) => return Err(error.into()),
        };
        if args.no_run {
            continue;
        }
        match stage.play(&args.runner)? {
            Played::Acts(acts) => all.extend(acts),
            Played::NotStarted(how) => return Ok(Faults::NotStarted { message: not_started(&args.runner, &how) }),
            Played::Unsupported(reason) => return Ok(Faults::Unsupported { reason }),
        }
    }
    Ok(match args.no_run {
        true => Faults::Skipped { reason: "--no-run".to_owned() },
        false => Faults::Played { acts: all },
    })
}

fn not_started(runner: &Runner, how: &str) -> String {
    match runner.command() {
        Some(runner) => format!("the runner `{runner}` did not start the program: `cargo run` {how}"),
        None => format!("the program was not started: `cargo run` {how}"),
    }
}

/// The runtime that the workspace depends on.
fn runtime(graph: &Graph) -> Result<verify::Runtime, NotReady> {
    let root = |name: &str| graph.named(name).map(|package| graph.packages[package].root.clone());
    match (root("isolate-rt"), root("isolate-rt-build")) {
        (Some(runtime), Some(build)) => Ok(verify::Runtime { runtime, build }),
        _ => Err(NotReady::NoRuntime),
    }
}

impl Refusal {
    fn new(domain: &DomainPlan, function: &FunctionPlan) -> Refusal {
        let Declared { file, line, column, .. } = &function.declared;
        let (domain, function) = (domain.name.clone(), function.name.clone());
        Refusal { domain, function, path: file.clone(), line: *line, column: *column }
    }
}

impl Report {
    /// A report in which nothing has been tried yet; `why` is the reason that every stage starts with.
    fn new(graph: &Graph, plan: &Plan, why: &str) -> Report {
        let all = plan.domains.iter().flat_map(|domain| &domain.functions);
        Report {
            schema: SCHEMA,
            tool: env!("CARGO_PKG_VERSION"),
            workspace_root: graph.root.clone(),
            complete: graph.is_complete(),
            wrappers: all.filter(|function| function.is_ready()).count(),
            refused: Vec::new(),
            stale: Vec::new(),
            compile: Compile::Skipped { reason: why.to_owned() },
            bypasses: Vec::new(),
            linked: Objects::Skipped { reason: why.to_owned() },
            faults: Faults::Skipped { reason: why.to_owned() },
        }
    }

    /// Marks what the policy makes exceptions for.
    fn except(&mut self, exceptions: &mut Exceptions<'_>) {
        let mut covers = |package: &str, place: &str| exceptions.covers(BYPASSED_ISOLATION, package, place);
        for bypass in &mut self.bypasses {
            bypass.excepted = covers(name_of(&bypass.package), &bypass.at);
        }
        if let Objects::Checked(linked) = &mut self.linked {
            for outside in &mut linked.references {
                outside.excepted = outside.by.as_ref().is_some_and(|by| covers(&outside.within, by));
            }
        }
    }

    fn exit(&self) -> Exit {
        let bypassed = self.bypasses.iter().any(|bypass| !bypass.test && !bypass.excepted);
        let compiles = !matches!(self.compile, Compile::Failed { .. } | Compile::WithoutTests { .. });
        let held = match &self.faults {
            Faults::Played { acts } => acts.iter().all(|act| act.good),
            Faults::Failed { .. } => false,
            Faults::NotStarted { .. } | Faults::Unsupported { .. } | Faults::Skipped { .. } => true,
        };
        let linked = match &self.linked {
            Objects::Checked(linked) => {
                linked.problems.is_empty() && linked.references.iter().all(|outside| outside.excepted)
            }
            Objects::Skipped { .. } => true,
        };
        let untried = matches!(self.faults, Faults::NotStarted { .. } | Faults::Unsupported { .. });
        let exit = match self.refused.is_empty() && self.stale.is_empty() && compiles && linked && held && !bypassed {
            false => Exit::Violation,
            true if untried => Exit::Environment,
            true => Exit::Clean,
        };
        exit.with_scan(self.complete)
    }
}
