//! Checks the linker's output: the variables of isolated libraries are where their domains own them, and only wrappers
//! refer to isolated functions.
//!
//! The source shows the intention, and the linked program shows the result. With a wrong archive name, a library's
//! variables lie outside its domain, where every write is a fault. A call that no source scan sees still refers to the
//! function's symbol.

mod archive;
mod artifacts;
mod constructors;
mod exports;
mod image;
mod libc;
mod report;

use crate::{
    graph::Graph,
    nearest,
    plan::{DomainPlan, FunctionPlan, Plan},
    policy::model::Instances,
    wrap::Target,
};
use archive::{Archive, Global, Reference};
pub(crate) use artifacts::Built;
use artifacts::Program;
use camino::{Utf8Path, Utf8PathBuf};
pub(crate) use constructors::Constructors;
pub(crate) use exports::Inside;
use image::Image;
pub(crate) use libc::{Refused, warnings};
use rayon::prelude::*;
pub(crate) use report::{Linked, Outside, Problem, Served, Server};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

/// Checks everything that `built` lists. `targets` contain the wrappers.
///
/// # Errors
///
/// A file that cargo reported cannot be read.
pub(crate) fn check(graph: &Graph, plan: &Plan, built: &Built, targets: &[Target]) -> io::Result<Linked> {
    let wanted: BTreeSet<&str> =
        plan.domains.iter().flat_map(|domain| &domain.functions).map(FunctionPlan::symbol).collect();
    let archives = archives(built, &wanted)?;
    let defining: BTreeMap<_, _> = archives
        .iter()
        .filter(|(_, file)| file.archive.functions.iter().any(|name| wanted.contains(&**name)))
        .collect();
    let images: Vec<(&Program, Image)> = built
        .programs
        .par_iter()
        .map(|program| {
            // Tests may call directly, to compare results, so their references are ignored.
            let none = BTreeSet::new();
            let wanted = if program.test { &none } else { &wanted };
            Ok((program, image::read(program, wanted)?))
        })
        .collect::<io::Result<_>>()?;

    let mut linked = Linked::default();
    let has =
        |image: &Image| wanted.iter().any(|name| image.globals.contains_key(*name) || image.imported.contains(*name));
    linked.programs = images.iter().filter(|(program, image)| !program.shared && has(image)).count();
    let exported = exports::exported(graph);
    for domain in &plan.domains {
        let defining: Vec<_> = defining.values().copied().filter(|file| file.serves(domain)).collect();
        let has_wrappers = |(_, image): &(&Program, Image)| image.range(&domain.name, "data").is_some();
        // Members that were not selected were not built, so nothing is missing there.
        if targets.iter().any(|target| target.domains.contains(&domain.name)) || images.iter().any(has_wrappers) {
            linked.served.extend(served(domain, &defining, &images));
            linked.problems.extend(unknown_archives(domain, built, &images));
            linked.inside.extend(exports::inside(domain, archives.values(), &exported));
            linked.constructors.extend(constructors::constructors(domain, archives.values()));
        }
        for (program, image) in &images {
            linked.variables(domain, &defining, program, image);
        }
    }
    let own: BTreeSet<&str> = defining.values().flat_map(|file| file.archive.own.iter().map(String::as_str)).collect();
    let tables: BTreeSet<&str> = defining
        .values()
        .flat_map(|file| file.archive.references.iter().filter(|reference| reference.by.is_none()))
        .map(|reference| &*reference.symbol)
        .collect();
    let of_archives = archives.values().filter(|file| file.server.is_crate()).flat_map(|file| {
        let others =
            file.archive.references.iter().filter(|reference| reference.rust || !defining.contains_key(&file.path));
        others.map(|reference| (reference, &*file.package))
    });
    let of_programs = images.iter().flat_map(|(program, image)| {
        let others = image.references.iter().filter(|reference| match &reference.by {
            Some(by) => !own.contains(&**by),
            None => !tables.contains(&*reference.symbol),
        });
        others.map(|reference| (reference, &*program.name))
    });
    linked.references = outside(&modules(built, targets), of_archives.chain(of_programs));
    linked.unseen.extend(unseen(plan, &archives, &images));
    linked.problems.sort();
    linked.problems.dedup();
    Ok(linked)
}

