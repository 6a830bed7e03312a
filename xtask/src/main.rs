//! Maintenance tasks of this repository: `cargo xtask TASK`.

mod generate;
mod pages;
mod plot;
mod rule;

use std::path::Path;

const USAGE: &str = "usage: cargo xtask TASK

  rule NAME                   start a new rule: its file, its fixture, its line in the list
  generate [--runner RUNNER]  regenerate all generated files except snapshots; with a runner that has protection
                              keys (`.ci/pku-vm`), also those with the results of calls into domains";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
    match arguments.as_slice() {
        ["rule", name] => {
            for path in rule::start(&root, name)? {
                println!("wrote {path}");
            }
            println!("now write the page and the check; `cargo test -p isolate-lints` says what is missing");
            Ok(())
        }
        ["generate"] => generate::write(&root, None),
        ["generate", "--runner", runner] => generate::write(&root, Some(runner)),
        _ => anyhow::bail!("{USAGE}"),
    }
}
