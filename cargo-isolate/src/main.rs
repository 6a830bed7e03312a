//! `cargo isolate`: audit, plan, wrap, verify and enforce.

mod cli;
mod commands;
mod exit;

fn main() -> std::process::ExitCode {
    cli::run()
}
