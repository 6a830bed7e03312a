//! What becomes of libc's functions inside a domain, as far as a library's imports can tell before it runs.

use serde::Serialize;
use std::fmt;

/// A function of libc that works in a program, and does not in a domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Refused {
    pub(crate) domain: String,
    pub(crate) symbol: String,
    /// How the call ends: a kind of fault.
    pub(crate) fault: &'static str,
    /// Why, and what to do.
    pub(crate) why: &'static str,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Refused { domain, symbol, fault, why } = self;
        write!(
            f,
            "the library of the domain `{domain}` imports `{symbol}`, and a call of it ends with `{fault}`: {why}"
        )
    }
}

/// The fault that a call of `symbol` ends with, and why. What ends the process without isolation, like `abort`, is no news.
pub(super) fn refused(symbol: &str) -> Option<(&'static str, &'static str)> {
    const ENDS: [&str; 4] = ["Abort", "AssertionFailed", "Exit", "StackSmashed"];
    let lines = include_str!("../../../data/libc.txt").lines().filter(|line| !line.starts_with('#'));
    let mut fields = lines.map(|line| line.split('|').map(str::trim));
    let mut found = fields.find(|fields| fields.clone().next() == Some(symbol))?.skip(1);
    let fault = found.next()?.strip_prefix("refused ")?;
    (!ENDS.contains(&fault)).then(|| (fault, found.next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    #[track_caller]
    fn check(symbol: &str, expected: Option<&str>) {
        assert_eq!(super::refused(symbol).map(|(fault, _)| fault), expected);
    }

    #[test]
    fn what_ends_calls() {
        check("dlopen", Some("Protection"));
        check("pthread_create", Some("ThreadStarted"));
        check("memcpy", None);
        check("abort", None);
        check("# Classes", None);
        check("not_in_libc", None);
    }
}
