//! Which package gets the wrappers, and by which paths its code names foreign functions and types.

use super::{
    no_std::{Std, std_of},
    optional::optional,
    write::is_ours,
};
use crate::{
    contract::{
        shape::TypePath,
        sight::{Viewer, hides, shown},
    },
    graph::{Graph, Package, Role},
    names,
    plan::{Crossing, DomainPlan, FunctionPlan, Plan},
};
use camino::{Utf8Path, Utf8PathBuf};
use isolate_lints::Edition;
use std::collections::{BTreeMap, BTreeSet};

/// A package that gets wrappers.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Its index in the graph.
    pub(crate) index: usize,
    pub(crate) package: String,
    /// Directory of its `Cargo.toml`.
    pub(crate) root: Utf8PathBuf,
    /// Its crate root, where `mod isolated;` goes.
    pub(crate) crate_root: Utf8PathBuf,
    /// Names of the domains whose functions it calls.
    pub(crate) domains: BTreeSet<String>,
    /// The policy's path, for the headers.
    pub(crate) policy: String,
    /// Module that a foreign item is reached through from this package: `libz_sys`, `crate::ffi`.
    pub(crate) paths: BTreeMap<TypePath, String>,
    /// Its crate has std, and not the names that other crates find everywhere.
    pub(super) without_prelude: bool,
    /// Under which predicate a package is there that it depends on with some features only, by its index.
    optional: BTreeMap<usize, Vec<String>>,
    /// Fields of structs of other members, which these keep to themselves.
    pub(super) hidden: BTreeSet<(TypePath, String)>,
    /// Every wrapper is there in every build.
    unconditional: bool,
    /// Directory of the workspace's `Cargo.toml`.
    pub(super) workspace: Utf8PathBuf,
    pub(super) edition: Edition,
}

/// Why no package can get the wrappers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    #[error(
        "no package of this workspace calls a function of the domain `{domain}`; say which gets the wrappers: `--package`"
    )]
    NoCaller { domain: String },
    #[error("{} call functions of the domain `{domain}`, which exists once in a process; say which gets the wrappers: `--package`", .callers.join(" and "))]
    SeveralCallers { domain: String, callers: Vec<String> },
    #[error(
        "`{package}` does not depend on `{dependency}`, which declares `{name}`; add it: `cargo add --package {package} {dependency}`"
    )]
    NoDependency { package: String, dependency: String, name: String },
    #[error(
        "`{package}` cannot name `{name}`, which is private to `{dependency}`, or in a module that is: make them `pub`, or re-export the name"
    )]
    Hidden { package: String, dependency: String, name: String },
    #[error(
        "`{holder}` has the wrappers of the domain `{domain}`, which exists once in a process: leave out `--package`, or remove `{file}` first to move them to `{chosen}`"
    )]
    HeldElsewhere { domain: String, holder: String, file: Utf8PathBuf, chosen: String },
    #[error("a domain exists once in a process, so only one package can have its wrappers: give one `--package`")]
    SeveralPackages,
    #[error(
        "the policy isolates no function: uncomment the `[domain.…]` and `[[isolate]]` tables that `cargo isolate init` proposed, or add an `[[isolate]]` with `domain = \"zlib\"` and `extern = [\"crc32\"]`"
    )]
    NothingIsolated,
    #[error("`{package}` has neither a library nor a binary")]
    NoCrate { package: String },
    #[error(
        "the crate root of `{package}`, `{root}`, is outside the package's directory, so no module can be added there: choose another package with `--package`"
    )]
    RootOutside { package: String, root: Utf8PathBuf },
    #[error(
        "`{package}` is `#![no_std]` ({root}), and wrappers need std, as the runtime does: say `extern crate std;` there, or give them to a package that has it: `--package`"
    )]
    NoStd { package: String, root: Utf8PathBuf },
    #[error(
        "the wrappers of the domain `main` would be `{file}`, which cargo takes for a program of its own: give the domain another name"
    )]
    Program { file: Utf8PathBuf },
}

