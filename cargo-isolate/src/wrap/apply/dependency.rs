//! The dependencies that wrappers need, in the package's manifest.

use super::{EditError, Target, parsed, read};
use crate::installed;
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use isolate_templates::ci::Source;
use toml_edit::{DocumentMut, InlineTable, Item, Table, Value};

/// A crate of this repository that wrappers depend on.
pub(super) struct Needed {
    name: &'static str,
    /// The manifest table that it belongs to.
    key: &'static str,
    /// Its directory in the repository.
    directory: &'static str,
}

pub(super) const RUNTIME: Needed = Needed { name: "isolate-rt", key: "dependencies", directory: "isolate-rt" };
pub(super) const HELPER: Needed =
    Needed { name: "isolate-rt-build", key: "build-dependencies", directory: "isolate-rt/build" };

/// Adds a missing dependency, from the same source as `other` if that is present. An existing dependency is left alone.
pub(super) fn require(
    document: &mut DocumentMut,
    target: &Target,
    needed: &Needed,
    other: &Needed,
) -> Result<(), EditError> {
    let Needed { name, key, .. } = *needed;
    let path = &target.root.join("Cargo.toml");
    let root = workspace(document, target)?;
    let inherited = of_workspace(root.as_ref().unwrap_or(document), name).is_some();
    let source = sibling(document, root.as_ref(), target, needed, other).or_else(|| source_of(needed.directory));
    let position = position(document);
    let new_table = || {
        let mut table = Table::new();
        table.set_position(position);
        Item::Table(table)
    };
    let table = document.entry(key).or_insert_with(new_table);
    let not_a_table = || EditError::Table { path: path.clone(), key };
    let table = table.as_table_like_mut().ok_or_else(not_a_table)?;
    let unfit = |how: &str| EditError::Dependency { path: path.clone(), name: name.to_owned(), how: how.to_owned() };
    let is = |item: &Item, key: &str, value: &str| item.get(key).and_then(Item::as_str) == Some(value);
    if let Some((other, _)) = table.iter().find(|(key, item)| *key != name && is(item, "package", name)) {
        return Err(unfit(&format!("`{other}`")));
    }
    match table.get(name) {
        None if inherited => drop(table.insert(name, Item::Value(inline("workspace", true.into())))),
        None => {
            let source = source.ok_or_else(|| EditError::NoSource { path: path.clone(), name })?;
            table.insert(name, Item::Value(source));
        }
        Some(item) if item.get("optional").and_then(Item::as_bool) == Some(true) => {
            return Err(unfit("an optional dependency"));
        }
        Some(_) => {}
    }
    Ok(())
}

/// The manifest of the workspace, if it is another file.
fn workspace(document: &DocumentMut, target: &Target) -> Result<Option<DocumentMut>, EditError> {
    if target.workspace == target.root || document.get("workspace").is_some() {
        return Ok(None);
    }
    let path = target.workspace.join("Cargo.toml");
    Ok(Some(parsed(&read(&path)?, &path)?))
}

/// The entry for a dependency in `[workspace.dependencies]`.
fn of_workspace<'d>(document: &'d DocumentMut, name: &str) -> Option<&'d Item> {
    document.get("workspace")?.get("dependencies")?.get(name)
}

/// The source of a crate whose sibling `other` is a dependency already: the same checkout, repository or version.
fn sibling(
    document: &DocumentMut,
    workspace: Option<&DocumentMut>,
    target: &Target,
    needed: &Needed,
    other: &Needed,
) -> Option<Value> {
    let own = document.get(other.key).and_then(|table| table.get(other.name));
    let own = own.filter(|own| own.get("workspace").and_then(Item::as_bool) != Some(true));
    match own {
        Some(said) => beside(said, Utf8Path::new(""), needed, other),
        None => {
            let said = of_workspace(workspace.unwrap_or(document), other.name)?;
            // Paths in the workspace's manifest are relative to its own directory.
            let base = if workspace.is_some() { relative(&target.root, &target.workspace) } else { Utf8PathBuf::new() };
            beside(said, &base, needed, other)
        }
    }
}

/// The relative path from one directory to another, both absolute.
fn relative(from: &Utf8Path, to: &Utf8Path) -> Utf8PathBuf {
    let same = from.components().zip(to.components()).take_while(|(from, to)| from == to).count();
    let up = from.components().skip(same).map(|_| Utf8Component::ParentDir);
    up.chain(to.components().skip(same)).collect()
}

/// A path without `.` and without pairs such as `dir/..`.
fn normalized(path: &Utf8Path) -> Utf8PathBuf {
    let mut parts: Vec<Utf8Component<'_>> = Vec::new();
    for part in path.components() {
        match (part, parts.last()) {
            (Utf8Component::CurDir, _) => {}
            (Utf8Component::ParentDir, Some(Utf8Component::Normal(_))) => drop(parts.pop()),
            (part, _) => parts.push(part),
        }
    }
    parts.into_iter().collect()
}

