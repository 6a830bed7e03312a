//! `cargo isolate`: audit, plan, wrap, verify and enforce.

mod cli;
mod commands;
mod contract;
mod decide;
mod exit;
#[cfg(test)]
mod fixture;
#[expect(dead_code, reason = "what the stages that land next read of it")]
mod graph;
mod names;
mod nearest;
mod plan;
mod policy;
mod process;
mod report;
mod sources;
#[expect(dead_code, reason = "used by the command that lands next")]
mod verify;
mod wrap;

fn main() -> std::process::ExitCode {
    cli::run()
}
