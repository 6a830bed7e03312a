//! `cargo isolate demo`: all steps on the example project, each as the command that a user would type.

mod project;
mod shell;

use super::failure::Failure;
use crate::{
    exit::Exit,
    process::{Runner, ending},
    terminal::streams,
};
use camino::Utf8PathBuf;
use project::Project;
use shell::Shell;

/// What `demo` takes.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Args {
    /// Keep the folder afterwards
    #[arg(long)]
    keep: bool,
    /// Use this folder, which must be empty or absent, and keep it
    #[arg(long, value_name = "PATH")]
    dir: Option<Utf8PathBuf>,
    #[command(flatten)]
    runner: Runner,
}

/// Files that the demo packs, which no step changes: one for each codec.
const PACKED: &[&str] = &["src/archive.rs", "csrc/tlv.c", "csrc/tlv.h"];

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    shell::require_tools()?;
    let project = Project::create(args.dir.as_deref())?;
    let result = show(&project, &args.runner);
    // Keep the folder of a failed step, so that the user can look at it.
    let keep = args.keep || args.dir.is_some() || !matches!(result, Ok(Exit::Clean | Exit::Environment));
    if keep {
        streams::say!("\nThe project is in {}", project.keep());
    }
    result
}

fn show(project: &Project, runner: &Runner) -> Result<Exit, Failure> {
    let shell = Shell::new(project.root(), runner);
    shell.title("The project: `unpack`, an archive tool over zlib, lz4, bzip2 and a C parser of its own");
    project.write()?;
    shell.list(project.files());

    shell.title("As it is: an archive from a stranger ends the process");
    shell.cargo(&["build"])?;
    shell.copy(&project.binary(), &project.unisolated())?;
    shell.run(project.unisolated(), &[&["pack", "good.unpack"], PACKED].concat())?.expect_success()?;
    project.write_hostile_archive()?;
    let victim = shell.run(project.unisolated(), &["unpack", "hostile.unpack", "good.unpack"])?;
    victim.expect_death()?;
    shell.say(&format!("The process {}: `good.unpack` was never reached.", ending(victim.status)));

    shell.title("Audit: what is unsafe in there");
    shell.isolate(&["audit"])?.expect_success()?;

    shell.title("Plan: policy.toml says what runs isolated; this is what its pointers mean");
    shell.isolate(&["plan"])?.expect_success()?;

    shell.title("Wrap: one function per foreign function, written into src/isolated, and called in its place");
    let before = project.calls()?;
    shell.isolate(&["wrap", "--apply", "--allow-no-vcs"])?.expect_success()?;
    shell.say("What became of the foreign calls:\n");
    shell.diff(project.calls_since(&before)?);

    shell.title("Verify: nothing calls past the wrappers, and each holds against a library that misbehaves");
    let verified = shell.verify()?;
    if verified.status.code() == Some(Exit::Environment as i32) {
        shell.cargo(&["build"])?;
        shell.say(
            "The project compiles isolated. The demo stops here: running it needs memory protection keys, which this machine \
             does not have (`cargo isolate doctor` shows what is missing).",
        );
        return Ok(Exit::Environment);
    }
    verified.expect_success()?;

    shell.title("The same archive again, isolated: an error, and the next archive is unpacked");
    let output = shell.cargo_run(&["unpack", "hostile.unpack", "good.unpack"])?;
    output.expect_contained(PACKED.len())?;
    project.check_unpacked(PACKED)?;
    shell.say(
        "The parser's overflow became an `Err`, its counter is back where it started, and what came after was unpacked right.",
    );
    Ok(Exit::Clean)
}
