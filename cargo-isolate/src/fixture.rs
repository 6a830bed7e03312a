//! Graphs from text, for tests: one string holds a workspace.

use crate::{
    graph::{Graph, Package, Role, SourceFile},
    policy::{PolicyError, model::Policy},
    text::Text,
};
use camino::Utf8PathBuf;
use isolate_lints::{
    Edition,
    cfg::{CompilerCfg, Config, Configs, Script},
    scan,
};
use std::{collections::BTreeMap, sync::Arc};

/// A build for x86-64 Linux whose features and build scripts are not known.
pub(crate) fn linux() -> Configs {
    let printed = "panic=\"unwind\"\ntarget_abi=\"\"\ntarget_arch=\"x86_64\"\ntarget_endian=\"little\"\n\
        target_env=\"gnu\"\ntarget_family=\"unix\"\ntarget_os=\"linux\"\ntarget_pointer_width=\"64\"\n\
        target_vendor=\"unknown\"\nunix\n";
    let compiler = Some(Arc::new(CompilerCfg::parse(printed)));
    Configs(vec![Config { compiler, script: Script::Unseen, ..Config::default() }])
}

/// Reads `//- package/src/file.rs` sections. The package `app` is the member, and depends on all others; of those, each on
/// every `-sys` package.
pub(crate) fn graph(text: &str) -> Graph {
    let mut packages: BTreeMap<String, Vec<SourceFile>> = BTreeMap::new();
    for section in text.split("//- ").skip(1) {
        let (path, text) = section.split_once('\n').expect("a path and its text");
        let (package, file) = path.trim().split_once("/src/").expect("package/src/file.rs");
        let module = file.trim_end_matches(".rs").split('/');
        let module = module.filter(|part| !matches!(*part, "lib" | "main" | "mod")).map(str::to_owned);
        let files = packages.entry(package.to_owned()).or_default();
        let of_target = files.first().map(|file| file.configs.clone());
        files.push(SourceFile {
            path: Utf8PathBuf::from("/ws").join(path.trim()),
            text: Text::new(text),
            role: Role::Main,
            krate: package.replace('-', "_"),
            edition: Edition::E2021,
            module: module.collect(),
            cfgs: Vec::new(),
            configs: of_target.unwrap_or_else(|| Arc::new(linux())),
            facts: scan(text, Edition::E2021),
            also: Vec::new(),
            expansions: Vec::new(),
        });
    }
    let mut named: Vec<_> = packages.into_iter().collect();
    named.sort_by_key(|(name, _)| name != "app");
    let externs = |of: &str| {
        let depends = |name: &str| match of {
            "app" => name != "app",
            of => !of.ends_with("-sys") && name.ends_with("-sys"),
        };
        let others = named.iter().enumerate().filter(|(_, (name, _))| depends(name));
        others.map(|(index, (name, _))| (name.replace('-', "_"), index)).collect::<BTreeMap<_, _>>()
    };
    let externs: Vec<_> = named.iter().map(|(name, _)| externs(name)).collect();
    let packages = named.into_iter().zip(externs).map(|((name, files), externs)| Package {
        version: "1.0.0".to_owned(),
        key: cargo_metadata::PackageId { repr: name.clone() },
        root: Utf8PathBuf::from("/ws").join(&name),
        member: name == "app",
        local: name == "app",
        selected: name == "app",
        out_dir: None,
        links: None,
        lib: files.iter().any(|file| file.path.ends_with("lib.rs")).then(|| name.replace('-', "_")),
        externs,
        files,
        gaps: Vec::new(),
        name,
    });
    let conditions = "x86_64-linux-gnu".to_owned();
    let platforms = [conditions.clone()].into();
    Graph {
        root: "/ws".into(),
        target: "/ws/target".into(),
        platforms,
        conditions,
        expanded: false,
        packages: packages.collect(),
    }
}

pub(crate) fn policy(text: &str) -> Policy {
    toml::from_str(text).expect("a policy")
}

/// Each mistake as `line:column [place] message`, with its label and help below.
pub(crate) fn mistakes(text: &str, errors: &[PolicyError]) -> String {
    let shown = errors.iter().map(|error| {
        let before = &text[..error.span.start];
        let (line, start) = (before.matches('\n').count() + 1, before.rfind('\n').map_or(0, |at| at + 1));
        let column = before[start..].chars().count() + 1;
        let rest: Vec<_> =
            [&error.label, &error.help].into_iter().flatten().map(|text| format!("\n    {text}")).collect();
        format!("{line}:{column} [{}] {}{}\n", &text[error.span.clone()], error.message, rest.concat())
    });
    shown.collect()
}
