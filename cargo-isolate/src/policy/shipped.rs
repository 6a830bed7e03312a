//! Contracts of well-known libraries that ship with the tool: what a policy says of a function or a struct replaces them.

use super::{
    Pattern, Spanned, Texts,
    model::{FnContract, Policy, Struct},
};
use crate::graph::Graph;
use isolate_templates::contracts::FILES;
use serde::Deserialize;
use std::{collections::BTreeMap, fmt};

/// The contracts for one library of the policy.
#[derive(Debug)]
pub(crate) struct Shipped {
    pub(crate) package: String,
    /// The versions of it that they were written for.
    versions: String,
    /// The version that is there.
    version: String,
    /// That is one of those.
    fits: bool,
    structs: BTreeMap<Spanned<String>, Struct>,
    functions: BTreeMap<Spanned<String>, FnContract>,
}

/// How such a file reads.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    package: String,
    versions: String,
    #[serde(default, rename = "struct")]
    structs: BTreeMap<Spanned<String>, Struct>,
    #[serde(default, rename = "fn")]
    functions: BTreeMap<Spanned<String>, FnContract>,
}

/// Those for the libraries of a policy. Their texts join the policy's, so that what does not fit is shown in them.
///
/// # Panics
///
/// When a file is not one: they are part of the tool, and tests read all of them.
pub(super) fn load(graph: &Graph, policy: &Policy, texts: &mut Texts) -> Vec<Shipped> {
    let mut found = Vec::new();
    for file in FILES {
        let is_package = |name: &str| file.name.strip_suffix(".toml") == Some(name);
        let library = policy.domain.values().map(|domain| domain.library.get_ref()).find(|library| is_package(library));
        let package = library.and_then(|library| graph.packages.iter().rfind(|package| package.name == *library));
        let Some(package) = package else { continue };
        let start = texts.add(format!("{} of cargo-isolate", file.name).into(), file.text.to_owned());
        // Blanks before it make its places those of all texts.
        let read: File = toml::from_str(&format!("{:start$}{}", "", file.text)).expect("a file of contracts");
        let range: semver::VersionReq = read.versions.parse().expect("a range of versions");
        let fits = package.version.parse().is_ok_and(|version: semver::Version| range.matches(&version));
        found.push(Shipped {
            package: read.package,
            versions: read.versions,
            version: package.version.clone(),
            fits,
            structs: read.structs,
            functions: read.functions,
        });
    }
    found
}

impl Policy {
    /// The contract of a function, and whether it ships with the tool.
    pub(crate) fn contract(&self, domain: &str, function: &str) -> Option<(&FnContract, bool)> {
        let own = self.functions.get(function).map(|contract| (contract, false));
        own.or_else(|| Some((self.shipped(domain)?.functions.get(function)?, true)))
    }

    /// What ships for the library of a domain and fits its version.
    fn shipped(&self, domain: &str) -> Option<&Shipped> {
        self.shipped_for(domain).filter(|shipped| shipped.fits)
    }

    /// What ships for the library of a domain, whether or not it fits.
    pub(crate) fn shipped_for(&self, domain: &str) -> Option<&Shipped> {
        let library = self.domain.get(domain)?.library.get_ref();
        self.shipped.iter().find(|shipped| shipped.package == *library)
    }

    /// All structs, as far as they are about the functions of these names, which are isolated.
    pub(crate) fn all_structs(&self, isolated: &[(&str, &str)]) -> BTreeMap<Spanned<String>, Struct> {
        let mut structs = BTreeMap::new();
        for domain in self.domain.keys() {
            let names: Vec<_> =
                isolated.iter().filter(|(of, _)| of == domain.get_ref()).map(|(_, function)| *function).collect();
            for (name, words) in self.shipped(domain.get_ref()).into_iter().flat_map(|shipped| &shipped.structs) {
                let words = words.about(&names);
                if !words.create.is_empty() {
                    structs.insert(name.clone(), words);
                }
            }
        }
        for (name, words) in &self.structs {
            // A key that is there keeps its old place.
            structs.remove(name);
            structs.insert(name.clone(), words.clone());
        }
        structs
    }
}

impl Struct {
    /// Without what it says of functions that are not among `names`.
    fn about(&self, names: &[&str]) -> Struct {
        let is_any = |glob: &Pattern| names.iter().any(|name| glob.is_match(name));
        let mut words = self.clone();
        words.create.retain(|glob, _| Pattern::new(glob.get_ref()).is_ok_and(|glob| is_any(&glob)));
        for field in words.field.values_mut() {
            field.get_mut().functions.retain(|glob| is_any(glob.get_ref()));
        }
        words
    }
}

/// For whom it is, and whether that is who is there.
impl fmt::Display for Shipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { package, versions, version, fits, .. } = self;
        match fits {
            true => write!(f, "those that ship for `{package}` {versions}"),
            false => write!(f, "none: those that ship for `{package}` are for {versions}, and this is {version}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FILES, File};

    #[test]
    fn every_file_reads() {
        for file in FILES {
            let read: File = toml::from_str(file.text).unwrap_or_else(|error| panic!("{}: {error}", file.name));
            assert_eq!(format!("{}.toml", read.package), file.name);
            read.versions.parse::<semver::VersionReq>().expect("a range of versions");
        }
    }
}
