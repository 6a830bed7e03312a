//! Native libraries that the members call, to propose domains for.

mod compiled;

use crate::{
    graph::{Graph, Package, Role},
    names::Names,
    terminal::words::{few, some},
};
use compiled::{Compiled, archive};
use isolate_lints::{facts::ForeignKind, rules};
use isolate_templates::contracts::FILES;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Display, Write as _},
};

/// Libraries whose functions the selected members call.
#[derive(Default)]
pub(super) struct Called {
    /// Libraries that the policy could have domains for.
    pub(super) proposals: Vec<Proposal>,
    /// Other packages with foreign functions, and what can be done about them.
    pub(super) left_out: Vec<LeftOut>,
}

/// A proposed domain.
pub(super) struct Proposal {
    domain: String,
    /// The package that the library comes with, or that compiles it.
    pub(super) library: String,
    /// Archives that a member's own build script compiles; `None` for the library of another package.
    archives: Option<Vec<String>>,
    functions: Functions,
}

/// A package with foreign functions for which no domain is proposed.
pub(super) struct LeftOut {
    package: String,
    why: Why,
}

enum Why {
    /// Its build script generates the declarations, and did not run.
    Unseen,
    /// The package declares these functions, and their library is either unknown or not compiled here.
    Unknown { functions: BTreeSet<String>, libraries: BTreeSet<String> },
}

/// System libraries, which the whole process shares.
const SYSTEM: [&str; 8] = ["c", "m", "dl", "rt", "pthread", "util", "gcc_s", "stdc++"];

/// Examines each package whose foreign functions are called, or would be if their declarations were known.
pub(super) fn called(names: &Names<'_>) -> Called {
    let packages = &names.graph.packages;
    let compiled: Vec<Option<Compiled>> = packages.iter().map(Compiled::of).collect();
    let (functions, unknown) = by_library(names, &compiled);
    let proposal =
        |(index, functions): (usize, Functions)| proposal(&packages[index], compiled[index].as_ref(), functions);
    let proposals: Vec<_> = functions.into_iter().filter_map(proposal).collect();
    let of_members = packages.iter().filter(|package| package.selected).flat_map(|member| member.externs.values());
    let of_members: BTreeSet<usize> = of_members.copied().collect();
    let unseen = of_members.into_iter().map(|index| &packages[index]).filter(|package| {
        let proposed = || proposals.iter().any(|proposal| proposal.library == package.name);
        !package.selected && package.links.is_some() && package.has_unseen_items() && !proposed()
    });
    let unseen = unseen.map(|package| LeftOut { package: package.name.clone(), why: Why::Unseen });
    let unknown = unknown.into_iter().map(|(index, why)| LeftOut { package: packages[index].name.clone(), why });
    let left_out = unseen.chain(unknown).collect();
    Called { proposals, left_out }
}

/// Called functions, by the package that declares them. The first map has packages with a library of their own,
/// recognised by `links`, by the name, or by a build script that compiles C. The second has the others. Functions of
/// the system or defined in Rust are left out.
fn by_library(names: &Names<'_>, compiled: &[Option<Compiled>]) -> (BTreeMap<usize, Functions>, BTreeMap<usize, Why>) {
    let graph = names.graph;
    let exported = exported(graph);
    let (mut brought, mut unknown) = (BTreeMap::<usize, Functions>::new(), BTreeMap::new());
    for call in &names.foreign_calls().calls {
        let (caller, file) = names.origin(call.caller);
        let (callee, declaring) = names.origin(call.callee);
        let (calling, package) = (&graph.packages[caller].files[file], &graph.packages[callee]);
        let function = matches!(call.item.item, ForeignKind::Function { .. });
        if !graph.packages[caller].selected || !function || calling.role == Role::Generated {
            continue;
        }
        let hidden = calling.hidden_by(&call.call.scope.cfgs);
        let hidden = hidden.or_else(|| package.files[declaring].hidden_by(&call.item.scope.cfgs));
        let (symbol, library) = (call.item.symbol(), call.item.library.as_deref());
        let is_elsewhere = rules::is_of_libc(symbol)
            || exported.contains(symbol)
            || library.is_some_and(|library| SYSTEM.contains(&library));
        // Functions of another package belong to that package's library. A member's own belong to what its build script
        // compiles, unless `#[link]` names another library.
        let is_compiled = compiled[callee].as_ref().is_some_and(|own| library.is_none_or(|library| own.has(library)));
        let is_brought = package.links.is_some() || package.name.ends_with("-sys");
        match is_compiled || is_brought && (caller != callee || package.member && library.is_none()) {
            true if !is_elsewhere || caller != callee => {
                brought.entry(callee).or_default().add(&call.item.name, hidden, library);
            }
            false if !is_elsewhere && hidden.is_none() && package.name != "libc" => {
                let why = Why::Unknown { functions: BTreeSet::new(), libraries: BTreeSet::new() };
                if let Why::Unknown { functions, libraries } = unknown.entry(callee).or_insert(why) {
                    functions.insert(call.item.name.clone());
                    libraries.extend(library.map(str::to_owned));
                }
            }
            _ => {}
        }
    }
    (brought, unknown)
}

