//! The error that ends a command, and the exit status of each stage's errors, which tells who must act
//! (`docs/exit-status.md`).

use super::{baseline::NoBaseline, diff::NothingToCompare, verify::NotReady, wrap::NotClean};
use crate::{
    exit::Exit,
    plan::NoSuchFunction,
    policy::{Mistakes, Unreadable, Unusable},
    ratchet::{base::BaseError, git::GitError},
    report::OutputError,
    sources::LoadError,
    symbol::NoSuchSymbol,
    terminal::streams,
    trend::SnapshotError,
    verify::StageError,
    wrap::{EditError, RenderError, TargetError, WriteError},
};
use std::{
    error::Error,
    fmt::{Debug, Display},
    io,
};

/// An error that ends a command.
#[derive(Debug)]
pub(crate) struct Failure(Box<dyn Blame>);

/// An error that determines the exit status.
pub(crate) trait Blame: Error + Send + Sync + 'static {
    fn exit(&self) -> Exit;

    /// Mistakes to print before the error itself.
    fn mistakes(&self) -> Option<&Mistakes> {
        None
    }
}

impl<E: Blame> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure(Box::new(error))
    }
}

impl Failure {
    /// The command line is wrong.
    pub(super) fn usage(what: impl Display) -> Failure {
        Stated { message: what.to_string(), exit: Exit::Usage }.into()
    }

    /// The code is wrong.
    pub(super) fn code(what: impl Display) -> Failure {
        Stated { message: what.to_string(), exit: Exit::Violation }.into()
    }

    /// The environment is at fault.
    pub(super) fn environment(what: impl Display) -> Failure {
        Stated { message: what.to_string(), exit: Exit::Environment }.into()
    }

    /// Prints the error; returns the exit status.
    pub(crate) fn say(&self) -> Exit {
        if let Some(mistakes) = self.0.mistakes() {
            // If stderr cannot be written, there is nowhere to report that.
            let _ = mistakes.draw(&mut streams::stderr());
        }
        streams::error!("{}", chain(&*self.0));
        self.0.exit()
    }
}

/// The message of an error with those of its causes.
fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", chain(cause)),
        None => error.to_string(),
    }
}

/// Turns an error into a [`Failure`] that the environment is to blame for, with context.
pub(super) trait OrEnvironment<T> {
    fn or_environment<S: Display>(self, what: impl FnOnce() -> S) -> Result<T, Failure>;
}

impl<T, E: Error + 'static> OrEnvironment<T> for Result<T, E> {
    fn or_environment<S: Display>(self, what: impl FnOnce() -> S) -> Result<T, Failure> {
        self.map_err(|error| Failure::environment(format_args!("{}: {}", what(), chain(&error))))
    }
}

/// An error that a command reports directly.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
struct Stated {
    message: String,
    exit: Exit,
}

impl Blame for Stated {
    fn exit(&self) -> Exit {
        self.exit
    }
}

/// Standard output cannot be written, or a source file has changed since it was scanned.
impl Blame for io::Error {
    fn exit(&self) -> Exit {
        Exit::Environment
    }
}

impl Blame for LoadError {
    fn exit(&self) -> Exit {
        match self {
            LoadError::NoSuchPackage { .. } | LoadError::BadSpec { .. } => Exit::Usage,
            LoadError::Compiler { target: Some(_), .. } => Exit::Usage,
            LoadError::Unbuildable => Exit::Violation,
            LoadError::Cargo { .. }
            | LoadError::Metadata(_)
            | LoadError::NoCheck(_)
            | LoadError::NoCompiler(_)
            | LoadError::Compiler { target: None, .. } => Exit::Environment,
        }
    }
}

impl Blame for Unusable {
    fn exit(&self) -> Exit {
        match self {
            Unusable::Unreadable(error) => error.exit(),
            Unusable::Mistakes(error) => error.exit(),
        }
    }

    fn mistakes(&self) -> Option<&Mistakes> {
        match self {
            Unusable::Unreadable(_) => None,
            Unusable::Mistakes(mistakes) => Some(mistakes),
        }
    }
}

