//! Keeps a file formatted: if `rustfmt` would not change the old text, it does not change the new one either.

use camino::Utf8Path;
use isolate_lints::Edition;
use std::{
    io::Write,
    process::{Command, Stdio},
};

/// Formats the new text by the project's own configuration if the old text was formatted that way. Otherwise, and where
/// `rustfmt` is not installed, the new text stays as it is.
pub(super) fn laid_out_as(old: &str, new: String, path: &Utf8Path, edition: Edition) -> String {
    let is_clean = formatted(old, path, edition).is_some_and(|text| text == old);
    let formatted = if is_clean { formatted(&new, path, edition) } else { None };
    formatted.unwrap_or(new)
}

/// Runs `rustfmt` on standard input, so that it does not follow `mod` declarations. It searches for its configuration
/// upwards from its working directory.
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
    // `rustfmt` reads all of its input before it writes, so this cannot deadlock.
    running.stdin.take()?.write_all(text.as_bytes()).ok()?;
    let output = running.wait_with_output().ok()?;
    let text = output.status.success().then_some(output.stdout)?;
    String::from_utf8(text).ok().filter(|text| !text.is_empty())
}
