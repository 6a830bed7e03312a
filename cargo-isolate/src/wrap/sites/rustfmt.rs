//! A file that `rustfmt` would leave alone is one that it would leave alone after its calls were rewritten, too.

use camino::Utf8Path;
use isolate_lints::Edition;
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// The new text as `rustfmt` lays it out by the project's own configuration, if that is how the old one was; else as it is, and so
/// where there is no `rustfmt`.
pub(super) fn laid_out_as(old: &str, new: String, path: &Utf8Path, edition: Edition) -> String {
    let is_clean = formatted(old, path, edition).is_some_and(|text| text == old);
    let formatted = if is_clean { formatted(&new, path, edition) } else { None };
    formatted.unwrap_or(new)
}

/// From its input `rustfmt` formats one file, not those of its modules. It looks for its configuration from where it runs upwards.
fn formatted(text: &str, path: &Utf8Path, edition: Edition) -> Option<String> {
    let year = match edition {
        Edition::E2015 => "2015",
        Edition::E2018 => "2018",
        Edition::E2021 => "2021",
        Edition::E2024 => "2024",
    };
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--quiet", "--edition", year]).current_dir(path.parent()?);
    let mut running = rustfmt.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    // It reads all before it writes anything.
    running.stdin.take()?.write_all(text.as_bytes()).ok()?;
    let output = running.wait_with_output().ok()?;
    let text = output.status.success().then_some(output.stdout)?;
    String::from_utf8(text).ok().filter(|text| !text.is_empty())
}
