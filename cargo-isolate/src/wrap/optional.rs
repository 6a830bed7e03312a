//! Dependencies that a package has with some of its features, or for some targets, only: their wrappers stand under those.

use crate::graph::Package;
use std::{collections::BTreeMap, fs};
use toml_edit::{DocumentMut, Item, TableLike};

/// The predicate under which each dependency is there that is not always, by its index in the graph. A manifest that cannot be read is
/// for others to name.
pub(super) fn optional(package: &Package) -> BTreeMap<usize, String> {
    let Ok(text) = fs::read_to_string(package.root.join("Cargo.toml")) else { return BTreeMap::new() };
    let Ok(manifest) = text.trim_start_matches('\u{feff}').parse::<DocumentMut>() else { return BTreeMap::new() };
    let predicates = predicates(&manifest);
    let indices = predicates.into_iter().filter_map(|(krate, predicate)| {
        let (_, index) = package.externs.iter().find(|(name, _)| ***name == krate)?;
        Some((*index, predicate))
    });
    indices.collect()
}

/// By the name of the crate in the package's code. A dependency of some targets is there for those.
fn predicates(manifest: &DocumentMut) -> BTreeMap<String, String> {
    let of_targets = manifest.get("target").and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter);
    let of_targets = of_targets.filter_map(|(target, item)| Some((Some(target), item.get("dependencies")?)));
    let tables = of_targets.chain(manifest.get("dependencies").map(|table| (None, table)));
    let mut ways: BTreeMap<&str, Vec<Option<String>>> = BTreeMap::new();
    for (target, table) in tables.filter_map(|(target, table)| Some((target, table.as_table_like()?))) {
        for (name, item) in table.iter() {
            let is_optional = item.get("optional").and_then(Item::as_bool) == Some(true);
            // Of a target that is named by its triple nobody can ask in code.
            let cfg = target.and_then(|target| target.strip_prefix("cfg(")?.strip_suffix(')'));
            ways.entry(name).or_default().push(match is_optional {
                true => Some(predicate(name, manifest)),
                false => cfg.map(str::to_owned),
            });
        }
    }
    let conditional = ways.into_iter().filter_map(|(name, ways)| {
        let mut ways = ways.into_iter().collect::<Option<Vec<_>>>()?;
        ways.dedup();
        Some((name.replace('-', "_"), any(ways)))
    });
    conditional.collect()
}

/// Some feature that turns the dependency on is on.
fn predicate(dependency: &str, manifest: &DocumentMut) -> String {
    let explicit = format!("dep:{dependency}");
    let features = manifest.get("features").and_then(Item::as_table_like).into_iter().flat_map(TableLike::iter);
    let features: Vec<(&str, Vec<&str>)> = features
        .map(|(name, turned_on)| {
            let turned_on = turned_on.as_array().into_iter().flatten();
            (name, turned_on.filter_map(|value| value.as_str()).collect())
        })
        .collect();
    let of_its_own = format!("{dependency}/");
    let turns_on = |turned_on: &[&str]| turned_on.iter().any(|on| *on == explicit || on.starts_with(&of_its_own));
    let mut names: Vec<_> = features.iter().filter(|(_, on)| turns_on(on)).map(|(name, _)| *name).collect();
    // Cargo makes a feature of the dependency's name, unless one names it with `dep:`.
    if !features.iter().any(|(_, on)| on.contains(&&*explicit)) {
        names = vec![dependency];
    }
    any(names.iter().map(|name| format!("feature = \"{name}\"")).collect())
}

fn any(predicates: Vec<String>) -> String {
    match &predicates[..] {
        [one] => one.clone(),
        several => format!("any({})", several.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::predicates;

    #[track_caller]
    fn check(manifest: &str, expected: &[(&str, &str)]) {
        let found = predicates(&manifest.parse().expect("TOML"));
        let found: Vec<_> = found.iter().map(|(name, predicate)| (&**name, &**predicate)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn what_turns_a_dependency_on() {
        check("[dependencies]\nz-sys = \"1\"\n", &[]);
        check("[dependencies]\nz-sys = { version = \"1\", optional = true }\n", &[("z_sys", "feature = \"z-sys\"")]);
        check(
            "[features]\nzip = [\"dep:z-sys\"]\nall = [\"zip\"]\n[dependencies.z-sys]\nversion = \"1\"\noptional = true\n",
            &[("z_sys", "feature = \"zip\"")],
        );
        check(
            "[features]\na = [\"dep:z\"]\nb = [\"z/fast\"]\nc = [\"z?/fast\"]\n[target.'cfg(unix)'.dependencies]\nz = { path = \"z\", optional = true }\n",
            &[("z", "any(feature = \"a\", feature = \"b\")")],
        );
        check(
            "[target.'cfg(windows)'.dependencies]\nz = \"1\"\n[target.'cfg(unix)'.dependencies]\nz = { version = \"1\", optional = true }\n",
            &[("z", "any(windows, feature = \"z\")")],
        );
        check("[target.'cfg(unix)'.dependencies]\nz = \"1\"\n", &[("z", "unix")]);
        check("[target.'cfg(unix)'.dependencies]\nz = \"1\"\n[dependencies]\nz = \"1\"\n", &[]);
        check(
            "[features]\na = [\"z/fast\"]\n[dependencies]\nz = { path = \"z\", optional = true }\n",
            &[("z", "feature = \"z\"")],
        );
    }
}