/// The outputs of the last build; empty if there was none.
#[derive(Debug, Default)]
pub(crate) struct LastBuild {
    /// Where the code of each function comes from.
    pub(crate) served: Vec<Served>,
    /// Functions of libc that the libraries import and that no domain can provide.
    pub(crate) refused: Vec<Refused>,
    /// Rust code that the libraries call.
    pub(crate) inside: Vec<Inside>,
    /// Code of the libraries that runs before `main`.
    pub(crate) constructors: Vec<Constructors>,
    /// Statements of the policy that cannot be met: archives that no build script produces, an instance per thread of a
    /// library with variables.
    pub(crate) problems: Vec<Problem>,
}

/// Reads the libraries from the outputs of the last build.
pub(crate) fn last_build(graph: &Graph, plan: &Plan) -> io::Result<LastBuild> {
    let plan = &plan.live();
    let wanted: BTreeSet<&str> =
        plan.domains.iter().flat_map(|domain| &domain.functions).map(FunctionPlan::symbol).collect();
    let exported = exports::exported(graph);
    let mut last = LastBuild::default();
    for domain in &plan.domains {
        let declaring = domain.functions.iter().map(|function| function.declared.index);
        let built = Built::left_over(graph, &declaring.chain([domain.library.package]).collect());
        let archives = archives(&built, &wanted)?;
        let mut by_server: BTreeMap<Server, Vec<String>> = BTreeMap::new();
        for function in &domain.functions {
            let defines = |file: &&File| file.archive.functions.contains(function.symbol());
            let server = archives.values().filter(defines).map(|file| file.server.clone()).min();
            let shared = match built.told.is_empty() {
                false => Some(Server::Shared(built.told.iter().cloned().collect())),
                true => (!built.archives.is_empty()).then_some(Server::Undefined),
            };
            if let Some(server) = server.or(shared) {
                add(by_server.entry(server).or_default(), &function.name);
            }
        }
        let served = by_server.into_iter();
        last.served.extend(served.map(|(by, functions)| Served { domain: domain.name.clone(), by, functions }));
        last.refused.extend(refused(domain, archives.values()));
        last.inside.extend(exports::inside(domain, archives.values(), &exported));
        last.constructors.extend(constructors::constructors(domain, archives.values()));
        last.problems.extend(shared_variables(domain, archives.values()));
        // Without built archives there is nothing to compare names with. Which shared objects programs require is known
        // only after linking.
        if !built.archives.is_empty() {
            let unknown = unknown_archives(domain, &built, &[]).into_iter();
            last.problems.extend(unknown.filter(
                |problem| matches!(problem, Problem::NoSuchArchive { archive, .. } if archive.ends_with(".a")),
            ));
        }
    }
    Ok(last)
}

/// The files that contain the code of a domain.
fn own<'f>(
    domain: &DomainPlan,
    files: impl Iterator<Item = &'f File> + Clone,
) -> impl Iterator<Item = &'f File> + Clone {
    files.filter(|file| file.serves(domain) || domain.archives.contains(&file_name(&file.path)))
}

/// The writable variables that keep a library from having several instances.
fn shared_variables<'f>(domain: &DomainPlan, files: impl Iterator<Item = &'f File> + Clone) -> Option<Problem> {
    if domain.instances != Instances::Thread {
        return None;
    }
    let variables: BTreeSet<_> = own(domain, files).flat_map(|file| file.archive.writable.keys()).collect();
    let names: BTreeSet<_> = variables.into_iter().map(|global| global.name.clone()).collect();
    (!names.is_empty())
        .then(|| Problem::SharedVariables { domain: domain.name.clone(), variables: names.into_iter().collect() })
}

