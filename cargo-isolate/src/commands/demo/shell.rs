//! Runs commands as a user would type them: echoes each, passes its output on, and checks the result.

use super::super::failure::{Failure, OrEnvironment as _};
use crate::process::{Runner, cargo, ending, signal};
use crate::terminal::streams;
use camino::{Utf8Path, Utf8PathBuf};
use std::io::{Read, Write};
use std::process::{Command, ExitStatus, Stdio};

/// Runs commands in the project's folder.
pub(super) struct Shell<'a> {
    root: &'a Utf8Path,
    runner: &'a Runner,
    step: std::cell::Cell<u32>,
}

/// How a command ended, and what it printed.
pub(super) struct Ended {
    command: String,
    pub(super) status: ExitStatus,
    stdout: String,
}

/// Checks for cargo and a C compiler before anything is started.
pub(super) fn require_tools() -> Result<(), Failure> {
    let version = |mut command: Command| command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version(cargo()).is_ok_and(|status| status.success()) {
        return Err(Failure::environment(
            "no cargo found; the demo builds a project and needs a Rust toolchain (https://rustup.rs)",
        ));
    }
    let cc = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    if !version(Command::new(&cc)).is_ok_and(|status| status.success()) {
        return Err(Failure::environment(format_args!(
            "no C compiler found (tried `{}`); the demo builds C libraries: install gcc or clang, or set CC",
            cc.display()
        )));
    }
    Ok(())
}

impl<'a> Shell<'a> {
    pub(super) fn new(root: &'a Utf8Path, runner: &'a Runner) -> Self {
        Self { root, runner, step: Default::default() }
    }

    pub(super) fn title(&self, title: &str) {
        self.step.set(self.step.get() + 1);
        let style = anstyle::Style::new().bold();
        streams::say!("\n{style}{}. {title}{style:#}\n", self.step.get());
    }

    pub(super) fn say(&self, text: &str) {
        streams::say!("\n{text}");
    }

    pub(super) fn list<'t>(&self, lines: impl Iterator<Item = &'t str>) {
        for line in lines {
            streams::say!("    {line}");
        }
    }

    pub(super) fn diff(&self, diff: String) {
        let (red, green) = (anstyle::AnsiColor::Red.on_default(), anstyle::AnsiColor::Green.on_default());
        for line in diff.lines() {
            match line.as_bytes().first() {
                Some(b'-') => streams::say!("{red}{line}{red:#}"),
                Some(b'+') => streams::say!("{green}{line}{green:#}"),
                _ => streams::say!("{line}"),
            }
        }
    }

    /// Runs a command of this tool with the current executable.
    pub(super) fn isolate(&self, args: &[&str]) -> Result<Ended, Failure> {
        let mut command = Command::new(std::env::current_exe().or_environment(|| "cannot find this executable")?);
        command.arg("isolate").args(args);
        self.passed_on(command, &format!("cargo isolate {}", args.join(" ")))
    }

    pub(super) fn verify(&self) -> Result<Ended, Failure> {
        match self.runner.command() {
            Some(runner) => self.isolate(&["verify", "--runner", &runner]),
            None => self.isolate(&["verify"]),
        }
    }

    /// Runs cargo on the project. The first build downloads dependencies from crates.io.
    pub(super) fn cargo(&self, args: &[&str]) -> Result<(), Failure> {
        let mut command = cargo();
        command.args(args).arg("--quiet");
        let ended = self.passed_on(command, &format!("cargo {}", args.join(" ")))?;
        if !ended.status.success() {
            return Err(Failure::environment(format_args!(
                "`{}` {}; the demo needs a C compiler, and crates.io (or its cache) once",
                ended.command,
                ending(ended.status)
            )));
        }
        Ok(())
    }

    /// Runs the project's program through cargo, which applies the machine's configuration for running programs
    /// (`target.….runner`).
    pub(super) fn cargo_run(&self, args: &[&str]) -> Result<Ended, Failure> {
        let mut command = cargo();
        command.args(["run", "--quiet", "--"]).args(args);
        self.runner.apply(&mut command);
        self.captured(command, &format!("cargo run -- {}", args.join(" ")))
    }

    pub(super) fn run(&self, program: Utf8PathBuf, args: &[&str]) -> Result<Ended, Failure> {
        let mut command = Command::new(&program);
        command.args(args);
        let name = program.file_name().unwrap_or("program");
        self.captured(command, &format!("./{name} {}", args.join(" ")))
    }

    pub(super) fn copy(&self, from: &Utf8Path, to: &Utf8Path) -> Result<(), Failure> {
        std::fs::copy(from, to).or_environment(|| format!("cannot copy {from} to {to}"))?;
        Ok(())
    }

    fn passed_on(&self, command: Command, shown: &str) -> Result<Ended, Failure> {
        let status = self.prepared(command, shown)?.status().or_environment(|| format!("cannot run `{shown}`"))?;
        Ok(Ended { command: shown.to_owned(), status, stdout: String::new() })
    }

    /// Captures stdout and stderr through one pipe, which keeps their order, and passes them on.
    fn captured(&self, command: Command, shown: &str) -> Result<Ended, Failure> {
        let (mut reader, writer) = std::io::pipe().or_environment(|| "cannot create a pipe")?;
        let mut command = self.prepared(command, shown)?;
        command.stdout(writer.try_clone()?).stderr(writer);
        let mut child = command.spawn().or_environment(|| format!("cannot run `{shown}`"))?;
        drop(command); // with its ends of the pipe, so that reading ends with the child
        let mut output = Vec::new();
        reader.read_to_end(&mut output)?;
        streams::raw_stdout().write_all(&output)?;
        let status = child.wait()?;
        Ok(Ended { command: shown.to_owned(), status, stdout: String::from_utf8_lossy(&output).into_owned() })
    }

    fn prepared(&self, mut command: Command, shown: &str) -> Result<Command, Failure> {
        let style = anstyle::AnsiColor::Cyan.on_default();
        streams::say!("{style}$ {shown}{style:#}");
        streams::stdout().flush()?;
        command.current_dir(self.root).stdin(Stdio::null());
        // The project's own target directory, wherever the user's builds go.
        command.env("CARGO_TARGET_DIR", self.root.join("target"));
        Ok(command)
    }
}

impl Ended {
    pub(super) fn expect_success(&self) -> Result<(), Failure> {
        match self.status.success() {
            true => Ok(()),
            false => Err(self.unexpected("succeed")),
        }
    }

    pub(super) fn expect_death(&self) -> Result<(), Failure> {
        match signal(self.status) {
            Some(_) => Ok(()),
            None => Err(self.unexpected("die of its bug")),
        }
    }

    /// The program must report the first archive, and its counter only the entries of the second, with three records
    /// each.
    pub(super) fn expect_contained(&self, entries: usize) -> Result<(), Failure> {
        let reported = self.stdout.contains("`tlv_parse` in domain `tlv`");
        let counted = self.stdout.contains(&format!("{} metadata records read", 3 * entries));
        match self.status.code() == Some(1) && reported && counted {
            true => Ok(()),
            false => Err(self.unexpected("report the fault and go on")),
        }
    }

    fn unexpected(&self, expected: &str) -> Failure {
        let Self { command, status, .. } = self;
        Failure::code(format_args!("`{command}` {}, and was to {expected}", ending(*status)))
    }
}
