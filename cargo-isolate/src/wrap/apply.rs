//! The edits that tie generated wrappers into a package: `mod isolated;`, two dependencies, one line of `build.rs`.

mod dependency;
mod source;

use super::{GeneratedFile, target::Target};
use camino::{Utf8Path, Utf8PathBuf};
use dependency::{HELPER, RUNTIME, require};
use std::{collections::BTreeMap, fs, io};
use toml_edit::{DocumentMut, Item};

/// Why a package cannot be edited. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditError {
    #[error("cannot read `{path}`: {error}")]
    Read { path: Utf8PathBuf, error: io::Error },
    #[error("`{path}` is not TOML: {error}")]
    Manifest { path: Utf8PathBuf, error: toml_edit::TomlError },
    #[error("`{path}`: `{key}` is not a table: write it as one")]
    Table { path: Utf8PathBuf, key: &'static str },
    #[error("`{path}` has `{name}` as {how}, and wrappers need it by its name in every build: change that line")]
    Dependency { path: Utf8PathBuf, name: String, how: String },
    #[error(
        "`{path}` lacks `{name}`, and the clone that this tool was built in is gone: add it there, by the repository and commit of the tool (docs/guide.md, \"Where the runtime comes from\")"
    )]
    NoSource { path: Utf8PathBuf, name: &'static str },
    #[error(
        "`{path}` has `build = false`, but there is a `build.rs`: remove that line to let the script run, or delete the script; wrappers need a build script that passes the fragment to the linker"
    )]
    NoBuildScript { path: Utf8PathBuf },
    #[error("cannot add `{what}` to `{path}`: {why}")]
    Source { what: &'static str, path: Utf8PathBuf, why: String },
}

/// The files of the package as they should be, unchanged where an edit is already there. `rewritten`: sources of the
/// package with their new texts, in any directory.
pub(crate) fn edits(
    target: &Target,
    mut rewritten: BTreeMap<Utf8PathBuf, String>,
) -> Result<Vec<GeneratedFile>, EditError> {
    let manifest = target.root.join("Cargo.toml");
    let before = read(&manifest)?;
    let mut document = parsed(&before, &manifest)?;
    allow_build_script(&mut document, target)?;
    let script = build_script(&document, target)?;
    require(&mut document, target, &RUNTIME, &HELPER)?;
    require(&mut document, target, &HELPER, &RUNTIME)?;
    let root = with_module(&target.crate_root, rewritten.remove(&target.crate_root))?;
    let mut files = vec![
        GeneratedFile { path: manifest, text: as_before(&before, document.to_string()) },
        GeneratedFile { path: target.crate_root.clone(), text: root },
        script,
    ];
    files.extend(rewritten.into_iter().map(|(path, text)| GeneratedFile { path, text }));
    Ok(files)
}

/// Removes `build = false`, which cargo writes into every published manifest, unless that line keeps an existing script
/// from running.
fn allow_build_script(manifest: &mut DocumentMut, target: &Target) -> Result<(), EditError> {
    let Some(package) = manifest.get_mut("package").and_then(Item::as_table_like_mut) else { return Ok(()) };
    if package.get("build").and_then(Item::as_bool) == Some(false) {
        if target.root.join("build.rs").exists() {
            return Err(EditError::NoBuildScript { path: target.root.join("Cargo.toml") });
        }
        package.remove("build");
    }
    Ok(())
}

/// The build script with the line that passes the linker fragment on.
fn build_script(manifest: &DocumentMut, target: &Target) -> Result<GeneratedFile, EditError> {
    let build = manifest.get("package").and_then(|package| package.get("build"));
    let path = target.root.join(build.and_then(Item::as_str).unwrap_or("build.rs"));
    let call = format!("isolate_rt_build::link!(\"{}\");", target.fragment());
    let text = match fs::read_to_string(&path) {
        Ok(text) => {
            // Earlier versions of this tool wrote a function call, when `link` was a function.
            let edited =
                source::as_macro(&text, "isolate_rt_build::link").and_then(|text| source::in_main(&text, &call));
            let edited = edited.map_err(|why| EditError::Source {
                what: "isolate_rt_build::link!(…)",
                path: path.clone(),
                why,
            })?;
            as_before(&text, edited)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && build.is_none() => {
            // The script has no other inputs, so it need not run again for every changed file of the package.
            let once = "println!(\"cargo:rerun-if-changed=build.rs\");";
            format!("//! Hands the linker what isolated domains need.\n\nfn main() {{\n    {once}\n    {call}\n}}\n")
        }
        Err(error) => return Err(EditError::Read { path, error }),
    };
    Ok(GeneratedFile { path, text })
}

fn with_module(path: &Utf8Path, rewritten: Option<String>) -> Result<String, EditError> {
    let text = rewritten.map_or_else(|| read(path), Ok)?;
    let edited = source::with_module(&text, "isolated").map_err(|why| EditError::Source {
        what: "mod isolated;",
        path: path.to_owned(),
        why,
    })?;
    Ok(as_before(&text, edited))
}

/// An edited text with the byte order mark and the line endings of the text before.
fn as_before(before: &str, text: String) -> String {
    const MARK: char = '\u{feff}';
    let mark = if before.starts_with(MARK) && !text.starts_with(MARK) { "\u{feff}" } else { "" };
    let text = match before.contains("\r\n") {
        true => text.replace("\r\n", "\n").replace('\n', "\r\n"),
        false => text,
    };
    format!("{mark}{text}")
}

fn parsed(text: &str, path: &Utf8Path) -> Result<DocumentMut, EditError> {
    let parsed = text.trim_start_matches('\u{feff}').parse();
    parsed.map_err(|error| EditError::Manifest { path: path.to_owned(), error })
}

fn read(path: &Utf8Path) -> Result<String, EditError> {
    fs::read_to_string(path).map_err(|error| EditError::Read { path: path.to_owned(), error })
}
