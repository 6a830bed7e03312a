//! This program as cargo's `RUSTC_WORKSPACE_WRAPPER`: it compiles each crate and also stores the crate's text with
//! macros expanded, next to the compiler's output.
//!
//! Cargo does not run the wrapper for a fresh crate, whose text from the last time still exists. If a text cannot be
//! created, the old one is removed, so that the expansion counts as not available.

use crate::terminal::streams;
use camino::{Utf8Path, Utf8PathBuf};
use std::{
    env,
    ffi::OsString,
    fs, io,
    process::{Command, ExitCode, Stdio},
};

/// The environment variable that identifies a run as the compiler wrapper.
const CALLED_BACK: &str = "__CARGO_ISOLATE_EXPAND";

/// Makes a cargo run this program in place of the compiler, for members only.
///
/// # Errors
///
/// If the path of this program is unknown.
pub(super) fn wrap(cargo: &mut Command) -> io::Result<()> {
    // The test executable cannot act as a compiler, so expansions are not available in unit tests.
    if cfg!(test) {
        return Ok(());
    }
    cargo.env("RUSTC_WORKSPACE_WRAPPER", env::current_exe()?).env(CALLED_BACK, "1");
    Ok(())
}

/// The file with the text of a crate, derived from the compiler's output file.
pub(super) fn text_of(artifact: &Utf8Path) -> Option<Utf8PathBuf> {
    let stem = artifact.file_stem()?;
    Some(artifact.with_file_name(format!("{}.expanded", stem.strip_prefix("lib").unwrap_or(stem))))
}

/// Compiles as requested, if cargo runs this program in place of the compiler: `PROGRAM rustc …`.
pub(crate) fn called_back() -> Option<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    let compiler = arguments.next().filter(|compiler| compiler != "isolate")?;
    env::var_os(CALLED_BACK)?;
    let arguments: Vec<OsString> = arguments.collect();
    let mut rustc = Command::new(&compiler);
    let status = match rustc.args(&arguments).env_remove(CALLED_BACK).status() {
        Ok(status) => status,
        Err(error) => {
            streams::error!("could not run `{}`: {error}", compiler.display());
            return Some(ExitCode::FAILURE);
        }
    };
    if let (true, Some(file)) = (status.success(), Crate::of(&arguments).file()) {
        // The existing text belongs to an earlier source.
        let _ = fs::remove_file(&file);
        let _ = keep(&compiler, &arguments, &file);
    }
    Some(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// The output options of the compiler's command line.
#[derive(Default)]
struct Crate {
    name: Option<String>,
    directory: Option<String>,
    suffix: String,
}

impl Crate {
    fn of(arguments: &[OsString]) -> Crate {
        let mut krate = Crate::default();
        let mut rest = arguments.iter().filter_map(|argument| argument.to_str());
        while let Some(argument) = rest.next() {
            match argument {
                "--crate-name" => krate.name = rest.next().map(str::to_owned),
                "--out-dir" => krate.directory = rest.next().map(str::to_owned),
                "-C" => {
                    if let Some(suffix) = rest.next().and_then(|option| option.strip_prefix("extra-filename=")) {
                        krate.suffix = suffix.to_owned();
                    }
                }
                _ => {}
            }
        }
        krate
    }

    /// `None` if the command line queries the compiler and compiles no crate.
    fn file(&self) -> Option<Utf8PathBuf> {
        let (name, directory) = (self.name.as_ref()?, self.directory.as_ref()?);
        Some(Utf8Path::new(directory).join(format!("{name}{}.expanded", self.suffix)))
    }
}

/// Runs the compiler once more for the expanded text. The option is unstable, and is enabled for this run only.
fn keep(compiler: &OsString, arguments: &[OsString], file: &Utf8Path) -> io::Result<()> {
    let output = Command::new(compiler)
        .args(without_outputs(arguments))
        .arg("-Zunpretty=expanded,hygiene")
        .env_remove(CALLED_BACK)
        .env("RUSTC_BOOTSTRAP", "1")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()?;
    if output.status.success() {
        let part = file.with_extension("expanded-part");
        fs::write(&part, output.stdout)?;
        fs::rename(part, file)?;
    }
    Ok(())
}

/// The command line without options for other outputs, which the first run has already written.
fn without_outputs(arguments: &[OsString]) -> Vec<&OsString> {
    let starts = |argument: &OsString, with: &str| argument.to_str().is_some_and(|text| text.starts_with(with));
    let mut kept: Vec<&OsString> = Vec::new();
    for argument in arguments.iter().filter(|argument| !starts(argument, "--emit=")) {
        match starts(argument, "incremental=") && kept.last().is_some_and(|before| *before == "-C") {
            true => drop(kept.pop()),
            false => kept.push(argument),
        }
    }
    kept
}