/// Finds the packages that get wrappers: those that have them already, else those that call the functions. Given a
/// `package`, it gets those of every domain that no other has yet.
pub(crate) fn targets(
    graph: &Graph,
    plan: &Plan,
    package: Option<usize>,
    policy: &str,
) -> Result<Vec<Target>, TargetError> {
    let mut domains: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let mut elsewhere = None;
    for domain in plan.domains.iter().filter(|domain| !domain.functions.is_empty()) {
        let index = match (package, &holders(graph, domain)[..]) {
            // Another package's, and none of this one's business: a domain exists once in a process.
            (Some(index), [holder]) if index != *holder => {
                elsewhere.get_or_insert_with(|| held_elsewhere(graph, domain, *holder, index));
                continue;
            }
            (Some(index), _) => index,
            (None, [holder]) => *holder,
            (None, _) => caller(graph, domain)?,
        };
        domains.entry(index).or_default().insert(domain.name.clone());
    }
    if domains.is_empty() {
        return Err(elsewhere.unwrap_or(TargetError::NothingIsolated));
    }
    domains.into_iter().map(|(index, domains)| target(graph, plan, index, domains, policy)).collect()
}

fn held_elsewhere(graph: &Graph, domain: &DomainPlan, holder: usize, chosen: usize) -> TargetError {
    let holder = &graph.packages[holder];
    TargetError::HeldElsewhere {
        domain: domain.name.clone(),
        holder: holder.name.clone(),
        file: wrappers_of(holder, domain).map(|file| graph.relative(&file)).unwrap_or_default(),
        chosen: graph.packages[chosen].name.clone(),
    }
}

/// The member that calls the domain's functions; else the one whose code is written for the wrappers already; else the
/// one that declares the functions.
fn caller(graph: &Graph, domain: &DomainPlan) -> Result<usize, TargetError> {
    let symbols: BTreeSet<&str> = domain.functions.iter().map(|function| function.symbol()).collect();
    let names = names::Names::new(graph);
    let callers: BTreeSet<usize> = names
        .foreign_calls()
        .calls
        .iter()
        .filter(|call| symbols.contains(call.item.symbol()))
        .map(|call| names.origin(call.caller))
        .filter(|(package, file)| {
            let package = &graph.packages[*package];
            package.member && package.files[*file].role == Role::Main
        })
        .map(|(package, _)| package)
        .collect();
    let callers: Vec<_> = callers.into_iter().collect();
    let declares =
        || domain.functions.iter().map(|function| function.declared.index).find(|i| graph.packages[*i].member);
    match &callers[..] {
        [one] => Ok(*one),
        [] => expects_wrappers(graph, domain)
            .or_else(declares)
            .ok_or_else(|| TargetError::NoCaller { domain: domain.name.clone() }),
        several => Err(TargetError::SeveralCallers {
            domain: domain.name.clone(),
            callers: several.iter().map(|index| format!("`{}`", graph.packages[*index].name)).collect(),
        }),
    }
}

/// The one member whose code names the module of the domain's wrappers, written or still to come.
fn expects_wrappers(graph: &Graph, domain: &DomainPlan) -> Option<usize> {
    let module = ["isolated", &domain.name];
    let names = |path: &str| {
        let segments: Vec<_> =
            path.split("::").skip_while(|segment| matches!(*segment, "crate" | "self" | "super")).collect();
        segments.starts_with(&module)
    };
    let expects = |index: &usize| {
        let package = &graph.packages[*index];
        let facts = || package.files.iter().filter(|file| file.role == Role::Main).map(|file| &file.facts);
        let mut paths = facts()
            .flat_map(|facts| facts.calls.iter().chain(&facts.mentions).map(|call| &call.path))
            .chain(facts().flat_map(|facts| facts.imports.iter().map(|import| &import.path)));
        package.member && paths.any(|path| names(path))
    };
    let mut members = (0..graph.packages.len()).filter(expects);
    members.next().filter(|_| members.next().is_none())
}

/// Members whose folder of wrappers has the domain's already: the choice was made.
fn holders(graph: &Graph, domain: &DomainPlan) -> Vec<usize> {
    let members = (0..graph.packages.len()).filter(|index| graph.packages[*index].member);
    members
        .filter(|index| {
            let file = wrappers_of(&graph.packages[*index], domain);
            file.and_then(|file| std::fs::read_to_string(file).ok()).is_some_and(|text| is_ours(&text))
        })
        .collect()
}

