//! Child processes: which cargo to run, and how a child ended.

use camino::{Utf8Path, Utf8PathBuf};
use std::process::{Command, ExitStatus};

/// The cargo that runs us, or the one on the path.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// How programs for the platform of domains are run, where it is not simply by starting them.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct Runner {
    /// Run the built programs by this command, as cargo does for `target.<triple>.runner`
    #[arg(long, value_name = "COMMAND")]
    runner: Option<String>,
}

impl Runner {
    /// For tests of what needs protection keys: a machine that has them, where this one has none.
    #[cfg(test)]
    pub(crate) fn of_tests() -> Runner {
        Runner { runner: std::env::var("ISOLATE_TEST_RUNNER").ok().filter(|runner| !runner.is_empty()) }
    }

    /// Makes a cargo run its programs that way.
    pub(crate) fn apply(&self, cargo: &mut Command) {
        if let Some(runner) = self.command() {
            cargo.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", runner);
        }
    }

    /// As it can be used from any folder.
    pub(crate) fn command(&self) -> Option<String> {
        let runner = self.runner.as_ref()?;
        // As cargo splits it: a program, and its arguments.
        let (program, arguments) = runner.split_at(runner.find(' ').unwrap_or(runner.len()));
        let absolute = Utf8Path::new(program).canonicalize_utf8().ok().filter(|_| program.contains('/'));
        Some(absolute.map_or_else(|| program.to_owned(), Utf8PathBuf::into_string) + arguments)
    }
}

/// How a process ended, to follow its name: "died of SIGSEGV", "ended with status 1".
pub(crate) fn ending(status: ExitStatus) -> String {
    match (signal(status), status.code()) {
        (Some(signal), _) => match name(signal) {
            Some(name) => format!("died of {name}"),
            None => format!("died of signal {signal}"),
        },
        (None, Some(code)) => format!("ended with status {code}"),
        (None, None) => format!("ended ({status})"),
    }
}

/// The signal that ended a process, on systems that have some.
pub(crate) fn signal(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    return None.filter(|_: &i32| status.success());
}

/// Signals that faults and aborts end in, by their numbers on Linux.
fn name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        4 => "SIGILL",
        5 => "SIGTRAP",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        15 => "SIGTERM",
        31 => "SIGSYS",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runner_is_found_from_everywhere() {
        let here = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize_utf8().expect("this folder");
        let check = |runner: &str, expected: String| {
            assert_eq!(Runner { runner: Some(runner.to_owned()) }.command(), Some(expected));
        };
        check("qemu-x86_64 -cpu max", "qemu-x86_64 -cpu max".to_owned());
        check("./build.rs --fast ./x", format!("{here}/build.rs --fast ./x"));
        check("./nowhere", "./nowhere".to_owned());
    }
}
