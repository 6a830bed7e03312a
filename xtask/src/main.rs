//! Chores of this repository: `cargo xtask CHORE`.

mod generate;
mod pages;
mod plot;
mod rule;

use std::path::Path;

const USAGE: &str = "usage: cargo xtask CHORE

  rule NAME                   start a new rule: its file, its fixture, its line in the list
  generate [--runner RUNNER]  write anew all files that are generated, but for snapshots; with a runner that has
                              protection keys (`.ci/pku-vm`), those too that tell what calls into domains did";

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
