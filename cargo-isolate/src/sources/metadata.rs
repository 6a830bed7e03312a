//! `cargo metadata` → packages and the root file of each target.

use super::{
    Expands, LoadError, Request,
    cache::{self, Cache},
    cfg, expand,
    expansion::Expanded,
    lock,
};
use crate::{
    glob::Glob,
    graph::{Graph, Package, Role},
    nearest::nearest,
};
use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{DependencyKind, Metadata, NodeDep, PackageId, TargetKind};
use isolate_lints::{
    Edition,
    cfg::{Configs, Script},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    env,
    sync::Arc,
};

/// The graph without its files, and the root files to start from.
pub(super) struct Loaded {
    pub(super) graph: Graph,
    /// Sorted by package, then by [`Role`], then in cargo's order.
    pub(super) targets: Vec<Target>,
    /// By package: its source id and checksum, if it is cargo's own copy of a package from a registry.
    pub(super) identities: Vec<Option<String>>,
    /// Crates that were built to expand their macros.
    pub(super) expanded: Vec<Expanded>,
}

/// A crate to scan.
pub(super) struct Target {
    /// Index in [`Graph::packages`].
    pub(super) package: usize,
    pub(super) role: Role,
    pub(super) krate: String,
    pub(super) root: Utf8PathBuf,
    pub(super) edition: Edition,
    pub(super) configs: Arc<Configs>,
}

pub(super) fn read(request: &Request, cache: &Cache, expands: Expands<'_>) -> Result<Loaded, LoadError> {
    let (metadata, platforms) = rayon::join(|| command(request, cache).exec(), || cfg::Platforms::ask(request, cache));
    // For an unknown target, cargo's error is the same as the compiler's, only longer.
    let platforms = match platforms {
        Err(error @ LoadError::Compiler { target: Some(_), .. }) => return Err(error),
        platforms => platforms,
    };
    let metadata = metadata.map_err(|error| match error {
        cargo_metadata::Error::CargoMetadata { stderr } => LoadError::Cargo { stderr },
        error => LoadError::Metadata(error),
    })?;
    let selected = select(request, &metadata)?;
    let request = &Request { expand: request.expand || expands(&metadata.workspace_root), ..request.clone() };
    let built = if request.expand { Some(expand::run(request, &metadata, &selected)?) } else { None };
    let platforms = platforms?;
    Ok(build(&metadata, &selected, &platforms, platforms.conditions(request), built))
}

/// A compiler wrapper that does nothing but run the compiler. With an empty variable, cargo (1.95) runs no wrapper
/// either, but does not cache the compiler's answers.
const NO_WRAPPER: &str = if cfg!(unix) { "env" } else { "" };

fn command(request: &Request, cache: &Cache) -> cargo_metadata::MetadataCommand {
    let mut command = request.manifest.metadata();
    // Cargo runs the compiler to query its version. `.cargo/config.toml` of the scanned tree may name another program
    // or a wrapper; the environment overrides it, so that nothing from the tree runs.
    command.env("RUSTC", env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command.env("RUSTC_WRAPPER", NO_WRAPPER).env("RUSTC_WORKSPACE_WRAPPER", NO_WRAPPER);
    // Cargo caches the compiler's answers in its build directory. Without this, it would start the compiler twice more
    // in a workspace that was never built.
    if let Some(directory) = cache.for_cargo() {
        command.env("CARGO_BUILD_BUILD_DIR", directory);
    }
    // Not `Features::forward_metadata`: an empty feature list would be passed on as `--features ""`.
    let mut options = request.resolution();
    if request.target.is_empty() {
        options.push("--filter-platform=host-tuple".to_owned());
    } else if !request.target.iter().any(|triple| triple == "all") {
        options.extend(request.target.iter().map(|triple| format!("--filter-platform={triple}")));
    }
    command.other_options(options);
    command
}

/// The members to report on: all, unless the command line says otherwise. Cargo's `default-members` are ignored because
/// they are about building. An audit that silently omitted members could be mistaken for a clean result.
fn select<'m>(request: &Request, metadata: &'m Metadata) -> Result<BTreeSet<&'m PackageId>, LoadError> {
    let flags = &request.workspace;
    let members = metadata.workspace_packages();
    let mut selected = BTreeSet::new();
    if flags.package.is_empty() || flags.workspace || flags.all {
        selected.extend(members.iter().map(|package| &package.id));
    }
    for spec in &flags.package {
        selected.extend(matching("--package", spec, &members)?);
    }
    for spec in &flags.exclude {
        for id in matching("--exclude", spec, &members)? {
            selected.remove(id);
        }
    }
    Ok(selected)
}

