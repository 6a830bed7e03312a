//! Our own part as cargo's `RUSTC_WORKSPACE_WRAPPER`: keeps the text of each crate with its macros expanded, beside what the
//! compiler makes of it.
//!
//! Cargo starts nobody for a crate that is fresh, and the text of the last time is still there then. Where it cannot be
//! made, none is left: to whoever looks for it, the expansion was not seen.

use crate::terminal::streams;
use camino::{Utf8Path, Utf8PathBuf};
use std::{
    env,
    ffi::OsString,
    fs, io,
    process::{Command, ExitCode, Stdio},
};

/// Set in the environment of the cargo that calls us back, together with the wrapper.
const CALLED_BACK: &str = "__CARGO_ISOLATE_EXPAND";

/// Has a cargo call us in place of the compiler, for members only.
///
/// # Errors
///
/// This program does not know where it lies.
pub(super) fn wrap(cargo: &mut Command) -> io::Result<()> {
    // The program of our own tests is no compiler: to them, what macros write stays unseen.
    if cfg!(test) {
        return Ok(());
    }
    cargo.env("RUSTC_WORKSPACE_WRAPPER", env::current_exe()?).env(CALLED_BACK, "1");
    Ok(())
}

/// The file for the text of a crate, by the file that the compiler writes for it.
pub(super) fn text_of(artifact: &Utf8Path) -> Option<Utf8PathBuf> {
    let stem = artifact.file_stem()?;
    Some(artifact.with_file_name(format!("{}.expanded", stem.strip_prefix("lib").unwrap_or(stem))))
}

/// Compiles as told, if it is cargo that calls us in place of the compiler: `PROGRAM rustc …`.
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
        // What was there is of an earlier source.
        let _ = fs::remove_file(&file);
        let _ = keep(&compiler, &arguments, &file);
    }
    Some(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// What the compiler's command line says about where its files go.
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

    /// `None` if it is a question to the compiler and no crate.
    fn file(&self) -> Option<Utf8PathBuf> {
        let (name, directory) = (self.name.as_ref()?, self.directory.as_ref()?);
        Some(Utf8Path::new(directory).join(format!("{name}{}.expanded", self.suffix)))
    }
}

/// Asks the compiler once more, for the text. The option is an unstable one, which only this run is allowed to use.
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

/// The command line but for what is written besides: that is there from the first run.
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
