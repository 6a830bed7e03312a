//! The archives that a package's build script compiles, judged by its source text.

use crate::{
    glob::Glob,
    graph::{Package, Role},
};
use std::collections::BTreeSet;

/// The archives that a build script creates.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Compiled {
    /// Archives that it names literally.
    pub(super) archives: BTreeSet<String>,
    /// Globs for archives whose names are computed at run time: `*_clean`.
    others: BTreeSet<String>,
}

/// Crates that compile C, as the beginnings of paths. `gcc` is the old name of `cc`.
const BUILDERS: [&str; 4] = ["cc::", "gcc::", "cmake::", "autotools::"];

impl Compiled {
    /// `None` for a package that compiles nothing.
    pub(super) fn of(package: &Package) -> Option<Compiled> {
        let scripts = package.files.iter().filter(|file| file.role == Role::BuildScript);
        let texts: Vec<&str> = scripts.filter_map(|file| file.text().ok()).collect();
        Compiled::by(&texts)
    }

    fn by(texts: &[&str]) -> Option<Compiled> {
        let mut compiled = Compiled::default();
        let mut builds = texts.iter().any(|text| BUILDERS.iter().any(|builder| text.contains(builder)));
        for text in texts {
            for call in [".compile(", "compile_library("] {
                for rest in text.split(call).skip(1) {
                    match rest.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"')) {
                        Some((name, _)) => drop(compiled.archives.insert(archive(name))),
                        None => drop(compiled.others.insert(put_together(rest))),
                    }
                }
            }
            for rest in text.split("rustc-link-lib=static").skip(1) {
                // Matches `static:+whole-archive=name`, printed as a whole line or part of one.
                let name = rest.split_once('=').map_or("", |(_, name)| name);
                let name = name.split(['"', '\\', '\n']).next().unwrap_or_default();
                builds = true;
                match name.contains('{') {
                    true => drop(compiled.others.insert(pattern(name))),
                    false => drop(compiled.archives.insert(archive(name))),
                }
            }
        }
        if compiled.archives.is_empty() && compiled.others.is_empty() {
            compiled.others.insert("*".to_owned());
        }
        builds.then_some(compiled)
    }

    /// Whether the library of a `#[link(name = …)]` may be one of them.
    pub(super) fn has(&self, library: &str) -> bool {
        let is_other = |pattern: &String| {
            let glob = Glob::new(pattern);
            glob.is_ok_and(|glob| glob.is_match(library) || glob.is_match(&archive(library)))
        };
        self.archives.contains(&archive(library)) || self.others.iter().any(is_other)
    }
}

/// A glob for an argument that is not a literal: `format!("{}_clean", name).as_str())`.
fn put_together(argument: &str) -> String {
    let argument = argument.split(';').next().unwrap_or_default();
    let text = argument.split_once("format!(\"").and_then(|(_, rest)| rest.split_once('"'));
    text.map_or_else(|| "*".to_owned(), |(text, _)| pattern(text))
}

/// Turns a format string into a glob: `{}_clean` into `*_clean`.
fn pattern(text: &str) -> String {
    let mut pattern = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        pattern += before;
        pattern.push('*');
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    pattern + rest
}

/// The file name of a library, as the `cc` crate forms it: a name that is already a file name stays.
pub(super) fn archive(name: &str) -> String {
    match name.starts_with("lib") && name.ends_with(".a") {
        true => name.to_owned(),
        false => format!("lib{name}.a"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(script: &str, archives: &[&str], others: &[&str]) {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(Compiled::by(&[script]), Some(Compiled { archives: set(archives), others: set(others) }));
    }

    #[test]
    fn archives_of_build_scripts() {
        check("cc::Build::new().file(\"a.c\").compile(\"tlv\");", &["libtlv.a"], &[]);
        check("cc::Build::new().compile(\n    \"libtlv.a\",\n);", &["libtlv.a"], &[]);
        check("gcc::compile_library(\"libhoedown.a\", SOURCES);", &["libhoedown.a"], &[]);
        check("use gcc::Config; Config::new().compile(\"library\");", &["liblibrary.a"], &[]);
        check("let mut b = cc::Build::new(); b.compile(format!(\"{}_clean\", v).as_str());", &[], &["*_clean"]);
        check("b.compile(\"a\"); cc::Build::new().compile(&name);", &["liba.a"], &["*"]);
        check("cmake::build(\"src\"); println!(\"cargo:rustc-link-lib=static=foo\");", &["libfoo.a"], &[]);
        check("println!(\"cargo::rustc-link-lib=static:+whole-archive=foo\");", &["libfoo.a"], &[]);
        check("println!(\"cargo:rustc-link-lib=static={name}_c\");", &[], &["*_c"]);
        check("cmake::build(\"src\");", &[], &["*"]);
        assert_eq!(Compiled::by(&["fn main() { println!(\"cargo:rustc-link-lib=z\"); }"]), None);
        assert_eq!(Compiled::by(&[]), None);
        let named = Compiled::by(&["cc::Build::new().compile(&format!(\"{}_clean\", kind));"]).unwrap();
        assert!(named.has("kem_clean") && !named.has("z"));
    }
}
