//! When to print in colour.

use std::str::FromStr;

/// The value of `--color`, as in cargo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Even into a pipe
    Always,
    /// Nowhere
    Never,
}

impl When {
    /// The value of cargo's own variable `CARGO_TERM_COLOR`. An unknown value is ignored here: cargo itself reports it.
    pub(crate) fn of_cargo() -> When {
        let named = std::env::var("CARGO_TERM_COLOR").ok();
        named.and_then(|name| name.parse().ok()).unwrap_or_default()
    }

    /// Applies the choice to everything that is printed from now on.
    pub(crate) fn apply(self) {
        match self {
            When::Auto => anstream::ColorChoice::Auto,
            When::Always => anstream::ColorChoice::Always,
            When::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

impl FromStr for When {
    type Err = String;

    fn from_str(name: &str) -> Result<When, String> {
        clap::ValueEnum::from_str(name, false)
    }
}