/// The libc functions that the code of a domain imports and cannot use.
fn refused<'f>(domain: &DomainPlan, files: impl Iterator<Item = &'f File> + Clone) -> Vec<Refused> {
    let members: Vec<_> = own(domain, files).flat_map(|file| &file.archive.members).collect();
    let reached = archive::reached(&members, domain.functions.iter().map(FunctionPlan::symbol));
    let works = |symbol: &str| domain.own_threads > 0 && symbol == "pthread_create";
    let refused = libc::refused_to(&reached).into_iter().filter(|(symbol, ..)| !works(symbol));
    let refused = refused.map(|(symbol, fault, why)| Refused {
        domain: domain.name.clone(),
        symbol: symbol.to_owned(),
        fault,
        why,
    });
    refused.collect()
}

/// An archive or crate of the build.
#[derive(Debug)]
struct File {
    path: Utf8PathBuf,
    package: String,
    server: Server,
    archive: Archive,
}

impl File {
    fn serves(&self, domain: &DomainPlan) -> bool {
        domain.functions.iter().any(|function| self.archive.functions.contains(function.symbol()))
    }
}

impl Server {
    fn is_crate(&self) -> bool {
        matches!(self, Server::Crate(_))
    }
}

fn archives(built: &Built, wanted: &BTreeSet<&str>) -> io::Result<BTreeMap<Utf8PathBuf, File>> {
    let crates = built.crates.iter().map(|(path, package)| (path, package, Server::Crate(package.clone())));
    let others = built.archives.iter().map(|(path, package)| (path, package, Server::Archive(file_name(path))));
    let all: Vec<_> = crates.chain(others).collect();
    let read = all.into_par_iter().map(|(path, package, server)| {
        let archive = archive::read(path, wanted)?;
        Ok((path.clone(), File { path: path.clone(), package: package.clone(), server, archive }))
    });
    read.collect()
}

/// Adds a name once. The forms of a function are adjacent.
fn add(functions: &mut Vec<String>, name: &str) {
    if functions.last().is_none_or(|last| last != name) {
        functions.push(name.to_owned());
    }
}

fn file_name(path: &Utf8Path) -> String {
    path.file_name().unwrap_or(path.as_str()).to_owned()
}

/// Where the code of each function of a domain comes from. A crate that bundles the code takes precedence over the
/// archive that it was made from.
fn served(domain: &DomainPlan, defining: &[&File], images: &[(&Program, Image)]) -> Vec<Served> {
    let mut by_server: BTreeMap<Server, Vec<String>> = BTreeMap::new();
    for function in &domain.functions {
        let symbol = function.symbol();
        let linked = images.iter().any(|(_, image)| image.globals.contains_key(symbol));
        let mut servers: Vec<_> = defining
            .iter()
            .filter(|file| linked && file.archive.functions.contains(symbol))
            .map(|file| file.server.clone())
            .collect();
        servers.sort();
        let importing = images.iter().filter(|(_, image)| image.imported.contains(symbol));
        let needed: BTreeSet<_> = importing.flat_map(|(_, image)| image.needed.iter().cloned()).collect();
        let shared = (!needed.is_empty()).then(|| Server::Shared(needed.into_iter().collect()));
        let server = servers.into_iter().next().or(shared).unwrap_or(Server::Nobody);
        add(by_server.entry(server).or_default(), &function.name);
    }
    let served = by_server.into_iter();
    served.map(|(by, functions)| Served { domain: domain.name.clone(), by, functions }).collect()
}

/// Archives that come with the compiler. No build script produces them, and the linker finds them in the compiler's
/// directories.
const OF_COMPILERS: [&str; 7] = ["libstdc++", "libsupc++", "libc++", "libc++abi", "libgcc", "libgcc_eh", "libunwind"];

