//! Child processes: which cargo to run, and how a child ended.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};

/// The cargo that runs us, or the one on the path.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// How a process ended, to follow its name: "died of SIGSEGV", "ended with status 1".
pub(crate) fn ending(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => match name(signal) {
            Some(name) => format!("died of {name}"),
            None => format!("died of signal {signal}"),
        },
        (None, Some(code)) => format!("ended with status {code}"),
        (None, None) => format!("ended ({status})"),
    }
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
