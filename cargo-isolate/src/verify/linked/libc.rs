//! What libc functions do inside a domain, judged by a library's imports before it runs.

use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

/// A libc function that works in a program but not in a domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Refused {
    pub(crate) domain: String,
    pub(crate) symbol: String,
    /// The kind of fault that a call ends with.
    pub(crate) fault: &'static str,
    /// Why, and what to do.
    pub(crate) why: &'static str,
}

/// The warnings for users. Functions of a library with the same fault and reason share one.
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

/// The imported functions that end a call in a fault, each with the fault and the reason. Each set of `files` is the
/// imports of one object file.
pub(super) fn refused_to<'m>(files: &[BTreeSet<&'m str>]) -> Vec<(&'m str, &'static str, &'static str)> {
    let all: BTreeSet<_> = files.iter().flatten().copied().collect();
    let refused = all.iter().filter_map(|symbol| refused(symbol).map(|(fault, why)| (*symbol, fault, why)));
    // Only `stdout` and `stderr` work in a domain. An object file that imports neither gets its streams from elsewhere:
    // from the program, unless the library creates them.
    let names_none = |file: &&BTreeSet<&str>| !["stdout", "stderr"].iter().any(|stream| file.contains(stream));
    let makes_some = all.contains("open_memstream");
    let of_none: BTreeSet<_> = files.iter().filter(names_none).flatten().copied().collect();
    let writing = of_none.into_iter().filter(|symbol| !makes_some && writes_a_stream(symbol));
    refused.chain(writing.map(|symbol| (symbol, FOREIGN_STREAM, FROM_ELSEWHERE))).collect()
}

/// A kind of fault.
const FOREIGN_STREAM: &str = "ForeignStream";
const FROM_ELSEWHERE: &str = "a `FILE` of the program that is neither `stdout` nor `stderr`, and the file that calls it names neither: \
     let the library write to memory, and the program to the `FILE`";

/// The fault that a call of `symbol` ends with, and why. Functions such as `abort`, which end the process without
/// isolation too, are left out.
fn refused(symbol: &str) -> Option<(&'static str, &'static str)> {
    const ENDS: [&str; 4] = ["Abort", "AssertionFailed", "Exit", "StackSmashed"];
    let (class, note) = known(symbol)?;
    let fault = class.strip_prefix("refused ")?;
    (!ENDS.contains(&fault)).then_some((fault, note))
}

/// Whether a function works with two streams and not with others.
fn writes_a_stream(symbol: &str) -> bool {
    known(symbol).is_some_and(|(class, note)| class == "ours" && note.contains(FOREIGN_STREAM))
}

/// The class of a function in the table, and the note about it.
fn known(symbol: &str) -> Option<(&'static str, &'static str)> {
    static TABLE: LazyLock<HashMap<&str, (&str, &str)>> = LazyLock::new(|| {
        let lines = include_str!("../../../data/libc.txt").lines().filter(|line| !line.starts_with('#'));
        let rows = lines.filter_map(|line| {
            let mut fields = line.split('|').map(str::trim);
            Some((fields.next()?, (fields.next()?, fields.next().unwrap_or_default())))
        });
        rows.collect()
    });
    TABLE.get(symbol).copied()
}

#[cfg(test)]
mod tests {
    #[track_caller]
    fn check(symbol: &str, expected: Option<&str>) {
        assert_eq!(super::refused(symbol).map(|(fault, _)| fault), expected);
    }

    /// Warnings are merged by domain and reason, whatever their order.
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

    /// Checks the functions that write foreign streams, given the imports of each object file.
    #[track_caller]
    fn streams(files: &[&[&'static str]], expected: &[&str]) {
        let files: Vec<_> = files.iter().map(|imports| imports.iter().copied().collect()).collect();
        let refused = super::refused_to(&files);
        let streams = refused.into_iter().filter(|(_, fault, _)| *fault == super::FOREIGN_STREAM);
        assert_eq!(streams.map(|(symbol, ..)| symbol).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn streams_from_elsewhere() {
        streams(&[&["fwrite", "fflush", "fprintf", "malloc"]], &["fflush", "fprintf", "fwrite"]);
        streams(&[&["fwrite", "stderr"]], &[]);
        streams(&[&["fwrite"], &["fprintf", "stderr"]], &["fwrite"]);
        streams(&[&["fwrite"], &["open_memstream"]], &[]);
        // These functions always write to stdout.
        streams(&[&["printf", "puts", "putchar"]], &[]);
        streams(&[&["write"]], &[]);
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