/// Names in `archives` that match no file of the build, or for which programs use a shared object instead.
fn unknown_archives(domain: &DomainPlan, built: &Built, images: &[(&Program, Image)]) -> Vec<Problem> {
    let inputs = || built.archives.keys().map(|path| file_name(path)).collect::<BTreeSet<_>>();
    let objects = || images.iter().flat_map(|(_, image)| image.needed.iter().cloned()).collect::<BTreeSet<_>>();
    let unknown = domain.archives.iter().filter_map(|archive| {
        let of_compiler = archive.strip_suffix(".a").filter(|name| OF_COMPILERS.contains(name));
        if let Some(name) = of_compiler {
            let (program, object) = instead(domain, images, name)?;
            let (domain, archive) = (domain.name.clone(), archive.clone());
            return Some(Problem::SharedInstead { domain, archive, program, object });
        }
        let known = if archive.ends_with(".a") { inputs() } else { objects() };
        if known.iter().any(|name| name.contains(&**archive)) {
            return None;
        }
        let nearest = nearest::nearest(archive, known.iter().map(String::as_str)).map(str::to_owned);
        let known = known.into_iter().collect();
        Some(Problem::NoSuchArchive { domain: domain.name.clone(), archive: archive.clone(), nearest, known })
    });
    unknown.collect()
}

/// A program that contains a domain's wrappers and uses a shared object in place of an archive.
fn instead(domain: &DomainPlan, images: &[(&Program, Image)], name: &str) -> Option<(String, String)> {
    let shared = format!("{name}.so");
    let with_wrappers = images.iter().filter(|(_, image)| image.range(&domain.name, "data").is_some());
    let needed = |(program, image): &(&Program, Image)| {
        let object = image.needed.iter().find(|object| object.starts_with(&shared))?;
        Some((program.name.clone(), object.clone()))
    };
    with_wrappers.filter_map(needed).next()
}

impl Linked {
    /// Checks the addresses of the library's variables in one program.
    fn variables(&mut self, domain: &DomainPlan, defining: &[&File], program: &Program, image: &Image) {
        let edges = (image.range(&domain.name, "data"), image.range(&domain.name, "bss"));
        // A program without the wrappers never enters the domain.
        let (Some(data), Some(bss)) = edges else { return };
        let imported: Vec<_> =
            domain.functions.iter().filter(|function| image.imported.contains(function.symbol())).collect();
        let names_object = domain.archives.iter().any(|archive| image.needed.contains(archive));
        if !imported.is_empty() && !names_object {
            self.problems.push(Problem::SharedObject {
                domain: domain.name.clone(),
                program: program.name.clone(),
                functions: imported.iter().map(|function| function.name.clone()).collect(),
                needed: image.needed.clone(),
            });
        }
        let inside = |address: &u64| data.contains(address) || bss.contains(address);
        let (mut found, mut outside, mut from) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let served = |file: &&&File| {
            let linked = |function: &FunctionPlan| {
                image.globals.contains_key(function.symbol()) && file.archive.functions.contains(function.symbol())
            };
            domain.functions.iter().any(linked)
        };
        for file in defining.iter().filter(served) {
            for (global, count) in &file.archive.writable {
                let addresses = image.addresses(global);
                let there = addresses.iter().filter(|address| inside(address)).count();
                if there > 0 {
                    found.insert(global);
                }
                // A variable of another file may have the same name. But then all of the library's own are inside.
                if there < addresses.len() && there < *count {
                    outside.insert(global.name.clone());
                    from.insert(file.server.clone());
                }
            }
        }
        self.variables = self.variables.max(found.len());
        if !outside.is_empty() {
            self.problems.push(Problem::OutsideOfDomain {
                domain: domain.name.clone(),
                program: program.name.clone(),
                variables: outside.into_iter().collect(),
                from: from.into_iter().collect(),
            });
        }
    }
}

impl Image {
    fn addresses(&self, global: &Global) -> Vec<u64> {
        match global.file {
            Some(_) => self.locals.get(global).cloned().unwrap_or_default(),
            None => self.globals.get(&global.name).copied().into_iter().collect(),
        }
    }
}

