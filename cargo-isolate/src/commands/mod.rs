//! One file per subcommand: arguments, and a `run` that calls the stages and prints.

pub(crate) mod audit;
pub(crate) mod badge;
pub(crate) mod baseline;
pub(crate) mod check;
pub(crate) mod demo;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod plan;
pub(crate) mod verify;
pub(crate) mod vet;
pub(crate) mod wrap;
