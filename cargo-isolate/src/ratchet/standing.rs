//! Standing: whether the code of a finding is dormant, only in tests, or live.

use crate::graph::Role;
use std::{fmt, str::FromStr};

/// How far the code of a finding takes effect. Code whose standing rises is treated as new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Standing {
    /// Not compiled for any chosen target.
    Dormant,
    /// In tests, benchmarks and examples.
    Tests,
    /// In the library, a binary, a build script or a procedural macro; also findings that are not in code.
    Live,
}

const WORDS: [(&str, Standing); 3] =
    [("dormant", Standing::Dormant), ("tests", Standing::Tests), ("live", Standing::Live)];

impl Standing {
    /// The standing of code with this role.
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
