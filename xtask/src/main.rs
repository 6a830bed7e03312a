//! Chores of this repository: `cargo xtask CHORE`.

mod pages;
mod rule;

use std::path::Path;

const USAGE: &str = "usage: cargo xtask CHORE

  rule NAME   start a new rule: its file, its fixture, its line in the list
  pages       write docs/rules from the rules' own pages";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    match arguments.as_slice() {
        ["rule", name] => {
            for path in rule::start(&root, name)? {
                println!("wrote {path}");
            }
            println!("now write the page and the check; `cargo test -p isolate-lints` says what is missing");
            Ok(())
        }
        ["pages"] => pages::write(&root),
        _ => anyhow::bail!("{USAGE}"),
    }
}