/// Where a domain's wrappers lie in a package, which has a crate.
fn wrappers_of(package: &Package, domain: &DomainPlan) -> Option<Utf8PathBuf> {
    Some(directory(package)?.join(format!("{}.rs", domain.name)))
}

/// Where a package's wrappers lie: where `mod isolated;` in its crate root looks for them.
pub(super) fn directory(package: &Package) -> Option<Utf8PathBuf> {
    Some(beside(&package.crate_root()?.path))
}

fn beside(crate_root: &Utf8Path) -> Utf8PathBuf {
    crate_root.with_file_name("isolated")
}

/// The one package that `--package` names, if it names any.
pub(crate) fn chosen(graph: &Graph, workspace: &clap_cargo::Workspace) -> Result<Option<usize>, TargetError> {
    if workspace.package.is_empty() {
        return Ok(None);
    }
    let selected = |index: &usize| graph.packages[*index].member && graph.packages[*index].selected;
    let mut selected = (0..graph.packages.len()).filter(selected);
    match (selected.next(), selected.next()) {
        (Some(one), None) => Ok(Some(one)),
        _ => Err(TargetError::SeveralPackages),
    }
}

fn target(
    graph: &Graph,
    plan: &Plan,
    index: usize,
    domains: BTreeSet<String>,
    policy: &str,
) -> Result<Target, TargetError> {
    let package = &graph.packages[index];
    let no_crate = || TargetError::NoCrate { package: package.name.clone() };
    let crate_root = package.crate_root().ok_or_else(no_crate)?;
    if !crate_root.path.starts_with(&package.root) {
        return Err(TargetError::RootOutside { package: package.name.clone(), root: graph.relative(&crate_root.path) });
    }
    let std = std_of(crate_root);
    if std == Std::Nothing {
        return Err(TargetError::NoStd { package: package.name.clone(), root: graph.relative(&crate_root.path) });
    }
    // `src/bin/*/main.rs` are programs without a word in the manifest.
    if crate_root.path.parent() == Some(&package.root.join("src/bin")) && domains.contains("main") {
        return Err(TargetError::Program { file: graph.relative(&beside(&crate_root.path).join("main.rs")) });
    }
    let (mut paths, mut hidden) = (BTreeMap::new(), BTreeSet::new());
    let is_hidden = |item: &TypePath, field: &str| {
        let is_other_members = item.package != index && graph.packages[item.package].member;
        is_other_members && hides(graph, item, field, Viewer::Other)
    };
    for domain in plan.domains.iter().filter(|domain| domains.contains(&domain.name)) {
        let functions = domain.functions.iter().filter(|function| is_wrapped_in(index, function));
        let behind = domain.objects.iter().flat_map(|object| &object.read).flat_map(|field| {
            let mut items = Vec::new();
            field.shape.types(&mut items);
            items.into_iter().cloned().collect::<Vec<_>>()
        });
        for item in functions.flat_map(foreign_items).chain(behind) {
            let path = reach(graph, index, &item)?;
            paths.insert(item, path);
        }
        if let Some((item, field)) = domain.named_fields().find(|(item, field)| is_hidden(item, field)) {
            return Err(TargetError::Hidden {
                package: package.name.clone(),
                dependency: graph.packages[item.package].name.clone(),
                name: format!("{}.{field}", item.name),
            });
        }
        // What lies within others has no need of a name, but for a question about its fields.
        for Crossing { path: item, fields, .. } in &domain.crossing {
            let fields = fields.iter().filter(|(field, _)| is_hidden(item, field));
            hidden.extend(fields.map(|(field, _)| (item.clone(), field.clone())));
            if let Ok(path) = reach(graph, index, item) {
                paths.entry(item.clone()).or_insert(path);
            }
        }
    }
    Ok(Target {
        index,
        package: package.name.clone(),
        root: package.root.clone(),
        crate_root: crate_root.path.clone(),
        domains,
        policy: policy.to_owned(),
        paths,
        without_prelude: std == Std::Named,
        optional: optional(package).into_iter().map(|(index, predicate)| (index, vec![predicate])).collect(),
        hidden,
        unconditional: false,
        workspace: graph.root.clone(),
        edition: crate_root.edition,
    })
}

