//! `cargo isolate`: audit, plan, wrap, verify and enforce.

mod cli;
mod commands;
mod exit;
#[expect(dead_code, reason = "what the stages that land next read of it")]
mod graph;
mod nearest;
#[expect(dead_code, reason = "read by the stages that land next")]
mod policy;
mod report;
mod sources;

fn main() -> std::process::ExitCode {
    cli::run()
}
