//! The command line: what can be typed, and which command it starts.

use crate::{commands, nearest::nearest, report::formats, terminal::color};
use clap::{
    Parser, Subcommand,
    error::{ContextKind, ContextValue},
};
use std::{ffi::OsString, process::ExitCode};

// How cargo calls us: `cargo-isolate isolate …`.
#[derive(Parser)]
#[command(name = "cargo", bin_name = "cargo", disable_help_subcommand = true, styles = clap_cargo::style::CLAP_STYLING)]
enum Cargo {
    Isolate(Isolate),
}

/// Audit unsafe and foreign code, wrap it in isolated domains, and enforce the policy about it.
///
/// Without a command: `audit`.
#[derive(clap::Args)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Isolate {
    #[command(subcommand)]
    command: Option<Command>,
    /// Coloring; `CARGO_TERM_COLOR` if not given
    #[arg(long, global = true, value_name = "WHEN")]
    color: Option<color::When>,
    #[command(flatten)]
    audit: commands::audit::Args,
}

#[derive(Subcommand)]
enum Command {
    /// Show every unsafe construct and foreign call.
    Audit(commands::audit::Args),
    /// Write a first policy for this workspace, as strict as its code already is.
    Init(commands::init::Args),
    /// Check the code against the policy.
    Check(commands::check::Args),
    /// Record present findings, so that `check` reports only new ones.
    Baseline(commands::baseline::Args),
    /// Compare two audits: findings added and removed, and packages whose unsafe code grew.
    Diff(commands::diff::Args),
    /// Print an SVG badge (or one line) with the amount of unsafe code.
    Badge(commands::badge::Args),
    /// Draft cargo-vet audits of the dependencies, with the evidence for each.
    Vet(commands::vet::Args),
    /// Show what would be wrapped: every contract with its evidence, or why it is refused.
    Plan(commands::plan::Args),
    /// Write the wrappers that the plan describes; `--apply` also makes the crate use them.
    Wrap(commands::wrap::Args),
    /// Check that wrappers are up to date, not bypassed, and contain a library that misbehaves.
    Verify(commands::verify::Args),
    /// Explain a rule, a report code or a kind of fault.
    Explain(commands::explain::Args),
    /// Check whether this machine can run isolated calls, and say what is missing.
    Doctor(commands::doctor::Args),
    /// Take the example project through audit, plan, wrap and verify, and show a fault contained.
    Demo(commands::demo::Args),
}

pub(crate) fn run() -> ExitCode {
    // For mistakes of the command line too, which `parse` prints.
    color::When::of_cargo().apply();
    let Cargo::Isolate(isolate) =
        Cargo::try_parse_from(as_of_cargo(std::env::args_os())).unwrap_or_else(|error| without_far_guess(error).exit());
    if let Some(when) = isolate.color {
        when.apply();
    }
    let result = match isolate.command.unwrap_or(Command::Audit(isolate.audit)) {
        Command::Audit(args) => commands::audit::run(&args),
        Command::Init(args) => commands::init::run(&args),
        Command::Check(args) => commands::check::run(&args),
        Command::Baseline(args) => commands::baseline::run(&args),
        Command::Diff(args) => commands::diff::run(&args),
        Command::Badge(args) => commands::badge::run(&args),
        Command::Vet(args) => commands::vet::run(&args),
        Command::Plan(args) => commands::plan::run(&args),
        Command::Wrap(args) => commands::wrap::run(&args),
        Command::Verify(args) => commands::verify::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Demo(args) => commands::demo::run(&args),
    };
    result.unwrap_or_else(|failure| failure.say()).into()
}

/// What cargo would have passed: whoever starts `cargo-isolate audit` means `cargo isolate audit`.
fn as_of_cargo(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    if arguments.get(1).is_none_or(|first| first != "isolate") {
        arguments.insert(arguments.len().min(1), "isolate".into());
    }
    arguments
}

/// Clap names an option that is hardly like what was typed; what is as like as any other mistake's suggestion stays. A format is
/// no option, and known all the same.
fn without_far_guess(mut error: clap::Error) -> clap::Error {
    let name = |error: &clap::Error, kind| match error.get(kind) {
        Some(ContextValue::String(name)) => Some(name.trim_start_matches('-').to_owned()),
        _ => None,
    };
    let (typed, guess) = (name(&error, ContextKind::InvalidArg), name(&error, ContextKind::SuggestedArg));
    if let (Some(typed), Some(guess)) = (typed, guess)
        && nearest(&typed, [&*guess]).is_none()
    {
        error.remove(ContextKind::SuggestedArg);
        // It is made of the guess.
        error.remove(ContextKind::Usage);
    }
    if let Some(format) = name(&error, ContextKind::InvalidArg).filter(|typed| formats().any(|format| format == typed))
    {
        let tip = format!("to print {format}, use '--format {format}'; to write a file, '--format {format}=FILE'");
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    error
}
