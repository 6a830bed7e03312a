//! What becomes of libc's functions inside a domain, as far as a library's imports can tell before it runs.

use serde::Serialize;

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

/// What is to say of them to people: once for all functions of a library that end alike and for one reason.
pub(crate) fn warnings(refused: &[Refused]) -> Vec<String> {
    let mut alike: Vec<(&Refused, Vec<String>)> = Vec::new();
    for one in refused {
        let known = alike
            .iter_mut()
            .find(|(first, _)| (&first.domain, first.fault, first.why) == (&one.domain, one.fault, one.why));
        match known {
            Some((_, others)) => others.push(format!("`{}`", one.symbol)),
            None => alike.push((one, Vec::new())),
        }
    }
    let warnings = alike.into_iter().map(|(Refused { domain, symbol, fault, why }, others)| {
        let more = match others.len() {
            0 => String::new(),
            count => format!("; and {count} more like it: {}", others.join(", ")),
        };
        format!(
            "the library of the domain `{domain}` imports `{symbol}`, and a call of it ends with `{fault}`: {why}{more}"
        )
    });
    warnings.collect()
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

    /// The domain and the reason make them alike, not their order.
    #[test]
    fn what_is_alike_is_one_warning() {
        let refused = |domain: &str, symbol: &str| {
            let (fault, why) = super::refused(symbol).unwrap();
            super::Refused { domain: domain.to_owned(), symbol: symbol.to_owned(), fault, why }
        };
        let all = [
            refused("png", "fclose"),
            refused("png", "fopen"),
            refused("png", "feof"),
            refused("png", "ferror"),
            refused("stb", "feof"),
        ];
        assert_eq!(
            super::warnings(&all),
            [
                "the library of the domain `png` imports `fclose`, and a call of it ends with `Protection`: locks or writes a `FILE`: `lseek` and the like work; and 2 more like it: `feof`, `ferror`",
                "the library of the domain `png` imports `fopen`, and a call of it ends with `Protection`: puts the new `FILE` into a list of libc: `open` and `read` work; better, pass the contents as a buffer",
                "the library of the domain `stb` imports `feof`, and a call of it ends with `Protection`: locks or writes a `FILE`: `lseek` and the like work",
            ]
        );
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
