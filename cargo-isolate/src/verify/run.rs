//! Builds the package of wrappers over stubs and plays it.

use super::Stage;
use crate::process::{Runner, cargo, ending};
use camino::Utf8PathBuf;
use std::io;
use std::process::{Command, ExitStatus, Stdio};

/// Why nothing is played.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StageError {
    /// What is wrong with wrappers that do not get as far as being called.
    #[error("{0}")]
    Rejected(String),
    /// Something else than they does not build.
    #[error("cannot build the test harness for the wrappers (in {folder}):\n{errors}")]
    Unbuilt { folder: Utf8PathBuf, errors: String },
    #[error("cannot {what}: {error}")]
    Io { what: String, error: io::Error },
}

impl StageError {
    pub(super) fn io(what: impl Into<String>, error: io::Error) -> StageError {
        StageError::Io { what: what.into(), error }
    }
}

/// What the driver said.
pub(crate) enum Played {
    /// The program never said a word: the runner or the machine failed, not a wrapper. How it ended.
    NotStarted(String),
    /// No domain can be made on this machine, and why; nothing was run.
    Unsupported(String),
    /// Every act, in order. The last one is the process's death if it died.
    Acts(Vec<Act>),
}

/// One act of a stub against its wrapper.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Act {
    pub(crate) domain: String,
    pub(crate) function: String,
    /// What the stub did.
    pub(crate) act: String,
    /// Whether the program saw what it must.
    pub(crate) good: bool,
    /// What it saw.
    pub(crate) outcome: String,
}

/// Compiles the package; errors of the compiler are the tool's fault or the wrappers', so they are shown whole.
pub(super) fn build(stage: &Stage) -> Result<(), StageError> {
    let output = command(stage, "build").output().map_err(|error| StageError::io("run cargo", error))?;
    if output.status.success() {
        return Ok(());
    }
    let (folder, errors) = (stage.folder.clone(), String::from_utf8_lossy(&output.stderr).into_owned());
    Err(match errors.contains("could not compile `isolate-verify`") {
        true => StageError::Rejected(format!("the wrappers do not compile over stubs (in {folder}):\n{errors}")),
        false => StageError::Unbuilt { folder, errors },
    })
}

/// Runs it by `cargo run`, so that a configured runner is honoured.
pub(super) fn play(stage: &Stage, runner: &Runner, arguments: &[&str]) -> Result<Played, StageError> {
    let mut run = command(stage, "run");
    runner.apply(&mut run);
    run.arg("--").args(arguments);
    let output = run.stderr(Stdio::inherit()).output().map_err(|error| StageError::io("run cargo", error))?;
    Ok(read(&String::from_utf8_lossy(&output.stdout), output.status))
}

fn command(Stage { folder, flags }: &Stage, subcommand: &str) -> Command {
    let mut cargo = cargo();
    // In its folder, where the workspace's own cargo configuration is found.
    cargo.args([subcommand, "--quiet"]).args(flags).current_dir(folder).env("CARGO_TARGET_DIR", folder.join("target"));
    cargo.stdin(Stdio::null());
    cargo
}

/// Reads the lines that `play.rs` documents.
fn read(stdout: &str, status: ExitStatus) -> Played {
    let mut acts = Vec::new();
    let mut playing = None;
    let (mut begun, mut ended) = (false, false);
    for line in stdout.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let act = |domain: &str, function: &str, act: &str, good, outcome: &str| Act {
            domain: domain.to_owned(),
            function: function.to_owned(),
            act: act.to_owned(),
            good,
            outcome: outcome.to_owned(),
        };
        match columns[..] {
            ["unsupported", reason] => return Played::Unsupported(reason.to_owned()),
            ["play", domain, function, name] => {
                playing = Some(act(domain, function, name, false, &format!("the process {}", ending(status))));
            }
            [verdict @ ("good" | "bad"), domain, function, name, outcome] => {
                playing = None;
                acts.push(act(domain, function, name, verdict == "good", outcome));
            }
            ["begin"] => begun = true,
            ["end"] => ended = true,
            _ => {}
        }
    }
    if !begun {
        return Played::NotStarted(ending(status));
    }
    if !ended {
        acts.push(playing.unwrap_or_else(|| Act {
            domain: String::new(),
            function: String::new(),
            act: "start".to_owned(),
            good: false,
            outcome: format!("the process {}", ending(status)),
        }));
    }
    Played::Acts(acts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt as _;

    #[track_caller]
    fn check(stdout: &str, status: i32, expected: &[(&str, bool, &str)]) {
        let Played::Acts(acts) = read(stdout, ExitStatus::from_raw(status)) else { panic!("not played") };
        let acts: Vec<_> = acts.iter().map(|act| (act.act.as_str(), act.good, act.outcome.as_str())).collect();
        assert_eq!(acts, expected);
    }

    #[test]
    fn a_whole_run() {
        check(
            "begin\nplay\tz\tf\tabort\ngood\tz\tf\tabort\tErr: aborted\nend\n",
            0,
            &[("abort", true, "Err: aborted")],
        );
    }

    #[test]
    fn a_death_is_an_act_that_failed() {
        check(
            "begin\nplay\tz\tf\thonest call\ngood\tz\tf\thonest call\tOk\nplay\tz\tf\tabort\n",
            6,
            &[("honest call", true, "Ok"), ("abort", false, "the process died of SIGABRT")],
        );
    }

    #[test]
    fn silence_is_not_success() {
        check("begin\n", 0, &[("start", false, "the process ended with status 0")]);
    }

    /// A runner that fails says nothing about the wrappers, whatever it prints itself.
    #[test]
    fn a_runner_that_fails_is_no_act() {
        for stdout in ["", "booting\n"] {
            let played = read(stdout, ExitStatus::from_raw(101 << 8));
            assert!(matches!(played, Played::NotStarted(how) if how == "ended with status 101"));
        }
    }

    #[test]
    fn no_keys() {
        let played = read("begin\nunsupported\tno keys\n", ExitStatus::from_raw(3 << 8));
        assert!(matches!(played, Played::Unsupported(reason) if reason == "no keys"));
    }
}
