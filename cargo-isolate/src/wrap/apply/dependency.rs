//! The dependencies that wrappers need, in the package's manifest.

use super::{EditError, Target, parsed, read};
use camino::Utf8Path;
use toml_edit::{DocumentMut, InlineTable, Item, Table, Value};

/// Adds a dependency that is not there yet; one that is there stays as it is.
pub(super) fn require(
    document: &mut DocumentMut,
    target: &Target,
    key: &'static str,
    name: &str,
    directory: &str,
) -> Result<(), EditError> {
    let path = &target.root.join("Cargo.toml");
    let inherited = !has(document, key, name) && is_inherited(document, target, name)?;
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
        None => drop(table.insert(name, Item::Value(source_of(directory)))),
        Some(item) if item.get("optional").and_then(Item::as_bool) == Some(true) => {
            return Err(unfit("an optional dependency"));
        }
        Some(_) => {}
    }
    Ok(())
}

fn has(document: &DocumentMut, key: &str, name: &str) -> bool {
    document.get(key).and_then(|table| table.get(name)).is_some()
}

/// The workspace says for all of its members where the dependency comes from.
fn is_inherited(document: &DocumentMut, target: &Target, name: &str) -> Result<bool, EditError> {
    let lists = |root: &DocumentMut| {
        let dependencies = root.get("workspace").and_then(|workspace| workspace.get("dependencies"));
        dependencies.and_then(|dependencies| dependencies.get(name)).is_some()
    };
    if target.workspace == target.root {
        return Ok(lists(document));
    }
    let path = target.workspace.join("Cargo.toml");
    Ok(lists(&parsed(&read(&path)?, &path)?))
}

/// Where a new table goes: behind what describes the package and what it depends on already, not at the end of the file behind
/// workspace and profiles.
fn position(document: &DocumentMut) -> Option<isize> {
    const BEFORE: [&str; 9] =
        ["package", "lib", "bin", "example", "test", "bench", "dependencies", "dev-dependencies", "build-dependencies"];
    BEFORE.iter().filter_map(|key| last(document.get(key)?)).max()
}

/// The position of the last table in it.
fn last(item: &Item) -> Option<isize> {
    let of_table = |table: &Table| table.iter().filter_map(|(_, item)| last(item)).chain(table.position()).max();
    match item {
        Item::Table(table) => of_table(table),
        Item::ArrayOfTables(tables) => tables.iter().filter_map(of_table).max(),
        Item::None | Item::Value(_) => None,
    }
}

/// The checkout that this tool was built in, if it still lies there; else the version of this tool.
fn source_of(directory: &str) -> Value {
    let checkout = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(|root| root.join(directory));
    match checkout.filter(|path| path.join("Cargo.toml").is_file()) {
        Some(path) => inline("path", path.as_str().into()),
        None => env!("CARGO_PKG_VERSION").into(),
    }
}

fn inline(key: &str, value: Value) -> Value {
    Value::InlineTable(InlineTable::from_iter([(key, value)]))
}