/// The members that match `name`, `name@version` or a glob of names.
fn matching<'m>(
    flag: &'static str,
    spec: &str,
    members: &[&'m cargo_metadata::Package],
) -> Result<Vec<&'m PackageId>, LoadError> {
    let (name, version) = match spec.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (spec, None),
    };
    let glob = Glob::new(name).map_err(|why| LoadError::BadSpec { flag, spec: spec.to_owned(), why })?;
    let found: Vec<_> = members
        .iter()
        .filter(|package| glob.is_match(package.name.as_str()))
        .filter(|package| version.is_none_or(|version| package.version.to_string() == version))
        .map(|package| &package.id)
        .collect();
    if found.is_empty() {
        return Err(LoadError::NoSuchPackage {
            flag,
            spec: spec.to_owned(),
            nearest: nearest(spec, members.iter().map(|package| package.name.as_str())).map(str::to_owned),
        });
    }
    Ok(found)
}

fn build(
    metadata: &Metadata,
    selected: &BTreeSet<&PackageId>,
    platforms: &cfg::Platforms,
    conditions: String,
    built: Option<expand::Build>,
) -> Loaded {
    let expanded = built.is_some();
    let mut built = built.unwrap_or_default();
    let members: BTreeSet<_> = metadata.workspace_members.iter().collect();
    let mut sorted: Vec<_> = metadata.packages.iter().collect();
    sorted.sort_by_key(|package| {
        let dependency = !members.contains(&package.id);
        (dependency, &package.name, &package.version, &package.id)
    });
    let index: HashMap<_, _> = sorted.iter().enumerate().map(|(index, package)| (&package.id, index)).collect();
    let mut externs: HashMap<_, BTreeMap<_, _>> = HashMap::new();
    let mut features: HashMap<_, BTreeSet<String>> = HashMap::new();
    let for_host = for_host(metadata);
    for node in metadata.resolve.iter().flat_map(|resolve| &resolve.nodes) {
        features.insert(&node.id, node.features.iter().map(ToString::to_string).collect());
        let named = node
            .deps
            .iter()
            .filter(|dep| !dep.name.is_empty())
            .filter_map(|dep| Some((dep.name.clone(), *index.get(&dep.pkg)?)));
        externs.insert(&node.id, named.collect());
    }

    let crates = built.crates.into_iter().filter_map(|(id, target, text)| {
        let (package, role) = (*index.get(&id)?, role(&target.kind, true)?);
        Some(Expanded { package, role, krate: target.name.replace('-', "_"), text })
    });
    let mut crates: Vec<Expanded> = crates.collect();
    // Cargo lists crates in the order in which they finished.
    crates.sort_by(|a, b| (a.package, a.role, &a.krate, &a.text).cmp(&(b.package, b.role, &b.krate, &b.text)));

    let checksums = checksums(&metadata.workspace_root);
    let unpacked = cache::unpacked();

    let mut targets = Vec::new();
    let mut packages = Vec::new();
    let mut identities = Vec::new();
    for (position, package) in sorted.into_iter().enumerate() {
        let member = members.contains(&package.id);
        let mut lib = None;
        let has_script = package.targets.iter().any(|target| target.kind.contains(&TargetKind::CustomBuild));
        let ran = built.scripts.remove(&package.id);
        let script = match &ran {
            Some(ran) => Script::Ran(Arc::new(ran.cfgs.clone())),
            None if has_script => Script::Unseen,
            None => Script::None,
        };
        let known = cfg::Package {
            features: Arc::new(features.remove(&package.id).unwrap_or_default()),
            script,
            for_host: for_host.contains(&package.id),
        };
        for target in &package.targets {
            let Some(role) = role(&target.kind, member) else {
                continue;
            };
            let krate = target.name.replace('-', "_");
            if role == Role::ProcMacro || target.kind.iter().any(is_library) {
                lib = Some(krate.clone());
            }
            targets.push(Target {
                configs: Arc::new(platforms.configs(&known, role)),
                package: position,
                role,
                krate,
                root: target.src_path.clone(),
                // Cargo refuses editions that it does not know. One that is newer than the scanner is best parsed as
                // the newest known edition.
                edition: target.edition.as_str().parse().unwrap_or(Edition::E2024),
            });
        }
        let is_unpacked = unpacked.as_ref().is_some_and(|unpacked| package.manifest_path.starts_with(unpacked));
        let source = package.source.as_ref().filter(|_| is_unpacked).map(|source| source.repr.clone());
        identities.push(source.and_then(|source| {
            let named = (package.name.to_string(), package.version.to_string(), source);
            let checksum = checksums.get(&named)?;
            Some(format!("{}#{}@{} {checksum}", named.2, named.0, named.1))
        }));
        packages.push(Package {
            name: package.name.to_string(),
            version: package.version.to_string(),
            key: package.id.clone(),
            root: package.manifest_path.parent().map_or_else(Utf8PathBuf::new, ToOwned::to_owned),
            member,
            local: package.source.is_none(),
            selected: selected.contains(&package.id),
            links: package.links.clone(),
            out_dir: ran.map(|ran| ran.out_dir),
            lib,
            externs: externs.remove(&package.id).unwrap_or_default(),
            files: Vec::new(),
            gaps: Vec::new(),
        });
    }
    targets.sort_by_key(|target| (target.package, target.role));
    Loaded {
        graph: Graph {
            root: metadata.workspace_root.clone(),
            target: metadata.target_directory.clone(),
            platforms: platforms.names(),
            conditions,
            expanded,
            packages,
        },
        targets,
        identities,
        expanded: crates,
    }
}