/// References from anything other than a wrapper, without duplicates: the code of a crate is also in its programs.
fn outside<'r>(wrappers: &[String], all: impl Iterator<Item = (&'r Reference, &'r str)>) -> Vec<Outside> {
    let mut found: BTreeMap<(String, Option<String>, bool), String> = BTreeMap::new();
    for (reference, within) in all {
        let by = reference.by.as_ref().map(|by| format!("{:#}", rustc_demangle::demangle(by)));
        if by.as_ref().is_some_and(|by| is_wrapper(wrappers, by)) {
            continue;
        }
        found.entry((reference.symbol.clone(), by, reference.data)).or_insert_with(|| within.to_owned());
    }
    found
        .into_iter()
        .map(|((symbol, by, data), within)| Outside { symbol, by, data, within, excepted: false })
        .collect()
}

/// The path prefixes of the wrappers.
fn modules(built: &Built, targets: &[Target]) -> Vec<String> {
    let of = |target: &Target| {
        let crates = built.names.get(&target.package).into_iter().flatten();
        let domains = crates.flat_map(|name| target.domains.iter().map(move |domain| (name, domain)));
        domains.map(|(name, domain)| format!("{name}::isolated::{domain}::")).collect::<Vec<_>>()
    };
    targets.iter().flat_map(of).collect()
}

/// Whether a function belongs to a wrapper's module, or is an instantiation of the runtime or the standard library with
/// a wrapper's closure.
fn is_wrapper(wrappers: &[String], by: &str) -> bool {
    let is_path = |at: usize| !by[..at].ends_with(|before: char| before.is_alphanumeric() || "_:".contains(before));
    let names = |wrappers: &String| by.match_indices(&**wrappers).any(|(at, _)| is_path(at));
    by.trim_start_matches('<').starts_with("isolate_rt::") || wrappers.iter().any(names)
}

fn unseen(plan: &Plan, archives: &BTreeMap<Utf8PathBuf, File>, images: &[(&Program, Image)]) -> Vec<String> {
    let bitcode = archives.values().filter(|file| file.archive.bitcode).map(|file| &*file.package);
    let bitcode: BTreeSet<_> = bitcode.collect();
    let bitcode = bitcode.into_iter().map(|package| {
        format!("`{package}` was compiled for link-time optimisation: its objects hold no code yet, only programs were checked")
    });
    let of_archives = archives.iter().flat_map(|(path, file)| {
        file.archive.unread.iter().map(move |why| format!("`{}` was not read in full: {why}", file_name(path)))
    });
    let of_programs =
        images.iter().filter_map(|(program, image)| Some(format!("`{}` {}", program.name, image.unread?)));
    let has_domain = |image: &Image| plan.domains.iter().any(|domain| image.range(&domain.name, "data").is_some());
    let hosts = images.iter().filter(|(program, image)| program.shared && has_domain(image)).map(|(program, _)| {
        format!("`{}` has wrappers, and no domain can be made there: they work in programs", program.name)
    });
    bitcode.chain(of_archives).chain(of_programs).chain(hosts).collect()
}

#[cfg(test)]
mod tests {
    #[track_caller]
    fn check(by: &str, expected: bool) {
        assert_eq!(super::is_wrapper(&["app::isolated::zlib::".to_owned()], by), expected);
    }

    #[test]
    fn wrappers_are_known_by_crate_and_module() {
        check("app::isolated::zlib::deflate", true);
        check("app::isolated::zlib::deflate::{{closure}}", true);
        check("<app::isolated::zlib::deflate::{closure#0} as core::ops::FnOnce>::call_once", true);
        check("isolate_rt::call::Call::run", true);
        check("<isolate_rt::call::Call>::run::<i32, app::isolated::zlib::deflate::{closure#0}>", true);
        check("app::isolated::zlib_raw::deflate", false);
        check("app::raw::deflate", false);
        check("other::isolated::zlib::deflate", false);
        check("my_app::isolated::zlib::deflate", false);
        check("other::app::isolated::zlib::deflate", false);
    }
}
