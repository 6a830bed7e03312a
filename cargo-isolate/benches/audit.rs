//! How the audit compares with merely parsing the same files: `cargo bench -p cargo-isolate --bench audit`.
//!
//! Over `tests/corpus`, 132 packages. Every contender is a process of its own, measured by the system (CPU time with that of
//! its children, largest resident set), in turns, so that whatever else the machine does hits all of them. What counts are the
//! ratios; `docs/speed.md` has a table of them.

#[path = "../tests/workspace/files.rs"]
mod files;

use files::with_editions;
use ra_ap_syntax::{Edition, SourceFile};
use rayon::prelude::*;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Times that each contender runs; the median counts.
const ROUNDS: usize = 7;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["parse", list] => parse(Path::new(list), |_| true),
        ["filter-and-parse", list] => parse(Path::new(list), mentions_unsafe_or_foreign),
        ["measure", program, ref arguments @ ..] => measure(program, arguments),
        _ => compare(),
    }
}

struct Contender {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    cache: Cache,
    /// CPU seconds, and MiB.
    runs: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Cache {
    None,
    Empty,
    Warm,
}

fn compare() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus").canonicalize().unwrap();
    let fetched = Command::new(env!("CARGO")).args(["fetch", "--locked"]).current_dir(&corpus).status().unwrap();
    assert!(fetched.success(), "the corpus needs crates.io once");
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("files");
    let (files, bytes) = write_list(&corpus, &list);
    println!("{files} files, {:.1} MB; {}", bytes as f64 / 1e6, machine());

    let own = std::env::current_exe().unwrap();
    let of_own = |name| (own.clone(), vec![name, list.to_str().unwrap()]);
    let tool = |arguments: &[&'static str]| (PathBuf::from(env!("CARGO_BIN_EXE_cargo-isolate")), arguments.to_vec());
    let mut contenders: Vec<Contender> = [
        ("ra_ap_syntax parses every file", of_own("parse"), Cache::None),
        ("byte filter, ra_ap_syntax parses the rest", of_own("filter-and-parse"), Cache::None),
        ("audit --counts, cold", tool(&["--counts"]), Cache::None),
        ("audit, cold", tool(&["--quiet"]), Cache::Empty),
        ("audit --format json --deps, cold", tool(&["--format", "json", "--deps"]), Cache::Empty),
        ("audit, warm", tool(&["--quiet"]), Cache::Warm),
        ("audit --symbol compress2, warm", tool(&["--symbol", "compress2"]), Cache::Warm),
    ]
    .into_iter()
    .map(|(name, (program, arguments), cache)| {
        let arguments: Vec<String> = match program == own {
            true => arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            false => ["isolate", "audit", "--offline", "--locked", "--target", "x86_64-unknown-linux-gnu"]
                .iter()
                .chain(&arguments)
                .map(|argument| (*argument).to_owned())
                .collect(),
        };
        Contender { name, program, arguments, cache, runs: Vec::new() }
    })
    .collect();
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(ROUNDS);
    for _ in 0..rounds {
        for contender in &mut contenders {
            contender.run(&corpus, folder.path());
        }
    }

    let (all, rest) = (contenders[0].cpu(), contenders[1].cpu());
    println!("\n{:44}  CPU s  of all  of rest  MiB", format!("median of {rounds}"));
    for contender in &contenders {
        let (cpu, memory) = (contender.cpu(), contender.memory());
        println!("{:44}  {cpu:5.2}  {:6.2}  {:7.2}  {memory:3.0}", contender.name, cpu / all, cpu / rest);
    }
}

impl Contender {
    fn run(&mut self, corpus: &Path, folder: &Path) {
        let cache = folder.join("cache");
        if self.cache == Cache::Empty {
            let _ = fs::remove_dir_all(&cache);
        }
        let output = Command::new(std::env::current_exe().unwrap())
            .arg("measure")
            .arg(&self.program)
            .args(&self.arguments)
            .args((self.cache == Cache::None && self.arguments[0] == "isolate").then_some("--no-cache"))
            .current_dir(corpus)
            .env("CARGO_ISOLATE_CACHE_DIR", &cache)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (cpu, memory) = text.trim().split_once(' ').unwrap_or_else(|| panic!("{}: {text}", self.name));
        self.runs.push((cpu.parse().unwrap(), memory.parse().unwrap()));
    }

    fn cpu(&self) -> f64 {
        let mut times: Vec<f64> = self.runs.iter().map(|(cpu, _)| *cpu).collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }

    fn memory(&self) -> f64 {
        self.runs.iter().map(|(_, memory)| *memory).fold(0.0, f64::max)
    }
}

/// Runs a program and prints what it and its children took.
fn measure(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}: {status}");
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).unwrap();
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let cpu = seconds(usage.user_time()) + seconds(usage.system_time());
    println!("{cpu} {}", usage.max_rss() as f64 / 1024.0);
}

/// Reads each file of the list, and parses those that the filter lets through, on as many threads as the audit uses.
fn parse(list: &Path, filter: fn(&[u8]) -> bool) {
    let list = fs::read_to_string(list).unwrap();
    let lines: Vec<&str> = list.lines().collect();
    let errors: usize = lines
        .into_par_iter()
        .map(|line| {
            let (edition, path) = line.split_once(' ').unwrap();
            let text = fs::read_to_string(path).unwrap();
            if !filter(text.as_bytes()) {
                return 0;
            }
            SourceFile::parse(&text, edition.parse::<Edition>().unwrap()).errors().len()
        })
        .sum();
    println!("{errors}");
}

fn mentions_unsafe_or_foreign(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"unsafe").is_some() || memchr::memmem::find(text, b"extern").is_some()
}

/// Lists the files that the audit reads, each behind its edition. Returns how many there are, and their size.
fn write_list(corpus: &Path, list: &Path) -> (usize, u64) {
    let run = |program: &str, arguments: &[&str]| -> serde_json::Value {
        let output = Command::new(program).args(arguments).current_dir(corpus).output().unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let platform = "x86_64-unknown-linux-gnu";
    let metadata = run(
        env!("CARGO"),
        &["metadata", "--format-version", "1", "--offline", "--locked", "--filter-platform", platform],
    );
    let audit = run(
        env!("CARGO_BIN_EXE_cargo-isolate"),
        &["isolate", "audit", "--format", "json", "--offline", "--locked", "--target", platform],
    );
    let files = with_editions(corpus, &metadata, &audit);
    let bytes = files.iter().map(|(path, _)| fs::metadata(path).unwrap().len()).sum();
    let text: String = files.iter().map(|(path, edition)| format!("{edition} {}\n", path.display())).collect();
    fs::write(list, text).unwrap();
    (files.len(), bytes)
}

/// Processor and number of threads, as far as the system tells.
fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        info.lines().find_map(|line| line.strip_prefix("model name")).map(|name| name.trim_matches([' ', '\t', ':']));
    let threads = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{threads} × {}", model.unwrap_or("unknown processor"))
}
