//! Native libraries that the members call, as domains to decide on.

use crate::{
    graph::{Package, Role},
    names::Names,
};
use isolate_lints::facts::ForeignKind;
use isolate_templates::contracts::FILES;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// A domain that the policy could have.
pub(super) struct Proposal {
    domain: String,
    /// The package that brings the library, or compiles it.
    pub(super) library: String,
    /// What a member's own build script compiles; `None` for the library of a package of its own.
    archives: Option<Vec<String>>,
    functions: Called,
}

/// One for each package whose foreign functions the selected members call, and that brings a native library: by `links`, by
/// its name, or by a build script that compiles C. The C library is everybody's own.
pub(super) fn proposals(names: &Names<'_>) -> Vec<Proposal> {
    let graph = names.graph;
    let mut called: BTreeMap<usize, Called> = BTreeMap::new();
    for call in &names.foreign_calls().calls {
        let (caller, file) = names.origin(call.caller);
        let (callee, declaring) = names.origin(call.callee);
        let function = matches!(call.item.item, ForeignKind::Function { .. });
        let generated = graph.packages[caller].files[file].role == Role::Generated;
        // Of a member's own declarations those without `#[link]`: others are of libraries that it does not compile.
        let own = graph.packages[callee].member && call.item.library.is_none();
        if graph.packages[caller].selected && function && !generated && (caller != callee || own) {
            let (caller, callee_files) = (&graph.packages[caller].files[file], &graph.packages[callee].files);
            let hidden = caller.hidden_by(&call.call.scope.cfgs);
            let hidden = hidden.or_else(|| callee_files[declaring].hidden_by(&call.item.scope.cfgs));
            called.entry(callee).or_default().add(&call.item.name, hidden);
        }
    }
    called.into_iter().filter_map(|(package, functions)| proposal(&graph.packages[package], functions)).collect()
}

/// Functions of a library that are called.
#[derive(Default)]
struct Called {
    live: BTreeSet<String>,
    /// Those that no chosen build calls, with what hides them.
    dormant: BTreeMap<String, String>,
}

impl Called {
    fn add(&mut self, name: &str, hidden: Option<String>) {
        match hidden {
            None => {
                self.dormant.remove(name);
                self.live.insert(name.to_owned());
            }
            Some(hidden) if !self.live.contains(name) => drop(self.dormant.insert(name.to_owned(), hidden)),
            Some(_) => {}
        }
    }
}

fn proposal(package: &Package, functions: Called) -> Option<Proposal> {
    let compiled = compiled_archives(package).filter(|_| package.member);
    if functions.live.is_empty() {
        return None;
    }
    if compiled.is_none() && package.links.is_none() && !package.name.ends_with("-sys") {
        return None;
    }
    let single = match compiled.as_deref() {
        Some([archive]) => archive.strip_prefix("lib").and_then(|name| name.strip_suffix(".a")),
        _ => None,
    };
    Some(Proposal {
        domain: domain_name(single.or(package.links.as_deref()).unwrap_or(&package.name)),
        library: package.name.clone(),
        archives: compiled,
        functions,
    })
}

/// Archives that a package's build script makes with the `cc` crate, as far as it names them; `None` if it makes none.
fn compiled_archives(package: &Package) -> Option<Vec<String>> {
    let scripts = package.files.iter().filter(|file| file.role == Role::BuildScript);
    let texts: Vec<&str> = scripts.filter_map(|file| file.text().ok()).collect();
    if !texts.iter().any(|text| text.contains("cc::Build")) {
        return None;
    }
    let calls = texts.iter().flat_map(|text| text.split(".compile(\"").skip(1));
    let names: BTreeSet<&str> = calls.filter_map(|rest| rest.split('"').next()).collect();
    Some(names.into_iter().map(archive).collect())
}

/// As the `cc` crate has it: a name that is a file's already stays.
fn archive(name: &str) -> String {
    match name.starts_with("lib") && name.ends_with(".a") {
        true => name.to_owned(),
        false => format!("lib{name}.a"),
    }
}

impl Proposal {
    /// Its tables, as comments.
    pub(super) fn text(&self) -> String {
        let Proposal { domain, library, archives, functions } = self;
        let ships = FILES.iter().any(|file| file.name.strip_suffix(".toml") == Some(library));
        let contracts = if ships { "                   # contracts for it ship with cargo-isolate" } else { "" };
        let mut text = format!("#\n# [domain.{domain}]\n# library = \"{library}\"{contracts}\n");
        match archives.as_deref() {
            None => {}
            Some([]) => text.push_str("# archives = [\"lib….a\"]                # what its build script compiles\n"),
            Some(archives) => {
                let _ = writeln!(text, "# archives = [\"{}\"]", archives.join("\", \""));
            }
        }
        let Called { live, dormant } = functions;
        let live: Vec<_> = live.iter().map(String::as_str).collect();
        let _ = write!(
            text,
            "# heap = {{ limit = \"64MiB\" }}\n# stack = \"1MiB\"\n# [[isolate]]\n# domain = \"{domain}\"\n# extern = [\"{}\"]\n",
            live.join("\", \"")
        );
        for (function, hidden) in dormant {
            let _ = writeln!(text, "# Called in other builds only: \"{function}\", under {hidden}");
        }
        text
    }
}

/// What stands above proposals.
pub(super) const HEADING: &str = "
# Native libraries that this workspace calls. To contain one, uncomment its tables; `cargo isolate plan` then
# shows the wrappers and what it needs to know about pointers.
";

/// A library's name as a module can have it.
fn domain_name(library: &str) -> String {
    let name: String = library.trim_end_matches("-sys").replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("lib{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_by_their_names() {
        for (name, file) in [("tlv", "libtlv.a"), ("libtlv.a", "libtlv.a"), ("library", "liblibrary.a")] {
            assert_eq!(archive(name), file);
        }
    }
}
