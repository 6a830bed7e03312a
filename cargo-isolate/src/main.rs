//! `cargo isolate`: audit, plan, wrap, verify and enforce.

mod bypass;
mod cli;
mod commands;
mod contract;
mod decide;
mod exit;
mod files;
#[cfg(test)]
mod fixture;
mod glob;
mod graph;
mod installed;
#[cfg(test)]
mod judged;
mod names;
mod nearest;
mod plan;
mod policy;
mod process;
mod ratchet;
mod report;
mod rust;
mod settle;
mod sources;
mod symbol;
mod terminal;
mod text;
mod trend;
mod verify;
mod wrap;

fn main() -> std::process::ExitCode {
    sources::called_back().unwrap_or_else(|| rust::with_room(cli::run))
}