/// A package's wrappers can stand under its own features only: what another package leaves out of the build has none.
fn is_wrapped_in(package: usize, function: &FunctionPlan) -> bool {
    !function.declared.dormant || function.declared.index == package
}

/// The function, and every type that its wrapper's signature may name.
fn foreign_items(function: &FunctionPlan) -> Vec<TypePath> {
    let mut types = Vec::new();
    let shapes = function.params.iter().map(|param| &param.shape).chain(function.ret.iter().map(|ret| &ret.shape));
    shapes.for_each(|shape| shape.types(&mut types));
    std::iter::once(function_path(function)).chain(types.into_iter().cloned()).collect()
}

pub(super) fn function_path(function: &FunctionPlan) -> TypePath {
    let declared = &function.declared;
    TypePath { package: declared.index, module: declared.module.clone(), name: function.name.clone() }
}

/// The path of the module through which `from` names `item`.
fn reach(graph: &Graph, from: usize, item: &TypePath) -> Result<String, TargetError> {
    let package = &graph.packages[from];
    let (krate, module) = if item.package == from {
        // What cannot be named there was refused by the plan.
        ("crate", shown(graph, item, Viewer::Same).unwrap_or_else(|_| item.module.clone()))
    } else {
        let name = package.externs.iter().find(|(_, index)| **index == item.package).map(|(name, _)| &**name);
        let dependency = &graph.packages[item.package].name;
        let missing = || TargetError::NoDependency {
            package: package.name.clone(),
            dependency: dependency.clone(),
            name: item.name.clone(),
        };
        let hidden = || TargetError::Hidden {
            package: package.name.clone(),
            dependency: dependency.clone(),
            name: item.name.clone(),
        };
        (name.ok_or_else(missing)?, shown(graph, item, Viewer::Other).map_err(|_| hidden())?)
    };
    Ok([krate.to_owned()].into_iter().chain(module).collect::<Vec<_>>().join("::"))
}

impl Target {
    /// Where the generated files go.
    pub(crate) fn directory(&self) -> Utf8PathBuf {
        beside(&self.crate_root)
    }

    /// Where the linker fragment goes, from the package's directory.
    pub(super) fn fragment(&self) -> String {
        let path = self.directory().join("isolate.ld");
        // With slashes, which every platform reads.
        let within = path.strip_prefix(&self.root).unwrap_or(&path).components();
        within.map(|part| part.as_str()).collect::<Vec<_>>().join("/")
    }

    /// Sends every foreign name through another module, so that stubs can take the place of the real functions:
    /// `redirect` gets each module path (`libz_sys`) and gives the one to import instead.
    pub(crate) fn redirected(mut self, redirect: impl Fn(&str) -> String) -> Target {
        for path in self.paths.values_mut() {
            *path = redirect(path);
        }
        // Stubs are there, whatever the features.
        self.unconditional = true;
        self
    }

    /// The library is made of stubs, and its structs are what the plan read.
    pub(super) fn has_stubs(&self) -> bool {
        self.unconditional
    }

    /// The functions of a domain that its wrappers call, in some build.
    pub(super) fn functions<'p>(&self, domain: &'p DomainPlan) -> impl Iterator<Item = &'p FunctionPlan> {
        let index = self.index;
        domain.functions.iter().filter(move |function| is_wrapped_in(index, function))
    }

    /// Under which predicate the module of a domain stands: that of the one dependency which declares all of its functions.
    pub(super) fn cfg(&self, domain: &DomainPlan) -> Option<&str> {
        let mut declaring = self.functions(domain).map(|function| function.declared.index);
        let first = declaring.next()?;
        let predicate = self.optional.get(&first)?;
        declaring.all(|index| index == first).then(|| &*predicate[0])
    }

    /// Under which predicates the wrapper of a function stands in its module: those of the declaration where they are this
    /// package's, or that of the dependency which declares it.
    pub(super) fn cfgs<'p>(&'p self, domain: &DomainPlan, function: &'p FunctionPlan) -> &'p [String] {
        let declaring = function.declared.index;
        match self.optional.get(&declaring) {
            _ if self.unconditional => &[],
            _ if declaring == self.index => &function.declared.cfgs,
            Some(predicates) if self.cfg(domain).is_none() => predicates,
            _ => &[],
        }
    }
}
