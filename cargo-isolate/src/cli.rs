//! The command line: what can be typed, and which command it starts.

use crate::{commands, exit::Exit};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// How cargo calls us: `cargo-isolate isolate …`.
#[derive(Parser)]
#[command(name = "cargo", bin_name = "cargo", disable_help_subcommand = true)]
enum Cargo {
    Isolate(Isolate),
}

/// Audit unsafe and foreign code, wrap it in isolated domains, and enforce the policy about it.
#[derive(clap::Args)]
#[command(version)]
struct Isolate {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Take the example project through audit, plan, wrap and verify, and show a fault contained.
    Demo(commands::demo::Args),
}

pub(crate) fn run() -> ExitCode {
    let Cargo::Isolate(isolate) = Cargo::parse();
    let result = match isolate.command {
        None => Ok(Exit::Clean),
        Some(Command::Demo(args)) => commands::demo::run(&args),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            Exit::Environment.into()
        }
    }
}
