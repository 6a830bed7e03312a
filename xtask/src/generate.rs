//! Regenerates every generated file of this repository: pages, tables, the policy schema, wrappers.
//!
//! Tests compare each of these files with its expected content, and write it if `ISOLATE_UPDATE` is set. So each file
//! is described in one place.

use crate::{pages, plot};
use anyhow::{Context, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Tests that write a file: the package, the cargo arguments that select the test binary, and the test's name.
const WRITERS: [(&str, &[&str], &str); 4] = [
    ("cargo-isolate", &["--bins"], "policy::schema::committed_schema_is_fresh"),
    ("cargo-isolate", &["--test", "libraries"], "table_of_policy_lines_is_fresh"),
    ("isolate-rt", &["--test", "attacks"], "table::the_page_is_fresh"),
    ("isolate-rt", &["--test", "libc"], "the_page_is_what_the_table_says"),
];

/// Writes all generated files. The results of calls into domains come first, since other files depend on them. Without
/// a `runner` they are left alone, since this machine may have no protection keys.
///
/// # Errors
///
/// A file could not be written, or a command failed.
pub(crate) fn write(root: &Path, runner: Option<&str>) -> anyhow::Result<()> {
    wrappers(root)?;
    if let Some(runner) = runner {
        let runner = std::path::absolute(runner)?;
        println!("docs/cases.md");
        run(update(root, "tests/cases/run").arg(&runner))?;
        println!("cargo-isolate/data/libc.txt");
        run(update(root, "cargo").env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", &runner).args([
            "test",
            "--quiet",
            "--package",
            "isolate-rt",
            "--test",
            "libc",
        ]))?;
    }
    println!("docs/rules/");
    pages::write(root)?;
    println!("docs/endurance.svg");
    plot::write(root)?;
    for (package, target, test) in WRITERS {
        println!("{package}: {test}");
        let mut cargo = update(root, "cargo");
        cargo.args(["test", "--quiet", "--package", package]).args(target).args(["--", "--exact", test]);
        run(&mut cargo)?;
    }
    println!("snapshots (*.snap) are left: INSTA_UPDATE=always cargo test --workspace");
    if runner.is_none() {
        println!("docs/cases.md and libc.txt are left: `--runner .ci/pku-vm` runs what they tell of");
    }
    Ok(())
}

/// Regenerates the wrappers, which are committed beside the policies that they are generated from.
fn wrappers(root: &Path) -> anyhow::Result<()> {
    run(Command::new("cargo").current_dir(root).args(["build", "--quiet", "--package", "cargo-isolate"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let tool = std::path::absolute(target.join("debug/cargo-isolate"))?;
    let wrap = |directory: &Path, arguments: &[&str]| {
        println!("wrappers: {}", directory.display());
        run(Command::new(&tool).current_dir(directory).args(["isolate", "wrap"]).args(arguments))
    };
    wrap(root, &["--policy", "tests/libraries/isolation.toml"])?;
    let cases = root.join("tests/cases");
    let mut cases: Vec<_> = std::fs::read_dir(&cases)
        .with_context(|| format!("cannot list `{}`", cases.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    cases.retain(|case| case.join("policy.toml").is_file());
    cases.sort();
    cases.iter().try_for_each(|case| wrap(case, &[]))
}

fn update(root: &Path, program: &str) -> Command {
    let mut command = Command::new(if program.contains('/') { root.join(program) } else { program.into() });
    command.current_dir(root).env("ISOLATE_UPDATE", "1");
    command
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}
