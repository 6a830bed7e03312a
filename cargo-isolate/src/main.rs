//! `cargo isolate`: audit, plan, wrap, verify and enforce.

mod cli;
mod commands;
#[allow(dead_code)]
mod contract;
mod exit;
#[expect(dead_code, reason = "what the stages that land next read of it")]
mod graph;
mod nearest;
mod plan;
mod policy;
mod report;
mod sources;

fn main() -> std::process::ExitCode {
    cli::run()
}