impl Blame for Unreadable {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl Blame for Mistakes {
    fn exit(&self) -> Exit {
        Exit::Usage
    }

    fn mistakes(&self) -> Option<&Mistakes> {
        Some(self)
    }
}

impl Blame for TargetError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl Blame for RenderError {
    fn exit(&self) -> Exit {
        match self {
            RenderError::Template(_) => Exit::Environment,
            // The policy states types as text.
            RenderError::Syntax { .. } => Exit::Usage,
        }
    }
}

impl Blame for EditError {
    fn exit(&self) -> Exit {
        match self {
            EditError::Read { .. } | EditError::NoSource { .. } => Exit::Environment,
            EditError::Manifest { .. }
            | EditError::Table { .. }
            | EditError::Dependency { .. }
            | EditError::NoBuildScript { .. }
            | EditError::Source { .. } => Exit::Violation,
        }
    }
}

impl Blame for WriteError {
    fn exit(&self) -> Exit {
        match self {
            WriteError::Io { .. } => Exit::Environment,
            WriteError::NotOurs { .. } | WriteError::Changed { .. } => Exit::Violation,
        }
    }
}

impl Blame for NotClean {
    fn exit(&self) -> Exit {
        match self {
            NotClean::NoVcs(_) | NotClean::Dirty { .. } => Exit::Usage,
            NotClean::Git { .. } => Exit::Environment,
        }
    }
}

impl Blame for NotReady {
    fn exit(&self) -> Exit {
        match self {
            NotReady::NoDomains { .. } => Exit::Usage,
            NotReady::NoRuntime => Exit::Violation,
        }
    }
}

impl Blame for StageError {
    fn exit(&self) -> Exit {
        match self {
            StageError::Rejected(_) => Exit::Violation,
            StageError::Unbuilt { .. } | StageError::Io { .. } => Exit::Environment,
        }
    }
}

impl Blame for NoBaseline {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl Blame for GitError {
    fn exit(&self) -> Exit {
        match self {
            GitError::NoRepository(_)
            | GitError::NoCommit { .. }
            | GitError::NoMergeBase { .. }
            | GitError::NoSubmodule { .. } => Exit::Usage,
            GitError::Missing(_) | GitError::Failed { .. } | GitError::Write(..) => Exit::Environment,
        }
    }
}

impl Blame for BaseError {
    fn exit(&self) -> Exit {
        match self {
            BaseError::Git(error) => error.exit(),
            BaseError::Load { source, .. } => source.exit(),
        }
    }
}

impl Blame for OutputError {
    fn exit(&self) -> Exit {
        match self {
            OutputError::Twice { .. } | OutputError::NoReport { .. } => Exit::Usage,
            OutputError::Write { .. } | OutputError::Io(_) => Exit::Environment,
        }
    }
}

impl Blame for SnapshotError {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl Blame for NothingToCompare {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl Blame for NoSuchSymbol {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

impl Blame for NoSuchFunction {
    fn exit(&self) -> Exit {
        Exit::Usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An unresolvable commit has the same exit status as the underlying error of git, and the causes are printed.
    #[test]
    fn an_error_is_as_bad_as_its_cause() {
        let load = |source| BaseError::Load { commit: "abc".to_owned(), name: "main".to_owned(), source };
        let unknown = LoadError::Compiler { target: Some("x86-nope".to_owned()), stderr: "no such target".to_owned() };
        let failure = Failure::from(load(unknown));
        assert_eq!(failure.0.exit(), Exit::Usage);
        assert_eq!(
            chain(&*failure.0),
            "the workspace of commit abc (`main`): the compiler does not say what it sets for `x86-nope`\nno such target"
        );
        assert_eq!(Failure::from(load(LoadError::Unbuildable)).0.exit(), Exit::Violation);
        let full = Err::<(), _>(io::Error::other("no space")).or_environment(|| "cannot write `a`").unwrap_err();
        assert_eq!((full.0.exit(), &*chain(&*full.0)), (Exit::Environment, "cannot write `a`: no space"));
    }
}