fn beside(said: &Item, base: &Utf8Path, needed: &Needed, other: &Needed) -> Option<Value> {
    if let Some(version) = said.as_str() {
        return Some(version.into());
    }
    let said = said.as_table_like()?;
    let text = |key: &str| said.get(key).and_then(Item::as_str);
    let mut source = InlineTable::new();
    for key in ["version", "registry", "git", "branch", "tag", "rev"] {
        source.extend(text(key).map(|text| (key, Value::from(text))));
    }
    if let Some(path) = text("path") {
        let path = base.join(path);
        // One crate is in a subdirectory of the other.
        let path = match needed.directory.strip_prefix(other.directory) {
            Some(below) => path.join(below.trim_start_matches('/')),
            None => path.parent().filter(|parent| !parent.as_str().is_empty())?.to_owned(),
        };
        source.insert("path", normalized(&path).as_str().into());
    }
    (!source.is_empty()).then_some(Value::InlineTable(source))
}

/// The position of a new table: after the tables about targets and dependencies, not at the end of the file after
/// workspace and profiles.
fn position(document: &DocumentMut) -> Option<isize> {
    const BEFORE: [&str; 9] =
        ["package", "lib", "bin", "example", "test", "bench", "dependencies", "dev-dependencies", "build-dependencies"];
    BEFORE.iter().filter_map(|key| last(document.get(key)?)).max()
}

/// The position of the last table in an item.
fn last(item: &Item) -> Option<isize> {
    let of_table = |table: &Table| table.iter().filter_map(|(_, item)| last(item)).chain(table.position()).max();
    match item {
        Item::Table(table) => of_table(table),
        Item::ArrayOfTables(tables) => tables.iter().filter_map(of_table).max(),
        Item::None | Item::Value(_) => None,
    }
}

/// The commit that this tool was installed from, or else the checkout that it was built in, if that still exists. Never
/// a bare version: these names are not registered on crates.io, so anyone could register them.
fn source_of(directory: &str) -> Option<Value> {
    known_source(installed::from_git(), Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent()?, directory)
}

fn known_source(installed: Option<Source>, clone: &Utf8Path, directory: &str) -> Option<Value> {
    if let Some(Source { url, revision: Some(revision) }) = installed {
        let source = [("git", Value::from(url)), ("rev", Value::from(revision))];
        return Some(Value::InlineTable(InlineTable::from_iter(source)));
    }
    let path = clone.join(directory);
    path.join("Cargo.toml").is_file().then(|| inline("path", path.as_str().into()))
}

fn inline(key: &str, value: Value) -> Value {
    Value::InlineTable(InlineTable::from_iter([(key, value)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the source of a crate, given that of its sibling.
    #[track_caller]
    fn check(needed: &Needed, other: &Needed, said: &str, expected: Option<&str>) {
        let document: DocumentMut = format!("said = {said}").parse().expect("TOML");
        let source = beside(&document["said"], Utf8Path::new("../.."), needed, other);
        assert_eq!(source.map(|source| source.to_string().trim().to_owned()).as_deref(), expected);
    }

    #[test]
    fn a_crate_comes_from_where_the_other_does() {
        let helper = |said, expected| check(&HELPER, &RUNTIME, said, Some(expected));
        helper("\"0.3\"", "\"0.3\"");
        helper("{ path = \"../ci/isolate-rt\" }", "{ path = \"../../../ci/isolate-rt/build\" }");
        helper("{ path = \"./ci/../rt\" }", "{ path = \"../../rt/build\" }");
        helper("{ path = \"/ws/../rt\", default-features = false }", "{ path = \"/rt/build\" }");
        helper("{ git = \"https://x/y\", rev = \"abc\" }", "{ git = \"https://x/y\", rev = \"abc\" }");
        check(&RUNTIME, &HELPER, "{ path = \"rt/build\" }", Some("{ path = \"../../rt\" }"));
        check(&RUNTIME, &HELPER, "{ features = [] }", None);
    }

    /// Checks the source of a crate if its sibling is no dependency.
    #[track_caller]
    fn check_known(installed: Option<(&str, Option<&str>)>, clone: &str, expected: Option<&str>) {
        let source = |(url, revision): (&str, Option<&str>)| Source {
            url: url.to_owned(),
            revision: revision.map(str::to_owned),
        };
        let found = known_source(installed.map(source), Utf8Path::new(clone), "isolate-rt");
        assert_eq!(found.map(|source| source.to_string()).as_deref(), expected);
    }

    #[test]
    fn where_the_runtime_comes_from() {
        let clone = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().as_str();
        let by_path = format!("{{ path = \"{clone}/isolate-rt\" }}");
        check_known(None, clone, Some(&by_path));
        check_known(
            Some(("https://example.com/a", Some("0123"))),
            clone,
            Some("{ git = \"https://example.com/a\", rev = \"0123\" }"),
        );
        check_known(Some(("https://example.com/a", None)), clone, Some(&by_path));
        check_known(None, "/nowhere", None);
    }
}
