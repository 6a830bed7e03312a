//! `cargo isolate`: audit, plan, wrap, verify and enforce.

mod cli;
mod commands;
mod exit;
#[expect(dead_code, reason = "filled by the stages that land next")]
mod graph;
#[expect(dead_code, reason = "read by the stages that land next")]
mod nearest;
#[expect(dead_code, reason = "read by the stages that land next")]
mod policy;

fn main() -> std::process::ExitCode {
    cli::run()
}