/// Checksums from `Cargo.lock` by name, version and source. If the file cannot be read there are none, which only costs
/// time.
fn checksums(root: &Utf8Path) -> HashMap<(String, String, String), String> {
    let packages = lock::locked(root).into_iter().flatten();
    packages.filter_map(|locked| Some(((locked.name, locked.version, locked.source?), locked.checksum?))).collect()
}

/// The packages that build scripts and procedural macros depend on, and the procedural macros.
fn for_host(metadata: &Metadata) -> HashSet<&PackageId> {
    let nodes: HashMap<_, _> =
        metadata.resolve.iter().flat_map(|resolve| &resolve.nodes).map(|node| (&node.id, node)).collect();
    let macros = metadata.packages.iter().filter(|package| package.targets.iter().any(|target| target.is_proc_macro()));
    let build = |dep: &&NodeDep| dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Build);
    let mut open: Vec<&PackageId> = macros.map(|package| &package.id).collect();
    open.extend(nodes.values().flat_map(|node| node.deps.iter().filter(build)).map(|dep| &dep.pkg));
    let mut found = HashSet::new();
    while let Some(id) = open.pop() {
        if found.insert(id) {
            let normal = |dep: &&NodeDep| dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal);
            open.extend(nodes.get(id).iter().flat_map(|node| node.deps.iter().filter(normal)).map(|dep| &dep.pkg));
        }
    }
    found
}

/// The role of a target; `None` if it is never built with the workspace, such as tests of a dependency.
fn role(kinds: &[TargetKind], member: bool) -> Option<Role> {
    let is = |kind: TargetKind| kinds.contains(&kind);
    match () {
        () if is(TargetKind::ProcMacro) => Some(Role::ProcMacro),
        () if is(TargetKind::CustomBuild) => Some(Role::BuildScript),
        () if kinds.iter().any(is_library) => Some(Role::Main),
        () if !member => None,
        () if is(TargetKind::Bin) => Some(Role::Main),
        () if is(TargetKind::Test) => Some(Role::Test),
        () if is(TargetKind::Bench) => Some(Role::Bench),
        () if is(TargetKind::Example) => Some(Role::Example),
        () => None,
    }
}

fn is_library(kind: &TargetKind) -> bool {
    matches!(kind, TargetKind::Lib | TargetKind::RLib | TargetKind::DyLib | TargetKind::CDyLib | TargetKind::StaticLib)
}
