//! Exit statuses, grouped by who must act. Documented in `docs/`; scripts may rely on them.

/// What a command ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Nothing to complain about.
    Clean = 0,
    /// The code or its wrappers break the policy.
    Violation = 1,
    /// The command line or the policy file is wrong.
    Usage = 2,
    /// Cargo, a compiler or hardware that was asked for is absent.
    Environment = 3,
    /// The scan is incomplete: a file did not parse or could not be read.
    Incomplete = 4,
    /// Both [`Exit::Violation`] and [`Exit::Incomplete`].
    ViolationIncomplete = 5,
}

impl Exit {
    /// The same after a scan that may have missed something.
    pub(crate) fn with_scan(self, complete: bool) -> Exit {
        match self {
            Exit::Clean if !complete => Exit::Incomplete,
            Exit::Violation if !complete => Exit::ViolationIncomplete,
            exit => exit,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        (exit as u8).into()
    }
}
