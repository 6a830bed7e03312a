//! What this machine offers, for `cargo isolate doctor` and for programs that want to say so.

use crate::mpk;
use std::fmt;

/// What isolation needs, and what was found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Machine {
    /// In the order in which they matter.
    pub requirements: Vec<Requirement>,
}

/// One thing that isolation needs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Requirement {
    /// What it is.
    pub name: &'static str,
    /// Whether it is met.
    pub met: bool,
    /// What was found.
    pub found: String,
    /// What to do when it is not met.
    pub remedy: &'static str,
}

/// Looks at the CPU, the kernel and libc, and runs the self-test in a forked child. Takes no key and installs nothing.
pub fn probe() -> Machine {
    Machine { requirements: mpk::requirements() }
}

impl Machine {
    /// Whether domains of back end `mpk` can be made.
    pub fn supported(&self) -> bool {
        self.requirements.iter().all(|requirement| requirement.met)
    }
}

impl Requirement {
    pub(crate) fn new(name: &'static str, met: bool, found: impl Into<String>, remedy: &'static str) -> Self {
        Self { name, met, found: found.into(), remedy }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.requirements.iter().map(|requirement| requirement.name.len()).max().unwrap_or(0);
        for Requirement { name, met, found, remedy } in &self.requirements {
            let mark = if *met { "ok     " } else { "missing" };
            writeln!(f, "{mark}  {name:width$}  {found}")?;
            if !met {
                writeln!(f, "         {:width$}  {remedy}", "")?;
            }
        }
        Ok(())
    }
}
