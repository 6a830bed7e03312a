//! How long a reader of a large page waits: `cargo bench -p cargo-isolate --bench page`.
//!
//! Opens the page of `tests/corpus`, 132 packages with the findings of all, in a headless Chromium, and takes each step that
//! `page/steps.js` has. What counts is the time from a step to the next picture, and the longest task of the page's thread,
//! during which it answers nobody. Needs a Chromium on the path.

#[path = "../tests/needs/mod.rs"]
mod needs;

#[path = "../tests/browser/mod.rs"]
mod browser;

use std::{collections::BTreeMap, path::Path, process::Command};

const STEPS: &str = include_str!("page/steps.js");
/// Times that the page is opened; the median counts.
const ROUNDS: usize = 5;

fn main() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus").canonicalize().unwrap();
    let chromium = browser::chromium().expect("a Chromium on the path");
    let output = Command::new(env!("CARGO_BIN_EXE_cargo-isolate"))
        .args(["isolate", "audit", "--deps", "--locked", "--target", "x86_64-unknown-linux-gnu", "--format", "html"])
        .current_dir(&corpus)
        .output()
        .unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    let mut times: BTreeMap<(usize, String), Vec<[f64; 2]>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for (position, (step, measured)) in measure(&chromium, &page).into_iter().enumerate() {
            times.entry((position, step)).or_default().push(measured);
        }
    }
    println!("{} bytes; medians of {ROUNDS} rounds\n", page.len());
    println!("| step | to the next picture, ms | longest task, ms |\n|---|---|---|");
    for ((_, step), rounds) in times {
        let median = |column: usize| {
            let mut values: Vec<f64> = rounds.iter().map(|round| round[column]).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        // Browsers tell of tasks above 50 ms only.
        let task = if median(1) > 0.0 { format!("{:.0}", median(1)) } else { "below 50".to_owned() };
        println!("| {step} | {:.0} | {task} |", median(0));
    }
}

/// Each step with the milliseconds to the next picture and of the longest task, as the script prints them.
fn measure(chromium: &Path, page: &str) -> Vec<(String, [f64; 2])> {
    let said = browser::said(chromium, page, STEPS, 1400, false);
    let steps = said.iter().map(|line| {
        let fields: Vec<&str> = line.split('|').collect();
        (fields[0].to_owned(), [fields[1].parse().unwrap(), fields[2].parse().unwrap()])
    });
    steps.collect()
}
