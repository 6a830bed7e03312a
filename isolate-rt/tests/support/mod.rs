//! What the isolation tests share: skipping with a reason, and children for what ends a process.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::Write as _;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

/// Whether domains can be made here. Where not, says so, and fails if `ISOLATE_REQUIRE_PKU=1` asks for no excuses.
pub(crate) fn isolation() -> bool {
    let machine = isolate_rt::probe();
    if machine.supported() {
        return true;
    }
    let required = std::env::var_os("ISOLATE_REQUIRE_PKU").is_some_and(|value| value == "1");
    assert!(!required, "ISOLATE_REQUIRE_PKU=1, but isolation is not possible here:\n{machine}");
    let missing = machine.requirements.iter().find(|requirement| !requirement.met).map_or("", |missing| missing.name);
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Not `eprintln!`, which the harness swallows when a test passes: a skip must be seen.
    let _ = writeln!(std::io::stderr(), "skipped {test}: isolation is not possible here; missing: {missing}");
    false
}

/// Runs the test `name` of this binary again, in a child with `ISOLATE_CHILD=role`.
pub(crate) fn child(name: &str, role: &str) -> Output {
    let this = std::env::current_exe().expect("the test binary has a path");
    let mut command = Command::new(this);
    command.args([name, "--exact", "--nocapture", "--test-threads=1"]).env("ISOLATE_CHILD", role);
    command.output().expect("the test binary can be started")
}

/// The role that [`child`] gave this process.
pub(crate) fn role() -> Option<String> {
    std::env::var("ISOLATE_CHILD").ok()
}

/// How a child ended, for assertions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Status(i32),
    Signal(i32),
}

impl From<&Output> for End {
    fn from(output: &Output) -> Self {
        match output.status.signal() {
            Some(signal) => Self::Signal(signal),
            None => Self::Status(output.status.code().expect("a child ends by status or signal")),
        }
    }
}
