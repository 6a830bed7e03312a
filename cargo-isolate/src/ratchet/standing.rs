//! Where a finding takes effect.

use crate::graph::Role;
use std::{fmt, str::FromStr};

/// How far what a finding is about reaches. Code that comes to reach further is looked at like new code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Standing {
    /// Compiled for none of the chosen targets.
    Dormant,
    /// In tests, benchmarks and examples.
    Tests,
    /// In the library, a binary, a build script or a procedural macro; or in no code at all.
    Live,
}

const WORDS: [(&str, Standing); 3] =
    [("dormant", Standing::Dormant), ("tests", Standing::Tests), ("live", Standing::Live)];

impl Standing {
    /// Of code with this role.
    pub(crate) fn of(role: Option<Role>, dormant: bool) -> Standing {
        match role {
            _ if dormant => Standing::Dormant,
            Some(Role::Unreached) => Standing::Dormant,
            Some(Role::Test | Role::Bench | Role::Example) => Standing::Tests,
            Some(Role::Main | Role::Generated | Role::ProcMacro | Role::BuildScript) | None => Standing::Live,
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(WORDS.iter().find(|(_, standing)| standing == self).map_or("", |(word, _)| word))
    }
}

impl FromStr for Standing {
    type Err = ();

    fn from_str(text: &str) -> Result<Standing, ()> {
        WORDS.iter().find(|(word, _)| *word == text).map(|(_, standing)| *standing).ok_or(())
    }
}