/// Symbols that Rust code of the graph defines.
fn exported(graph: &Graph) -> BTreeSet<&str> {
    graph.exports().map(|(_, _, symbol)| symbol).collect()
}

/// The functions of a library that are called.
#[derive(Default)]
struct Functions {
    live: BTreeSet<String>,
    /// Functions that no chosen build calls, each with the predicate that hides the call.
    dormant: BTreeMap<String, String>,
    /// The names in `#[link(name = …)]`.
    libraries: BTreeSet<String>,
}

impl Functions {
    fn add(&mut self, name: &str, hidden: Option<String>, library: Option<&str>) {
        self.libraries.extend(library.filter(|_| hidden.is_none()).map(str::to_owned));
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

fn proposal(package: &Package, compiled: Option<&Compiled>, functions: Functions) -> Option<Proposal> {
    if functions.live.is_empty() {
        return None;
    }
    // What another package compiles is part of that package's library.
    let archives = compiled.filter(|_| package.member).map(|compiled| {
        let linked = functions.libraries.iter().map(|library| archive(library));
        let linked: BTreeSet<String> = linked.collect();
        let archives = if linked.is_empty() { compiled.archives.clone() } else { linked };
        archives.into_iter().collect::<Vec<_>>()
    });
    let single = match archives.as_deref() {
        Some([archive]) => archive.strip_prefix("lib").and_then(|name| name.strip_suffix(".a")),
        _ => None,
    };
    Some(Proposal {
        domain: domain_name(single.or(package.links.as_deref()).unwrap_or(&package.name)),
        library: package.name.clone(),
        archives,
        functions,
    })
}

impl Proposal {
    /// The proposal's tables, commented out.
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
        let Functions { live, dormant, .. } = functions;
        let live: Vec<_> = live.iter().map(String::as_str).collect();
        let _ = write!(
            text,
            "# heap = {{ limit = \"64MiB\" }}\n# stack = \"1MiB\"\n# deadline = \"10s\"\n# [[isolate]]\n# domain = \"{domain}\"\n# extern = [\"{}\"]\n",
            live.join("\", \"")
        );
        for (function, hidden) in dormant {
            let _ = writeln!(text, "# Called in other builds only: \"{function}\", under {hidden}");
        }
        text
    }
}

impl Display for LeftOut {
    /// Writes a comment for the policy.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let package = &self.package;
        match &self.why {
            Why::Unseen => writeln!(
                f,
                "#\n# Not proposed: `{package}`, whose declarations are written when it is built. `cargo isolate init --force --expand`\n\
                 # builds it, and proposes what of it is called."
            ),
            Why::Unknown { functions, libraries } => {
                let count = some(functions.len(), "foreign function");
                let [functions, libraries] =
                    [functions, libraries].map(|names| names.iter().cloned().collect::<Vec<_>>());
                writeln!(f, "#\n# Not proposed: {count} of `{package}`: {}.", few(&functions))?;
                match libraries.is_empty() {
                    true => writeln!(f, "# Nothing here says which library has them, nor compiles one.")?,
                    false => {
                        writeln!(f, "# By `#[link]` they are of {}, which nothing here compiles.", few(&libraries))?
                    }
                }
                writeln!(
                    f,
                    "# If it is linked, a domain has `library = \"{package}\"` and `archives = [\"lib….a\"]`, or `[\"lib….so.1\"]` of a shared one."
                )
            }
        }
    }
}

/// The comment above all proposals.
pub(super) const HEADING: &str = "
# Native libraries that this workspace calls. To contain one, uncomment its tables; `cargo isolate plan` then
# shows the wrappers and what it needs to know about pointers.
";

/// The name of a library as a valid module name.
fn domain_name(library: &str) -> String {
    let name: String = library.trim_end_matches("-sys").replace(|c: char| !c.is_ascii_alphanumeric(), "_");
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("lib{name}") } else { name }
}
